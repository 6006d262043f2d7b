"""Tasks are taken as they are, or refused with a sentence."""

import io
import sys
from pathlib import Path
from typing import get_args

import pytest

from router.labels import Platform
from router.schemas import MAX_TASK_BYTES
from runner.cli import EXECUTE_OPTIONS, PlatformChoice, app
from runner.errors import BadInput
from runner.plan import slug
from runner.tasks import read_tasks, taken_for_tasks


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
