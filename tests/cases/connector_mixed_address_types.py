from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import new_connector
from tests.cases._healthy import IPV6, add_subnet, private_subnet, set_subnet, unread, vpc_is_unknown

_NOTE = "add subnets of the same address type"


def _dual(number: int) -> Change:
    return set_subnet(f"subnet-private-{number}", ipv6_cidrs=(IPV6,))


def _ipv6_only(number: int) -> Change:
    return set_subnet(f"subnet-private-{number}", cidr="", ipv6_cidrs=(IPV6,), ipv6_native=True, free_addresses=0)


CASES = (
    Case(name="pass: all subnets are IPv4", expect=PASS),
    Case(name="pass: all subnets are dual-stack", changes=(_dual(1), _dual(2), _dual(4)), expect=PASS),
    Case(
        name="fail: one subnet of three is dual-stack",
        changes=(_dual(4),),
        expect=fail(
            "IPv4 and dual-stack subnets are mixed:"
            " IPv4 only subnet-private-1, subnet-private-2; dual-stack subnet-private-4",
            command=new_connector("subnet-private-1 subnet-private-2", note=_NOTE),
        ),
    ),
    Case(
        name="fail: as many dual-stack subnets as IPv4",
        changes=(_dual(4), add_subnet(private_subnet(5)), _ipv6_only(2)),
        expect=fail(
            "IPv4 and dual-stack subnets are mixed: IPv4 only subnet-private-1; dual-stack subnet-private-4",
            "subnet-private-2 (use1-az2) is IPv6-only: App Runner takes IPv4 and dual-stack subnets",
            command=new_connector("subnet-private-4", note=_NOTE),
        ),
    ),
    Case(
        name="fail: an IPv6-only subnet among dual-stack ones",
        changes=(_dual(1), _dual(2), _ipv6_only(4)),
        expect=fail(
            "subnet-private-4 (use1-az4) is IPv6-only: App Runner takes IPv4 and dual-stack subnets",
            command=new_connector("subnet-private-1 subnet-private-2", note=_NOTE),
        ),
    ),
    Case(
        name="fail: IPv6-only subnets alone",
        changes=(_ipv6_only(1), _ipv6_only(2), _ipv6_only(4)),
        expect=fail(
            "subnet-private-1 (use1-az1) is IPv6-only: App Runner takes IPv4 and dual-stack subnets",
            "subnet-private-2 (use1-az2) is IPv6-only: App Runner takes IPv4 and dual-stack subnets",
            "subnet-private-4 (use1-az4) is IPv6-only: App Runner takes IPv4 and dual-stack subnets",
            command=new_connector("PRIVATE_SUBNET_IDS", note=_NOTE),
        ),
    ),
    Case(
        name="pass: a dual-stack subnet that the connector does not use",
        changes=(add_subnet(private_subnet(5, ipv6_cidrs=(IPV6,))),),
        expect=PASS,
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
