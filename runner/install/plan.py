"""What installing or uninstalling would change, worked out before anything is touched."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.install.change import Change, read_bytes
from runner.install.configuration import Configuration
from runner.install.errors import ConfigurationUnusable
from runner.install.piece import File, Pieces, Setting
from runner.install.record import EditedFile, Record, WrittenFile, digest, write_record


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they are made."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    """What is left alone, and why; one sentence each."""
    record: Record
    """What is installed afterwards."""
    folders: tuple[Path, ...] = ()
    """Folders of ours that go when nothing is left in them, outermost first."""

    def carry_out(self, record_file: Path) -> None:
        """Make the changes; raises `ChangedMeanwhile` and `StorageUnavailable`.

        A record names more than there is rather than less: it is written before anything is added, and removed after
        everything is gone.
        """
        if not self.record.is_empty():
            write_record(record_file, self.record)
        for change in self.changes:
            change.carry_out()
        for folder in reversed(self.folders):
            with suppress(OSError):  # somebody put something in
                folder.rmdir()
        if self.record.is_empty():
            write_record(record_file, self.record)


def plan_install(pieces: Pieces, record: Record) -> Plan:
    """Plan to bring what is installed to `pieces`; files and settings of the user's own stay as they are."""
    changes, notes, files, edited = [], [], [], []
    owned = {written.path: written.sha256 for written in record.files}
    for file in pieces.files:
        change, note = _file(file, owned.get(file.path))
        changes += [change] if change else []
        notes += [note] if note else []
        if not note:
            files.append(WrittenFile(path=file.path, sha256=digest(file.content)))
    known = {entry.path: entry for entry in record.edited}
    for path, settings in pieces.settings.items():
        edit, change, more = _edit(path, settings, known.get(path))
        changes += [change] if change else []
        notes += more
        edited += [edit] if edit.settings else []
    wanted = {file.path for file in pieces.files} | set(pieces.settings)
    gone = _leave(record, wanted)
    created = (change.path for change in changes if change.before is None)
    folders = tuple(dict.fromkeys([*record.folders, *_missing_folders(created)]))
    return Plan((*gone.changes, *changes), (*notes, *gone.notes),
                Record(files=tuple(files), edited=tuple(edited), folders=folders))  # fmt: skip


def plan_uninstall(record: Record) -> Plan:
    """Plan to take away what a record names, and nothing else."""
    return _leave(record, frozenset())


def _leave(record: Record, wanted: Iterable[Path]) -> Plan:
    """Plan to take away everything but what lies at `wanted`."""
    kept, changes, notes = set(wanted), [], []
    for written in record.files:
        data = read_bytes(written.path)
        if written.path in kept or data is None:
            continue
        if digest(data) == written.sha256:
            changes.append(Change(written.path, data, None))
        else:
            notes.append(f"{written.path}: left alone, it was changed after it was installed")
    for entry in record.edited:
        if entry.path not in kept:
            text = _text(entry.path)
            restored = _without_ours(text, entry)
            changes += [] if restored == text else [_change(entry.path, text, restored)]
    return Plan(tuple(changes), tuple(notes), Record(), record.folders)


def _file(file: File, written: str | None) -> tuple[Change | None, str]:
    """What happens to a file of ours: a change, if any is needed, or a note that it is the user's."""
    found = read_bytes(file.path)
    if found is None:
        return Change(file.path, None, file.content), ""
    if digest(found) != written:
        why = "it was changed after it was installed" if written else "a file of this name is there already"
        return None, f"{file.path}: left alone, {why}"
    return (Change(file.path, found, file.content) if found != file.content else None), ""


def _edit(
    path: Path, settings: Sequence[Setting], known: EditedFile | None
) -> tuple[EditedFile, Change | None, list[str]]:
    """Add settings to what the file is without ours; the user's own of the same name win."""
    text, notes, added = _text(path), [], []
    before = _without_ours(text, known)
    configuration = Configuration(path, before)
    for setting in settings:
        if configuration.is_free(setting):
            configuration.add(setting)
            added.append(setting)
        elif not configuration.holds(setting):
            notes.append(f"{path}: {'.'.join(setting.place)} left alone, you have one of your own")
    if not added:
        after = before
    elif text is not None and Configuration(path, text).plain == configuration.plain:
        after = text  # another order of the same
    else:
        after = configuration.text()
    record = EditedFile(path=path, before=before, sha256=digest((after or "").encode()), settings=tuple(added))
    return record, (None if after == text else _change(path, text, after)), notes


def _without_ours(text: str | None, known: EditedFile | None) -> str | None:
    """The content as it would be had we added nothing."""
    if text is None or known is None:
        return text
    if digest(text.encode()) == known.sha256:
        return known.before
    configuration, kept = Configuration(known.path, text), Configuration(known.path, known.before)
    ours = [setting for setting in known.settings if configuration.holds(setting)]
    for setting in ours:
        configuration.remove(setting, kept)
    if known.before is None and not configuration.plain:
        return None
    return configuration.text() if ours else text


def _text(path: Path) -> str | None:
    data = read_bytes(path)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationUnusable(path, "it is not UTF-8") from error


def _change(path: Path, before: str | None, after: str | None) -> Change:
    return Change(path, *(None if text is None else text.encode() for text in (before, after)))


def _missing_folders(paths: Iterable[Path]) -> Iterator[Path]:
    """The folders that have to be made for `paths`, outermost first."""
    for path in paths:
        missing = [folder for folder in path.parents if not folder.exists()]
        yield from reversed(missing)
