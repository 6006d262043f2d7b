"""The report and the card of a version."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from router.journal.journal import Journal
from router.labels import Platform
from router.model.registry import Registry
from router.schemas import Feedback
from router.service import Router
from training import plots

from .conftest import Typed, few_rows, write_rows

SECTIONS = (
    "Compared on the same rows", "What is taken for what", "Does it know when it is right?", "Would more rows help?",
    "Worst mistakes", "What it learnt from", "Where it comes from",
)  # fmt: skip


class Page(HTMLParser):
    """Collects tags, and what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in {"src", "srcset"} and value]
        self.fetched += [str(v) for n, v in attrs if tag in {"link", "use", "image"} and n.endswith("href") and v]


@pytest.fixture
def golden_file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "golden.jsonl", few_rows(30)[5::6])


def test_the_report_shows_everything_and_fetches_nothing(
    typed: Typed, models: Registry, data_file: Path, golden_file: Path
) -> None:
    words = ("--data", str(data_file), "--golden", str(golden_file), "--journal", "none", "--promote", "never")
    code, out, err = typed(*words, "--json")
    assert code == 0, err
    path = Path(json.loads(out)["report"])
    text = path.read_text()
    page = Page(text)
    assert page.tags.count("svg") == 6
    assert all(one.startswith(("#", "data:")) for one in page.fetched)
    assert "@import" not in text
    for title in SECTIONS:
        assert f"<h2>{title}</h2>" in text
    assert "seed&#x27;s rules" in text
    assert "against served" in text
    card = (path.parent / "MODEL_CARD.md").read_text()
    assert "| platform accuracy |" in card
    assert "train-router eval --data" in card
    manifest = json.loads((path.parent / "manifest.json").read_text())
    assert {"report.html", "MODEL_CARD.md"} <= set(manifest["files"])
    version = json.loads(out)["version"]
    assert typed("report", version)[1].strip() == str(path)


def test_what_people_typed_is_text_in_the_report_and_never_markup(
    typed: Typed, data_file: Path, tmp_path: Path
) -> None:
    evil = '<script>alert(1)</script> & "quotes"'
    golden = write_rows(tmp_path / "evil.jsonl", [{"text": evil, "task_type": name} for name in ("refactor",)])
    words = ("--data", str(data_file), "--golden", str(golden), "--journal", "none", "--promote", "never", "--json")
    code, out, err = typed(*words)
    assert code == 0, err
    text = Path(json.loads(out)["report"]).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text or "0 of 1 rows are wrong" in text


def test_without_matplotlib_the_report_has_tables_and_says_so(
    typed: Typed, data_file: Path, golden_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "available", lambda: False)
    words = ("--data", str(data_file), "--golden", str(golden_file), "--journal", "none", "--promote", "never")
    code, out, err = typed(*words, "--json")
    assert code == 0, err
    page = Path(json.loads(out)["report"]).read_text()
    assert "Plots need matplotlib" in page
    assert "<svg" not in page
    assert "Worst mistakes" in page


def test_what_was_logged_is_shown_and_weighs_in_the_verdict(
    typed: Typed, models: Registry, data_file: Path, golden_file: Path, tmp_path: Path
) -> None:
    """The user has named codex for everything: a model that never learnt so is as good on the golden set alone."""
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    router = Router(models, Journal(url))
    for number, row in enumerate(few_rows(4)):
        decision = router.route(f"in the storybook: {row['text']} ({'abcdefghij'[number % 10]})")
        router.record_feedback(Feedback(decision_id=decision.decision_id, platform=Platform.CODEX))
    router.close()
    words = ("--data", str(data_file), "--golden", str(golden_file), "--promote", "never", "--journal", url)
    code, out, err = typed(*words, "--json")
    assert code == 0, err
    body = json.loads(out)
    logged = body["scores"]["off_policy"]
    assert logged["enough"]
    assert logged["candidate"] > logged["champion"]
    assert "off-policy +" in body["reason"]
    assert "On what really happened" in Path(body["report"]).read_text()


def test_a_frozen_retrain_never_imports_torch(models: Registry, data_file: Path) -> None:
    program = (
        "import sys\n"
        "sys.argv = ['train-router', *sys.argv[1:]]\n"
        "from training.cli import app\n"
        "app(standalone_mode=False)\n"
        "loaded = {'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    words = ["--data", str(data_file), "--models-dir", str(models.root), "--journal", "none", "--promote", "never"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("count", [3, 150])
def test_a_confusion_matrix_stays_readable(count: int) -> None:
    import numpy as np

    from training.sections import MOST_LABELS, most_confused

    labels = [f"l{n}" for n in range(count)]
    pairs = [(labels[n], labels[(n * 7 + 1) % count]) for n in range(count)]
    kept, note = most_confused(labels, pairs)
    assert len(kept) == min(count, MOST_LABELS)
    assert len(most_confused(labels, [])[0]) == len(kept)
    assert bool(note) is (count > MOST_LABELS)
    drawing = plots.confusion(kept, np.eye(len(kept), dtype=np.int64))
    assert len(re.findall("<text", drawing)) >= len(kept)


@pytest.mark.parametrize("length", [1, 40, 400])
def test_long_names_are_cut_and_leave_room_for_the_plot(length: int) -> None:
    import numpy as np

    names = [f"{'a' * length}{n}" for n in range(3)]
    drawn = [
        plots.confusion(names, np.eye(3, dtype=np.int64)),
        plots.bars({name: {f"{name}-{n}": n + 1 for n in range(20)} for name in names}),
    ]  # a plot without room is a warning, which fails the test
    assert all(text.startswith("<svg") for text in drawn)
    assert all(("…" in text) is (length > 32) for text in drawn)


def test_many_sources_are_summed_up_by_the_beginning_of_their_names() -> None:
    drawing = plots.bars({"debug": {f"sessions-{'ab'[n % 2]}-project{n}": 2 for n in range(30)}, "test": {"mine": 1}})
    assert all(f">{name}<" in drawing for name in ("sessions-a", "sessions-b", "mine"))
    assert "project" not in drawing
    assert "others" not in drawing
    plain = plots.bars({"debug": {f"source{n}": 1 for n in range(30)}})
    assert ">18 others<" in plain


@pytest.fixture(autouse=True)
def _quiet_matplotlib(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is said about missing fonts or fallbacks."""
    yield
    assert not [record for record in caplog.records if record.name.startswith("matplotlib") and record.levelno >= 30]
