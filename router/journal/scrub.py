"""Takes secrets out of texts before they are stored (the one door to detect-secrets)."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

REMOVED = "[secret]"
LONGEST_SECRET = 2048
"""Characters; of a longer one in a longer line only parts are found."""

# What detect-secrets looks for: the shapes of known tokens. Its entropy detectors are left out: they take
# every commit hash for a secret.
_DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector",
    "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip

# What it misses: whole private keys (it finds their first line), bare bearer tokens, newer key prefixes and
# assignments without quotes.
_OWN = (
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"()\b(?:sk|pk|rk)[-_](?:ant-|proj-|live_|test_)?[A-Za-z0-9_-]{16,}"),
    re.compile(r"()\bnpm_[A-Za-z0-9]{36}\b"),
    re.compile(r"([Bb]earer )[A-Za-z0-9._~+/-]{16,}=*"),
    re.compile(r"(?i)\b((?:\w*_)?(?:password|passwd|secret|token|api_?key)=[\"']?)[^\s'\"$<{=]{6,}"),
    re.compile(
        r"(?i)\b((?:\w*_)?(?:password|passwd|secret|token|api_?key)[\"']?\s?[:=]\s?[\"']?)(?=\S{0,128}\d)[^\s'\"$<{:=]{6,}"
    ),
)


# All that detect-secrets looks for holds a run of ten characters of which some are no small letters. Most tasks
# hold none, and need not wait for its import (0.05 s). Two patterns: as one, it would look at every end of a run
# from every start in it, and hold the whole service up for a minute over 32 KiB of small letters.
_RUN, _MARK = re.compile(r"\S{10,}"), re.compile("[A-Z0-9=:@]")


def scrub(text: str) -> str:
    """Return `text` with every secret that is recognised replaced by `[secret]`."""
    for pattern in _OWN:
        text = pattern.sub(rf"\1{REMOVED}", text)
    if any(_MARK.search(run) for run in _RUN.findall(text)):
        for secret in set(_found(text)):
            text = text.replace(secret, REMOVED)
    return text


def scrub_all(value: Any) -> Any:
    """The same over every string of a JSON value."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(str(key)): scrub_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_all(item) for item in value]
    return value


def _found(text: str) -> Iterator[str]:
    for pattern, piece in product(_patterns(), list(_pieces(text))):
        for match in pattern.finditer(piece):
            # Some patterns hold context around the secret and have it in a group, others a prefix in one.
            longest = max((group for group in match.groups() if group), key=len, default="")
            yield longest if len(longest) >= 6 else match.group()


def _pieces(text: str) -> Iterator[str]:
    """Lines, and of longer ones overlapping parts: some patterns take the square of what they are given."""
    for line in text.splitlines():
        for start in range(0, max(1, len(line) - LONGEST_SECRET), LONGEST_SECRET):
            yield line[start : start + 2 * LONGEST_SECRET]


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    found: dict[str, Any] = get_mapping_from_secret_type_to_class()
    classes = {detector.__name__: detector for detector in found.values()}
    return tuple(pattern for name in _DETECTORS for pattern in classes[name]().denylist)
