"""What is read of a service beside what DescribeService tells: what it costs, and what fails of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.asked_egress import Asked
from apprunner_guardrails.aws import apprunner
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import GONE, Connector, Egress, IngressConnection, Service, Unread
from apprunner_guardrails.services import ask_beside, ask_declaring, declarations, is_applied, whole
from tests.aws import FAULTS, Aws, Fault, refused
from tests.private_path import INGRESS, ingress, private_service
from tests.samples import CONNECTOR, OTHER_CONNECTOR, SERVICE, Row, Rows, connector, service

DENIED = Unread(call="apprunner:DescribeService", code="AccessDeniedException")
SECOND = f"{INGRESS}2"
THROUGH = Asked(egress=Egress(kind="VPC", connector_arn=CONNECTOR), time="2026-11-21T09:00:00Z")
ELSEWHERE = Asked(egress=Egress(kind="DEFAULT"), time="2026-11-21T09:00:00Z")


def beside(
    row: Row, rows: Rows | None = None, faults: Mapping[str, Fault] | None = None, **options: Any
) -> tuple[Service, list[list[str]]]:
    """The service of a row with what was read beside it, and the calls that this took, by rounds."""
    held = {"used": None, "asked": None, **options}
    used, asked = held.pop("used"), held.pop("asked")
    with Aws(rows or {}, faults) as aws:
        wait = ask_beside(Reads(client), apprunner.service(row), used, asked, **held)  # type: ignore[arg-type]  # as rows are
        return wait(), aws.rounds


def operations(status: str, kind: str = "UPDATE_SERVICE") -> Rows:
    return {"Operations": [{"ServiceArn": SERVICE, "Id": "7" * 36, "Type": kind, "Status": status}]}


def described(service: Service) -> list[str]:
    assert not isinstance(service.ingress, Unread)
    return [one.arn for one in service.ingress]


def test_a_public_service_costs_no_call() -> None:
    used = apprunner.connector(connector(CONNECTOR))  # type: ignore[arg-type]  # as rows are
    found, rounds = beside(service(CONNECTOR), used=used)
    assert (found.connector, found.ingress, found.asked, found.update_failed) == (used, (), None, False)
    assert rounds == []


def test_a_private_one_costs_a_call_and_one_for_each_way_to_it() -> None:
    rows = {"VpcIngressConnections": [ingress(), ingress(VpcIngressConnectionArn=SECOND)]}
    found, rounds = beside(private_service(), rows)
    assert described(found) == [INGRESS, SECOND]
    assert rounds == [["apprunner:ListVpcIngressConnections"], ["apprunner:DescribeVpcIngressConnection"] * 2]


def test_the_ways_to_it_cost_nothing_where_they_are_known() -> None:
    for known in ((), DENIED):
        found, rounds = beside(private_service(), ingress=known)
        assert (found.ingress, rounds) == (known, [])


@pytest.mark.parametrize("action", ["apprunner:ListVpcIngressConnections", "apprunner:DescribeVpcIngressConnection"])
def test_ways_that_cannot_be_read_are_not_known(action: str) -> None:
    rows = {"VpcIngressConnections": [ingress()]}
    found, _ = beside(private_service(), rows, {action: FAULTS["throttled"]})
    assert found.ingress == Unread(call=action, code="RequestLimitExceeded")


def test_a_way_that_is_gone_since_it_was_listed_is_none() -> None:
    rows = {"VpcIngressConnections": [ingress(), ingress(VpcIngressConnectionArn=SECOND)]}
    gone = refused(GONE, when=lambda asked: asked["VpcIngressConnectionArn"] == INGRESS)
    found, _ = beside(private_service(), rows, {"apprunner:DescribeVpcIngressConnection": gone})
    assert described(found) == [SECOND]


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        ("SUCCEEDED", False),
        ("IN_PROGRESS", False),
        ("FAILED", True),
        ("ROLLBACK_IN_PROGRESS", True),
        ("ROLLBACK_FAILED", True),
        ("ROLLBACK_SUCCEEDED", True),
    ],
)
def test_what_does_not_show_is_looked_for_among_the_operations(status: str, failed: bool) -> None:
    found, rounds = beside(service(""), operations(status), asked=THROUGH)
    assert (found.asked, found.update_failed) == (THROUGH.egress, failed)
    assert rounds == [["apprunner:ListOperations"]]


@pytest.mark.parametrize(
    "row",
    [service(CONNECTOR), service("", Status="OPERATION_IN_PROGRESS")],
    ids=["it shows", "it may be about to show"],
)
def test_where_nothing_is_missed_the_operations_are_not_asked_for(row: Row) -> None:
    found, rounds = beside(row, asked=THROUGH)
    assert (found.asked, found.update_failed, rounds) == (THROUGH.egress, False, [])


def test_operations_that_cannot_be_read_leave_it_open_whether_the_update_failed() -> None:
    found, _ = beside(service(""), asked=THROUGH, faults={"apprunner:ListOperations": FAULTS["denied"]})
    assert found.update_failed == Unread(call="apprunner:ListOperations", code="UnauthorizedOperation")


def test_all_that_is_asked_is_asked_at_once() -> None:
    rows = {"VpcIngressConnections": [ingress()], **operations("SUCCEEDED")}
    _, rounds = beside(private_service(), rows, asked=THROUGH)
    assert rounds[0] == ["apprunner:ListOperations", "apprunner:ListVpcIngressConnections"]


AT_REST = apprunner.service(service(CONNECTOR))  # type: ignore[arg-type]  # as rows are


@pytest.mark.parametrize(
    ("changes", "asked", "expected"),
    [
        pytest.param({}, THROUGH, True, id="it shows"),
        pytest.param({}, ELSEWHERE, False, id="it does not show"),
        pytest.param({}, None, False, id="nothing was asked for"),
        pytest.param({"status": "OPERATION_IN_PROGRESS"}, THROUGH, False, id="it shows, and may be about to change"),
        pytest.param({"update_failed": True}, ELSEWHERE, True, id="it was taken back"),
        pytest.param({"update_failed": DENIED}, ELSEWHERE, False, id="nobody knows whether it was taken back"),
        pytest.param({"status": "PAUSED"}, THROUGH, True, id="it shows, of a service that is paused"),
    ],
)
def test_what_shows_or_was_taken_back_is_over(changes: Mapping[str, Any], asked: Asked | None, expected: bool) -> None:
    assert is_applied(replace(AT_REST, **changes), asked) is expected


def test_a_part_is_not_the_whole() -> None:
    assert whole([1, 2]) == (1, 2)
    assert whole(iter(())) == ()
    assert whole([1, DENIED, Unread(call="x", code="y")]) == DENIED


# What services declare that they depend on.

REACHES = {"apprunner-guardrails:reaches": "sg-1:5432"}
COPILOT = {"copilot-application": "shop", "copilot-environment": "test"}
OWN = {"team": "shop"}
USED = Connector(arn=CONNECTOR, name="shop-web", status="ACTIVE", subnet_ids=(), security_group_ids=())


def at(number: int) -> str:
    return SERVICE.replace("/shop/", f"/shop-{number}/")


@pytest.mark.parametrize("tags", [REACHES, COPILOT], ids=["our tag", "Copilot's"])
def test_only_services_that_declare_something_are_asked_for(tags: Mapping[str, str]) -> None:
    index = {at(2): tags, at(1): {"team": "shop"}, at(3): {"copilot-application": "shop"}, CONNECTOR: tags}
    with Aws({"Services": [service(CONNECTOR, ServiceArn=at(2))]}) as aws:
        found = ask_declaring(Reads(client), index)
    assert not isinstance(found, Unread)
    assert [(arn, one.connector_arn) for arn, one in found.items() if isinstance(one, Service)] == [(at(2), CONNECTOR)]
    assert aws.sent("apprunner:DescribeService") == [{"ServiceArn": at(2)}]


def test_without_the_index_nobody_knows_who_declares_something() -> None:
    with Aws({}) as aws:
        assert ask_declaring(Reads(client), DENIED) == DENIED
    assert aws.calls == []


OF_IT = replace(AT_REST, arn=at(1))
_GONE = Unread(call="apprunner:DescribeService", code=GONE)
DECLARED: Mapping[str, tuple[Service | Unread, Mapping[str, Any]]] = {
    "one that uses it": (OF_IT, {"service shop-1": REACHES}),
    "one that uses another": (replace(OF_IT, connector_arn=OTHER_CONNECTOR), {}),
    "one that uses none": (replace(OF_IT, connector_arn=""), {}),
    "one that was deleted": (replace(OF_IT, status="DELETED"), {}),
    "one that is gone, and still in the index": (_GONE, {}),
    "one that could not be described": (DENIED, {"service shop-1": DENIED}),
}


@pytest.mark.parametrize(("one", "expected"), DECLARED.values(), ids=DECLARED)
def test_a_connector_serves_what_its_services_declare(one: Service | Unread, expected: Mapping[str, Any]) -> None:
    found = declarations(USED, OWN, {at(1): one}, {at(1): REACHES})
    assert found == {"connector shop-web": OWN, **expected}


def test_a_service_that_declares_nothing_hides_nothing_where_it_could_not_be_described() -> None:
    assert declarations(USED, OWN, {at(1): DENIED}, {}) == {"connector shop-web": OWN}


def test_without_the_index_what_a_service_declares_is_not_known() -> None:
    assert declarations(USED, DENIED, {at(1): OF_IT}, DENIED) == {
        "connector shop-web": DENIED,
        "service shop-1": DENIED,
    }
    assert declarations(USED, OWN, DENIED, {}) == {"connector shop-web": OWN, "services": DENIED}


def test_an_ingress_connection_is_told_whole() -> None:
    found, _ = beside(private_service(), {"VpcIngressConnections": [ingress()]})
    assert found.ingress == (apprunner.ingress_connection(ingress()),)  # type: ignore[arg-type]  # as rows are
    assert isinstance(found.ingress[0], IngressConnection)
