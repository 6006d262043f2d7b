"""What `train-router` is asked for, and the job that follows: which files, which journal, which golden set."""

from dataclasses import dataclass
from pathlib import Path

from router.errors import ArtifactError
from router.journal.journal import Journal
from router.model.artifact import Model
from router.model.registry import Registry
from router.settings import Settings, in_checkout
from training.encoders import SERVED
from training.errors import DataError, GoldenChanged
from training.evidence import Evidence, collect, emphasise
from training.finetune import Recipe
from training.job import Job
from training.rows import Row, digest, read
from training.taxonomy import SHIPPED, Taxonomy

CHECKOUT_DATA = Path(__file__).parent.parent / "data"
WHEEL_DATA = Path(__file__).parent / "shipped"
SEED_FILES = ("seed_tasks.jsonl", "ambiguous_tasks.jsonl", "session_tasks.jsonl", "out_of_scope.jsonl")
GOLDEN_FILE = "golden.jsonl"
SEED, NO_JOURNAL = "seed", "none"
"""Words that `--data` and `--journal` take."""


@dataclass(frozen=True)
class Request:
    """The command line's options."""

    data: list[Path] | None
    golden: Path | None
    labels: Path | None
    journal: str | None
    models_dir: Path | None
    encoder: str
    base: str | None
    promote: str
    seed: int
    as_json: bool


def shipped_data() -> Path:
    """The folder of the data that came with the program."""
    return CHECKOUT_DATA if in_checkout() else WHEEL_DATA


def job_of(request: Request, versions: Registry) -> Job:
    """Read everything that a request names.

    Raises:
        DataError: a file is wrong.
        GoldenChanged: the golden set was edited.
        JournalError: the journal can't be read.
    """
    taxonomy = Taxonomy.open(request.labels) if request.labels else SHIPPED
    if request.labels and not request.data:
        raise DataError(request.labels, 0, "the seed data has other labels; name rows of these with --data")
    rows = read(_files(request), taxonomy)
    going_on = request.encoder == "finetune" and request.base in {None, SERVED} and taxonomy is SHIPPED
    return Job(
        rows=rows,
        golden=_golden(request, versions, taxonomy),
        evidence=_evidence(request.journal, taxonomy),
        known=read(_seed_files()) if going_on else (),
        encoder=request.encoder,
        base=request.base,
        taxonomy=taxonomy,
        lender=None if versions.current() else _lender(),
        recipe=Recipe(seed=request.seed),
    )


def _files(request: Request) -> list[Path]:
    """The files to learn from: those named, `seed` standing for the shipped ones."""
    named = request.data or [Path(SEED)]
    return [file for path in named for file in (_seed_files() if str(path) == SEED else [path])]


def _seed_files() -> list[Path]:
    return [shipped_data() / name for name in SEED_FILES]


def _golden(request: Request, versions: Registry, taxonomy: Taxonomy) -> list[Row]:
    """The rows that judge: those named, else the shipped ones where the shipped data is learnt from."""
    path = request.golden or shipped_data() / GOLDEN_FILE
    seeded = request.data is None or Path(SEED) in request.data
    if request.golden is None and not (seeded and path.is_file()):
        return []
    rows = read([path], taxonomy)
    current = versions.current()
    expected = next((m.golden_digest for m in versions.versions() if m.version == current), None)
    if request.golden is None and expected not in {None, digest(rows)}:
        raise GoldenChanged(path, digest(rows), str(expected))
    return rows


def _evidence(journal_url: str | None, taxonomy: Taxonomy) -> list[Evidence]:
    """What the journal teaches; nothing where the labels have no platforms to learn about."""
    if journal_url == NO_JOURNAL or (taxonomy is not SHIPPED and not taxonomy.platforms):
        return []
    journal = Journal(journal_url or Settings().journal_url())
    try:
        found = [one for one in collect(journal) if one.task_type is None or one.task_type in taxonomy.names]
        return emphasise(found)
    finally:
        journal.close()


def _lender() -> Model | None:
    """The model that the settings name: a new models folder borrows its encoder."""
    try:
        return Registry.of(Settings()).load_current()
    except ArtifactError:
        return None
