"""What a run came to, on stdout: a table and the next steps for people, one object for programs."""

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from runner.execute import Report
from runner.preview import Preview
from runner.records import Closed, Entry, State
from runner.worktree import Diff

NARROWEST = 160
"""Width of tables that go to a file or a pipe, in characters."""


def report_json(report: Report) -> dict[str, Any]:
    """The whole report as plain data."""
    run = report.run
    return {
        "run_id": run.id,
        "repository": str(run.repository.root),
        "base": run.base,
        "exit_code": report.exit_code,
        "checkout_untouched": report.untouched,
        "outcomes_unsent": report.unsent,
        "tasks": [entry_json(entry) for entry in report.entries],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """A task as plain data: how it started, what came of it, and the next steps."""
    ending = entry.ending.model_dump(mode="json") if entry.ending else {}
    facts = {**entry.record.model_dump(mode="json"), **ending, "status": entry.state}
    platform = entry.record.decision.platform
    return {**facts, "platform": platform, "folder": str(entry.folder), "next": next_steps(entry)}


def preview_json(previews: Sequence[Preview]) -> dict[str, Any]:
    """What would be started, as plain data."""
    tasks = [
        {
            "worker": shown.planned.worker,
            "task": shown.planned.task,
            "platform": shown.planned.decision.platform,
            "decision": shown.planned.decision.model_dump(mode="json"),
            "program": shown.program,
            "command": shown.command,
            "branch": shown.branch,
        }
        for shown in previews
    ]
    return {"dry_run": True, "tasks": tasks}


def next_steps(entry: Entry) -> list[str]:
    """The commands that make sense now, the first one first."""
    record, ending = entry.record, entry.ending
    if entry.state is State.WAITING:
        return [record.command]
    succeeded = entry.state is State.SUCCEEDED
    steps = [] if succeeded else [f"runner logs {record.run_id} {record.worker}"]
    if record.branch and ending and ending.diff and ending.diff.files:
        branch = shlex.quote(record.branch)
        steps.append(f"git diff {shlex.quote(str(record.base_name))}...{branch}")
        steps += [f"git merge {branch}"] if succeeded else []
    if succeeded and ending and ending.accepted is None:
        steps.append(f"runner feedback {record.decision.decision_id} --good")
    return steps


def print_json(value: dict[str, Any]) -> None:
    """Print one object for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_report(report: Report) -> None:
    """Print the table of a run and what to do next."""
    console().print(_table(report.entries))
    for entry in report.entries:
        if entry.state is not State.SUCCEEDED:
            _say(f"{entry.record.worker}: {entry.state}: {entry.reason}")
        for step in next_steps(entry):
            _say(f"  {entry.record.worker}: {step}")
    if not report.untouched:
        _say("Your checkout changed while the run was under way: look at `git status`.")
    if report.unsent:
        _say(f"Outcomes that the router does not have yet: {report.unsent}. The next run sends them.")


def print_previews(previews: Sequence[Preview]) -> None:
    """Print decisions and commands, one below the other."""
    for shown in previews:
        decision = shown.planned.decision
        sure = " (would ask first)" if decision.needs_confirmation else ""
        lines = (
            f"{shown.planned.worker}: {decision.platform}, {decision.confidence:.0%} by {decision.source}{sure}",
            f"  why: {decision.reason}",
            *([f"  branch: {shown.branch}"] if shown.branch else []),
            f"  {shown.command}",
        )
        _say("\n".join(lines))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def console() -> Console:
    """Stdout, wide enough for a table also where it is no terminal."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=NARROWEST)


def _table(entries: Sequence[Closed]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for title in ("worker", "status", "program", "change", "tokens", "cost", "time", "branch"):
        table.add_column(title, overflow="fold")
    for entry in entries:
        record, ending = entry.record, entry.ending
        table.add_row(
            record.worker,
            entry.state,
            record.program,
            _change(ending.diff),
            _told(ending.tokens, "{:,}"),
            _told(ending.cost_usd, "${:.4f}"),
            _told(ending.wall_s, "{:.1f} s"),
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
