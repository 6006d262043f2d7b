"""One example of everything on the wire, shown in the OpenAPI document and checked by the tests."""

from typing import Any

Json = dict[str, Any]

ROUTE: Json = {"task": "why does the login test fail only in CI?", "context": {"repo": "shop", "branch": "main"}}
BATCH_REQUEST: Json = {"tasks": [ROUTE, {"task": "write unit tests for parser.py", "platform": "codex"}]}
DECISION: Json = {
    "decision_id": "6f1c2a9be0d14c57",
    "platform": "claude-code",
    "mode": "interactive",
    "workflow": None,
    "task_type": "debug",
    "confidence": 0.97,
    "probabilities": {"claude-code": 0.97, "codex": 0.02, "hybrid": 0.01},
    "task_types": {"debug": 0.95, "explain": 0.02, "test": 0.02, "feature": 0.01},
    "source": "model",
    "reason": "debug (95%) → claude-code (97%): interactive analysis",
    "needs_confirmation": False,
    "similar": [{"text": "the suite fails only on CI, why?", "task_type": "debug", "similarity": 0.91}],
    "model_version": "20261124-055740-8f7a0eeb",
    "latency_ms": 2.2,
    "propensity": 1.0,
}
OUTCOME: Json = {
    "decision_id": DECISION["decision_id"],
    "run_id": "run-7",
    "platform": "claude-code",
    "status": "succeeded",
    "accepted": True,
    "wall_s": 312.4,
    "turns": 9,
    "tokens": 48210,
    "cost_usd": 0.41,
    "diff_lines": 37,
    "tests_passed": True,
    "retries": 0,
    "terminal_reason": "completed",
}
FEEDBACK: Json = {"decision_id": DECISION["decision_id"], "platform": "hybrid", "task_type": "refactor"}
ACKNOWLEDGED: Json = {"stored": True}
BATCH: Json = {"decisions": [DECISION]}
STORED: Json = {
    "decision": DECISION,
    "task": ROUTE["task"],
    "created_at": "2026-11-24T06:00:00Z",
    "context": ROUTE["context"],
}
DECISIONS: Json = {"decisions": [STORED], "next": None}
HEALTH: Json = {"status": "ok", "service": "router"}
READINESS: Json = {"status": "ready", "model_version": DECISION["model_version"], "problem": None}
DRIFT: Json = {
    "observed": 412,
    "embedding_shift": 0.21,
    "expected_shift": 0.05,
    "confidence_shift": -0.03,
    "drifting": False,
}
SERVED: Json = {
    "version": DECISION["model_version"],
    "problem": None,
    "manifest": {"version": DECISION["model_version"], "rows": 5200, "labels": ["debug", "test"]},
    "policy": {"default": "claude-code", "confidence_floor": 0.34},
    "counts": {"decisions": 412, "degraded": 0, "journal_written": 412, "journal_lost": 0},
    "drift": DRIFT,
}
