"""What can be set of the emulated AWS: quotas, what AWS does not document, states that no call leads to, who is
refused. One for the process, as the clock is; a reset puts everything back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

DEFAULT_QUOTAS: Mapping[str, int] = {"services": 30, "connectors": 10, "connections": 10, "configurations": 10}
"""Of one account and Region (aws-facts 3). `configurations`: names of auto scaling, and of observability ones."""


@dataclass(kw_only=True)
class Settings:
    quotas: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    """What App Runner refuses to exceed, and what Service Quotas shows."""
    refuse_same_groups: bool = False
    """Refuse a connector with the security groups of another one: reported by users in 2022, unverified today."""
    tag_index_lag: float = 0.0
    """Emulated seconds until the Resource Groups Tagging API shows a change of App Runner tags."""
    interface_linger: float = 0.0
    """Emulated seconds that App Runner's interfaces stay in a VPC when no service needs them: not documented."""
    updates_without_effect: tuple[str, ...] = ()
    """Names of services, `*` allowed, whose updates succeed and leave their network as it was: reported by users
    (aws/apprunner-roadmap#168)."""
    states: dict[str, str] = field(default_factory=dict)
    """States that resources are said to be in, whatever happened to them:

    VPC link by id                FAILED, INACTIVE, PENDING …
    ingress connection by ARN     FAILED_DELETION, AVAILABLE …
    VPC connector by ARN          INACTIVE, or PURGED: not even described any more
    custom domain                 ACTIVE …, by the service's ARN, "/" and the domain's name
    """
    endpoint_unsupported_zone_ids: tuple[str, ...] = ()
    """Zones that App Runner's endpoint services lack. AWS publishes no list; DescribeVpcEndpointServices tells."""
    refuses_tags_during_operation: bool = False
    """Whether a service in OPERATION_IN_PROGRESS refuses TagResource and UntagResource: the model has
    InvalidStateException for them, and says no more."""
    appears_after: float = 0.0
    """Emulated seconds until a new App Runner resource, VPC endpoint, load balancer or target group is found by its
    ARN or id: AWS is eventually consistent."""
    lookups_per_second: float = 0.0
    """How many LookupEvents an account may make in a Region in an emulated second; 0: as many as it likes. On AWS two.
    """
    denied: tuple[str, ...] = ()
    """IAM actions that nobody may do, `*` allowed: apprunner:CreateVpcConnector, ec2:Describe*."""
    denied_as: str = "AccessDenied"
    """CloudTrail's errorCode of a denied call (EC2 has its own): NOT FOUND for App Runner, seen for Security Hub."""

    def reset(self) -> None:
        self._take(Settings())

    def state(self, resource: str, own: str) -> str:
        """What a resource is said to be, else its own state."""
        return self.states.get(resource, own)

    def change(self, changes: Mapping[str, object]) -> None:
        """Set what is named, as JSON has it; ValueError says what does not fit, and then nothing is changed. Quotas
        that are not named stay."""
        made = Settings(**vars(self))
        for name, value in changes.items():
            if name not in _CHECKS:
                raise ValueError(f"there is no setting {name!r}; there are {', '.join(sorted(_CHECKS))}")
            what, fits = _CHECKS[name]
            if not fits(value):
                raise ValueError(f"{name} must be {what}, and is {value!r}")
            merged = {**made.quotas, **value} if name == "quotas" and isinstance(value, dict) else value
            setattr(made, name, tuple(merged) if isinstance(merged, list) else merged)
        self._take(made)

    def _take(self, other: Settings) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_states(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(state, str) for state in value.values())


def _is_quotas(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in DEFAULT_QUOTAS and type(number) is int and number >= 0 for name, number in value.items()
    )


def _is_amount(value: object) -> bool:
    return type(value) in (int, float) and 0 <= float(str(value)) < math.inf


_CHECKS = {
    "quotas": (f"an object with numbers for {', '.join(DEFAULT_QUOTAS)}", _is_quotas),
    "refuse_same_groups": ("true or false", lambda value: isinstance(value, bool)),
    "tag_index_lag": ("a number of seconds, 0 or more", _is_amount),
    "interface_linger": ("a number of seconds, 0 or more", _is_amount),
    "updates_without_effect": ("a list of names of services", _is_texts),
    "states": ("an object with a text for each resource", _is_states),
    "endpoint_unsupported_zone_ids": ("a list of zone ids", _is_texts),
    "refuses_tags_during_operation": ("true or false", lambda value: isinstance(value, bool)),
    "appears_after": ("a number of seconds, 0 or more", _is_amount),
    "lookups_per_second": ("a number, 0 or more", _is_amount),
    "denied": ("a list of IAM actions", _is_texts),
    "denied_as": ("an error code", lambda value: isinstance(value, str) and bool(value)),
}

SETTINGS = Settings()
