"""The time at which an allowance is there again is read from what the programs say."""

from datetime import UTC, datetime

import pytest

from runner.agents.resets import read_reset

NOW = datetime(2026, 11, 24, 10, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("Claude AI usage limit reached|1795514400", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)),
        ("You've hit your session limit · resets 3pm (UTC)", datetime(2026, 11, 24, 15, 0, tzinfo=UTC)),
        ("5-hour limit reached · resets 3:45pm (Europe/Berlin)", datetime(2026, 11, 24, 14, 45, tzinfo=UTC)),
        ("limit · resets Nov 26, 9am (UTC)", datetime(2026, 11, 26, 9, 0, tzinfo=UTC)),
        ("limit · resets Jan 2, 9am (UTC)", datetime(2027, 1, 2, 9, 0, tzinfo=UTC)),
        ("usage limit. Upgrade or try again at 11:54 AM.", datetime(2026, 11, 24, 11, 54, tzinfo=UTC)),
        ("try again at 10:30 AM.", datetime(2026, 11, 24, 10, 30, tzinfo=UTC)),
        ("try again at 9:00 AM.", datetime(2026, 11, 25, 9, 0, tzinfo=UTC)),
        ("try again at 12:05 AM.", datetime(2026, 11, 25, 0, 5, tzinfo=UTC)),
        ("try again at Nov 26th, 2026 3:45 PM.", datetime(2026, 11, 26, 15, 45, tzinfo=UTC)),
        ("resets 3pm (No/Where)", datetime(2026, 11, 24, 15, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(text: str, reset: datetime) -> None:
    assert read_reset(text, NOW) == reset.timestamp()


@pytest.mark.parametrize(
    "text", ["", "try again later", "resets soon", "resets Feb 31, 3pm (UTC)", "resets Xyz 3, 3pm"]
)
def test_where_none_is_named_there_is_none(text: str) -> None:
    assert read_reset(text, NOW) is None
