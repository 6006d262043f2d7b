"""`report.html` and `MODEL_CARD.md` of a version: what it is, how good, and against what."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from router.model.artifact import Manifest
from training import card, plots, sections
from training.evaluate import scores
from training.findings import Findings
from training.tables import SCORES

REPORT_FILE, CARD_FILE = "report.html", "MODEL_CARD.md"
_PAGE = Path(__file__).with_name("report.html")
_TILES = {
    "platform": ("platform_accuracy", "type_accuracy", "accuracy_at_80_coverage", "ece", "out_of_scope_recall"),
    "type": ("in_scope_accuracy", "out_of_scope_recall", "accuracy_at_80_coverage", "ece"),
}


def write_report(folder: Path, manifest: Manifest, findings: Findings) -> None:
    """Write both files into a version's folder; without matplotlib the report has tables only, and says so."""
    compared = {"new": findings.scores()}
    if findings.champion:
        compared["served"] = scores(findings.champion, findings.question.aim)
    compared["seed's rules"] = scores(findings.rules, findings.question.aim)
    (folder / REPORT_FILE).write_text(_page(manifest, findings, compared), encoding="utf-8")
    (folder / CARD_FILE).write_text(card.text(manifest, findings, compared), encoding="utf-8")


def _page(manifest: Manifest, findings: Findings, compared: Mapping[str, Mapping[str, Any]]) -> str:
    verdict = findings.verdict
    drawn = [sections.confusion, sections.calibration, sections.learning_curve]
    parts = [
        sections.comparison(findings, compared),
        sections.off_policy(findings),
        *([draw(findings) for draw in drawn] if plots.available() else [sections.NO_PLOTS]),
        sections.mistakes(findings),
        sections.data_mix(findings),
        sections.provenance(manifest),
    ]
    subtitle = f"{manifest.created_at:%Y-%m-%d %H:%M} UTC · {manifest.rows:,} rows · encoder {manifest.encoder}"
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        version=escape(manifest.version),
        subtitle=escape(subtitle),
        mood="good" if verdict.promote else "bad",
        verdict="not worse: may be served" if verdict.promote else "not to be promoted by itself",
        reason=escape(verdict.reason),
        tiles="".join(_tile(name, compared) for name in _TILES[findings.question.aim] if name in compared["new"]),
        sections="\n".join(parts),
    )


def _tile(name: str, compared: Mapping[str, Mapping[str, Any]]) -> str:
    new, old = compared["new"][name], compared.get("served", {}).get(name)
    value = f"{new:.3f}" if name == "ece" else f"{new:.1%}"
    against = ""
    if old is not None:
        gain = (old - new) if name == "ece" else (new - old)
        mood = "soft" if abs(gain) < 5e-4 else "good" if gain > 0 else "bad"
        change = f"{new - old:+.3f}" if name == "ece" else f"{100 * (new - old):+.1f}"
        against = f'<span class="{mood}">{change}</span> <span class="soft">against served</span>'
    return f'<div class="tile"><span class="soft">{escape(SCORES[name])}</span><b>{value}</b>{against}</div>'
