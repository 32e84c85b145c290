"""Reports as text, and as lines of the digest. Whole ones are in snapshots/."""

from dataclasses import replace

import pytest

from apprunner_guardrails.findings import Status
from apprunner_guardrails.paths.render import LINE_LIMIT, NAME_LIMIT, WIDTH, digest_lines, said, text
from apprunner_guardrails.paths.report import Answer
from tests.cases._healthy import add_route, healthy, remove_route
from tests.cases._healthy_path import API, BALANCER_ARN, CONNECTOR, GROUP_ARN, INGRESS, SERVICE, SERVICE_ARN
from tests.unit.paths.examples import BROKEN, HEALTHY, PRIVATE_ALONE, PUBLIC, SEVERAL, Account, finding


def lines(account: Account) -> list[str]:
    return text(account.report()).splitlines()


@pytest.mark.parametrize(
    ("account", "heading"),
    [
        (HEALTHY, "orders: every hop is ok"),
        (BROKEN, "orders: look at API, target group, subnet and way out"),
        (HEALTHY.says(finding(GROUP_ARN, "AR507", "x")), "orders: look at target group"),
        (HEALTHY.says(finding(GROUP_ARN, "AR507", "x", status=Status.EXEMPT)), "orders: ok but for exemptions"),
    ],
    ids=["healthy", "broken", "one", "exempt"],
)
def test_a_chain_begins_with_what_to_look_at(account: Account, heading: str) -> None:
    assert lines(account)[0] == heading


def test_what_is_behind_all_ways_stands_once_and_what_several_have_refers_to_above() -> None:
    apis = tuple(replace(API, id=f"api{number}", name=f"api-{number}") for number in range(3))
    account = HEALTHY.on_paths(apis=apis)
    account = replace(account, answers={**account.answers, **{one.arn: () for one in apis}})
    found = [line.split(":")[0].split("(")[0].strip() for line in lines(account)[1:11]]
    assert found == [
        "ok         client              clients",
        "1 of 3 ways in",
        "ok       → API                 api-0",
        "2 of 3 ways in",
        "ok       → API                 api-1",
        "3 of 3 ways in",
        "ok       → API                 api-2",
        "all ways in",
        "ok       → VPC link            orders",
        "ok       → load balancer       orders",
    ]


def test_a_hop_that_was_told_before_is_not_told_again() -> None:
    """Two of three subnets leave through one NAT gateway."""
    snapshot = add_route("rtb-private-2", "0.0.0.0/0", "nat-1")(remove_route("rtb-private-2", "0.0.0.0/0")(healthy()))
    account = replace(HEALTHY, networks={CONNECTOR.arn: snapshot.network})
    account = account.says(finding(CONNECTOR.arn, "AR109", "subnet-private-2 leaves through nat-1, which is elsewhere"))
    assert [line.strip() for line in lines(account) if "nat-" in line] == [
        "FAILS    → way out             nat-1: NAT gateway, available, use1-az1",
        "AR109 MEDIUM: subnet-private-2 leaves through nat-1, which is elsewhere",
        "FAILS    → way out             nat-1: as above",
        "ok       → way out             nat-4: NAT gateway, available, use1-az4",
    ]


def test_a_way_of_its_own_may_be_empty() -> None:
    both = replace(SERVICE, public=True)
    account = HEALTHY.has(both).on_paths(groups=(), balancers=(), apis=())
    assert [line.strip() for line in lines(account) if " of 2 ways in" in line] == ["1 of 2 ways in", "2 of 2 ways in"]


def test_of_very_many_ways_the_first_are_shown_and_the_others_counted() -> None:
    apis = tuple(replace(API, id=f"api{number:02}", name=f"api-{number:02}") for number in range(30))
    found = lines(HEALTHY.on_paths(apis=apis))
    assert [line.strip() for line in found if "api-07" in line or "ways in" in line][-3:] == [
        "UNKNOWN  → API                 api-07 (api07): REST API, stage live, ANY /{proxy+}",
        "and 22 more ways in",
        "all ways in",
    ]


def test_long_texts_are_wrapped_and_stay_under_their_beginning() -> None:
    message = "word " * 60
    found = lines(HEALTHY.says(finding(GROUP_ARN, "AR507", message)))
    place = next(number for number, line in enumerate(found) if "AR507" in line)
    assert found[place].startswith("               AR507 CRITICAL: word word")
    assert found[place + 1].startswith("               word word")
    assert max(map(len, found)) <= WIDTH


def answer(status: Status, *messages: str, unread: str = "") -> Answer:
    [one] = [
        one
        for chain in HEALTHY.says(finding(GROUP_ARN, "AR507", *messages, status=status, unread=unread)).report().chains
        for hop in chain.hops
        for one in hop.answers
    ]
    return one


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (answer(Status.FAIL, "a"), "AR507 CRITICAL: a"),
        (answer(Status.FAIL, "a", "b", "c"), "AR507 CRITICAL: a (and 2 more)"),
        (answer(Status.FAIL, "a", unread="x failed (y)"), "AR507 CRITICAL: a; not all could be judged: x failed (y)"),
        (answer(Status.FAIL), "AR507 CRITICAL: Target group preserves client IP addresses before an endpoint"),
        (answer(Status.EXEMPT, "a"), "AR507 exempt: a"),
        (answer(Status.UNKNOWN, unread="x failed (y)"), "AR507 not judged: x failed (y)"),
        (answer(Status.ERROR, unread="KeyError"), "AR507 not judged: KeyError"),
    ],
)
def test_an_answer_is_said_in_a_line(one: Answer, text: str) -> None:
    assert said(one) == text


def in_short(account: Account) -> list[str]:
    return [one.line for one in digest_lines(account.report())]


def test_a_service_is_a_line_of_the_digest_and_trouble_comes_first() -> None:
    assert [(one.line.partition("  ")[0], one.sound) for one in digest_lines(SEVERAL.report())] == [
        ("billing", False),
        ("orders", False),
        ("shop", True),
    ]
    quiet = HEALTHY.has(SERVICE, PRIVATE_ALONE, replace(PUBLIC, name="a-shop"))
    assert [one.line.partition("  ")[0] for one in digest_lines(quiet.report())] == ["billing", "a-shop", "orders"]


def test_kinds_of_hops_stand_together_with_the_worst_state_and_its_rules() -> None:
    [line] = in_short(BROKEN)
    assert line == (
        "orders  clients → API UNKNOWN AR605 → link ok → load balancer ok → target group FAILS AR507 → endpoint ok"
        " → ingress ok → service → connector exempt AR203 → 1 of 3 subnets FAILS AR102 → 1 of 3 ways out FAILS AR108"
        " → the internet"
    )


def test_all_hops_of_a_kind_may_be_of_one_state() -> None:
    [line] = in_short(HEALTHY.says(finding(CONNECTOR.arn, "AR112", "an ACL denies it")))
    assert " → 3 subnets FAILS AR112 → 3 ways out ok → " in line


def test_of_many_rules_some_are_named_and_the_others_counted() -> None:
    rules = ("AR507", "AR508", "AR509", "AR510", "AR511")
    [line] = in_short(HEALTHY.says(*(finding(GROUP_ARN, rule, "x") for rule in rules)))
    assert " → target group FAILS AR507 AR508 AR509 +2 → " in line


def test_what_is_wrong_with_the_service_itself_shows() -> None:
    [line] = in_short(HEALTHY.says(finding(SERVICE_ARN, "AR404", "x")))
    assert " → service FAILS AR404 → " in line


def test_a_line_of_the_digest_has_an_end() -> None:
    by_resource = {
        API.arn: ("AR601", "AR602", "AR603", "AR605"),
        BALANCER_ARN: ("AR512", "AR513", "AR514", "AR515"),
        GROUP_ARN: ("AR507", "AR508", "AR509", "AR510"),
        INGRESS.arn: ("AR501", "AR502", "AR503", "AR901"),
        SERVICE_ARN: ("AR401", "AR402", "AR403", "AR404"),
        CONNECTOR.arn: (
            "AR101",
            "AR103",
            "AR106",
            "AR111",
            "AR102",
            "AR104",
            "AR105",
            "AR112",
            "AR107",
            "AR108",
            "AR109",
        ),
    }
    everything = [finding(arn, rule, "x" * 1000) for arn, rules in by_resource.items() for rule in rules]
    [line] = in_short(HEALTHY.has(replace(SERVICE, name="n" * 300)).says(*everything))
    assert line.startswith("n" * (NAME_LIMIT - 1) + "…  clients → API FAILS AR601 AR602 AR603 +1 → ")
    assert len(line) == LINE_LIMIT
    assert line.endswith("…")
