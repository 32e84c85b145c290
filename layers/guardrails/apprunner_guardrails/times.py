"""Times as text. Pure: `datetime` and `time` also tell the hour, and are kept out of what decides."""

from calendar import isleap, monthrange

DAY_SECONDS = 86_400


def utc(seconds: int) -> str:
    """Seconds since 1970 as 2026-11-21T09:00:00Z."""
    days, rest = divmod(max(seconds, 0), DAY_SECONDS)
    year, month = 1970, 1
    while days >= (length := 365 + isleap(year)):
        days, year = days - length, year + 1
    while days >= (length := monthrange(year, month)[1]):
        days, month = days - length, month + 1
    return f"{year}-{month:02}-{days + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"
