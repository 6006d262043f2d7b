"""`MODEL_CARD.md`: what the model is for, what it learnt from, how good it is, where it fails."""

from collections.abc import Mapping
from typing import Any

from router.model.artifact import Manifest
from training.findings import Findings
from training.tables import SCORES, shown

_PURPOSE = {
    "platform": (
        "It reads a developer's task and says who should take it: an interactive session, headless sessions, or a "
        "hybrid workflow."
    ),
    "type": "It reads a text and names its label, or says that it has none.",
}
_LIMITS = (
    "- It learnt from English prompts about software; of other languages and subjects it knows nothing.\n"
    "- It sees 128 tokens: the beginning and the end of a longer text.\n"
    "- It does not know the repository, nor what was said before.\n"
    "- Its confidence is calibrated on rows like those it learnt from; on others it may be too sure.\n"
)

MOST_SOURCES = 20
"""More of them are counted, not named."""


def _some(names: list[str]) -> str:
    more = len(names) - MOST_SOURCES
    return ", ".join(names[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")


def text(manifest: Manifest, findings: Findings, compared: Mapping[str, Mapping[str, Any]]) -> str:
    """The card, as Markdown; `compared` is name → scores."""
    question, parts = findings.question, findings.question.parts
    labels = ", ".join(f"`{question.taxonomy.shown(name)}`" for name in manifest.labels)
    sources = _some(sorted({row.source or "no source" for row in question.rows}))
    command = f"train-router eval --data FILE --json  # version {manifest.version}"
    return "\n".join([
        f"# Model {manifest.version}\n",
        f"{_PURPOSE[question.aim]}\n",
        f"- Encoder: {manifest.encoder}; int8 ONNX, one text at a time.",
        "- Classifier: multinomial logistic regression on the encoder's vectors, one temperature for calibration.",
        f"- Labels: {labels}",
        f"- Parent: {manifest.parent or 'none'}; seed {manifest.seed}\n",
        "## What it learnt from\n",
        (f"{len(parts.train):,} rows to learn, {len(parts.calibration):,} to calibrate, and "
         f"{len(question.evidence):,} pieces of evidence from the journal. Sources: {sources}."),
        f"Digest of the rows: `{manifest.data_digest}`.\n",
        "## How good it is\n",
        (f"On {len(parts.held_out):,} rows that it has not seen, with abstention and rules as users meet it. "
         f"Gate: {findings.verdict.reason}. Again on rows of your own: `{command}`.\n"),
        _table(compared),
        "## Where it fails\n",
        _LIMITS,
        "`report.html` beside this file has the confusion matrix, calibration, and the worst mistakes.\n",
    ])  # fmt: skip


def _table(compared: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"| | {' | '.join(compared)} |", f"| --- |{' ---: |' * len(compared)}"]
    for name, title in SCORES.items():
        if any(name in found for found in compared.values()):
            cells = " | ".join(shown(found.get(name)) for found in compared.values())
            lines.append(f"| {title} | {cells} |")
    return "\n".join(lines) + "\n"
