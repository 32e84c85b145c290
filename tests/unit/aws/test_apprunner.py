"""App Runner: custom domains, the Region's ingress connections, and how the last update ended."""

from collections.abc import Mapping

import pytest

from apprunner_guardrails.aws import apprunner
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Unread
from tests.aws import Aws, Fault, refused
from tests.private_path import INGRESS, ingress, private_path
from tests.samples import SERVICE, Row, Rows


def operations(*some: tuple[str, str]) -> Rows:
    """Newest first, as App Runner tells them."""
    return {"Operations": [{"ServiceArn": SERVICE, "Type": kind, "Status": status} for kind, status in some]}


def last_update_failed(rows: Rows, faults: Mapping[str, Fault] | None = None) -> tuple[bool | Unread, list[Row]]:
    with Aws(rows, faults) as aws:
        told = apprunner.last_update_failed(Reads(client), SERVICE)()
    return told, [{**one} for one in aws.sent("apprunner:ListOperations")]


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        ("FAILED", True),
        ("ROLLBACK_IN_PROGRESS", True),
        ("ROLLBACK_FAILED", True),
        ("ROLLBACK_SUCCEEDED", True),
        ("SUCCEEDED", False),
        ("IN_PROGRESS", False),
        ("PENDING", False),
    ],
)
def test_an_update_failed_where_app_runner_took_it_back(status: str, failed: bool) -> None:
    rows = operations(("START_DEPLOYMENT", "FAILED"), ("UPDATE_SERVICE", status), ("UPDATE_SERVICE", "FAILED"))
    assert last_update_failed(rows)[0] is failed


def test_a_service_that_was_never_updated_has_no_failed_update() -> None:
    assert last_update_failed(operations(("CREATE_SERVICE", "FAILED")))[0] is False


def test_of_a_long_history_only_the_newest_page_is_read() -> None:
    rows = operations(*(("START_DEPLOYMENT", "SUCCEEDED"),) * 20, ("UPDATE_SERVICE", "FAILED"))
    unknown = Unread(call="apprunner:ListOperations", code="no update among the last 20 operations")
    assert last_update_failed(rows) == (unknown, [{"ServiceArn": SERVICE, "MaxResults": 20}])


def test_how_an_update_ended_is_not_known_where_operations_are_unread() -> None:
    action = "apprunner:ListOperations"
    told, _ = last_update_failed(operations(), {action: refused("AccessDeniedException")})
    assert told == Unread(call=action, code="AccessDeniedException")


def test_custom_domains_are_those_that_are_active_asked_for_at_once() -> None:
    rows: Rows = {
        "CustomDomains": [
            {"ServiceArn": SERVICE, "DomainName": name, "EnableWWWSubdomain": www, "Status": status}
            for name, www, status in (
                ("shop.example.com", True, "ACTIVE"),
                ("*.example.com", False, "ACTIVE"),
                ("new.example.com", False, "CREATING"),
                ("old.example.com", False, "DELETING"),
            )
        ]
    }
    with Aws(rows) as aws:
        told = apprunner.custom_domains(Reads(client), SERVICE)()
    assert told == ("*.example.com", "shop.example.com", "www.shop.example.com")
    assert aws.sent("apprunner:DescribeCustomDomains") == [{"ServiceArn": SERVICE}]


def test_ingress_connections_of_the_region_are_listed_whole_and_sorted() -> None:
    rows = private_path()
    rows["VpcIngressConnections"] = [ingress(VpcIngressConnectionArn=f"{INGRESS}{one}") for one in (2, 1, 3)]
    with Aws(rows, pages={"apprunner:ListVpcIngressConnections": 2}) as aws:
        told = apprunner.list_all_ingress_connections(Reads(client))()
    assert told == (f"{INGRESS}1", f"{INGRESS}2", f"{INGRESS}3")
    assert aws.sent("apprunner:ListVpcIngressConnections") == [
        {"MaxResults": 100},
        {"MaxResults": 100, "NextToken": "2"},
    ]
