"""The running server: real sockets, real ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from runner.provider.errors import PortUnusable
from runner.provider.script import parse_scripts
from runner.provider.server import Provider, running

ASK = {"stream": True, "tools": [{}], "messages": [{"role": "user", "content": "[[script:it]]"}]}


def test_it_answers_as_soon_as_it_is_started_and_no_longer_afterwards(tmp_path: Path) -> None:
    with running(None, tmp_path) as provider:
        assert provider.journal() == []
    with pytest.raises(ConnectionRefusedError):
        provider.journal()


def test_it_plays_a_script_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("it: {steps: [{say: From a file.}]}")
    with running(tmp_path / "mine.yaml", tmp_path / "home") as provider:
        assert "From a file." in httpx2.post(f"{provider.url}/v1/messages", json=ASK, trust_env=False).text
        assert "[[script:it]]" in str(provider.journal(bodies=True)[0]["body"])


def test_it_says_that_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = pytest.raises(PortUnusable, match=f"can't listen on port {port}: .*in use")
        with refused, running(None, tmp_path, port=port):
            pass


@pytest.mark.parametrize(("hang", "begun"), [("before", False), ("midway", True)])
def test_a_silence_lasts_until_the_provider_ends(hang: str, begun: bool, tmp_path: Path) -> None:
    scripts = parse_scripts(f"it: {{steps: [{{say: x, hang: {hang}}}]}}")
    received = list[str]()
    with running(scripts, tmp_path) as provider:
        with pytest.raises(httpx2.ReadTimeout):
            _receive(provider.url, received)
        assert [row["script"] for row in provider.journal()] == ["it"]
    assert ("message_start" in "".join(received)) is begun
    assert "message_stop" not in "".join(received)


def test_a_disconnect_cuts_the_answer(tmp_path: Path) -> None:
    with running(parse_scripts("it: {steps: [{say: x, disconnect: true}]}"), tmp_path) as provider:
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.post(f"{provider.url}/v1/messages", json=ASK, trust_env=False)
        assert provider.journal()[0]["ended_at"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serving_prints_what_a_shell_needs_and_ends_when_told_to(ending: int, tmp_path: Path) -> None:
    code = "import sys, pathlib; from runner.provider.server import serve; serve(0, pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "a home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout
        lines = [served.stdout.readline() for _ in range(10)]
        script = "".join(lines) + 'echo "$ANTHROPIC_BASE_URL"; ls "$CODEX_HOME"'
        shell = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
        url, *files = shell.stdout.splitlines()
        assert Provider(url, {}).journal() == []
        served.send_signal(ending)
        assert served.wait(10) == 0
    assert files == ["config.toml"]


def _receive(url: str, received: list[str]) -> None:
    """Ask, and append to `received` what comes of the answer."""
    asking = httpx2.stream("POST", f"{url}/v1/messages", json=ASK, trust_env=False, timeout=0.5)
    with asking as reply:
        received.extend(reply.iter_text())
