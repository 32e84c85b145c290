"""The rest of the rule book: what leads to private services, endpoint, target group, load balancer and API."""

from typing import Any

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, BoundGroup, PathBalancer, PathEndpoint, PathGroup
from apprunner_guardrails.rules import (
    api_integration_not_https,
    api_integration_wrong_host,
    api_proxy_path_not_mapped,
    api_stage_unlogged,
    api_stage_untraced,
    api_unauthorized_methods,
    api_vpc_link_unusable,
    endpoint_blocks_load_balancer,
    endpoint_policy_ignored,
    endpoint_too_few_zones,
    exemption_malformed,
    ids,
    load_balancer_blocks_private_link,
    load_balancer_internet_facing,
    load_balancer_tls_listener,
    load_balancer_zone_without_target,
    target_group_binding_broken,
    target_group_drift,
    target_group_http_health_check,
    target_group_no_healthy_target,
    target_group_preserves_client_ip,
    target_group_replacement_held,
    target_group_wrong_type,
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


ENDPOINT_RULES: tuple[Rule[PathEndpoint], ...] = (
    *_OF_ENDPOINTS,
    exemption_malformed.rule(
        "VPC endpoint", ids(_OF_ENDPOINTS), tags="ingress_endpoints", reference=exemption_malformed.EC2_TAGS
    ),
)
# Of bound target groups, as the sync leaves them; and of all that lead to endpoints, as the audit finds them.
TARGET_GROUP_RULES: tuple[Rule[BoundGroup], ...] = (
    *_OF_TARGET_GROUPS,
    exemption_malformed.rule(
        "target group",
        ids(_OF_TARGET_GROUPS, _OF_PATH_GROUPS),
        tags="bindings",
        reference=exemption_malformed.ELB_TAGS,
    ),
)
PATH_GROUP_RULES: tuple[Rule[PathGroup], ...] = (
    *_OF_PATH_GROUPS,
    exemption_malformed.rule(
        "target group",
        ids(_OF_TARGET_GROUPS, _OF_PATH_GROUPS),
        tags="bindings",
        reference=exemption_malformed.ELB_TAGS,
    ),
)
# Of a target group: what only the sync judges, and what it leaves to the audit. AR901 both judge, by the same tags.
OF_SYNC = frozenset(ids(_OF_TARGET_GROUPS))
LEFT_BY_SYNC = frozenset(ids(_OF_PATH_GROUPS))
BALANCER_RULES: tuple[Rule[PathBalancer], ...] = (
    *_OF_BALANCERS,
    exemption_malformed.rule(
        "load balancer", ids(_OF_BALANCERS), tags="bindings", reference=exemption_malformed.ELB_TAGS
    ),
)
API_RULES: tuple[Rule[Api], ...] = (
    *_OF_APIS,
    exemption_malformed.rule("API", ids(_OF_APIS), tags="apis", reference=exemption_malformed.API_TAGS),
)


KINDS: tuple[tuple[Rule[Any], ...], ...] = (
    API_RULES,
    BALANCER_RULES,
    PATH_GROUP_RULES,
    TARGET_GROUP_RULES,
    ENDPOINT_RULES,
)
