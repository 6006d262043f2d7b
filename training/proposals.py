"""Proposed labels for the user's own prompts: the current model's word, and what the session showed."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from router.choice.decision import Prediction
from router.choice.policy import Policy
from router.journal.scrub import scrub
from router.labels import OUT_OF_SCOPE, Platform
from router.schemas import MAX_TASK_BYTES
from training.errors import DataError
from training.evaluate import Predict
from training.rows import normalised
from training.taxonomy import platform_of
from training.transcripts import Session

State = Literal["proposed", "accepted", "changed", "skipped"]
FEWEST_WORDS = 5
"""A later prompt of fewer words leans on what was said before."""
LONG_DIALOGUE = 4
"""So many human prompts show that somebody sat with it."""
REVIEWED_WEIGHT = 3.0
PROPOSED_WEIGHT = 0.25
"""A row that nobody looked at repeats the model's own opinion: it must not teach it much."""
LEAST_SURE = 0.5
"""Below it a row that nobody looked at is left out of training."""
_LEANS = re.compile(
    r"(?i)\W*(yes|yep|yeah|no|nope|ok|okay|sure|thanks|thank|great|good|nice|perfect|cool|hm+|wait|stop|continue|go on"
    r"|go ahead|try again|again|still|now|and|also|but|so|then|it|it's|its|that|that's|this|these|those|they|them|same"
    r"|do it|why did you|you|undo|revert|instead|hello|hi)\b"
)
_SHOWN: Mapping[str, Mapping[str, float]] = {
    "headless": {Platform.CODEX: 2.0, Platform.CLAUDE_CODE: 0.6},
    "interrupted": {Platform.CLAUDE_CODE: 1.5, Platform.CODEX: 0.7},
    "dialogue": {Platform.CLAUDE_CODE: 1.5, Platform.CODEX: 0.7},
}
"""How much likelier each sign makes a platform. Mild: what somebody did is not what would have been best."""


@dataclass(frozen=True)
class Proposal:
    """A prompt and its label; a line of the output file."""

    text: str
    task_type: str
    confidence: float
    """How sure the proposal is, 0 to 1; 1 once the user has seen it."""
    state: State
    signs: tuple[str, ...]
    """What the session showed: `headless`, `interrupted`, `dialogue`."""
    source: str
    """`history-claude-code` or `history-codex`."""

    @property
    def key(self) -> str:
        """The same for near copies."""
        return hashlib.sha256(normalised(self.text).encode()).hexdigest()[:16]

    def line(self) -> str:
        """One JSON line, such as `train-router --data` takes."""
        row = {**asdict(self), "confidence": round(self.confidence, 4)}
        if self.state == "skipped" or (self.state == "proposed" and self.confidence < LEAST_SURE):
            row["skip"] = True
        row["weight"] = PROPOSED_WEIGHT if self.state == "proposed" else REVIEWED_WEIGHT
        return json.dumps(row, ensure_ascii=False)


def prompts(sessions: Iterable[Session]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """First and self-contained prompts, secrets scrubbed: text, signs, source."""
    for session in sessions:
        signs = tuple(
            name
            for name, seen in (
                ("headless", session.headless),
                ("interrupted", session.interrupted),
                ("dialogue", len(session.prompts) >= LONG_DIALOGUE),
            )
            if seen
        )
        for index, text in enumerate(session.prompts):
            fits = len(text.encode()) <= MAX_TASK_BYTES and not text.lstrip().startswith("/")
            if fits and (index == 0 or self_contained(text)):
                yield scrub(text.strip()), signs, f"history-{session.platform}"


def self_contained(text: str) -> bool:
    """True where a later prompt can be understood without what came before."""
    return len(text.split()) >= FEWEST_WORDS and not _LEANS.match(text)


def propose(
    found: Iterable[tuple[str, tuple[str, ...], str]], predict: Predict, policy: Policy, old: Mapping[str, Proposal]
) -> dict[str, Proposal]:
    """A proposal for every prompt, by key; what the user has already judged in `old` stays as it is."""
    result = dict(old)
    for text, signs, source in found:
        prediction = predict(text)
        if prediction is None:
            continue
        label, confidence = _label(prediction, signs, policy)
        made = Proposal(text, label, confidence, "proposed", signs, source)
        if result.get(made.key, made).state == "proposed":
            result[made.key] = made
    return result


def decided(proposal: Proposal, label: str | None) -> Proposal:
    """The proposal with the user's word; None means that it is no good as an example."""
    if label is None:
        return replace(proposal, state="skipped")
    state: State = "accepted" if label == proposal.task_type else "changed"
    return replace(proposal, task_type=label, state=state, confidence=1.0)


def load(path: Path) -> dict[str, Proposal]:
    """The proposals of an earlier run; none where there is no file.

    Raises:
        DataError: the file is not one of proposals.
    """
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            item = json.loads(line)
            proposal = Proposal(
                item["text"], item["task_type"], item["confidence"], item["state"], tuple(item["signs"]), item["source"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(path, number, "is no row of `import-history`; name another file with --out") from error
        found[proposal.key] = proposal
    return found


def save(path: Path, proposals: Iterable[Proposal]) -> None:
    """Write all proposals, readable by the user alone; killed at any moment, the old or the new file is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(proposal.line() + "\n" for proposal in proposals)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _label(prediction: Prediction, signs: Iterable[str], policy: Policy) -> tuple[str, float]:
    inside = 1 - prediction.out_of_scope
    weights = {name: inside * p for name, p in prediction.task_types.items()}
    for sign in signs:
        for name in weights:
            weights[name] *= _SHOWN[sign].get(platform_of(policy, name), 1.0)
    weights[OUT_OF_SCOPE] = prediction.out_of_scope
    best = max(weights, key=lambda name: weights[name])
    return best, weights[best] / sum(weights.values())
