"""What stands in the programs' homes."""

import json
import tomllib
from pathlib import Path

from runner.provider.home import write_home

URL = "http://127.0.0.1:4020"


def test_codex_is_sent_to_the_provider_and_finds_its_key_in_a_variable_that_is_set(tmp_path: Path) -> None:
    env = write_home(tmp_path, URL)
    config = tomllib.loads((Path(env["CODEX_HOME"]) / "config.toml").read_text())
    provider = config["model_providers"][config["model_provider"]]
    assert provider["base_url"] == f"{URL}/v1"
    assert env[provider["env_key"]]


def test_claude_is_sent_to_the_provider_and_approves_its_key(tmp_path: Path) -> None:
    env = write_home(tmp_path, URL)
    state = json.loads((Path(env["CLAUDE_CONFIG_DIR"]) / ".claude.json").read_text())
    assert env["ANTHROPIC_BASE_URL"] == URL
    assert state["customApiKeyResponses"]["approved"] == [env["ANTHROPIC_API_KEY"][-20:]]


def test_both_programs_trust_the_given_repositories(tmp_path: Path) -> None:
    repo = tmp_path / 'a "quoted" shop'
    env = write_home(tmp_path / "home", URL, [repo])
    config = tomllib.loads((Path(env["CODEX_HOME"]) / "config.toml").read_text())
    state = json.loads((Path(env["CLAUDE_CONFIG_DIR"]) / ".claude.json").read_text())
    assert config["projects"][str(repo)]["trust_level"] == "trusted"
    assert state["projects"][str(repo)]["hasTrustDialogAccepted"] is True


def test_a_second_provider_keeps_what_claude_wrote_into_its_home(tmp_path: Path) -> None:
    path = Path(write_home(tmp_path, URL)["CLAUDE_CONFIG_DIR"]) / ".claude.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "numStartups": 3}))
    write_home(tmp_path, "http://127.0.0.1:4021")
    assert json.loads(path.read_text())["numStartups"] == 3
