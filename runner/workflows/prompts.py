"""What the sessions of a workflow are told."""

from collections.abc import Sequence

from runner.checkout.checks import Check
from runner.merging.integration import Conflict, cut
from runner.workflows.model import Phase, Worker
from runner.workflows.state import Job, RunState

LONGEST_DESIGN = 40_000
LONGEST_RESULT = 4_000
LONGEST_SUMMARY = 6_000
LONGEST_REVIEW = 400_000
"""Characters; of each, like the others."""
DESIGN = """Design, before anything is implemented: {task}

This is the phase "{phase}" of a workflow: {next}. Write no code yet.{tasks}

When the design is settled, store it by the tool memory_store under the key "{key}" in the namespace "shared". Without
that tool, make it your last message. Say in it what the parts are, how they fit together and which files each touches,
and end it with a list of tasks that can be worked on at the same time, one line each:

Tasks:
- first task
- second task
"""
WORK = """{title}

You are {worker}, one of {count} sessions that work on this at the same time, each in a checkout of its own. {role}

The whole task: {task}
{tasks}{share}{notes}{again}{design}{results}
Change only what your part needs, so that the parts can be merged. At the end store what you did by the tool
memory_store under the key "{key}" in the namespace "results"; without that tool, say it in your last message.
"""
REVIEW = """Review the work on: {task}

The workers' branches are merged in this checkout ({branch}); what you change here belongs to the result.{tasks}

{report}

End with a verdict, on a line of its own as the last one: "Verdict: accept", "Verdict: rework" or "Verdict: reject".
For rework, list above it what has to change, one point a line; the workers get these points.
"""


def design_prompt(state: RunState, phase: Phase, tasks: Sequence[str]) -> str:
    """What opens a design."""
    later = [one for one in state.workflow.phases if phase in state.workflow.before(one)]
    following = ", then ".join(f"{one.name} by {len(one.workers) or 1} on {one.platform}" for one in later)
    return DESIGN.format(
        task=state.task, phase=phase.name, next=f"next comes {following}" if following else "it is the last one",
        tasks=_listed("In this phase", tasks), key=design_key(state),
    )  # fmt: skip


def work_prompt(
    state: RunState, worker: Worker, job: Job, *, count: int, tasks: Sequence[str], design: str,
    results: Sequence[tuple[str, str]], again: bool,
) -> str:  # fmt: skip
    """What a worker is told: its share, the design, and what was done before it."""
    title = " ".join((job.share[0] if job.share else worker.task or state.task).split())
    notes = f"\nThe review sent the work back with these notes:\n{cut(state.notes, LONGEST_DESIGN)}\n"
    before = "\nAn earlier session on this was cut short; its work so far is in the last commit. Look at it first.\n"
    return WORK.format(
        title=f"{worker.name}: {cut(title, 200)}", worker=worker.name, count=count, task=state.task,
        role=state.workflow.roles.get(worker.role, ""), tasks=_listed("In this phase", tasks),
        share=_listed("Your part", job.share), notes=notes if state.notes else "", again=before if again else "",
        design=f"\nThe design (shared/{design_key(state)}):\n\n{cut(design, LONGEST_DESIGN)}\n" if design else "",
        results="".join(f"\nResult of {name}: {cut(text, LONGEST_RESULT)}\n" for name, text in results),
        key=worker.result_key,
    )  # fmt: skip


def review_prompt(state: RunState, tasks: Sequence[str], report: str, branch: str) -> str:
    """What opens a review."""
    prompt = REVIEW.format(task=cut(state.task, LONGEST_DESIGN), branch=branch, tasks=_listed("In this phase", tasks),
                           report="{report}")  # fmt: skip
    return prompt.replace("{report}", cut(report, LONGEST_REVIEW - len(prompt)))


def review_report(
    jobs: Sequence[Job], results: Sequence[tuple[str, str]], conflicts: Sequence[Conflict], checks: Sequence[Check],
    summary: str,
) -> str:  # fmt: skip
    """All that a review has to know of the work."""
    told = dict(results)
    parts = ["## Workers"]
    parts += [
        f"- {job.worker}: {job.state or 'not run'}{f' ({job.reason})' if job.reason else ''}, branch {job.branch}\n"
        f"  {cut(told.get(job.worker, 'no result'), LONGEST_RESULT)}"
        for job in jobs
    ]
    if conflicts:
        parts.append("## Conflicts: these branches are NOT merged yet. Merge them here, or ask for rework.")
        parts += [f"### {one.worker}: {one.branch} ({', '.join(one.files)})\n{one.sides}" for one in conflicts]
    if checks:
        parts.append("## Checks")
        parts += [f"### {'passed' if one.passed else 'FAILED'}: {one.command}\n{one.output}" for one in checks]
    parts += ["## Changes", cut(summary, LONGEST_SUMMARY) or "none"]
    return "\n\n".join(parts)


def design_key(state: RunState) -> str:
    """Where the design lies in the namespace `shared`."""
    return f"design/{state.slug}"


def plan_key(state: RunState) -> str:
    """Where the parts lie that a design without a list was cut into, in the namespace `shared`."""
    return f"plan/{state.slug}"


def review_key(state: RunState) -> str:
    """Where a review may leave its verdict and notes in the namespace `shared`."""
    return f"review/{state.slug}"


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n\n{}:\n{}\n".format(title, "\n".join(f"- {line}" for line in lines)) if lines else ""
