"""What the service says about itself."""

import json
import logging
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from router.http.app import create_app
from router.http.workers import merged
from router.service import Router
from router.telemetry.drift import Drift
from router.telemetry.log import LogQueue, log_to

QUESTION = "why does the login test fail only in CI?"


def value(exposition: str, sample: str) -> float:
    """The value of one sample."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", exposition, re.MULTILINE)
    assert found, f"no {sample}"
    return float(found[1])


def test_requests_decisions_and_stages_are_counted(router: Router) -> None:
    with TestClient(create_app(router)) as http:
        for task in (QUESTION, QUESTION, "good morning! how are you today?"):
            http.post("/route", json={"task": task})
        http.post("/v1/route/batch", json={"tasks": [{"task": "write tests"}]})
        http.post("/route", json={"task": " "})
        http.get("/invented/path")
        said = http.get("/metrics").text
        drift = http.get("/model").json()["drift"]
    assert value(said, 'router_requests_total{path="/route",status="200"}') == 3
    assert value(said, 'router_requests_total{path="/route",status="422"}') == 1
    assert value(said, 'router_requests_total{path="/route/batch",status="200"}') == 1
    assert value(said, 'router_requests_total{path="other",status="404"}') == 1
    assert value(said, 'router_decisions_total{platform="claude-code",source="model"}') == 2
    assert value(said, 'router_stage_seconds_count{stage="encode"}') == 3
    assert value(said, "router_cached_total") == 1
    assert value(said, "router_abstentions_total") == 1
    assert value(said, "router_confirmations_total") == 1
    assert value(said, "router_confidence_count") == 4
    assert value(said, "router_batch_tasks_count") == 1
    assert value(said, f'router_model_info{{version="{router.model and router.model.version}"}}') == 1
    assert value(said, "router_drift_embedding_shift") > 0
    assert drift["observed"] == 4


def test_without_a_model_degraded_answers_are_counted(rules_router: Router) -> None:
    with TestClient(create_app(rules_router)) as http:
        http.post("/route", json={"task": QUESTION})
        said = http.get("/metrics").text
    assert value(said, "router_degraded_total") == 1
    assert value(said, "router_load_failures_total") == 1
    assert value(said, 'router_model_info{version="none"}') == 1
    assert "router_drift" not in said


def test_what_resembles_the_training_texts_is_no_drift_and_one_narrow_topic_is(router: Router) -> None:
    assert router.model is not None
    examples = router.model.examples.vectors.astype(np.float32) / np.float32(127)
    usual, narrow = Drift(router.model), Drift(router.model)
    for row in examples[:: max(1, len(examples) // 300)]:
        usual.observe(row, 0.9)
    for _ in range(300):
        narrow.observe(examples[0], 0.2)
    assert not usual.report().drifting
    assert usual.report().embedding_shift < 0.15
    assert narrow.report().drifting
    assert narrow.report().confidence_shift < -0.5
    assert Drift(router.model).report().observed == 0


def test_the_metrics_of_several_workers_are_told_apart_in_one_document() -> None:
    one = b'# HELP a A.\n# TYPE a counter\na 1.0\n# HELP b B.\n# TYPE b gauge\nb{x="y"} 2.0\n'
    assert merged({0: one, 1: one}).decode().splitlines() == [
        "# HELP a A.", "# TYPE a counter", 'a{worker="0"} 1.0', 'a{worker="1"} 1.0',
        "# HELP b B.", "# TYPE b gauge", 'b{x="y",worker="0"} 2.0', 'b{x="y",worker="1"} 2.0',
    ]  # fmt: skip


def test_the_log_is_one_json_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = StringIO()
    queued = log_to(stream, "info")
    try:
        logging.getLogger("router").info("routed", extra={"decision_id": "d1"})
        logging.getLogger("router").debug("unheard")
        queued.flush()
        (line,) = stream.getvalue().splitlines()
        assert json.loads(line)["event"] == "routed"
        assert json.loads(line)["decision_id"] == "d1"
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def test_a_log_nobody_reads_costs_entries_never_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.telemetry.log.LONGEST_QUEUE", 3)
    monkeypatch.setattr("router.telemetry.log.FLUSH_S", 0.01)
    queued = LogQueue()
    for number in range(5):
        queued.handle(logging.makeLogRecord({"msg": str(number)}))
    queued.flush()
    assert queued.dropped == 2


DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def test_every_metric_is_documented(router: Router) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    with TestClient(create_app(router)) as http:
        http.post("/route", json={"task": QUESTION})
        names = set(re.findall(r"^# TYPE (\S+)", http.get("/metrics").text, re.MULTILINE))
    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in document] == []


def test_every_log_line_and_setting_is_documented() -> None:
    from router.settings import Settings

    document = DOCUMENT.read_text(encoding="utf-8")
    source = "\n".join(path.read_text() for path in (DOCUMENT.parents[1] / "router").rglob("*.py"))
    events = set(re.findall(r"_log\.\w+\(\s*\"(\w+)\"", source))
    assert "routed" in events
    assert [event for event in sorted(events) if f"`{event}`" not in document] == []
    assert [name for name in Settings.model_fields if f"`ROUTER_{name.upper()}`" not in document] == []
