"""Whether the service's memory grows over 100,000 requests.

    python -m benchmarks.soak [--requests 100000] [--repeats 0.9]

A share of `repeats` is of tasks asked before, which the cache answers: with new tasks alone the encoder would take ten
minutes, and it holds nothing between two calls. Prints resident memory after each tenth.
"""

import argparse

from benchmarks.overload import storm
from benchmarks.services import resident_mb, router_service

TENTHS = 10
LONGEST_S = 600
"""For one tenth."""


def main() -> None:
    """Ask, and say how much is held."""
    parser = argparse.ArgumentParser(description="Memory of the router service.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--repeats", type=float, default=0.9)
    options = parser.parse_args()
    asked = 0
    with router_service() as (url, process):
        for tenth in range(TENTHS):
            found = storm(
                url, "--repeats", str(options.repeats), "--requests", str(options.requests // TENTHS),
                "--seconds", str(LONGEST_S), "--seed", str(tenth),
            )  # fmt: skip
            answers = {status: len(times) for status, times in found["answers"].items()}
            asked += sum(answers.values())
            print(f"{asked:>9,} requests: {resident_mb(process):.1f} MB; {answers}, {len(found['broken'])} broken",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
