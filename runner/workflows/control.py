"""What a person says about the phases of a run: leave one out, do one again, have its design from elsewhere."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import BadInput
from runner.memory.entry import Provenance
from runner.memory.opening import open_memory
from runner.memory.view import RUN_BOUND
from runner.settings import Settings
from runner.workflows.design import tasks_of
from runner.workflows.errors import did_you_mean
from runner.workflows.model import Kind, Phase
from runner.workflows.prompts import design_key
from runner.workflows.site import SHARED
from runner.workflows.state import PhaseState, RunState, Stand

SKIPPED = "left out by the user"


def skip(state: RunState, names: Iterable[str]) -> RunState:
    """Leave phases out that are not done; raises `BadInput`."""
    for name in names:
        phase = _phase(state, name, "--skip")
        if state.of(phase).stand is Stand.DONE:
            raise BadInput(f"--skip {name}: this phase is done; --retry does it again")
        state = state.put(phase, stand=Stand.SKIPPED, reason=SKIPPED)
    return state


def retry(state: RunState, names: Iterable[str]) -> RunState:
    """Forget phases and all that comes after them, so that they are done again; raises `BadInput`."""
    for name in names:
        phase = _phase(state, name, "--retry")
        notes = "" if phase.kind is Kind.DESIGN else state.notes
        state = state.again(phase).model_copy(update={"notes": notes})
    return state


def take_design(state: RunState, settings: Settings, cwd: Path) -> RunState:
    """Have the design phases done by an entry of the memory, which becomes the run's own; raises `EntryMissing`."""
    namespace, key = place_of(state.design)
    with closing(open_memory(settings, cwd)) as memory:
        value = memory.get(key, namespace).value
    since = datetime.now(UTC)
    with closing(open_memory(settings, cwd, run=state.run_id)) as memory:
        memory.store(design_key(state), value, namespace=SHARED, provenance=Provenance.AGENT_OUTPUT)
    reason = f"taken from {namespace}/{key}, {len(tasks_of(value))} tasks"
    done = PhaseState(stand=Stand.DONE, reason=reason, since=since)
    designs = {phase.name: done for phase in state.workflow.phases if phase.kind is Kind.DESIGN}
    return state.model_copy(update={"phases": designs})


def place_of(key: str) -> tuple[str, str]:
    """Namespace and key of an entry that is written as `shared/design/x`, or as `design/x` where it is shared."""
    namespace, slash, rest = key.partition("/")
    return (namespace, rest) if slash and namespace in RUN_BOUND else (SHARED, key)


def _phase(state: RunState, name: str, option: str) -> Phase:
    known = [phase.name for phase in state.workflow.phases]
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise BadInput(f"{option} {name}: the workflow {state.workflow.name} has no such phase{hint}")
    return state.workflow.phase(name)
