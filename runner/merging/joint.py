"""What a task starts from that waits for several others: the work of all of them."""

from collections.abc import Sequence

from runner.checkout.worktree import Worktree
from runner.errors import Conflicting
from runner.lock import locked
from runner.merging.integration import Integration, Place


def join(place: Place, worker: str, commits: Sequence[str]) -> str:
    """Return the commit that holds all of `commits`, which `worker` waits for; merged in a checkout that goes again.

    Raises:
        Conflicting: they can't be merged by themselves.
        GitFailed, Busy: the checkout can't be made or used.
    """
    git = place.repository.git
    first, *others = git("merge-base", "--independent", *commits).split()
    if not others:
        return first
    path = place.archive.worktree(place.id, f"{worker}.base")
    with locked(place.archive.lock, place.lock_wait_s):
        git.succeeds("worktree", "remove", "--force", str(path))
        git("worktree", "add", "--quiet", "--detach", str(path), first)
    try:
        integration = Integration(Worktree(path, "HEAD", first, place.repository.root))
        conflicts = integration.merge((f"{other:.10}", other) for other in others)
        if conflicts:
            raise Conflicting(worker, [file for one in conflicts for file in one.files])
        return integration.git("rev-parse", "HEAD")
    finally:
        git.succeeds("worktree", "remove", "--force", str(path))
