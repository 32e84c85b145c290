"""What the rules of a kind answer, what is left to others, and when tags are worth a call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.facts import Service, Unread
from apprunner_guardrails.findings import Severity, Status
from apprunner_guardrails.judge import (
    BESIDE_CHANGES,
    BESIDE_EVENTS,
    BESIDE_NEW_CONNECTORS,
    TAGGED_WITHIN_SECONDS,
    Answers,
    Tags,
    Terms,
    judge_bound_group,
    judge_connector,
    judge_ingress,
    judge_path_group,
    judge_service,
    with_sure_tags,
    with_tags_where_they_matter,
)
from apprunner_guardrails.ledger import Record, State
from apprunner_guardrails.rules import INGRESS_RULES, RULES, SERVICE_RULES
from apprunner_guardrails.rules.private_paths import OF_SYNC, PATH_GROUP_RULES
from apprunner_guardrails.settings import ANY_TAG
from apprunner_guardrails.times import utc
from tests.cases._healthy import healthy
from tests.cases._healthy_path import CONNECTOR, GROUP, INGRESS, SERVICE
from tests.samples import SETTINGS

TERMS = Terms(settings=SETTINGS, now=1_795_000_000)
DENIED = Unread(call="apprunner:DescribeService", code="AccessDeniedException")
BROKEN = replace(SERVICE, ingress=())  # private, and no way leads to it: AR403
EXEMPT = {"apprunner-guardrails:exempt:AR403": "2026-12-31 @net ticket 7"}


def ids(answers: Answers, *statuses: Status) -> set[str]:
    return {one.rule for one in answers.findings if not statuses or one.status in statuses}


def terms(**settings: Any) -> Terms:
    return replace(TERMS, settings=replace(SETTINGS, **settings))


def test_exemptions_run_out_by_the_day_in_utc() -> None:
    assert [replace(TERMS, now=now).today for now in (1_795_046_399, 1_795_046_400)] == ["2026-11-18", "2026-11-19"]


def test_every_rule_of_a_kind_answers_where_all_was_read() -> None:
    connector = judge_connector(CONNECTOR.arn, CONNECTOR, healthy().network, {}, TERMS)
    assert (ids(connector), connector.left) == ({one.id for one in RULES}, frozenset())
    service = judge_service(SERVICE.arn, SERVICE, {}, TERMS)
    assert (ids(service), service.left) == ({one.id for one in SERVICE_RULES}, frozenset())
    ingress = judge_ingress(INGRESS.arn, INGRESS, {}, TERMS)
    assert (ids(ingress), ingress.left) == ({one.id for one in INGRESS_RULES}, frozenset())


@pytest.mark.parametrize(
    ("unasked", "left"),
    [
        (BESIDE_EVENTS, {"AR205", "AR301", "AR302", "AR303", "AR306"}),
        (BESIDE_CHANGES, {"AR301", "AR302", "AR303"}),
        (BESIDE_NEW_CONNECTORS, {"AR205", "AR301"}),
    ],
    ids=["an event", "a change of the network", "a new connector"],
)
def test_what_is_not_read_for_an_event_is_left_and_not_answered(unasked: frozenset[Any], left: set[str]) -> None:
    answers = judge_connector(CONNECTOR.arn, CONNECTOR, healthy().network, {}, TERMS, unasked=unasked)
    assert answers.left == left
    assert ids(answers) == {one.id for one in RULES} - left


def test_a_rule_that_is_switched_off_is_neither_answered_nor_left() -> None:
    """What is left stays as it is recorded; what is switched off is over."""
    off = terms(rule_overrides={"AR301": None, "AR101": None})
    answers = judge_connector(CONNECTOR.arn, CONNECTOR, healthy().network, {}, off, unasked=["services"])
    assert answers.left == frozenset()
    assert {"AR101", "AR301"}.isdisjoint(ids(answers))


def test_a_rule_of_another_severity_answers_with_that() -> None:
    low = terms(rule_overrides={"AR403": Severity.LOW})
    (found,) = (one for one in judge_service(SERVICE.arn, BROKEN, {}, low).findings if one.rule == "AR403")
    assert (found.status, found.severity) == (Status.FAIL, Severity.LOW)


def test_a_resource_that_could_not_be_read_is_unknown_to_every_rule() -> None:
    assert ids(judge_service(SERVICE.arn, DENIED, {}, TERMS), Status.UNKNOWN) == {one.id for one in SERVICE_RULES}
    assert ids(judge_ingress(INGRESS.arn, DENIED, {}, TERMS), Status.UNKNOWN) == {one.id for one in INGRESS_RULES}


def test_an_exemption_exempts() -> None:
    assert ids(judge_service(SERVICE.arn, BROKEN, {}, TERMS), Status.FAIL) == {"AR403"}
    assert ids(judge_service(SERVICE.arn, BROKEN, EXEMPT, TERMS), Status.EXEMPT) == {"AR403"}


def test_without_tags_the_rules_over_tags_are_left() -> None:
    service = judge_service(SERVICE.arn, SERVICE, None, TERMS)
    assert service.left == {"AR407", "AR901"}
    assert service.left.isdisjoint(ids(service))
    assert judge_ingress(INGRESS.arn, INGRESS, None, TERMS).left == {"AR901"}


def test_of_a_target_group_the_syncs_rules_are_left_to_it() -> None:
    answers = judge_path_group(GROUP, TERMS)
    assert (ids(answers), answers.left) == ({one.id for one in PATH_GROUP_RULES}, OF_SYNC)
    assert OF_SYNC.isdisjoint(ids(answers))


# Whose it is.

OWNER = "NetworkEngineer/jonas.weber"
BY_TEAM = {"team": "net"}


@pytest.mark.parametrize(
    ("tags", "settings", "told"),
    [
        pytest.param({"created-by": OWNER, **BY_TEAM}, {}, OWNER, id="tagged"),
        pytest.param({"created-by": f" {OWNER} "}, {}, OWNER, id="with spaces"),
        pytest.param(BY_TEAM, {}, "", id="without the tag"),
        pytest.param({"created-by": " "}, {}, "", id="with an empty one"),
        pytest.param({"Created-By": OWNER}, {}, "", id="with another key"),
        pytest.param(DENIED, {}, "", id="tags that could not be read"),
        pytest.param(BY_TEAM, {"created_by_tag": "team"}, "net", id="by another tag"),
        pytest.param({"created-by": OWNER, "": OWNER}, {"created_by_tag": ""}, "", id="switched off"),
    ],
)
def test_a_resource_belongs_to_whom_its_own_tag_names(tags: Tags, settings: Mapping[str, Any], told: str) -> None:
    of_settings = terms(**settings)
    connector = judge_connector(CONNECTOR.arn, CONNECTOR, healthy().network, tags, of_settings)
    service = judge_service(SERVICE.arn, SERVICE, tags, of_settings)
    ingress = judge_ingress(INGRESS.arn, INGRESS, tags, of_settings)
    bound = judge_bound_group(healthy().group, tags, of_settings)
    on_path = judge_path_group(replace(GROUP, tags=tags), of_settings)
    assert [one.owner for one in (connector, service, ingress, bound, on_path)] == [told] * 5


def test_without_tags_nobody_is_named() -> None:
    assert judge_service(SERVICE.arn, SERVICE, None, TERMS).owner == ""
    assert judge_ingress(INGRESS.arn, INGRESS, None, TERMS).owner == ""


def test_whose_a_resource_is_makes_no_finding() -> None:
    owned, nobodys = (judge_service(SERVICE.arn, BROKEN, tags, TERMS) for tags in ({"created-by": OWNER}, {}))
    assert owned == replace(nobodys, owner=OWNER)


# Tags that are on their way.

MADE = 1_790_000_000
KEYS = ("created-at", "created-by", "created-with")
BOTH = ("created-by", "team")
EXEMPT_TAGS = {f"apprunner-guardrails:exempt:{rule}": "2026-12-31 @net ticket 7" for rule in ("AR407", "AR408")}


def of_tags(
    tags: Tags, required: tuple[str, ...], *, age: int | None, made: str = "", **settings: Any
) -> list[str | tuple[str, tuple[str, ...]]]:
    """What is answered about the tags of a connector and of a service of that age: "left", or status and messages."""
    asked = replace(terms(required_tags=required, **settings), now=MADE + (age or 0))
    created = "" if age is None else utc(MADE)
    connector, service = replace(CONNECTOR, created=created), replace(SERVICE, created=created)
    answered = (
        ("AR408", judge_connector(CONNECTOR.arn, connector, healthy().network, tags, asked, made=made)),
        ("AR407", judge_service(SERVICE.arn, service, tags, asked)),
    )
    said: list[str | tuple[str, tuple[str, ...]]] = []
    for rule, answers in answered:
        found = [(one.status.value, one.messages) for one in answers.findings if one.rule == rule]
        assert (rule in answers.left) == (not found)
        said += found or ["left"]
    return said


def lacks(*keys: str) -> tuple[str, tuple[str, ...]]:
    return "fail", (f"it lacks required tags: {', '.join(keys)}",)


NONE_BUT_OF_AWS = "fail", ("it has no tags beside AWS's own, and at least one is required",)
HAS_ALL: tuple[str, tuple[str, ...]] = ("pass", ())


@pytest.mark.parametrize(
    ("tags", "required", "while_new", "later"),
    [
        pytest.param({}, (), HAS_ALL, HAS_ALL, id="none is required"),
        pytest.param({}, KEYS, "left", lacks(*KEYS), id="all that are required are being put"),
        pytest.param({"created-by": "x"}, KEYS, "left", lacks("created-at", "created-with"), id="one is there"),
        pytest.param(dict.fromkeys(KEYS, "x"), KEYS, HAS_ALL, HAS_ALL, id="all are there"),
        pytest.param({}, BOTH, lacks("team"), lacks(*BOTH), id="another is required too"),
        pytest.param({"team": "net"}, BOTH, "left", lacks("created-by"), id="the other is there"),
        pytest.param({"created-by": "x"}, BOTH, lacks("team"), lacks("team"), id="the other is not there"),
        pytest.param({}, (ANY_TAG,), "left", NONE_BUT_OF_AWS, id="any is required"),
        pytest.param({"aws:x": ""}, (ANY_TAG,), "left", NONE_BUT_OF_AWS, id="any is required, AWS's own is there"),
        pytest.param({"team": "net"}, (ANY_TAG,), HAS_ALL, HAS_ALL, id="any is required, one is there"),
        pytest.param(EXEMPT_TAGS, KEYS, "left", ("exempt", lacks(*KEYS)[1]), id="exempt"),
        pytest.param(DENIED, KEYS, ("unknown", ()), ("unknown", ()), id="tags that could not be read"),
    ],
)
def test_what_was_just_made_is_judged_as_if_it_were_tagged(
    tags: Tags, required: tuple[str, ...], while_new: object, later: object
) -> None:
    for age in (-60, 0, TAGGED_WITHIN_SECONDS - 1):
        assert of_tags(tags, required, age=age) == [while_new] * 2
    for older in (TAGGED_WITHIN_SECONDS, 86_400, None):
        assert of_tags(tags, required, age=older) == [later] * 2


@pytest.mark.parametrize("required", [("created-by",), (ANY_TAG,)], ids=str)
def test_where_nothing_is_tagged_nothing_is_on_its_way(required: tuple[str, ...]) -> None:
    off = {"created_by_tag": "", "created_at_tag": "", "created_with_tag": ""}
    assert "left" not in of_tags({}, required, age=0, **off)
    assert of_tags({}, required, age=0, **off) == of_tags({}, required, age=86_400, **off)


def test_tags_that_everything_gets_are_on_their_way() -> None:
    assert of_tags({}, BOTH, age=0, default_tags={"team": "net"}) == ["left"] * 2


def test_when_a_connector_was_made_may_be_told_by_something_else_where_app_runner_does_not() -> None:
    assert of_tags({}, KEYS, age=None, made=utc(MADE)) == ["left", lacks(*KEYS)]
    assert of_tags({}, KEYS, age=None, made="yesterday") == [lacks(*KEYS)] * 2
    assert of_tags({}, KEYS, age=86_400, made=utc(MADE + 86_400)) == [lacks(*KEYS)] * 2


def test_a_rule_over_tags_keeps_its_severity_and_its_place_while_it_is_new() -> None:
    asked = terms(required_tags=BOTH, rule_overrides={"AR407": Severity.HIGH})
    old = judge_service(SERVICE.arn, SERVICE, {}, asked).findings
    new = judge_service(SERVICE.arn, replace(SERVICE, created=utc(TERMS.now)), {}, asked).findings
    assert [(one.rule, one.severity) for one in new] == [(one.rule, one.severity) for one in old]


def test_a_rule_over_tags_that_is_switched_off_is_not_left() -> None:
    off = terms(required_tags=KEYS, rule_overrides={"AR407": None})
    assert judge_service(SERVICE.arn, replace(SERVICE, created=utc(TERMS.now)), {}, off).left == frozenset()


# Tags that cost a call.


class Asking:
    """What is asked for, and how often."""

    def __init__(self, tags: Tags) -> None:
        self.tags, self.asked = tags, 0

    def __call__(self) -> Callable[[], Tags]:
        self.asked += 1
        return lambda: self.tags


def of(service: Service) -> Callable[[Tags | None], Answers]:
    return lambda tags: judge_service(SERVICE.arn, service, tags, TERMS)


def test_where_nothing_fails_no_tags_are_asked_for() -> None:
    asking = Asking(EXEMPT)
    answers = with_tags_where_they_matter(of(SERVICE), asking, always=False)
    assert (answers, asking.asked) == (judge_service(SERVICE.arn, SERVICE, None, TERMS), 0)


@pytest.mark.parametrize(
    ("service", "always"), [(BROKEN, False), (SERVICE, True)], ids=["where a rule fails", "where some have to be there"]
)
def test_tags_are_asked_for(service: Service, always: bool) -> None:
    asking = Asking(EXEMPT)
    answers = with_tags_where_they_matter(of(service), asking, always=always)
    assert (answers, asking.asked) == (judge_service(SERVICE.arn, service, EXEMPT, TERMS), 1)


def test_tags_that_cannot_be_read_exempt_nothing() -> None:
    answers = with_tags_where_they_matter(of(BROKEN), Asking(DENIED), always=False)
    assert (ids(answers, Status.FAIL), ids(answers, Status.UNKNOWN)) == ({"AR403"}, {"AR901"})


# Tags of an index, which lags behind.


def recorded(state: State, rule: str = "AR403") -> tuple[Record, ...]:
    return (
        Record(
            resource=SERVICE.arn,
            rule=rule,
            state=state,
            severity=Severity.HIGH,
            messages=(),
            faults=(),
            first_seen=1,
            last_seen=1,
        ),
    )


@pytest.mark.parametrize(
    ("service", "indexed", "records", "asks"),
    [
        pytest.param(SERVICE, {}, (), 0, id="nothing fails"),
        pytest.param(BROKEN, {}, (), 0, id="what fails is new, and nothing exempts it"),
        pytest.param(BROKEN, {}, recorded(State.OPEN), 0, id="what fails is open"),
        pytest.param(BROKEN, EXEMPT, (), 0, id="what fails is new, and exempt"),
        pytest.param(BROKEN, EXEMPT, recorded(State.EXEMPT), 0, id="what fails is exempt as before"),
        pytest.param(BROKEN, EXEMPT, recorded(State.OPEN), 1, id="what is open would be exempted"),
        pytest.param(BROKEN, {}, recorded(State.EXEMPT), 1, id="what is exempt would be opened"),
        pytest.param(SERVICE, {}, recorded(State.OPEN, "AR901"), 1, id="what is wrong with tags would be over"),
        pytest.param(
            SERVICE, {"apprunner-guardrails:exempt:AR403": "x"}, (), 1, id="something would be wrong with tags"
        ),
        pytest.param(BROKEN, DENIED, recorded(State.EXEMPT), 0, id="the index was not read"),
    ],
)
def test_the_index_of_tags_changes_nothing_that_is_recorded(
    service: Service, indexed: Tags, records: Sequence[Record], asks: int
) -> None:
    asking = Asking({})
    answers = with_sure_tags(of(service), indexed, asking, records)
    sure: Tags = {} if asks else indexed
    assert (asking.asked, answers) == (asks, judge_service(SERVICE.arn, service, sure, TERMS))
