"""`router doctor`: what the router has, what it lacks, and how to get it."""

from dataclasses import asdict, dataclass

from router.client import DEFAULT_URL, RouterClient
from router.errors import JournalError
from router.service import Router


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    """How to get it, where it is missing."""

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return asdict(self)


def examine(router: Router) -> list[Check]:
    """Look at model, journal and service."""
    return [_model(router), _journal(router), _service()]


def _model(router: Router) -> Check:
    if router.model:
        return Check("model", True, f"{router.model.version} in {router.registry.root}")
    return Check("model", False, str(router.problem), "train one with `train-router`, or set ROUTER_MODELS_DIR")


def _journal(router: Router) -> Check:
    try:
        latest = router.decisions(limit=1)
    except JournalError as error:
        return Check("journal", False, str(error), "set ROUTER_DATABASE_URL to a database that can be written")
    newest = f"last decision {latest[0].created_at:%Y-%m-%d %H:%M}" if latest else "empty"
    return Check("journal", True, f"{router.journal.shown_url} ({newest})")


def _service() -> Check:
    client = RouterClient.at(DEFAULT_URL, timeout_s=1.0)
    found = client.is_ready()
    client.close()
    return Check(
        "service", True, f"answers at {DEFAULT_URL}" if found else "not running (decisions are made in process)"
    )
