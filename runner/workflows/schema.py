"""The JSON Schema of workflow files, for editors."""

from typing import Any

from pydantic import TypeAdapter

from runner.workflows.forms import PhasesFile
from runner.workflows.step_forms import StepsFile


def json_schema() -> dict[str, Any]:
    """Both spellings, in one schema."""
    schema = TypeAdapter(PhasesFile | StepsFile).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "dual-orchestrator workflow", **schema}
