"""Tools that ask the router, and that look at runs."""

from pydantic import Field

from runner.checkout.repository import Repository
from runner.mcp.arguments import Arguments, Number, Text
from runner.mcp.place import Place
from runner.mcp.tool import Effect, Reply, Tool
from runner.runs.archive import Archive
from runner.runs.records import Entry

MOST_RUNS = 200


class RouteArguments(Arguments):
    """`hooks_route`, `route_task`."""

    task: Text = Field(description="The task, in the user's words.")
    context: str | None = Field(None, description="More about the place it was asked in.")
    use_semantic_router: bool | None = Field(None, alias="useSemanticRouter", description="Taken, not used.")


class RunArguments(Arguments):
    """`run_status`."""

    run: str | None = Field(None, description="Id of a run, or its beginning; default: the latest runs.")
    limit: Number | None = Field(None, ge=1, le=MOST_RUNS, description="Most tasks to list; default: 50.")


def route(place: Place, given: RouteArguments) -> Reply:
    """Ask the router who should take a task."""
    context = {"cwd": str(place.cwd), **({"note": given.context} if given.context else {})}
    decision = place.routing.route(given.task, context)
    return {"success": True, "task": given.task, **decision.model_dump(mode="json")}


def run_status(place: Place, given: RunArguments) -> Reply:
    """List the tasks of runs, the latest first."""
    archive = Archive.of(Repository.around(place.cwd), place.settings.data_folder())
    found = [entry for entry in archive.entries() if entry.record.run_id.startswith(given.run or "")]
    chosen = list(reversed(found))[: 50 if given.limit is None else given.limit]
    return {"tasks": [_facts(entry) for entry in chosen], "total": len(found)}


def _facts(entry: Entry) -> Reply:
    record, ending = entry.record, entry.ending
    return {
        "run": record.run_id, "worker": record.worker, "task": record.task, "platform": record.decision.platform,
        "program": record.program, "status": entry.state.value, "reason": entry.reason, "branch": record.branch,
        "startedAt": record.started_at.isoformat(), "message": ending.message if ending else "",
    }  # fmt: skip


TOOLS = (
    Tool("hooks_route", "Who should take a task: Claude Code, Codex or both; with reasons.", Effect.READS,
         RouteArguments, route),
    Tool("route_task", "The same as hooks_route.", Effect.READS, RouteArguments, route),
    Tool("run_status", "Where the tasks of this repository's runs stand.", Effect.READS, RunArguments, run_status),
)  # fmt: skip
