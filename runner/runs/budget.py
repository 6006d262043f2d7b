"""What all sessions of a run together may cost: each gets its share before it starts, and gives back what is left."""

import json
from dataclasses import dataclass
from pathlib import Path

from runner.lock import locked
from runner.storage import write_whole

_LOCK_WAIT_S = 30.0


@dataclass(frozen=True)
class Budget:
    """The money of one run."""

    folder: Path
    """The run's folder."""
    total_usd: float | None
    """None: there is no limit."""

    def claim(self, worker: str, most_usd: float | None) -> float | None:
        """Set money aside for a session, at most `most_usd`; returns how much it may cost, None being no limit.

        What is not taken yet is shared evenly among the sessions that have not begun. Asked again, it answers the same.
        Returns 0 where nothing is left. Raises `StorageUnavailable` and `Busy`.
        """
        if self.total_usd is None:
            return most_usd
        with locked(self.folder / "budget.lock", _LOCK_WAIT_S):
            taken = self._read()
            if worker not in taken:
                left = max(0.0, self.total_usd - sum(taken.values()))
                share = left / max(1, len(self._waiting(taken) | {worker}))
                taken[worker] = min(share, most_usd or share)
                self._write(taken)
            return taken[worker]

    def settle(self, worker: str, cost_usd: float | None) -> None:
        """Note what a session did cost; what it left is there for those that have not begun."""
        if self.total_usd is None or cost_usd is None:
            return
        with locked(self.folder / "budget.lock", _LOCK_WAIT_S):
            taken = self._read()
            if worker in taken:
                self._write({**taken, worker: cost_usd})

    def _waiting(self, taken: dict[str, float]) -> set[str]:
        names = {
            path.parent.name for path in self.folder.glob("*/run.json") if not path.with_name("exit.json").exists()
        }
        return names - taken.keys()

    def _read(self) -> dict[str, float]:
        try:
            taken = json.loads((self.folder / "budget.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(name): float(value) for name, value in taken.items()}

    def _write(self, taken: dict[str, float]) -> None:
        write_whole(self.folder / "budget.json", json.dumps(taken))
