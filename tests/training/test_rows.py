"""Reading labelled rows."""

import json
from pathlib import Path

import pytest

from training.errors import DataError
from training.rows import Row, digest, normalised, read, share
from training.split import split


def write(folder: Path, *lines: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_rows_are_read_and_extra_keys_ignored(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"text": "fix it", "task_type": "debug", "also": ["implement", "debug"], "mood": 3}, "",
        {"text": "run it", "platform": "codex"},
    )  # fmt: skip
    first, second = read([path])
    assert (first.task_type, first.also) == ("debug", ("implement",))
    assert (second.task_type, second.platform, second.distribution()) == (None, "codex", {})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[]", 'needs a "text"'),
        ('{"text": " ", "task_type": "debug"}', 'needs a "text"'),
        ('{"text": "x"}', 'needs a "task_type"'),
        ('{"text": "x", "task_type": "dance"}', "'dance' is no label"),
        ('{"text": "x", "task_type": "debug", "also": "test"}', '"also" must be a list'),
        ('{"text": "x", "task_type": "debug", "also": [3]}', "3 is no label"),
        ('{"text": "x \\ud800", "task_type": "debug"}', "half a character"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_reason(tmp_path: Path, line: str, said: str) -> None:
    path = write(tmp_path, {"text": "fine", "task_type": "debug"}, line)
    with pytest.raises(DataError) as caught:
        read([path])
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)


def test_files_that_can_t_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: can't be read"):
        read([tmp_path / "none.jsonl"])
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read([tmp_path / "bytes.jsonl"])


def test_one_text_with_two_labels_is_refused_unless_one_is_defensible(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r":2: 'x ' is labelled test, but debug in .*:1"):
        read([write(tmp_path, {"text": "x", "task_type": "debug"}, {"text": "x ", "task_type": "test"})])
    assert read(
        [write(tmp_path, {"text": "x", "task_type": "debug"}, {"text": "x", "task_type": "test", "also": ["debug"]})]
    )


def test_readers_count_alike_and_defensible_types_share_the_rest() -> None:
    assert Row("x", "debug").distribution() == {"debug": 1.0}
    both = Row("x", "debug", also=("test",), second_reading="test").distribution()
    assert both == {"test": pytest.approx(0.65), "debug": pytest.approx(0.35)}


def test_near_copies_and_neighbours_share_a_group(tmp_path: Path) -> None:
    rows = [{"text": f"task {n}", "task_type": "test", "source": "w"} for n in range(41)]
    read_rows = read([write(tmp_path, *rows)])
    assert len({row.group for row in read_rows}) == 3
    plain = read(
        [write(tmp_path, {"text": "Fix bug 12!", "task_type": "test"}, {"text": "fix bug 9", "task_type": "test"})]
    )
    assert plain[0].group == plain[1].group


def test_texts_without_letters_keep_themselves() -> None:
    assert normalised(" 123 ") == "123"


def test_splits_depend_on_the_group_alone_and_no_group_is_on_two_sides() -> None:
    rows = [Row(f"t{n}", "test", group=f"g{n // 3}") for n in range(600)]
    parts = split(rows)
    again = split(list(reversed(rows)))
    groups = [{row.group for row in part} for part in (parts.train, parts.calibration, parts.held_out)]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert {row.text for row in parts.held_out} == {row.text for row in again.held_out}
    assert 0.04 < len(parts.held_out) / 600 < 0.12
    assert 0 <= share("g1") < 1


def test_golden_rows_judge_and_are_never_learnt() -> None:
    rows = [Row(f"t{n}", "test", group=f"g{n}") for n in range(100)]
    parts = split(rows, golden=[Row("t3", "debug"), Row("other", "debug")])
    assert [row.text for row in parts.held_out] == ["t3", "other"]
    assert "t3" not in {row.text for row in [*parts.train, *parts.calibration]}


def test_the_digest_follows_text_label_and_weight() -> None:
    one = [Row("x", "debug")]
    assert digest(one) == digest([Row("x", "debug", group="elsewhere")])
    assert digest(one) != digest([Row("x", "test")])
    assert digest(one) != digest([Row("x", "debug", weight=2.0)])


def test_rows_marked_skip_are_left_out_and_line_separators_inside_a_text_are_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a\u2028b", "label": "debug", "weight": 3}\n{"text": "c", "skip": true}\n')
    (row,) = read([path])
    assert (row.text, row.task_type, row.weight) == ("a\u2028b", "debug", 3.0)
