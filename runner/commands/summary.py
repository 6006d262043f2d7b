"""What a run came to, on stdout: a table and the next steps for people, one object for programs."""

import json
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runner.checkout.worktree import Diff
from runner.commands.run_views import ANSWER
from runner.errors import some
from runner.merging.integrated import Integrated
from runner.orders.report import Report
from runner.runs.records import Entry
from runner.runs.state import STOPPED, UNDER_WAY, State
from runner.runs.tries import latest_tries

if TYPE_CHECKING:  # takes 0.05 s, and programs read no tables
    from rich.console import Console
    from rich.table import Table

NARROWEST = 160
"""Width of tables that go to a file or a pipe, in characters."""


def report_json(report: Report) -> dict[str, Any]:
    """The whole report as plain data."""
    return {
        "run_id": report.run_id,
        "repository": str(report.repository),
        "base": report.base,
        "exit_code": report.exit_code,
        "detached": report.detached,
        "problem": report.problem or None,
        "checkout_untouched": report.untouched,
        "outcomes_unsent": report.unsent,
        "integration": report.integrated.model_dump(mode="json") if report.integrated else None,
        "next": run_steps(report),
        "tasks": [entry_json(entry) for entry in report.entries],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """A task as plain data: how it started, what came of it, and the next steps."""
    ending = entry.ending.model_dump(mode="json") if entry.ending else {}
    facts = {**entry.record.model_dump(mode="json"), **ending, "status": entry.state}
    platform = entry.record.decision.platform
    return {**facts, "platform": platform, "folder": str(entry.folder), "next": next_steps(entry)}


def next_steps(entry: Entry) -> list[str]:
    """The commands that make sense now for a task, the first one first."""
    record, ending = entry.record, entry.ending
    if entry.state is State.WAITING:
        return [record.command]
    if entry.state in UNDER_WAY:
        return [f"runner logs -f {record.run_id} {record.worker}"]
    if entry.state is State.NEEDS_INPUT and record.submitted:
        return [ANSWER.format(run_id=record.run_id, worker=record.worker)]
    succeeded = entry.state is State.SUCCEEDED
    steps = [] if succeeded else [f"runner logs {record.run_id} {record.worker}"]
    if record.branch and ending and ending.diff and ending.diff.files:
        branch = shlex.quote(record.branch)
        steps.append(f"git diff {shlex.quote(str(record.base_name))}...{branch}")
        steps += [f"git merge {branch}"] if succeeded else []
    if succeeded and ending and ending.accepted is None:
        steps.append(f"runner feedback {record.decision.decision_id} --good")
    return steps


def run_steps(report: Report) -> list[str]:
    """The commands that make sense now for a run, the first one first."""
    run_id, states = report.run_id, {entry.state for entry in latest_tries(report.entries)}
    changed = [one for one in report.entries if one.record.branch and one.ending and one.ending.commit]
    if states & UNDER_WAY:
        return [f"runner watch {run_id}", f"runner cancel {run_id}"]
    steps = [f"runner attach {run_id}"] if State.WAITING in states else []
    asking = [one for one in latest_tries(report.entries) if one.state is State.NEEDS_INPUT]
    steps += [step for one in asking for step in next_steps(one)[:1]]
    if report.problem or states & STOPPED:
        steps.append(f"runner resume {run_id}")
    if states - {State.SUCCEEDED, State.WAITING}:
        steps.append(f"runner retry {run_id}")
    return steps + ([f"runner accept {run_id}", f"runner reject {run_id}"] if changed and not steps else [])


def print_json(value: dict[str, Any]) -> None:
    """Print one object for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_report(report: Report) -> None:
    """Print the table of a run and what to do next."""
    console().print(_table(report.entries))
    merged = {part.worker for part in report.integrated.merged} if report.integrated else set()
    for entry in report.entries:
        # What is merged is looked at, and taken, as a whole.
        if entry.record.worker not in merged or entry.state is not State.SUCCEEDED:
            _say_steps(entry)
    if report.integrated:
        _say(_merged(report.integrated))
    if report.problem:
        _say(f"The worker gave the run up: {report.problem}")
    if not report.untouched:
        _say("Your checkout changed while the run was under way: look at `git status`.")
    if report.unsent:
        _say(f"Outcomes that the router does not have yet: {report.unsent}. The next run sends them.")
    for step in run_steps(report)[:1]:
        _say(f"next: {step}")


def _say_steps(entry: Entry) -> None:
    if entry.state is not State.SUCCEEDED and entry.reason:
        _say(f"{entry.record.worker}: {entry.state}: {entry.reason}")
    for step in next_steps(entry):
        _say(f"  {entry.record.worker}: {step}")


def _merged(integrated: Integrated) -> str:
    lines = [f"Merged on {integrated.branch}: {', '.join(part.worker for part in integrated.merged) or 'nothing'}"]
    lines += [f"  git diff {integrated.base[:10]}...{shlex.quote(integrated.branch)}"] if integrated.merged else []
    lines += [f"  in conflict: {one.worker} ({some(one.files) or one.sides})" for one in integrated.conflicts]
    lines += [f"  left out: {one.worker} ({one.reason})" for one in integrated.left_out]
    lines += [f"  {'passed' if check.passed else 'FAILED'}: {check.command}" for check in integrated.checks]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def console() -> "Console":
    """Stdout, wide enough for a table also where it is no terminal."""
    from rich.console import Console

    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=NARROWEST)


def _table(entries: Sequence[Entry]) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for title in ("worker", "status", "program", "change", "tokens", "cost", "time", "branch"):
        table.add_column(title, overflow="fold")
    for entry in entries:
        record, ending = entry.record, entry.ending
        table.add_row(
            record.worker,
            entry.state,
            record.program,
            _change(ending.diff if ending else None),
            _told(ending.tokens if ending else None, "{:,}"),
            _told(ending.cost_usd if ending else None, "${:.4f}"),
            _told(ending.wall_s if ending else None, "{:.1f} s"),
            record.branch or "",
        )
    return table


def _change(diff: Diff | None) -> str:
    if diff is None:
        return ""
    files = "1 file" if diff.files == 1 else f"{diff.files} files"
    return f"{files} +{diff.added} -{diff.removed}" if diff.files else "no changes"


def _told(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
