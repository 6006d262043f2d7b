"""What the runner costs beside a shell that starts the same sessions with `&` and `wait`, in the same run.

    python -m benchmarks.runner [--rounds 3] [--sessions 1,4,8] [--programs codex,claude,scripted]

The real programs talk to a scripted model that answers at once. The shell gets worktrees that are made already, which
ours makes, and neither commits nor merges what the sessions leave. No router service runs. What `runner execute` leaves
for later, the sending of outcomes by the worker, is waited for between the rounds, and counted in none.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.runner_place import RUNNER, Memory, Place, placed
from benchmarks.runner_table import Table
from runner.agents.choice import headless_agent
from runner.agents.protocol import Agent, Session
from runner.checkout.repository import Repository
from runner.checkout.worktree import git_folders
from runner.provider.script import parse_scripts
from runner.settings import Settings

SCRIPTS = parse_scripts("""
write:
  task: write (?P<name>\\w+)
  steps:
    - {say: I make it., write: {path: "{{name}}.txt", content: "{{name}}\\n"}}
    - run: git status --short
    - say: Made {{name}}.
""")
MOST_RATIO, MOST_FIXED_S, QUEUED = 1.25, 0.7, 1000
MOST_MB, MOST_SESSION_MB, MOST_STATUS_S, MOST_HELP_S = 60, 15, 0.3, 0.25


def by_shell(place: Place, agent: Agent, tasks: Sequence[str]) -> float:
    """Seconds that a shell takes."""
    lines = []
    for task in tasks:
        folder = Path(tempfile.mkdtemp(dir=place.repo.parent))
        path, branch = folder / uuid.uuid4().hex, f"shell/{uuid.uuid4().hex}"
        place.git("worktree", "add", "--quiet", "--no-track", "-b", branch, str(path), "HEAD")
        prompt = folder / "prompt.txt"
        prompt.write_text(task)
        folders = git_folders(Repository.around(place.repo), path, branch)
        command = agent.command(Session(str(uuid.uuid4()), task, path, prompt, folders))
        lines.append(f"({command.shell()} > {shlex.quote(str(folder / 'out'))} 2>&1) &")
    begun = time.perf_counter()
    env = {**agent.command(Session(str(uuid.uuid4()), "", place.repo, place.repo)).env, "PATH": place.env["PATH"]}
    subprocess.run(["sh", "-c", "\n".join([*lines, "wait"])], env=env, check=True)
    return time.perf_counter() - begun


def by_us(place: Place, program: str, tasks: Sequence[str], memory: Memory | None = None) -> float:
    """Seconds that `runner execute` takes."""
    args = ["execute", "--json", "--platform", "codex", "--workers", str(len(tasks)), *tasks]
    begun = time.perf_counter()
    with subprocess.Popen(
        [*RUNNER, *args], cwd=place.repo, env={**place.env, "RUNNER_HEADLESS": program},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as runner:  # fmt: skip
        if memory:
            watched = psutil.Process(runner.pid)
            while runner.poll() is None:
                memory.look(place, watched)
                threading.Event().wait(0.1)
        out = runner.communicate()[0]
    taken = time.perf_counter() - begun
    place.settle()
    states = [task["status"] for task in json.loads(out)["tasks"]]
    assert states == ["succeeded"] * len(tasks), states
    return taken


def compare(place: Place, program: str, counts: Sequence[int], rounds: int, table: Table) -> None:
    """N sessions of a program, by the shell and by us, in turn."""
    settings = Settings(headless=program, claude=_path("RUNNER_CLAUDE"), codex=_path("RUNNER_CODEX"))  # type: ignore[arg-type]
    os.environ.update(place.env)
    agent = headless_agent(settings, print)
    by_us(place, program, _tasks(1, program))  # the first of all makes the database and warms the disk's cache
    for count in counts:
        pairs = [
            (by_shell(place, agent, _tasks(count, program)), by_us(place, program, _tasks(count, program)))
            for _ in range(rounds)
        ]
        shell, ours = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
        limit = MOST_RATIO * shell + MOST_FIXED_S
        table.add(
            f"{count} × {program}", f"{ours:.2f} s", f"shell {shell:.2f} s: ours is {ours / shell:.2f} ×",
            f"≤ {MOST_RATIO} × + {MOST_FIXED_S} s = {limit:.2f} s", met=ours <= limit,
        )  # fmt: skip


def weigh(place: Place, program: str, count: int, table: Table) -> None:
    """What the runner's own processes take in memory beside the agents."""
    memory = Memory()
    by_us(place, program, _tasks(count, program), memory)
    limit = MOST_MB + count * MOST_SESSION_MB
    told = f"{memory.proportional:.0f} MB, shared pages shared out ({memory.resident:.0f} MB if each counts them all)"
    table.add(
        f"memory of runner, worker and supervisors, {count} × {program}", told, "", f"≤ {limit} MB",
        met=memory.proportional <= limit,
    )  # fmt: skip


def fixed(place: Place, table: Table) -> None:
    """A session that does nothing: with a worker that lives, and with one that has to be started."""
    taken = {}
    for name in ("a worker that lives", "no worker"):
        rounds = []
        for _ in range(3):
            if name == "no worker":
                place.end_worker()
            rounds.append(by_us(place, "scripted", _tasks(1, "scripted")))
        taken[name] = statistics.median(rounds)
    for name, seconds in taken.items():
        table.add(f"a session that does nothing, {name}", f"{seconds:.2f} s", "", f"≤ {MOST_FIXED_S} s",
                  met=seconds <= MOST_FIXED_S)  # fmt: skip


def queued(place: Place, table: Table) -> None:
    """How quick the list is with many tasks waiting."""
    tasks = place.repo.parent / "tasks.txt"
    tasks.write_text("".join(f'[{{"wait": {60 if number == 0 else 0.01}}}]\n' for number in range(QUEUED)))
    options = ("--platform", "codex", "--workers", "1", "--tasks-file", str(tasks))
    begun = time.perf_counter()
    done = place.run("execute", "--detach", "--json", *options, RUNNER_HEADLESS="scripted")
    submitted = time.perf_counter() - begun
    run_id = json.loads(done.stdout)["run_id"]
    seconds = statistics.median(_timed(place, "status") for _ in range(5))
    table.add(f"`runner status`, {QUEUED} tasks in the queue", f"{seconds:.2f} s", f"submitted in {submitted:.1f} s",
              f"≤ {MOST_STATUS_S} s", met=seconds <= MOST_STATUS_S)  # fmt: skip
    place.run("cancel", run_id)
    place.run("watch", run_id)


def _timed(place: Place, *args: str) -> float:
    begun = time.perf_counter()
    assert place.run(*args).returncode == 0
    return time.perf_counter() - begun


def _tasks(count: int, program: str) -> list[str]:
    if program == "scripted":
        return ['[{"say": "I do nothing."}]'] * count
    return [f"write {chr(ord('a') + number)}" for number in range(count)]


def _path(name: str) -> Path | None:
    return Path(os.environ[name]) if name in os.environ else None


def main() -> int:
    """Measure, and write the table into docs/sessions.md; 0 whatever it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", default="1,4,8")
    parser.add_argument("--programs", default="codex,claude,scripted")
    options = parser.parse_args()
    counts = [int(count) for count in options.sessions.split(",")]
    programs, table = options.programs.split(","), Table()
    with placed(SCRIPTS) as place:
        for program in programs:
            compare(place, program, counts, options.rounds, table)
        fixed(place, table)
        weigh(place, programs[0], max(counts), table)
        queued(place, table)
        seconds = statistics.median(_timed(place, "--help") for _ in range(5))
        table.add("`runner --help`", f"{seconds:.2f} s", "", f"≤ {MOST_HELP_S} s", met=seconds <= MOST_HELP_S)
    table.write(shlex.join(("python", "-m", "benchmarks.runner", *sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
