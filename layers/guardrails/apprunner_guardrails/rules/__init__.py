"""The rule book: one module a rule, named for the bad pattern. This is the only list of them."""

from collections.abc import Mapping
from dataclasses import replace

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import BoundGroup, Connector, Service
from apprunner_guardrails.rules import (
    connector_acl_blocks_egress,
    connector_blackhole_route,
    connector_default_security_group,
    connector_duplicate_zone,
    connector_few_free_addresses,
    connector_inbound_rules,
    connector_mixed_address_types,
    connector_nat_in_other_zone,
    connector_nat_unusable,
    connector_no_egress,
    connector_no_way_out,
    connector_open_egress,
    connector_public_subnet,
    connector_security_group_gone,
    connector_subnet_gone,
    connector_too_few_zones,
    connector_unsupported_zone,
    connector_vpc_dns_off,
    exemption_malformed,
    target_group_binding_broken,
    target_group_drift,
    target_group_no_healthy_target,
    target_group_replacement_held,
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
    connector_security_group_gone.RULE,
)
_OF_SERVICES: tuple[Rule[Service], ...] = ()
_OF_TARGET_GROUPS: tuple[Rule[BoundGroup], ...] = (
    target_group_drift.RULE,
    target_group_no_healthy_target.RULE,
    target_group_binding_broken.RULE,
    target_group_replacement_held.RULE,
)

RULES: tuple[Rule[Connector], ...] = (
    *_OF_CONNECTORS,
    exemption_malformed.rule("VPC connector", [rule.id for rule in _OF_CONNECTORS]),
)
SERVICE_RULES: tuple[Rule[Service], ...] = (
    *_OF_SERVICES,
    exemption_malformed.rule("service", [rule.id for rule in _OF_SERVICES]),
)
TARGET_GROUP_RULES: tuple[Rule[BoundGroup], ...] = (
    *_OF_TARGET_GROUPS,
    exemption_malformed.rule(
        "target group",
        [rule.id for rule in _OF_TARGET_GROUPS],
        tags="bindings",
        reference=exemption_malformed.TARGET_GROUP_TAGS,
    ),
)

BY_ID: Mapping[str, Rule[Connector] | Rule[Service] | Rule[BoundGroup]] = {
    **{rule.id: rule for rule in TARGET_GROUP_RULES},
    **{rule.id: rule for rule in SERVICE_RULES},
    **{rule.id: rule for rule in RULES},
}


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
    unknown = sorted(settings.rule_overrides.keys() - BY_ID.keys())
    if unknown:
        raise BadSettings(
            f"environment variable RULE_OVERRIDES: {', '.join(unknown)} is no rule; there are"
            f" {', '.join(sorted(BY_ID))}"
        )
