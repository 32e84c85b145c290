"""What chains are made of, and where answers are placed. Whole renderings are in snapshots/."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.facts import (
    GONE,
    Connector,
    Integration,
    NatGateway,
    Network,
    Unread,
    known,
)
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.ledger import Record
from apprunner_guardrails.ledger import State as Recorded
from apprunner_guardrails.paths.report import RULES_ON, Chain, Hop, Kind, State, Way, standing
from apprunner_guardrails.reach import Destination
from apprunner_guardrails.rules import by_id
from tests.cases import Change
from tests.cases._healthy import (
    add_route,
    disassociate,
    healthy,
    hide_route_tables,
    remove_route,
    set_subnet,
    subnets_are_gone,
    unread,
)
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
    LINK,
    SERVICE,
    SERVICE_ARN,
    SERVICE_URL,
)
from tests.unit.paths.examples import (
    BROKEN,
    DENIED,
    HEALTHY,
    NO_APIS,
    PRIVATE_ALONE,
    PUBLIC,
    SECOND_API,
    SEVERAL,
    Account,
    finding,
    service,
)

CLIENTS = ("client", "clients", "ok")
API_HOP, LINK_HOP = ("API", "orders", "ok"), ("VPC link", "orders", "ok")
TO_BALANCER = (CLIENTS, API_HOP, LINK_HOP)
BALANCER_HOP, GROUP_HOP = ("load balancer", "orders", "ok"), ("target group", "orders", "ok")
FROM_BALANCER = (BALANCER_HOP, GROUP_HOP)
ENDPOINT_HOP, INGRESS_HOP = ("endpoint", ENDPOINT_ID, "ok"), ("ingress connection", "orders", "ok")
END = (ENDPOINT_HOP, INGRESS_HOP)
INTERNET = ("destination", "the internet", "ok")


def chain_of(account: Account, name: str = "orders") -> Chain:
    return next(one for one in account.report().chains if one.service.name == name)


def seen(way: Iterable[Hop]) -> tuple[tuple[str, str, str], ...]:
    return tuple((hop.kind.value, hop.name, hop.state.value) for hop in way)


def ways_in(account: Account, name: str = "orders") -> list[tuple[tuple[str, str, str], ...]]:
    return [seen(way) for way in chain_of(account, name).ways_in]


def ways_out(account: Account, name: str = "orders") -> list[tuple[tuple[str, str, str], ...]]:
    return [seen(way) for way in chain_of(account, name).ways_out]


def hop_of(account: Account, kind: Kind, name: str = "orders") -> Hop:
    [hop] = [one for one in chain_of(account, name).hops if one.kind is kind]
    return hop


def in_network(network: Network) -> Account:
    return replace(HEALTHY, networks={CONNECTOR.arn: network})


# Ways in -------------------------------------------------------------------------------------------------------------


def test_a_private_service_has_the_whole_path_in_front_of_it() -> None:
    assert ways_in(HEALTHY) == [(*TO_BALANCER, *FROM_BALANCER, *END)]
    assert chain_of(HEALTHY).state is State.OK


def test_hops_tell_what_people_know_them_by() -> None:
    assert [(hop.label, hop.facts) for hop in chain_of(HEALTHY).hops[1:9]] == [
        ("orders (a1b2c3d4e5)", ("REST API", "stage live", "ANY /{proxy+}")),
        ("orders (abc123)", ("AVAILABLE", "generation 1")),
        ("orders", ("internal", "TCP 443", "use1-az1, use1-az2, use1-az4")),
        ("orders", ("TCP 443", "3 of 3 targets healthy")),
        (ENDPOINT_ID, ("available", "vpc-1", "use1-az1, use1-az2, use1-az4")),
        ("orders", ("AVAILABLE", DOMAIN)),
        ("orders", ("RUNNING", "private", SERVICE_URL)),
        ("orders", ("ACTIVE", "sg-app")),
    ]


def test_a_public_service_is_called_from_the_internet() -> None:
    account = HEALTHY.has(PUBLIC)
    assert ways_in(account, "shop") == [(("client", "the internet", "ok"),)]
    assert ways_out(account, "shop") == [(("destination", "the internet, by App Runner", "ok"),)]


def test_custom_domains_are_told() -> None:
    account = HEALTHY.has(PUBLIC).on_paths(domains={PUBLIC.arn: ("shop.example.com",)})
    assert chain_of(account, "shop").service.facts[-1] == "shop.example.com"


def test_each_api_is_a_way_of_its_own() -> None:
    second = replace(SECOND_API, integrations=(replace(INTEGRATION, uri=f"https://{SERVICE_URL}/{{proxy}}"),))
    account = HEALTHY.on_paths(apis=(API, second)).says()
    account = replace(account, answers={**account.answers, second.arn: ()})
    assert ways_in(account) == [
        (*TO_BALANCER, *FROM_BALANCER, *END),
        (CLIENTS, ("API", "partners", "ok"), LINK_HOP, *FROM_BALANCER, *END),
    ]


def test_an_api_that_asks_for_another_service_is_on_its_chain_alone() -> None:
    connection = replace(INGRESS, arn=f"{INGRESS.arn}2", name="other", domain="other.example.com")
    other = service("other")
    account = (
        HEALTHY.has(SERVICE, other)
        .on_paths(
            ingress={INGRESS.arn: INGRESS, connection.arn: replace(connection, service_arn=other.arn)},
            apis=(replace(API, integrations=(replace(INTEGRATION, uri="https://OTHER.example.com/{proxy}"),)),),
        )
        .says()
    )
    account = replace(account, answers={**account.answers, connection.arn: ()})
    [way] = ways_in(account, "other")
    assert way == (*TO_BALANCER, *FROM_BALANCER, ENDPOINT_HOP, ("ingress connection", "other", "ok"))
    assert ways_in(account) == [(("client", "clients in vpc-1", "ok"), *FROM_BALANCER, *END)]


@pytest.mark.parametrize("host", ["nobody.example.com", "${stageVariables.host}", ""])
def test_an_api_that_asks_for_nobody_that_is_known_may_mean_each_service_behind_it(host: str) -> None:
    account = HEALTHY.on_paths(apis=(replace(API, integrations=(replace(INTEGRATION, uri=f"https://{host}/"),)),))
    assert ways_in(account) == [(*TO_BALANCER, *FROM_BALANCER, *END)]


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoints": {443: (ENDPOINT_ID,), 8443: ("vpce-other",)}},
        {"endpoints": {443: NO_APIS}},
        {"endpoints": NO_APIS},
        {"endpoints": {8443: ("vpce-other",)}},
        {"endpoints": {8443: ("vpce-other",)}, "port": None},
    ],
    ids=["the endpoint's listener", "a listener unread", "listeners unread", "no listener", "no port known"],
)
def test_an_api_is_in_front_of_an_endpoint_unless_its_listener_leads_elsewhere(changes: dict[str, Any]) -> None:
    account = HEALTHY.on_paths(apis=(replace(API, integrations=(replace(INTEGRATION, **changes),)),))
    assert ways_in(account) == [(*TO_BALANCER, *FROM_BALANCER, *END)]


def test_a_custom_domain_may_be_a_wildcard() -> None:
    asks = replace(API, integrations=(replace(INTEGRATION, uri="https://eu.example.com/", balancer_arn=""),))
    lost = (CLIENTS, API_HOP, LINK_HOP, ("load balancer", "none", "absent"), ("target group", "none", "absent"), *END)
    account = HEALTHY.on_paths(apis=(asks,), domains={SERVICE_ARN: ("*.example.com",)})
    assert lost in ways_in(account)
    assert lost not in ways_in(HEALTHY.on_paths(apis=(asks,), domains={SERVICE_ARN: ("*.eu.example.com",)}))


def test_without_a_load_balancer_clients_come_from_the_vpc() -> None:
    account = HEALTHY.on_paths(groups=(), balancers=(), apis=())
    assert ways_in(account) == [(("client", "clients in vpc-1", "ok"), *END)]


def test_a_load_balancer_without_an_api_is_called_from_its_vpc_or_from_the_internet() -> None:
    alone = replace(BALANCER, links=())
    assert ways_in(HEALTHY.on_paths(apis=(), balancers=(alone,))) == [
        (("client", "clients in vpc-1", "ok"), *FROM_BALANCER, *END)
    ]
    facing = replace(alone, balancer=replace(BALANCER.balancer, internal=False))
    assert ways_in(HEALTHY.on_paths(apis=(), balancers=(facing,)))[0][0] == ("client", "the internet", "ok")


def test_a_link_that_no_api_uses_has_no_api_in_front_of_it() -> None:
    absent = ("API", "none", "absent")
    assert ways_in(HEALTHY.on_paths(apis=())) == [(CLIENTS, absent, LINK_HOP, *FROM_BALANCER, *END)]


@pytest.mark.parametrize(
    ("account", "first"),
    [
        (HEALTHY.on_paths(apis=(), unlisted=(NO_APIS,)), (("API", "not known"), ("VPC link", "not known"))),
        (
            HEALTHY.on_paths(apis=(), balancers=(replace(BALANCER, links=NO_APIS),)),
            (("API", "not known"), ("VPC link", "not known")),
        ),
        (
            HEALTHY.on_paths(apis=(replace(API, integrations=NO_APIS),)),
            (("API", "orders"), ("VPC link", "not known")),
        ),
    ],
    ids=["APIs", "links", "integrations"],
)
def test_apis_that_could_not_be_read_are_unknown_and_not_missing(
    account: Account, first: tuple[tuple[str, str], ...]
) -> None:
    unknown = tuple((kind, name, "unknown") for kind, name in first)
    assert ways_in(account) == [(CLIENTS, *unknown, *FROM_BALANCER, *END)]
    assert hop_of(account, Kind.LINK).unread == (str(NO_APIS),)


def test_a_target_group_may_have_no_load_balancer_or_one_that_could_not_be_read() -> None:
    loose = replace(GROUP, group=replace(GROUP.group, load_balancer_arns=()))
    missing = HEALTHY.on_paths(groups=(loose,), balancers=(), apis=())
    assert ways_in(missing) == [(CLIENTS, ("load balancer", "none", "absent"), GROUP_HOP, *END)]
    unread_one = HEALTHY.on_paths(balancers=(), apis=())
    assert ways_in(unread_one) == [(CLIENTS, ("load balancer", "orders", "unknown"), GROUP_HOP, *END)]


@pytest.mark.parametrize("where", ["list", "endpoint"])
def test_target_groups_that_could_not_be_read_are_unknown(where: str) -> None:
    why = Unread(call="elasticloadbalancing:DescribeTargetGroups", code="Throttling")
    account = HEALTHY.on_paths(groups=(), balancers=(), apis=())
    if where == "list":
        account = account.on_paths(unlisted=(why,))
    else:
        account = account.on_paths(endpoints=(replace(ENDPOINT, balancers=why),))
    unknown = tuple((kind, "not known", "unknown") for kind in ("load balancer", "target group"))
    assert ways_in(account) == [(CLIENTS, *unknown, *END)]


def test_a_private_service_without_ingress_connection_cannot_be_reached() -> None:
    absent = tuple((kind, "none", "absent") for kind in ("endpoint", "ingress connection"))
    assert ways_in(HEALTHY.has(PRIVATE_ALONE), "billing") == [(CLIENTS, *absent)]


def test_an_api_that_asks_for_a_service_without_ingress_connection_is_shown_as_far_as_it_leads() -> None:
    asks = replace(API, integrations=(replace(INTEGRATION, uri=f"https://{PRIVATE_ALONE.url}/"),))
    absent = ("ingress connection", "none", "absent")
    account = HEALTHY.has(PRIVATE_ALONE).on_paths(apis=(asks,))
    assert ways_in(account, "billing") == [(*TO_BALANCER, *FROM_BALANCER, ENDPOINT_HOP, absent)]


@pytest.mark.parametrize("where", ["service", "connection", "list"])
def test_ingress_connections_that_could_not_be_read_are_unknown(where: str) -> None:
    why = Unread(call="apprunner:ListVpcIngressConnections", code="AccessDeniedException")
    account = HEALTHY.has(replace(PRIVATE_ALONE, ingress=why if where == "service" else ()))
    account = account.on_paths(
        ingress={INGRESS.arn: why} if where == "connection" else {}, unlisted=(why,) if where == "list" else ()
    )
    unknown = tuple((kind, "not known", "unknown") for kind in ("endpoint", "ingress connection"))
    assert ways_in(account, "billing") == [(CLIENTS, *unknown)]


def test_an_endpoint_may_be_gone_or_unread() -> None:
    without = HEALTHY.on_paths(endpoints=(), groups=(), balancers=(), apis=())
    clients = ("client", "clients in vpc-1", "ok")
    gone = without.on_paths(ingress={INGRESS.arn: replace(INGRESS, endpoint=None)})
    assert ways_in(gone) == [(clients, ("endpoint", ENDPOINT_ID, "absent"), INGRESS_HOP)]
    hidden = without.on_paths(ingress={INGRESS.arn: replace(INGRESS, endpoint=DENIED)})
    assert ways_in(hidden) == [(clients, ("endpoint", ENDPOINT_ID, "unknown"), INGRESS_HOP)]


@pytest.mark.parametrize(
    ("integration", "hops"),
    [
        (
            replace(INTEGRATION, link=None, balancer_arn=""),
            (("VPC link", "abc123", "absent"), ("load balancer", "none", "absent"), ("target group", "none", "absent")),
        ),
        (
            replace(INTEGRATION, link=NO_APIS, balancer_arn=NO_APIS),
            (
                ("VPC link", "abc123", "unknown"),
                ("load balancer", "not known", "unknown"),
                ("target group", "not known", "unknown"),
            ),
        ),
        (
            replace(INTEGRATION, balancer_arn=BALANCER_ARN.replace("/orders/", "/web/")),
            (LINK_HOP, ("load balancer", "web", "ok"), ("target group", "none", "absent")),
        ),
        (
            replace(INTEGRATION, balancer_arn=BALANCER_ARN.replace("/net/", "/app/"), endpoints=None, port=None),
            (LINK_HOP, ("load balancer", "orders", "ok"), ("target group", "not known", "unknown")),
        ),
        (
            replace(INTEGRATION, endpoints={443: ("vpce-other",), 8443: (ENDPOINT_ID,)}),
            (LINK_HOP, ("load balancer", "orders", "ok"), ("target group", "none", "absent")),
        ),
        (
            replace(INTEGRATION, link_id="", link=None, balancer_arn=""),
            (("VPC link", "none", "absent"), ("load balancer", "none", "absent"), ("target group", "none", "absent")),
        ),
    ],
    ids=[
        "link gone",
        "link unread",
        "another load balancer",
        "an Application Load Balancer",
        "another endpoint's listener",
        "no link",
    ],
)
def test_an_api_that_gets_lost_is_shown_as_far_as_it_gets(
    integration: Integration, hops: tuple[tuple[str, str, str], ...]
) -> None:
    account = HEALTHY.on_paths(apis=(replace(API, integrations=(integration,)),))
    assert ways_in(account)[-1] == (CLIENTS, API_HOP, *hops, *END)


def test_a_service_that_could_not_be_described_is_unknown_with_all_that_hangs_on_it() -> None:
    why = Unread(call="apprunner:DescribeService", code="Throttling")
    account = replace(HEALTHY, services={SERVICE_ARN: why})
    assert ways_in(account) == [(*TO_BALANCER, *FROM_BALANCER, *END)]
    assert seen([chain_of(account).service]) == (("service", "orders", "unknown"),)
    assert ways_out(account) == [(("connector", "not known", "unknown"),)]
    alone = account.on_paths(ingress={}, endpoints=(), groups=(), balancers=(), apis=())
    assert ways_in(alone) == [(("client", "not known", "unknown"),)]


def test_a_service_that_is_gone_has_no_chain() -> None:
    gone = Unread(call="apprunner:DescribeService", code=GONE)
    assert replace(HEALTHY, services={SERVICE_ARN: gone}).report().chains == ()
    assert HEALTHY.has(replace(SERVICE, status="DELETED")).report().chains == ()


def test_chains_come_by_the_name_of_the_service() -> None:
    assert [one.service.name for one in SEVERAL.report().chains] == ["billing", "orders", "shop"]


# Ways out ------------------------------------------------------------------------------------------------------------


def test_a_service_leaves_by_each_subnet_of_its_connector_zone_by_zone() -> None:
    assert ways_out(HEALTHY) == [
        (
            ("connector", "orders", "ok"),
            ("subnet", f"subnet-private-{number}", "ok"),
            ("way out", f"nat-{number}", "ok"),
            INTERNET,
        )
        for number in (1, 2, 4)
    ]


@pytest.mark.parametrize(
    ("connector", "state"),
    [
        (replace(CONNECTOR, status="INACTIVE"), "absent"),
        (Unread(call="apprunner:DescribeVpcConnector", code=GONE), "absent"),
        (Unread(call="apprunner:DescribeVpcConnector", code="Throttling"), "unknown"),
        (None, "unknown"),
    ],
    ids=["deleted", "gone", "unread", "not there"],
)
def test_a_connector_may_be_gone_or_unread(connector: Connector | Unread | None, state: str) -> None:
    account = replace(HEALTHY.has(replace(SERVICE, connector=connector)), connectors={}, networks={})
    assert ways_out(account) == [(("connector", "orders", state),)]


def changed(*changes: Change) -> Account:
    snapshot = healthy()
    for change in changes:
        snapshot = change(snapshot)
    return in_network(snapshot.network)


def way_by(account: Account, subnet: str) -> Way:
    return next(way for way in chain_of(account).ways_out if any(hop.id == subnet for hop in way))[1:]


@pytest.mark.parametrize(
    ("account", "hops", "facts"),
    [
        (replace(HEALTHY, networks={}), (("subnet", "unknown"),), ()),
        (changed(unread("subnets")), (("subnet", "unknown"),), ()),
        (changed(subnets_are_gone("subnet-private-1")), (("subnet", "absent"),), ()),
        (changed(unread("route_tables")), (("subnet", "ok"), ("way out", "unknown")), ()),
        (
            changed(disassociate("subnet-private-1"), hide_route_tables("rtb-main")),
            (("subnet", "ok"), ("way out", "unknown")),
            (),
        ),
        (
            changed(remove_route("rtb-private-1", "0.0.0.0/0")),
            (("subnet", "ok"), ("way out", "absent")),
            ("no default route in rtb-private-1",),
        ),
        (
            changed(unread("nat_gateways")),
            (("subnet", "ok"), ("way out", "unknown"), ("destination", "ok")),
            ("NAT gateway",),
        ),
        (
            changed(
                remove_route("rtb-private-1", "0.0.0.0/0"),
                add_route("rtb-private-1", "0.0.0.0/0", "tgw-1", blackhole=True),
            ),
            (("subnet", "ok"), ("way out", "absent"), ("destination", "ok")),
            ("transit gateway", "a blackhole"),
        ),
    ],
    ids=[
        *("no network", "subnets unread", "subnet gone", "tables unread", "table hidden", "no way out", "NAT unread"),
        "blackhole",
    ],
)
def test_what_is_behind_a_connector_may_be_missing_or_unread(
    account: Account, hops: tuple[tuple[str, str], ...], facts: tuple[str, ...]
) -> None:
    way = way_by(account, "subnet-private-1")
    assert tuple((hop.kind.value, hop.state.value) for hop in way) == hops
    assert [hop.facts for hop in way if hop.kind is Kind.WAY_OUT] == [facts] * (len(hops) > 1)


def test_a_dual_stack_subnet_has_a_way_out_for_each_family() -> None:
    account = changed(
        set_subnet("subnet-private-1", ipv6_cidrs=("2600:1f18::/64",)), add_route("rtb-private-1", "::/0", "eigw-1")
    )
    outs = [way[2].name for way in chain_of(account).ways_out if way[1].id == "subnet-private-1"]
    assert outs == ["nat-1", "eigw-1"]


def test_a_private_nat_gateway_says_so() -> None:
    nats: list[NatGateway] = [replace(one, connectivity="private") for one in known(healthy().network.nat_gateways)]
    account = in_network(replace(healthy().network, nat_gateways=tuple(nats)))
    assert way_by(account, "subnet-private-1")[1].facts == ("NAT gateway", "available", "private", "use1-az1")


def test_declared_destinations_are_ends_of_their_own() -> None:
    database = Destination(peer="sg-database", ports=(5432,), origin="declared on connector orders")
    office = Destination(peer="2600:1f18::/64", ports=(443,), origin="declared on service orders")
    typo = Destination(peer="sg_database", ports=(), origin="declared on service orders", malformed="it names nothing")
    account = in_network(replace(healthy().network, destinations=(database, office, typo))).says(
        finding(
            CONNECTOR.arn,
            "AR306",
            "sg-database:5432 (declared on connector orders) is not reached from subnet-private-1 (10.0.1.0/24):"
            " inbound rules of the destination, sg-database admits nothing on TCP 5432 from sg-app",
        )
    )
    connector = ("connector", "orders", "ok")
    assert ways_out(account)[3:] == [
        (connector, ("destination", "sg-database:5432", "fails")),
        (connector, ("destination", "[2600:1f18::/64]:443", "ok")),
    ]


def test_destinations_that_could_not_be_read_are_unknown() -> None:
    account = in_network(replace(healthy().network, destinations=DENIED))
    assert ways_out(account)[3:] == [
        (("connector", "orders", "ok"), ("destination", "declared destinations", "unknown"))
    ]


# Answers -------------------------------------------------------------------------------------------------------------


def test_rules_are_about_the_resource_that_they_judge_but_for_these() -> None:
    assert {rule: (by_id()[rule].name, kind.value) for rule, kind in RULES_ON.items()} == {
        "AR102": ("connector_public_subnet", "subnet"),
        "AR104": ("connector_unsupported_zone", "subnet"),
        "AR105": ("connector_few_free_addresses", "subnet"),
        "AR107": ("connector_no_way_out", "way out"),
        "AR108": ("connector_blackhole_route", "way out"),
        "AR109": ("connector_nat_in_other_zone", "way out"),
        "AR110": ("connector_nat_unusable", "way out"),
        "AR112": ("connector_acl_blocks_egress", "subnet"),
        "AR113": ("connector_subnet_gone", "subnet"),
        "AR306": ("connector_destination_blocked", "destination"),
        "AR409": ("service_connector_gone", "connector"),
        "AR604": ("api_vpc_link_unusable", "VPC link"),
    }


def told(account: Account) -> dict[tuple[str, str], tuple[tuple[str, str, tuple[str, ...], str], ...]]:
    """What is said of each hop, by its kind and name."""
    return {
        (hop.kind.value, hop.name): tuple((one.rule, one.status.value, one.messages, one.unread) for one in hop.answers)
        for hop in chain_of(account).hops
        if hop.answers
    }


@pytest.mark.parametrize(
    ("resource", "rule", "hop"),
    [
        (SERVICE_ARN, "AR401", ("service", "orders")),
        (SERVICE_ARN, "AR409", ("connector", "orders")),
        (SERVICE_ARN, "AR901", ("service", "orders")),
        (CONNECTOR.arn, "AR101", ("connector", "orders")),
        (CONNECTOR.arn, "AR301", ("connector", "orders")),
        (CONNECTOR.arn, "AR306", ("connector", "orders")),  # no destination is declared
        (INGRESS.arn, "AR503", ("ingress connection", "orders")),
        (ENDPOINT.arn, "AR505", ("endpoint", ENDPOINT_ID)),
        (GROUP_ARN, "AR511", ("target group", "orders")),
        (BALANCER_ARN, "AR513", ("load balancer", "orders")),
        (API.arn, "AR601", ("API", "orders")),
        (API.arn, "AR604", ("VPC link", "orders")),
    ],
)
def test_an_answer_is_on_the_hop_that_it_is_about(resource: str, rule: str, hop: tuple[str, str]) -> None:
    account = HEALTHY.says(finding(resource, rule, "it is wrong"))
    assert told(account) == {hop: ((rule, "fail", ("it is wrong",), ""),)}
    assert {hop.state for hop in chain_of(account).hops if hop.answers} == {State.FAILS}


def test_a_message_is_on_the_subnet_or_the_way_out_that_it_names() -> None:
    public, blackhole = BROKEN.answers[CONNECTOR.arn][:2]
    assert {hop: said for hop, said in told(BROKEN).items() if hop[0] in ("subnet", "way out")} == {
        ("subnet", "subnet-private-1"): (("AR102", "fail", public.messages, ""),),
        ("way out", "nat-2"): (("AR108", "fail", blackhole.messages, ""),),
    }


def test_a_message_that_names_no_hop_is_on_all_of_its_kind() -> None:
    account = HEALTHY.says(finding(CONNECTOR.arn, "AR112", "an ACL denies it"))
    assert told(account) == {
        ("subnet", f"subnet-private-{number}"): (("AR112", "fail", ("an ACL denies it",), ""),) for number in (1, 2, 4)
    }


def test_a_message_about_a_way_out_that_names_only_the_subnet_is_on_its_way_out() -> None:
    message = "subnet-private-2 (use1-az2) has no default route for IPv4 in rtb-private-2"
    account = changed(remove_route("rtb-private-2", "0.0.0.0/0")).says(finding(CONNECTOR.arn, "AR107", message))
    assert told(account) == {("way out", "none"): (("AR107", "fail", (message,), ""),)}
    assert way_by(account, "subnet-private-2")[-1].state is State.FAILS


def test_what_could_not_be_judged_is_unknown_on_every_hop_of_its_kind() -> None:
    why = "ec2:DescribeRouteTables failed (Throttling)"
    message = "subnet-private-1 is public"
    partly = HEALTHY.says(finding(CONNECTOR.arn, "AR102", message, unread=why))
    assert told(partly) == {
        ("subnet", "subnet-private-1"): (("AR102", "fail", (message,), why),),
        ("subnet", "subnet-private-2"): (("AR102", "unknown", (), why),),
        ("subnet", "subnet-private-4"): (("AR102", "unknown", (), why),),
    }
    assert [hop.state.value for hop in chain_of(partly).hops if hop.kind is Kind.SUBNET] == [
        *("fails", "unknown", "unknown")
    ]


def test_what_passes_and_what_is_moot_says_nothing() -> None:
    account = HEALTHY.says(
        finding(GROUP_ARN, "AR510", status=Status.PASS), finding(GROUP_ARN, "AR511", status=Status.UNKNOWN)
    )
    assert account.report() == HEALTHY.report()


def test_a_rule_that_broke_leaves_a_hop_unknown() -> None:
    account = HEALTHY.says(finding(GROUP_ARN, "AR507", status=Status.ERROR, unread="KeyError: 'x'"))
    assert hop_of(account, Kind.GROUP).state is State.UNKNOWN


@pytest.mark.parametrize("kind", [Kind.SERVICE, Kind.CONNECTOR, Kind.SUBNET, Kind.GROUP, Kind.LINK])
def test_what_was_not_judged_is_unknown(kind: Kind) -> None:
    account = replace(HEALTHY, answers={})
    hops = [hop for hop in chain_of(account).hops if hop.kind is kind]
    assert {(hop.state, hop.unread) for hop in hops} == {(State.UNKNOWN, ("it was not judged",))}


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ((Status.EXEMPT,), State.EXEMPT),
        ((Status.EXEMPT, Status.UNKNOWN), State.UNKNOWN),
        ((Status.EXEMPT, Status.UNKNOWN, Status.FAIL), State.FAILS),
        ((Status.PASS,), State.OK),
    ],
)
def test_the_worst_answer_is_the_state(statuses: tuple[Status, ...], state: State) -> None:
    said = [
        finding(GROUP_ARN, rule, "x", status=status, unread="y" * (status is Status.UNKNOWN))
        for rule, status in zip(("AR507", "AR508", "AR509"), statuses, strict=False)
    ]
    account = HEALTHY.says(*said)
    assert (hop_of(account, Kind.GROUP).state, chain_of(account).state) == (state, state)


def test_what_is_not_there_is_absent_whatever_else_is_unknown_of_it() -> None:
    why = finding(SERVICE_ARN, "AR409", status=Status.UNKNOWN, unread="apprunner:ListVpcConnectors failed (x)")
    gone = HEALTHY.has(replace(SERVICE, connector=replace(CONNECTOR, status="INACTIVE")))
    account = replace(gone, connectors={}, networks={}).says(why)
    assert hop_of(account, Kind.CONNECTOR).state is State.ABSENT


def test_answers_come_by_severity_and_rule() -> None:
    account = HEALTHY.says(*(finding(GROUP_ARN, rule, "x") for rule in ("AR517", "AR508", "AR507", "AR510")))
    answers = hop_of(account, Kind.GROUP).answers
    assert [one.rule for one in answers] == sorted(
        (one.rule for one in answers), key=lambda rule: (by_id()[rule].severity.rank, rule)
    )


def test_of_two_apis_by_one_link_each_says_its_own() -> None:
    second = replace(SECOND_API, integrations=(INTEGRATION,))
    account = HEALTHY.on_paths(apis=(API, second)).says(
        finding(API.arn, "AR604", "VPC link abc123 is FAILED; used by ANY /{proxy+}"),
        finding(second.arn, "AR604", "VPC link abc123 is FAILED; used by $default"),
    )
    assert [one.messages[0][-9:] for one in hop_of(account, Kind.LINK).answers] == [" $default", "/{proxy+}"]


# Beside --------------------------------------------------------------------------------------------------------------


def recorded(rule: str, state: Recorded) -> Record:
    return Record(
        resource=GROUP_ARN,
        rule=rule,
        state=state,
        severity=Severity.LOW,
        messages=("held",),
        faults=(),
        first_seen=0,
        last_seen=0,
    )


def test_what_stands_of_rules_that_were_not_asked_is_an_answer_too() -> None:
    records = (
        recorded("AR511", Recorded.OPEN),
        recorded("AR516", Recorded.EXEMPT),
        recorded("AR517", Recorded.RESOLVED),
        recorded("AR507", Recorded.OPEN),  # it was asked
        recorded("AR999", Recorded.OPEN),  # no rule any more
    )
    wanted: list[Finding] = [
        replace(finding(GROUP_ARN, "AR511", "held"), severity=Severity.LOW),
        replace(finding(GROUP_ARN, "AR516", "held", status=Status.EXEMPT), severity=Severity.LOW),
    ]
    assert list(standing(records, {"AR511", "AR516", "AR517", "AR999"})) == wanted


def test_what_could_not_be_listed_is_told_once_and_in_order() -> None:
    account = HEALTHY.on_paths(unlisted=(DENIED, NO_APIS, DENIED), ingress={INGRESS.arn: DENIED})
    assert account.report().unread == tuple(sorted((str(DENIED), str(NO_APIS))))


def test_names_from_outside_stay_on_one_line() -> None:
    nasty = "a\nFAILS\u2028b" + "x" * 500
    account = HEALTHY.on_paths(apis=(replace(API, name=nasty),)).says(finding(API.arn, "AR601", nasty))
    hop = hop_of(account, Kind.API)
    assert (hop.name[:9], len(hop.name)) == ("a?FAILS?b", 120)
    assert hop.answers[0].messages[0].startswith("a?FAILS?bxxx")


def test_a_healthy_link_has_no_message_and_another_has() -> None:
    ready, failed = replace(LINK, why="it is ready"), replace(LINK, status="FAILED", why="NLB is in use")
    for link, facts in ((ready, ("AVAILABLE", "generation 1")), (failed, ("FAILED", "generation 1", "NLB is in use"))):
        account = HEALTHY.on_paths(apis=(replace(API, integrations=(replace(INTEGRATION, link=link),)),))
        assert hop_of(account, Kind.LINK).facts == facts


def test_the_order_in_which_things_are_listed_matters_to_nothing() -> None:
    paths = SEVERAL.paths
    turned = replace(SEVERAL, services=dict(sorted(SEVERAL.services.items(), reverse=True)))
    turned = turned.on_paths(apis=paths.apis[::-1])
    chains, others = SEVERAL.report().chains, turned.report().chains
    assert [set(one.hops) for one in chains] == [set(one.hops) for one in others]
    assert [set(one.ways_in) for one in chains] == [set(one.ways_in) for one in others]
