"""Who reads and writes: the repository, the run and the agent that a memory is opened for."""

from dataclasses import dataclass

RUN_BOUND = frozenset({"shared", "results", "coordination", "collaboration"})
"""Namespaces in which runs are kept apart; all others belong to the repository, for the next run to learn from."""
RESULTS = "results"


@dataclass(frozen=True)
class View:
    """What a reader sees.

    A run sees its own entries and those that belong to no run; its own hide others of the same key. Without a run
    everything of the repository is seen.
    """

    scope: str
    """The repository; nothing outside of it is ever seen."""
    run: str = ""
    author: str = ""
    """The agent, written beside what it stores; empty for a person."""
    hidden: frozenset[str] = frozenset()
    """Agents whose `results` are not for this reader."""

    def run_for(self, namespace: str) -> str:
        """The run that an entry of `namespace` is written for."""
        return self.run if namespace in RUN_BOUND else ""
