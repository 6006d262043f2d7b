"""Whether a merge that git calls clean kept the work of both sides.

Git asks nobody where the repository's own merge drivers or a recorded resolution choose one side.
"""

from dataclasses import dataclass

from runner.checkout.git import Git


@dataclass(frozen=True)
class Merge:
    """A merge commit and what went into it."""

    base: str
    """The commit that both sides began from."""
    ours: str
    theirs: str
    merged: str


def lost(git: Git, merge: Merge) -> list[str]:
    """Return the paths of which the merged commit does not hold what a side made of them; empty is good."""
    ours, theirs = _changed(git, merge.base, merge.ours), _changed(git, merge.base, merge.theirs)
    shared = (ours.keys() & theirs.keys()) | _moved(git, merge, ours, theirs)
    missing = (_changed(git, merge.ours, merge.merged).keys() & (ours.keys() - shared)) | (
        _changed(git, merge.theirs, merge.merged).keys() & (theirs.keys() - shared)
    )
    if not shared:
        return sorted(missing)
    kept = _lines(git, merge.merged, shared)
    for side in (merge.ours, merge.theirs):
        missing |= {path for path, lines in _added(git, merge.base, side, shared).items() if not lines <= kept}
    return sorted(missing)


def _changed(git: Git, before: str, after: str) -> dict[str, str]:
    """What was done to each path: `A`dded, `D`eleted, `M`odified; a moved file is deleted and added."""
    told = git("diff", "--name-status", "--no-renames", "-z", before, after).split("\0")
    return dict(zip(told[1::2], told[::2], strict=False))


def _moved(git: Git, merge: Merge, ours: dict[str, str], theirs: dict[str, str]) -> set[str]:
    """Where one side moved files that the other changed: their contents meet there."""
    found: set[str] = set()
    for side, own, others in ((merge.ours, ours, theirs), (merge.theirs, theirs, ours)):
        if not {"A", "D"} <= set(own.values()):
            continue
        told = git("diff", "--name-status", "--find-renames", "--diff-filter=R", "-z", merge.base, side).split("\0")
        found |= {
            path for old, new in zip(told[1::3], told[2::3], strict=False) if old in others for path in (old, new)
        }
    return found


def _added(git: Git, base: str, side: str, shared: set[str]) -> dict[str, set[str]]:
    """The lines that a side added to each file; of a binary file, its whole content as one."""
    return {path: _text(git, side, path) - _text(git, base, path) for path in shared}


def _lines(git: Git, commit: str, paths: set[str]) -> set[str]:
    return set().union(*(_text(git, commit, path) for path in paths))


def _text(git: Git, commit: str, path: str) -> set[str]:
    """The lines of a file, without what ends them; none where the commit has no such file."""
    name = f"{commit}:{path}"
    if not git.succeeds("cat-file", "-e", name):
        return set()
    return {line.rstrip("\r") for line in git("cat-file", "-p", name).split("\n")}
