"""The files in `deploy/`: they parse, and what they name exists."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient

from router.http.app import create_app
from router.service import Router
from router.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
METRIC = re.compile(r"\brouter_[a-z_]+")
SETTING = re.compile(r"\bROUTER_[A-Z_]+")


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_there_are(name: str, router: Router) -> None:
    with TestClient(create_app(router)) as http:
        http.post("/route", json={"task": "explain it"})
        known = set(METRIC.findall(http.get("/metrics").text))
    text = (DEPLOY / name).read_text(encoding="utf-8")
    asked = set(METRIC.findall(text))
    assert len(asked) > 5
    assert asked - known == set()


def test_the_dashboard_has_panels_and_every_alert_says_what_is_wrong() -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    assert all(panel["targets"] and panel["title"] for panel in dashboard["panels"])
    (group,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    documented = (DEPLOY.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    for rule in group["rules"]:
        assert rule["expr"]
        assert rule["annotations"]["summary"]
        assert rule["alert"] in documented or rule["alert"] in {"RouterDown", "RouterFailing"}


def test_containers_are_not_root_and_may_write_nowhere_but_to_their_data() -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["router"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 10001" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert (DEPLOY.parent / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "router.service"])
def test_only_settings_that_there_are_are_set(name: str) -> None:
    known = {f"ROUTER_{field.upper()}" for field in Settings.model_fields}
    assert set(SETTING.findall((DEPLOY / name).read_text(encoding="utf-8"))) - known <= {"ROUTER_"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "router.service"
    unit.write_text((DEPLOY / "router.service").read_text().replace("/opt/router/bin/router", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "router.service" in line] == []
