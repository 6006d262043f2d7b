"""A settings file of the user's, JSON or TOML, in which ours are added and removed and all else stays as it is."""

import copy
import json
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from runner.install.errors import ConfigurationUnusable
from runner.install.piece import Setting

MISSING = object()
"""What `Configuration.find` returns where there is nothing; None is a value in JSON."""
Place = tuple[str, ...]


class Configuration:
    """The content of a settings file; `text` None is a file that does not exist yet."""

    def __init__(self, path: Path, text: str | None) -> None:
        """Read it; raises `ConfigurationUnusable` where it is no JSON object or no TOML."""
        self.path, self.original = path, text
        self._is_toml = path.suffix == ".toml"
        self._document: MutableMapping[str, Any] = self._parse(text or "")
        self.plain: dict[str, Any] = _plain(self._document)

    def find(self, place: Place) -> Any:
        """The value at a place, or `MISSING`."""
        found: Any = self.plain
        for name in place:
            if not isinstance(found, dict):
                raise ConfigurationUnusable(self.path, f"{'.'.join(place)} leads through something that holds no names")
            if name not in found:
                return MISSING
            found = found[name]
        return found

    def holds(self, setting: Setting) -> bool:
        """True where this very value is there."""
        found = self.find(setting.place)
        return setting.value in self._items(setting) if setting.is_item else bool(found == setting.value)

    def is_free(self, setting: Setting) -> bool:
        """True where it can be added without replacing anything."""
        if setting.is_item:
            return setting.value not in self._items(setting)
        return self.find(setting.place) is MISSING

    def add(self, setting: Setting) -> None:
        """Put it where nothing is yet."""
        for mapping in (self._document, self.plain):
            _add(mapping, setting)

    def remove(self, setting: Setting, kept: "Configuration") -> None:
        """Take it away, and with it what holds nothing any more, unless `kept` has that too."""
        for mapping in (self._document, self.plain):
            _remove(mapping, setting)
        for length in range(len(setting.place), 0, -1):
            place = setting.place[:length]
            if self.find(place) in ({}, []) and kept.find(place) is MISSING:
                for mapping in (self._document, self.plain):
                    del _reach(mapping, place[:-1])[place[-1]]

    def text(self) -> str:
        """The content as it is now, in the form it had.

        Raises:
            ConfigurationUnusable: the form can't hold it; more would change than was meant.
        """
        written = tomlkit.dumps(self._document) if self._is_toml else _json(self.plain, self.original)
        if _plain(self._parse(written)) != self.plain:
            raise ConfigurationUnusable(self.path, "it is written in a way that can't be edited safely")
        return written

    def _items(self, setting: Setting) -> list[Any]:
        found = self.find(setting.place)
        if found is MISSING:
            return []
        if not isinstance(found, list):
            raise ConfigurationUnusable(self.path, f"{'.'.join(setting.place)} is no list")
        return found

    def _parse(self, text: str) -> MutableMapping[str, Any]:
        try:
            parsed = tomlkit.parse(text) if self._is_toml else json.loads(text) if text.strip() else {}
        except (TOMLKitError, ValueError) as error:
            raise ConfigurationUnusable(self.path, f"it can't be read ({error})") from error
        if not isinstance(parsed, MutableMapping):
            raise ConfigurationUnusable(self.path, "it holds no JSON object")
        return parsed


def _plain(document: MutableMapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = document.unwrap() if isinstance(document, tomlkit.TOMLDocument) else dict(document)
    return copy.deepcopy(plain)


def _add(mapping: MutableMapping[str, Any], setting: Setting) -> None:
    *above, name = setting.place
    for step in above:
        if step not in mapping:
            # Only tables get a heading of their own, so that `[mcp_servers]` does not appear alone.
            mapping[step] = tomlkit.table(is_super_table=True) if isinstance(mapping, tomlkit.TOMLDocument) else {}
        mapping = mapping[step]
    value = copy.deepcopy(setting.value)
    if setting.is_item:
        mapping.setdefault(name, []).append(value)
    else:
        mapping[name] = value


def _remove(mapping: MutableMapping[str, Any], setting: Setting) -> None:
    holder = _reach(mapping, setting.place[:-1])
    if setting.is_item:
        holder[setting.place[-1]].remove(setting.value)
    else:
        del holder[setting.place[-1]]


def _reach(mapping: MutableMapping[str, Any], place: Place) -> Any:
    found: Any = mapping
    for name in place:
        found = found[name]
    return found


def _json(plain: dict[str, Any], original: str | None) -> str:
    """Write JSON with the indent and the ending of `original`."""
    original = original or "{}\n"
    shape = re.match(r"\s*\{(\r?\n)?([ \t]*)", original)
    indent = shape[2] if shape and shape[1] else None if json.loads(original or "{}") else 2
    text = json.dumps(plain, indent=indent, ensure_ascii=False)
    # Half a character, which JSON may escape, has no form in UTF-8.
    text = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)
    return text + original[len(original.rstrip()) :]
