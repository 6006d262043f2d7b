"""A workflow is carried out: each phase as soon as those before it are done, written down as it goes."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from runner.errors import Left, RunnerError
from runner.merging.integration import branch_of
from runner.workflows import phases
from runner.workflows.board import Board
from runner.workflows.crew import Keep, work
from runner.workflows.model import MOST_PHASES, Kind, Phase
from runner.workflows.site import Site
from runner.workflows.state import Ledger, RunState, Stand

_AGAIN = frozenset({Stand.FAILED, Stand.WAITING, Stand.CANCELLED, Stand.REJECTED, Stand.RUNNING})


@dataclass(frozen=True)
class Execution:
    """Carries one run out. Phases with a person come one after the other in this thread, the others in parallel."""

    site: Site
    ledger: Ledger

    def carry_out(self, state: RunState) -> RunState:
        """Go on with what is not done, until the end or until something stops it.

        Raises:
            RunnerError: the state can't be written; what was done so far is kept.
        """
        board = Board(_reopened(state), self.ledger, self._tip)
        with ThreadPoolExecutor(MOST_PHASES) as pool:
            try:
                self._begin(board, pool, board.alone())
                while (phase := board.sitting()) is not None:
                    self._step(board, phase)
                    self._begin(board, pool, board.alone(phase))
            except BaseException as error:
                board.fail(error)
                self.site.give_up()
                raise
        return board.close()

    def _begin(self, board: Board, pool: ThreadPoolExecutor, begun: Iterable[Phase]) -> None:
        def ended(phase: Phase, future: "Future[None]") -> None:
            if (error := future.exception()) is not None:
                board.fail(error, phase)
            else:
                self._begin(board, pool, board.alone(phase))

        for phase in begun:
            pool.submit(self._step, board, phase).add_done_callback(partial(ended, phase))

    def _step(self, board: Board, phase: Phase) -> None:
        """Carry out one phase; what came of it is on disk afterwards."""
        note, state = self.site.run.progress.note, board.state
        note(f"phase {phase.name}{f', round {state.round}' if state.round > 1 else ''}: begins")
        since = state.of(phase).since or datetime.now(UTC)
        state = board.keep(phase, state.put(phase, stand=Stand.RUNNING, since=since))
        try:
            site = replace(self.site, merging=partial(board.turn, phase))
            state = self._carry_out(site, state, phase, partial(board.keep, phase))
        except Left:  # the sessions go on without us: `runner resume` finds the phase as it is
            raise
        except RunnerError as error:
            state = board.state.put(phase, stand=Stand.FAILED, reason=str(error))
        ended = state.of(phase)
        note(f"phase {phase.name}: {ended.stand} ({ended.reason})" if ended.reason else f"phase {phase.name}: again")
        board.end(phase, state)

    def _carry_out(self, site: Site, state: RunState, phase: Phase, keep: Keep) -> RunState:
        if site.run.stop.is_set():
            return state.put(phase, stand=Stand.CANCELLED, reason="stopped by the user before it began")
        if phase.kind is Kind.WORK:
            return work(site, state, phase, keep)
        kinds: dict[Kind, Callable[[Site, RunState, Phase], RunState]] = {
            Kind.DESIGN: phases.design, Kind.REVIEW: phases.review,
        }  # fmt: skip
        return kinds[phase.kind](site, state, phase)

    def _tip(self) -> str:
        run = self.site.run
        return run.repository.git("rev-parse", f"refs/heads/{branch_of(run.id)}")


def _reopened(state: RunState) -> RunState:
    """The state with everything that stopped it open again; what is done stays done."""
    for phase in state.workflow.phases:
        if state.of(phase).stand in _AGAIN:
            state = state.put(phase, stand=Stand.PENDING, reason="")
    return state.model_copy(update={"stand": Stand.RUNNING, "reason": ""})
