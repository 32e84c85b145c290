"""The function's settings: environment variables, read once and refused with their name when they are unusable."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass

_ZONE_ID = re.compile(r"[a-z]{3,4}[0-9]-(?:[a-z0-9]+-)?az[0-9]+")
_ENDPOINT_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_TAG_KEY = re.compile(
    r"[\w .:/=+@-]{1,128}"
)  # docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_TELLS_US = "apprunner-guardrails:"  # tags that begin with it bind and exempt: people put them, we never do
_OWN_TAG = "the key of a tag that begins neither with aws: nor with apprunner-guardrails:, or nothing"
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_QUEUE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9_.-]+)+")


KEY_LENGTH = 127  # of a tag that we put: docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-tags.html
ANY_TAG = "*"  # at least one tag has to be there, whatever it is; AWS's own (aws:…) do not count


class Policy(StrEnum):
    """What sync may do with the targets of a group: whatever is right, only add to them, or only say what is wrong."""

    SYNC = "sync"
    REGISTER_ONLY = "register-only"
    REPORT_ONLY = "report-only"


class BadSettings(ValueError):
    """An environment variable cannot be used; the text names it, what it holds and what it takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    alert_topic_arn: str
    findings_table: str
    chat_topic_arn: str = ""  # empty: no chat
    security_hub: bool = False
    reminder_days: int = 7  # 0: never
    digest_hour: int | None = 7  # UTC; None: no digest
    rule_overrides: Mapping[str, Severity | None] = field(default_factory=dict)  # by rule id; None: switched off
    min_connector_zones: int = 3
    unsupported_zone_ids: tuple[str, ...] = ("use1-az3",)
    min_free_addresses: int = 8
    required_endpoint_services: tuple[str, ...] = ()
    require_internet_egress: bool = True
    require_vpc_egress: bool = False
    require_private_ingress: bool = False
    require_observability: bool = False
    max_unhealthy_threshold: int = 0  # failed health checks in a row; 0: any number
    required_address_type: str = ""  # IPV4, DUAL_STACK; empty: either
    required_tags: tuple[str, ...] = ()  # keys; or ANY_TAG alone
    require_api_access_logs: bool = False
    require_api_tracing: bool = False
    require_api_authorization: bool = False
    vpc_link_wait_minutes: int = 15  # until a VPC link that is still pending is a finding
    sync_policy: Policy = Policy.SYNC
    sync_queue_url: str = ""  # the queue of what target sync comes back to; empty: it does not come back by itself
    sync_wait_minutes: int = 15  # until a target that is held, or is not yet healthy, is a finding
    drain_deleted_endpoints: bool = False
    created_by_tag: str = "created-by"  # keys of ownership tags; empty: that tag is not put
    created_at_tag: str = "created-at"
    created_with_tag: str = "created-with"
    default_tags: Mapping[str, str] = field(default_factory=dict)  # beside those, on whatever is created
    emails_in_tags: bool = False  # whether tags may hold e-mail addresses
    tag_queue_url: str = ""  # the queue of what tagging comes back to; empty: it does not come back
    member_role_name: str = ""  # of the role to assume in other accounts and Regions; empty: there are none
    member_external_id: str = ""

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Settings from environment variables. Unset ones have their defaults; a list that is set to nothing is empty.

        Raises BadSettings.
        """
        read, default = _Reader(environment), cls(alert_topic_arn="", findings_table="")
        return cls(
            alert_topic_arn=read.required("ALERT_TOPIC_ARN", _topic_arn, "the ARN of an SNS topic"),
            findings_table=read.required("FINDINGS_TABLE", _table, "the name of a DynamoDB table"),
            chat_topic_arn=read(
                "CHAT_TOPIC_ARN", _or_nothing(_topic_arn), "the ARN of an SNS topic, or nothing", default.chat_topic_arn
            ),
            security_hub=read("SECURITY_HUB", _truth, "true or false", default.security_hub),
            reminder_days=read(
                "REMINDER_DAYS", _number(0, 365), "a whole number of days from 0 (never) to 365", default.reminder_days
            ),
            digest_hour=read(
                "DIGEST_HOUR", _hour, "an hour of the day in UTC from 0 to 23, or off", _Hour(default.digest_hour)
            ).hour,
            rule_overrides=read(
                "RULE_OVERRIDES",
                _overrides,
                'a JSON object such as {"AR101": "off", "AR203": "HIGH"}: rule ids with off or'
                f" {', '.join(Severity)}",
                default.rule_overrides,
            ),
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
            require_vpc_egress=read("REQUIRE_VPC_EGRESS", _truth, "true or false", default.require_vpc_egress),
            require_private_ingress=read(
                "REQUIRE_PRIVATE_INGRESS", _truth, "true or false", default.require_private_ingress
            ),
            require_observability=read("REQUIRE_OBSERVABILITY", _truth, "true or false", default.require_observability),
            max_unhealthy_threshold=read(
                "MAX_UNHEALTHY_THRESHOLD",
                _number(0, 20),
                "a whole number from 1 to 20, or 0 for any",
                default.max_unhealthy_threshold,
            ),
            required_address_type=read(
                "REQUIRED_ADDRESS_TYPE", _address_type, "IPV4, DUAL_STACK or nothing", default.required_address_type
            ),
            required_tags=read(
                "REQUIRED_TAGS",
                _tag_keys,
                "keys of tags separated by commas, * for any one, or nothing",
                default.required_tags,
            ),
            require_api_access_logs=read(
                "REQUIRE_API_ACCESS_LOGS", _truth, "true or false", default.require_api_access_logs
            ),
            require_api_tracing=read("REQUIRE_API_TRACING", _truth, "true or false", default.require_api_tracing),
            require_api_authorization=read(
                "REQUIRE_API_AUTHORIZATION", _truth, "true or false", default.require_api_authorization
            ),
            vpc_link_wait_minutes=read(
                "VPC_LINK_WAIT_MINUTES",
                _number(1, 1440),
                "a whole number of minutes from 1 to 1440",
                default.vpc_link_wait_minutes,
            ),
            sync_policy=read("SYNC_POLICY", _policy, "sync, register-only or report-only", default.sync_policy),
            sync_queue_url=read(
                "SYNC_QUEUE_URL", _or_nothing(_queue_url), "the URL of an SQS queue, or nothing", default.sync_queue_url
            ),
            sync_wait_minutes=read(
                "SYNC_WAIT_MINUTES",
                _number(1, 1440),
                "a whole number of minutes from 1 to 1440",
                default.sync_wait_minutes,
            ),
            drain_deleted_endpoints=read(
                "DRAIN_DELETED_ENDPOINTS", _truth, "true or false", default.drain_deleted_endpoints
            ),
            created_by_tag=read("CREATED_BY_TAG", _own_tag, _OWN_TAG, default.created_by_tag),
            created_at_tag=read("CREATED_AT_TAG", _own_tag, _OWN_TAG, default.created_at_tag),
            created_with_tag=read("CREATED_WITH_TAG", _own_tag, _OWN_TAG, default.created_with_tag),
            default_tags=read(
                "DEFAULT_TAGS",
                _tags,
                'a JSON object of texts such as {"team": "platform"}, whose keys do not begin with'
                " apprunner-guardrails:",
                default.default_tags,
            ),
            emails_in_tags=read("EMAILS_IN_TAGS", _truth, "true or false", default.emails_in_tags),
            tag_queue_url=read(
                "TAG_QUEUE_URL", _or_nothing(_queue_url), "the URL of an SQS queue, or nothing", default.tag_queue_url
            ),
            member_role_name=read(
                "MEMBER_ROLE_NAME",
                _or_nothing(_role_name),
                "the name of an IAM role, or nothing",
                default.member_role_name,
            ),
            member_external_id=read(
                "MEMBER_EXTERNAL_ID",
                _or_nothing(_external_id),
                "an external id, or nothing",
                default.member_external_id,
            ),
        )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__[T](self, name: str, parse: Callable[[str], T | None], takes: str, default: T) -> T:
        return self.required(name, parse, takes) if name in self._environment else default

    def required[T](self, name: str, parse: Callable[[str], T | None], takes: str) -> T:
        raw = self._environment.get(name, "").strip()
        try:
            value = parse(raw)
        except _Entry as entry:
            raise BadSettings(f"environment variable {name}: {entry}; it takes {takes}") from entry
        if value is None:
            holds = f"is {raw[:200]!r}" if raw else "is not set"
            raise BadSettings(f"environment variable {name} {holds}; it takes {takes}")
        return value


@dataclass(frozen=True, slots=True)
class _Hour:
    """None stands for "cannot be used" while a value is parsed, so an hour that is switched off needs a box."""

    hour: int | None


def _hour(raw: str) -> _Hour | None:
    if raw == "off":
        return _Hour(None)
    hour = _number(0, 23)(raw)
    return None if hour is None else _Hour(hour)


def _overrides(raw: str) -> Mapping[str, Severity | None] | None:
    chosen = _object(raw)
    return None if chosen is None else {rule: _override(rule, value) for rule, value in sorted(chosen.items())}


def _object(raw: str) -> Mapping[str, object] | None:
    """A JSON object; None for other JSON. Nothing is an empty one."""
    try:
        chosen = json.loads(raw or "{}", object_pairs_hook=_without_repeats)
    except RecursionError as odd:
        raise _Entry("it is nested too deeply") from odd
    except ValueError as odd:
        raise _Entry(str(odd)) from odd
    return chosen if isinstance(chosen, dict) else None


def _tags(raw: str) -> Mapping[str, str] | None:
    tags = _object(raw)
    return None if tags is None else {key: _tag(key, value) for key, value in sorted(tags.items())}


def _tag(key: str, value: object) -> str:
    if not key.strip() or key.strip().lower().startswith(_TELLS_US):
        raise _Entry(f"{key[:50]!r} cannot be the key of a default tag")
    if not isinstance(value, str):
        raise _Entry(f"{key[:50]} is {repr(value)[:50]}, which is no text")
    return value


def _override(rule: str, value: object) -> Severity | None:
    if not re.fullmatch(r"AR[1-9][0-9]{2}", rule):
        raise _Entry(f"{rule[:50]!r} is not a rule's id")
    if value == "off":
        return None
    if value in list(Severity):
        return Severity(str(value))
    raise _Entry(f"{rule} is {repr(value)[:50]}")


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    chosen = dict(pairs)
    if len(chosen) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Entry(f"{next(name for name in names if names.count(name) > 1)[:50]!r} is named twice")
    return chosen


class _Entry(ValueError):
    """One entry of a value cannot be used; the text says which, and how."""


def _table(raw: str) -> str | None:
    return raw if re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", raw) else None


def _or_nothing(parse: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda raw: parse(raw) if raw else ""


def _topic_arn(raw: str) -> str | None:
    return raw if _TOPIC_ARN.fullmatch(raw) else None


def _queue_url(raw: str) -> str | None:
    return raw if _QUEUE_URL.fullmatch(raw) else None


def _role_name(raw: str) -> str | None:
    return raw if re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,64}", raw) else None


def _external_id(raw: str) -> str | None:
    """docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    return raw if re.fullmatch(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", raw) else None


def _tag_keys(raw: str) -> tuple[str, ...] | None:
    return (ANY_TAG,) if raw == ANY_TAG else _names(_TAG_KEY)(raw)


def _own_tag(raw: str) -> str | None:
    if len(raw) > KEY_LENGTH:
        raise _Entry(f"{raw[:50]!r} and so on is longer than {KEY_LENGTH} characters")
    mine = raw == "" or (_TAG_KEY.fullmatch(raw) and not raw.lower().startswith(("aws:", _TELLS_US)))
    return raw if mine else None


def _address_type(raw: str) -> str | None:
    return raw if raw in ("", "IPV4", "DUAL_STACK") else None


def _policy(raw: str) -> Policy | None:
    return Policy(raw) if raw in list(Policy) else None


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
