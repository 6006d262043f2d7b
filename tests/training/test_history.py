"""`train-router import-history`: proposals, review, resumption."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from router.choice.decision import Prediction
from router.choice.policy import SHIPPED, Policy
from router.model.registry import Registry
from router.schemas import MAX_TASK_BYTES
from training.errors import DataError
from training.proposals import (
    LEAST_SURE,
    PROPOSED_WEIGHT,
    REVIEWED_WEIGHT,
    Proposal,
    decided,
    load,
    prompts,
    propose,
    save,
    self_contained,
)
from training.rows import read
from training.transcripts import Session

from .conftest import Typed
from .test_transcripts import claude_file, codex_file, says, user_message

POLICY = Policy.open(SHIPPED)
TYPES = ("design", "debug", "review", "explain", "implement", "test", "document", "batch", "refactor", "feature")


def thinks(**types: float) -> Prediction:
    outside = types.pop("outside", 0.0)
    return Prediction({**dict.fromkeys(TYPES, 0.0), **types}, outside)


def session(*texts: str, **more: Any) -> Session:
    return Session(more.pop("platform", "claude-code"), Path("x"), prompts=list(texts), **more)


@pytest.fixture
def homes(tmp_path: Path) -> list[str]:
    """A history of both programs, and the words that name it."""
    claude, codex = tmp_path / "claude", tmp_path / "codex"
    claude_file(claude, "a.jsonl", says("why does the cart total jump when I reload the page?"), says("ok"))
    claude_file(claude, "b.jsonl", says("hmm"), says("use token=abcdef12345 to fetch the invoices"))
    codex_file(
        codex,
        ("session_meta", {"source": "exec"}),
        user_message("rename getUser to fetchUser in every file"),
    )
    return ["--claude", str(claude), "--codex", str(codex), "--out", str(tmp_path / "h.jsonl")]


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("yes do that for all of them", False), ("continue with the next three files", False),
        ("That's not what I meant at all", False), ("now the same for the tests please", False),
        ("fix it", False), ("convert the changelog to keep-a-changelog format", True),
        ("not sure why checkout fails on Safari, can you look?", True),
    ],
)  # fmt: skip
def test_later_prompts_that_lean_on_earlier_ones_are_told_apart(text: str, *, alone: bool) -> None:
    assert self_contained(text) is alone


def test_first_and_self_contained_prompts_are_taken_with_what_the_session_showed() -> None:
    long = session("hi", "write a parser for the invoice mails", "no", "ok", interrupted=True)
    huge = session("x" * (MAX_TASK_BYTES + 1), "/compact keep the plan of the parser", platform="codex", headless=True)
    assert list(prompts([long, huge])) == [
        ("hi", ("interrupted", "dialogue"), "history-claude-code"),
        ("write a parser for the invoice mails", ("interrupted", "dialogue"), "history-claude-code"),
    ]


def test_what_the_session_showed_moves_a_close_call_and_not_a_clear_one() -> None:
    close, clear = thinks(debug=0.5, implement=0.45, outside=0.02), thinks(debug=0.95, implement=0.05)
    found = [("close", ("headless",), "s"), ("clear", ("headless",), "s")]
    says_so = {"close": close, "clear": clear}
    made = {one.text: one for one in propose(found, says_so.__getitem__, POLICY, {}).values()}
    assert made["close"].task_type == "implement"
    assert made["clear"].task_type == "debug"
    assert made["clear"].confidence < 0.95
    plain = propose([("close", (), "s")], says_so.__getitem__, POLICY, {})
    assert next(iter(plain.values())).task_type == "debug"


def test_small_talk_is_proposed_as_no_task_and_without_a_model_nothing_is_proposed() -> None:
    (made,) = propose([("hi", (), "s")], lambda _: thinks(debug=1.0, outside=0.9), POLICY, {}).values()
    assert made.task_type == "none"
    assert propose([("hi", (), "s")], lambda _: None, POLICY, {}) == {}


def test_what_the_user_has_judged_is_never_proposed_again() -> None:
    first = propose([("Fix bug 1", (), "s")], lambda _: thinks(debug=1.0), POLICY, {})
    (key,) = first
    judged = {key: decided(first[key], "test")}
    again = propose([("fix bug 2!", (), "s")], lambda _: thinks(debug=1.0), POLICY, judged)
    assert again[key].state == "changed"
    assert again[key].task_type == "test"


def test_rows_weigh_by_who_vouches_for_them_and_unsure_ones_are_left_out(tmp_path: Path) -> None:
    sure, unsure = (Proposal(f"task {w}", "debug", c, "proposed", (), "s") for w, c in (("a", 0.9), ("b", 0.3)))
    path = tmp_path / "h.jsonl"
    save(path, [sure, unsure, decided(Proposal("c", "debug", 0.4, "proposed", (), "s"), "test"), decided(sure, None)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = read([path])
    assert [(row.text, row.task_type, row.weight) for row in rows] == [
        ("task a", "debug", PROPOSED_WEIGHT), ("c", "test", REVIEWED_WEIGHT),
    ]  # fmt: skip
    assert unsure.confidence < LEAST_SURE


def test_a_file_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "seed.jsonl"
    path.write_text('{"text": "x", "task_type": "debug"}\n')
    with pytest.raises(DataError, match="--out"):
        load(path)
    assert load(tmp_path / "none.jsonl") == {}


def test_a_history_becomes_rows_that_can_be_trained_on(typed: Typed, homes: list[str], tmp_path: Path) -> None:
    code, out, err = typed("import-history", *homes, "--no-review", "--json")
    assert code == 0, err
    body = json.loads(out)
    assert (body["prompts"], body["states"]) == (4, {"proposed": 4})
    text = (tmp_path / "h.jsonl").read_text()
    assert "abcdef12345" not in text
    assert "[secret]" in text
    assert {"ok"}.isdisjoint(row.text for row in read([tmp_path / "h.jsonl"]))
    code, out, _ = typed("import-history", *homes)  # standard input is no terminal here
    assert code == 0
    assert "--data seed --data" in out


def test_no_history_at_all_is_no_error(typed: Typed, tmp_path: Path) -> None:
    nothing = ["--claude", str(tmp_path / "c"), "--codex", str(tmp_path / "x"), "--out", str(tmp_path / "o.jsonl")]
    code, out, _ = typed("import-history", *nothing, "--no-review")
    assert (code, "no prompts found" in out) == (0, True)


def states(path: Path) -> dict[str, tuple[str, str]]:
    return {one.text: (one.state, one.task_type) for one in load(path).values()}


def test_the_review_takes_one_key_a_row_and_goes_on_where_it_stopped(
    models: Registry, homes: list[str], tmp_path: Path
) -> None:
    words = ["-m", "training.cli", "import-history", *homes, "--models-dir", str(models.root)]
    out = tmp_path / "h.jsonl"
    first = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=120, dimensions=(50, 200))
    first.expect("1 of 4")
    first.send("?")  # no key of ours: it goes on waiting
    first.send("a")
    first.expect("accepted")
    first.expect("2 of 4")
    first.send("3")  # review
    first.expect("(changed|accepted): review")
    first.expect("3 of 4")
    first.send("q")
    first.expect(pexpect.EOF)
    first.close()
    assert first.exitstatus == 0
    assert sorted(state for state, _ in states(out).values()).count("proposed") == 2

    second = pexpect.spawn(sys.executable, words, encoding="utf-8", timeout=120, dimensions=(50, 200))
    second.expect("1 of 2")
    second.send("s")
    second.expect("skipped")
    second.expect("2 of 2")
    second.send("\r")
    second.expect("next: train-router")
    second.expect(pexpect.EOF)
    second.close()
    found = states(out)
    assert "proposed" not in {state for state, _ in found.values()}
    assert len(read([out])) == 3
