from apprunner_guardrails.facts import AclEntry
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import (
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_acl,
    add_route,
    hide_acl_of,
    hide_route_tables,
    prefix_list_has,
    prefix_list_is_unread,
    remove_route,
    set_subnet,
    unread,
    vpc_is_unknown,
)

_ISOLATED = remove_route("rtb-private-1", "0.0.0.0/0")


def _entry(
    number: int,
    cidr: str = "0.0.0.0/0",
    *,
    egress: bool,
    allow: bool,
    protocol: str = "6",
    ports: tuple[int, int] | None = None,
) -> AclEntry:
    first, last = ports or (None, None)
    return AclEntry(
        number=number, egress=egress, allow=allow, protocol=protocol, cidr=cidr, from_port=first, to_port=last
    )


def _out(
    number: int,
    cidr: str = "0.0.0.0/0",
    *,
    allow: bool = True,
    protocol: str = "6",
    ports: tuple[int, int] | None = (443, 443),
) -> AclEntry:
    return _entry(number, cidr, egress=True, allow=allow, protocol=protocol, ports=ports)


def _in(
    number: int,
    cidr: str = "0.0.0.0/0",
    *,
    allow: bool = True,
    protocol: str = "6",
    ports: tuple[int, int] | None = (1024, 65535),
) -> AclEntry:
    return _entry(number, cidr, egress=False, allow=allow, protocol=protocol, ports=ports)


_FINAL_OUT = _out(32767, allow=False, protocol="-1", ports=None)
_FINAL_IN = _in(32767, allow=False, protocol="-1", ports=None)
_FINAL = (_FINAL_OUT, _FINAL_IN)


def _acl(*entries: AclEntry) -> Change:
    """The ACL of subnet-private-1, with the final entries that AWS adds."""
    return add_acl("acl-2", "subnet-private-1", *entries, *_FINAL)


_OUTBOUND = "subnet-private-1 (use1-az1): acl-2 stops outbound TCP 443"
_ANSWERS = "subnet-private-1 (use1-az1): acl-2 stops the answers to outbound calls (inbound TCP 32768-60999) at port"
_FINAL_DENIES = "no entry allows it, so the final one denies it"


def _allow_out(number: int) -> str:
    return (
        "aws ec2 create-network-acl-entry --region us-east-1 --network-acl-id acl-2 --egress"
        f" --rule-number {number} --protocol tcp --rule-action allow --cidr-block 0.0.0.0/0"
        " --port-range From=443,To=443"
    )


def _allow_in(number: int) -> str:
    return (
        "aws ec2 create-network-acl-entry --region us-east-1 --network-acl-id acl-2 --ingress"
        f" --rule-number {number} --protocol tcp --rule-action allow --cidr-block 0.0.0.0/0"
        " --port-range From=1024,To=65535"
    )


def _by_ipv6(command: str) -> str:
    return command.replace("--cidr-block 0.0.0.0/0", "--ipv6-cidr-block ::/0")


_DUAL_STACK = (
    set_subnet("subnet-private-1", ipv6_cidrs=("2600:1f18::/64",)),
    add_route("rtb-private-1", "::/0", "eigw-1"),
)

CASES = (
    Case(name="pass: the default ACL allows everything", expect=PASS),
    Case(name="pass: just what is needed is allowed", changes=(_acl(_out(100), _in(100)),), expect=PASS),
    Case(
        name="fail: nothing is allowed out",
        changes=(_acl(_in(100)),),
        expect=fail(f"{_OUTBOUND}: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: nothing is allowed at all",
        changes=(_acl(),),
        expect=fail(
            f"{_OUTBOUND}: {_FINAL_DENIES}",
            f"{_ANSWERS} 32768: {_FINAL_DENIES}",
            command=lines(_allow_out(32766), _allow_in(32766)),
        ),
    ),
    Case(
        name="fail: an ACL without a single entry",
        changes=(add_acl("acl-2", "subnet-private-1", _in(100, protocol="-1", ports=None)),),
        expect=fail(f"{_OUTBOUND}: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: another port than 443 is allowed out",
        changes=(_acl(_out(100, ports=(80, 442)), _out(110, ports=(444, 65535)), _in(100)),),
        expect=fail(f"{_OUTBOUND}: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: UDP 443 alone is allowed out",
        changes=(_acl(_out(100, protocol="17"), _in(100)),),
        expect=fail(f"{_OUTBOUND}: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: a deny comes before the allow, by number and not by place",
        changes=(_acl(_out(100), _out(99, allow=False, protocol="-1", ports=None), _in(100)),),
        expect=fail(f"{_OUTBOUND}: entry 99 denies 0.0.0.0/0", command=_allow_out(98)),
    ),
    Case(
        name="fail: the numbers right before the deny are taken",
        changes=(
            _acl(
                _out(97, "10.1.0.0/16"),
                _out(98, protocol="17", allow=False),
                _out(99, allow=False),
                _out(100),
                _in(96),
                _in(100),
            ),
        ),
        expect=fail(f"{_OUTBOUND} for 99.9 % of IPv4 addresses: entry 99 denies 0.0.0.0/0", command=_allow_out(96)),
    ),
    Case(
        name="fail: no number is free before the deny",
        changes=(_acl(_out(1, allow=False), _out(100), _in(100)),),
        expect=fail(
            f"{_OUTBOUND}: entry 1 denies 0.0.0.0/0",
            command=_allow_out(0).replace("--rule-number 0", "--rule-number RULE_NUMBER"),
        ),
    ),
    Case(
        name="pass: a deny after the allow takes nothing",
        changes=(_acl(_out(100), _out(101, allow=False), _in(100), _in(101, allow=False)),),
        expect=PASS,
    ),
    Case(
        name="fail: only some addresses are allowed, although a route leads out",
        changes=(_acl(_out(100, "10.0.0.0/8"), _out(110, "172.16.0.0/12"), _in(100)),),
        expect=fail(f"{_OUTBOUND} for 99.5 % of IPv4 addresses: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: half of the addresses is allowed",
        changes=(_acl(_out(100, "0.0.0.0/1"), _in(100)),),
        expect=fail(f"{_OUTBOUND} for 50.0 % of IPv4 addresses: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: half of the addresses is denied",
        changes=(_acl(_out(90, "128.0.0.0/1", allow=False), _out(100), _in(100)),),
        expect=fail(f"{_OUTBOUND} for 50.0 % of IPv4 addresses: entry 90 denies 128.0.0.0/1", command=_allow_out(89)),
    ),
    Case(
        name="pass: the halves are allowed one by one",
        changes=(
            _acl(_out(100, "0.0.0.0/1"), _out(110, "128.0.0.0/1"), _in(100, "0.0.0.0/1"), _in(110, "128.0.0.0/1")),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a few addresses are denied",
        changes=(
            _acl(
                _out(10, "198.51.100.0/24", allow=False),
                _out(11, "203.0.113.0/24", allow=False),
                _out(100),
                _in(10, "0.0.0.0/3", allow=False),
                _in(100),
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: the answers may not come in",
        changes=(_acl(_out(100), _in(100, ports=(443, 443))),),
        expect=fail(f"{_ANSWERS} 32768: {_FINAL_DENIES}", command=_allow_in(32766)),
    ),
    Case(
        name="pass: just the ephemeral ports of Linux are open",
        changes=(_acl(_out(100), _in(100, ports=(32768, 60999))),),
        expect=PASS,
    ),
    Case(
        name="pass: the ephemeral ports are open in two entries",
        changes=(_acl(_out(100), _in(100, ports=(1024, 40000)), _in(110, ports=(40001, 65535))),),
        expect=PASS,
    ),
    Case(
        name="fail: the ephemeral ports are open but for the last",
        changes=(_acl(_out(100), _in(100, ports=(32768, 60998))),),
        expect=fail(f"{_ANSWERS} 60999: {_FINAL_DENIES}", command=_allow_in(32766)),
    ),
    Case(
        name="fail: the ephemeral ports are open but for the first",
        changes=(_acl(_out(100), _in(100, ports=(32769, 65535))),),
        expect=fail(f"{_ANSWERS} 32768: {_FINAL_DENIES}", command=_allow_in(32766)),
    ),
    Case(
        name="fail: a port in the middle of the ephemeral range is denied",
        changes=(_acl(_out(100), _in(90, allow=False, ports=(50000, 50000)), _in(100)),),
        expect=fail(f"{_ANSWERS} 50000: entry 90 denies 0.0.0.0/0", command=_allow_in(89)),
    ),
    Case(
        name="pass: ports below the ephemeral range are denied",
        changes=(_acl(_out(100), _in(90, allow=False, ports=(3389, 3389)), _in(100)),),
        expect=PASS,
    ),
    Case(
        name="pass: denials of UDP and ICMP are none of TCP",
        changes=(
            _acl(
                _out(10, protocol="17", allow=False, ports=(443, 443)),
                _out(100),
                _in(10, protocol="1", allow=False, ports=None),
                _in(100),
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a dual-stack subnet's way out by IPv6 has no entry",
        changes=(*_DUAL_STACK, _acl(_out(100), _in(100))),
        expect=fail(
            f"{_OUTBOUND} over IPv6: {_FINAL_DENIES}",
            f"{_ANSWERS} 32768 over IPv6: {_FINAL_DENIES}",
            command=lines(_by_ipv6(_allow_out(32766)), _by_ipv6(_allow_in(32766))),
        ),
    ),
    Case(
        name="fail: half of IPv6's internet is denied",
        changes=(
            *_DUAL_STACK,
            _acl(
                _out(90, "2000::/4", allow=False),
                _out(100),
                _out(110, "::/0"),
                _in(100),
                _in(110, "::/0"),
            ),
        ),
        expect=fail(
            f"{_OUTBOUND} for 50.0 % of IPv6 addresses: entry 90 denies 2000::/4",
            command=_by_ipv6(_allow_out(89)),
        ),
    ),
    Case(
        name="pass: a dual-stack subnet whose ACL allows both families",
        changes=(*_DUAL_STACK, _acl(_out(100), _out(110, "::/0"), _in(100), _in(110, "::/0"))),
        expect=PASS,
    ),
    Case(
        name="pass: a dual-stack subnet without a way out by IPv6",
        changes=(_DUAL_STACK[0], _acl(_out(100), _in(100))),
        expect=PASS,
    ),
    Case(
        name="pass: IPv6 entries mean nothing to an IPv4 subnet",
        changes=(
            _acl(
                _out(10, "::/0", allow=False, protocol="-1", ports=None),
                _out(100),
                _in(10, "::/0", allow=False, protocol="-1", ports=None),
                _in(100),
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: IPv6 alone is allowed",
        changes=(_acl(_out(100, "::/0", protocol="-1", ports=None), _in(100, "::/0", protocol="-1", ports=None)),),
        expect=fail(
            f"{_OUTBOUND}: {_FINAL_DENIES}",
            f"{_ANSWERS} 32768: {_FINAL_DENIES}",
            command=lines(_allow_out(32766), _allow_in(32766)),
        ),
    ),
    Case(
        name="pass: an isolated subnet that may call within the VPC",
        changes=(_ISOLATED, _acl(_out(100, "10.0.0.0/16"), _in(100, "10.0.0.0/16"))),
        expect=PASS,
    ),
    Case(
        name="fail: a list of all public ranges leads out, and the ACL allows only the VPC",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "pl-1", "nat-1"),
            prefix_list_has("pl-1", *PUBLIC_RANGES),
            _acl(_out(100, "10.0.0.0/16"), _in(100)),
        ),
        expect=fail(f"{_OUTBOUND} for 99.9 % of IPv4 addresses: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: an isolated subnet that may call nobody",
        changes=(_ISOLATED, _acl(_in(100, "10.0.0.0/16"))),
        expect=fail(f"{_OUTBOUND}: {_FINAL_DENIES}", command=_allow_out(32766)),
    ),
    Case(
        name="fail: the ACL blocks everything, whatever the routes that cannot be read",
        changes=(_acl(), unread("route_tables")),
        expect=fail(
            f"{_OUTBOUND}: {_FINAL_DENIES}",
            f"{_ANSWERS} 32768: {_FINAL_DENIES}",
            command=lines(_allow_out(32766), _allow_in(32766)),
        ),
    ),
    Case(
        name="fail: one subnet is blocked, and the ACL of another cannot be seen",
        changes=(_acl(), hide_acl_of("subnet-private-4")),
        expect=fail(
            f"{_OUTBOUND}: {_FINAL_DENIES}",
            f"{_ANSWERS} 32768: {_FINAL_DENIES}",
            unread="the network ACL of subnet-private-4 cannot be seen from this account",
            command=lines(_allow_out(32766), _allow_in(32766)),
        ),
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="unknown: some addresses are allowed, and whether a route leads out cannot be seen",
        changes=(
            _acl(_out(100, "10.0.0.0/16"), _in(100)),
            set_subnet("subnet-private-1", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-1", "rtb-main"),
        ),
        expect=unknown(
            "no route table of subnet-private-1 (shared by account 444455556666) can be seen from this account"
        ),
    ),
    Case(
        name="unknown: some addresses are allowed, and a prefix list cannot be read",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "pl-1", "nat-1"),
            prefix_list_is_unread("pl-1"),
            _acl(_out(100, "10.0.0.0/16"), _in(100)),
        ),
        expect=unknown("ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the ACL of a shared subnet cannot be seen",
        changes=(hide_acl_of("subnet-private-1"),),
        expect=unknown("the network ACL of subnet-private-1 cannot be seen from this account"),
    ),
    Case(
        name="unknown: the network ACLs cannot be read",
        changes=(unread("network_acls"),),
        expect=unknown("ec2:DescribeNetworkAcls failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
