"""What a session adds up to."""

from runner.agents.events import Cause, FileChange, Finished, Limited, Message, NeedsInput, Retry, Started, Usage
from runner.sessions.tally import Tally


def test_a_tally_keeps_the_last_of_everything() -> None:
    tally = Tally()
    for event in (
        Started("s"),
        Message("a"),
        Retry("x"),
        Usage(1),
        Finished(ok=False, reason="no"),
        Message("b"),
        Usage(2),
    ):
        tally.add(event)
    tally.add(Finished(ok=True, reason="completed"))
    assert (tally.session_id, tally.message, tally.usage, tally.retries) == ("s", "b", Usage(2), 1)
    assert tally.finished == Finished(ok=True, reason="completed")


def test_a_tally_adds_conversations_and_replaces_within_one() -> None:
    tally = Tally()
    for event in (
        Usage(5, 0.5, 1),
        Usage(7, 0.7, 2),
        Finished(ok=False, reason="x", cause=Cause.OVERLOADED),
        Limited(9),
    ):
        tally.add(event)
    tally.begin(resumed=False)
    assert (tally.finished, tally.limited, tally.overloads) == (None, None, 1)
    tally.add(Usage(1, 0.25, 1))
    tally.add(NeedsInput("?"))
    assert (tally.usage, tally.turns, tally.question) == (Usage(8, 0.95, 3), 3, "?")
    tally.add(FileChange("a"))
    assert (tally.steps, tally.overloads) == (1, 0)
    tally.begin(resumed=False)
    tally.add(Usage(1))
    assert tally.usage == Usage(9)
