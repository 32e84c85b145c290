from dataclasses import replace

from apprunner_guardrails.facts import Unread
from tests.cases import PASS, Case, Snapshot, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import dns, unread, vpc_is_unknown

_MODIFY = "aws ec2 modify-vpc-attribute --region us-east-1 --vpc-id vpc-1"
_SWITCH_ON = lines(f"{_MODIFY} --enable-dns-support", f"{_MODIFY} --enable-dns-hostnames")


def _throttled_hostnames(snapshot: Snapshot) -> Snapshot:
    why = Unread(call="ec2:DescribeVpcAttribute", code="RequestLimitExceeded")
    return replace(snapshot, network=replace(snapshot.network, dns_hostnames=why))


CASES = (
    Case(name="pass: both are on", expect=PASS),
    Case(
        name="fail: DNS resolution is off",
        changes=(dns(support=False),),
        expect=fail("enableDnsSupport of vpc-1 is off", command=_SWITCH_ON),
    ),
    Case(
        name="fail: DNS host names are off",
        changes=(dns(hostnames=False),),
        expect=fail("enableDnsHostnames of vpc-1 is off", command=_SWITCH_ON),
    ),
    Case(
        name="fail: both are off",
        changes=(dns(support=False, hostnames=False),),
        expect=fail("enableDnsHostnames of vpc-1 is off", "enableDnsSupport of vpc-1 is off", command=_SWITCH_ON),
    ),
    Case(
        name="fail: one is off, the other cannot be read",
        changes=(dns(hostnames=False), unread("dns_support")),
        expect=fail(
            "enableDnsHostnames of vpc-1 is off",
            unread="ec2:DescribeVpcAttribute failed (UnauthorizedOperation)",
            command=_SWITCH_ON,
        ),
    ),
    Case(
        name="unknown: one is on, the other cannot be read",
        changes=(unread("dns_hostnames"),),
        expect=unknown("ec2:DescribeVpcAttribute failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: neither can be read",
        changes=(unread("dns_support", "dns_hostnames"),),
        expect=unknown("ec2:DescribeVpcAttribute failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: neither can be read, for two reasons",
        changes=(unread("dns_support"), _throttled_hostnames),
        expect=unknown(
            "ec2:DescribeVpcAttribute failed (RequestLimitExceeded);"
            " ec2:DescribeVpcAttribute failed (UnauthorizedOperation)"
        ),
    ),
    Case(
        name="unknown: all subnets are gone, and which VPC it was",
        changes=(vpc_is_unknown(),),
        expect=unknown("ec2:DescribeSubnets failed (no subnet of the connector exists)"),
    ),
)
