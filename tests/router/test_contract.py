"""The published contract: every endpoint has examples, and holds under whatever schemathesis sends."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from schemathesis.openapi import from_asgi
from starlette.testclient import TestClient

from router import health, samples, schemas
from router.http.app import create_app
from router.journal import stored
from router.journal.journal import Journal
from router.model.registry import Registry
from router.schemas import Message
from router.service import Router

EXAMPLES_PER_OPERATION = 15


@pytest.fixture
def contract(rules_router: Router) -> dict[str, Any]:
    document: dict[str, Any] = create_app(rules_router).openapi()
    return document


def test_the_documented_paths_carry_a_version_and_the_bare_ones_stay(
    contract: dict[str, Any], rules_router: Router
) -> None:
    versioned = {path.removeprefix("/v1") for path in contract["paths"] if path.startswith("/v1/")}
    assert versioned == {
        "/route", "/route/batch", "/outcomes", "/feedback", "/decisions", "/model", "/model/reload",
    }  # fmt: skip
    with TestClient(create_app(rules_router)) as http:
        one, other = (http.post(path, json={"task": "explain it"}).json() for path in ("/route", "/v1/route"))
        assert one["platform"] == other["platform"]


def test_every_endpoint_and_error_has_an_example(contract: dict[str, Any]) -> None:
    def shown(media: dict[str, Any]) -> bool:
        name = media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        return "example" in media or bool(contract["components"]["schemas"].get(name, media["schema"]).get("examples"))

    missing = [
        (path, method, what)
        for path, operations in contract["paths"].items()
        for method, operation in operations.items()
        for what, part in [*operation["responses"].items(), ("body", operation.get("requestBody", {}))]
        for media in part.get("content", {}).values()
        if not shown(media)
    ]
    assert missing == []


def test_every_example_is_valid() -> None:
    kinds = {
        kind
        for module in (schemas, stored, health)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Message)
    } - {Message}
    shown = [(kind, example) for kind in kinds for example in (kind.model_json_schema().get("examples") or [])]
    assert len(shown) >= 12
    for kind, example in shown:
        kind.model_validate(example)
    assert samples.DECISION["platform"] == "claude-code"


OPERATIONS = [
    "POST /v1/route", "POST /v1/route/batch", "POST /v1/outcomes", "POST /v1/feedback", "GET /v1/decisions",
    "GET /v1/model", "POST /v1/model/reload", "GET /healthz", "GET /readyz", "GET /metrics",
]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("contract")
    router = Router(Registry(folder / "no-models"), Journal(f"sqlite:///{folder / 'j.db'}"))
    yield from_asgi("/openapi.json", create_app(router))
    router.close()


def test_every_operation_is_known_here(service: Any) -> None:
    assert {found.ok().label for found in service.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_app_keeps_its_contract_whatever_is_sent(service: Any, operation: str) -> None:
    method, path = operation.split()
    sent: Any = service[path][method].as_strategy()

    @settings(max_examples=EXAMPLES_PER_OPERATION, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=sent)
    def holds(case: Any) -> None:
        case.call_and_validate()

    holds()
