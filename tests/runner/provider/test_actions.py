"""Each action becomes the call that the program's own tool expects."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from .conftest import CWD, ClaudeLike, CodexLike

RUN = "run: git status"
WRITE = 'write: {path: src/a.py, content: "x = 1\\ny = 2\\n"}'
EDIT = "edit: {path: a.py, old: x = 1, new: x = 2}"
CALL = "call: {server: dual-memory, tool: memory_store, arguments: {key: k, tags: ['{{cwd}}', 1]}}"
PATIENT = {"yield_time_ms": 30_000}
ADDED = "*** Begin Patch\n*** Add File: src/a.py\n+x = 1\n+y = 2\n*** End Patch"
CHANGED = "*** Begin Patch\n*** Update File: a.py\n@@\n-x = 1\n+x = 2\n*** End Patch"


def _script(action: str) -> str:
    return f"act:\n  steps:\n    - {action}\n    - say: done\n"


@pytest.mark.parametrize(
    ("action", "calls"),
    [
        (RUN, [("Bash", {"command": "git status", "description": "git status"})]),
        (WRITE, [("Write", {"file_path": f"{CWD}/src/a.py", "content": "x = 1\ny = 2\n"})]),
        (
            EDIT,
            [
                ("Read", {"file_path": f"{CWD}/a.py"}),
                ("Edit", {"file_path": f"{CWD}/a.py", "old_string": "x = 1", "new_string": "x = 2"}),
            ],
        ),
        (CALL, [("mcp__dual-memory__memory_store", {"key": "k", "tags": [CWD, 1]})]),
    ],
)
def test_claude_is_asked_for_its_tools(
    action: str, calls: list[tuple[str, Any]], serve: Callable[[str], TestClient]
) -> None:
    talk = ClaudeLike(serve(_script(action)))
    assert talk.ask("[[script:act]]").calls == calls
    assert talk.give("ok").text == "done"


@pytest.mark.parametrize(
    ("action", "name", "given", "namespace"),
    [
        (RUN, "exec_command", {"cmd": "git status", **PATIENT}, None),
        (WRITE, "apply_patch", ADDED, None),
        (EDIT, "apply_patch", CHANGED, None),
        (CALL, "memory_store", {"key": "k", "tags": [CWD, 1]}, "mcp__dual_memory"),
    ],
)
def test_codex_is_asked_for_its_tools(
    action: str, name: str, given: Any, namespace: str | None, serve: Callable[[str], TestClient]
) -> None:
    talk = CodexLike(serve(_script(action)))
    assert talk.ask("[[script:act]]").calls == [(name, given)]
    assert talk.items[-1].get("namespace") == namespace
    assert talk.give("ok").text == "done"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (RUN, 'text((await tools.exec_command({"cmd": "git status", "yield_time_ms": 30000})).output)'),
        (WRITE, r'text(await tools.apply_patch("*** Begin Patch\n*** Add File: src/a.py\n+x = 1\n'),
        (EDIT, r'text(await tools.apply_patch("*** Begin Patch\n*** Update File: a.py\n@@\n-x = 1\n'),
        (CALL, 'text((await tools.mcp__dual_memory__memory_store({"key": "k", '),
    ],
)
def test_codex_in_code_mode_is_given_javascript(action: str, code: str, serve: Callable[[str], TestClient]) -> None:
    talk = CodexLike(serve(_script(action)), code_mode=True)
    [(name, given)] = talk.ask("[[script:act]]").calls
    assert (name, talk.items[-1]["namespace"]) == ("exec", "functions")
    assert given.startswith(code)
    assert talk.give("ok").text == "done"
