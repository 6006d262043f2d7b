"""How fast a task is routed, beside what is measured with it in the same run and in turn.

    python -m benchmarks.route [--quick]

Writes a table and a plot into docs/performance.md. Every prompt is new, so that no cache helps.
"""

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.cold import measure_cold
from benchmarks.load import Client, body_of, long_prompt, prompts, timed
from benchmarks.overload import measure_many
from benchmarks.peers import Absent, semantic_router
from benchmarks.report import Report, median, p99
from benchmarks.services import empty_service, router_service
from router.journal.journal import Journal
from router.model.registry import Registry
from router.service import Router
from router.settings import CHECKOUT_MODELS
from training.request import SEED_FILES, shipped_data

UTTERANCES_A_ROUTE = 10


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    calls: int
    """Calls in a round."""


def main() -> None:
    """Measure, say and write."""
    parser = argparse.ArgumentParser(description="Speed of routing.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls; the document stays as it is")
    quick = parser.parse_args().quick
    size, report = Size(2, 40) if quick else Size(7, 300), Report()
    encode_ms = measure_in_process(size, report)
    measure_http(size, report)
    measure_many(size.rounds, 2.0 if quick else 10.0, encode_ms, report)
    measure_cold(2 if quick else 10, report)
    if not quick:
        report.write()


def measure_in_process(size: Size, report: Report) -> float:
    """Decisions without HTTP; returns the encoder's median for a short prompt, in ms."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, closing(_router(f"sqlite:///{folder}/j.db")) as router:
        new = prompts()
        _time_in_process(router, Size(1, 50), new, defaultdict(list))
        try:
            with semantic_router(_utterances()) as peer:
                for _ in range(size.rounds):
                    _time_in_process(router, Size(1, size.calls), new, took)
                    took["semantic-router"] += peer.seconds(list(islice(new, size.calls // 4)))
        except Absent as absent:
            report.notes.append(f"semantic-router was not measured: {absent}")
            _time_in_process(router, size, new, took)
    _report_in_process(took, report)
    return median(took["encoder, short"])


def _time_in_process(router: Router, size: Size, new: Iterator[str], took: dict[str, list[float]]) -> None:
    encode = router.model.encoder.encode if router.model else None
    assert encode, "the checkout ships no model"

    def clock(name: str, work: Callable[[str], object], task: str) -> None:
        took[name].append(_seconds(work, task))

    def unwritten(task: str) -> None:
        put, router.writer.put = router.writer.put, _forget  # type: ignore[method-assign,assignment]
        router.route(task)
        router.writer.put = put  # type: ignore[method-assign]

    for _ in range(size.rounds):
        for number in range(size.calls):
            clock("encoder, short", encode, next(new))
            clock("route, short", router.route, next(new))
            clock("route, short, no journal", unwritten, next(new))
            if number % 8 == 0:
                stamp = hash(next(new)) % 10**9
                clock("encoder, 200 tokens", encode, long_prompt(200, stamp))
                clock("route, 200 tokens", router.route, long_prompt(200, stamp + 1))
                clock("route, 32 KiB", router.route, long_prompt(5000, stamp)[:32000])


def _report_in_process(took: dict[str, list[float]], report: Report) -> None:
    short, encoder = median(took["route, short"]), median(took["encoder, short"])
    report.add("in process, 15 tokens: all but the encoder", f"{short - encoder:.2f} ms", f"encoder {encoder:.2f} ms",
               "≤ 0.25 ms", short - encoder <= 0.25)  # fmt: skip
    peer = took.get("semantic-router")
    ratio = short / median(peer) if peer else None
    report.add("in process, 15 tokens: the whole", f"{short:.2f} ms (p99 {p99(took['route, short']):.2f})",
               f"semantic-router {median(peer):.2f} ms, ratio {ratio:.2f}" if peer and ratio else "not there",
               "≤ 0.15 × semantic-router", ratio <= 0.15 if ratio else None)  # fmt: skip
    long, alone = median(took["route, 200 tokens"]), median(took["encoder, 200 tokens"])
    report.add("in process, 200 tokens", f"{long:.2f} ms", f"encoder {alone:.2f} ms, ratio {long / alone:.2f}",
               "≤ encoder + 10 %", long <= 1.1 * alone)  # fmt: skip
    longest = median(took["route, 32 KiB"])
    report.add("in process, 32 KiB: a window, not the length", f"{longest:.2f} ms", f"200 tokens {long:.2f} ms",
               "≤ 2 × 200 tokens", longest <= 2 * long)  # fmt: skip
    added = short - median(took["route, short, no journal"])
    report.add("the journal adds", f"{added:.2f} ms", "the same without it", "≤ 0.3 ms", added <= 0.3)
    report.series |= {name: [1000 * value for value in values] for name, values in took.items()}


def measure_http(size: Size, report: Report) -> None:
    """One client on a connection that is kept; an empty endpoint and the encoder alone in turn with it."""
    ours: list[float] = []
    empty: list[float] = []
    encoder: list[float] = []
    encode = Registry(_models()).load_current().encoder.encode
    with (
        router_service() as (url, _), empty_service() as bare,
        closing(Client(url)) as client, closing(Client(bare)) as other,
    ):  # fmt: skip
        new = prompts(10_000_000)
        timed(client, "/route", [body_of(task) for task in islice(new, 50)])
        for task in islice(new, size.rounds * size.calls):
            ours += timed(client, "/route", [body_of(task)])
            empty += timed(other, "/route", [body_of(task)])
            encoder.append(_seconds(encode, next(new)))
    wanted = median(empty) + median(encoder) + 0.5
    report.add("HTTP, one client, p50", f"{median(ours):.2f} ms",
               f"empty endpoint {median(empty):.2f} ms, encoder {median(encoder):.2f} ms",
               f"≤ empty + encoder + 0.5 = {wanted:.2f} ms", median(ours) <= wanted)  # fmt: skip
    report.add("HTTP, one client, p99", f"{p99(ours):.2f} ms", f"empty endpoint {p99(empty):.2f} ms",
               f"≤ 3 × p50 = {3 * median(ours):.2f} ms", p99(ours) <= 3 * median(ours))  # fmt: skip
    report.series |= {"HTTP, one client": [1000 * s for s in ours], "HTTP, empty endpoint": [1000 * s for s in empty]}


def _seconds(work: Callable[[str], object], task: str) -> float:
    began = time.perf_counter()
    work(task)
    return time.perf_counter() - began


def _forget(_: object) -> None:
    """In place of the journal."""


def _router(url: str) -> Router:
    return Router(Registry(_models()), Journal(url))


def _models() -> Path:
    return Path(os.environ.get("ROUTER_MODELS_DIR", CHECKOUT_MODELS))


def _utterances() -> dict[str, list[str]]:
    """The first ten of each task type in the seed data, as a peer's user would write them."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in SEED_FILES:
        for line in (shipped_data() / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("task_type") and len(row["text"]) < 200 and len(found[row["task_type"]]) < UTTERANCES_A_ROUTE:
                found[row["task_type"]].append(row["text"])
    return dict(found)


if __name__ == "__main__":
    main()
