"""`make demo`: the whole chain with the real programs, no account and no network.

A scripted model provider plays the model's part; everything else is real: the router service, `codex`, `claude`,
git worktrees, the journal, the retraining. All of it happens in `.demo/`, a scratch folder of its own.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.rule import Rule

from runner.provider.server import running

ROOT = Path(__file__).parent
SCRATCH = ROOT / ".demo"
BIN = Path(sys.executable).parent
ROUTED = (
    "why does the login test fail only in CI?",
    "write tests for the policy file reader",
    "how should we structure the event bus?",
    "convert all .js files in web/ to .ts",
    "build a notifications system with email and push",
)
BY_CODEX = ("write tests for router/labels.py", "document the router client")
BY_CLAUDE = "add a --version flag to the runner command"
INTERACTIVE = "explain how the journal keeps outcomes"
CORRECTED = "convert all .js files in web/ to .ts"
console = Console(highlight=False)


def main() -> None:
    """Play the demo from top to bottom; what it starts ends with it."""
    started = time.monotonic()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir()
    with ExitStack() as stack:
        environment, url = prepare(stack)
        route_by_http(url)
        run_tasks(environment)
        learn(environment, url)
    finish(environment, time.monotonic() - started)


def prepare(stack: ExitStack) -> tuple[dict[str, str], str]:
    """A scratch clone, a copy of the models, the provider, the router service."""
    step("A scratch clone of this repository, a scripted model provider, the router service")
    work = SCRATCH / "work"
    call("git", "clone", "--quiet", str(ROOT), str(work), quiet=True)
    shutil.copytree(ROOT / "models", SCRATCH / "models")
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "XDG_DATA_HOME": str(SCRATCH / "data"),
        "ROUTER_MODELS_DIR": str(SCRATCH / "models"),
    }
    provider = stack.enter_context(running(None, SCRATCH / "home", repos=[work]))
    environment |= provider.env
    url = stack.enter_context(router_service(environment))
    environment["RUNNER_ROUTER_URL"] = url
    console.print(f"router service at {url}, everything else in {SCRATCH.relative_to(ROOT)}/")
    return environment, url


def route_by_http(url: str) -> None:
    """Several tasks through `POST /route`."""
    step("Five tasks through POST /route")
    for task in ROUTED:
        show_route(url, task)


def run_tasks(environment: dict[str, str]) -> None:
    """Two tasks by codex at once, one by claude, an interactive one as a dry run."""
    step("Two headless tasks, really carried out in parallel by codex")
    call("runner", "execute", "--platform", "codex", "--yes", *BY_CODEX, environment=environment)
    step("One by claude -p (codex taken away: the fallback says so)")
    call("runner", "execute", "--platform", "codex", "--yes", BY_CLAUDE,
         environment={**environment, "RUNNER_CODEX": "none"})  # fmt: skip
    step("An interactive one, shown only")
    call("runner", "execute", "--dry-run", INTERACTIVE, environment=environment)
    step("Your checkout is untouched; the work lies on branches")
    call("git", "status", "--short", "--branch", environment=environment)
    call("git", "log", "--oneline", "--branches=dual/*", "--not", "HEAD", environment=environment)


def learn(environment: dict[str, str], url: str) -> None:
    """A correction, a retraining, and the corrected task again."""
    step("A correction, and what the router makes of it")
    decision = show_route(url, CORRECTED)
    call("runner", "feedback", decision["decision_id"], "--should-be", "hybrid", environment=environment)
    call("train-router", environment=environment)
    show_route(url, CORRECTED)


def finish(environment: dict[str, str], took_s: float) -> None:
    """What was made, and what to do next."""
    step("What was made")
    call("train-router", "list", environment=environment)
    outcomes = f"sqlite:///{SCRATCH / 'data' / 'dual-orchestrator' / 'router.db'}"
    console.print(f"decisions and outcomes: {outcomes}", soft_wrap=True)
    console.print(f"worktrees and branches: git -C {SCRATCH.relative_to(ROOT)}/work branch", soft_wrap=True)
    console.print(f"\nDone in {took_s:.0f} s. With your own account, in a repository of yours:")
    for command in (
        ".venv/bin/runner doctor",
        '.venv/bin/runner execute --dry-run "write tests for the parser"',
        '.venv/bin/runner execute "write tests for the parser" "document the API"',
    ):
        console.print(f"  [bold]{command}[/]")


def step(title: str) -> None:
    """Say what comes next."""
    console.print()
    console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))


def show_route(url: str, task: str) -> dict[str, Any]:
    """Route a task over HTTP and print the answer in a line."""
    answer: dict[str, Any] = httpx2.post(f"{url}/route", json={"task": task}, timeout=10).raise_for_status().json()
    colour = {"claude-code": "magenta", "codex": "cyan", "hybrid": "yellow"}[answer["platform"]]
    console.print(f"[{colour}]{answer['platform']:<12}[/]{answer['confidence']:>4.0%}  {answer['source']:<6}  ", end="")
    console.print(f"{task}  [dim]{answer['latency_ms']:.1f} ms[/]", soft_wrap=True)
    return answer


def call(*words: str, environment: dict[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command in the scratch clone, shown as one would type it; ends the demo where it fails."""
    if not quiet:
        console.print(f"[green]$[/] {shlex.join(words)}", soft_wrap=True)
    ended = subprocess.run(words, env=environment, cwd=SCRATCH / "work" if environment else ROOT, check=False)
    if ended.returncode:
        sys.exit(f"demo: {words[0]} ended with {ended.returncode}; what it left is in {SCRATCH}")


@contextmanager
def router_service(environment: dict[str, str]) -> Iterator[str]:
    """`router serve` on a free port; yields its address."""
    serve = ["router", "serve", "--port", "0"]
    with subprocess.Popen(serve, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None  # noqa: S101  (asked for above)
        try:
            for line in process.stderr:
                if found := re.search(r"listens on (http://\S+)", line):
                    # What it logs from here on is a few lines; the pipe holds them.
                    yield found[1]
                    return
            sys.exit("demo: the router service did not start; try `make serve`")
        finally:
            process.terminate()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
