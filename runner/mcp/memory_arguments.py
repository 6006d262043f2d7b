"""What the tools of the shared memory take, spelled as claude-flow spells it."""

from typing import Any, Literal

from pydantic import Field

from runner.mcp.arguments import Arguments, Number

ProvenanceName = Literal["user_claim", "agent_output", "system_observation", "tool_result", "unknown"]


class StoreArguments(Arguments):
    """`memory_store`."""

    key: str = Field(description="Names the entry within its namespace, such as design/api.")
    value: Any = Field(description="Text, or any JSON value, of at most 1 MiB.")
    namespace: str | None = Field(None, description="Where the entry lies; default: default.")
    tags: list[str] | None = Field(None, description="Tags to filter by.")
    ttl: float | None = Field(None, description="Seconds after which the entry is forgotten.")
    upsert: bool | None = Field(None, description="False refuses a key that is taken; default: true.")
    provenance_type: ProvenanceName | None = Field(None, description="Who or what produced the value.")


class KeyArguments(Arguments):
    """`memory_retrieve`, `memory_delete`."""

    key: str = Field(description="The entry's key.")
    namespace: str | None = Field(None, description="Where it lies; default: default.")


class SearchArguments(Arguments):
    """`memory_search`."""

    query: str = Field(description="A key, words, or what is meant.")
    namespace: str | None = Field(None, description="Only this namespace; default: all.")
    limit: Number | None = Field(None, description="Most results; default: 10.")
    threshold: float | None = Field(None, description="Least similarity of what holds no word of it; default: 0.3.")
    smart: bool | None = Field(None, description="Also says how the results were ranked.")
    provenance_filter: list[ProvenanceName] | None = Field(None, description="Only values of these origins.")


class UnifiedArguments(Arguments):
    """`memory_search_unified`."""

    query: str = Field(description="A key, words, or what is meant.")
    limit: Number | None = Field(None, description="Most results; default: 10.")
    namespace: str | None = Field(None, description="Only this namespace.")
    namespaces: list[str] | None = Field(None, description="Only these namespaces.")


class ListArguments(Arguments):
    """`memory_list`."""

    namespace: str | None = Field(None, description="Only this namespace; default: all.")
    limit: Number | None = Field(None, description="Most entries; default: 50.")
    offset: Number | None = Field(None, description="Entries to skip; default: 0.")
