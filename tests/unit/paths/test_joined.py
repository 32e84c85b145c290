"""Joining what was read of private paths: who leads to whom, and what stays unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.facts import (
    Api,
    EndpointInterface,
    IngressConnection,
    Integration,
    InterfaceEndpoint,
    Listener,
    Service,
    Stage,
    Target,
    TargetGroup,
    Unread,
    VpcLink,
    if_read,
)
from apprunner_guardrails.paths.joined import (
    Ends,
    Groups,
    Links,
    Names,
    answers_to,
    balancer_of,
    bound_to,
    candidates,
    ends_of,
    hosts_asked,
    listener_named,
    may_lead,
    path_apis,
    path_groups,
    per_stage,
    port_asked,
    with_endpoints,
)
from apprunner_guardrails.targets.binding import TAG
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, OTHER_ENDPOINT, REQUESTS, arn
from tests.private_path import DOMAIN, INGRESS, LINK, LISTENER, SECOND_LINK, SERVICE_URL
from tests.samples import REGION, SERVICE, VPC

WHY = Unread(call="ec2:DescribeNetworkInterfaces", code="Throttling")
OTHER_WHY = Unread(call="elasticloadbalancing:DescribeTargetHealth", code="Throttling")
GONE = "TargetGroupNotFound"
OTHER_VPC = "vpc-2"
APPLICATION = BALANCER.replace("/net/", "/app/")


def group(name: str = "orders", **changes: Any) -> TargetGroup:
    ordinary: dict[str, Any] = {
        "arn": arn(name),
        "name": name,
        "vpc_id": VPC,
        "port": 443,
        "target_type": "ip",
        "ipv6": False,
        "load_balancer_arns": (BALANCER,),
    }
    return TargetGroup(**{**ordinary, **changes})


def endpoint(name: str = ENDPOINT, vpc_id: str = VPC, *interfaces: str) -> InterfaceEndpoint:
    return InterfaceEndpoint(
        id=name,
        vpc_id=vpc_id,
        service=REQUESTS,
        state="available",
        private_dns=False,
        interface_ids=interfaces or ("eni-a",),
    )


def interface(name: str = "eni-a", ipv4: str = "10.0.1.5", *ipv6: str) -> EndpointInterface:
    return EndpointInterface(id=name, vpc_id=VPC, zone="us-east-1a", ipv4=ipv4, ipv6=ipv6)


def ends(*some: InterfaceEndpoint, **interfaces: EndpointInterface | Unread) -> Ends:
    known = {one.replace("_", "-"): fact for one, fact in interfaces.items()} or {"eni-a": interface()}
    return Ends(listed=some, endpoints={one.id: one for one in some}, interfaces=known)


def target(address: str, zone: str = "us-east-1a", state: str = "healthy") -> Target:
    return Target(address=address, port=443, zone=zone, state=state)


# Target groups -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "is_candidate"),
    [
        (group(), True),
        (group(load_balancer_arns=()), True),
        (group(protocol="TLS"), True),
        (group(target_type="alb"), True),
        (group(load_balancer_arns=(APPLICATION,)), False),
        (group(protocol="HTTP", load_balancer_arns=()), False),
        (group(protocol="HTTPS", load_balancer_arns=()), False),
        (group(protocol="GENEVE", load_balancer_arns=()), False),
        (group(protocol="", target_type="lambda", load_balancer_arns=()), False),
    ],
    ids=[
        "of an NLB",
        "of nobody",
        "of TLS",
        "of a load balancer's kind",
        "of an application's load balancer",
        "HTTP",
        "HTTPS",
        "of gateways",
        "of functions",
    ],
)
def test_candidates_are_groups_that_an_nlb_may_lead_to(one: TargetGroup, is_candidate: bool) -> None:
    assert candidates([one]) == ((one,) if is_candidate else ())


@pytest.mark.parametrize(
    ("tags", "ids"),
    [
        ({TAG: f"{OTHER_ENDPOINT} {ENDPOINT}"}, (ENDPOINT, OTHER_ENDPOINT)),
        ({TAG: "the endpoint"}, ()),
        ({"team": "shop"}, ()),
        (WHY, ()),
        (None, ()),
    ],
    ids=["several", "not understood", "no binding", "unread", "not asked for"],
)
def test_a_binding_names_endpoints(tags: Mapping[str, str] | Unread | None, ids: tuple[str, ...]) -> None:
    assert bound_to(tags) == ids


def grouped(
    one: TargetGroup, targets: tuple[Target, ...] | Unread, found: Ends, tags: Mapping[str, str] | Unread | None = None
) -> tuple[tuple[str, ...] | None, Unread | None]:
    """The endpoints of the group if it is on a path, and why that is not known."""
    groups = path_groups((one,), {one.arn: {} if tags is None else tags}, {one.arn: targets}, found, frozenset({GONE}))
    ids = [each.endpoint_ids for each in groups.found]
    return (ids[0] if ids else None), groups.undecided.get(one.arn)


@pytest.mark.parametrize(
    ("one", "targets", "found", "ids"),
    [
        (group(), (target("10.0.1.5"),), ends(endpoint()), (ENDPOINT,)),
        (group(), (target("10.0.1.6"),), ends(endpoint()), None),
        (group(), (target("10.0.1.5", state="draining"),), ends(endpoint()), None),
        (group(), (target("10.0.1.5"),), ends(endpoint(ENDPOINT, OTHER_VPC)), None),
        (group(), (target("10.0.1.5", "all"),), ends(endpoint(ENDPOINT, OTHER_VPC)), (ENDPOINT,)),
        (
            group(ipv6=True),
            (target("2600:db8::5"),),
            ends(endpoint(), eni_a=interface("eni-a", "10.0.1.5", "2600:db8::5")),
            (ENDPOINT,),
        ),
        (
            group(),
            (target("10.0.1.5"), target("10.0.1.7")),
            ends(
                endpoint(),
                endpoint(OTHER_ENDPOINT, VPC, "eni-b"),
                eni_a=interface(),
                eni_b=interface("eni-b", "10.0.1.7"),
            ),
            (ENDPOINT, OTHER_ENDPOINT),
        ),
    ],
    ids=[
        "the endpoint's address",
        "another address",
        "an address that drains",
        "the same address in another VPC",
        "an address from outside of the VPC",
        "an IPv6 address",
        "addresses of two endpoints",
    ],
)
def test_a_group_is_on_a_path_by_an_address(
    one: TargetGroup, targets: tuple[Target, ...], found: Ends, ids: tuple[str, ...] | None
) -> None:
    assert grouped(one, targets, found) == (ids, None)


def test_what_a_group_is_bound_to_counts_beside_its_targets() -> None:
    found = grouped(group(), (target("10.0.1.5"),), ends(endpoint()), {TAG: OTHER_ENDPOINT})
    assert found == ((ENDPOINT, OTHER_ENDPOINT), None)


@pytest.mark.parametrize(
    ("targets", "tags", "found", "why"),
    [
        (OTHER_WHY, {}, ends(endpoint()), OTHER_WHY),
        ((target("10.0.1.6"),), WHY, ends(endpoint()), WHY),
        ((target("10.0.1.6"),), {}, ends(endpoint(), eni_a=WHY), WHY),
        ((target("10.0.1.6"),), {}, Ends(listed=WHY), WHY),
        ((target("10.0.1.6"),), {}, Ends(listed=(), endpoints={ENDPOINT: WHY}), WHY),
        ((), {}, Ends(listed=WHY), None),
        ((target("10.0.1.6"),), {}, Ends(listed=(), endpoints={ENDPOINT: None}), None),
        (Unread(call="x", code=GONE), {}, Ends(listed=WHY), None),
        ((), Unread(call="x", code=GONE), Ends(listed=WHY), None),
    ],
    ids=[
        "its targets are unread",
        "its tags are unread",
        "an endpoint's interface is unread",
        "endpoints could not be listed",
        "an endpoint that is named is unread",
        "no targets, so none of an endpoint",
        "an endpoint that is named does not exist",
        "its targets are gone with it",
        "its tags are gone with it",
    ],
)
def test_whether_a_group_is_on_a_path_is_not_known_where(
    targets: tuple[Target, ...] | Unread, tags: Mapping[str, str] | Unread, found: Ends, why: Unread | None
) -> None:
    assert grouped(group(), targets, found, tags) == (None, why)


@pytest.mark.parametrize("unread", ["targets", "tags"])
def test_a_group_that_is_on_a_path_for_sure_is_so_whatever_else_is_unread(unread: str) -> None:
    tags: Mapping[str, str] | Unread = WHY if unread == "tags" else {TAG: ENDPOINT}
    targets: tuple[Target, ...] | Unread = WHY if unread == "targets" else (target("10.0.1.5"),)
    assert grouped(group(), targets, ends(endpoint()), tags) == ((ENDPOINT,), None)


def test_a_doubt_about_a_group_is_one_about_its_load_balancers_alone() -> None:
    unused, other = group("unused", load_balancer_arns=()), group("other", load_balancer_arns=(f"{BALANCER}0",))
    tags: dict[str, Mapping[str, str]] = {one: {} for one in (ORDERS, unused.arn, other.arn)}
    targets: dict[str, tuple[Target, ...] | Unread] = {
        ORDERS: (target("10.0.1.5"),),
        unused.arn: OTHER_WHY,
        other.arn: WHY,
    }
    groups = path_groups((group(), other, unused), tags, targets, ends(endpoint()), frozenset({GONE}))
    assert (groups.undecided, groups.doubts) == ({unused.arn: OTHER_WHY, other.arn: WHY}, {f"{BALANCER}0": WHY})
    assert (groups.doubt(BALANCER), groups.doubt(f"{BALANCER}0"), groups.doubt_of_balancers) == (None, WHY, WHY)
    assert groups.balancer_arns == (BALANCER,)


def test_groups_that_could_not_be_listed_leave_everything_in_doubt() -> None:
    groups = path_groups(WHY, {}, {}, ends(endpoint()), frozenset({GONE}))
    assert groups == Groups(listed=WHY)
    assert (groups.doubt(BALANCER), groups.doubt_of_balancers) == (WHY, WHY)


# Names ---------------------------------------------------------------------------------------------------------------

CONNECTION = IngressConnection(
    arn=INGRESS, name="shop", service_arn=SERVICE, status="AVAILABLE", vpc_id=VPC, endpoint_id=ENDPOINT, domain=DOMAIN
)
PRIVATE = Service(arn=SERVICE, name="shop", status="RUNNING", connector_arn="", public=False, url=SERVICE_URL)
NAMES = Names(
    listed=(INGRESS,),
    ingress={INGRESS: CONNECTION},
    services={SERVICE: PRIVATE},
    domains={SERVICE: ("*.example.com",)},
)


def test_the_names_behind_an_endpoint_are_those_of_the_services_connected_to_it() -> None:
    assert NAMES.behind(frozenset({ENDPOINT})) == ("*.example.com", DOMAIN, SERVICE_URL)
    assert NAMES.behind(frozenset({OTHER_ENDPOINT})) == ()
    assert NAMES.known == {"*.example.com", DOMAIN, SERVICE_URL}


@pytest.mark.parametrize(
    ("names", "behind", "known"),
    [
        (replace(NAMES, listed=WHY), WHY, {"*.example.com", DOMAIN, SERVICE_URL}),
        (replace(NAMES, ingress={INGRESS: CONNECTION, "other": WHY}), WHY, {"*.example.com", DOMAIN, SERVICE_URL}),
        (replace(NAMES, services={SERVICE: WHY}), WHY, {"*.example.com", DOMAIN}),
        (replace(NAMES, domains={SERVICE: WHY}), WHY, {DOMAIN, SERVICE_URL}),
        (replace(NAMES, services={}, domains={}), (DOMAIN,), {DOMAIN}),
        (
            replace(NAMES, services={SERVICE: replace(PRIVATE, url="")}),
            ("*.example.com", DOMAIN),
            {"*.example.com", DOMAIN},
        ),
        (
            replace(NAMES, services={SERVICE: PRIVATE, "public": replace(PRIVATE, public=True, url="public.test")}),
            ("*.example.com", DOMAIN, SERVICE_URL),
            {"*.example.com", DOMAIN, SERVICE_URL},
        ),
    ],
    ids=[
        "connections could not be listed",
        "a connection is unread",
        "the service is unread",
        "its domains are unread",
        "the service is gone",
        "it has no URL",
        "another service is public",
    ],
)
def test_names_are_unread_as_a_whole_where_any_may_be_missing(
    names: Names, behind: tuple[str, ...] | Unread, known: set[str]
) -> None:
    assert (names.behind(frozenset({ENDPOINT})), set(names.known)) == (behind, known)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("shop.example.com", True),
        ("SHOP.Example.com", True),
        ("a.b.example.com", False),
        ("example.com", False),
        (DOMAIN.upper(), True),
        (f"x{DOMAIN}", False),
        ("", False),
    ],
)
def test_a_host_is_a_name_in_any_case_or_one_label_before_a_wildcards(host: str, is_one: bool) -> None:
    assert answers_to(host, ["*.EXAMPLE.com", DOMAIN, ""]) is is_one


def test_connections_have_the_endpoint_that_they_name() -> None:
    lost = replace(CONNECTION, endpoint_id=OTHER_ENDPOINT)
    joined = with_endpoints({"c": WHY, "b": lost, "a": CONNECTION}, {ENDPOINT: endpoint(), OTHER_ENDPOINT: OTHER_WHY})
    assert list(joined.items()) == [
        ("a", replace(CONNECTION, endpoint=endpoint())),
        ("b", replace(lost, endpoint=OTHER_WHY)),
        ("c", WHY),
    ]


# APIs ----------------------------------------------------------------------------------------------------------------

FIRST = VpcLink(id=LINK, name="shop", generation=1, status="AVAILABLE", target_arns=(BALANCER,))
SECOND = VpcLink(id=SECOND_LINK, name="shop", generation=2, status="AVAILABLE")
ELSEWHERE = f"{BALANCER}0"
ONE = Integration(where="ANY /", kind="HTTP_PROXY", uri=f"https://{DOMAIN}/{{proxy}}", link_id=LINK)
LIVE = Stage(name="live", logged=True, traced=True)


def listener(port: int, *groups: str, **changes: Any) -> Listener:
    """Of the load balancer; that on 443 is the one that integrations name."""
    name = LISTENER if port == 443 else f"{LISTENER}{port}"
    return replace(Listener(arn=name, protocol="TCP", port=port, target_group_arns=groups), **changes)


type Listeners = Mapping[str, tuple[Listener, ...] | Unread]
LISTENERS: Listeners = {BALANCER: (listener(443, ORDERS),)}


def on_path(undecided: Mapping[str, Unread] | None = None) -> Groups:
    """The group orders is on a path; of others it is not known."""
    others = [replace(group(), arn=each) for each in undecided or {}]
    tags: dict[str, Mapping[str, str] | Unread] = {ORDERS: {TAG: ENDPOINT}, **{one: {} for one in undecided or {}}}
    listed = (group(), *(replace(one, load_balancer_arns=(ELSEWHERE,)) for one in others))
    return path_groups(listed, tags, dict(undecided or {}), ends(endpoint()), frozenset({GONE}))


def api(*integrations: Integration, stages: tuple[Stage, ...] | Unread = (LIVE,), **changes: Any) -> Api:
    made = Api(id="a1", name="shop", kind="REST", region=REGION, integrations=integrations, stages=stages)
    return replace(made, **changes)


def joined(
    one: Integration,
    *,
    groups: Groups | None = None,
    listeners: Listeners = LISTENERS,
    names: Names = NAMES,
    links: Links | None = None,
    stages: tuple[Stage, ...] | Unread = (LIVE,),
) -> tuple[Integration, ...] | Unread:
    """What is kept of an API with this integration."""
    chosen = links or Links(first=(FIRST,), second=(SECOND,))
    found = path_apis([api(one, stages=stages)], groups or on_path(), listeners, names, chosen)
    return next((each.integrations for each in found), ())


HOSTS = ("*.example.com", DOMAIN, SERVICE_URL)
BEHIND: dict[str, Any] = {"balancer_arn": BALANCER, "endpoints": {443: (ENDPOINT,)}, "port": 443, "hosts": HOSTS}


@pytest.mark.parametrize(
    ("one", "changes"),
    [
        (ONE, {"link": FIRST, **BEHIND}),
        (replace(ONE, uri="http://orders-1.elb.us-east-1.amazonaws.com"), {"link": FIRST, **BEHIND, "port": 80}),
        (replace(ONE, link_id=SECOND_LINK, target_arn=LISTENER), {"link": SECOND, **BEHIND}),
        (replace(ONE, link_id=SECOND_LINK, target_arn=BALANCER), {"link": SECOND, **BEHIND}),
        (replace(ONE, link_id=SECOND_LINK), {"link": SECOND, "port": 443}),
        (replace(ONE, link_id="lost"), {"link": None, "port": 443}),
        (replace(ONE, link_id=""), {}),
        (replace(ONE, uri=f"https://{SERVICE_URL}"), {"link": FIRST, **BEHIND}),
    ],
    ids=[
        "a link to the load balancer",
        "whatever host it asks for",
        "its own listener",
        "its own load balancer",
        "a link without a target, by name",
        "a link that is no more, by name",
        "no link, by name",
        "by the service's own name",
    ],
)
def test_an_integration_is_kept_with_what_it_leads_to(one: Integration, changes: dict[str, Any]) -> None:
    assert joined(one) == (replace(one, **changes),)


NAMELESS = replace(ONE, uri="https://other.test/")


@pytest.mark.parametrize(
    "one",
    [
        replace(NAMELESS, link_id=""),
        replace(NAMELESS, link_id="lost"),
        replace(NAMELESS, link_id=SECOND_LINK),
        replace(NAMELESS, link_id=SECOND_LINK, target_arn=LISTENER.replace("/net/", "/app/")),
        replace(NAMELESS, link_id=SECOND_LINK, target_arn="arn:aws:servicediscovery:us-east-1:1:service/srv-1"),
        replace(NAMELESS, link_id="", kind="MOCK", uri=""),
    ],
    ids=["no link", "a link that is no more", "no target", "another load balancer", "Cloud Map", "a mock"],
)
def test_an_integration_that_leads_elsewhere_is_left_out(one: Integration) -> None:
    assert joined(one) == ()


@pytest.mark.parametrize(
    ("one", "links", "changes"),
    [
        (
            NAMELESS,
            Links(first=WHY, second=()),
            {"link": WHY, "balancer_arn": WHY, "endpoints": WHY, "hosts": WHY},
        ),
        (
            replace(NAMELESS, link_id=SECOND_LINK, target_arn=LISTENER),
            Links(first=(), second=WHY),
            {"link": WHY, **BEHIND},
        ),
        (NAMELESS, Links(first=(FIRST,), second=WHY), {"link": FIRST, **BEHIND}),
    ],
    ids=["its link may be any", "its own listener tells", "its link is known"],
)
def test_an_integration_whose_link_is_unread_is_kept_unless_it_certainly_leads_elsewhere(
    one: Integration, links: Links, changes: dict[str, Any]
) -> None:
    assert joined(one, links=links) == (replace(one, **changes),)


def test_an_integration_to_a_load_balancer_in_doubt_is_kept_with_the_doubt() -> None:
    link = replace(FIRST, target_arns=(ELSEWHERE,))
    groups = on_path({arn("other"): OTHER_WHY})
    (found,) = path_apis([api(NAMELESS)], groups, LISTENERS, NAMES, Links(first=(link,), second=()))
    kept = replace(NAMELESS, link=link, balancer_arn=ELSEWHERE, endpoints=OTHER_WHY, port=443, hosts=OTHER_WHY)
    assert (found.integrations, found.path_balancers) == ((kept,), OTHER_WHY)


def test_a_doubt_about_another_load_balancer_does_not_spread() -> None:
    groups = on_path({arn("other"): OTHER_WHY})
    (found,) = path_apis([api(ONE)], groups, LISTENERS, NAMES, Links(first=(FIRST,), second=()))
    assert (found.integrations, found.path_balancers) == ((replace(ONE, link=FIRST, **BEHIND),), (BALANCER,))


def test_an_api_whose_integrations_are_unread_is_kept() -> None:
    unread = api(integrations=WHY)
    assert path_apis([unread], on_path(), LISTENERS, NAMES, Links(first=(FIRST,), second=())) == (
        replace(unread, path_balancers=(BALANCER,)),
    )


def test_apis_are_sorted_and_those_that_lead_nowhere_left_out() -> None:
    some = [
        api(ONE, id="b"),
        api(NAMELESS, id="c", kind="HTTP"),
        api(replace(NAMELESS, link_id=""), id="d"),
        api(ONE, id="a"),
    ]
    found = path_apis(some, on_path(), LISTENERS, NAMES, Links(first=(FIRST,), second=(SECOND,)))
    assert [(one.kind, one.id) for one in found] == [("HTTP", "c"), ("REST", "a"), ("REST", "b")]


@pytest.mark.parametrize(
    ("one", "leads"),
    [
        (NAMELESS, True),
        (replace(ONE, link_id=""), True),
        (replace(NAMELESS, link_id="", uri="https://${stageVariables.host}/"), True),
        (replace(NAMELESS, link_id="", server_name="shop.example.com"), True),
        (replace(NAMELESS, link_id=""), False),
    ],
    ids=["a link", "a name", "a name that stages tell", "a name in TLS", "neither"],
)
def test_an_api_may_lead_to_a_service_by(one: Integration, leads: bool) -> None:
    assert (may_lead(api(one), NAMES.known), may_lead(api(integrations=WHY), NAMES.known)) == (leads, True)


# Listeners -----------------------------------------------------------------------------------------------------------

BILLING, UNKNOWN_GROUP = arn("billing"), arn("unknown")
BILLING_SERVICE = f"{SERVICE}0"
BILLING_CONNECTION = replace(
    CONNECTION, arn=f"{INGRESS}0", service_arn=BILLING_SERVICE, endpoint_id=OTHER_ENDPOINT, domain="billing.test"
)
TWO_NAMES = replace(
    NAMES,
    ingress={INGRESS: CONNECTION, BILLING_CONNECTION.arn: BILLING_CONNECTION},
    services={SERVICE: PRIVATE, BILLING_SERVICE: replace(PRIVATE, arn=BILLING_SERVICE, url="")},
    domains={SERVICE: (), BILLING_SERVICE: ()},
)
TWO_LISTENERS: Listeners = {
    BALANCER: (
        listener(80, arn("web")),
        listener(443, ORDERS),
        listener(443, BILLING, arn=f"{LISTENER}udp", protocol="UDP"),
        listener(8443, BILLING),
        listener(9443, BILLING, UNKNOWN_GROUP),
    )
}
THE_ENDS: Mapping[int, tuple[str, ...] | Unread] = {80: (), 443: (ENDPOINT,), 8443: (OTHER_ENDPOINT,), 9443: WHY}


def two_groups() -> Groups:
    """Of one load balancer: the group orders, billing of the other endpoint, and another of which nothing is known."""
    return path_groups(
        (group(), group("billing"), group("unknown"), group("web")),
        {ORDERS: {TAG: ENDPOINT}, BILLING: {TAG: OTHER_ENDPOINT}, UNKNOWN_GROUP: WHY, arn("web"): {}},
        {},
        ends(endpoint(), endpoint(OTHER_ENDPOINT, VPC, "eni-b")),
        frozenset({GONE}),
    )


FIRST_NAMES, SECOND_NAMES = (DOMAIN, SERVICE_URL), ("billing.test",)
BY_LISTENER = replace(ONE, link_id=SECOND_LINK)


@pytest.mark.parametrize(
    ("one", "port", "hosts"),
    [
        (ONE, 443, FIRST_NAMES),
        (replace(ONE, uri=f"https://{DOMAIN}:8443/"), 8443, SECOND_NAMES),
        (replace(ONE, uri=f"http://{DOMAIN}/"), 80, ()),
        (replace(ONE, uri=f"https://{DOMAIN}:9443/"), 9443, WHY),
        (replace(BY_LISTENER, target_arn=LISTENER, uri="https://billing.test:8443/"), 443, FIRST_NAMES),
        (replace(BY_LISTENER, target_arn=f"{LISTENER}8443", uri=LISTENER), 8443, SECOND_NAMES),
        (replace(BY_LISTENER, target_arn=BALANCER, uri="https://billing.test:8443/"), 8443, SECOND_NAMES),
    ],
    ids=[
        "443 by the scheme",
        "the port that is said",
        "80 by the scheme, where another service is",
        "a port that may lead elsewhere",
        "the listener that is named, whatever the port",
        "another listener that is named",
        "a load balancer that is named, at the port",
    ],
)
def test_the_listener_decides_which_endpoints_and_names_are_behind(
    one: Integration, port: int, hosts: tuple[str, ...] | Unread
) -> None:
    link = FIRST if one.link_id == LINK else SECOND
    kept = replace(one, link=link, balancer_arn=BALANCER, endpoints=THE_ENDS, port=port, hosts=hosts)
    assert joined(one, groups=two_groups(), listeners=TWO_LISTENERS, names=TWO_NAMES) == (kept,)
    assert ends_of(kept) == THE_ENDS[port]


@pytest.mark.parametrize(
    ("one", "port"),
    [
        (replace(ONE, uri="https://other.test:444/"), 444),
        (replace(BY_LISTENER, target_arn=f"{LISTENER}0"), None),
        (replace(ONE, uri="https://${stageVariables.host}/"), None),
    ],
    ids=["nothing listens at the port", "a listener that is no more", "a variable may hold the port"],
)
def test_names_are_those_behind_all_listeners_where_none_is_known(one: Integration, port: int | None) -> None:
    listeners = {BALANCER: known_of(TWO_LISTENERS)[:-1]}
    (found,) = if_read(joined(one, groups=two_groups(), listeners=listeners, names=TWO_NAMES))
    assert (found.port, found.hosts, ends_of(found)) == (port, ("billing.test", *FIRST_NAMES), None)
    (doubtful,) = if_read(joined(one, groups=two_groups(), listeners=TWO_LISTENERS, names=TWO_NAMES))
    assert (doubtful.port, doubtful.hosts, ends_of(doubtful)) == (port, WHY, None)


def known_of(listeners: Listeners) -> tuple[Listener, ...]:
    return if_read(listeners[BALANCER])


@pytest.mark.parametrize(
    ("one", "is_kept"),
    [
        (replace(NAMELESS, uri="http://other.test/"), False),
        (replace(ONE, uri=f"http://{DOMAIN}/"), True),
        (replace(NAMELESS, link_id=SECOND_LINK, target_arn=f"{LISTENER}80"), False),
        (replace(NAMELESS, uri="https://other.test:444/"), True),
        (replace(NAMELESS, uri="https://other.test:9443/"), True),
        (replace(NAMELESS, uri="https://other.test:8443/"), True),
    ],
    ids=[
        "to another service at a port of the load balancer",
        "the same, by a private service's name",
        "to another service's listener",
        "to a port at which nothing listens",
        "to a port that may lead to an endpoint",
        "to a port that does",
    ],
)
def test_what_else_is_behind_a_load_balancer_is_none_of_ours(one: Integration, is_kept: bool) -> None:
    found = joined(one, groups=two_groups(), listeners=TWO_LISTENERS, names=TWO_NAMES)
    assert [each.uri for each in if_read(found)] == [one.uri] * is_kept


def test_listeners_that_are_unread_leave_what_they_lead_to_unread() -> None:
    kept = replace(NAMELESS, link=FIRST, balancer_arn=BALANCER, endpoints=WHY, port=443, hosts=WHY)
    assert joined(NAMELESS, listeners={BALANCER: WHY}) == (kept,)
    assert ends_of(kept) == WHY


def test_an_application_load_balancer_is_not_looked_into() -> None:
    one = replace(ONE, link_id=SECOND_LINK, target_arn=LISTENER.replace("/net/", "/app/"))
    assert joined(one) == (replace(one, link=SECOND, balancer_arn=APPLICATION),)


@pytest.mark.parametrize(
    ("uri", "port"),
    [
        ("https://a.test/", 443),
        ("HTTPS://a.test", 443),
        ("http://a.test/{proxy}", 80),
        ("https://a.test:8443/b:80", 8443),
        ("https://${stageVariables.host}:8443/", 8443),
        ("https://${stageVariables.host}/", None),
        ("https://a.test:${stageVariables.port}/", None),
        ("https://a.test/${stageVariables.path}", 443),
        ("https://a.test:https/", None),
        (LISTENER, None),
        ("", None),
    ],
)
def test_a_uri_asks_for_a_port(uri: str, port: int | None) -> None:
    assert port_asked(uri) == port


@pytest.mark.parametrize(
    ("link", "target_arn", "named"),
    [
        (SECOND, LISTENER, LISTENER),
        (None, LISTENER, LISTENER),
        (WHY, LISTENER, LISTENER),
        (FIRST, LISTENER, ""),
        (SECOND, BALANCER, ""),
        (SECOND, "", ""),
    ],
    ids=["by name", "of no link", "of an unread link", "the first generation takes none", "a load balancer", "none"],
)
def test_links_of_the_second_generation_may_name_a_listener(
    link: VpcLink | Unread | None, target_arn: str, named: str
) -> None:
    assert listener_named(replace(ONE, link=link, target_arn=target_arn)) == named


# Stage variables -----------------------------------------------------------------------------------------------------


def stage(name: str, **variables: str) -> Stage:
    return Stage(name=name, logged=True, traced=True, variables=variables)


NAMED = replace(ONE, uri="https://${stageVariables.host}/{proxy}")


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((stage("live", host="a.test"),), [("ANY /", "https://a.test/{proxy}")]),
        (
            (stage("live", host="a.test"), stage("test", host="b.test")),
            [("ANY / (stage live)", "https://a.test/{proxy}"), ("ANY / (stage test)", "https://b.test/{proxy}")],
        ),
        (
            (stage("live", host="a.test"), stage("test", host="a.test")),
            [("ANY /", "https://a.test/{proxy}")],
        ),
        (
            (stage("live", host="a.test"), stage("test")),
            [
                ("ANY / (stage live)", "https://a.test/{proxy}"),
                ("ANY / (stage test)", "https://${stageVariables.host}/{proxy}"),
            ],
        ),
        ((stage("live", other="x"),), [("ANY /", "https://${stageVariables.host}/{proxy}")]),
        ((), [("ANY /", "https://${stageVariables.host}/{proxy}")]),
        (WHY, [("ANY /", "https://${stageVariables.host}/{proxy}")]),
    ],
    ids=[
        "one stage",
        "two that differ",
        "two alike",
        "one lacks it",
        "it is not there",
        "no stage",
        "stages are unread",
    ],
)
def test_a_stage_variable_in_a_uri_is_what_each_stage_says(
    stages: tuple[Stage, ...] | Unread, expected: Iterable[tuple[str, str]]
) -> None:
    assert per_stage(NAMED, stages) == tuple(replace(ONE, where=where, uri=uri) for where, uri in expected)


def test_an_integration_without_variables_is_one_whatever_stages_there_are() -> None:
    assert per_stage(ONE, (stage("live", host="a.test"), stage("test", host="b.test"))) == (ONE,)


def test_variables_stand_for_links_targets_and_server_names_too() -> None:
    one = replace(
        ONE,
        link_id="${stageVariables.link}",
        target_arn="${stageVariables.listener}",
        server_name="${stageVariables.sub}.example.com",
        mapped={"overwrite:header.Host": "${stageVariables.sub}.example.com"},
    )
    (made,) = per_stage(one, (stage("live", link=SECOND_LINK, listener=LISTENER, sub="shop"),))
    assert made == replace(
        ONE,
        link_id=SECOND_LINK,
        target_arn=LISTENER,
        server_name="shop.example.com",
        mapped={"overwrite:header.Host": "shop.example.com"},
    )


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("integration.request.header.Host", "stageVariables.host", "'a.test'"),
        ("overwrite:header.Host", "$stageVariables.host", "a.test"),
        ("overwrite:header.Host", "$stageVariables.other", "$stageVariables.other"),
        ("overwrite:header.Host", "$request.header.Host", "$request.header.Host"),
        ("integration.request.path.proxy", "method.request.path.proxy", "method.request.path.proxy"),
    ],
)
def test_a_mapping_of_a_variable_is_one_of_a_constant(key: str, value: str, expected: str) -> None:
    (made,) = per_stage(replace(ONE, mapped={key: value}), (stage("live", host="a.test"),))
    assert made.mapped == {key: expected}


def test_what_stages_alone_can_tell_is_unread_with_them() -> None:
    one = replace(NAMELESS, link_id="${stageVariables.link}")
    assert joined(one, stages=WHY) == (replace(one, link=WHY, balancer_arn=WHY, endpoints=WHY, hosts=WHY),)
    assert joined(one, stages=()) == ()


# Hosts and load balancers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        ({}, (DOMAIN,)),
        ({"uri": f"http://{DOMAIN.upper()}:8443/x"}, (DOMAIN,)),
        (
            {"uri": LISTENER, "server_name": "a.test", "mapped": {"overwrite:header.host": "b.test"}},
            ("a.test", "b.test"),
        ),
        ({"mapped": {"integration.request.header.Host": "'b.test'"}}, (DOMAIN, "b.test")),
        ({"mapped": {"append:header.host": "b.test"}}, (DOMAIN,)),
        ({"uri": "https://[not an address/"}, ()),
    ],
    ids=["its URI's", "with a port", "an HTTP API's", "a header of a REST API", "a header besides", "no URI"],
)
def test_an_integration_asks_for_hosts(changes: dict[str, Any], hosts: tuple[str, ...]) -> None:
    assert hosts_asked(replace(ONE, **changes)) == hosts


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (LISTENER, BALANCER),
        (BALANCER, BALANCER),
        (LISTENER.replace("/net/", "/app/"), APPLICATION),
        (LISTENER.replace("/net/", "/gwy/"), ""),
        (ORDERS, ""),
        ("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/net/orders/${stageVariables.id}/1", ""),
        ("https://example.com", ""),
        ("", ""),
    ],
)
def test_a_listeners_arn_tells_its_load_balancers(one: str, expected: str) -> None:
    assert balancer_of(one) == expected
