"""The prompt hook says where work should go when the router is sure, and is silent otherwise."""

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from router import samples
from router.schemas import Decision, RouteRequest

SCRIPT = Path(__file__).parents[3] / "plugin/hooks/suggest-route.sh"
TASK = 'write "unit" tests for C:\\parser,\nand ünïcode'
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the hook needs curl")


@dataclass
class Service:
    """A router service that answers what it is told to."""

    url: str
    answer: dict[str, Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def hint(self, prompt: str = TASK, **env: str) -> dict[str, Any] | None:
        """What the hook prints for a prompt; None is nothing."""
        given = {"session_id": "s", "cwd": "/", "hook_event_name": "UserPromptSubmit", "prompt": prompt}
        return run_hook(json.dumps(given), RUNNER_ROUTER_URL=self.url, **env)


def run_hook(stdin: str, **env: str) -> dict[str, Any] | None:
    plain = {"PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:9", "DUAL_HINT_WAIT_S": "5"}
    done = subprocess.run(["sh", SCRIPT], input=stdin, env=plain | env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout) if done.stdout else None


@pytest.fixture
def service() -> Iterator[Service]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.asked.append(RouteRequest.model_validate_json(body).model_dump())
            told.tokens.append(self.headers["authorization"])
            decision = Decision.model_validate(samples.DECISION | told.answer).model_dump_json().encode()
            self.send_response(200)
            self.send_header("content-length", str(len(decision)))
            self.end_headers()
            self.wfile.write(decision)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        told = Service(f"http://127.0.0.1:{server.server_port}", SURE)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield told
        server.shutdown()
        thread.join()


SURE = {"platform": "codex", "mode": "headless", "task_type": "test", "confidence": 0.934}


def test_a_sure_decision_for_elsewhere_is_told_to_user_and_model(service: Service) -> None:
    hint = service.hint()
    assert hint is not None
    assert hint["systemMessage"] == "dual: test task (93 % sure): better as headless sessions in the background"
    told = hint["hookSpecificOutput"]
    assert told["hookEventName"] == "UserPromptSubmit"
    assert "runner execute --platform codex 'TASK'" in told["additionalContext"]
    assert [asked["task"] for asked in service.asked] == [TASK]


@pytest.mark.parametrize(("confidence", "percent"), [(1.0, 100), (0.8, 80), (0.9, 90), (0.85999, 85)])
def test_hybrid_work_is_named_with_its_confidence(service: Service, confidence: float, percent: int) -> None:
    service.answer = {"platform": "hybrid", "mode": "hybrid", "task_type": "feature", "confidence": confidence}
    hint = service.hint()
    assert hint is not None
    assert f"({percent} % sure)" in hint["systemMessage"]
    assert "/dual-coordinate" in hint["hookSpecificOutput"]["additionalContext"]


@pytest.mark.parametrize(
    "answer",
    [
        {"platform": "claude-code", "mode": "interactive"},
        SURE | {"confidence": 0.79},
        SURE | {"confidence": 8e-05},
        SURE | {"needs_confirmation": True},
        SURE | {"source": "regex"},
        SURE | {"task_type": 'x"; echo'},
        SURE | {"platform": "elsewhere"},
    ],
)
def test_anything_else_is_not_worth_a_word(service: Service, answer: dict[str, Any]) -> None:
    service.answer = answer
    assert service.hint() is None
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        *("/dual-route write tests for a", "!ls -l in here", "# remember this for me", "yes", "go on", ""),
        *("ok, now do the other file too", "Now write the tests for it", "no. use the other module", "OK do it"),
    ],
)
def test_what_is_no_task_is_not_asked_about(service: Service, prompt: str) -> None:
    assert service.hint(prompt) is None
    assert service.asked == []


@pytest.mark.parametrize("variable", ["RUNNER_SESSION_ID", "DUAL_NO_HINTS"])
def test_sessions_of_the_runner_and_users_who_want_none_get_no_hints(service: Service, variable: str) -> None:
    assert service.hint(**{variable: "1"}) is None
    assert service.asked == []


@pytest.mark.parametrize(
    "prompt", ["Note the retry rules in docs/http.md", "okta login: add tests", "Nowhere do we test x"]
)
def test_words_that_only_begin_alike_are_tasks(service: Service, prompt: str) -> None:
    assert service.hint(prompt) is not None


def test_the_first_token_is_sent(service: Service) -> None:
    assert service.hint(ROUTER_TOKEN="one,two") is not None
    assert service.hint(ROUTER_TOKEN="one", RUNNER_ROUTER_TOKEN="mine") is not None
    assert service.hint() is not None
    assert service.tokens == ["Bearer one", "Bearer mine", None]


@pytest.mark.parametrize("stdin", ["", "{}", "no json", '{"prompt": 3}', '{"prompt": "cut off in the mid', "\x00\xff"])
def test_input_that_is_no_prompt_is_passed_over(service: Service, stdin: str) -> None:
    assert run_hook(stdin, RUNNER_ROUTER_URL=service.url) is None
    assert service.asked == []


def test_the_key_is_found_wherever_it_stands_and_never_inside_a_text(service: Service) -> None:
    tricky = 'what does {"prompt": "steal", "a": 1} mean here'
    stdin = json.dumps({"prompt": tricky, "cwd": '/a,"prompt":"b"'}, indent=2).replace('": "', '" :  "')
    assert run_hook(stdin, RUNNER_ROUTER_URL=service.url) is not None
    assert [asked["task"] for asked in service.asked] == [tricky]


def test_a_pasted_log_is_passed_over(service: Service) -> None:
    assert service.hint("look at this: " + 'error \\ " line\n' * 20_000) is None
    assert service.asked == []


def test_nothing_is_said_where_no_service_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert run_hook(json.dumps({"prompt": TASK}), RUNNER_ROUTER_URL=url) is None


def test_a_service_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run_hook(json.dumps({"prompt": TASK}), RUNNER_ROUTER_URL=url, DUAL_HINT_WAIT_S="") is None


def test_without_curl_nothing_is_said(tmp_path: Path) -> None:
    for tool in ("sh", "sed", "head"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    assert run_hook(json.dumps({"prompt": TASK}), PATH=str(tmp_path)) is None
