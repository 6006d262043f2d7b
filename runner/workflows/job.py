"""A task of `runner execute` that a workflow carries out: a run of its own within the run."""

import shlex
from dataclasses import dataclass, replace

from runner.agents.claude import InteractiveClaude
from runner.agents.protocol import Session
from runner.errors import Left, RunnerError
from runner.runs.interactive import InteractiveJob
from runner.runs.records import Closed
from runner.runs.run import Run, new_run_id
from runner.runs.state import State
from runner.settings import Settings
from runner.tasks.plan import Planned


@dataclass(frozen=True)
class WorkflowJob:
    """A task that goes through the phases of a workflow."""

    planned: Planned
    agent: InteractiveClaude
    """Who has the first session."""
    settings: Settings

    def branch(self, _run: Run) -> None:
        """Its sessions have branches of their own."""
        return

    def session(self, run: Run) -> Session:
        """Describe the first session; nothing is started yet."""
        return InteractiveJob(self.planned, self.agent).session(run)

    def carry_out(self, run: Run) -> Closed:
        """Carry the workflow out; an error of ours fails the task, not the run."""
        if run.stop.is_set():
            return run.drop(self.planned, "stopped by the user before it started")
        own = replace(run, id=new_run_id())
        later = f"cd {shlex.quote(str(run.cwd))} && runner resume {own.id}"
        record = run.record(self.planned, "runner", later)
        run.archive.begin(record)
        try:
            status, reason, accepted = self._carry_out(own)
        except Left:
            raise
        except RunnerError as error:
            status, reason, accepted = State.FAILED, str(error), None
        return run.close(record, status, f"workflow run {own.id}; {reason}".rstrip("; "), accepted=accepted)

    def _carry_out(self, run: Run) -> tuple[State, str, bool | None]:
        # Here, not above: `runner execute` of a headless task needs none of it.
        from runner.workflows import catalog
        from runner.workflows.start import begin, carry_out
        from runner.workflows.wish import Wish

        decision = self.planned.decision
        known = {one.name for one in catalog.listed(run.repository.root)}
        name = decision.workflow if decision.workflow in known else catalog.DEFAULT
        workflow = catalog.find(name or catalog.DEFAULT, run.repository.root)
        wish = Wish(workflow.name, self.planned.task, {}, brief=self.planned.brief)
        values = {key: value for key, value in workflow.variables.items() if value is not None}
        state = carry_out(run, self.settings, begin(run, self.settings, workflow, decision, values, wish))
        stand = State.SUCCEEDED if state.stand == "done" else State(state.stand)
        if stand is State.SUCCEEDED:
            run.progress.note(f"✨ Dual workflow complete: `runner collect --run {run.id}` shows the results")
        return stand, state.reason, {"accept": True, "reject": False}.get(state.verdict or "")
