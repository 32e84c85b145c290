"""EC2: the network around a connector, read in as few rounds as the questions allow, and parsed into facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from sys import intern
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads, each_of
from apprunner_guardrails.facts import (
    NOT_ASKED,
    AclEntry,
    Connector,
    Endpoint,
    EndpointInterface,
    GroupRule,
    InterfaceEndpoint,
    ManagedInterface,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkInterface,
    NotKnown,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Unread,
    Zone,
    connector_subnets,
    if_read,
    known,
    subnets_indexed,
    unread_network,
)
from apprunner_guardrails.light import replace
from apprunner_guardrails.routes import effective_table, prefix_lists_to_read
from apprunner_guardrails.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        AvailabilityZoneTypeDef,
        IpPermissionOutputTypeDef,
        NatGatewayTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
        NetworkInterfaceTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SecurityGroupTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
    )

    from apprunner_guardrails.aws.reads import Page

# The keys under which DescribeRouteTables may name a route's target; one of them is set.
TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "IpAddress",  # the next hop of a route that VPC Route Server made
)
_PROPAGATED = ("EnableVgwRoutePropagation", "Advertisement")  # by a virtual private gateway, by VPC Route Server
_MANAGED_TAG = "AWSAppRunnerManaged"  # its value is not documented
# Of one filter: the most that EC2 takes (docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html).
FILTER_VALUES = 200
INTERFACES = 200  # in one call by their ids; AWS documents no maximum below the 1,000 of an answer
NO_ENDPOINT = "InvalidVpcEndpointId.NotFound"
NO_INTERFACE = "InvalidNetworkInterfaceID.NotFound"
_NO_VPC = "no subnet of the connector exists, so its VPC is not known"

type BalancerAddresses = Mapping[str, tuple[str, ...]]  # of a load balancer's interfaces, by the subnet that each is in


def ask_near(reads: Reads, subnet_ids: tuple[str, ...], group_ids: tuple[str, ...]) -> None:
    """Send what can be asked about a connector before its VPC is known. Ids sorted, or the questions differ.

    The ACLs first: they tell the VPC, by which all else is asked.
    """
    _acls(reads, subnet_ids)
    _groups(reads, group_ids)
    read_zones(reads)


def read_network(reads: Reads, connector: Connector, account: str, settings: Settings) -> Network:
    """Everything that rules may ask about a connector, in two rounds; a third where a prefix list matters.

    What cannot be read is Unread in its place.
    """
    ask_near(reads, connector.subnet_ids, connector.security_group_ids)
    vpc_id = _vpc_of(reads, connector)
    if not vpc_id or isinstance(vpc_id, Unread):
        network = _without_vpc(reads, connector, account, vpc_id)
    else:
        network = _in_vpc(reads, connector, account, vpc_id, settings)
    lists = {one: read_prefix_list(reads, one) for one in lists_in_play(connector, network)}
    return replace(network, prefix_lists={one: pending() for one, pending in lists.items()})


def _vpc_of(reads: Reads, connector: Connector) -> str | Unread:
    """The connector's VPC, empty if none of its subnets exists.

    Each subnet has a network ACL, which rules need anyway and which names the VPC; so do security groups. Only where
    neither tells do the subnets cost a call of their own.
    """
    acls = reads.ask("ec2", "DescribeNetworkAcls", _vpc_ids("NetworkAcls"), **_near_acls(connector.subnet_ids))()
    if acls and not isinstance(acls, Unread):
        return acls[0]
    groups = _groups(reads, connector.security_group_ids)() if connector.security_group_ids else ()
    if groups and not isinstance(groups, Unread):
        return groups[0].vpc_id
    named = where(("subnet-id", connector.subnet_ids))
    subnets = reads.ask("ec2", "DescribeSubnets", _vpc_ids("Subnets"), Filters=named)()
    return subnets if isinstance(subnets, Unread) else next(iter(subnets), "")


def _in_vpc(reads: Reads, connector: Connector, account: str, vpc_id: str, settings: Settings) -> Network:
    inside = where(("vpc-id", (vpc_id,)))
    subnets = reads.ask("ec2", "DescribeSubnets", rows_of("Subnets", subnet), Filters=inside)
    tables = reads.ask("ec2", "DescribeRouteTables", rows_of("RouteTables", route_table), Filters=inside)
    nats = reads.ask("ec2", "DescribeNatGateways", rows_of("NatGateways", nat_gateway), Filter=inside)
    support = read_vpc_attribute(reads, vpc_id, "EnableDnsSupport")
    hostnames = read_vpc_attribute(reads, vpc_id, "EnableDnsHostnames")
    endpoints = _endpoints(reads, inside, settings)
    groups = _groups_in_vpc(reads, connector, vpc_id)
    interfaces = _interfaces(reads, groups)  # the groups were asked for before: this goes out with the reads above
    return Network(
        account=account,
        region=connector.region,
        vpc_id=vpc_id,
        zones=read_zones(reads)(),
        subnets=subnets(),
        route_tables=tables(),
        prefix_lists={},
        nat_gateways=nats(),
        network_acls=_acls(reads, connector.subnet_ids)(),
        security_groups=groups,
        group_interfaces=interfaces(),
        endpoints=endpoints(),
        dns_support=support(),
        dns_hostnames=hostnames(),
    )


def _without_vpc(reads: Reads, connector: Connector, account: str, why: str | Unread) -> Network:
    named, unplaced = connector.security_group_ids, unplaced_network(connector, account, why)
    groups = _groups(reads, named)() if named else unplaced.security_groups
    return replace(
        unplaced,
        zones=read_zones(reads)(),
        network_acls=_acls(reads, connector.subnet_ids)(),
        security_groups=groups,
        group_interfaces=_interfaces(reads, groups)(),
    )


def unplaced_network(connector: Connector, account: str, why: str | Unread) -> Network:
    """What is known where the VPC cannot be told: `why` is the failed read, or empty if no subnet exists any more."""
    unread = why if isinstance(why, Unread) else Unread(call="ec2:DescribeSubnets", code=_NO_VPC)
    network = unread_network(account, connector.region, unread)
    return network if isinstance(why, Unread) else replace(network, subnets=())


def lists_in_play(connector: Connector, network: Network) -> tuple[str, ...]:
    """The prefix lists in the tables of the connector's subnets and of the NAT gateways' subnets."""
    tables: list[RouteTable] = []
    try:
        by_id = subnets_indexed(known(network.subnets))
        homes = {nat.subnet_id for nat in if_read(network.nat_gateways)}
        subnets = (*connector_subnets(connector, network), *(by_id[one] for one in homes if one in by_id))
    except NotKnown:
        return ()
    for one in subnets:
        try:
            tables.append(effective_table(one, network))
        except NotKnown:
            continue  # the rules will say so for this subnet
    return prefix_lists_to_read(tables)


def read_zones(reads: Reads) -> Pending[tuple[Zone, ...]]:
    return reads.ask("ec2", "DescribeAvailabilityZones", rows_of("AvailabilityZones", zone))


def _near_acls(subnet_ids: tuple[str, ...]) -> dict[str, object]:
    return {"Filters": where(("association.subnet-id", subnet_ids))}


def _acls(reads: Reads, subnet_ids: tuple[str, ...]) -> Pending[tuple[NetworkAcl, ...]]:
    return reads.ask("ec2", "DescribeNetworkAcls", rows_of("NetworkAcls", network_acl), **_near_acls(subnet_ids))


def _groups(reads: Reads, group_ids: tuple[str, ...]) -> Pending[tuple[SecurityGroup, ...]]:
    """The groups that exist; where none is named, the default groups of all VPCs, for the right one is not known yet.

    By filter, not by id: EC2 answers an unknown id with an error, and an unknown filter value with less.
    """
    named = ("group-id", group_ids) if group_ids else ("group-name", ("default",))
    rows = rows_of("SecurityGroups", security_group)
    return reads.ask("ec2", "DescribeSecurityGroups", rows, Filters=where(named))


def _groups_in_vpc(reads: Reads, connector: Connector, vpc_id: str) -> tuple[SecurityGroup, ...] | Unread:
    groups = _groups(reads, connector.security_group_ids)()
    if connector.security_group_ids or isinstance(groups, Unread):
        return groups
    return tuple(group for group in groups if group.vpc_id == vpc_id)


def _interfaces(reads: Reads, groups: tuple[SecurityGroup, ...] | Unread) -> Pending[tuple[NetworkInterface, ...]]:
    """Who carries the groups that have inbound rules; nothing to ask where none has."""
    if isinstance(groups, Unread):
        return lambda: groups
    inbound = tuple(group.id for group in groups if group.ingress)
    if not inbound:
        return lambda: ()
    rows = rows_of("NetworkInterfaces", network_interface)
    # Interfaces of ECS and others are hidden from lists by default, and would make a group look unused.
    every = {"Filters": where(("group-id", inbound)), "IncludeManagedResources": True}
    return reads.ask("ec2", "DescribeNetworkInterfaces", rows, **every)


def _endpoints(reads: Reads, inside: object, settings: Settings) -> Pending[tuple[Endpoint, ...]]:
    """Endpoints matter only where a setting requires some."""
    if not settings.required_endpoint_services:
        return lambda: ()
    return reads.ask("ec2", "DescribeVpcEndpoints", rows_of("VpcEndpoints", endpoint), Filters=inside)


def read_vpc_attribute(reads: Reads, vpc_id: str, name: str) -> Pending[bool]:
    """EnableDnsSupport or EnableDnsHostnames; EC2 tells one attribute a call."""
    attribute = name[0].lower() + name[1:]
    return reads.ask("ec2", "DescribeVpcAttribute", vpc_attribute(name), VpcId=vpc_id, Attribute=attribute)


def read_prefix_list(reads: Reads, list_id: str) -> Pending[tuple[str, ...]]:
    def cidrs(pages: "Sequence[Page]") -> tuple[str, ...]:
        return tuple(sorted(entry["Cidr"] for page in pages for entry in page["Entries"]))

    return reads.ask("ec2", "GetManagedPrefixListEntries", cidrs, PrefixListId=list_id)


def where(*filters: tuple[str, tuple[str, ...]]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": list(values)} for name, values in filters]


def any_of[T](
    values: Iterable[str], ask: Callable[[tuple[str, ...]], Pending[tuple[T, ...]]]
) -> Pending[tuple[T, ...]]:
    """What there is for any of the values of a filter, once, in as few calls as filters allow; Unread as a whole if
    one of them failed."""
    asked = [ask(some) for some in batched(sorted(set(values)), FILTER_VALUES, strict=False)]

    def wait() -> tuple[T, ...] | Unread:
        found: dict[T, None] = {}
        for pending in asked:
            part = pending()
            if isinstance(part, Unread):
                return part
            found |= dict.fromkeys(part)
        return tuple(found)

    return wait


def rows_of[Row, T](member: str, parse: "Callable[[Row], T]") -> "Callable[[Sequence[Page]], tuple[T, ...]]":
    def rows(pages: "Sequence[Page]") -> tuple[T, ...]:
        return tuple(parse(row) for page in pages for row in page.get(member, ()))

    return rows


def _vpc_ids(member: str) -> "Callable[[Sequence[Page]], tuple[str, ...]]":
    def vpc_ids(pages: "Sequence[Page]") -> tuple[str, ...]:
        return tuple(sorted({row["VpcId"] for page in pages for row in page.get(member, ()) if row.get("VpcId")}))

    return vpc_ids


def vpc_attribute(name: str) -> "Callable[[Sequence[Page]], bool]":
    def value(pages: "Sequence[Page]") -> bool:
        return bool(pages[0][name]["Value"])

    return value


def zone(row: "AvailabilityZoneTypeDef") -> Zone:
    opted_in = row.get("OptInStatus", "opt-in-not-required") != "not-opted-in"
    return Zone(
        id=row["ZoneId"],
        name=row["ZoneName"],
        available=row.get("State") == "available" and opted_in,
        kind=row.get("ZoneType", "availability-zone"),
    )


def subnet(row: "SubnetTypeDef") -> Subnet:
    blocks = row.get("Ipv6CidrBlockAssociationSet", ())
    associated = (one for one in blocks if one.get("Ipv6CidrBlockState", {}).get("State") == "associated")
    return Subnet(
        id=row["SubnetId"],
        vpc_id=intern(row["VpcId"]),
        zone_id=row["AvailabilityZoneId"],
        cidr=row.get("CidrBlock", ""),
        ipv6_cidrs=tuple(sorted(one["Ipv6CidrBlock"] for one in associated)),
        ipv6_native=row.get("Ipv6Native", False),
        free_addresses=row.get("AvailableIpAddressCount", 0),
        owner_id=row.get("OwnerId", ""),
    )


def route_table(row: "RouteTableTypeDef") -> RouteTable:
    """Associations that are being taken away count no more; those of gateways have no subnet."""
    associations = [
        one
        for one in row.get("Associations", ())
        if one.get("AssociationState", {}).get("State", "associated") in ("associated", "associating")
    ]
    return RouteTable(
        id=row["RouteTableId"],
        vpc_id=row["VpcId"],
        main=any(one.get("Main", False) for one in associations),
        subnet_ids=tuple(sorted(one["SubnetId"] for one in associations if one.get("SubnetId"))),
        routes=tuple(route(one) for one in row.get("Routes", ())),
    )


def route(row: "RouteTypeDef") -> Route:
    fields: dict[str, str] = {key: value for key, value in row.items() if isinstance(value, str)}
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return Route(
        destination=next(fields[key] for key in destinations if fields.get(key)),
        target=next((fields[key] for key in TARGETS if fields.get(key)), "an unknown target"),
        blackhole=row.get("State") == "blackhole",
        propagated=row.get("Origin") in _PROPAGATED,
    )


def nat_gateway(row: "NatGatewayTypeDef") -> NatGateway:
    """A regional NAT gateway names no subnet; gateways from before private ones existed name no connectivity."""
    regional = row.get("AvailabilityMode") == "regional"
    return NatGateway(
        id=row["NatGatewayId"],
        vpc_id=row["VpcId"],
        subnet_id="" if regional else row.get("SubnetId", ""),
        state=row["State"],
        connectivity=row.get("ConnectivityType", "public"),
    )


def network_acl(row: "NetworkAclTypeDef") -> NetworkAcl:
    return NetworkAcl(
        id=row["NetworkAclId"],
        subnet_ids=tuple(sorted(one["SubnetId"] for one in row.get("Associations", ()) if one.get("SubnetId"))),
        entries=tuple(acl_entry(one) for one in row.get("Entries", ())),
    )


def acl_entry(row: "NetworkAclEntryTypeDef") -> AclEntry:
    ports = row.get("PortRange", {})
    return AclEntry(
        number=row["RuleNumber"],
        egress=row["Egress"],
        allow=row["RuleAction"] == "allow",
        protocol=row["Protocol"],
        cidr=row.get("CidrBlock") or row.get("Ipv6CidrBlock", ""),
        from_port=ports.get("From"),
        to_port=ports.get("To"),
    )


def security_group(row: "SecurityGroupTypeDef") -> SecurityGroup:
    return SecurityGroup(
        id=row["GroupId"],
        name=row["GroupName"],
        vpc_id=row.get("VpcId", ""),
        ingress=tuple(group_rule(one) for one in row.get("IpPermissions", ())),
        egress=tuple(group_rule(one) for one in row.get("IpPermissionsEgress", ())),
    )


def group_rule(row: "IpPermissionOutputTypeDef") -> GroupRule:
    peers = (
        *(one["CidrIp"] for one in row.get("IpRanges", ())),
        *(one["CidrIpv6"] for one in row.get("Ipv6Ranges", ())),
        *(one["PrefixListId"] for one in row.get("PrefixListIds", ())),
        *(one["GroupId"] for one in row.get("UserIdGroupPairs", ()) if "GroupId" in one),
    )
    return GroupRule(
        protocol=row["IpProtocol"],
        peers=tuple(sorted(peers)),
        from_port=row.get("FromPort"),
        to_port=row.get("ToPort"),
    )


def managed_interfaces(reads: Reads) -> Pending[tuple[ManagedInterface, ...]]:
    """The interfaces that App Runner made for connectors, by their tag; whose they are is for the caller to fill in."""
    # Whether App Runner's are among those that EC2 hides from lists is not documented.
    every = {"Filters": where(("tag-key", (_MANAGED_TAG,))), "IncludeManagedResources": True}
    return reads.ask("ec2", "DescribeNetworkInterfaces", rows_of("NetworkInterfaces", managed_interface), **every)


def managed_interface(row: "NetworkInterfaceTypeDef") -> ManagedInterface:
    """With the account that owns it; any of its addresses may be public."""
    addresses = (row, *row.get("PrivateIpAddresses", ()))
    public = (one.get("Association", {}).get("PublicIp", "") for one in addresses)
    return ManagedInterface(
        id=row["NetworkInterfaceId"],
        account=row.get("OwnerId", ""),
        region="",
        vpc_id=row.get("VpcId", ""),
        subnet_id=row.get("SubnetId", ""),
        group_ids=tuple(sorted(group["GroupId"] for group in row.get("Groups", ()))),
        public_address=next(filter(None, public), ""),
        connectors=NOT_ASKED,
        tags={tag["Key"]: tag.get("Value", "") for tag in row.get("TagSet", ())},
    )


def network_interface(row: "NetworkInterfaceTypeDef") -> NetworkInterface:
    return NetworkInterface(
        id=row["NetworkInterfaceId"],
        group_ids=tuple(sorted(group["GroupId"] for group in row.get("Groups", ()))),
        app_runner=any(tag.get("Key") == _MANAGED_TAG for tag in row.get("TagSet", ())),
    )


def endpoint(row: "VpcEndpointTypeDef") -> Endpoint:
    return Endpoint(
        id=row["VpcEndpointId"],
        vpc_id=row.get("VpcId", ""),
        service=row["ServiceName"],
        kind=row.get("VpcEndpointType", "Gateway"),
        state=row.get("State", "").lower(),
        route_table_ids=tuple(sorted(row.get("RouteTableIds", ()))),
    )


def find_interface_endpoints(reads: Reads, name: str, value: str) -> Pending[tuple[InterfaceEndpoint, ...]]:
    """The interface endpoints that a filter of EC2's admits, such as vpc-id or vpc-endpoint-id."""
    parse = rows_of("VpcEndpoints", interface_endpoint)
    kinds = where((name, (value,)), ("vpc-endpoint-type", ("Interface",)))
    return reads.ask("ec2", "DescribeVpcEndpoints", parse, Filters=kinds)


def find_subnets(reads: Reads, subnet_ids: tuple[str, ...]) -> Pending[tuple[Subnet, ...]]:
    """Those of the subnets that exist."""
    named = where(("subnet-id", subnet_ids))
    return reads.ask("ec2", "DescribeSubnets", rows_of("Subnets", subnet), Filters=named)


def zones_offered(reads: Reads, service: str) -> Pending[tuple[str, ...]]:
    """The zones where an endpoint service (com.amazonaws.<region>.<name>) is to be had: ids, or names if EC2 tells no
    ids; sorted."""

    def zones(pages: "Sequence[Page]") -> tuple[str, ...]:
        rows = [row for page in pages for row in page["ServiceDetails"]]
        return tuple(
            sorted({zone for row in rows for zone in row.get("AvailabilityZoneIds") or row["AvailabilityZones"]})
        )

    return reads.ask("ec2", "DescribeVpcEndpointServices", zones, ServiceNames=[service])


def interface_endpoint(row: "VpcEndpointTypeDef") -> InterfaceEndpoint:
    return InterfaceEndpoint(
        id=row["VpcEndpointId"],
        vpc_id=intern(row.get("VpcId", "")),
        service=intern(row["ServiceName"]),
        state=intern(row.get("State", "").lower()),
        private_dns=row.get("PrivateDnsEnabled", False),
        subnet_ids=tuple(sorted(map(intern, row.get("SubnetIds", ())))),
        interface_ids=tuple(sorted(row.get("NetworkInterfaceIds", ()))),
        group_ids=tuple(sorted(intern(one["GroupId"]) for one in row.get("Groups", ()))),
        policy=intern(row.get("PolicyDocument", "")),
        tags={intern(tag["Key"]): tag.get("Value", "") for tag in row.get("Tags", ())},
        managed=row.get("RequesterManaged", False),
    )


def endpoints_of(reads: Reads, ids: Iterable[str]) -> Callable[[], Mapping[str, InterfaceEndpoint | Unread | None]]:
    """Each VPC endpoint, by id; None where the answer has none. By filter: a call for an id that is gone is refused."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, InterfaceEndpoint]]:
        return reads.ask("ec2", "DescribeVpcEndpoints", _endpoints_by_id, Filters=where(("vpc-endpoint-id", some)))

    chunks = [(some, ask(some)) for some in batched(ids, FILTER_VALUES, strict=False)]

    def wait() -> Mapping[str, InterfaceEndpoint | Unread | None]:
        found: dict[str, InterfaceEndpoint | Unread | None] = {}
        for some, pending in chunks:
            answer = pending()
            found |= {one: answer if isinstance(answer, Unread) else answer.get(one) for one in some}
        return found

    return wait


def endpoint_by_id(reads: Reads, endpoint_id: str) -> Pending[Mapping[str, InterfaceEndpoint]]:
    """A VPC endpoint asked for by its id: Unread with NO_ENDPOINT says that there is none."""
    return reads.ask("ec2", "DescribeVpcEndpoints", _endpoints_by_id, VpcEndpointIds=[endpoint_id])


def endpoint_interfaces(reads: Reads, ids: Iterable[str]) -> Callable[[], Mapping[str, EndpointInterface | Unread]]:
    """Each network interface, by id: EC2 hides some from lists, and tells of them by their id."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, EndpointInterface]]:
        return reads.ask("ec2", "DescribeNetworkInterfaces", _interfaces_by_id, NetworkInterfaceIds=list(some))

    return each_of(tuple(ids), ask, call="ec2:DescribeNetworkInterfaces", most=INTERFACES, gone=NO_INTERFACE)


def subnets_by_id(reads: Reads, ids: Iterable[str]) -> Callable[[], Mapping[str, Subnet | Unread]]:
    """Each subnet, by id; Unread where the answer leaves it out."""

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, Subnet]]:
        # As an audit asks for its connectors' subnets, so that it is one question where they are the same.
        rows = reads.ask("ec2", "DescribeSubnets", rows_of("Subnets", subnet), Filters=where(("subnet-id", some)))

        def wait() -> Mapping[str, Subnet] | Unread:
            found = rows()
            return found if isinstance(found, Unread) else {one.id: one for one in found}

        return wait

    return each_of(tuple(ids), ask, call="ec2:DescribeSubnets", most=FILTER_VALUES, gone="")


def find_security_groups(reads: Reads, ids: Iterable[str]) -> Pending[Mapping[str, SecurityGroup]]:
    """Those of the security groups that this account can see, by id: in a shared VPC some may be another's."""
    asked = [
        reads.ask("ec2", "DescribeSecurityGroups", _groups_by_id, Filters=where(("group-id", some)))
        for some in batched(ids, FILTER_VALUES, strict=False)
    ]

    def wait() -> Mapping[str, SecurityGroup] | Unread:
        found: dict[str, SecurityGroup] = {}
        for pending in asked:
            told = pending()
            if isinstance(told, Unread):
                return told
            found |= told
        return found

    return wait


def balancer_addresses(reads: Reads, arns: Iterable[str]) -> Callable[[], Mapping[str, BalancerAddresses | Unread]]:
    """The addresses of each load balancer's network interfaces, by ARN; Unread where it is told to have none.

    An interface belongs to one by its description, "ELB net/NAME/ID", the end of the ARN. AWS documents that the name
    is in it, and not how; the form is what many public tools rely on
    (docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-monitoring.html).
    """

    def ask(some: tuple[str, ...]) -> Pending[Mapping[str, BalancerAddresses]]:
        described = where(("description", tuple(_described_as(arn) for arn in some)))

        def by_arn(pages: "Sequence[Page]") -> Mapping[str, BalancerAddresses]:
            found = _addresses_by_description(pages)
            return {arn: found[_described_as(arn)] for arn in some if _described_as(arn) in found}

        return reads.ask("ec2", "DescribeNetworkInterfaces", by_arn, Filters=described, IncludeManagedResources=True)

    return each_of(tuple(arns), ask, call="ec2:DescribeNetworkInterfaces", most=FILTER_VALUES, gone="")


def _described_as(balancer_arn: str) -> str:
    return f"ELB {balancer_arn.partition(':loadbalancer/')[2]}"


def are_connected(reads: Reads, one: str, other: str) -> Callable[[], bool | Unread]:
    """Whether two VPCs are peered, or attached to the same transit gateway."""
    ends = [
        ("requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"),
        ("accepter-vpc-info.vpc-id", "requester-vpc-info.vpc-id"),
    ]
    peerings = [
        reads.ask(
            "ec2",
            "DescribeVpcPeeringConnections",
            _vpc_pairs,
            Filters=where((first, (one,)), (second, (other,)), ("status-code", ("active",))),
        )
        for first, second in ends
    ]
    attachments = reads.ask(
        "ec2",
        "DescribeTransitGatewayVpcAttachments",
        _attachments,
        Filters=where(("vpc-id", (one, other)), ("state", ("available",))),
    )

    def wait() -> bool | Unread:
        pairs = [pending() for pending in peerings]
        gateways = attachments()
        if any(pair for pair in pairs if not isinstance(pair, Unread)):
            return True
        if not isinstance(gateways, Unread) and gateways.get(one, frozenset()) & gateways.get(other, frozenset()):
            return True
        return next((answer for answer in (*pairs, gateways) if isinstance(answer, Unread)), False)

    return wait


def endpoint_interface(row: "NetworkInterfaceTypeDef") -> EndpointInterface:
    return EndpointInterface(
        id=row["NetworkInterfaceId"],
        vpc_id=intern(row.get("VpcId", "")),
        zone=intern(row.get("AvailabilityZone", "")),
        ipv4=row.get("PrivateIpAddress", ""),
        ipv6=tuple(sorted(one["Ipv6Address"] for one in row.get("Ipv6Addresses", ()))),
    )


def _endpoints_by_id(pages: "Sequence[Page]") -> Mapping[str, InterfaceEndpoint]:
    return {row["VpcEndpointId"]: interface_endpoint(row) for page in pages for row in page["VpcEndpoints"]}


def _groups_by_id(pages: "Sequence[Page]") -> Mapping[str, SecurityGroup]:
    return {row["GroupId"]: security_group(row) for page in pages for row in page["SecurityGroups"]}


def interface_addresses(row: "NetworkInterfaceTypeDef") -> tuple[str, ...]:
    """All of an interface's private addresses, sorted: a load balancer may ask from secondary ones too."""
    first = row.get("PrivateIpAddress")
    private = (one["PrivateIpAddress"] for one in row.get("PrivateIpAddresses", ()) if "PrivateIpAddress" in one)
    ipv6 = (one["Ipv6Address"] for one in row.get("Ipv6Addresses", ()) if "Ipv6Address" in one)
    return tuple(sorted({*((first,) if first else ()), *private, *ipv6}))


def _addresses_by_description(pages: "Sequence[Page]") -> Mapping[str, BalancerAddresses]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in (row for page in pages for row in page["NetworkInterfaces"]):
        found.setdefault(row["Description"], {})[row["SubnetId"]] = interface_addresses(row)
    return found


def _interfaces_by_id(pages: "Sequence[Page]") -> Mapping[str, EndpointInterface]:
    return {row["NetworkInterfaceId"]: endpoint_interface(row) for page in pages for row in page["NetworkInterfaces"]}


def _vpc_pairs(pages: "Sequence[Page]") -> tuple[str, ...]:
    return tuple(row["VpcPeeringConnectionId"] for page in pages for row in page["VpcPeeringConnections"])


def _attachments(pages: "Sequence[Page]") -> Mapping[str, frozenset[str]]:
    """The transit gateways that each VPC is attached to."""
    found: dict[str, frozenset[str]] = {}
    for row in (row for page in pages for row in page["TransitGatewayVpcAttachments"]):
        found[row["VpcId"]] = found.get(row["VpcId"], frozenset()) | {row["TransitGatewayId"]}
    return found
