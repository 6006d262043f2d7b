"""A simulated user: what they type, where they want it, and what they say of the router's choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from router.choice.policy import Policy
from router.labels import Platform, Status
from router.schemas import Decision, Feedback, Outcome
from router.service import Router
from training.rows import Row
from training.taxonomy import platform_of

PROJECTS = {"payments": Platform.CLAUDE_CODE, "storybook": Platform.CODEX, "gateway": Platform.HYBRID}
SHARES = {"payments": 0.2, "storybook": 0.2, "gateway": 0.1, "": 0.5}
FORMS = ("{project}: {text}", "in {project}: {text}", "{text} ({project})")
"""How they name the project."""
SPIKES = 0.3
"""Share of the things to build, outside the three projects, that they call a spike."""


@dataclass(frozen=True)
class Wish:
    """A task and where this user wants it."""

    text: str
    platform: str
    habit: str
    """The habit it shows; empty where they do as the seed says."""


def wishes(rows: Sequence[Row], policy: Policy, random: np.random.Generator) -> list[Wish]:
    """The rows as this user would type them, and where they want them."""
    found = []
    for index in random.permutation(len(rows)):
        row = rows[index]
        project = str(random.choice(list(SHARES), p=list(SHARES.values())))
        spike = not project and row.task_type in {"implement", "feature"} and random.random() < SPIKES
        if project:
            form = str(random.choice(FORMS))
            found.append(Wish(form.format(project=project, text=row.text), PROJECTS[project], project))
        elif spike:
            found.append(Wish(f"spike: {row.text}", Platform.CLAUDE_CODE, "spike"))
        else:
            found.append(Wish(row.text, platform_of(policy, str(row.task_type)), ""))
    return found


def many(rows: Sequence[Row], count: int, policy: Policy, random: np.random.Generator) -> list[Wish]:
    """So many different wishes; where the rows are fewer, each comes up again as another project's."""
    found: dict[str, Wish] = {}
    while len(found) < count:
        found |= {wish.text: wish for wish in wishes(rows, policy, random)}
    return list(found.values())[:count]


def react(router: Router, wish: Wish, noise: float, random: np.random.Generator) -> None:
    """One task: routed, run, and whatever the user says of it. With probability `noise` they say the wrong thing."""
    wanted = wish.platform
    if random.random() < noise:
        wanted = str(random.choice([name for name in PROJECTS.values() if name != wanted]))
    decision = router.route(wish.text)
    mood = random.random()
    if decision.platform == wanted:
        if mood < 0.45:
            _outcome(router, decision, accepted=True)
        elif mood < 0.6:
            router.record_feedback(Feedback(decision_id=decision.decision_id, verdict="good"))
        else:
            _outcome(router, decision, accepted=None)  # nobody looked
    elif mood < 0.35:
        router.record_feedback(Feedback(decision_id=decision.decision_id, platform=Platform(wanted)))
    elif mood < 0.6:
        router.route(wish.text, platform=Platform(wanted))
    elif mood < 0.85:
        _outcome(router, decision, accepted=False)
    else:
        _outcome(router, decision, accepted=None)


def _outcome(router: Router, decision: Decision, *, accepted: bool | None) -> None:
    router.record_outcome(
        Outcome(
            decision_id=decision.decision_id,
            run_id=decision.decision_id,
            platform=decision.platform,
            status=Status.REJECTED if accepted is False else Status.SUCCEEDED,
            accepted=accepted,
        )
    )
