"""`runner memory …`: the shared memory from the command line."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from runner.memory.store import Memory

SETTLE_S = 2.0
"""Longest that a search embeds what was stored lately, before it looks."""
app = typer.Typer(
    name="memory", help="Store and find what sessions share.", no_args_is_help=True, rich_markup_mode=None
)
Key = Annotated[str, typer.Argument(help="Names the entry within its namespace, such as design/api.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Where the entry lies.")]
AnyNamespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Only entries of this namespace.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
Run = Annotated[str, typer.Option("--run", envvar="RUNNER_RUN_ID", help="Read and write as this run does.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.command()
def store(
    key: Key,
    value: Annotated[str, typer.Argument(help="The value; - reads it from stdin.")],
    namespace: Namespace = "default",
    tag: Tags = None,
    ttl: Annotated[float | None, typer.Option(help="Forget the entry after so many seconds.")] = None,
    upsert: Annotated[bool, typer.Option(help="Replace an entry of this key, instead of failing.")] = True,
    as_json: Annotated[bool, typer.Option("--as-json", help="The value is JSON, not text.")] = False,
    run: Run = "",
    json: Json = False,
) -> None:
    """Store a value; what it replaces stays readable as an older version."""
    from runner.memory.entry import Provenance
    from runner.memory.render import entry_json

    given = _value(sys.stdin.buffer.read() if value == "-" else value.encode(errors="surrogateescape"), as_json=as_json)
    with _memory(run) as memory:
        entry = memory.store(
            key, given, namespace=namespace, tags=tag or (), ttl_s=ttl, upsert=upsert,
            provenance=Provenance.USER_CLAIM,
        )  # fmt: skip
    _print(entry_json(entry)) if json else typer.echo(
        f"{entry.namespace}/{entry.key}: stored as version {entry.version}"
    )


@app.command()
def get(
    key: Key,
    namespace: Namespace = "default",
    version: Annotated[int | None, typer.Option(min=1, help="An older version.")] = None,
    history: Annotated[bool, typer.Option("--history", help="List all versions instead.")] = False,
    run: Run = "",
    json: Json = False,
) -> None:
    """Print a value."""
    from runner.memory.errors import EntryMissing
    from runner.memory.render import entry_json, print_entries, value_text

    with _memory(run) as memory:
        found = memory.history(key, namespace) if history else [memory.get(key, namespace, version)]
    if not found:
        raise EntryMissing(namespace, key)
    if json:
        _print({"versions": [entry_json(entry) for entry in found]} if history else entry_json(found[0]))
    elif history:
        print_entries(found, len(found))
    else:
        typer.echo(value_text(found[0].value))


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A key, words, or what is meant.")],
    namespace: AnyNamespace = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most entries to print.")] = 10,
    threshold: Annotated[float, typer.Option(help="Least similarity of entries that hold no word of it.")] = 0.3,
    run: Run = "",
    json: Json = False,
) -> None:
    """Find entries by key, by words and by meaning."""
    from runner.memory.render import hit_json, print_hits

    with _memory(run) as memory:
        memory.indexer.settle(SETTLE_S)
        hits = memory.search(query, namespace=namespace, limit=limit, threshold=threshold)
    _print({"query": query, "results": [hit_json(hit) for hit in hits]}) if json else print_hits(hits)


@app.command("list")
def list_entries(
    namespace: AnyNamespace = None,
    tag: Tags = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most entries to print.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Entries to skip.")] = 0,
    run: Run = "",
    json: Json = False,
) -> None:
    """List entries, the latest first."""
    from runner.memory.render import entry_json, print_entries

    with _memory(run) as memory:
        page = memory.page(namespace, tags=tag or (), limit=limit, offset=offset)
    if json:
        _print({"entries": [entry_json(entry) for entry in page.entries], "total": page.total})
    else:
        print_entries(page.entries, page.total - offset)


@app.command()
def delete(key: Key, namespace: Namespace = "default", run: Run = "", json: Json = False) -> None:
    """Delete an entry; `get --version` still reads what it was."""
    with _memory(run) as memory:
        gone = memory.delete(key, namespace)
    if json:
        _print({"deleted": True, "key": key, "namespace": namespace, "version": gone.version})
    else:
        typer.echo(f"{namespace}/{key}: deleted; `runner memory get {key} --namespace {namespace} --history` shows it")


@app.command("import")
def import_entries(
    path: Annotated[Path, typer.Argument(help="A memory.db of claude-flow or ruflo, such as .swarm/memory.db.")],
    json: Json = False,
) -> None:
    """Take over the entries of a claude-flow (ruflo) memory; newer ones of ours stay."""
    from runner.memory.claude_flow import import_claude_flow

    with _memory("") as memory:
        done = import_claude_flow(path, memory)
    if json:
        _print({"stored": done.stored, "older": done.older, "refused": done.refused})
        return
    typer.echo(f"{done.stored} stored, {done.older} left alone, {len(done.refused)} refused")
    for sentence in done.refused:
        typer.echo(f"  {sentence}", err=True)


@contextmanager
def _memory(run: str) -> "Iterator[Memory]":
    from runner.memory.opening import home_of, open_memory
    from runner.settings import read_settings

    settings, author, hidden = read_settings(), os.environ.get("RUNNER_AGENT_ID", ""), frozenset[str]()
    if author:
        from runner.mcp.reach import hidden_for

        hidden = hidden_for(home_of(Path.cwd(), settings), os.environ.get("RUNNER_RUN_ID", run), author)
    with closing(open_memory(settings, Path.cwd(), run=run, author=author, hidden=hidden)) as memory:
        yield memory


def _value(given: bytes, *, as_json: bool) -> Any:
    import json

    from runner.memory.errors import EntryRefused

    try:
        return json.loads(given) if as_json else given.decode()
    except UnicodeDecodeError as error:
        raise EntryRefused(f"the value is not UTF-8 ({error.reason} at byte {error.start})") from error
    except ValueError as error:
        raise EntryRefused(f"the value is no JSON ({error}); leave --as-json out to store text") from error


def _print(value: dict[str, Any]) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
