"""A workflow is carried out: phase after phase, each written down before it begins and when it has ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.errors import RunnerError
from runner.workflows import phases
from runner.workflows.crew import work
from runner.workflows.model import Kind, Phase
from runner.workflows.site import Site
from runner.workflows.state import Ledger, RunState, Stand

_OPEN = frozenset({Stand.PENDING, Stand.RUNNING})
_AGAIN = frozenset({Stand.FAILED, Stand.WAITING, Stand.CANCELLED, Stand.REJECTED, Stand.RUNNING})


@dataclass(frozen=True)
class Execution:
    """Carries one run out; `step` is the seam for an engine that does so elsewhere."""

    site: Site
    ledger: Ledger

    def carry_out(self, state: RunState) -> RunState:
        """Go on at the first phase that is not done, until the end or until something stops it.

        Raises:
            RunnerError: the state can't be written; what was done so far is kept.
        """
        state = _reopened(state)
        self.ledger.write(state)
        while (phase := _next(state)) is not None and state.stand is Stand.RUNNING:
            state = self.step(state, phase)
        if state.stand is Stand.RUNNING:
            state = state.model_copy(update={"stand": Stand.DONE})
        self.ledger.write(state)
        return state

    def step(self, state: RunState, phase: Phase) -> RunState:
        """Carry out one phase and return the state afterwards; it is on disk then."""
        note = self.site.run.progress.note
        again = f", round {state.round}" if state.round > 1 else ""
        note(f"phase {phase.name}{again}: begins")
        since = state.of(phase).since or datetime.now(UTC)
        state = state.put(phase, stand=Stand.RUNNING, since=since)
        self.ledger.write(state)
        try:
            state = self._carry_out(state, phase)
        except RunnerError as error:
            state = state.put(phase, stand=Stand.FAILED, reason=str(error))
        ended = state.of(phase)
        note(f"phase {phase.name}: {ended.stand} ({ended.reason})" if ended.reason else f"phase {phase.name}: again")
        state = _after(state, phase)
        self.ledger.write(state)
        return state

    def _carry_out(self, state: RunState, phase: Phase) -> RunState:
        if self.site.run.stop.is_set():
            return state.put(phase, stand=Stand.CANCELLED, reason="stopped by the user before it began")
        if phase.kind is Kind.WORK:
            return work(self.site, state, phase, self.ledger.write)
        kinds: dict[Kind, Callable[[Site, RunState, Phase], RunState]] = {
            Kind.DESIGN: phases.design, Kind.REVIEW: phases.review,
        }  # fmt: skip
        return kinds[phase.kind](self.site, state, phase)


def _next(state: RunState) -> Phase | None:
    return next((phase for phase in state.workflow.phases if state.of(phase).stand in _OPEN), None)


def _after(state: RunState, phase: Phase) -> RunState:
    """What the end of a phase means for the whole."""
    ended = state.of(phase)
    if ended.stand in _OPEN or ended.stand is Stand.DONE:
        return state
    goes_on = ended.stand is Stand.FAILED and phase.on_failure == "continue" and phase.kind is not Kind.WORK
    if goes_on:
        return state
    return state.model_copy(update={"stand": ended.stand, "reason": f"{phase.name}: {ended.reason}"})


def _reopened(state: RunState) -> RunState:
    """The state with everything that stopped it open again; what is done stays done."""
    for phase in state.workflow.phases:
        if state.of(phase).stand in _AGAIN:
            state = state.put(phase, stand=Stand.PENDING, reason="")
    return state.model_copy(update={"stand": Stand.RUNNING, "reason": ""})
