"""What happens to one file: shown as a diff, then done at once or not at all."""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import StorageUnavailable
from runner.install.errors import ChangedMeanwhile

NOTHING = "/dev/null"


@dataclass(frozen=True)
class Change:
    """From `before` to `after`; None is no file."""

    path: Path
    before: bytes | None
    after: bytes | None

    @property
    def action(self) -> str:
        """`create`, `change` or `remove`."""
        if self.before is None:
            return "create"
        return "remove" if self.after is None else "change"

    def diff(self) -> Iterator[str]:
        """The lines of a unified diff, without line ends."""
        old, new = ((data or b"").decode(errors="replace").splitlines() for data in (self.before, self.after))
        from_name, to_name = (NOTHING if data is None else str(self.path) for data in (self.before, self.after))
        return difflib.unified_diff(old, new, from_name, to_name, lineterm="")

    def carry_out(self) -> None:
        """Do it.

        Raises:
            ChangedMeanwhile: the file is no longer `before`.
            StorageUnavailable: it can't be written.
        """
        if read_bytes(self.path) != self.before:
            raise ChangedMeanwhile(self.path)
        try:
            self._write()
        except OSError as error:
            raise StorageUnavailable(self.path, f"can't be written ({error.strerror})") from error

    def _write(self) -> None:
        if self.after is None:
            self.path.unlink()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A settings file may be a link into a folder of dotfiles, and readable by its owner alone.
        target = self.path.resolve()
        mode = target.stat().st_mode & 0o777 if self.before is not None else 0o644
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(self.after)
            draft.chmod(mode)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def read_bytes(path: Path) -> bytes | None:
    """A file's content; None where there is no file.

    Raises:
        StorageUnavailable: it is there and can't be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageUnavailable(path, f"can't be read ({error.strerror})") from error
