from collections.abc import Mapping
from dataclasses import replace

from apprunner_guardrails.facts import AclEntry, GroupRule, NetworkAcl, SecurityGroup, Subnet, Unread
from apprunner_guardrails.reach import Destination, DestinationInterface
from tests.cases import PASS, Case, Change, Snapshot, fail, unknown
from tests.cases._commands import lines, nat_route, new_connector
from tests.cases._healthy import (
    ALL_OUT,
    ALLOW_ALL,
    LOCAL,
    OTHER_ACCOUNT,
    add_acl,
    add_group,
    add_route,
    connector_has_subnets,
    connector_names_groups,
    groups_are_gone,
    hide_acl_of,
    hide_route_tables,
    prefix_list_has,
    private_subnet,
    remove_route,
    set_group,
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
_IPV6 = ("2600:1f18:1:1::/64",)


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
    return Destination(
        peer="sg-db", ports=(5432,), origin=_DECLARED, group=group, interfaces=(at,), acls=(acl,)
    )


_ADMITS = _rule("sg-app")
_DATABASE = _database(_ADMITS)


def _cidr(
    block: str, port: int = 443, lists: Mapping[str, tuple[str, ...] | Unread] | None = None
) -> Destination:
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


def _peering(verb: str, block: str) -> str:
    return lines(
        "# or --transit-gateway-id: whatever leads there",
        f"aws ec2 {verb} --region us-east-1 --route-table-id rtb-private-1 --destination-cidr-block {block}"
        " --vpc-peering-connection-id VPC_PEERING_CONNECTION_ID",
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

PASSING = (
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
                    interfaces=(
                        _interface(_DB_1, "10.0.51.5", groups=(_group(_rule("sg-app"), group_id="sg-app"),)),
                    ),
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
        name="pass: all of the internet",
        changes=_one_subnet(hide_acl_of("subnet-public-1"), reaches(replace(_cidr("0.0.0.0/0"), acls=(
            replace(_OPEN, subnet_ids=tuple(f"subnet-public-{number}" for number in (1, 2, 4))),
        )))),
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
)
