from collections.abc import Mapping
from dataclasses import replace

from apprunner_guardrails.facts import AclEntry, GroupRule, NetworkAcl, SecurityGroup, Subnet, Unread
from apprunner_guardrails.reach import Destination, DestinationInterface
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines, nat_route, new_connector
from tests.cases._healthy import (
    ALL_OUT,
    ALLOW_ALL,
    OTHER_ACCOUNT,
    add_acl,
    add_group,
    add_route,
    connector_has_subnets,
    connector_names_groups,
    groups_are_gone,
    hide_route_tables,
    nat_gateways_are_gone,
    prefix_list_has,
    private_subnet,
    remove_route,
    set_group,
    set_nat_gateway,
    set_subnet,
    unread,
)

# The database's subnet and its neighbour in the VPC, and one of a VPC that is peered.
_DB_1 = replace(private_subnet(1, cidr="10.0.51.0/24"), id="subnet-db-1")
_DB_2 = replace(private_subnet(2, cidr="10.0.52.0/24"), id="subnet-db-2")
_PEERED = replace(private_subnet(1, cidr="10.9.1.0/24"), id="subnet-peered", vpc_id="vpc-9")
_OPEN = NetworkAcl(id="acl-db", subnet_ids=("subnet-db-1", "subnet-db-2", "subnet-peered"), entries=ALLOW_ALL)

_FROM = "from subnet-private-1 (10.0.1.0/24)"
_FROM_ALL = "from subnet-private-1 (10.0.1.0/24), subnet-private-2 (10.0.2.0/24), subnet-private-4 (10.0.4.0/24)"
_DECLARED = "declared on service orders"
_BLOCKED = f"sg-db:5432 ({_DECLARED}) is not reached"
_WHERE = "aws ec2 {} --region us-east-1"
_PUBLIC = tuple(f"subnet-public-{number}" for number in (1, 2, 4))
_IPV6 = ("2600:1f18:1:1::/64",)
_BY_NAT = "route, rtb-public is what nat-1 goes on by, and sends"


def _rule(*peers: str, port: int | None = 5432, protocol: str = "tcp") -> GroupRule:
    return GroupRule(protocol=protocol, peers=peers, from_port=port, to_port=port)


def _group(*ingress: GroupRule, group_id: str = "sg-db", vpc: str = "vpc-1") -> SecurityGroup:
    return SecurityGroup(id=group_id, name=group_id, vpc_id=vpc, ingress=ingress, egress=())


def _interface(
    subnet: Subnet, *addresses: str, groups: tuple[SecurityGroup, ...], interface_id: str = ""
) -> DestinationInterface:
    return DestinationInterface(
        id=interface_id or f"eni-{subnet.id}", addresses=addresses, subnet=subnet, groups=groups
    )


def _database(*ingress: GroupRule, acl: NetworkAcl = _OPEN) -> Destination:
    """sg-db:5432, which an interface at 10.0.51.5 in subnet-db-1 carries."""
    group = _group(*ingress)
    at = _interface(_DB_1, "10.0.51.5", groups=(group,))
    return Destination(peer="sg-db", ports=(5432,), origin=_DECLARED, group=group, interfaces=(at,), acls=(acl,))


_ADMITS = _rule("sg-app")
_DATABASE = _database(_ADMITS)


def _there(*ingress: GroupRule) -> Destination:
    """sg-db:5432 of another VPC, at 10.9.1.5."""
    group = _group(*ingress, vpc="vpc-9")
    return replace(_DATABASE, group=group, interfaces=(_interface(_PEERED, "10.9.1.5", groups=(group,)),))


def _cidr(block: str, port: int = 443, lists: Mapping[str, tuple[str, ...] | Unread] | None = None) -> Destination:
    return Destination(peer=block, ports=(port,), origin=_DECLARED, prefix_lists=lists or {}, acls=(_OPEN,))


def reaches(*destinations: Destination) -> Change:
    return lambda snapshot: replace(snapshot, network=replace(snapshot.network, destinations=destinations))


def _one_subnet(*changes: Change) -> tuple[Change, ...]:
    """The connector is in subnet-private-1 alone, and its group lets everything out."""
    return (connector_has_subnets("subnet-private-1"), set_group("sg-app", egress=(ALL_OUT,)), *changes)


def _entry(
    number: int, cidr: str = "0.0.0.0/0", *, egress: bool, allow: bool = True, ports: tuple[int, int] | None = None
) -> AclEntry:
    first, last = ports or (None, None)
    protocol = "6" if ports else "-1"
    return AclEntry(
        number=number, egress=egress, allow=allow, protocol=protocol, cidr=cidr, from_port=first, to_port=last
    )


_ALL_IN, _ALL_OUT = _entry(100, egress=False), _entry(100, egress=True)
_FINAL = (_entry(32767, egress=True, allow=False), _entry(32767, egress=False, allow=False))


def _db_acl(*entries: AclEntry) -> NetworkAcl:
    return NetworkAcl(id="acl-db", subnet_ids=("subnet-db-1",), entries=(*entries, *_FINAL))


def _our_acl(*entries: AclEntry) -> Change:
    return add_acl("acl-2", "subnet-private-1", *entries, *_FINAL)


def _authorize(direction: str, group: str, peers: str, port: int = 5432) -> str:
    return (
        f"aws ec2 authorize-security-group-{direction} --region us-east-1 --group-id {group}"
        f" --ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},{peers}'"
    )


def _allow(acl: str, number: int, cidr: str, ports: str, *, egress: bool) -> str:
    return (
        f"aws ec2 create-network-acl-entry --region us-east-1 --network-acl-id {acl}"
        f" {'--egress' if egress else '--ingress'} --rule-number {number} --protocol tcp --rule-action allow"
        f" --cidr-block {cidr} --port-range {ports}"
    )


def _peering(verb: str, *blocks: str) -> str:
    return lines(
        "# or --transit-gateway-id: whatever leads there",
        *(
            f"aws ec2 {verb} --region us-east-1 --route-table-id rtb-private-1 --destination-cidr-block {block}"
            " --vpc-peering-connection-id VPC_PEERING_CONNECTION_ID"
            for block in blocks
        ),
    )


_ADMIT = _authorize("ingress", "sg-db", "UserIdGroupPairs=[{GroupId=sg-app}]")
_ANSWERS = "From=1024,To=65535"
_NOTHING = "no entry allows it, so the final one denies it"
_NOT_ADMITTED = "inbound rules of the destination, sg-db admits nothing on TCP 5432 from sg-app or from there"
_TAG = (
    "aws apprunner tag-resource --region us-east-1 --resource-arn RESOURCE_ARN"
    " --tags Key=apprunner-guardrails:reaches,Value=DESTINATION:PORT"
)
_FORM = "it takes sg-…:PORT or CIDR:PORT, an IPv6 CIDR as [2001:db8::/32]:443, several separated by spaces"


def _malformed(word: str, why: str) -> Destination:
    return Destination(peer=word, ports=(), origin="declared on service api", malformed=why)


def _on_copilot(*ingress: GroupRule, ports: tuple[int, ...] = (3306, 5432)) -> Destination:
    origin = "a database that AWS Copilot made in 'shop', environment 'test'"
    return replace(_database(*ingress), ports=ports, origin=origin)


_TWO = (
    _interface(_DB_1, "10.0.51.5", groups=(_group(_ADMITS),)),
    _interface(_DB_2, "10.0.52.5", groups=(_group(_ADMITS),)),
)

_PASS = (
    Case(name="pass: nothing is declared", expect=PASS),
    Case(name="pass: the database admits the connector's group", changes=_one_subnet(reaches(_DATABASE)), expect=PASS),
    Case(
        name="pass: from all three subnets",
        changes=(set_group("sg-app", egress=(ALL_OUT,)), reaches(_DATABASE)),
        expect=PASS,
    ),
    Case(
        name="pass: the database admits the subnet's block",
        changes=_one_subnet(reaches(_database(_rule("10.0.0.0/22")))),
        expect=PASS,
    ),
    Case(
        name="pass: halves of the subnet's block make it up",
        changes=_one_subnet(reaches(_database(_rule("10.0.1.0/25"), _rule("10.0.1.128/25")))),
        expect=PASS,
    ),
    Case(
        name="pass: rules of a group remember connections: no rule lets the answers out of the database, or in here",
        changes=_one_subnet(reaches(_DATABASE), set_group("sg-app", egress=(_rule("10.0.51.5/32"),), ingress=())),
        expect=PASS,
    ),
    Case(
        name="pass: the connector's group lets out to the database's group",
        changes=_one_subnet(set_group("sg-app", egress=(_rule("sg-db"),)), reaches(_DATABASE)),
        expect=PASS,
    ),
    Case(
        name="pass: another group of the interface admits, and another of the connector is admitted",
        changes=_one_subnet(
            add_group("sg-more", egress=()),
            reaches(
                replace(
                    _database(),
                    interfaces=(
                        _interface(_DB_1, "10.0.51.5", groups=(_group(), _group(_rule("sg-more"), group_id="sg-x"))),
                    ),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: both ends admit prefix lists",
        changes=_one_subnet(
            set_group("sg-app", egress=(_rule("pl-db"),)),
            prefix_list_has("pl-app", "10.0.1.0/24"),
            reaches(replace(_database(_rule("pl-app")), prefix_lists={"pl-db": ("10.0.51.0/24", "10.0.52.0/24")})),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: what is in the connector's own subnet passes no ACL",
        changes=_one_subnet(
            _our_acl(),
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(private_subnet(1), "10.0.1.77", groups=(_group(_ADMITS),)),),
                    acls=(),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: ACLs that open just what is needed",
        changes=_one_subnet(
            _our_acl(
                _entry(100, "10.0.51.0/24", egress=True, ports=(5432, 5432)),
                _entry(100, "10.0.51.0/24", egress=False, ports=(1024, 65535)),
            ),
            reaches(
                _database(
                    _ADMITS,
                    acl=_db_acl(
                        _entry(100, "10.0.1.0/24", egress=False, ports=(5432, 5432)),
                        _entry(100, "10.0.1.0/24", egress=True, ports=(1024, 65535)),
                    ),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: an ACL allows before it denies",
        changes=_one_subnet(
            _our_acl(_entry(90, egress=True), _entry(95, egress=True, allow=False), _ALL_IN), reaches(_DATABASE)
        ),
        expect=PASS,
    ),
    Case(
        name="pass: members of the connector's group talk to each other",
        changes=_one_subnet(
            set_group("sg-app", ingress=(_rule("sg-app"),)),
            reaches(
                replace(
                    _DATABASE,
                    peer="sg-app",
                    interfaces=(_interface(_DB_1, "10.0.51.5", groups=(_group(_rule("sg-app"), group_id="sg-app"),)),),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a peered VPC",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.9.0.0/16", "pcx-1"),
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(_PEERED, "10.9.1.5", groups=(_group(_rule("10.0.0.0/16"), vpc="vpc-9"),)),),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: one of a dual-stack interface's addresses is enough",
        changes=_one_subnet(
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(_DB_1, "10.0.51.5", "2600:1f18:1:51::5", groups=(_group(_ADMITS),)),),
                )
            )
        ),
        expect=PASS,
    ),
    Case(
        name="pass: over IPv6",
        changes=_one_subnet(
            set_subnet("subnet-private-1", ipv6_cidrs=_IPV6),
            set_group("sg-app", egress=(_rule("::/0"),)),
            add_route("rtb-private-1", "2600:1f18:1::/56", "local"),
            add_acl(
                "acl-2",
                "subnet-private-1",
                _entry(100, "::/0", egress=True),
                _entry(100, "2600:1f18:1::/48", egress=False, ports=(1024, 65535)),
            ),
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(_DB_1, "2600:1f18:1:51::5", groups=(_group(_rule(*_IPV6)),)),),
                    acls=(_db_acl(_entry(101, "::/0", egress=True), _entry(101, *_IPV6, egress=False)),),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a CIDR behind the NAT gateway",
        changes=(reaches(_cidr("203.0.113.0/24")),),
        expect=PASS,
    ),
    Case(
        name="pass: another VPC behind the NAT gateway, whose subnet leads there",
        changes=_one_subnet(
            add_route("rtb-public", "10.9.0.0/16", "tgw-1"), reaches(_there(_rule("10.0.0.0/16")), _cidr("10.9.0.0/16"))
        ),
        expect=PASS,
    ),
    Case(
        name="pass: public addresses are reached behind a NAT gateway that is not in sight",
        changes=(nat_gateways_are_gone("nat-1"), reaches(_cidr("203.0.113.0/24"), _cidr("52.216.0.0/15"))),
        expect=PASS,
    ),
    Case(
        name="pass: all of the internet",
        changes=_one_subnet(
            reaches(replace(_cidr("0.0.0.0/0"), acls=(replace(_OPEN, subnet_ids=_PUBLIC),))),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: S3 by its gateway endpoint, without another way out",
        changes=_one_subnet(
            remove_route("rtb-private-1", "0.0.0.0/0"),
            add_route("rtb-private-1", "pl-s3", "vpce-s3"),
            set_group("sg-app", egress=(_rule("pl-s3", port=443),)),
            reaches(_cidr("52.216.0.0/15", lists={"pl-s3": ("52.216.0.0/15", "3.5.0.0/19")})),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: through an appliance, by address",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.0.51.0/24", "vpce-firewall"), reaches(_database(_rule("10.0.1.0/24")))
        ),
        expect=PASS,
    ),
    Case(
        name="pass: no propagated route takes what is local",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.0.51.0/24", "vgw-1", propagated=True, blackhole=True), reaches(_DATABASE)
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a group that nothing carries yet",
        changes=_one_subnet(reaches(replace(_DATABASE, interfaces=(), acls=()))),
        expect=PASS,
    ),
    Case(
        name="pass: a group that nothing carries yet, where part of the VPC is out of reach",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.0.101.0/24", "eni-1", blackhole=True),
            reaches(replace(_DATABASE, interfaces=(), acls=())),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a database of Copilot's on one of the two ports",
        changes=_one_subnet(reaches(_on_copilot(_ADMITS))),
        expect=PASS,
    ),
    Case(
        name="pass: a database of Copilot's on one of the two ports, and the other cannot be told",
        changes=_one_subnet(reaches(_on_copilot(_ADMITS, _rule("pl-app", port=3306)))),
        expect=PASS,
    ),
)

_FAIL = (
    Case(
        name="fail: the database admits nobody",
        changes=(set_group("sg-app", egress=(ALL_OUT,)), reaches(_database())),
        expect=fail(f"{_BLOCKED} {_FROM_ALL}: {_NOT_ADMITTED}", command=_ADMIT),
    ),
    Case(
        name="fail: the database admits the connector on another port",
        changes=_one_subnet(reaches(_database(_rule("sg-app", port=3306), _rule("sg-app", protocol="udp")))),
        expect=fail(f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}", command=_ADMIT),
    ),
    Case(
        name="fail: the database admits one of the subnets",
        changes=(set_group("sg-app", egress=(ALL_OUT,)), reaches(_database(_rule("10.0.2.0/24")))),
        expect=fail(
            f"{_BLOCKED} from subnet-private-1 (10.0.1.0/24), subnet-private-4 (10.0.4.0/24): {_NOT_ADMITTED}",
            command=_ADMIT,
        ),
    ),
    Case(
        name="fail: a group that the database admits counts by who carries it, not by addresses",
        changes=_one_subnet(
            add_group("sg-vpc", ingress=(_rule("10.0.0.0/16"),)),
            groups_are_gone("sg-vpc"),
            reaches(_database(_rule("sg-vpc"))),
        ),
        expect=fail(f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}", command=_ADMIT),
    ),
    Case(
        name="fail: the connector carries two groups and the database admits neither",
        changes=_one_subnet(add_group("sg-more"), reaches(_database())),
        expect=fail(
            f"{_BLOCKED} {_FROM}: inbound rules of the destination, sg-db admits nothing on TCP 5432 from"
            " sg-app, sg-more or from there",
            command=_ADMIT,
        ),
    ),
    Case(
        name="fail: the connector's group lets out 443 alone",
        changes=(connector_has_subnets("subnet-private-1"), reaches(_DATABASE)),
        expect=fail(
            f"{_BLOCKED} {_FROM}: outbound rules, sg-app lets nothing out on TCP 5432 to there",
            command=_authorize("egress", "sg-app", "UserIdGroupPairs=[{GroupId=sg-db}]"),
        ),
    ),
    Case(
        name="fail: the first hop is told, though others stop it too",
        changes=_one_subnet(
            set_group("sg-app", egress=()),
            _our_acl(),
            remove_route("rtb-private-1", "10.0.0.0/16"),
            reaches(_database()),
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM}: outbound rules, sg-app lets nothing out on TCP 5432 to there",
            command=_authorize("egress", "sg-app", "UserIdGroupPairs=[{GroupId=sg-db}]"),
        ),
    ),
    Case(
        name="fail: the connector's ACL lets nothing out",
        changes=_one_subnet(_our_acl(_ALL_IN), reaches(_database())),
        expect=fail(
            f"{_BLOCKED} {_FROM}: outbound ACL, acl-2 does not let TCP 5432 out: {_NOTHING}",
            command=_allow("acl-2", 32766, "10.0.51.0/24", "From=5432,To=5432", egress=True),
        ),
    ),
    Case(
        name="fail: the connector's ACL denies before it allows",
        changes=_one_subnet(
            _our_acl(_entry(90, "10.0.48.0/20", egress=True, allow=False), _ALL_OUT, _ALL_IN), reaches(_DATABASE)
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM}: outbound ACL, acl-2 does not let TCP 5432 out: entry 90 denies 10.0.48.0/20",
            command=_allow("acl-2", 89, "10.0.51.0/24", "From=5432,To=5432", egress=True),
        ),
    ),
    Case(
        name="fail: no route",
        changes=_one_subnet(
            remove_route("rtb-private-1", "0.0.0.0/0"), reaches(_cidr("52.216.0.0/15"), _cidr("10.9.0.0/16"))
        ),
        expect=fail(
            f"10.9.0.0/16:443 ({_DECLARED}) is not reached {_FROM}: route, rtb-private-1 has no route to there",
            f"52.216.0.0/15:443 ({_DECLARED}) is not reached {_FROM}: route, rtb-private-1 has no route to there",
            command=lines(
                _peering("create-route", "10.9.0.0/16"),
                nat_route("create-route", "rtb-private-1", destination="52.216.0.0/15"),
            ),
        ),
    ),
    Case(
        name="fail: the peering is gone",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.9.0.0/16", "pcx-1", blackhole=True), reaches(_cidr("10.9.0.0/16", 5432))
        ),
        expect=fail(
            f"10.9.0.0/16:5432 ({_DECLARED}) is not reached {_FROM}:"
            " route, rtb-private-1 sends 10.9.0.0/16 to pcx-1, which is gone",
            command=_peering("replace-route", "10.9.0.0/16"),
        ),
    ),
    Case(
        name="fail: part of a CIDR goes to a peering that is gone",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.9.0.0/16", "tgw-1"),
            add_route("rtb-private-1", "10.9.64.0/18", "pcx-1", blackhole=True),
            reaches(_cidr("10.9.0.0/16", 5432)),
        ),
        expect=fail(
            f"10.9.0.0/16:5432 ({_DECLARED}) is not reached in 10.9.64.0/18 {_FROM}:"
            " route, rtb-private-1 sends 10.9.64.0/18 to pcx-1, which is gone",
            command=_peering("replace-route", "10.9.64.0/18"),
        ),
    ),
    Case(
        name="fail: another VPC without a peering: the NAT gateway's subnet leads to the internet only",
        changes=_one_subnet(reaches(_there())),
        expect=fail(
            f"{_BLOCKED} {_FROM}: {_BY_NAT} 0.0.0.0/0 to igw-1, which leads to the internet only",
            command=_peering("create-route", "10.9.1.0/24"),
        ),
    ),
    Case(
        name="fail: private addresses that only the default route fits",
        changes=_one_subnet(reaches(_cidr("192.168.0.0/16"), _cidr("100.64.0.0/10"))),
        expect=fail(
            f"100.64.0.0/10:443 ({_DECLARED}) is not reached {_FROM}:"
            f" {_BY_NAT} 0.0.0.0/0 to igw-1, which leads to the internet only",
            f"192.168.0.0/16:443 ({_DECLARED}) is not reached {_FROM}:"
            f" {_BY_NAT} 0.0.0.0/0 to igw-1, which leads to the internet only",
            command=_peering("create-route", "100.64.0.0/10", "192.168.0.0/16"),
        ),
    ),
    Case(
        name="fail: of private addresses the NAT gateway's subnet leads to a part",
        changes=_one_subnet(
            add_route("rtb-public", "10.9.0.0/17", "tgw-1"),
            add_route("rtb-public", "10.9.0.0/18", "tgw-2", blackhole=True),
            reaches(_cidr("10.9.0.0/16")),
        ),
        expect=fail(
            f"10.9.0.0/16:443 ({_DECLARED}) is not reached in 10.9.0.0/18 {_FROM}:"
            f" {_BY_NAT} 10.9.0.0/18 to tgw-2, which is gone",
            f"10.9.0.0/16:443 ({_DECLARED}) is not reached in 10.9.128.0/17 {_FROM}:"
            f" {_BY_NAT} 0.0.0.0/0 to igw-1, which leads to the internet only",
            command=_peering("create-route", "10.9.0.0/18", "10.9.128.0/17"),
        ),
    ),
    Case(
        name="fail: the NAT gateway is in the connector's own subnet",
        changes=_one_subnet(set_nat_gateway("nat-1", subnet_id="subnet-private-1"), reaches(_cidr("10.9.0.0/16"))),
        expect=fail(
            f"10.9.0.0/16:443 ({_DECLARED}) is not reached {_FROM}:"
            " route, rtb-private-1 sends 0.0.0.0/0 to nat-1, from where it comes back",
            command=_peering("create-route", "10.9.0.0/16"),
        ),
    ),
    Case(
        name="fail: many parts of a CIDR may not be called",
        changes=_one_subnet(
            set_group("sg-app", egress=tuple(_rule(f"203.0.113.{number}/32", port=443) for number in (64, 128, 192))),
            reaches(_cidr("203.0.113.0/24")),
        ),
        expect=fail(
            f"203.0.113.0/24:443 ({_DECLARED}) is not reached in"
            " 203.0.113.0/26, 203.0.113.65/32, 203.0.113.66/31 and 16 more"
            f" {_FROM}: outbound rules, sg-app lets nothing out on TCP 443 to there",
            command=_authorize("egress", "sg-app", "IpRanges=[{CidrIp=203.0.113.0/24}]", port=443),
        ),
    ),
    Case(
        name="fail: straight to the internet gateway, without a public address",
        changes=_one_subnet(
            remove_route("rtb-private-1", "0.0.0.0/0"),
            add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
            reaches(_cidr("52.216.0.0/15")),
        ),
        expect=fail(
            f"52.216.0.0/15:443 ({_DECLARED}) is not reached {_FROM}: route, rtb-private-1 sends 0.0.0.0/0 to igw-1,"
            " and a connector's interfaces have no public address",
            command=nat_route("create-route", "rtb-private-1", destination="52.216.0.0/15"),
        ),
    ),
    Case(
        name="fail: a narrow route leads nowhere beside the local one",
        changes=_one_subnet(add_route("rtb-private-1", "10.0.51.0/24", "eni-1", blackhole=True), reaches(_DATABASE)),
        expect=fail(
            f"{_BLOCKED} {_FROM}: route, rtb-private-1 sends 10.0.51.0/24 to eni-1, which is gone",
            command=_peering("replace-route", "10.0.51.0/24"),
        ),
    ),
    Case(
        name="fail: the database's ACL admits others only",
        changes=(
            set_group("sg-app", egress=(ALL_OUT,)),
            reaches(_database(acl=_db_acl(_entry(100, "10.0.96.0/19", egress=False), _ALL_OUT))),
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM_ALL}: inbound ACL of the destination, acl-db does not let TCP 5432 in: {_NOTHING}",
            command=lines(
                _allow("acl-db", 32766, "10.0.1.0/24", "From=5432,To=5432", egress=False),
                _allow("acl-db", 32765, "10.0.2.0/24", "From=5432,To=5432", egress=False),
                _allow("acl-db", 32764, "10.0.4.0/24", "From=5432,To=5432", egress=False),
            ),
        ),
    ),
    Case(
        name="fail: ACLs remember nothing: the database's lets no answers out",
        changes=_one_subnet(
            reaches(_database(_ADMITS, acl=_db_acl(_ALL_IN, _entry(100, egress=True, ports=(443, 443)))))
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM}: outbound ACL of the destination,"
            f" acl-db does not let the answers out (TCP 32768-60999): {_NOTHING}",
            command=_allow("acl-db", 32766, "10.0.1.0/24", _ANSWERS, egress=True),
        ),
    ),
    Case(
        name="fail: ACLs remember nothing: the connector's lets no answers in",
        changes=_one_subnet(_our_acl(_ALL_OUT, _entry(100, egress=False, ports=(443, 443))), reaches(_DATABASE)),
        expect=fail(
            f"{_BLOCKED} {_FROM}: inbound ACL, acl-2 does not let the answers in (TCP 32768-60999): {_NOTHING}",
            command=_allow("acl-2", 32766, "10.0.51.0/24", _ANSWERS, egress=False),
        ),
    ),
    Case(
        name="fail: the answers from a CIDR are denied",
        changes=_one_subnet(
            _our_acl(_ALL_OUT, _entry(50, "203.0.113.0/24", egress=False, allow=False), _ALL_IN),
            reaches(_cidr("203.0.113.0/24")),
        ),
        expect=fail(
            f"203.0.113.0/24:443 ({_DECLARED}) is not reached {_FROM}: inbound ACL, acl-2 does not let the answers in"
            " (TCP 32768-60999): entry 50 denies 203.0.113.0/24",
            command=_allow("acl-2", 49, "203.0.113.0/24", _ANSWERS, egress=False),
        ),
    ),
    Case(
        name="fail: two destinations behind one ACL get entries with numbers of their own",
        changes=_one_subnet(_our_acl(_ALL_IN), reaches(_DATABASE, _cidr("203.0.113.0/24"), _cidr("203.0.113.0/24"))),
        expect=fail(
            f"203.0.113.0/24:443 ({_DECLARED}) is not reached {_FROM}:"
            f" outbound ACL, acl-2 does not let TCP 443 out: {_NOTHING}",
            f"{_BLOCKED} {_FROM}: outbound ACL, acl-2 does not let TCP 5432 out: {_NOTHING}",
            command=lines(
                _allow("acl-2", 32766, "203.0.113.0/24", "From=443,To=443", egress=True),
                _allow("acl-2", 32765, "10.0.51.0/24", "From=5432,To=5432", egress=True),
            ),
        ),
    ),
    Case(
        name="fail: an IPv6 destination from subnets without IPv6",
        changes=_one_subnet(set_group("sg-app", egress=(_rule("::/0", port=443),)), reaches(_cidr("2001:db8::/32"))),
        expect=fail(
            f"[2001:db8::/32]:443 ({_DECLARED}) is not reached from subnet-private-1:"
            " outbound ACL, acl-1 does not let TCP 443 out: no entry allows it, so the final one denies it",
            command=(
                _allow("acl-1", 32766, "2001:db8::/32", "From=443,To=443", egress=True).replace(
                    "--cidr-block", "--ipv6-cidr-block"
                )
            ),
        ),
    ),
    Case(
        name="fail: an IPv6 destination from subnets without IPv6, whose ACL is open",
        changes=_one_subnet(
            set_group("sg-app", egress=(_rule("::/0", port=443),)),
            _our_acl(_entry(101, "::/0", egress=True)),
            reaches(_cidr("2001:db8::/32")),
        ),
        expect=fail(
            f"[2001:db8::/32]:443 ({_DECLARED}) is not reached from subnet-private-1:"
            " route, subnet-private-1 has no IPv6 addresses",
            command=new_connector("PRIVATE_SUBNET_IDS", note="it takes subnets with IPv6 addresses"),
        ),
    ),
    Case(
        name="fail: over IPv6 the connector's group lets nothing out",
        changes=_one_subnet(set_subnet("subnet-private-1", ipv6_cidrs=_IPV6), reaches(_cidr("2001:db8::/32"))),
        expect=fail(
            f"[2001:db8::/32]:443 ({_DECLARED}) is not reached from subnet-private-1 (2600:1f18:1:1::/64):"
            " outbound rules, sg-app lets nothing out on TCP 443 to there",
            command=_authorize("egress", "sg-app", "Ipv6Ranges=[{CidrIpv6=2001:db8::/32}]", port=443),
        ),
    ),
    Case(
        name="fail: a dual-stack interface admits neither by IPv4 nor by IPv6",
        changes=_one_subnet(
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(_DB_1, "10.0.51.5", "2600:1f18:1:51::5", groups=(_group(),)),),
                )
            )
        ),
        expect=fail(f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}", command=_ADMIT),
    ),
    Case(
        name="fail: one of two interfaces may not be called",
        changes=_one_subnet(
            set_group("sg-app", egress=(_rule("10.0.51.0/24"),)), reaches(replace(_DATABASE, interfaces=_TWO))
        ),
        expect=fail(
            f"{_BLOCKED} in subnet-db-2 {_FROM}: outbound rules, sg-app lets nothing out on TCP 5432 to there",
            command=_authorize("egress", "sg-app", "UserIdGroupPairs=[{GroupId=sg-db}]"),
        ),
    ),
    Case(
        name="fail: a peered VPC's group admits by group alone, and not ours",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.9.0.0/16", "pcx-1"),
            reaches(
                replace(
                    _DATABASE,
                    interfaces=(_interface(_PEERED, "10.9.1.5", groups=(_group(_rule("sg-theirs"), vpc="vpc-9"),)),),
                )
            ),
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}",
            command=_authorize("ingress", "sg-db", "IpRanges=[{CidrIp=10.0.1.0/24}]"),
        ),
    ),
    Case(
        name="fail: through an appliance, what the database admits by group is not what arrives",
        changes=_one_subnet(add_route("rtb-private-1", "10.0.51.0/24", "eni-1"), reaches(_DATABASE)),
        expect=fail(
            f"{_BLOCKED} {_FROM}: inbound rules of the destination, sg-db admits nothing on TCP 5432 from there;"
            " through an appliance rules by group do not count",
            command=_authorize("ingress", "sg-db", "IpRanges=[{CidrIp=10.0.1.0/24}]"),
        ),
    ),
    Case(
        name="fail: a group that nothing carries yet admits nobody",
        changes=_one_subnet(reaches(replace(_database(), interfaces=(), acls=()))),
        expect=fail(f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}", command=_ADMIT),
    ),
    Case(
        name="fail: a group that nothing carries yet, and the connector's ACL lets nothing out",
        changes=_one_subnet(
            _our_acl(_ALL_IN),
            reaches(replace(_DATABASE, interfaces=(), acls=())),
            connector_has_subnets("subnet-private-1"),
            set_subnet("subnet-private-1", cidr=""),
        ),
        expect=fail(
            f"{_BLOCKED} from subnet-private-1: outbound ACL, acl-2 does not let TCP 5432 out: {_NOTHING}",
            command=_allow("acl-2", 32766, "DESTINATION_CIDR", "From=5432,To=5432", egress=True),
        ),
    ),
    Case(
        name="fail: a database of Copilot's on neither of the two ports",
        changes=_one_subnet(reaches(_on_copilot())),
        expect=fail(
            *(
                f"sg-db:{port} (a database that AWS Copilot made in 'shop', environment 'test') is not reached {_FROM}:"
                f" inbound rules of the destination, sg-db admits nothing on TCP {port} from sg-app or from there"
                for port in (3306, 5432)
            ),
            command=lines(
                *(_authorize("ingress", "sg-db", "UserIdGroupPairs=[{GroupId=sg-app}]", port=p) for p in (3306, 5432))
            ),
        ),
    ),
    Case(
        name="fail: words that name nothing, beside one that does",
        changes=_one_subnet(
            reaches(
                _malformed("db.example.com:5432", "before the port there should be a security group's id or a CIDR"),
                _malformed("", "the tag is empty"),
                _DATABASE,
            )
        ),
        expect=fail(
            f"tag apprunner-guardrails:reaches (declared on service api) has '': the tag is empty; {_FORM}",
            "tag apprunner-guardrails:reaches (declared on service api) has 'db.example.com:5432': before the port"
            f" there should be a security group's id or a CIDR; {_FORM}",
            command=_TAG,
        ),
    ),
    Case(
        name="fail: what is known of one is told, though another is not",
        changes=_one_subnet(
            reaches(_database(), replace(_DATABASE, peer="sg-gone", group=None, interfaces=())),
        ),
        expect=fail(
            f"{_BLOCKED} {_FROM}: {_NOT_ADMITTED}",
            command=_ADMIT,
            unread="sg-gone cannot be seen from this account: it is gone, or another account's",
        ),
    ),
)

_DENIED = Unread(call="ec2:DescribeNetworkInterfaces", code="UnauthorizedOperation")
_PARTLY = "only a part of what subnet-private-1 sends to TCP 5432 of 10.0.51.5 gets there and back"

_UNKNOWN = (
    Case(
        name="unknown: the destinations may not be read",
        changes=(unread("destinations"),),
        expect=unknown("ec2:DescribeNetworkAcls failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: a group that cannot be seen",
        changes=_one_subnet(reaches(replace(_DATABASE, group=None, interfaces=()))),
        expect=unknown("sg-db cannot be seen from this account: it is gone, or another account's"),
    ),
    Case(
        name="unknown: a group that may not be read",
        changes=_one_subnet(reaches(replace(_DATABASE, group=_DENIED, interfaces=()))),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: interfaces that may not be read",
        changes=_one_subnet(reaches(replace(_DATABASE, interfaces=_DENIED))),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the destination's ACLs may not be read",
        changes=_one_subnet(
            reaches(replace(_DATABASE, acls=Unread(call="ec2:DescribeNetworkAcls", code="Throttling")))
        ),
        expect=unknown("ec2:DescribeNetworkAcls failed (Throttling)"),
    ),
    Case(
        name="unknown: the destination's ACL is another account's",
        changes=_one_subnet(reaches(replace(_DATABASE, acls=()))),
        expect=unknown("the network ACL of subnet-db-1 cannot be seen from this account"),
    ),
    Case(
        name="unknown: another VPC's group that nothing carries",
        changes=_one_subnet(reaches(replace(_DATABASE, group=_group(_ADMITS, vpc="vpc-9"), interfaces=()))),
        expect=unknown("nothing carries sg-db of vpc-9, so that it has no address to try"),
    ),
    Case(
        name="unknown: half of the subnet is admitted",
        changes=_one_subnet(reaches(_database(_rule("10.0.1.0/25")))),
        expect=unknown(f"{_PARTLY}: {_NOT_ADMITTED}"),
    ),
    Case(
        name="unknown: the database's ACL lets answers out to some client ports",
        changes=_one_subnet(
            reaches(_database(_ADMITS, acl=_db_acl(_ALL_IN, _entry(100, egress=True, ports=(32768, 60998)))))
        ),
        expect=unknown(
            f"{_PARTLY}: outbound ACL of the destination,"
            f" acl-db does not let the answers out (TCP 32768-60999): {_NOTHING}"
        ),
    ),
    Case(
        name="pass: ACLs let answers through to the client ports of Linux alone",
        changes=_one_subnet(
            _our_acl(_ALL_OUT, _entry(90, egress=False, allow=False, ports=(3389, 3389)), _ALL_IN),
            reaches(_database(_ADMITS, acl=_db_acl(_ALL_IN, _entry(100, egress=True, ports=(32768, 60999))))),
        ),
        expect=PASS,
    ),
    Case(
        name="unknown: the connector's ACL lets answers in on some client ports",
        changes=_one_subnet(
            _our_acl(_ALL_OUT, _entry(90, egress=False, allow=False, ports=(49152, 49152)), _ALL_IN), reaches(_DATABASE)
        ),
        expect=unknown(
            f"{_PARTLY}: inbound ACL, acl-2 does not let the answers in (TCP 32768-60999): entry 90 denies 0.0.0.0/0"
        ),
    ),
    Case(
        name="unknown: a prefix list in the connector's outbound rules was not read",
        changes=_one_subnet(set_group("sg-app", egress=(_rule("pl-db"),)), reaches(_DATABASE)),
        expect=unknown("the entries of prefix list pl-db were not read"),
    ),
    Case(
        name="unknown: a prefix list in the database's inbound rules may not be read",
        changes=_one_subnet(
            reaches(
                replace(
                    _database(_rule("pl-app")),
                    prefix_lists={"pl-app": Unread(call="ec2:GetManagedPrefixListEntries", code="Throttling")},
                )
            )
        ),
        expect=unknown(
            "the entries of prefix list pl-app were not read: ec2:GetManagedPrefixListEntries failed (Throttling)"
        ),
    ),
    Case(
        name="unknown: without another route, a prefix list may lead there",
        changes=_one_subnet(
            remove_route("rtb-private-1", "0.0.0.0/0"),
            add_route("rtb-private-1", "pl-s3", "vpce-s3"),
            reaches(_cidr("52.216.0.0/15")),
        ),
        expect=unknown("rtb-private-1: the entries of prefix list pl-s3 were not read"),
    ),
    Case(
        name="unknown: a prefix list may lead to a peering that is gone",
        changes=_one_subnet(
            add_route("rtb-private-1", "pl-offices", "pcx-1", blackhole=True),
            prefix_list_has("pl-offices", "192.168.0.0/16"),
            reaches(_cidr("203.0.113.0/24")),
            unread("prefix_lists"),
        ),
        expect=unknown(
            "rtb-private-1: the entries of prefix list pl-offices were not read:"
            " ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"
        ),
    ),
    Case(
        name="unknown: private addresses behind NAT gateways that may not be read",
        changes=_one_subnet(reaches(_there(_ADMITS)), unread("nat_gateways")),
        expect=unknown("ec2:DescribeNatGateways failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: private addresses behind a NAT gateway that is not in sight",
        changes=_one_subnet(nat_gateways_are_gone("nat-1"), reaches(_cidr("10.9.0.0/16"))),
        expect=unknown("where nat-1 goes on is not known: no such NAT gateway of the VPC can be seen"),
    ),
    Case(
        name="unknown: private addresses behind a regional NAT gateway",
        changes=_one_subnet(set_nat_gateway("nat-1", subnet_id=""), reaches(_cidr("10.9.0.0/16"))),
        expect=unknown("where nat-1 goes on is not known: the route table of a regional NAT gateway is not read"),
    ),
    Case(
        name="unknown: a prefix list that was not read may lead past an appliance",
        changes=_one_subnet(
            add_route("rtb-private-1", "10.0.51.0/24", "eni-1"),
            add_route("rtb-private-1", "pl-db", "local"),
            reaches(_DATABASE),
        ),
        expect=unknown("rtb-private-1: the entries of prefix list pl-db were not read"),
    ),
    Case(
        name="unknown: the connector's group lets out to a group, and who carries it in a CIDR is not in sight",
        changes=_one_subnet(set_group("sg-app", egress=(_rule("sg-db"),)), reaches(_cidr("10.0.51.0/24", 5432))),
        expect=unknown("whether 10.0.51.0 carries sg-db is not in sight"),
    ),
    Case(
        name="unknown: the route table of a shared subnet is another account's",
        changes=_one_subnet(
            set_subnet("subnet-private-1", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-1", "rtb-main"),
            reaches(_DATABASE),
        ),
        expect=unknown(
            f"no route table of subnet-private-1 (shared by account {OTHER_ACCOUNT}) can be seen from this account"
        ),
    ),
    Case(
        name="unknown: the connector's groups are gone",
        changes=_one_subnet(connector_names_groups("sg-app"), groups_are_gone("sg-app"), reaches(_DATABASE)),
        expect=unknown("no security group of the connector can be seen"),
    ),
    Case(
        name="unknown: one of Copilot's two ports cannot be told",
        changes=_one_subnet(reaches(_on_copilot(_rule("pl-app", port=3306)))),
        expect=unknown("the entries of prefix list pl-app were not read"),
    ),
    Case(
        name="unknown: the subnets may not be read",
        changes=_one_subnet(reaches(_DATABASE), unread("subnets")),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the network ACLs may not be read",
        changes=_one_subnet(reaches(_DATABASE), unread("network_acls")),
        expect=unknown("ec2:DescribeNetworkAcls failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the route tables may not be read",
        changes=_one_subnet(reaches(_DATABASE), unread("route_tables")),
        expect=unknown("ec2:DescribeRouteTables failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the connector's groups may not be read",
        changes=_one_subnet(reaches(_DATABASE), unread("security_groups")),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
)

CASES = (*_PASS, *_FAIL, *_UNKNOWN)
