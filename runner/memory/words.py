"""Texts to words: the same for what is stored and what is asked, whatever the database."""

import json
import re
import unicodedata
from functools import lru_cache

WORD_LENGTH = 64
MOST_WORDS = 20_000
"""Distinct words indexed of one entry: PostgreSQL's tsvector has an end, and so has anybody's interest."""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
"""Chinese, Japanese and Korean, which put no spaces between words."""
_ESCAPE = re.compile(r'\\["\\/bfnrt]')
_ENDINGS = (
    *(("ies", "y"), ("ation", ""), ("ations", ""), ("ating", ""), ("ated", ""), ("ates", ""), ("ate", "")),
    *(("ions", ""), ("ion", ""), ("ings", ""), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")),
)
_SHORTEST_STEM = 3


def plain_text(value: str) -> str:
    """The text of a value that comes as JSON, without escapes: they would grow onto the words."""
    return str(json.loads(value)) if value.startswith('"') else _ESCAPE.sub(" ", value)


def words(text: str) -> list[str]:
    """Distinct words of a text in order: lower case, without accents, endings or `camelCase`."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(_plain(text)):
        for word in _parts(match[0]):
            found[word] = None
        if len(found) >= MOST_WORDS:
            break
    return list(found)


def _plain(text: str) -> str:
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKD", text)
    # Hangul falls apart under NFKD; NFC puts it together again and leaves what lost its accents.
    bare = "".join(character for character in composed if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", bare)


@lru_cache(maxsize=50_000)
def _parts(raw: str) -> tuple[str, ...]:
    if not raw.isascii() and (runs := _UNSPACED.findall(raw)):
        rest = _UNSPACED.sub(" ", raw).split()
        return tuple(pair for run in runs for pair in _pairs(run)) + tuple(w for part in rest for w in _parts(part))
    humps = _HUMP.split(raw)
    whole = _stem(raw.casefold())
    return (whole, *(_stem(hump.casefold()) for hump in humps)) if len(humps) > 1 else (whole,)


def _pairs(run: str) -> tuple[str, ...]:
    return (run,) if len(run) == 1 else tuple(run[i : i + 2] for i in range(len(run) - 1))


def _stem(word: str) -> str:
    """Cut an English ending. Crude, and the same on both sides, which is all that matters."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word.removesuffix(ending) + instead
            break
    # implement-ed and implement, but also cach-ed and cache, stopp-ed and stop
    word = word.removesuffix("e") if len(word) > _SHORTEST_STEM else word
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "ls0123456789":
        word = word[:-1]
    return word[:WORD_LENGTH]
