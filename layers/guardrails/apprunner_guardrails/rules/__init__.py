"""The rule book: one module a rule, named for the bad pattern.

This is the list of those that events of App Runner and of its network are judged by; private_paths.py has the others.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import (
    Connector,
    FactName,
    IngressConnection,
    ManagedInterface,
    Service,
)
from apprunner_guardrails.light import replace
from apprunner_guardrails.once import once
from apprunner_guardrails.rules import (
    connector_acl_blocks_egress,
    connector_blackhole_route,
    connector_default_security_group,
    connector_destination_blocked,
    connector_duplicate,
    connector_duplicate_zone,
    connector_few_free_addresses,
    connector_inbound_rules,
    connector_interface_public_address,
    connector_mixed_address_types,
    connector_nat_in_other_zone,
    connector_nat_unusable,
    connector_no_egress,
    connector_no_way_out,
    connector_open_egress,
    connector_orphan_interface,
    connector_public_subnet,
    connector_quota_near,
    connector_security_group_gone,
    connector_subnet_gone,
    connector_too_few_zones,
    connector_unreachable_destinations,
    connector_unsupported_zone,
    connector_untagged,
    connector_unused,
    connector_vpc_dns_off,
    exemption_malformed,
    ingress_connection_failed,
    ingress_endpoint_unavailable,
    ingress_wrong_endpoint_service,
    service_address_type,
    service_connector_gone,
    service_egress_not_applied,
    service_not_observable,
    service_private_unreachable,
    service_public_egress,
    service_publicly_accessible,
    service_unhealthy_threshold,
    service_untagged,
)
from apprunner_guardrails.settings import BadSettings, Settings

_OF_CONNECTORS: tuple[Rule[Connector], ...] = (
    connector_too_few_zones.RULE,
    connector_public_subnet.RULE,
    connector_duplicate_zone.RULE,
    connector_unsupported_zone.RULE,
    connector_few_free_addresses.RULE,
    connector_mixed_address_types.RULE,
    connector_no_way_out.RULE,
    connector_blackhole_route.RULE,
    connector_nat_in_other_zone.RULE,
    connector_nat_unusable.RULE,
    connector_vpc_dns_off.RULE,
    connector_acl_blocks_egress.RULE,
    connector_subnet_gone.RULE,
    connector_default_security_group.RULE,
    connector_no_egress.RULE,
    connector_open_egress.RULE,
    connector_inbound_rules.RULE,
    connector_unreachable_destinations.RULE,
    connector_security_group_gone.RULE,
    connector_unused.RULE,
    connector_duplicate.RULE,
    connector_quota_near.RULE,
    connector_destination_blocked.RULE,
    connector_untagged.RULE,
)
_OF_INTERFACES: tuple[Rule[ManagedInterface], ...] = (
    connector_orphan_interface.RULE,
    connector_interface_public_address.RULE,
)
_OF_SERVICES: tuple[Rule[Service], ...] = (
    service_public_egress.RULE,
    service_publicly_accessible.RULE,
    service_private_unreachable.RULE,
    service_not_observable.RULE,
    service_unhealthy_threshold.RULE,
    service_address_type.RULE,
    service_untagged.RULE,
    service_connector_gone.RULE,
    service_egress_not_applied.RULE,
)
_OF_INGRESS_CONNECTIONS: tuple[Rule[IngressConnection], ...] = (
    ingress_connection_failed.RULE,
    ingress_wrong_endpoint_service.RULE,
    ingress_endpoint_unavailable.RULE,
)


def ids(*kinds: Iterable[Rule[Any]]) -> list[str]:
    return [rule.id for rules in kinds for rule in rules]


RULES: tuple[Rule[Connector], ...] = (
    *_OF_CONNECTORS,
    exemption_malformed.rule("VPC connector", ids(_OF_CONNECTORS)),
)
INTERFACE_RULES: tuple[Rule[ManagedInterface], ...] = (
    *_OF_INTERFACES,
    exemption_malformed.rule(
        "network interface",
        ids(_OF_INTERFACES),
        tags="managed_interfaces",
        reference=exemption_malformed.EC2_TAGS,
    ),
)
SERVICE_RULES: tuple[Rule[Service], ...] = (
    *_OF_SERVICES,
    exemption_malformed.rule("service", ids(_OF_SERVICES)),
)
INGRESS_RULES: tuple[Rule[IngressConnection], ...] = (
    *_OF_INGRESS_CONNECTIONS,
    exemption_malformed.rule("VPC ingress connection", ids(_OF_INGRESS_CONNECTIONS)),
)


@cache
def by_id() -> Mapping[str, Rule[Any]]:
    """All rules there are. Those of private paths are imported when somebody asks for them: few events do."""
    from apprunner_guardrails.rules import private_paths  # noqa: PLC0415

    kinds = (*private_paths.KINDS, INGRESS_RULES, SERVICE_RULES, INTERFACE_RULES, RULES)
    return {rule.id: rule for rules in kinds for rule in rules}


_NONE: frozenset[str] = frozenset()  # one for all


def without[S](rules: tuple[Rule[S], ...], facts: Collection[FactName]) -> tuple[tuple[Rule[S], ...], frozenset[str]]:
    """The rules that can be asked where these facts are not read, and the ids of those that are left to others."""
    if not facts:
        return rules, _NONE
    left = frozenset(rule.id for rule in rules if not set(facts).isdisjoint(rule.needs))
    return tuple(rule for rule in rules if rule.id not in left), left


@once
def chosen[S](rules: tuple[Rule[S], ...], settings: Settings) -> tuple[Rule[S], ...]:
    """The rules as the settings have them: some switched off, some of another severity."""
    check_overrides(settings)
    overrides = settings.rule_overrides
    severities = ((rule, overrides.get(rule.id, rule.severity)) for rule in rules)
    return tuple(
        rule if severity is rule.severity else replace(rule, severity=severity)
        for rule, severity in severities
        if severity is not None
    )


def check_overrides(settings: Settings) -> None:
    """Raises BadSettings for a rule that there is not: a typing error must not leave a rule on, or off."""
    unknown = sorted(settings.rule_overrides.keys() - by_id().keys()) if settings.rule_overrides else []
    if unknown:
        raise BadSettings(
            f"environment variable RULE_OVERRIDES: {', '.join(unknown)} is no rule; there are"
            f" {', '.join(sorted(by_id()))}"
        )
