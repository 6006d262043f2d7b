"""The sections of a report, each as HTML."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from router.labels import OUT_OF_SCOPE
from router.model.artifact import Manifest
from training import plots
from training.evaluate import Judged, calibration_error, counted, reliability
from training.findings import Findings
from training.tables import SCORES, shown
from training.taxonomy import platform_of

SHOWN_MISTAKES = 20
SHOWN_CHARACTERS = 280
MOST_LABELS = 20
"""A larger confusion matrix is cut down to the labels that are confused most."""
NO_PLOTS = "<p class=\"note\">Plots need matplotlib: <code>pip install 'dual-orchestrator[train]'</code>.</p>"


def comparison(findings: Findings, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """New model, served model and rules side by side; `tables` is name → scores."""
    rows = [
        [escape(title), *(shown(found.get(name)) for found in tables.values())]
        for name, title in SCORES.items()
        if any(name in found for found in tables.values())
    ]
    note = "" if findings.champion else "<p>There is no served model of these labels to compare it with.</p>"
    return _section("Compared on the same rows", note + table(["", *tables], rows, numbers=True))


def confusion(findings: Findings) -> str:
    """Which platform and which label was taken for which."""
    policy, taxonomy, judged = findings.question.policy, findings.question.taxonomy, findings.judged
    parts = []
    if findings.question.aim == "platform":
        pairs = [(str(one.platform), one.choice.platform) for one in judged if one.platform]
        parts.append(_figure("Platforms: right by chosen", _matrix(list(policy.platforms), pairs)))
    named = [(str(one.row.task_type), str(one.label)) for one in judged if one.row.task_type and one.label]
    labels = sorted(taxonomy.names, key=lambda name: (name == OUT_OF_SCOPE, platform_of(policy, name)))
    kept, note = most_confused(labels, named)
    inside = [(right, chosen) for right, chosen in named if right in kept and chosen in kept]
    shown_labels = {name: taxonomy.shown(name) for name in kept}
    pairs = [(shown_labels[right], shown_labels[chosen]) for right, chosen in inside]
    parts.append(
        _figure(f"Labels: right by chosen, the model alone{note}", _matrix(list(shown_labels.values()), pairs))
    )
    return _section("What is taken for what", f'<div class="pair">{"".join(parts)}</div>')


def calibration(findings: Findings) -> str:
    """Is it as sure as it is right, and how right is it where it is sure?"""
    confidence, right = _outcomes(findings.judged, findings)
    caption = (
        "Dots are bins of confidence, as large as their share of rows; grey: too few. On the dashed line it is honest."
    )
    drawing = plots.reliability(reliability(confidence, right), calibration_error(confidence, right))
    figures = [_figure(caption, drawing)]
    sides = {"new": findings.judged} | ({"served": findings.champion} if findings.champion else {})
    curves = {name: _coverage(*_outcomes(side, findings)) for name, side in sides.items()}
    figures.append(_figure("Accuracy on the most confident share of the rows.", plots.coverage(curves)))
    return _section("Does it know when it is right?", f'<div class="pair">{"".join(figures)}</div>')


def learning_curve(findings: Findings) -> str:
    """What more rows would bring."""
    caption = "Accuracy on the held-out rows; the encoder stays, only the classifier learns from fewer rows."
    return _section("Would more rows help?", _figure(caption, plots.learning(findings.curve)))


def mistakes(findings: Findings) -> str:
    """The wrong answers that the model was surest of."""
    aim, taxonomy = findings.question.aim, findings.question.taxonomy
    wrong = [one for one in counted(findings.judged, aim) if not one.outcome(aim)[0]]
    wrong.sort(key=lambda one: -one.outcome(aim)[1])
    rows = []
    for one in wrong[:SHOWN_MISTAKES]:
        right, chosen = (one.platform, one.choice.platform) if aim == "platform" else (one.row.task_type, one.label)
        other = " (defensible)" if aim == "platform" and chosen in one.defensible else ""
        label = taxonomy.shown(one.label) if one.label else "-"
        rows.append([
            escape(_cut(one.row.text)), escape(f"{right} · {taxonomy.shown(str(one.row.task_type))}"),
            escape(f"{chosen}{other} · {label}"), f"{one.outcome(aim)[1]:.0%}",
        ])  # fmt: skip
    lead = f"<p>{len(wrong)} of {len(counted(findings.judged, aim))} rows are wrong; the surest of them first.</p>"
    return _section("Worst mistakes", lead + table(["task", "right", "chosen", "sure"], rows))


def data_mix(findings: Findings) -> str:
    """What it learnt from."""
    question = findings.question
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for row in question.rows:
        name = question.taxonomy.shown(row.task_type) if row.task_type else f"platform {row.platform}"
        groups[name][row.source or "no source"] += 1
    parts = question.parts
    sizes = {
        "rows learnt from": len(parts.train), "rows that calibrate": len(parts.calibration),
        "rows that judge": len(parts.held_out), "evidence from the journal": len(question.evidence),
        "… corrections and overrides": sum(one.told for one in question.evidence),
        "… failures": sum(one.not_platform is not None for one in question.evidence),
    }  # fmt: skip
    body = table(["", "rows"], [[escape(name), f"{size:,}"] for name, size in sizes.items()])
    largest = dict(sorted(groups.items(), key=lambda pair: -pair[1].total())[:MOST_LABELS])
    note = "" if len(largest) == len(groups) else f"The {MOST_LABELS} largest of {len(groups)} labels."
    if plots.available():
        return _section("What it learnt from", body + _figure(note, plots.bars(largest)))
    rows = [[escape(name), f"{counts.total():,}"] for name, counts in largest.items()]
    return _section("What it learnt from", body + table(["label", "rows"], rows))


def off_policy(findings: Findings) -> str:
    """What the log says of candidate and champion."""
    found = findings.logged
    if found is None:
        return ""
    rows = [
        ["logged trials since the served model was made", f"{found.trials:,}"],
        ["effective sample size", f"{found.effective:.1f}"],
        ["share that goes right, new", shown(found.candidate)],
        ["share that goes right, served", shown(found.champion)],
        ["difference (95 %)", f"{found.difference:+.3f} ({found.interval[0]:+.3f} to {found.interval[1]:+.3f})"],
    ]
    lead = f"<p>{escape(str(found))}. Self-normalised inverse propensity scores; each trial is judged by a classifier "
    return _section("On what really happened", lead + "that has not learnt from it.</p>" + table(["", ""], rows))


def provenance(manifest: Manifest) -> str:
    """Where the version comes from."""
    facts = {
        "encoder": manifest.encoder, "seed": manifest.seed, "data digest": manifest.data_digest,
        "golden set's digest": manifest.golden_digest or "none", "parent": manifest.parent or "none",
        "libraries": ", ".join(f"{name} {version}" for name, version in manifest.libraries.items()),
    }  # fmt: skip
    rows = [[escape(name), f"<code>{escape(str(value))}</code>"] for name, value in facts.items()]
    return _section("Where it comes from", table(["", ""], rows))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """An HTML table; cells are HTML already. With `numbers` all columns but the first are set as such."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads) if any(heads) else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    kind = ' class="numbers"' if numbers else ""
    return f'<div class="card scroll"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def most_confused(labels: Sequence[str], pairs: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The labels that a matrix shows, those confused most often, and a note where others are left out.

    `pairs` are the right label and the chosen one.
    """
    if len(labels) <= MOST_LABELS:
        return list(labels), ""
    wrong = Counter(name for pair in pairs if pair[0] != pair[1] for name in pair)
    kept = sorted(labels, key=lambda name: -wrong[name])[:MOST_LABELS]
    return [name for name in labels if name in kept], f"; the {len(kept)} of {len(labels)} labels most often confused"


def _matrix(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> str:
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    for right, chosen in pairs:
        counts[place[right], place[chosen]] += 1
    return plots.confusion(names, counts)


def _outcomes(side: Sequence[Judged], findings: Findings) -> tuple[Any, Any]:
    outcomes = [one.outcome(findings.question.aim) for one in counted(side, findings.question.aim)]
    return np.array([sure for _, sure in outcomes]), np.array([right for right, _ in outcomes], dtype=bool)


def _coverage(confidence: Any, right: Any) -> tuple[Any, Any]:
    order = np.argsort(-confidence, kind="stable")
    seen = np.arange(1, len(order) + 1)
    accuracy = np.cumsum(right[order]) / seen
    kept = seen >= max(1, len(order) // 50)  # a handful of rows is noise
    return (seen / max(1, len(order)))[kept], accuracy[kept]


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _figure(caption: str, drawing: str) -> str:
    return f'<figure class="card">{drawing}<figcaption>{escape(caption)}</figcaption></figure>'


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
