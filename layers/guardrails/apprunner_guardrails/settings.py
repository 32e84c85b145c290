"""The function's settings: environment variables, read once and refused with their name when they are unusable."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_ZONE_ID = re.compile(r"[a-z]{3,4}[0-9]-(?:[a-z0-9]+-)?az[0-9]+")
_ENDPOINT_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")


class BadSettings(ValueError):
    """An environment variable cannot be used; the text names it, what it holds and what it takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    alert_topic_arn: str
    min_connector_zones: int = 3
    unsupported_zone_ids: tuple[str, ...] = ("use1-az3",)
    min_free_addresses: int = 8
    required_endpoint_services: tuple[str, ...] = ()
    require_internet_egress: bool = True

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Settings from environment variables. Unset ones have their defaults; a list that is set to nothing is empty.

        Raises BadSettings.
        """
        read, default = _Reader(environment), cls(alert_topic_arn="")
        return cls(
            alert_topic_arn=read.required("ALERT_TOPIC_ARN", _topic_arn, "the ARN of an SNS topic"),
            min_connector_zones=read(
                "MIN_CONNECTOR_ZONES", _number(1, 6), "a whole number from 1 to 6", default.min_connector_zones
            ),
            unsupported_zone_ids=read(
                "UNSUPPORTED_ZONE_IDS",
                _names(_ZONE_ID),
                "zone ids such as use1-az3, separated by commas",
                default.unsupported_zone_ids,
            ),
            min_free_addresses=read(
                "MIN_FREE_ADDRESSES", _number(0, 65536), "a whole number from 0 to 65536", default.min_free_addresses
            ),
            required_endpoint_services=read(
                "REQUIRED_ENDPOINT_SERVICES",
                _names(_ENDPOINT_SERVICE),
                "endpoint services such as secretsmanager or com.amazonaws.eu-west-1.s3, separated by commas",
                default.required_endpoint_services,
            ),
            require_internet_egress=read(
                "REQUIRE_INTERNET_EGRESS", _truth, "true or false", default.require_internet_egress
            ),
        )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__[T](self, name: str, parse: Callable[[str], T | None], takes: str, default: T) -> T:
        return self.required(name, parse, takes) if name in self._environment else default

    def required[T](self, name: str, parse: Callable[[str], T | None], takes: str) -> T:
        raw = self._environment.get(name, "").strip()
        value = parse(raw)
        if value is None:
            holds = f"is {raw[:200]!r}" if raw else "is not set"
            raise BadSettings(f"environment variable {name} {holds}; it takes {takes}")
        return value


def _topic_arn(raw: str) -> str | None:
    return raw if _TOPIC_ARN.fullmatch(raw) else None


def _number(low: int, high: int) -> Callable[[str], int | None]:
    def parse(raw: str) -> int | None:
        return int(raw) if re.fullmatch(r"[0-9]{1,9}", raw) and low <= int(raw) <= high else None

    return parse


def _names(pattern: re.Pattern[str]) -> Callable[[str], tuple[str, ...] | None]:
    def parse(raw: str) -> tuple[str, ...] | None:
        names = [name.strip() for name in raw.split(",") if name.strip()]
        return tuple(sorted(set(names))) if all(map(pattern.fullmatch, names)) else None

    return parse


def _truth(raw: str) -> bool | None:
    return {"true": True, "false": False}.get(raw.lower())
