"""`train-router import-history`: the user's own prompts become rows to learn from. Nothing leaves the machine."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
from rich.console import Console

from router.model.artifact import Model
from router.settings import data_dir
from training.head import predictor_of
from training.proposals import Proposal, load, prompts, propose, save
from training.review import review
from training.rows import LABELS
from training.transcripts import claude_sessions, codex_sessions
from training.vectors import TextVectors, VectorStore

OUTPUT_FILE = "history.jsonl"


@dataclass(frozen=True)
class Sources:
    """Where the transcripts lie, and where the rows go."""

    claude: Path
    codex: Path
    out: Path | None


def import_history(sources: Sources, model: Model, *, reviewing: bool, at_most: int, as_json: bool) -> None:
    """Read both histories, propose labels, write the rows; where `reviewing`, the user judges the least sure.

    Raises:
        DataError: the output file holds something else.
    """
    console = Console(stderr=True)
    out = sources.out or data_dir() / OUTPUT_FILE
    old = load(out)
    sessions = list(chain(claude_sessions(sources.claude), codex_sessions(sources.codex)))
    vectors = TextVectors(model.encoder, VectorStore())
    found = list(dict.fromkeys(prompts(sessions)))
    vectors.encode_all([text for text, *_ in found])
    proposals = propose(found, predictor_of(model, vectors), model.policy, old)
    save(out, proposals.values())
    console.print(
        f"{len(sessions)} sessions, {len(proposals)} prompts, {len(old)} of them from before", highlight=False
    )
    if reviewing and sys.stdin.isatty():
        _review(proposals, out, at_most, console)
    elif reviewing:
        console.print("no terminal to review in; run it again in one, or use --no-review", highlight=False)
    _tell(proposals, out, as_json=as_json)


def _review(proposals: dict[str, Proposal], out: Path, at_most: int, console: Console) -> None:
    def keep(made: Proposal) -> None:
        proposals[made.key] = made
        save(out, proposals.values())

    queue = sorted((one for one in proposals.values() if one.state == "proposed"), key=lambda one: one.confidence)
    review(queue[:at_most], LABELS, console, click.getchar, keep)


def _tell(proposals: dict[str, Proposal], out: Path, *, as_json: bool) -> None:
    states = Counter(one.state for one in proposals.values())
    labels = Counter(one.task_type for one in proposals.values() if one.state != "skipped")
    if as_json:
        body = {"out": str(out), "prompts": len(proposals), "states": dict(states), "labels": dict(labels)}
        sys.stdout.write(json.dumps(body) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(", ".join(f"{state} {count}" for state, count in sorted(states.items())) or "no prompts found")
    console.print(", ".join(f"{label} {count}" for label, count in labels.most_common()))
    console.print(f"next: train-router --data seed --data {out}")
