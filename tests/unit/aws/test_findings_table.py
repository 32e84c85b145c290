"""The findings table: what is written is read again as it was, who overtook whom, and every failure by its name."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from apprunner_guardrails.aws import findings_table
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import LedgerUnavailable, Stored, Unreadable, all_recorded, claim, recorded
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.ledger import Channel, Kind, Record, State, Transition
from emulator import emulate, worlds

if TYPE_CHECKING:
    from botocore.client import BaseClient

TABLE = "findings"
SHOP = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/shop/1/0123456789abcdef0123456789abcdef"
OTHER = SHOP.replace("shop", "other")
RECORD = Record(
    resource=SHOP,
    rule="AR102",
    state=State.OPEN,
    severity=Severity.HIGH,
    messages=("subnet-1 is public", "subnet-2 is public"),
    faults=("00ff", "ff00"),
    first_seen=1_800_000_000,
    last_seen=1_800_000_100,
    last_alerted=1_800_000_200,
    who="alice with Terraform",
    exempt_until="2026-12-31",
    exempt_by="@bob",
    owner="NetworkEngineer/jonas.weber",
    owed=Kind.OPENED,
    owed_to=(Channel.TEXT, Channel.SECURITY_HUB),
    leased_until=1_800_000_145,
    version=1,
)
RESOLVED = replace(RECORD, state=State.RESOLVED, owed=None, owed_to=(), leased_until=0)
ITEM = {
    "resource": {"S": SHOP},
    "rule": {"S": "AR102"},
    "state": {"S": "open"},
    "severity": {"S": "HIGH"},
    "messages": {"L": [{"S": "subnet-1 is public"}, {"S": "subnet-2 is public"}]},
    "faults": {"L": [{"S": "00ff"}, {"S": "ff00"}]},
    "first_seen": {"N": "1800000000"},
    "last_seen": {"N": "1800000100"},
    "last_alerted": {"N": "1800000200"},
    "who": {"S": "alice with Terraform"},
    "exempt_until": {"S": "2026-12-31"},
    "exempt_by": {"S": "@bob"},
    "owner": {"S": "NetworkEngineer/jonas.weber"},
    "owed": {"S": "opened"},
    "owed_to": {"L": [{"S": "text"}, {"S": "securityhub"}]},
    "leased_until": {"N": "1800000145"},
    "version": {"N": "1"},
    "schema": {"N": "2"},
}


def transition(record: Record, before: Record | None = None) -> Transition:
    finding = Finding(
        resource=record.resource, rule=record.rule, name="", title="", severity=record.severity, status=Status.FAIL
    )
    kind = record.owed or Kind.SEEN
    return Transition(kind=kind, finding=finding, record=record, before=before, channels=record.owed_to)


def rules(transitions: Sequence[Transition]) -> list[str]:
    return [one.record.rule for one in transitions]


@pytest.fixture
def items() -> Iterator[Callable[[], object]]:
    """An empty table; calling it gives all its items."""
    with emulate():
        dynamodb = boto3.client("dynamodb")
        worlds.findings_table(worlds.sdk_client, TABLE)
        yield lambda: dynamodb.scan(TableName=TABLE)["Items"]


def put(item: Mapping[str, Any]) -> None:
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=item)


def read(resource: str = SHOP) -> tuple[Record, ...]:
    return recorded(Reads(client), TABLE, resource)()


# Written and read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "item"),
    [
        (RECORD, ITEM),
        (
            RESOLVED,
            ITEM
            | {
                "state": {"S": "resolved"},
                "owed": {"S": ""},
                "owed_to": {"L": []},
                "leased_until": {"N": "0"},
                "expires": {"N": "1807776100"},  # 90 days after it was seen for the last time
            },
        ),
    ],
    ids=["open and owed", "over and told"],
)
def test_a_record_is_one_item_with_every_field_and_is_read_as_it_was(
    record: Record, item: object, items: Callable[[], object]
) -> None:
    assert claim(client, TABLE, [transition(record)]) == (transition(record),)
    assert items() == [item]
    assert read() == (record,)


def test_text_that_is_no_utf8_is_written_with_question_marks(items: Callable[[], object]) -> None:
    odd = replace(RECORD, messages=("a \ud800 b", "", "日本 \x00 \U0001f600"), who="")
    claim(client, TABLE, [transition(odd)])
    assert read() == (replace(odd, messages=("a ? b", "", "日本 \x00 \U0001f600")),)


def test_a_resource_has_its_own_records_only_by_rule(items: Callable[[], object]) -> None:
    records = [replace(RECORD, rule=rule, resource=arn) for rule in ("AR201", "AR101") for arn in (SHOP, OTHER)]
    claim(client, TABLE, map(transition, records))
    assert read() == (replace(RECORD, rule="AR101"), replace(RECORD, rule="AR201"))
    assert read(SHOP + "0") == ()


def test_the_whole_table_is_all_findings_without_what_was_told_once(
    items: Callable[[], object],
) -> None:
    remembered = replace(RECORD, resource="failed-call/00ff", rule="AR903-00ff")
    records = (replace(RECORD, resource=OTHER), RECORD, replace(RECORD, rule="AR103"))
    claim(client, TABLE, map(transition, (remembered, *records)))
    assert all_recorded(Reads(client), TABLE)() == Stored(records=records, unreadable=(), beside=(remembered,))


def test_every_page_is_read(items: Callable[[], object]) -> None:
    """A page has 1 MB at most; these records have 2 MB."""
    long = tuple("x" * 1000 for _ in range(20))
    records = tuple(replace(RECORD, rule=f"AR{number}", messages=long) for number in range(100, 200))
    assert len(claim(client, TABLE, map(transition, records))) == 100
    assert read() == records
    assert all_recorded(Reads(client), TABLE)().records == records


@dataclass
class Pages:
    """A client that has what DynamoDB would be asked for, page after page."""

    pages: list[Mapping[str, Any]]
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, service: str) -> "BaseClient":
        assert service == "dynamodb"
        return self  # type: ignore[return-value]  # a client as far as it is used

    def query(self, **asked: object) -> Mapping[str, Any]:
        self.asked.append(asked)
        return self.pages[len(self.asked) - 1]

    scan = query


def test_a_query_is_consistent_and_begins_where_the_page_before_ended() -> None:
    last = {"resource": {"S": SHOP}, "rule": {"S": "AR102"}}
    pages = Pages([{"Items": [ITEM], "LastEvaluatedKey": last}, {"Items": []}])
    assert recorded(Reads(pages), TABLE, SHOP)() == (RECORD,)
    asked = {
        "TableName": TABLE,
        "ConsistentRead": True,
        "KeyConditionExpression": "#resource = :resource",
        "ExpressionAttributeNames": {"#resource": "resource"},
        "ExpressionAttributeValues": {":resource": {"S": SHOP}},
    }
    assert pages.asked == [asked, asked | {"ExclusiveStartKey": last}]


def test_a_scan_is_consistent_and_begins_where_the_page_before_ended() -> None:
    last = {"resource": {"S": SHOP}, "rule": {"S": "AR102"}}
    pages = Pages([{"Items": [], "LastEvaluatedKey": last}, {"Items": [ITEM]}])
    assert all_recorded(Reads(pages), TABLE, None)() == Stored(records=(RECORD,), unreadable=())
    asked = {"TableName": TABLE, "ConsistentRead": True}
    assert pages.asked == [asked, asked | {"ExclusiveStartKey": last}]


def test_what_is_recorded_of_members_is_read_by_their_place_and_by_nobody_else(items: Callable[[], object]) -> None:
    mine, other = (replace(RECORD, resource=f"{SHOP}{number}") for number in "12")
    for record, place in ((mine, "210987654321/eu-west-1"), (other, "210987654321/us-east-1"), (RECORD, "")):
        claim(client, TABLE, [transition(record)], place)
    read_at = {place: all_recorded(Reads(client), TABLE, place)() for place in ("", "210987654321/eu-west-1", None)}
    assert read_at[""].records == (RECORD,)
    assert read_at["210987654321/eu-west-1"].records == (replace(mine, place="210987654321/eu-west-1"),)
    assert {one.resource for one in read_at[None].records} == {SHOP, mine.resource, other.resource}


# Items of another version ----------------------------------------------------------------------------------------


def test_attributes_and_channels_of_a_newer_version_are_left_out(items: Callable[[], object]) -> None:
    put(ITEM | {"mood": {"S": "blue"}, "owed_to": {"L": [{"S": "text"}, {"S": "pager"}, {"S": "securityhub"}]}})
    assert read() == (RECORD,)


def test_an_item_without_a_schema_is_of_the_first(items: Callable[[], object]) -> None:
    """tests/contract/test_upgrade.py has what earlier versions really wrote."""
    put({name: value for name, value in ITEM.items() if name != "schema"})
    assert read() == (RECORD,)


@pytest.mark.parametrize(
    "item",
    [
        {name: value for name, value in ITEM.items() if name != "owner"},
        ITEM | {"owner": {"S": ""}},
        ITEM | {"owner": {"NULL": True}},
    ],
    ids=["of an older version", "empty", "no text"],
)
def test_an_item_that_names_no_owner_is_read_all_the_same(item: Mapping[str, Any], items: Callable[[], object]) -> None:
    put(item)
    assert read() == (replace(RECORD, owner=""),)
    assert all_recorded(Reads(client), TABLE)() == Stored(records=read(), unreadable=())


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (ITEM | {"state": {"S": "asleep"}}, "ValueError 'asleep' is not a valid State"),
        (ITEM | {"owed": {"S": "postponed"}}, "ValueError 'postponed' is not a valid Kind"),
        (ITEM | {"severity": {"S": "DIRE"}}, "ValueError 'DIRE' is not a valid Severity"),
        ({name: value for name, value in ITEM.items() if name != "version"}, "KeyError 'version'"),
        (ITEM | {"messages": {"S": "one"}}, "KeyError 'L'"),
        (ITEM | {"last_seen": {"N": "1.5"}}, "ValueError invalid literal for int() with base 10: '1.5'"),
        (
            ITEM | {"schema": {"N": "3"}},
            "ValueError it is of schema 3, and this version knows none after 2: a newer one wrote it",
        ),
        (ITEM | {"schema": {"S": "2"}}, "KeyError 'N'"),
    ],
    ids=["state", "kind", "severity", "no version", "no list", "no whole number", "a newer schema", "an odd schema"],
)
def test_an_item_that_cannot_be_read_fails_for_its_resource_and_is_named(
    item: Mapping[str, Any], why: str, items: Callable[[], object]
) -> None:
    other = replace(RECORD, resource=OTHER)
    put(item)
    claim(client, TABLE, [transition(other)])
    with pytest.raises(LedgerUnavailable) as error:
        read()
    assert str(error.value) == f"the findings table's item {SHOP} AR102 cannot be read: {why}"
    assert read(OTHER) == (other,)
    odd = Unreadable(resource=SHOP, rule="AR102", why=why)
    assert all_recorded(Reads(client), TABLE)() == Stored(records=(other,), unreadable=(odd,))


# Who overtook whom -----------------------------------------------------------------------------------------------


def test_one_of_two_who_saw_nothing_recorded_wins(items: Callable[[], object]) -> None:
    mine, theirs = transition(RECORD), transition(replace(RECORD, who="bob"))
    assert claim(client, TABLE, [mine]) == (mine,)
    assert claim(client, TABLE, [theirs]) == ()
    assert read() == (RECORD,)


def test_one_of_two_who_saw_the_same_version_wins(items: Callable[[], object]) -> None:
    claim(client, TABLE, [transition(RECORD)])
    later = transition(replace(RECORD, who="bob", version=2), RECORD)
    too_late = transition(replace(RECORD, who="carol", version=2), RECORD)
    assert claim(client, TABLE, [later]) == (later,)
    assert claim(client, TABLE, [too_late]) == ()
    assert read() == (later.record,)


def test_an_item_that_dynamodb_has_forgotten_meanwhile_is_lost_too(items: Callable[[], object]) -> None:
    assert claim(client, TABLE, [transition(replace(RECORD, version=8), replace(RESOLVED, version=7))]) == ()
    assert read() == ()


def test_what_is_won_is_won_whatever_else_is_lost(items: Callable[[], object]) -> None:
    taken = [replace(RECORD, rule=f"AR{number}") for number in (102, 105)]
    claim(client, TABLE, map(transition, taken))
    wanted = [transition(replace(RECORD, rule=f"AR{number}", who="bob")) for number in range(101, 107)]
    assert rules(claim(client, TABLE, wanted)) == ["AR101", "AR103", "AR104", "AR106"]
    assert {one.rule: one.who for one in read()} == {
        **{f"AR{number}": "bob" for number in (101, 103, 104, 106)},
        **{one.rule: RECORD.who for one in taken},
    }


def test_what_is_told_is_settled_and_what_somebody_took_over_is_left_to_them(items: Callable[[], object]) -> None:
    claimed = [replace(RECORD, rule="AR101"), replace(RECORD, rule="AR102")]
    claim(client, TABLE, map(transition, claimed))
    theirs = replace(claimed[0], who="bob", version=2)
    claim(client, TABLE, [transition(theirs, claimed[0])])
    told = [replace(one, owed=None, owed_to=(), leased_until=0, version=2) for one in claimed]
    findings_table.settle(client, TABLE, told)
    assert read() == (theirs, told[1])


def test_of_eight_who_claim_at_once_one_wins_each_finding(items: Callable[[], object]) -> None:
    together = threading.Barrier(8)
    client("dynamodb")  # made before, so that they are at it at once

    def one(name: str) -> tuple[Transition, ...]:
        wanted = [transition(replace(RECORD, rule=f"AR{number}", who=name)) for number in (101, 102, 103)]
        together.wait()
        return claim(client, TABLE, wanted)

    with ThreadPoolExecutor(8) as pool:
        won = [each.record for all_won in pool.map(one, "abcdefgh") for each in all_won]
    assert sorted(won, key=lambda record: record.rule) == list(read())
    assert [one.rule for one in read()] == ["AR101", "AR102", "AR103"]


# What nobody is told ---------------------------------------------------------------------------------------------

ORDERS = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/0123456789abcdef"
WAITING = replace(
    RESOLVED, resource=ORDERS, rule="waiting", severity=Severity.INFO, messages=(), faults=(), leased_until=60
)


def test_what_is_remembered_is_read_as_it_was_and_then_written_over(items: Callable[[], object]) -> None:
    findings_table.remember(client, TABLE, [WAITING])
    assert read(ORDERS) == (WAITING,)
    later = replace(WAITING, leased_until=120, version=2)
    findings_table.remember(client, TABLE, [later])
    assert read(ORDERS) == (later,)


def test_what_somebody_else_remembered_since_stays_and_keeps_nothing_else_from_being_written(
    items: Callable[[], object],
) -> None:
    theirs, other = replace(WAITING, leased_until=90), replace(WAITING, resource=ORDERS.replace("orders", "carts"))
    findings_table.remember(client, TABLE, [theirs])
    findings_table.remember(client, TABLE, [WAITING, other])
    assert (read(ORDERS), read(other.resource)) == ((theirs,), (other,))
    findings_table.remember(client, TABLE, [replace(WAITING, version=9)])
    assert read(ORDERS) == (theirs,)


def test_what_is_remembered_of_a_group_is_among_all_that_is_recorded(items: Callable[[], object]) -> None:
    findings_table.remember(client, TABLE, [WAITING])
    assert all_recorded(Reads(client), TABLE)() == Stored(records=(WAITING,), unreadable=())


# What is sent ----------------------------------------------------------------------------------------------------


def cancelled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "no"},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


@dataclass
class Transactions:
    """A client that answers one transaction after the other: with an error, or not at all, which is success."""

    answers: list[Exception | None] = field(default_factory=list)
    sent: list[list[Mapping[str, Any]]] = field(default_factory=list)

    def __call__(self, service: str) -> "BaseClient":
        assert service == "dynamodb"
        return self  # type: ignore[return-value]  # a client as far as it is used

    def transact_write_items(self, *, TransactItems: list[Mapping[str, Any]]) -> None:  # noqa: N803 - AWS's name
        self.sent.append([item["Put"] for item in TransactItems])
        answer = self.answers[len(self.sent) - 1] if self.answers else None
        if answer:
            raise answer

    @property
    def rules(self) -> list[list[str]]:
        return [[one["Item"]["rule"]["S"] for one in transaction] for transaction in self.sent]


THREE = [transition(replace(RECORD, rule=rule)) for rule in ("AR101", "AR102", "AR103")]
FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"


def test_a_claim_holds_while_the_version_is_the_one_that_was_read() -> None:
    sent = Transactions()
    claim(sent, TABLE, [transition(RECORD), transition(replace(RECORD, rule="AR103", version=8), RESOLVED)])
    assert sent.sent == [
        [
            {
                "TableName": TABLE,
                "Item": ITEM,
                "ConditionExpression": "attribute_not_exists(#resource)",
                "ExpressionAttributeNames": {"#resource": "resource"},
            },
            {
                "TableName": TABLE,
                "Item": ITEM | {"rule": {"S": "AR103"}, "version": {"N": "8"}},
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":before": {"N": "1"}},
            },
        ]
    ]


def test_nothing_to_write_is_no_call() -> None:
    sent = Transactions()
    assert claim(sent, TABLE, []) == ()
    findings_table.settle(sent, TABLE, [])
    findings_table.remember(sent, TABLE, [])
    assert sent.sent == []


def test_a_claim_is_tried_again_without_what_was_lost_until_it_goes_through() -> None:
    sent = Transactions([cancelled("None", FAILED, "None"), cancelled(CONFLICT, "None"), None])
    assert rules(claim(sent, TABLE, THREE)) == ["AR103"]
    assert sent.rules == [["AR101", "AR102", "AR103"], ["AR101", "AR103"], ["AR103"]]


def test_a_claim_of_which_nothing_is_left_is_over() -> None:
    sent = Transactions([cancelled(FAILED, CONFLICT, FAILED)])
    assert claim(sent, TABLE, THREE) == ()
    assert sent.rules == [["AR101", "AR102", "AR103"]]


def test_settling_waits_for_whoever_is_just_writing() -> None:
    sent = Transactions([cancelled("None", CONFLICT, FAILED), cancelled(CONFLICT, CONFLICT), None])
    findings_table.settle(sent, TABLE, [one.record for one in THREE])
    assert sent.rules == [["AR101", "AR102", "AR103"], ["AR101", "AR102"], ["AR101", "AR102"]]


def test_settling_does_not_wait_for_ever() -> None:
    sent = Transactions([cancelled(CONFLICT) for _ in range(9)])
    with pytest.raises(LedgerUnavailable, match=r"findings .*TransactWriteItems failed \(TransactionConflict\)"):
        findings_table.settle(sent, TABLE, [RECORD])
    assert len(sent.sent) == 5


def test_remembering_waits_for_whoever_is_just_writing_but_not_for_ever() -> None:
    sent = Transactions([cancelled("None", CONFLICT), None])
    findings_table.remember(sent, TABLE, [WAITING, replace(WAITING, rule="other")])
    assert sent.rules == [["waiting", "other"]] * 2
    busy = Transactions([cancelled(CONFLICT) for _ in range(9)])
    with pytest.raises(LedgerUnavailable, match=r"findings .*TransactWriteItems failed \(TransactionConflict\)"):
        findings_table.remember(busy, TABLE, [WAITING])


def test_a_transaction_has_a_hundred_items() -> None:
    sent = Transactions()
    wanted = [transition(replace(RECORD, rule=f"AR{number}")) for number in range(101, 351)]
    assert claim(sent, TABLE, wanted) == tuple(wanted)
    assert [len(one) for one in sent.sent] == [100, 100, 50]
    assert [rule for one in sent.rules for rule in one] == rules(wanted)


def test_a_transaction_has_four_megabytes() -> None:
    """Of the longest messages a record keeps, in characters of four bytes."""
    long = tuple("\U0001f600" * 1000 for _ in range(20))
    sent = Transactions()
    wanted = [transition(replace(RECORD, rule=f"AR{number}", messages=long)) for number in range(101, 201)]
    assert claim(sent, TABLE, wanted) == tuple(wanted)
    sizes = [sum(len(json.dumps(put["Item"], ensure_ascii=False).encode()) for put in one) for one in sent.sent]
    assert [len(one) for one in sent.sent] == [49, 49, 2]
    assert max(sizes) <= 4_000_000


def test_what_is_lost_in_one_transaction_does_not_stop_the_next() -> None:
    wanted = [transition(replace(RECORD, rule=f"AR{number}")) for number in range(101, 203)]
    sent = Transactions([cancelled(*[FAILED] * 100), cancelled("None", FAILED), None])
    assert rules(claim(sent, TABLE, wanted)) == ["AR201"]
    assert [len(one) for one in sent.sent] == [100, 2, 1]


# Failures --------------------------------------------------------------------------------------------------------


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "TransactWriteItems")


WRITE_FAILURES = {
    "throttled": (refused("ThrottlingException"), "ThrottlingException"),
    "throttled inside": (cancelled("None", "ThrottlingError", FAILED), "TransactionCanceledException, ThrottlingError"),
    "denied": (refused("AccessDeniedException"), "AccessDeniedException"),
    "no table": (refused("ResourceNotFoundException"), "ResourceNotFoundException"),
    "no code": (ClientError({}, "TransactWriteItems"), "no error code"),
    "cancelled without reasons": (cancelled(), "TransactionCanceledException"),
    "cancelled for nothing": (cancelled("None", "None", "None"), "TransactionCanceledException"),
    "reasons of something else": (cancelled(FAILED), "TransactionCanceledException"),
    "no connection": (ConnectTimeoutError(endpoint_url="https://dynamodb.test"), "ConnectTimeoutError"),
    "no address": (EndpointConnectionError(endpoint_url="https://dynamodb.test"), "EndpointConnectionError"),
    "no credentials": (NoCredentialsError(), "NoCredentialsError"),
}


@pytest.mark.parametrize(("error", "code"), WRITE_FAILURES.values(), ids=WRITE_FAILURES)
def test_a_write_that_fails_names_the_table_the_action_and_the_code(error: Exception, code: str) -> None:
    said = f"the findings table findings cannot be written: dynamodb:TransactWriteItems failed ({code})"
    with pytest.raises(LedgerUnavailable) as claiming:
        claim(Transactions([error]), TABLE, THREE)
    with pytest.raises(LedgerUnavailable) as settling:
        findings_table.settle(Transactions([error]), TABLE, [one.record for one in THREE])
    assert [str(one.value) for one in (claiming, settling)] == [said, said]
    assert [one.value.__cause__ for one in (claiming, settling)] == [error, error]


def test_a_table_that_is_not_there_is_said_whatever_is_asked_of_it(items: Callable[[], object]) -> None:
    for ask, said in (
        (recorded(Reads(client), "gone", SHOP), "read: dynamodb:Query failed (ResourceNotFoundException)"),
        (all_recorded(Reads(client), "gone"), "read: dynamodb:Scan failed (ResourceNotFoundException)"),
        (
            lambda: claim(client, "gone", [transition(RECORD)]),
            "written: dynamodb:TransactWriteItems failed (ResourceNotFoundException)",
        ),
        (
            lambda: findings_table.settle(client, "gone", [replace(RECORD, version=2)]),
            "written: dynamodb:TransactWriteItems failed (ResourceNotFoundException)",
        ),
    ):
        with pytest.raises(LedgerUnavailable) as error:
            ask()
        assert str(error.value) == f"the findings table gone cannot be {said}"
    assert items() == []
