from collections.abc import Callable
from dataclasses import replace

from apprunner_guardrails.facts import GroupRule, Network, SecurityGroup
from tests.cases import PASS, Case, Change, Snapshot, fail, unknown
from tests.cases._healthy import (
    HTTPS_IN,
    connector_has_subnets,
    connector_names_groups,
    groups_are_gone,
    prefix_list_has,
    set_subnet,
    subnets_are_gone,
    unread,
)

_BLOCKS = "10.0.1.0/24, 10.0.2.0/24, 10.0.4.0/24"
_NOBODY = "no security group of vpc-1 has an inbound rule that admits any of"


def _command(group: str = "sg-app") -> str:
    return (
        "aws ec2 authorize-security-group-ingress --region us-east-1 --group-id DESTINATION_SECURITY_GROUP_ID"
        f" --ip-permissions IpProtocol=tcp,FromPort=PORT,ToPort=PORT,UserIdGroupPairs='[{{GroupId={group}}}]'"
    )


def _network(change: Callable[[Network], Network]) -> Change:
    def changed(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, network=change(snapshot.network))

    return changed


def _group(group_id: str, *peers: str, protocol: str = "tcp", port: int | None = 5432) -> SecurityGroup:
    """A group with one inbound rule; with none where nobody is named."""
    rule = GroupRule(protocol=protocol, peers=peers, from_port=port, to_port=port)
    return SecurityGroup(id=group_id, name=group_id, vpc_id="vpc-1", ingress=(rule,) if peers else (), egress=())


def vpc_has_groups(*groups: SecurityGroup) -> Change:
    return _network(lambda network: replace(network, vpc_groups=groups))


CASES = (
    Case(name="pass: the database's group admits the connector's", expect=PASS),
    Case(
        name="pass: a group admits an address of a subnet",
        changes=(vpc_has_groups(_group("sg-app"), _group("sg-db", "10.0.4.200/32")),),
        expect=PASS,
    ),
    Case(
        name="pass: a group admits the whole VPC",
        changes=(vpc_has_groups(_group("sg-db", "10.0.0.0/16", protocol="-1", port=None)),),
        expect=PASS,
    ),
    Case(
        name="pass: a group admits the IPv6 block of a subnet",
        changes=(
            set_subnet("subnet-private-2", ipv6_cidrs=("2600:1f18:1:2::/64",)),
            vpc_has_groups(_group("sg-db", "2600:1f18:1::/48")),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a group admits a prefix list that has a subnet",
        changes=(prefix_list_has("pl-1", "10.0.2.0/23"), vpc_has_groups(_group("sg-db", "pl-1"))),
        expect=PASS,
    ),
    Case(
        name="pass: members of the connector's group talk to each other",
        changes=(vpc_has_groups(_group("sg-app", "sg-app")),),
        expect=PASS,
    ),
    Case(
        name="pass: one of the connector's groups admits the other",
        changes=(
            connector_names_groups("sg-app", "sg-members"),
            _network(lambda network: replace(network, security_groups=(_group("sg-app"), _group("sg-members")))),
            vpc_has_groups(_group("sg-app"), _group("sg-members", "sg-app")),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a group admits, and another one a prefix list that was not read",
        changes=(vpc_has_groups(_group("sg-cdn", "pl-cdn"), _group("sg-db", "sg-app")),),
        expect=PASS,
    ),
    Case(
        name="fail: the database's group admits others only",
        changes=(vpc_has_groups(_group("sg-app"), _group("sg-db", "sg-bastion", "10.0.104.0/24", "192.168.0.0/16")),),
        expect=fail(f"{_NOBODY} {_BLOCKS}, sg-app (groups looked at: 2)", command=_command()),
    ),
    Case(
        name="fail: no group has an inbound rule",
        changes=(vpc_has_groups(_group("sg-app"), _group("sg-db"), _group("sg-cache")),),
        expect=fail(f"{_NOBODY} {_BLOCKS}, sg-app (groups looked at: 3)", command=_command()),
    ),
    Case(
        name="fail: only the connector's own group admits, and by address: nothing but App Runner is behind it",
        changes=(vpc_has_groups(replace(_group("sg-app"), ingress=(HTTPS_IN,))),),
        expect=fail(f"{_NOBODY} {_BLOCKS}, sg-app (groups looked at: 1)", command=_command()),
    ),
    Case(
        name="fail: a group admits the IPv4 internet's neighbour and a subnet has IPv6",
        changes=(
            connector_has_subnets("subnet-private-1"),
            set_subnet("subnet-private-1", ipv6_cidrs=("2600:1f18:1:1::/64",)),
            vpc_has_groups(_group("sg-db", "10.0.2.0/24", "2600:1f18:1:2::/64")),
        ),
        expect=fail(f"{_NOBODY} 10.0.1.0/24, 2600:1f18:1:1::/64, sg-app (groups looked at: 1)", command=_command()),
    ),
    Case(
        name="fail: a prefix list that was read has no subnet",
        changes=(prefix_list_has("pl-cdn", "120.52.22.96/27"), vpc_has_groups(_group("sg-cdn", "pl-cdn"))),
        expect=fail(f"{_NOBODY} {_BLOCKS}, sg-app (groups looked at: 1)", command=_command()),
    ),
    Case(
        name="fail: the subnets are gone and the group is named by nobody",
        changes=(
            subnets_are_gone("subnet-private-1", "subnet-private-2", "subnet-private-4"),
            vpc_has_groups(_group("sg-db", "10.0.0.0/16")),
        ),
        expect=fail(f"{_NOBODY} sg-app (groups looked at: 1)", command=_command()),
    ),
    Case(
        name="fail: the connector's group is gone, and its subnets are admitted by nobody",
        changes=(groups_are_gone("sg-app"), vpc_has_groups(_group("sg-db", "sg-app"))),
        expect=fail(f"{_NOBODY} {_BLOCKS} (groups looked at: 1)", command=_command("SECURITY_GROUP_ID")),
    ),
    Case(
        name="unknown: a prefix list that was not read may have the subnets",
        changes=(vpc_has_groups(_group("sg-app"), _group("sg-cdn", "pl-cdn", "sg-other")),),
        expect=unknown("the entries of prefix list pl-cdn were not read"),
    ),
    Case(
        name="unknown: a prefix list that may not be read",
        changes=(
            prefix_list_has("pl-1", "10.0.2.0/23"),
            vpc_has_groups(_group("sg-db", "pl-1")),
            unread("prefix_lists"),
        ),
        expect=unknown(
            "the entries of prefix list pl-1 were not read: ec2:GetManagedPrefixListEntries failed"
            " (UnauthorizedOperation)"
        ),
    ),
    Case(
        name="unknown: the VPC's groups may not be read",
        changes=(unread("vpc_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the connector's groups may not be read",
        changes=(unread("security_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the subnets may not be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
