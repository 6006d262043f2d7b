"""Programs are found where they are, and asked whether they have a login."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.agents.choice import check_headless_login, headless_agent, interactive_agent
from runner.agents.programs import Program, check_login, find_program
from runner.errors import NotLoggedIn, ProgramMissing
from runner.settings import Settings

MISSING = Path("/no/such/program")
Stub = Callable[[str, str], Path]


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    """Makes a program out of a line of shell."""

    def make(name: str, line: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return path

    return make


def test_a_program_set_by_hand_comes_first(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    by_path, chosen = stub("claude", "echo 1.0"), stub("mine", "echo 2.0 >&2")
    monkeypatch.setenv("PATH", f"{by_path.parent}:/usr/bin:/bin")
    assert find_program("claude", Settings()).path == by_path
    program = find_program("claude", Settings(claude=chosen))
    assert (program.path, program.version()) == (chosen, "2.0")


def test_without_one_on_the_path_the_bundled_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("codex_cli_bin")
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program("codex", Settings()).path.parts[-3:] == ("codex_cli_bin", "bin", "codex")


def test_a_program_that_is_nowhere_is_refused_with_the_remedy() -> None:
    with pytest.raises(ProgramMissing, match="claude is no program at /no/such/program; correct RUNNER_CLAUDE"):
        find_program("claude", Settings(claude=MISSING))


def test_a_program_nobody_installed_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("runner.agents.programs._BUNDLED", {"codex": ("no_such_package", "codex")})
    with pytest.raises(ProgramMissing, match=r"codex is not installed; .*pip install"):
        find_program("codex", Settings())


@pytest.mark.parametrize(
    ("name", "line", "logged_in"),
    [
        ("claude", "echo '{\n \"loggedIn\": false\n}'; exit 1", False),
        ("claude", "echo '{\"loggedIn\": true}'", True),
        ("claude", "echo 'unknown command auth' >&2; exit 1", True),
        ("codex", "echo 'Not logged in' >&2; exit 1", False),
        ("codex", "echo 'Logged in using ChatGPT' >&2", True),
    ],
)
def test_a_login_is_missing_only_where_the_program_says_so(
    stub: Stub, name: str, line: str, *, logged_in: bool
) -> None:
    program = Program(name, stub(name, line))
    if logged_in:
        check_login(program, {"HOME": "/nowhere"})
        return
    with pytest.raises(NotLoggedIn, match=f"{name} is not logged in; log in with `{name}"):
        check_login(program, {"HOME": "/nowhere"})


@pytest.mark.parametrize(
    ("env", "config"),
    [({"OPENAI_API_KEY": "k"}, ""), ({"CODEX_API_KEY": "k"}, ""), ({}, 'model_provider = "mine"')],
)
def test_a_key_or_a_provider_of_ones_own_is_a_login_for_codex(
    stub: Stub, tmp_path: Path, env: dict[str, str], config: str
) -> None:
    (tmp_path / "config.toml").write_text(config)
    program = Program("codex", stub("codex", "echo 'Not logged in' >&2; exit 1"))
    check_login(program, {**env, "CODEX_HOME": str(tmp_path)})


def test_headless_tasks_go_to_codex_or_to_the_program_asked_for(stub: Stub) -> None:
    settings = Settings(claude=stub("claude", ""), codex=stub("codex", ""))
    notes: list[str] = []
    assert headless_agent(settings, notes.append).name == "codex"
    assert headless_agent(settings.model_copy(update={"headless": "claude"}), notes.append).name == "claude"
    assert headless_agent(settings.model_copy(update={"headless": "scripted"}), notes.append).name == "scripted"
    assert interactive_agent(settings).name == "claude"
    assert notes == []


def test_without_codex_headless_tasks_go_to_claude_and_the_user_is_told(stub: Stub) -> None:
    settings, notes = Settings(claude=stub("claude", ""), codex=MISSING), list[str]()
    assert headless_agent(settings, notes.append).name == "claude"
    assert notes == [
        f"codex is no program at {MISSING}; correct RUNNER_CODEX or unset it; headless tasks go to `claude -p` instead"
    ]


def test_whoever_insists_on_codex_gets_no_other() -> None:
    with pytest.raises(ProgramMissing, match="codex"):
        headless_agent(Settings(codex=MISSING, headless="codex"), print)


def test_the_login_of_the_chosen_program_is_checked(stub: Stub) -> None:
    settings = Settings(claude=stub("claude", "echo '{\"loggedIn\": false}'"), headless="claude")
    with pytest.raises(NotLoggedIn):
        check_headless_login(headless_agent(settings, print), settings)
