"""What was read and what the rules say of it → the path report: of each service one chain, from whoever calls it to
what it calls. Pure.

    client → API → VPC link → load balancer → target group → endpoint → ingress connection ┐
                                                                           the internet ───┴─ service ┐
                                                 destination ← way out ← subnet ← connector ──────────┘

A hop's state is no verdict of its own: it comes from the rules' answers, and from what is there. Each answer is on one
kind of hop (`RULES_ON`); where its messages name some hops of that kind (a subnet), it is on those.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from apprunner_guardrails.alerts import counted, safe
from apprunner_guardrails.facts import (
    Api,
    Connector,
    IngressConnection,
    Integration,
    NatGateway,
    Network,
    NotKnown,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Paths,
    Service,
    Subnet,
    Unread,
    VpcLink,
    if_read,
    is_over,
)
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.ledger import Record
from apprunner_guardrails.ledger import State as Recorded
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.paths.joined import NETWORK, ends_of, hosts_asked
from apprunner_guardrails.routes import WayOut, effective_table, families, ways_out
from apprunner_guardrails.rules import by_id

NAME_LIMIT, FACT_LIMIT = 120, 300  # characters
NONE = "none"


class State(StrEnum):
    """What can be said of a hop, the worst first.

    ABSENT: it is not there. UNKNOWN: something of it could not be read or judged.
    """

    FAILS = "fails"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    OK = "ok"

    @property
    def rank(self) -> int:
        return list(State).index(self)


class Kind(StrEnum):
    """The kinds of hops, in the order of the chain."""

    CLIENT = "client"
    API = "API"
    LINK = "VPC link"
    BALANCER = "load balancer"
    GROUP = "target group"
    ENDPOINT = "endpoint"
    INGRESS = "ingress connection"
    SERVICE = "service"
    CONNECTOR = "connector"
    SUBNET = "subnet"
    WAY_OUT = "way out"
    DESTINATION = "destination"


# The kind of hop that a rule is about, where that is not the resource that it judges.
RULES_ON: Mapping[str, Kind] = {
    **dict.fromkeys(("AR102", "AR104", "AR105", "AR112", "AR113"), Kind.SUBNET),
    **dict.fromkeys(("AR107", "AR108", "AR109", "AR110"), Kind.WAY_OUT),
    "AR306": Kind.DESTINATION,
    "AR409": Kind.CONNECTOR,
    "AR604": Kind.LINK,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a rule says of a hop, where it does not pass; `messages` are those about this hop."""

    rule: str
    title: str
    severity: Severity
    status: Status
    messages: tuple[str, ...]
    unread: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """`id` is the id, or the ARN where that is what AWS goes by; of what is not there or has none, what tells it from
    others of the chain, or nothing. `unread` says what is not known of it, beside what rules could not judge.
    `answers` come by severity, then by rule."""

    kind: Kind
    name: str
    id: str
    arn: str
    state: State
    answers: tuple[Answer, ...]
    unread: tuple[str, ...]
    facts: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name, with the id where it is another."""
        return self.name if self.id in ("", self.name, self.arn) else f"{self.name} ({self.id})"


type Way = tuple[Hop, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Of one service: every way in, up to the service, and every way out from it. Ways share hops."""

    service: Hop
    ways_in: tuple[Way, ...]
    ways_out: tuple[Way, ...]

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Each once, in the order of the ways."""
        parts = (*self.ways_in, (self.service,), *self.ways_out)
        return tuple(dict.fromkeys(hop for way in parts for hop in way))

    @property
    def state(self) -> State:
        """The worst of its hops'."""
        return min((hop.state for hop in self.hops), key=lambda state: state.rank)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The chains of all services of a Region, by the service's name, then by its ARN. `unread` are the reads that
    failed, so that there may be more than is shown."""

    account: str
    region: str
    time: str  # 2026-11-21T07:00:00Z
    chains: tuple[Chain, ...]
    unread: tuple[str, ...]


def report(
    services: Mapping[str, Service | Unread],
    connectors: Mapping[str, Connector],
    networks: Mapping[str, Network],
    paths: Paths,
    answers: Mapping[str, Sequence[Finding]],
    *,
    account: str,
    region: str,
    time: str,
) -> Report:
    """`services`, `connectors`, `networks` (of connectors) and `answers` are by ARN.

    Answers of all statuses, exempt ones too. A resource that has none was not judged, which shows as unknown; one of
    which no rule was asked has an empty sequence. Services that are deleted have no chain.
    """
    ingress = _ingress_of(services, paths)
    world = _World(
        services=services,
        connectors=connectors,
        networks=networks,
        paths=paths,
        answers=answers,
        ingress=ingress,
        calls=tuple(_calls(services, ingress, paths)),
    )
    chains = (_chain(arn, one, world) for arn, one in services.items() if not is_over(one))
    unread = (*paths.unlisted, *(one for one in paths.ingress.values() if isinstance(one, Unread)))
    return Report(
        account=safe(account),
        region=safe(region),
        time=safe(time, 40),
        chains=tuple(sorted(chains, key=lambda one: (one.service.name, one.service.arn))),
        unread=tuple(sorted({safe(str(one)) for one in unread})),
    )


def standing(records: Iterable[Record], rules: Iterable[str]) -> Iterator[Finding]:
    """What is recorded of rules that were not asked now (the sync judges its groups itself), as their answers."""
    asked = frozenset(rules)
    statuses = {Recorded.OPEN: Status.FAIL, Recorded.EXEMPT: Status.EXEMPT}
    for record in records:
        rule = by_id().get(record.rule)
        if rule is not None and record.rule in asked and record.state in statuses:
            yield Finding(
                resource=record.resource,
                rule=record.rule,
                name=rule.name,
                title=rule.title,
                severity=record.severity,
                status=statuses[record.state],
                messages=record.messages,
            )


# Parts of chains -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A hop to be. `judged` are the resources whose answers may be about it; `known_by` are ids that their messages
    may name it by, beside its own."""

    kind: Kind
    id: str
    name: str
    arn: str = ""
    absent: bool = False
    unread: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()

    @property
    def key(self) -> "_Key":
        return self.kind, self.id or self.name


type _Key = tuple[Kind, str]
type _Way = tuple[_Part, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """An integration of an API. `services` are those that have a name that it asks for: none where no service is known
    to have one, so that each behind it may be meant."""

    api: Api
    integration: Integration
    services: frozenset[str]

    def may_mean(self, arn: str) -> bool:
        return arn in self.services or not self.services


@dataclass(frozen=True, kw_only=True, slots=True)
class _World:
    """What was read; `ingress` by the service's ARN and sorted by name, `calls` of all APIs that could be read."""

    services: Mapping[str, Service | Unread]
    connectors: Mapping[str, Connector]
    networks: Mapping[str, Network]
    paths: Paths
    answers: Mapping[str, Sequence[Finding]]
    ingress: Mapping[str, tuple[IngressConnection, ...]]
    calls: tuple[_Call, ...]

    def doubt(self, *of: str) -> tuple[str, ...]:
        """Why there may be more than is known of what these parts of AWS list ("apigateway")."""
        return tuple(str(one) for one in self.paths.unlisted if one.call.partition(":")[0] in of)

    def ingress_doubt(self, service: Service) -> tuple[str, ...]:
        unread = (service.ingress, *self.paths.ingress.values())
        return tuple(dict.fromkeys((*_why(*unread), *self.doubt("apprunner"))))


def _ingress_of(services: Mapping[str, Service | Unread], paths: Paths) -> dict[str, tuple[IngressConnection, ...]]:
    """As paths have them, where their endpoints are known; else as the services' descriptions have."""
    told = (one for service in services.values() if isinstance(service, Service) for one in if_read(service.ingress))
    read = (one for one in paths.ingress.values() if isinstance(one, IngressConnection))
    found: dict[str, list[IngressConnection]] = defaultdict(list)
    for one in {one.arn: one for one in (*told, *read)}.values():
        found[one.service_arn].append(one)
    return {arn: tuple(sorted(some, key=lambda one: (one.name, one.arn))) for arn, some in found.items()}


def _calls(
    services: Mapping[str, Service | Unread], ingress: Mapping[str, Iterable[IngressConnection]], paths: Paths
) -> Iterator[_Call]:
    named: dict[str, set[str]] = defaultdict(set)  # services by the names that they are asked for by, in lower case
    for arn, service in services.items():
        url = service.url if isinstance(service, Service) else ""
        for name in (*(one.domain for one in ingress.get(arn, ())), url, *if_read(paths.domains.get(arn))):
            named[name.lower()].add(arn)
    for api in paths.apis:
        for one in if_read(api.integrations):
            hosts = [host.lower() for host in hosts_asked(one)]
            wild = [f"*.{host.partition('.')[2]}" for host in hosts]  # a custom domain may be one
            meant = (named.get(name, ()) for name in (*hosts, *wild))
            yield _Call(api=api, integration=one, services=frozenset(arn for some in meant for arn in some))


def _absent(kind: Kind) -> _Part:
    return _Part(kind=kind, id="", name=NONE, absent=True)


def _unknown(kind: Kind, why: Iterable[str], name: str = "not known", id: str = "") -> _Part:  # noqa: A002 - as a hop has it
    return _Part(kind=kind, id=id, name=name, unread=tuple(why))


def _client(name: str = "clients", unread: tuple[str, ...] = ()) -> _Part:
    return _Part(kind=Kind.CLIENT, id=name, name=name, unread=unread)


_INTERNET = "the internet"


def _clients_in(vpc_id: str) -> _Part:
    return _client(f"clients in {vpc_id}")


# Ways in -------------------------------------------------------------------------------------------------------------


def _ways_in(arn: str, service: Service | Unread, world: _World) -> list[_Way]:
    connections = world.ingress.get(arn, ())
    tails = [(_endpoint(one.endpoint_id, one, world), _ingress(one)) for one in connections]
    ways: list[_Way] = [(_client(_INTERNET),)] if isinstance(service, Service) and service.public else []
    for one, tail in zip(connections, tails, strict=True):
        ways += [(*front, *tail) for front in _fronts(one.endpoint_id, one.vpc_id, arn, world)]
    if tails:
        ways += [(*front, *tails[0]) for front in _lost_apis(arn, ways, world)]
    return ways or _ways_without_ingress(arn, service, world)


def _ways_without_ingress(arn: str, service: Service | Unread, world: _World) -> list[_Way]:
    """Of a private service that no ingress connection is known of: APIs may ask for it in vain."""
    if isinstance(service, Unread):
        return [(_client("not known", (str(service),)),)]
    doubt = world.ingress_doubt(service)
    end, none = ((_unknown(kind, doubt) if doubt else _absent(kind)) for kind in (Kind.ENDPOINT, Kind.INGRESS))
    balancers = {one.integration.balancer_arn for one in world.calls if arn in one.services}
    groups = (one for one in world.paths.groups if not balancers.isdisjoint(one.group.load_balancer_arns))
    ways = [
        (*front, _endpoint(endpoint_id, None, world), none)
        for endpoint_id in sorted({name for group in groups for name in group.endpoint_ids})
        for front in _fronts(endpoint_id, "", arn, world)
    ]
    lost = [(*front, end, none) for front in _lost_apis(arn, ways, world)]
    return [*ways, *lost] or [(_client(), end, none)]


def _fronts(endpoint_id: str, vpc_id: str, arn: str, world: _World) -> list[_Way]:
    """What leads to an endpoint: target groups of NLBs, else whoever is in its VPC."""
    groups = [one for one in world.paths.groups if endpoint_id in one.endpoint_ids]
    if groups:
        return [way for group in groups for way in _ways_to_group(group, arn, world)]
    endpoint = _found(world.paths.endpoints, lambda one: one.endpoint.id == endpoint_id)
    doubt = world.doubt("elasticloadbalancing", "tag")
    if endpoint is not None and isinstance(endpoint.balancers, Unread):
        doubt = (str(endpoint.balancers),)
    if doubt:
        return [(_client(), _unknown(Kind.BALANCER, doubt), _unknown(Kind.GROUP, doubt))]
    return [(_clients_in(endpoint.endpoint.vpc_id if endpoint else vpc_id or "its VPC"),)]


def _ways_to_group(group: PathGroup, arn: str, world: _World) -> list[_Way]:
    end = _group(group)
    by_arn = {one.arn: one for one in world.paths.balancers}
    listening = (one.arn for one in world.paths.balancers if _ports(one, group.arn))
    ways: list[_Way] = []
    for balancer_arn in sorted({*group.group.load_balancer_arns, *listening}):
        balancer = by_arn.get(balancer_arn)
        if balancer is None:
            doubt = world.doubt("elasticloadbalancing") or ("it was not read",)
            unread = _unknown(Kind.BALANCER, doubt, _name_in(balancer_arn), balancer_arn)
            ways.append((_client(), replace(unread, arn=balancer_arn), end))
        else:
            part = _balancer(balancer, group.arn)
            ways += [(*front, part, end) for front in _ways_to_balancer(balancer, group, arn, world)]
    return ways or [(_client(), _absent(Kind.BALANCER), end)]


def _ways_to_balancer(balancer: PathBalancer, group: PathGroup, arn: str, world: _World) -> list[_Way]:
    """What leads to a load balancer and, as far as is known, by a listener of it to the group's endpoints."""
    calls = (one for one in world.calls if one.integration.balancer_arn == balancer.arn and one.may_mean(arn))
    here = (one for one in calls if _may_come_to(one.integration, group))
    ways: list[_Way] = [(_client(), _api(one.api), _link(one)) for one in _by_link(here)]
    if ways:
        return ways
    hidden = [api for api in world.paths.apis if isinstance(api.integrations, Unread)]
    if hidden:
        why = tuple(dict.fromkeys(str(api.integrations) for api in hidden))
        return [(_client(), _api(api), _unknown(Kind.LINK, why)) for api in hidden]
    doubt = (str(balancer.links),) if isinstance(balancer.links, Unread) else world.doubt("apigateway", "apigatewayv2")
    if doubt:
        return [(_client(), _unknown(Kind.API, doubt), _unknown(Kind.LINK, doubt))]
    used = {one.integration.link_id for one in world.calls}
    unused = [one for one in if_read(balancer.links) if one.id not in used]
    if unused:
        return [(_client(), _absent(Kind.API), _of_link(one)) for one in unused]
    return [(_clients_in(balancer.balancer.vpc_id) if balancer.balancer.internal else _client(_INTERNET),)]


def _may_come_to(integration: Integration, group: PathGroup) -> bool:
    ends = ends_of(integration)
    return not isinstance(ends, tuple) or not set(group.endpoint_ids).isdisjoint(ends)


def _lost_apis(arn: str, ways: Iterable[_Way], world: _World) -> list[_Way]:
    """APIs that ask for the service and get to no endpoint of it, as far as they get."""
    found = {part.arn for way in ways for part in way if part.kind is Kind.API}
    lost = (one for one in world.calls if arn in one.services and one.api.arn not in found)
    return [(_client(), _api(one.api), _link(one), *_behind_link(one.integration, world)) for one in _by_link(lost)]


def _by_link(calls: Iterable[_Call]) -> Iterable[_Call]:
    """One of those that an API makes through the same link."""
    return {(one.api.arn, one.integration.link_id): one for one in calls}.values()


def _behind_link(integration: Integration, world: _World) -> _Way:
    if isinstance(integration.balancer_arn, Unread):
        why = (str(integration.balancer_arn),)
        return _unknown(Kind.BALANCER, why), _unknown(Kind.GROUP, why)
    if not integration.balancer_arn:
        return _absent(Kind.BALANCER), _absent(Kind.GROUP)
    arn = integration.balancer_arn
    balancer = _found(world.paths.balancers, lambda one: one.arn == arn)
    if balancer is not None:
        return _balancer(balancer, ""), _absent(Kind.GROUP)
    if NETWORK not in arn:
        why = ("what is behind an Application Load Balancer is not looked into",)
        return _Part(kind=Kind.BALANCER, id=arn, name=_name_in(arn), arn=arn), _unknown(Kind.GROUP, why)
    fact = "leads to no endpoint of App Runner"
    return _Part(kind=Kind.BALANCER, id=arn, name=_name_in(arn), arn=arn, facts=(fact,)), _absent(Kind.GROUP)


def _api(api: Api) -> _Part:
    facts = [f"{api.kind} API"]
    if isinstance(api.stages, tuple):
        facts.append(f"stage {_few(one.name for one in api.stages)}" if api.stages else "no stage")
    facts += [_few(dict.fromkeys(one.where for one in if_read(api.integrations)))] if if_read(api.integrations) else []
    return _Part(
        kind=Kind.API,
        id=api.id,
        name=api.name,
        arn=api.arn,
        facts=tuple(facts),
        unread=_why(api.integrations, api.stages),
        judged=(api.arn,),
    )


def _link(call: _Call) -> _Part:
    link, name = call.integration.link, call.integration.link_id
    if isinstance(link, VpcLink):
        part = _of_link(link)
    elif isinstance(link, Unread):
        part = _unknown(Kind.LINK, (str(link),), name, name)
    else:
        part = _Part(kind=Kind.LINK, id=name, name=name or NONE, absent=True)
    return replace(part, judged=(call.api.arn,))


_READY = "AVAILABLE"


def _of_link(link: VpcLink) -> _Part:
    return _Part(
        kind=Kind.LINK,
        id=link.id,
        name=link.name or link.id,
        facts=(
            link.status,
            f"generation {link.generation}",
            *((link.why,) if link.why and link.status != _READY else ()),
        ),
    )


def _balancer(balancer: PathBalancer, group_arn: str) -> _Part:
    one = balancer.balancer
    zones = balancer.zone_ids if isinstance(balancer.zone_ids, Unread) else sorted(balancer.zone_ids.values())
    facts = (
        "internal" if one.internal else "internet-facing",
        _few(_ports(balancer, group_arn)),
        "" if isinstance(zones, Unread) else _few(zones),
        "cross-zone" if balancer.crosses_zones is True else "",
    )
    return _Part(
        kind=Kind.BALANCER,
        id=one.arn,
        name=one.name,
        arn=one.arn,
        facts=tuple(filter(None, facts)),
        unread=_why(balancer.zone_ids, balancer.listeners),
        judged=(one.arn,),
    )


def _ports(balancer: PathBalancer, group_arn: str) -> list[str]:
    """Of the listeners that lead to a target group: "TCP 443"."""
    leading = [one for one in if_read(balancer.listeners) if group_arn in one.target_group_arns]
    return [f"{one.protocol} {one.port}" for one in sorted(leading, key=lambda one: (one.port, one.protocol))]


def _group(group: PathGroup) -> _Part:
    facts = [f"{group.group.protocol} {group.group.port}"]
    if isinstance(group.targets, tuple):
        registered = [one for one in group.targets if not one.state.endswith("draining")]
        healthy = sum(one.state == "healthy" for one in registered)
        facts.append(f"{healthy} of {counted(len(registered), 'target')} healthy")
    return _Part(
        kind=Kind.GROUP,
        id=group.arn,
        name=group.group.name,
        arn=group.arn,
        facts=tuple(facts),
        unread=_why(group.targets),
        judged=(group.arn,),
    )


def _endpoint(endpoint_id: str, connection: IngressConnection | None, world: _World) -> _Part:
    found = _found(world.paths.endpoints, lambda one: one.endpoint.id == endpoint_id)
    if found is not None:
        return _of_endpoint(found)
    told = connection.endpoint if connection else None
    doubt = (str(told),) if isinstance(told, Unread) else world.doubt("ec2")
    if doubt:
        return _unknown(Kind.ENDPOINT, doubt, endpoint_id, endpoint_id)
    return _Part(kind=Kind.ENDPOINT, id=endpoint_id, name=endpoint_id or NONE, absent=True)


def _of_endpoint(found: PathEndpoint) -> _Part:
    one = found.endpoint
    zones = () if isinstance(found.zone_ids, Unread) else (_few(found.zone_ids),)
    return _Part(
        kind=Kind.ENDPOINT,
        id=one.id,
        name=one.id,
        arn=found.arn,
        facts=(one.state, one.vpc_id, *filter(None, zones)),
        unread=_why(found.zone_ids),
        judged=(found.arn,),
    )


def _ingress(one: IngressConnection) -> _Part:
    return _Part(
        kind=Kind.INGRESS,
        id=one.arn,
        name=one.name,
        arn=one.arn,
        facts=tuple(filter(None, (one.status, one.domain))),
        judged=(one.arn,),
    )


# The service, and ways out -------------------------------------------------------------------------------------------


def _service(arn: str, service: Service | Unread, world: _World) -> _Part:
    facts: tuple[str, ...] = ()
    if isinstance(service, Service):
        custom = if_read(world.paths.domains.get(arn))
        facts = (service.status, "public" if service.public else "private", service.url, _few(custom))
    return _Part(
        kind=Kind.SERVICE,
        id=arn,
        name=service.name if isinstance(service, Service) else _name_in(arn),
        arn=arn,
        facts=tuple(filter(None, facts)),
        unread=_why(service),
        judged=(arn,),
    )


def _ways_out(arn: str, service: Service | Unread, world: _World) -> list[_Way]:
    if isinstance(service, Unread):
        return [(_unknown(Kind.CONNECTOR, (str(service),)),)]
    if not service.connector_arn:
        name = f"{_INTERNET}, by App Runner"
        return [(_Part(kind=Kind.DESTINATION, id=name, name=name),)]
    connector = world.connectors.get(service.connector_arn) or service.connector
    part = _connector(service.connector_arn, connector, arn)
    if not isinstance(connector, Connector) or part.absent:
        return [(part,)]
    network = world.networks.get(connector.arn)
    ways = [(part, *way) for way in _by_subnet(connector, network)]
    return [*ways, *((part, one) for one in _destinations(connector, network))]


def _connector(arn: str, connector: Connector | Unread | None, service_arn: str) -> _Part:
    absent = connector is not None and is_over(connector)
    facts: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    if isinstance(connector, Connector):
        facts = (connector.status, _few(connector.security_group_ids))
    elif not absent:
        unread = _why(connector) or ("it was not read",)
    return _Part(
        kind=Kind.CONNECTOR,
        id=arn,
        name=_name_in(arn),
        arn=arn,
        absent=absent,
        facts=tuple(filter(None, facts)),
        unread=unread,
        judged=(arn, service_arn),
    )


def _by_subnet(connector: Connector, network: Network | None) -> list[_Way]:
    """By zone: each subnet, and every way out of it."""
    subnets = network.subnets if network else ()
    found = {one.id: one for one in if_read(subnets)}
    ways: list[_Way] = []
    for subnet_id in sorted(connector.subnet_ids, key=lambda one: (one not in found, _zone(found.get(one)), one)):
        subnet = found.get(subnet_id)
        part = _Part(kind=Kind.SUBNET, id=subnet_id, name=subnet_id, judged=(connector.arn,))
        if network is None:
            ways.append((replace(part, unread=("the connector's network was not read",)),))
        elif subnet is None:
            ways.append((replace(part, absent=isinstance(subnets, tuple), unread=_why(subnets)),))
        else:
            free = f"{subnet.free_addresses} free address{'es' * (subnet.free_addresses != 1)}"
            facts = filter(None, (subnet.zone_id, subnet.cidr, *subnet.ipv6_cidrs, free))
            ways += [(replace(part, facts=tuple(facts)), *way) for way in _leaving(subnet, connector, network)]
    return ways


def _zone(subnet: Subnet | None) -> str:
    return subnet.zone_id if subnet else ""


def _leaving(subnet: Subnet, connector: Connector, network: Network) -> list[_Way]:
    part = _Part(kind=Kind.WAY_OUT, id="", name=NONE, judged=(connector.arn,), known_by=(subnet.id,))
    try:
        table = effective_table(subnet, network)
        ways = {way.target: way for family in families(subnet) for way in ways_out(table, network, family)}
    except NotKnown as why:
        return [(replace(part, id=f"of {subnet.id}", name="not known", unread=(str(why),)),)]
    if not ways:
        return [(replace(part, id=f"of {subnet.id}", absent=True, facts=(f"no default route in {table.id}",)),)]
    internet = _Part(kind=Kind.DESTINATION, id=_INTERNET, name=_INTERNET)
    return [(_way_out(part, way, network), internet) for way in ways.values()]


_TARGETS = {
    "nat-": "NAT gateway",
    "igw-": "internet gateway",
    "eigw-": "egress-only internet gateway",
    "tgw-": "transit gateway",
    "vgw-": "virtual private gateway",
    "pcx-": "peering connection",
    "vpce-": "VPC endpoint",
    "eni-": "network interface",
    "i-": "instance",
}


def _way_out(part: _Part, way: WayOut, network: Network) -> _Part:
    what = next((what for start, what in _TARGETS.items() if way.target.startswith(start)), "")
    facts = [what, "a blackhole" if way.blackhole else ""]
    unread: tuple[str, ...] = ()
    if way.target.startswith("nat-"):
        nat = _found(if_read(network.nat_gateways), lambda one: one.id == way.target)
        facts += _of_nat(nat, network) if nat else []
        unread = _why(network.nat_gateways)
    return replace(
        part,
        id=way.target,
        name=way.target,
        absent=way.blackhole,
        facts=tuple(filter(None, facts)),
        unread=unread,
    )


def _of_nat(nat: NatGateway, network: Network) -> list[str]:
    home = _found(if_read(network.subnets), lambda one: one.id == nat.subnet_id)
    return [nat.state, "private" if nat.connectivity == "private" else "", home.zone_id if home else ""]


def _destinations(connector: Connector, network: Network | None) -> Iterator[_Part]:
    """What the connector and its services are declared to reach."""
    destinations = network.destinations if network else ()
    part = _Part(kind=Kind.DESTINATION, id="", name="declared destinations", judged=(connector.arn,))
    if isinstance(destinations, Unread):
        yield replace(part, unread=_why(destinations))
        return
    for one in destinations:
        if not one.malformed:  # else it names nothing, and AR306 tells
            peer = f"[{one.peer}]" if ":" in one.peer else one.peer
            names = tuple(f"{peer}:{port}" for port in one.ports)
            yield replace(part, id=" ".join(names), name=" or ".join(names), facts=(one.origin,), known_by=names)


# Answers → hops ------------------------------------------------------------------------------------------------------


def _chain(arn: str, service: Service | Unread, world: _World) -> Chain:
    here = _service(arn, service, world)
    before, after = _ways_in(arn, service, world), _ways_out(arn, service, world)
    parts = _merged(part for way in (*before, (here,), *after) for part in way)
    placed = _placed(parts.values(), world.answers)
    hops = {key: _hop(part, placed[key], world.answers) for key, part in parts.items()}

    def made(ways: Iterable[_Way]) -> tuple[Way, ...]:
        return tuple(dict.fromkeys(tuple(hops[part.key] for part in way) for way in ways))

    return Chain(service=hops[here.key], ways_in=made(before), ways_out=made(after))


def _merged(parts: Iterable[_Part]) -> dict[_Key, _Part]:
    """What several ways have in common, with all that each of them says of it."""
    found: dict[_Key, _Part] = {}
    for part in parts:
        other = found.get(part.key, part)
        found[part.key] = replace(
            other,
            facts=_union(other.facts, part.facts),
            unread=_union(other.unread, part.unread),
            judged=_union(other.judged, part.judged),
            known_by=_union(other.known_by, part.known_by),
        )
    return found


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _told(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Those that say something: a rule that passes does not, nor does one that is moot."""
    return (one for one in findings if one.status in (Status.FAIL, Status.EXEMPT) or one.unread)


def _placed(parts: Iterable[_Part], answers: Mapping[str, Sequence[Finding]]) -> dict[_Key, list[Answer]]:
    placed: dict[_Key, list[Answer]] = defaultdict(list)
    by_resource: dict[str, list[_Part]] = defaultdict(list)
    for part in parts:
        for resource in part.judged:
            by_resource[resource].append(part)
    for resource, concerned in sorted(by_resource.items()):
        for finding in _told(answers.get(resource, ())):
            candidates = _candidates(finding, resource, concerned)
            named = {message: _named(message, candidates) for message in finding.messages}
            for part in candidates:
                messages = tuple(message for message, some in named.items() if part in some)
                if messages or finding.unread or not finding.messages:
                    placed[part.key].append(_answer(finding, messages))
    return placed


def _candidates(finding: Finding, resource: str, concerned: Sequence[_Part]) -> list[_Part]:
    """The hops of the kind that the rule is about; the resource's own hop where there is none of these here."""
    kind = RULES_ON.get(finding.rule)
    own = [part for part in concerned if part.arn == resource]
    return [part for part in concerned if part.kind is kind] or own or [concerned[0]]


def _named(message: str, candidates: Sequence[_Part]) -> list[_Part]:
    """The hops that a message names by their own id, else by another; all, where it names none."""
    if len(candidates) == 1:
        return list(candidates)
    words = {word.rstrip(":") for word in re.findall(r"[^\s(),;]+", message)}
    return (
        [part for part in candidates if part.id in words]
        or [part for part in candidates if not words.isdisjoint(part.known_by)]
        or list(candidates)
    )


def _answer(finding: Finding, messages: tuple[str, ...]) -> Answer:
    about_others = bool(finding.messages) and not messages
    return Answer(
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        status=Status.UNKNOWN if about_others else finding.status,
        messages=tuple(map(safe, messages)),
        unread=safe(finding.unread),
    )


_STATES = {
    Status.FAIL: State.FAILS,
    Status.UNKNOWN: State.UNKNOWN,
    Status.ERROR: State.UNKNOWN,
    Status.EXEMPT: State.EXEMPT,
}


def _hop(part: _Part, said: Sequence[Answer], answers: Mapping[str, Sequence[Finding]]) -> Hop:
    unread = part.unread
    if part.judged and not part.absent and not all(resource in answers for resource in part.judged):
        unread = (*unread, "it was not judged")
    states = {_STATES[one.status] for one in said} | {State.UNKNOWN for one in said if one.unread}
    states |= {State.ABSENT} if part.absent else {State.UNKNOWN} if unread else {State.OK}
    return Hop(
        kind=part.kind,
        name=safe(part.name, NAME_LIMIT),
        id=safe(part.id, FACT_LIMIT),
        arn=safe(part.arn, FACT_LIMIT),
        state=min(states, key=lambda state: state.rank),
        answers=tuple(
            sorted(dict.fromkeys(said), key=lambda one: (one.severity.rank, one.rule, one.status, one.messages))
        ),
        unread=tuple(dict.fromkeys(safe(one) for one in unread)),
        facts=tuple(safe(one, FACT_LIMIT) for one in part.facts),
    )


# Words ---------------------------------------------------------------------------------------------------------------

_FEW = 4


def _few(words: Iterable[str]) -> str:
    listed = list(words)
    more = f" and {len(listed) - _FEW} more" if len(listed) > _FEW else ""
    return ", ".join(listed[:_FEW]) + more


def _why(*facts: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in facts if isinstance(one, Unread)))


def _name_in(arn: str) -> str:
    """The name in the ARN of a service, connector (…/NAME/…) or load balancer (…/net/NAME/…)."""
    parts = arn.split("/")
    place = 2 if ":loadbalancer/" in arn else 1
    return parts[place] if len(parts) > place else arn


def _found[T](some: Iterable[T], wanted: Callable[[T], bool]) -> T | None:
    return next((one for one in some if wanted(one)), None)
