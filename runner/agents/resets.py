"""When an allowance is there again, as the programs say it to people: there is no field for it everywhere."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STAMP = re.compile(r"\|(\d{10})\b")
_TIME = re.compile(
    r"(?:resets|try again)(?: at)? (?:(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2})(?:st|nd|rd|th)?,? )?"
    r"(?:(?P<year>\d{4}),? )?(?:at )?(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[AaPp])\.?[Mm]"
    r"(?:\.? \((?P<zone>[\w/+-]+)\))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_reset(text: str, now: datetime) -> float | None:
    """Return the time that `text` names, in seconds since 1970; None where it names none.

    A time of day without a date is the next one after `now`; one without a zone is in the zone of `now`.
    """
    if stamp := _STAMP.search(text):
        return float(stamp[1])
    found = _TIME.search(text)
    if not found:
        return None
    here = now.astimezone(_zone(found["zone"], now))
    try:
        return _moment(found, here).timestamp()
    except ValueError:
        return None


def _moment(found: re.Match[str], here: datetime) -> datetime:
    hour = int(found["hour"]) % 12 + (12 if found["half"] in "Pp" else 0)
    moment = here.replace(hour=hour, minute=int(found["minute"] or 0), second=0, microsecond=0)
    if not found["month"]:
        # Minutes are not told to the second: within the last one it means now.
        return moment if moment > here - timedelta(minutes=1) else moment + timedelta(days=1)
    dated = moment.replace(month=_MONTHS.index(found["month"]) + 1, day=int(found["day"]))
    if found["year"]:
        return dated.replace(year=int(found["year"]))
    return dated if dated > here - timedelta(days=1) else dated.replace(year=here.year + 1)


def _zone(name: str | None, now: datetime) -> tzinfo:
    try:
        return ZoneInfo(name) if name else now.tzinfo or UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
