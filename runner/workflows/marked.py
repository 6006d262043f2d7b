"""YAML as plain data that knows where in the file it stood; nothing in it can build an object or grow without end."""

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from runner.workflows.errors import Problem, WorkflowInvalid

LARGEST_BYTES = 256 * 1024
MOST_NODES = 10_000
"""Counted with aliases written out, so that a few lines can't stand for millions."""
DEEPEST = 32
_CORE = "tag:yaml.org,2002:"
_PLAIN = frozenset(_CORE + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A file's content, and where each part of it begins."""

    source: str
    data: Any
    marks: dict[Path, tuple[int, int]] = field(repr=False)
    """Line and column, from 1, by path; a path that ends in `KEY` and a name is the name itself."""

    def problem(self, path: Path, what: str, *, at_key: bool = False) -> Problem:
        """Say what is wrong at a path; what is not there is said of the nearest part around it."""
        if at_key and (*path, "\0key") in self.marks:
            return Problem(*self.marks[(*path, "\0key")], what)
        while path and path not in self.marks:
            path = path[:-1]
        return Problem(*self.marks.get(path, (1, 1)), what)


def load(data: bytes, source: str) -> Document:
    """Read one YAML document.

    Raises:
        WorkflowInvalid: it is no YAML, too large, or holds what is not taken: tags, merge keys, bombs.
    """
    if len(data) > LARGEST_BYTES:
        raise _invalid(source, None, f"the file has {len(data)} bytes, at most {LARGEST_BYTES} are taken")
    try:
        text = data.decode("utf-8-sig")
        _survey(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WorkflowInvalid(source, [Problem(line, 1, "not UTF-8; save the file as UTF-8 text")]) from error
    except yaml.MarkedYAMLError as error:
        raise _invalid(source, error.problem_mark, f"no YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise _invalid(source, None, f"no YAML: {' '.join(str(error).split())}") from error
    if node is None:
        raise _invalid(source, None, "the file is empty; it needs `phases:` or `steps:`")
    builder = _Builder(source)
    return Document(source, builder.build(node, (), ()), builder.marks)


def _survey(text: str, source: str) -> None:
    """Look at the events first: composing recurses, so depth must be known before."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or count > 2 * MOST_NODES:
            much = f"more than {DEEPEST} levels deep" if depth > DEEPEST else f"more than {MOST_NODES} values"
            raise _invalid(source, event.start_mark, f"{much}; no workflow needs that")
        tag = getattr(event, "tag", None)
        if tag and tag not in _PLAIN:
            raise _invalid(source, event.start_mark, f"the tag {tag} is not taken; write plain values")


class _Builder:
    """Turns nodes into data, and notes their places."""

    def __init__(self, source: str) -> None:
        self.source, self.count = source, 0
        self.marks: dict[Path, tuple[int, int]] = {}
        self.scalars = SafeConstructor()

    def build(self, node: Node, path: Path, above: tuple[int, ...]) -> Any:
        self.count += 1
        if self.count > MOST_NODES:
            raise _invalid(self.source, node.start_mark, f"aliases make this more than {MOST_NODES} values")
        if id(node) in above:
            raise _invalid(self.source, node.start_mark, "the alias holds itself; write it out")
        self.marks[path] = _place(node)
        inside = (*above, id(node))
        match node:
            case MappingNode():
                return self._mapping(node, path, inside)
            case SequenceNode():
                return [self.build(item, (*path, i), inside) for i, item in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path, inside: tuple[int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode) or key_node.tag == f"{_CORE}merge":
                raise _invalid(self.source, key_node.start_mark, "a key must be a plain word")
            if key in found:
                raise _invalid(self.source, key_node.start_mark, f"{key!r} is given twice")
            self.marks[(*path, key, "\0key")] = _place(key_node)
            found[key] = self.build(value, (*path, key), inside)
        return found

    def _scalar(self, node: Node) -> Any:
        if node.tag not in _PLAIN:  # a date, `=` and the like: what people wrote is a word
            return node.value
        try:
            return self.scalars.construct_object(node)
        except (ConstructorError, ValueError) as error:
            raise _invalid(self.source, node.start_mark, f"{node.value!r} is no value of its tag") from error


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _invalid(source: str, mark: Any, what: str) -> WorkflowInvalid:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return WorkflowInvalid(source, [Problem(line, column, what)])
