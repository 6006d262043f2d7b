"""Runs every benchmark in turn: `python -m benchmarks [--quick]`, which is `make bench`."""

import importlib.util
import subprocess
import sys

NAMES = ("route", "runner", "memory")
WITH_OPTIONS = frozenset({"route", "memory"})
"""Those that know `--quick`."""


def main() -> int:
    """Run them as processes of their own, so that none warms another up; 1 where one failed."""
    failed = []
    for name in NAMES:
        if importlib.util.find_spec(f"benchmarks.{name}") is None:
            continue
        options = sys.argv[1:] if name in WITH_OPTIONS else []
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
