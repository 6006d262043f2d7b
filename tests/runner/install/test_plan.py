"""Plans that meet a world that went on meanwhile."""

import json
import os
from pathlib import Path

import pytest

from runner.errors import StorageUnavailable
from runner.install import layout
from runner.install.change import Change
from runner.install.configuration import Configuration
from runner.install.errors import ChangedMeanwhile, ConfigurationUnusable, NotAgreed, PluginMissing
from runner.install.piece import File, Pieces, Setting
from runner.install.plan import plan_install, plan_uninstall
from runner.install.record import Record, read_record

NAME = Setting(place=("servers", "ours"), value={"command": "runner"})


def pieces(folder: Path, *names: str, setting: Setting | None = None) -> Pieces:
    files = [File(folder / name, f"{name}\n".encode()) for name in names]
    return Pieces("claude", "user", folder, files, {folder / "a.json": [setting]} if setting else {})


def test_a_newer_version_replaces_ours_and_removes_what_it_no_longer_has(tmp_path: Path) -> None:
    home, record = tmp_path / "home", tmp_path / "record.json"
    plan_install(pieces(home, "a.md", "b/old.md", setting=NAME), Record()).carry_out(record)
    newer = Setting(place=NAME.place, value={"command": "runner2"})
    changed = Pieces("claude", "user", home, [File(home / "a.md", b"newer\n")], {home / "a.json": [newer]})
    plan_install(changed, read_record(record)).carry_out(record)
    assert (home / "a.md").read_bytes() == b"newer\n"
    assert not (home / "b/old.md").exists()
    assert json.loads((home / "a.json").read_text())["servers"]["ours"] == {"command": "runner2"}
    plan_install(pieces(home, "a.md"), read_record(record)).carry_out(record)
    assert not (home / "a.json").exists()
    plan_uninstall(read_record(record)).carry_out(record)
    assert (home.exists(), record.exists()) == (False, False)


def test_a_file_that_changes_between_showing_and_writing_stops_the_rest(tmp_path: Path) -> None:
    plan = plan_install(pieces(tmp_path / "home", "a.md", "b.md"), Record())
    (tmp_path / "home").mkdir()
    (tmp_path / "home/a.md").write_text("just now\n")
    with pytest.raises(ChangedMeanwhile, match=r"a\.md has changed since it was read"):
        plan.carry_out(tmp_path / "record.json")
    assert (tmp_path / "home/a.md").read_text() == "just now\n"
    assert not (tmp_path / "home/b.md").exists()


def test_an_installation_that_broke_off_can_be_taken_away(tmp_path: Path) -> None:
    home, record = tmp_path / "home", tmp_path / "record.json"
    plan = plan_install(pieces(home, "a.md", "b.md", setting=NAME), Record())
    (home / "b.md").mkdir(parents=True)
    with pytest.raises(StorageUnavailable):
        plan.carry_out(record)
    (home / "b.md").rmdir()
    plan_uninstall(read_record(record)).carry_out(record)
    assert not home.exists() or list(home.iterdir()) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(StorageUnavailable, match="/proc/nowhere"):
        Change(Path("/proc/nowhere/a.md"), None, b"x").carry_out()


def test_a_file_that_cannot_be_replaced_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageUnavailable, match="No space left"):
        Change(tmp_path / "a.md", None, b"x").carry_out()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, '{\n  "servers": {\n    "ours": {\n      "command": "runner"\n    }\n  }\n}\n'),
        ("{}", '{\n  "servers": {\n    "ours": {\n      "command": "runner"\n    }\n  }\n}'),
        ('{"a": 1}\n', '{"a": 1, "servers": {"ours": {"command": "runner"}}}\n'),
        ('{\n "a": 1\n}', '{\n "a": 1,\n "servers": {\n  "ours": {\n   "command": "runner"\n  }\n }\n}'),
    ],
)
def test_json_keeps_its_form(text: str | None, expected: str) -> None:
    configuration = Configuration(Path("a.json"), text)
    configuration.add(NAME)
    assert configuration.text() == expected


@pytest.mark.parametrize(
    "text",
    [
        '[servers.mine]\ncommand="x"\n[tui]\nb=2 # keep\n[servers.other]\ncommand = "y"\n',
        'servers = {mine = {command="x"}}\n',
        'servers.mine.command = "x"\n[tui]\na=1',
        'model="x"\r\n[tui]\r\na=1\r\n',
    ],
)
def test_toml_written_in_any_way_can_be_added_to_and_taken_from(text: str) -> None:
    path = Path("a.toml")
    configuration, kept = Configuration(path, text), Configuration(path, text)
    configuration.add(NAME)
    added = Configuration(path, configuration.text())
    assert added.holds(NAME)
    added.remove(NAME, kept)
    assert Configuration(path, added.text()).plain == kept.plain


def test_a_form_that_cannot_hold_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = Configuration(Path("a.toml"), "a = 1\n")
    configuration.add(NAME)
    configuration.plain["more"] = 1
    with pytest.raises(ConfigurationUnusable, match="can't be edited safely; nothing was changed"):
        configuration.text()


def test_the_plugin_is_found_packed_or_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (layout.plugin_folder() / "commands").is_dir()
    monkeypatch.setattr(layout, "_PACKED", tmp_path)
    with pytest.raises(PluginMissing, match="install dual-orchestrator again"):
        layout.plugin_folder()


def test_without_variables_the_homes_are_the_usual_ones(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    claude = layout.pieces("claude", "user", None, environ)
    assert set(claude.settings) == {tmp_path / ".claude/settings.json", tmp_path / ".claude.json"}
    codex = layout.pieces("codex", "user", None, environ)
    assert set(codex.settings) == {tmp_path / ".codex/config.toml"}
    assert {file.path.parent.parent for file in codex.files} == {tmp_path / ".codex/skills"}


def test_errors_survive_being_sent_to_another_process() -> None:
    import pickle

    errors = [ConfigurationUnusable("a", "b"), ChangedMeanwhile("a"), NotAgreed(), PluginMissing("a")]
    assert [str(pickle.loads(pickle.dumps(error))) for error in errors] == [str(error) for error in errors]  # noqa: S301
