"""What tools take: pydantic models, and their JSON schemas in the plain form that clients of claude-flow know."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from runner.mcp.errors import ArgumentRefused

Number = Annotated[int, WithJsonSchema({"type": "number"})]
"""A whole number; clients may send 10 or 10.0."""
Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), WithJsonSchema({"type": "string"})
]
"""An id, name or type: it becomes part of keys and file names."""
NAMED = "it is a name of letters, digits and ._-, 64 at most, and begins with a letter or digit"
Text = Annotated[str, StringConstraints(min_length=1, max_length=32 * 1024), WithJsonSchema({"type": "string"})]
_A = TypeVar("_A", bound="Arguments")


class Arguments(BaseModel):
    """Base of all arguments; what a tool does not know is ignored, as clients send each other's options."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class NoArguments(Arguments):
    """For tools that take none."""


class _Plain(GenerateJsonSchema):
    """No titles, no nulls: an optional argument is one that may be left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments."""
    schema = arguments.model_json_schema(by_alias=True, schema_generator=_Plain)
    for unused in ("title", "description"):
        schema.pop(unused, None)
    return {"type": "object", "properties": {}, **schema}


def read_arguments(kind: type[_A], given: dict[str, Any]) -> _A:
    """Check what a client sent; raises `ArgumentRefused`."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "arguments"
        if first["type"] == "missing":
            raise ArgumentRefused(f"{name} is missing", "MISSING_REQUIRED_PARAM") from error
        if first["type"] == "string_pattern_mismatch":
            raise ArgumentRefused(f"{name} is {str(first['input'])[:70]!r}; {NAMED}") from error
        raise ArgumentRefused(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error
