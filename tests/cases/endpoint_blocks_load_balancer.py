from dataclasses import replace

from apprunner_guardrails.facts import GroupRule, Unread
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import (
    BALANCER,
    BALANCER_ARN,
    ENDPOINT_GROUP,
    ENDPOINT_ID,
    set_balancer_before_endpoint,
    set_endpoint,
    set_the_endpoint,
)

_NODES = ("10.0.1.20", "10.0.2.20", "10.0.4.20")
_ANOTHER_ARN = BALANCER_ARN.replace("/orders/", "/another/")
_WITHOUT_GROUPS = replace(BALANCER, balancer=replace(BALANCER.balancer, group_ids=()))
_PAST_ITS_GROUPS = replace(BALANCER, balancer=replace(BALANCER.balancer, guards_private_link=False))
_BY = "the inbound rules of sg-endpoint"
_REFUSES = f"endpoint {ENDPOINT_ID} does not admit TCP 443 from load balancer orders: {_BY}"
_NEITHER = f"{_REFUSES} let in neither its security group (sg-balancer) nor 10.0.1.20, 10.0.2.20, 10.0.4.20"
_NO_NODE = f"{_REFUSES} do not let in 10.0.1.20, 10.0.2.20, 10.0.4.20, and it has no security group"
_NO_LINK = (
    f"endpoint {ENDPOINT_ID} does not admit TCP 443 from VPC link orders through load balancer orders: {_BY} let in its"
    " security group (sg-balancer), but not 10.0.1.20, 10.0.2.20, 10.0.4.20, by which alone PrivateLink traffic comes"
    " that it lets pass"
)
_LISTS_UNREAD = "ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"
_UNREAD_GROUPS = "ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"
_UNREAD_ADDRESSES = "ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"
_UNREAD_LINKS = "apigateway:GET failed (UnauthorizedOperation)"


def _tcp(*peers: str, ports: tuple[int, int] = (443, 443)) -> GroupRule:
    return GroupRule(protocol="tcp", peers=peers, from_port=ports[0], to_port=ports[1])


def _admits(*rules: GroupRule) -> Change:
    return set_endpoint(groups=(replace(ENDPOINT_GROUP, ingress=rules),))


def _list_has(*cidrs: str) -> Change:
    return set_endpoint(prefix_lists={"pl-1": cidrs})


def _admit(*peers: str, group: str = "sg-endpoint") -> str:
    groups = ",".join(f"{{GroupId={peer}}}" for peer in peers if peer.startswith("sg-"))
    ranges = ",".join(f"{{CidrIp={peer}/32}}" for peer in peers if not peer.startswith("sg-"))
    return (
        f"aws ec2 authorize-security-group-ingress --region us-east-1 --group-id {group} --ip-permissions"
        " 'IpProtocol=tcp,FromPort=443,ToPort=443"
        + (f",UserIdGroupPairs=[{groups}]" if groups else "")
        + (f",IpRanges=[{ranges}]" if ranges else "")
        + "'"
    )


CASES = (
    Case(name="pass: a rule for the load balancer's group", expect=PASS),
    Case(
        name="pass: a rule for one of its two groups, in one of the endpoint's two",
        changes=(
            set_the_endpoint(group_ids=("sg-endpoint", "sg-other")),
            set_endpoint(groups=(ENDPOINT_GROUP, replace(ENDPOINT_GROUP, id="sg-other", ingress=()))),
            set_balancer_before_endpoint(balancer=replace(BALANCER.balancer, group_ids=("sg-a", "sg-balancer"))),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: all protocols, from the group",
        changes=(_admits(GroupRule(protocol="-1", peers=("sg-balancer",))),),
        expect=PASS,
    ),
    Case(
        name="pass: a range of ports, by the protocol's number, from blocks that together hold all addresses",
        changes=(
            _admits(
                replace(_tcp("10.0.1.0/24", "10.0.2.20/32", ports=(0, 65535)), protocol="6"),
                _tcp("10.0.4.0/24", ports=(443, 8443)),
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: from everywhere by two halves, though addresses cannot be read",
        changes=(_admits(_tcp("0.0.0.0/1", "128.0.0.0/1")), unread("load_balancer_addresses")),
        expect=PASS,
    ),
    Case(
        name="pass: a rule for the group, though neither addresses nor VPC links can be read",
        changes=(unread("load_balancer_addresses", "vpc_links"),),
        expect=PASS,
    ),
    Case(
        name="pass: no load balancer is before it",
        changes=(set_endpoint(balancers=(), groups=()),),
        expect=PASS,
    ),
    Case(
        name="pass: no load balancer is before it, and groups cannot be read",
        changes=(set_endpoint(balancers=()), unread("path_groups")),
        expect=PASS,
    ),
    Case(
        name="fail: no rule",
        changes=(_admits(),),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="fail: rules for other ports, another protocol, IPv6 and another group",
        changes=(
            _admits(
                _tcp("sg-balancer", ports=(80, 442)),
                _tcp("0.0.0.0/0", ports=(444, 65535)),
                GroupRule(protocol="udp", peers=("0.0.0.0/0",), from_port=443, to_port=443),
                GroupRule(protocol="icmp", peers=("sg-balancer",), from_port=-1, to_port=-1),
                _tcp("::/0", "sg-other"),
            ),
        ),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="fail: a rule for some of its addresses, and two groups on each side",
        changes=(
            set_the_endpoint(group_ids=("sg-second", "sg-first")),
            set_endpoint(
                groups=(
                    replace(ENDPOINT_GROUP, id="sg-second", ingress=(_tcp("10.0.1.0/24"),)),
                    replace(ENDPOINT_GROUP, id="sg-first", ingress=(_tcp("10.0.2.0/28"),)),
                )
            ),
            set_balancer_before_endpoint(balancer=replace(BALANCER.balancer, group_ids=("sg-b", "sg-a"))),
        ),
        expect=fail(
            f"endpoint {ENDPOINT_ID} does not admit TCP 443 from load balancer orders: the inbound rules of sg-first,"
            " sg-second let in neither its security group (sg-a, sg-b) nor 10.0.2.20, 10.0.4.20",
            command=_admit("sg-a", group="sg-first"),
        ),
    ),
    Case(
        name="pass: a load balancer without groups, and a rule for its addresses",
        changes=(_admits(_tcp(*(f"{node}/32" for node in _NODES))), set_endpoint(balancers=(_WITHOUT_GROUPS,))),
        expect=PASS,
    ),
    Case(
        name="pass: a load balancer without groups asks by IPv4 alone",
        changes=(
            _admits(_tcp("10.0.0.0/16")),
            set_endpoint(balancers=(replace(_WITHOUT_GROUPS, addresses=(*_NODES, "2600:1f18::20")),)),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a load balancer without groups, and a rule for a group that it might have had",
        changes=(set_endpoint(balancers=(_WITHOUT_GROUPS,)),),
        expect=fail(_NO_NODE, command=_admit(*_NODES)),
    ),
    Case(
        name="fail: a load balancer without groups has got one more address than a rule is for",
        changes=(
            _admits(_tcp("10.0.1.20/32", "10.0.2.20/32")),
            set_endpoint(balancers=(replace(_WITHOUT_GROUPS, addresses=("10.0.10.9", "10.0.4.20", "10.0.2.20")),)),
        ),
        expect=fail(
            f"{_REFUSES} do not let in 10.0.10.9, 10.0.4.20, and it has no security group",
            command=_admit("10.0.10.9", "10.0.4.20"),
        ),
    ),
    Case(
        name="fail: a rule for the group alone, while a VPC link comes past it",
        changes=(set_endpoint(balancers=(_PAST_ITS_GROUPS,)),),
        expect=fail(_NO_LINK, command=_admit(*_NODES)),
    ),
    Case(
        name="fail: no rule at all, while a VPC link comes past the groups",
        changes=(_admits(), set_endpoint(balancers=(_PAST_ITS_GROUPS,))),
        expect=fail(_NEITHER, command=_admit(*_NODES, "sg-balancer")),
    ),
    Case(
        name="fail: no rule at all, and whether a VPC link comes past the groups cannot be read",
        changes=(_admits(), set_endpoint(balancers=(_PAST_ITS_GROUPS,)), unread("vpc_links")),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="pass: rules for group and addresses, while a VPC link comes past the groups",
        changes=(_admits(_tcp("sg-balancer", "10.0.0.0/16")), set_endpoint(balancers=(_PAST_ITS_GROUPS,))),
        expect=PASS,
    ),
    Case(
        name="pass: rules for the addresses alone, while a VPC link comes past the groups",
        changes=(_admits(_tcp("10.0.0.0/16")), set_endpoint(balancers=(_PAST_ITS_GROUPS,)), unread("vpc_links")),
        expect=PASS,
    ),
    Case(
        name="pass: a rule for the group alone, and no VPC link of the first generation",
        changes=(set_endpoint(balancers=(replace(_PAST_ITS_GROUPS, links=()),)),),
        expect=PASS,
    ),
    Case(
        name="fail: of two load balancers one is let in, the other not, and of a third the addresses are unread",
        changes=(
            set_endpoint(
                balancers=(
                    *(_WITHOUT_GROUPS, BALANCER),
                    replace(
                        _WITHOUT_GROUPS,
                        balancer=replace(_WITHOUT_GROUPS.balancer, arn=_ANOTHER_ARN, name="another"),
                        addresses=Unread(call="ec2:DescribeNetworkInterfaces", code="UnauthorizedOperation"),
                    ),
                )
            ),
        ),
        expect=fail(_NO_NODE, command=_admit(*_NODES), unread=_UNREAD_ADDRESSES),
    ),
    Case(
        name="fail: two load balancers",
        changes=(
            _admits(),
            set_endpoint(
                balancers=(
                    BALANCER,
                    replace(
                        _WITHOUT_GROUPS,
                        balancer=replace(_WITHOUT_GROUPS.balancer, arn=_ANOTHER_ARN, name="another"),
                        addresses=("10.0.1.30",),
                    ),
                )
            ),
        ),
        expect=fail(
            f"endpoint {ENDPOINT_ID} does not admit TCP 443 from load balancer another: {_BY} do not let in 10.0.1.30,"
            " and it has no security group",
            _NEITHER,
            command=lines(_admit("10.0.1.30"), _admit("sg-balancer")),
        ),
    ),
    Case(
        name="unknown: a prefix list that was not read may hold the load balancer's addresses",
        changes=(_admits(_tcp("pl-1"), _tcp("10.0.1.0/24")),),
        expect=unknown("the entries of prefix list pl-1 were not read"),
    ),
    Case(
        name="unknown: of two prefix lists one cannot be read, and the other holds but some of the addresses",
        changes=(
            _admits(_tcp("pl-1", "pl-2")),
            set_endpoint(
                prefix_lists={
                    "pl-1": ("10.0.1.0/24",),
                    "pl-2": Unread(call="ec2:GetManagedPrefixListEntries", code="Throttling"),
                }
            ),
        ),
        expect=unknown(
            "the entries of prefix list pl-2 were not read: ec2:GetManagedPrefixListEntries failed (Throttling)"
        ),
    ),
    Case(
        name="unknown: the prefix list that would admit it cannot be read",
        changes=(_admits(_tcp("pl-1")), _list_has("10.0.0.0/16"), unread("prefix_lists")),
        expect=unknown(f"the entries of prefix list pl-1 were not read: {_LISTS_UNREAD}"),
    ),
    Case(
        name="pass: a prefix list cannot be read, but all addresses are admitted without it",
        changes=(_admits(_tcp("pl-1", "10.0.0.0/16")), _list_has(), unread("prefix_lists")),
        expect=PASS,
    ),
    Case(
        name="pass: a prefix list and a block together hold all addresses",
        changes=(_admits(_tcp("pl-1", "10.0.4.0/24")), _list_has("10.0.1.20/32", "10.0.2.0/24", "2600:1f18::/32")),
        expect=PASS,
    ),
    Case(
        name="pass: from everywhere by a prefix list, though addresses cannot be read",
        changes=(
            *(_admits(_tcp("pl-1", "128.0.0.0/1")), _list_has("0.0.0.0/1")),
            unread("load_balancer_addresses"),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a prefix list for what a VPC link brings past the groups",
        changes=(
            *(_admits(_tcp("pl-1", "sg-balancer")), _list_has("10.0.0.0/16")),
            set_balancer_before_endpoint(balancer=_PAST_ITS_GROUPS.balancer),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a prefix list without the addresses",
        changes=(_admits(_tcp("pl-1")), _list_has("10.1.0.0/16", "::/0")),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="fail: an empty prefix list",
        changes=(_admits(_tcp("pl-1")), _list_has()),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="fail: a prefix list has some of the addresses, another one, for another port, has all",
        changes=(
            _admits(_tcp("pl-1"), _tcp("pl-2", ports=(80, 80))),
            set_endpoint(prefix_lists={"pl-1": ("10.0.1.0/24", "10.0.2.0/24"), "pl-2": ("10.0.0.0/16",)}),
        ),
        expect=fail(
            f"{_REFUSES} let in neither its security group (sg-balancer) nor 10.0.4.20", command=_admit("sg-balancer")
        ),
    ),
    Case(
        name="pass: a prefix list for another port, and one that need not be looked at",
        changes=(_admits(_tcp("pl-1", ports=(80, 80)), _tcp("pl-2", "sg-balancer")),),
        expect=PASS,
    ),
    Case(
        name="fail: a prefix list for another port",
        changes=(_admits(_tcp("pl-1", ports=(80, 80))),),
        expect=fail(_NEITHER, command=_admit("sg-balancer")),
    ),
    Case(
        name="unknown: one of the endpoint's groups is not in sight",
        changes=(_admits(), set_the_endpoint(group_ids=("sg-endpoint", "sg-hidden"))),
        expect=unknown("sg-hidden cannot be seen from this account"),
    ),
    Case(
        name="unknown: the load balancer has no address that is known",
        changes=(set_endpoint(balancers=(replace(_WITHOUT_GROUPS, addresses=()),)),),
        expect=unknown("no address of load balancer orders is known"),
    ),
    Case(
        name="unknown: addresses cannot be read, and no rule is for the group",
        changes=(_admits(_tcp("10.0.0.0/16")), unread("load_balancer_addresses")),
        expect=unknown(_UNREAD_ADDRESSES),
    ),
    Case(
        name="unknown: whether a VPC link comes past the groups cannot be read",
        changes=(set_endpoint(balancers=(_PAST_ITS_GROUPS,)), unread("vpc_links")),
        expect=unknown(_UNREAD_LINKS),
    ),
    Case(
        name="unknown: the endpoint is the control plane's, which AR502 tells",
        changes=(_admits(), set_the_endpoint(service="com.amazonaws.us-east-1.apprunner")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: the endpoint has failed",
        changes=(_admits(), set_the_endpoint(state="failed")),
        expect=unknown(""),
    ),
    Case(
        name="unknown: groups cannot be read",
        changes=(unread("path_groups"),),
        expect=unknown(_UNREAD_GROUPS),
    ),
    Case(
        name="unknown: load balancers cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the endpoint cannot be read",
        changes=(unread("ingress_endpoints"),),
        expect=unknown("ec2:DescribeVpcEndpoints failed (UnauthorizedOperation)"),
    ),
)
