"""A session that a person has with Claude Code as a phase of a workflow."""

import sys
import time
import uuid
from pathlib import Path

from runner.agents.choice import interactive_agent
from runner.agents.protocol import Session
from runner.errors import Left
from runner.merging.integration import cut
from runner.runs.interactive import brief_file, has_window, lend, told_in
from runner.runs.records import Closed, Entry
from runner.runs.state import State
from runner.tasks.plan import Planned
from runner.terminal import terminal
from runner.workflows.site import Site, numbered
from runner.workflows.state import RunState, Verdict
from runner.workflows.verdict import KEYS

LONGEST_ARGUMENT = 120_000
"""Bytes; Linux takes 128 KiB as one argument of a program."""
TOO_LONG = "Read {file} and do what it says."
SHOWN = 4_000
"""Characters of a message that is shown for confirmation."""


def sit(site: Site, state: RunState, name: str, prompt: str, cwd: Path) -> Closed:
    """Have Claude Code in `cwd`, in this terminal or a window of tmux; what it said last is the session's message.

    A window that was left is gone back to.

    Raises:
        Left: the terminal is gone; a window goes on.
    """
    run, agent, left = site.run, interactive_agent(site.settings), left_open(site, name)
    name = left.record.worker if left else numbered(name, len(site.tries(name)) + 1)
    planned, folder = Planned(name, prompt, state.decision, brief=state.brief), run.archive.session(run.id, name)
    file = folder / "prompt.txt"
    task = prompt if len(prompt.encode()) <= LONGEST_ARGUMENT else TOO_LONG.format(file=file)
    session = Session(str(uuid.uuid4()), task, cwd, file, env=site.env(name), tools=site.tools(),
                      brief=brief_file(planned, folder))  # fmt: skip
    command = agent.command(session)
    facts = {"session_id": session.id, "cwd": cwd}
    record = left.record if left else run.record(planned, agent.name, command.shell(), **facts)
    if left is None:
        run.archive.begin(record)
    begun = time.monotonic()
    with run.progress.hidden():
        code = lend(run, record, command, window=state.tmux or left is not None)
    if run.leave.is_set():  # the terminal is gone, and with it whoever could be asked
        raise Left(str(folder))
    stopped = run.stop.is_set()
    status = State.CANCELLED if stopped else State.FAILED if code else State.SUCCEEDED
    reason = "stopped by the user" if stopped else f"ended with code {code}" if code else "completed"
    return run.close(
        record, status, reason, exit_code=code, vendor_session=record.session_id,
        wall_s=round(time.monotonic() - begun, 3), **told_in(record.session_id, folder),
    )  # fmt: skip


def left_open(site: Site, name: str) -> Entry | None:
    """The last session of this name, where its window of tmux was left: open still, or ended with nobody there."""
    tries = site.tries(name)
    return tries[-1] if tries and has_window(tries[-1]) else None


def confirmed(site: Site, text: str) -> bool:
    """Show the person a design that nobody stored, and ask whether it is the one."""
    with site.run.progress.hidden():
        sys.stderr.write(f"\n{cut(text, SHOWN)}\n\n")
        keys = {"y": "yes", "n": "no"}
        return terminal.ask("Nothing was stored. Is this the design?", keys, site.run.stop) == "y"


def decided(site: Site) -> Verdict | None:
    """Ask the person for the verdict."""
    keys = {"a": "accept", "r": "rework", "x": "reject", "s": "later"}
    with site.run.progress.hidden():
        return KEYS.get(terminal.ask("What came of the review?", keys, site.run.stop) or "")
