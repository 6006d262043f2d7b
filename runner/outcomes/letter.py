"""What lies in the outbox: outcomes, corrections and choices, for whoever reaches the router next."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from router.schemas import Choice, Feedback, Outcome
from runner.storage import write_whole


class Letter(BaseModel):
    """Any of these, the first ones to be told first."""

    model_config = ConfigDict(frozen=True)

    choices: tuple[Choice, ...] = ()
    """What the user chose, with no router asked."""
    outcome: Outcome | None = None
    feedback: Feedback | None = None


def leave(folder: Path, name: str, outcome: Outcome) -> None:
    """Leave an outcome for whoever sends next; raises `StorageUnavailable`."""
    write_whole(folder / f"{name}.json", Letter(outcome=outcome).model_dump_json())
