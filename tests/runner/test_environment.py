"""Agents see what they need of the environment, and no other program's keys."""

import pytest

from runner.environment import headless_environment, terminal_environment

NAMES = (
    *("HOME", "PATH", "LC_ALL", "XDG_DATA_HOME", "HTTPS_PROXY", "https_proxy", "GOPATH", "AWS_REGION", "DISPLAY"),
    *("ANTHROPIC_API_KEY", "CLAUDE_CONFIG_DIR", "DISABLE_TELEMETRY", "OPENAI_API_KEY", "CODEX_HOME"),
    *("GITHUB_TOKEN", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT", "CODEX_SANDBOX", "CLAUDECODE"),
)
EVERYTHING = dict.fromkeys(NAMES, "1")
COMMON = {"HOME", "PATH", "LC_ALL", "XDG_DATA_HOME", "HTTPS_PROXY", "https_proxy"}


@pytest.mark.parametrize(
    ("program", "own"),
    [
        ("claude", {"ANTHROPIC_API_KEY", "CLAUDE_CONFIG_DIR", "DISABLE_TELEMETRY"}),
        ("codex", {"OPENAI_API_KEY", "CODEX_HOME"}),
        ("scripted", set[str]()),
    ],
)
def test_a_headless_session_sees_an_allow_list_and_its_own_keys(program: str, own: set[str]) -> None:
    assert set(headless_environment(program, EVERYTHING)) == COMMON | own


def test_further_variables_are_named_by_a_setting() -> None:
    further = set(headless_environment("scripted", EVERYTHING, "GOPATH, AWS_*,CODEX_SANDBOX"))
    assert further == COMMON | {"GOPATH", "AWS_REGION"}


def test_an_interactive_session_sees_all_but_the_keys_of_the_other() -> None:
    seen = set(terminal_environment("claude", EVERYTHING))
    assert {"DISPLAY", "GITHUB_TOKEN", "ANTHROPIC_API_KEY"} <= seen
    assert not seen & {"OPENAI_API_KEY", "CODEX_HOME", "CLAUDE_CODE_SESSION_ID"}
