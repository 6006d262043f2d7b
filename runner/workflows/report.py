"""What a workflow came to, and the results that its workers stored, on stdout."""

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any, Literal

from runner.memory.entry import Entry
from runner.memory.render import entry_json, value_text
from runner.memory.store import Memory
from runner.merging.integration import NAME
from runner.workflows.graph import manner
from runner.workflows.model import Workflow
from runner.workflows.start import exit_code
from runner.workflows.state import RunState, Stand

Format = Literal["summary", "detailed", "json"]
COMPLETE = "✨ Dual workflow complete"
PAGE = 500
SHOWN = 100
"""Characters of a value in a summary."""


def collected(memory: Memory, namespace: str, containing: str = "") -> list[Entry]:
    """All entries of a namespace whose key contains a text, by key."""
    found: list[Entry] = []
    while True:
        page = memory.page(namespace, limit=PAGE, offset=len(found))
        found += page.entries
        if len(found) >= page.total or not page.entries:
            return sorted((one for one in found if containing in one.key), key=lambda one: (one.key, one.run))


def print_collected(entries: list[Entry], namespace: str, form: Format) -> None:
    """Print results in one of three forms."""
    if form == "json":
        _json({"namespace": namespace, "count": len(entries), "results": [entry_json(one) for one in entries]})
        return
    _say(f"{namespace}: {len(entries)} results")
    for entry in entries:
        if form == "summary":
            line = " ".join(_gist(entry.value).split())
            _say(f"  {entry.key}: {line if len(line) <= SHOWN else f'{line[: SHOWN - 1]}…'}")
        else:
            author = f" by {entry.author}" if entry.author else ""
            _say(f"\n== {entry.key}, version {entry.version}{author}, run {entry.run or '-'}\n{_whole(entry.value)}")


def state_json(state: RunState, entries: list[Entry]) -> dict[str, Any]:
    """A run as plain data."""
    return {
        **state.model_dump(mode="json", exclude={"workflow", "decision"}), "workflow": state.workflow.name,
        "decision_id": state.decision.decision_id, "branch": branch(state), "exit_code": exit_code(state),
        "results": [entry_json(one) for one in entries],
    }  # fmt: skip


def print_state(state: RunState, entries: list[Entry]) -> None:
    """Print what a run came to, what to do next, and the results."""
    for phase in state.workflow.phases:
        told = state.of(phase)
        _say(f"{phase.name}: {told.stand}{f', {told.reason}' if told.reason else ''}")
        for job in told.jobs:
            many = f"{job.diff.files} file{'' if job.diff.files == 1 else 's'}" if job.diff else ""
            changed = f", {many} +{job.diff.added} -{job.diff.removed}" if job.diff else ""
            _say(f"  {job.worker}: {job.state or 'not run'}{changed}, {job.branch or 'no branch'}")
    for conflict in state.conflicts:
        _say(f"conflict: {conflict.branch} is not merged; {', '.join(conflict.files)} changed on both sides")
    for step in next_steps(state):
        _say(f"  {step}")
    if state.stand is Stand.DONE:
        _say(COMPLETE)
        print_collected(entries, "results", "summary")


def next_steps(state: RunState) -> list[str]:
    """The commands that make sense now."""
    if state.stand in {Stand.FAILED, Stand.WAITING, Stand.CANCELLED}:
        return [f"runner resume {state.run_id}"]
    if state.tip is None or state.tip == state.base:
        return []
    name = shlex.quote(branch(state))
    return [f"git diff {shlex.quote(state.base_name)}...{name}", f"runner accept {state.run_id}"]


def branch(state: RunState) -> str:
    """Where all merged work lies."""
    return f"dual/{state.run_id}/{NAME}"


def print_json(state: RunState, entries: list[Entry]) -> None:
    """Print a run for programs."""
    _json(state_json(state, entries))


def print_states(states: Sequence[tuple[RunState, list[Entry]]]) -> None:
    """Print several runs for programs."""
    _json({"runs": [state_json(state, entries) for state, entries in states]})


def print_workflow(workflow: Workflow, tasks: Sequence[str], *, json: bool) -> None:
    """Print what a workflow would do with tasks."""
    if json:
        _json({"dry_run": True, "tasks": list(tasks), "workflow": workflow.model_dump(mode="json")})
        return
    for task in tasks:
        _say(f"{workflow.name}: {task}")
    for phase in workflow.phases:
        _say(f"  {phase.name}: {phase.kind}, {manner(phase)}")


def _gist(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        return f"{value.get('status')}: {value['message']}"
    return value_text(value)


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
