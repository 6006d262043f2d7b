"""Reading the lines that are added to a file."""

from dataclasses import dataclass, field
from pathlib import Path

LONGEST_LINE = 16 * 1024**2
"""A longer line is given up; all output stays in the file."""


@dataclass
class Tail:
    """Reads a file line by line while another process writes it."""

    path: Path
    offset: int = 0
    """Bytes read up to now."""
    _rest: bytes = field(default=b"", repr=False)

    def read(self) -> tuple[list[str], bool]:
        """Return the lines completed since the last call, and whether anything came at all."""
        lines, came = self.read_placed()
        return [line for _, line in lines], came

    def read_placed(self) -> tuple[list[tuple[int, str]], bool]:
        """The same, each line with the offset that follows it."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            new = file.read(LONGEST_LINE)
        place = self.offset - len(self._rest)
        self.offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        placed = []
        for line in lines:
            place += len(line) + 1
            placed.append((place, line.decode(errors="replace")))
        return placed, bool(new)

    def read_last(self) -> list[tuple[int, str]]:
        """Return what follows the last line break, once nothing more will come."""
        rest, self._rest = self._rest, b""
        return [(self.offset, rest.decode(errors="replace"))] if rest else []
