"""Lines are read while another process writes them."""

from pathlib import Path

from runner.agents.events import Message
from runner.agents.scripted import ScriptedAgent
from runner.sessions.tail import LONGEST_LINE, Tail


def test_a_tail_gives_whole_lines_only(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "out")
    (tmp_path / "out").write_bytes(b"one\ntw")
    assert tail.read() == (["one"], True)
    assert tail.read() == ([], False)
    with (tmp_path / "out").open("ab") as file:
        file.write(b"o\xff\n")
    assert tail.read() == (["two\ufffd"], True)


def test_a_tail_gives_up_a_line_without_end(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        file.truncate(2 * LONGEST_LINE)
        file.seek(0, 2)
        file.write(b'\n{"event": "Message", "text": "after"}\n')
    tail, lines = Tail(tmp_path / "out"), list[str]()
    while (read := tail.read())[1]:
        lines += read[0]
    assert ScriptedAgent({}).parse(lines[-1]) == [Message("after")]
