"""Claude's own transcript of a session tells what was said, how much was used, and what it cost."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.agents.claude import HeadlessClaude
from runner.sessions.transcript import Transcript, read_transcript

SESSION = "0b0e7b52-6a3f-4b39-9a67-2e6f37a5a001"


def answer(number: int, text: str, *, model: str = "opus", output: int = 7) -> dict[str, Any]:
    """A line of a transcript: one block of an answer, with the usage of all of it."""
    usage = {"input_tokens": 100, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 5}
    content = [{"type": "text", "text": text}]
    message = {"id": f"msg_{number}", "model": model, "content": content, "usage": {**usage, "output_tokens": output}}
    return {"type": "assistant", "message": message}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one session: two answers, the first in two blocks, and a subagent's."""
    folder = tmp_path / "projects/-work-here"
    lines = [
        {"type": "mode"}, {"type": "user", "message": {"content": "do it"}},
        answer(1, "I look."), answer(1, "I see."), {"type": "cost-state", "totalCostUSD": 0.25},
        answer(2, "Done."), answer(3, "API error", model="<synthetic>"), answer(4, " "), {"type": "assistant"},
        {"type": "cost-state", "totalCostUSD": 0.75, "hasUnknownModelCost": False},
    ]  # fmt: skip
    (folder / SESSION / "subagents").mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"type": "assi')
    (folder / SESSION / "subagents/agent-a1.jsonl").write_text(json.dumps(answer(9, "found", output=80)) + "\n")
    return tmp_path


def read(home: Path) -> Transcript:
    """The session of that home."""
    found = read_transcript(SESSION, {"CLAUDE_CONFIG_DIR": str(home)})
    assert found is not None
    return found


def test_every_answer_is_counted_once_those_of_subagents_too(home: Path) -> None:
    told = read(home)
    assert (told.tokens, told.turns) == (3 * 122 + 195, 3)
    assert told.cost_usd == 0.75
    assert told.message == "API error"


def test_without_every_price_there_is_no_cost(home: Path) -> None:
    path = read(home).path
    with path.open("a") as file:
        file.write("\n" + json.dumps({"type": "cost-state", "totalCostUSD": 1, "hasUnknownModelCost": True}) + "\n")
    assert read(home).cost_usd is None
    path.write_text(json.dumps(answer(1, "hi")) + "\n")
    assert (read(home).cost_usd, read(home).message) == (None, "hi")


@pytest.mark.parametrize("environ", [{"CLAUDE_CONFIG_DIR": "/nowhere"}, {"HOME": "/nowhere"}])
def test_where_there_is_no_transcript_nothing_is_told(environ: dict[str, str]) -> None:
    assert read_transcript(SESSION, environ) is None


def test_it_is_kept_as_output_and_events_beside_the_session(home: Path, tmp_path: Path) -> None:
    read(home).keep(tmp_path / "session")
    kept = (tmp_path / "session/output.jsonl").read_text().splitlines()
    said = [event for line in kept for event in HeadlessClaude(Path("claude"), {}).parse(line)]
    assert len(kept) == len(said) + 2
    events = [json.loads(line) for line in (tmp_path / "session/events.jsonl").read_text().splitlines()]
    assert [event["text"] for event in events if event["event"] == "message"][:3] == ["I look.", "I see.", "Done."]
