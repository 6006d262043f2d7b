"""What lies in the outbox: an outcome or a correction, for whoever reaches the router next."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from router.schemas import Feedback, Outcome
from runner.storage import write_whole


class Letter(BaseModel):
    """One of both, or both."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome | None = None
    feedback: Feedback | None = None


def leave(folder: Path, name: str, outcome: Outcome) -> None:
    """Leave an outcome for whoever sends next; raises `StorageUnavailable`."""
    write_whole(folder / f"{name}.json", Letter(outcome=outcome).model_dump_json())
