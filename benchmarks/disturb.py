"""What is done to the model while the service answers."""

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import httpx2

from benchmarks.load import Client, body_of, prompts
from benchmarks.services import router_service
from router.model.artifact import CLASSIFIER_FILE, dump_classifier, load, read_manifest, write_manifest
from router.model.registry import CURRENT_FILE, Registry
from router.settings import CHECKOUT_MODELS

LONGEST_WAIT_S = 60.0


def swap_under_load(times: int) -> dict[str, object]:
    """Two versions take turns: no request fails, and every answer is wholly of the version it names."""
    seen: dict[tuple[str, str], set[float]] = {}
    failures: list[object] = []
    stop = threading.Event()
    tasks = list(islice(prompts(), 20))

    def ask(url: str) -> None:
        with closing(Client(url)) as client:
            while not stop.is_set():
                for task in tasks:
                    status, answer = client.post("/route", body_of(task))
                    if status != 200 or json.loads(answer)["source"] == "regex":
                        failures.append((status, answer))
                        continue
                    said = json.loads(answer)
                    seen.setdefault((said["model_version"], task), set()).add(said["task_types"]["debug"])

    with _two_versions() as registry, router_service(ROUTER_MODELS_DIR=str(registry.root)) as (url, _):
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(times):
            version = ("one", "two")[(number + 1) % 2]
            registry.promote(version)
            httpx2.post(f"{url}/model/reload", timeout=LONGEST_WAIT_S).raise_for_status()
            assert httpx2.get(f"{url}/model", timeout=LONGEST_WAIT_S).json()["version"] == version
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
    assert {version for version, _ in seen} == {"one", "two"}
    mixed = [key for key, values in seen.items() if len(values) > 1]
    assert not mixed, mixed
    differing = sum(seen.get(("one", task)) != seen.get(("two", task)) for task in tasks)
    assert differing > len(tasks) / 2, "the versions answer alike: a mix would go unseen"
    return {"swaps": times, "answers": len(seen)}


def damage_and_mend() -> dict[str, object]:
    """A file of the served version is damaged and mended: rules, `degraded`, counted, and the model again."""
    with _two_versions() as registry, router_service(ROUTER_MODELS_DIR=str(registry.root)) as (url, _):
        http = httpx2.Client(base_url=url, timeout=LONGEST_WAIT_S)
        file = registry.folder("one") / CLASSIFIER_FILE
        whole = file.read_bytes()
        assert http.get("/readyz").json()["status"] == "ready"
        file.write_bytes(whole[:1000])
        degraded_s = _until(http, "degraded")
        answer = http.post("/route", json={"task": "why does it fail?"}).json()
        assert (answer["source"], answer["platform"]) == ("regex", "claude-code")
        assert "router_load_failures_total 1.0" in http.get("/metrics").text
        assert 'router_model_info{version="none"} 1.0' in http.get("/metrics").text
        file.write_bytes(whole)
        mended_s = _until(http, "ready")
        assert http.post("/route", json={"task": "why does it fail?"}).json()["source"] == "model"
        http.close()
    return {"degraded_after_s": round(degraded_s, 1), "mended_after_s": round(mended_s, 1)}


def _until(http: httpx2.Client, status: str) -> float:
    began = time.monotonic()
    while http.get("/readyz").json()["status"] != status:
        assert time.monotonic() - began < LONGEST_WAIT_S, f"never {status}"
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def _two_versions() -> Iterator[Registry]:
    """The shipped model as version `one` (served), and one of another temperature as `two`."""
    served = Registry(CHECKOUT_MODELS).folder(Registry(CHECKOUT_MODELS).current() or "")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for version, warmer in (("one", 1.0), ("two", 3.0)):
            shutil.copytree(served, root / version)
            model = load(root / version)
            model.classifier.temperature *= warmer
            dump_classifier(root / version, model.classifier, model.examples)
            manifest = read_manifest(root / version).model_copy(update={"version": version})
            write_manifest(root / version, manifest)
        (root / CURRENT_FILE).write_text("one\n")
        yield Registry(root)
