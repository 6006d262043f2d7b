"""Tasks are taken as they are, or refused with a sentence."""

import io
import sys
from pathlib import Path
from typing import get_args

import pytest

from router.labels import Platform
from router.schemas import MAX_TASK_BYTES
from runner.cli import EXECUTE_OPTIONS, app
from runner.commands.run_commands import PlatformChoice
from runner.errors import BadInput
from runner.tasks.plan import slug
from runner.tasks.tasks import read_tasks, read_wanted, taken_for_tasks

CHECKLIST = """# Plan
Text.

- [ ] Write the parser (name: parser; platform: codex)
  It takes a string.

  ```
  - [ ] no task
  ```
  - [x] sub
  - [ ] sub two
- [x] Types (name: types)
- [ ] Test the parser
with care after: parser, types
* [ ] Document it after: 1, parser
- Group
  - [ ] Nested in a plain list (after: parser)
    more of it

Prose.
```
- [ ] in code
```
1. [ ] numbered (name: n, after: 3)
- [ ] Call f(x)
"""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no task given"),
        ([""], "the task is blank"),
        (["fix it", " \t\n"], "task 2: the task is blank"),
        (["x" * (MAX_TASK_BYTES + 1)], f"at most {MAX_TASK_BYTES}"),
        (["fix\0it"], "NUL bytes"),
        (["fix \udcff"], "not valid text"),
    ],
)
def test_a_task_that_cannot_be_routed_is_refused(arguments: list[str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_tasks(arguments, None)


@pytest.mark.parametrize("task", ["--dangerously-skip-permissions", "-", "résumé der Aufgabe", "$(rm -rf /)", "a\nb"])
def test_any_other_text_is_a_task(task: str) -> None:
    assert read_tasks([task], None) == (task,)


def test_a_file_brings_one_task_a_line(tmp_path: Path) -> None:
    (tmp_path / "tasks").write_bytes(b"\xef\xbb\xbffix it\r\n\n  \n#12 too\n")
    assert read_tasks(["first"], tmp_path / "tasks") == ("first", "fix it", "#12 too")


def test_a_file_may_be_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"fix it\n")))
    assert read_tasks([], Path("-")) == ("fix it",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "No such file"), (b"", "holds no task"), (b"fix it\n\xff\n", "line 2: not UTF-8"), (b"x" * 10**6, "bytes")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "tasks").write_bytes(content)
    with pytest.raises(BadInput, match=sentence):
        read_tasks([], tmp_path / "tasks")


def test_only_lone_words_near_an_option_are_suspicious() -> None:
    words = ["--dry-rum", "--timeoutt=5", "--dry-rum it", "--dangerously-skip-permissions", "dry-run"]
    assert taken_for_tasks(words, EXECUTE_OPTIONS) == [("--dry-rum", "--dry-run"), ("--timeoutt=5", "--timeout")]


def test_the_options_and_platforms_that_are_told_are_the_real_ones() -> None:
    (command,) = (found for found in app.registered_commands if found.callback and found.callback.__name__ == "execute")
    assert command.callback is not None
    parameters = set(command.callback.__annotations__) - {"tasks", "return"}
    assert {f"--{name.replace('_', '-')}" for name in parameters} | {"--help"} == set(EXECUTE_OPTIONS)
    assert get_args(PlatformChoice) == ("auto", *Platform)


@pytest.mark.parametrize(
    ("task", "name"),
    [("Write tests for the parser!", "write-tests-for-the"), ("修复登录", "task"), ("--x", "x"), ("../..", "task")],
)
def test_a_worker_is_named_by_the_first_words(task: str, name: str) -> None:
    assert slug(task) == name


def read(tmp_path: Path, name: str, text: str) -> list[tuple[object, ...]]:
    """The tasks of a file: text, name, places they wait for, platform."""
    (tmp_path / name).write_text(text)
    return [(one.task, one.name, one.after, one.platform) for one in read_wanted([], tmp_path / name)]


def test_a_checklist_brings_its_open_boxes_with_what_belongs_to_them(tmp_path: Path) -> None:
    assert read(tmp_path, "plan.md", CHECKLIST) == [
        ("Write the parser\nIt takes a string.\n\n```\n- [ ] no task\n```\n- [x] sub\n- [ ] sub two", "parser", (),
         Platform.CODEX),
        ("Test the parser\nwith care", None, (0,), None),
        ("Document it", None, (0,), None),
        ("Nested in a plain list\nmore of it", None, (0,), None),
        ("numbered", "n", (1,), None),
        ("Call f(x)", None, (), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "tasks"),
    [
        ("tasks", "# Plan\n\n- [ ] one\n", ["one"]),
        ("tasks.txt", "one\n- [ ] two\n", ["one", "- [ ] two"]),
        ("tasks", '{"task": "one"}\n\n{"task": "two"}\n', ["one", "two"]),
        ("tasks", '{"say": "hi"}\n', ['{"say": "hi"}']),
        ("tasks", "[1]\n", ["[1]"]),
        ("tasks.ndjson", '{"task": "one", "done": true}\n{"task": "two"}\n', ["two"]),
        ("tasks.markdown", "* [ ] one\n+ [ ] two\n  \n3) [ ] three\n", ["one", "two", "three"]),
        ("tasks.md", "- [ ] one\n~~~\n- [ ] no\n~~~\n- [ ]\n  text below\n", ["one", "text below"]),
    ],
)
def test_the_form_is_told_by_the_ending_or_the_first_line(
    tmp_path: Path, name: str, text: str, tasks: list[str]
) -> None:
    assert [one[0] for one in read(tmp_path, name, text)] == tasks


def test_json_lines_bring_names_platforms_and_what_is_waited_for(tmp_path: Path) -> None:
    lines = ['{"task": "a", "name": "x", "done": true}', '{"task": "b", "name": "y", "platform": "hybrid"}',
             '{"task": "c it is", "after": "y"}', '{"task": "d", "after": ["x", 2, "c-it-is", "y"]}']  # fmt: skip
    assert read(tmp_path, "t.jsonl", "\n".join(lines)) == [
        ("b", "y", (), Platform.HYBRID), ("c it is", None, (0,), None), ("d", None, (0, 1), None),
    ]  # fmt: skip


def test_numbers_count_in_the_file_and_places_in_the_whole(tmp_path: Path) -> None:
    (tmp_path / "t.md").write_text("- [ ] a\n- [ ] b (after: 1)\n")
    assert [one.after for one in read_wanted(["first", "second"], tmp_path / "t.md")] == [(), (), (), (2,)]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("t.md", "- [ ] a\n- [ ] b (after: c)\n", "line 2: after: c: no task of the file has this name or number"),
        ("t.md", "- [ ] a (name: x)\n- [ ] b (after: c)\n", "line 2: after: c: .*; there are x"),
        ("t.md", "- [ ] a (name: x)\n- [ ] b (name: x)\n", "line 2: a task before it is called 'x' already"),
        (
            "t.md",
            "- [ ] a (name: x; after: y)\n- [ ] b (name: y; after: x)\n",
            "wait for each other: [xy] → [xy] → [xy]",
        ),
        ("t.md", "- [ ] self (after: 1)\n", "line 1: tasks wait for each other: self → self"),
        ("t.md", "- [ ] a (name: no spaces)\n", "line 1: name: 'no spaces': a name is letters, digits"),
        ("t.md", "- [ ] a (platform: vim)\n", "line 1: platform: 'vim' is none of claude-code, codex, hybrid"),
        ("t.md", "- [ ] a (after:)\n", "line 1: after: write"),
        ("t.md", "- [ ] a (name: x; colour: red)\n", "line 1: colour: write"),
        ("t.md", "just text\n- [x] done\n", "holds no task"),
        ("t.md", f"- [ ] ok\n- [ ] {'x' * MAX_TASK_BYTES}x\n", "line 2: the task has"),
        ("t.jsonl", '{"task": "a"}\n{"task": 3}\n', "line 2: task: Input should be a valid string"),
        ("t.jsonl", '{"task": "a", "then": "b"}\n', "line 1: then: Extra inputs are not permitted; a line is"),
        ("t.jsonl", '{"task": "a", "name": "../x"}\n', "line 1: name: String should match"),
        ("t.jsonl", '{"task": "a", "after": true}\n', "line 1: after: "),
        ("t.jsonl", '{"task": "a"\n', "line 1: Invalid JSON"),
        ("t.jsonl", '{"task": " "}\n', "line 1: the task is blank"),
    ],
)
def test_what_a_file_says_wrong_is_told_with_its_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read(tmp_path, name, text)


def test_a_thousand_tasks_in_a_row_are_put_in_order(tmp_path: Path) -> None:
    lines = [f"- [ ] task {n} (name: t{n}{f'; after: t{n - 1}' if n else ''})" for n in range(1000)]
    assert read(tmp_path, "t.md", "\n".join(lines))[-1][2] == (998,)
