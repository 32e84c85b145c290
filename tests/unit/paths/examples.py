"""Regions that path reports are made of: the private path of tests/cases/_healthy_path.py, and changes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from apprunner_guardrails.facts import Connector, Network, Paths, Service, Unread
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.paths.report import Report, report
from apprunner_guardrails.rules import by_id
from tests.cases._healthy import add_route, healthy, nat_gateways_are_gone, remove_route
from tests.cases._healthy_path import (
    API,
    BALANCER,
    BALANCER_ARN,
    CONNECTOR,
    DOMAIN,
    ENDPOINT,
    ENDPOINT_ID,
    GROUP,
    GROUP_ARN,
    INGRESS,
    INTEGRATION,
    SERVICE,
    SERVICE_ARN,
)

ACCOUNT, REGION, TIME = "111122223333", "us-east-1", "2026-11-21T07:00:00Z"
NETWORK = healthy().network
DENIED = Unread(call="ec2:DescribeSubnets", code="UnauthorizedOperation")
NO_APIS = Unread(call="apigateway:GetRestApis", code="AccessDeniedException")
RESOURCES = (SERVICE_ARN, CONNECTOR.arn, INGRESS.arn, ENDPOINT.arn, GROUP_ARN, BALANCER_ARN, API.arn)
PATHS = Paths(
    ingress={INGRESS.arn: INGRESS}, endpoints=(ENDPOINT,), groups=(GROUP,), balancers=(BALANCER,), apis=(API,)
)


def finding(resource: str, rule: str, *messages: str, status: Status = Status.FAIL, unread: str = "") -> Finding:
    one = by_id()[rule]
    return Finding(
        resource=resource,
        rule=rule,
        name=one.name,
        title=one.title,
        severity=one.severity,
        status=status,
        messages=messages,
        unread=unread,
    )


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a report is made of; of every resource of the healthy path no rule has anything to say."""

    services: Mapping[str, Service | Unread] = field(default_factory=lambda: {SERVICE_ARN: SERVICE})
    connectors: Mapping[str, Connector] = field(default_factory=lambda: {CONNECTOR.arn: CONNECTOR})
    networks: Mapping[str, Network] = field(default_factory=lambda: {CONNECTOR.arn: NETWORK})
    paths: Paths = PATHS
    answers: Mapping[str, Sequence[Finding]] = field(default_factory=lambda: dict.fromkeys(RESOURCES, ()))

    def report(self) -> Report:
        return report(
            self.services,
            self.connectors,
            self.networks,
            self.paths,
            self.answers,
            account=ACCOUNT,
            region=REGION,
            time=TIME,
        )

    def on_paths(self, **fields: Any) -> "Account":
        return replace(self, paths=replace(self.paths, **fields))

    def says(self, *findings: Finding) -> "Account":
        """These answers beside those that there are."""
        answers = {arn: tuple(some) for arn, some in self.answers.items()}
        for one in findings:
            answers[one.resource] = (*answers.get(one.resource, ()), one)
        return replace(self, answers=answers)

    def has(self, *services: Service) -> "Account":
        """These services in place of those that there are, with no answers about them."""
        answers = {**self.answers, **dict.fromkeys([one.arn for one in services], ())}
        return replace(self, services={one.arn: one for one in services}, answers=answers)


def service(name: str, **fields: Any) -> Service:
    return replace(SERVICE, arn=SERVICE_ARN.replace("/orders/", f"/{name}/"), name=name, ingress=(), **fields)


PUBLIC = service("shop", public=True, url="shop.us-east-1.awsapprunner.com", connector_arn="", connector=None)
PRIVATE_ALONE = service("billing", url="billing.us-east-1.awsapprunner.com", connector_arn="", connector=None)
SECOND_API = replace(
    API,
    id="f6g7h8i9j0",
    name="partners",
    kind="HTTP",
    integrations=(replace(INTEGRATION, where="$default", uri="", server_name=DOMAIN, link_id="v2link", link=None),),
)


def parsed(xml: str) -> Element:
    return fromstring(xml)  # noqa: S314 - our own


def _broken_network() -> Network:
    """Of three subnets one is public, one leaves through a NAT gateway that is gone, and one is as it should be."""
    snapshot = healthy()
    for change in (
        remove_route("rtb-private-1", "0.0.0.0/0"),
        add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
        remove_route("rtb-private-2", "0.0.0.0/0"),
        add_route("rtb-private-2", "0.0.0.0/0", "nat-2", blackhole=True),
        nat_gateways_are_gone("nat-2"),
    ):
        snapshot = change(snapshot)
    return snapshot.network


HEALTHY = Account()
BROKEN = replace(HEALTHY, networks={CONNECTOR.arn: _broken_network()}).says(
    finding(
        GROUP_ARN,
        "AR507",
        f"target group orders preserves client IP addresses: the network interfaces of {ENDPOINT_ID} lose all traffic"
        " by that",
    ),
    finding(
        CONNECTOR.arn,
        "AR102",
        "subnet-private-1 (use1-az1) is public: its route table rtb-private-1 sends 0.0.0.0/0 to igw-1",
    ),
    finding(
        CONNECTOR.arn,
        "AR108",
        "subnet-private-2 (use1-az2) leaves through a blackhole: rtb-private-2 sends 0.0.0.0/0 to nat-2, which is gone",
    ),
    finding(CONNECTOR.arn, "AR203", "sg-app allows all protocols and ports to 0.0.0.0/0", status=Status.EXEMPT),
    finding(API.arn, "AR605", status=Status.UNKNOWN, unread="apigateway:GetStages failed (AccessDeniedException)"),
)
SEVERAL = HEALTHY.on_paths(apis=(API, SECOND_API), unlisted=(NO_APIS,)).has(SERVICE, PUBLIC, PRIVATE_ALONE)
SEVERAL = SEVERAL.says(
    finding(
        SECOND_API.arn,
        "AR604",
        "VPC link v2link does not exist; used by $default",
        "VPC link v2link leads to nothing; used by $default",
    ),
    finding(PRIVATE_ALONE.arn, "AR403", "service billing is private, and no VPC ingress connection leads to it"),
)
EMPTY = replace(HEALTHY, services={}, connectors={}, networks={}, paths=Paths())
EXAMPLES: Mapping[str, Account] = {"healthy": HEALTHY, "broken": BROKEN, "several": SEVERAL, "empty": EMPTY}
