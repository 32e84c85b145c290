"""Times as text. Pure: `datetime` and `time` also tell the hour, and are kept out of what decides."""

import re
from calendar import isleap, monthrange, timegm

DAY_SECONDS = 86_400
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,6})?Z")


def utc(seconds: int) -> str:
    """Seconds since 1970 as 2026-11-21T09:00:00Z."""
    days, rest = divmod(max(seconds, 0), DAY_SECONDS)
    year, month = 1970, 1
    while days >= (length := 365 + isleap(year)):
        days, year = days - length, year + 1
    while days >= (length := monthrange(year, month)[1]):
        days, month = days - length, month + 1
    return f"{year}-{month:02}-{days + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def seconds(iso: str) -> int | None:
    """2026-11-21T09:00:00Z as seconds since 1970, a fraction left out; None for what is no such time."""
    said = _ISO.fullmatch(iso)
    if said is None:
        return None
    try:
        found = timegm(tuple(map(int, said.groups())))
    except ValueError:  # a month or a year that there is not
        return None
    return found if utc(found)[:19] == iso[:19] else None  # a day or an hour that there is not becomes another
