"""`router serve` as a process, called over a real socket."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from router.journal.journal import Journal

pytestmark = pytest.mark.acceptance
QUESTION = "why does the login test fail only in CI?"


@contextmanager
def serving(*options: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start `router serve`; yields its address and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "router.cli", "serve", "--port", "0", *options],
        env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"listens on (http://\S+)", line):
                yield found[1], process
                return
        pytest.fail("the service ended before it listened")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_it_answers_as_the_readme_s_curl_shows() -> None:
    with serving() as (url, _):
        answer = httpx2.post(f"{url}/route", json={"task": QUESTION}).json()
        assert (answer["platform"], answer["task_type"], answer["source"]) == ("claude-code", "debug", "model")
        assert answer["decision_id"]
        stored = httpx2.get(f"{url}/decisions").json()["decisions"]
        assert [one["decision"]["decision_id"] for one in stored] == [answer["decision_id"]]


def test_without_models_the_same_call_answers_from_the_rules(tmp_path: Path) -> None:
    with serving(ROUTER_MODELS_DIR=str(tmp_path)) as (url, _):
        assert httpx2.post(f"{url}/route", json={"task": QUESTION}).json()["source"] == "regex"
        assert httpx2.get(f"{url}/readyz").json()["status"] == "degraded"


def test_a_port_in_use_ends_with_a_sentence_and_code_7() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = subprocess.run(
            [sys.executable, "-m", "router.cli", "serve", "--port", str(taken.getsockname()[1])],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
    assert ended.returncode == 7
    assert "the port is in use; choose another with --port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sigterm_and_sigint_end_it_and_what_was_acknowledged_is_kept(tmp_path: Path) -> None:
    url_of_journal = f"sqlite:///{tmp_path / 'journal.db'}"
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with serving(ROUTER_DATABASE_URL=url_of_journal) as (url, process):
            decision = httpx2.post(f"{url}/route", json={"task": QUESTION}).json()["decision_id"]
            httpx2.post(f"{url}/feedback", json={"decision_id": decision, "verdict": "good"}).raise_for_status()
            process.send_signal(how)
            process.wait(timeout=10)
            assert process.returncode == (-how if how is signal.SIGKILL else 0)
    journal = Journal(url_of_journal)
    assert len([said for _, _, said in journal.history() if said]) == 3
    journal.close()


def test_the_log_is_json_and_holds_no_task_text(tmp_path: Path) -> None:
    with serving(ROUTER_MODELS_DIR=str(tmp_path)) as (url, process):
        httpx2.post(f"{url}/route", json={"task": "a very private question"})
        process.terminate()
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
    assert "private" not in "\n".join(lines)
    assert all(json.loads(line)["event"] for line in lines if line.startswith("{"))
