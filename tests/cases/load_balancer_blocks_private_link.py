from dataclasses import replace

from apprunner_guardrails.facts import GroupRule, Listener
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import BALANCER_ARN, BALANCER_GROUP, GROUP_ARN, LINK, set_balancer
from tests.cases._healthy_path import set_the_balancer as set_nlb


def _tcp(*peers: str, ports: tuple[int, int] = (443, 443)) -> GroupRule:
    return GroupRule(protocol="tcp", peers=peers, from_port=ports[0], to_port=ports[1])


def _admits(*rules: GroupRule) -> Change:
    return set_balancer(groups=(replace(BALANCER_GROUP, ingress=rules),))


def _lists_have(**lists: tuple[str, ...]) -> Change:
    return set_balancer(prefix_lists={name.replace("_", "-"): cidrs for name, cidrs in lists.items()})


def _message(let_in: str, port: int = 443, links: str = "orders", groups: str = "sg-balancer") -> str:
    return (
        f"load balancer orders applies its inbound rules to PrivateLink traffic, and they do not let in TCP {port} from"
        f" wherever VPC link {links} sends; {groups} let in {let_in}"
    )


def _off(groups: str = "sg-balancer") -> str:
    return lines(
        "# endpoints then have to admit the load balancer's addresses: its group no longer counts for this (AR505)",
        f"aws elbv2 set-security-groups --region us-east-1 --load-balancer-arn {BALANCER_ARN}"
        f" --security-groups {groups}"
        " --enforce-security-group-inbound-rules-on-private-link-traffic off",
    )


def _listener(port: int, protocol: str = "TCP", group_arn: str = GROUP_ARN) -> Listener:
    return Listener(arn=f"arn:of:{protocol}:{port}", protocol=protocol, port=port, target_group_arns=(group_arn,))


def _listeners(*listeners: Listener) -> Change:
    return set_balancer(listeners=listeners)


_NOTHING = _admits()

CASES = (
    Case(name="pass: the listener's port is open to everybody", expect=PASS),
    Case(
        name="pass: open to everybody by two halves, in two groups, of all protocols and of a range of ports",
        changes=(
            set_nlb(group_ids=("sg-balancer", "sg-b")),
            set_balancer(
                groups=(
                    replace(BALANCER_GROUP, ingress=(GroupRule(protocol="-1", peers=("0.0.0.0/1",)),)),
                    replace(BALANCER_GROUP, id="sg-b", ingress=(_tcp("128.0.0.0/1", ports=(0, 65535)),)),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: inbound rules do not count for PrivateLink traffic",
        changes=(_NOTHING, set_nlb(guards_private_link=False)),
        expect=PASS,
    ),
    Case(
        name="pass: the load balancer has no groups",
        changes=(set_nlb(group_ids=()), set_balancer(groups=())),
        expect=PASS,
    ),
    Case(
        name="pass: no VPC link of the first generation leads to it",
        changes=(_NOTHING, set_balancer(links=()), unread("path_groups", "listeners", "target_groups")),
        expect=PASS,
    ),
    Case(
        name="pass: VPC links cannot be read, and everybody is let in",
        changes=(unread("vpc_links"),),
        expect=PASS,
    ),
    Case(
        name="pass: no listener leads to the private path",
        changes=(_NOTHING, _listeners(_listener(443, group_arn="arn:of:another:group"))),
        expect=PASS,
    ),
    Case(
        name="pass: the path's listener takes UDP alone, by which no VPC link comes",
        changes=(_NOTHING, _listeners(_listener(443, "UDP"))),
        expect=PASS,
    ),
    Case(
        name="fail: no inbound rule",
        changes=(_NOTHING,),
        expect=fail(_message("nobody"), command=_off()),
    ),
    Case(
        name="fail: a rule for the VPC's block, which matches by chance at best",
        changes=(_admits(_tcp("10.0.0.0/16")),),
        expect=fail(_message("10.0.0.0/16"), command=_off()),
    ),
    Case(
        name="fail: rules for groups and for IPv6, which never match",
        changes=(_admits(_tcp("sg-client", "sg-balancer", "::/0")),),
        expect=fail(_message("::/0, sg-balancer, sg-client"), command=_off()),
    ),
    Case(
        name="fail: everybody is let in on another port, and by another protocol",
        changes=(
            _admits(
                _tcp("0.0.0.0/0", ports=(80, 80)),
                GroupRule(protocol="udp", peers=("0.0.0.0/0",), from_port=443, to_port=443),
            ),
        ),
        expect=fail(_message("nobody"), command=_off()),
    ),
    Case(
        name="fail: one half of all addresses",
        changes=(_admits(_tcp("0.0.0.0/1")),),
        expect=fail(_message("0.0.0.0/1"), command=_off()),
    ),
    Case(
        name="fail: two of the path's listeners are closed, one open, one is another path's; several groups and links",
        changes=(
            set_nlb(group_ids=("sg-balancer", "sg-a")),
            set_balancer(
                groups=(
                    BALANCER_GROUP,
                    replace(BALANCER_GROUP, id="sg-a", ingress=(_tcp("10.0.0.0/8", ports=(8000, 9000)),)),
                ),
                links=(LINK, replace(LINK, id="def456", name="billing")),
            ),
            _listeners(
                _listener(9443, "TLS"),
                _listener(8443, "TCP_UDP"),
                _listener(443),
                _listener(10443, group_arn="arn:of:another:group"),
            ),
        ),
        expect=fail(
            _message("10.0.0.0/8", 8443, "billing, orders", "sg-a, sg-balancer"),
            _message("nobody", 9443, "billing, orders", "sg-a, sg-balancer"),
            command=_off("sg-a sg-balancer"),
        ),
    ),
    Case(
        name="pass: a prefix list holds all addresses",
        changes=(_admits(_tcp("pl-1")), _lists_have(pl_1=("0.0.0.0/0", "::/0"))),
        expect=PASS,
    ),
    Case(
        name="pass: two prefix lists and a block together hold all addresses",
        changes=(
            _admits(_tcp("pl-1", "pl-2", "192.0.0.0/2")),
            _lists_have(pl_1=("0.0.0.0/1",), pl_2=("128.0.0.0/2", "10.0.0.0/8")),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a prefix list cannot be read, but everybody is let in without it",
        changes=(_admits(_tcp("pl-1", "0.0.0.0/0")), _lists_have(pl_1=()), unread("prefix_lists")),
        expect=PASS,
    ),
    Case(
        name="fail: a prefix list of private blocks, which match by chance at best",
        changes=(_admits(_tcp("pl-1")), _lists_have(pl_1=("10.0.0.0/8", "172.16.0.0/12", "::/0"))),
        expect=fail(_message("pl-1"), command=_off()),
    ),
    Case(
        name="fail: a prefix list of all addresses, but for another port",
        changes=(_admits(_tcp("pl-1", ports=(80, 80))), _lists_have(pl_1=("0.0.0.0/0",))),
        expect=fail(_message("nobody"), command=_off()),
    ),
    Case(
        name="unknown: a prefix list that was not read may hold all addresses",
        changes=(_admits(_tcp("pl-1")),),
        expect=unknown("the entries of prefix list pl-1 were not read"),
    ),
    Case(
        name="unknown: a prefix list that cannot be read may hold all addresses",
        changes=(_admits(_tcp("pl-1")), _lists_have(pl_1=("0.0.0.0/0",)), unread("prefix_lists")),
        expect=unknown(
            "the entries of prefix list pl-1 were not read: ec2:GetManagedPrefixListEntries failed"
            " (UnauthorizedOperation)"
        ),
    ),
    Case(
        name="unknown: one of the groups is not in sight",
        changes=(_NOTHING, set_nlb(group_ids=("sg-balancer", "sg-hidden"))),
        expect=unknown("sg-hidden cannot be seen from this account"),
    ),
    Case(
        name="unknown: nobody is let in, and VPC links cannot be read",
        changes=(_NOTHING, unread("vpc_links")),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: groups cannot be read",
        changes=(unread("path_groups"),),
        expect=unknown("ec2:DescribeSecurityGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: listeners cannot be read",
        changes=(unread("listeners"),),
        expect=unknown("elasticloadbalancing:DescribeListeners failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: target groups cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the load balancer cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
)
