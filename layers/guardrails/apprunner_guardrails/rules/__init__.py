"""The rule book: one module a rule, named for the bad pattern. This is the only list of them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import (
    Api,
    BoundGroup,
    Connector,
    FactName,
    IngressConnection,
    ManagedInterface,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Service,
)
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules import (
    api_integration_not_https,
    api_integration_wrong_host,
    api_proxy_path_not_mapped,
    api_stage_unlogged,
    api_stage_untraced,
    api_unauthorized_methods,
    api_vpc_link_unusable,
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
    endpoint_blocks_load_balancer,
    endpoint_policy_ignored,
    endpoint_too_few_zones,
    exemption_malformed,
    ingress_connection_failed,
    ingress_endpoint_unavailable,
    ingress_wrong_endpoint_service,
    load_balancer_blocks_private_link,
    load_balancer_internet_facing,
    load_balancer_tls_listener,
    load_balancer_zone_without_target,
    service_address_type,
    service_connector_gone,
    service_egress_not_applied,
    service_not_observable,
    service_private_unreachable,
    service_public_egress,
    service_publicly_accessible,
    service_unhealthy_threshold,
    service_untagged,
    target_group_binding_broken,
    target_group_drift,
    target_group_http_health_check,
    target_group_no_healthy_target,
    target_group_preserves_client_ip,
    target_group_replacement_held,
    target_group_wrong_type,
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
_OF_ENDPOINTS: tuple[Rule[PathEndpoint], ...] = (
    endpoint_too_few_zones.RULE,
    endpoint_blocks_load_balancer.RULE,
    endpoint_policy_ignored.RULE,
)
_OF_TARGET_GROUPS: tuple[Rule[BoundGroup], ...] = (
    target_group_drift.RULE,
    target_group_no_healthy_target.RULE,
    target_group_binding_broken.RULE,
    target_group_replacement_held.RULE,
)
_OF_PATH_GROUPS: tuple[Rule[PathGroup], ...] = (
    target_group_preserves_client_ip.RULE,
    target_group_wrong_type.RULE,
    target_group_http_health_check.RULE,
)
_OF_BALANCERS: tuple[Rule[PathBalancer], ...] = (
    load_balancer_zone_without_target.RULE,
    load_balancer_internet_facing.RULE,
    load_balancer_blocks_private_link.RULE,
    load_balancer_tls_listener.RULE,
)
_OF_APIS: tuple[Rule[Api], ...] = (
    api_integration_wrong_host.RULE,
    api_integration_not_https.RULE,
    api_proxy_path_not_mapped.RULE,
    api_vpc_link_unusable.RULE,
    api_stage_unlogged.RULE,
    api_stage_untraced.RULE,
    api_unauthorized_methods.RULE,
)


def _ids(*kinds: Iterable[Rule[Any]]) -> list[str]:
    return [rule.id for rules in kinds for rule in rules]


RULES: tuple[Rule[Connector], ...] = (
    *_OF_CONNECTORS,
    exemption_malformed.rule("VPC connector", _ids(_OF_CONNECTORS)),
)
INTERFACE_RULES: tuple[Rule[ManagedInterface], ...] = (
    *_OF_INTERFACES,
    exemption_malformed.rule(
        "network interface",
        _ids(_OF_INTERFACES),
        tags="managed_interfaces",
        reference=exemption_malformed.EC2_TAGS,
    ),
)
SERVICE_RULES: tuple[Rule[Service], ...] = (
    *_OF_SERVICES,
    exemption_malformed.rule("service", _ids(_OF_SERVICES)),
)
INGRESS_RULES: tuple[Rule[IngressConnection], ...] = (
    *_OF_INGRESS_CONNECTIONS,
    exemption_malformed.rule("VPC ingress connection", _ids(_OF_INGRESS_CONNECTIONS)),
)
ENDPOINT_RULES: tuple[Rule[PathEndpoint], ...] = (
    *_OF_ENDPOINTS,
    exemption_malformed.rule(
        "VPC endpoint", _ids(_OF_ENDPOINTS), tags="ingress_endpoints", reference=exemption_malformed.EC2_TAGS
    ),
)
# Of bound target groups, as the sync leaves them; and of all that lead to endpoints, as the audit finds them.
TARGET_GROUP_RULES: tuple[Rule[BoundGroup], ...] = (
    *_OF_TARGET_GROUPS,
    exemption_malformed.rule(
        "target group",
        _ids(_OF_TARGET_GROUPS, _OF_PATH_GROUPS),
        tags="bindings",
        reference=exemption_malformed.ELB_TAGS,
    ),
)
PATH_GROUP_RULES: tuple[Rule[PathGroup], ...] = (
    *_OF_PATH_GROUPS,
    exemption_malformed.rule(
        "target group",
        _ids(_OF_TARGET_GROUPS, _OF_PATH_GROUPS),
        tags="bindings",
        reference=exemption_malformed.ELB_TAGS,
    ),
)
# Of a target group: what only the sync judges, and what it leaves to the audit. AR901 both judge, by the same tags.
OF_SYNC = frozenset(_ids(_OF_TARGET_GROUPS))
LEFT_BY_SYNC = frozenset(_ids(_OF_PATH_GROUPS))
BALANCER_RULES: tuple[Rule[PathBalancer], ...] = (
    *_OF_BALANCERS,
    exemption_malformed.rule(
        "load balancer", _ids(_OF_BALANCERS), tags="bindings", reference=exemption_malformed.ELB_TAGS
    ),
)
API_RULES: tuple[Rule[Api], ...] = (
    *_OF_APIS,
    exemption_malformed.rule("API", _ids(_OF_APIS), tags="apis", reference=exemption_malformed.API_TAGS),
)

BY_ID: Mapping[str, Rule[Any]] = {
    rule.id: rule
    for rules in (
        API_RULES,
        BALANCER_RULES,
        PATH_GROUP_RULES,
        TARGET_GROUP_RULES,
        ENDPOINT_RULES,
        INGRESS_RULES,
        SERVICE_RULES,
        INTERFACE_RULES,
        RULES,
    )
    for rule in rules
}


def without[S](rules: tuple[Rule[S], ...], facts: Collection[FactName]) -> tuple[tuple[Rule[S], ...], frozenset[str]]:
    """The rules that can be asked where these facts are not read, and the ids of those that are left to others."""
    left = frozenset(rule.id for rule in rules if not set(facts).isdisjoint(rule.needs))
    return tuple(rule for rule in rules if rule.id not in left), left


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
