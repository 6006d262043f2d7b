"""The one state that all phases of a run change, and which of them may begin now."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from runner.workflows.model import Kind, Phase
from runner.workflows.state import Ledger, RunState, Stand

OPEN = frozenset({Stand.PENDING, Stand.RUNNING})
_UNDER_WAY = frozenset({Stand.RUNNING, Stand.WAITING})
"""Stands of a whole in which phases may still begin: what waits for a person holds up only what comes after it."""


class Board:
    """What the phases of a run share; every change is on disk before anybody goes on.

    A review has the run for itself: it begins when nothing else is under way, and may turn phases back.
    """

    def __init__(self, state: RunState, ledger: Ledger, tip: Callable[[], str]) -> None:
        """`tip` reads the commit that holds all merged work."""
        self.state = state
        self._ledger, self._tip = ledger, tip
        self._busy: dict[str, Phase] = {}
        self._merging = threading.Lock()
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        ledger.write(state)

    def alone(self, ended: Phase | None = None) -> list[Phase]:
        """The phases that may begin now and need no person; they count as under way. `ended` is no longer."""
        with self._changed:
            if ended is not None:
                self._busy.pop(ended.name, None)
            found = []
            while (phase := self._ready(sits=False)) is not None:
                found.append(phase)
            self._changed.notify_all()
            return found

    def sitting(self) -> Phase | None:
        """The next phase that a person has, waited for; None where none will come any more.

        Raises what made a phase end without a state.
        """
        with self._changed:
            while True:
                if self._error is not None:
                    raise self._error
                if (phase := self._ready(sits=True)) is not None or not self._busy:
                    return phase
                self._changed.wait()

    def fail(self, error: BaseException, ended: Phase | None = None) -> None:
        """Say that nothing may begin any more, and that a phase ended without a state."""
        with self._changed:
            self._error = self._error or error
            if ended is not None:
                self._busy.pop(ended.name, None)
            self._changed.notify_all()

    @contextmanager
    def turn(self, phase: Phase) -> Iterator[None]:
        """Be the only one that merges work, after all phases that stand before `phase` and wait for no person.

        Raises what made another phase end without a state.
        """
        with self._changed:
            while self._is_early(phase):
                self._changed.wait()
            if self._error is not None:
                raise self._error
        with self._merging:
            yield

    def keep(self, phase: Phase, state: RunState) -> RunState:
        """Take over what `phase` made of the state it began with, and return the state of all."""
        with self._changed:
            self.state = state if phase.kind is Kind.REVIEW else self._merged(phase, state)
            self._ledger.write(self.state)
            return self.state

    def end(self, phase: Phase, state: RunState) -> None:
        """Take over what became of `phase`, and what that means for the whole."""
        with self._changed:
            taken, stand = self.keep(phase, state), state.of(phase).stand
            self._changed.notify_all()
            if stand in OPEN or taken.is_passed(phase) or taken.stand not in _UNDER_WAY:
                return
            reason = f"{phase.name}: {state.of(phase).reason}"
            self.state = taken.model_copy(update={"stand": stand, "reason": reason})
            self._ledger.write(self.state)

    def close(self) -> RunState:
        """Say that the run is over, where nothing stopped it."""
        with self._changed:
            if self.state.stand is Stand.RUNNING:
                self.state = self.state.model_copy(update={"stand": Stand.DONE})
            self._ledger.write(self.state)
            return self.state

    def _merged(self, phase: Phase, state: RunState) -> RunState:
        left = tuple(one for one in self.state.unmerged if one in state.unmerged)
        mine = self.state.put(phase, **dict(state.of(phase))).model_copy(update={"unmerged": left})
        if state.tip in {None, self.state.tip}:
            return mine
        return mine.model_copy(update={"tip": self._tip()})  # another phase may have merged since

    def _is_early(self, phase: Phase) -> bool:
        """True while a phase that stands before `phase` may still merge; reviews begin when all others have ended."""
        coming: set[str] = set()
        for other in self.state.workflow.phases:
            if other.name == phase.name or self._error is not None:
                break
            if self._may_come(other, coming):
                coming.add(other.name)
        return bool(coming)

    def _may_come(self, phase: Phase, coming: Collection[str]) -> bool:
        state = self.state
        if state.of(phase).stand not in OPEN or phase.kind is Kind.REVIEW or state.sits(phase):
            return False
        begins = state.stand in _UNDER_WAY and all(
            name in coming or state.is_passed(state.workflow.phase(name)) for name in phase.after
        )
        return phase.name in self._busy or begins

    def _ready(self, *, sits: bool) -> Phase | None:
        if self.state.stand not in _UNDER_WAY or self._error is not None:
            return None
        for phase in self.state.workflow.phases:
            if self._may_begin(phase) and self.state.sits(phase) is sits:
                self._busy[phase.name] = phase
                return phase
        return None

    def _may_begin(self, phase: Phase) -> bool:
        state = self.state
        if state.of(phase).stand not in OPEN or phase.name in self._busy:
            return False
        if self._busy and Kind.REVIEW in {phase.kind, *(one.kind for one in self._busy.values())}:
            return False
        return all(state.is_passed(state.workflow.phase(name)) for name in phase.after)
