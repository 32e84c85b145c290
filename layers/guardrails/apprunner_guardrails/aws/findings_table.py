"""DynamoDB: what is recorded of findings, one item a ledger.Record. Keys: `resource`, `rule` (S); TTL: `expires`; what
the attributes mean: `schema`.

It takes dynamodb:Query, dynamodb:Scan and dynamodb:PutItem: a transaction of Puts needs what a Put needs
(docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.batches import batched_by_size
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import Channel, Kind, Record, State, Transition, is_finding
from apprunner_guardrails.light import dataclass, names, replace
from apprunner_guardrails.once import once

if TYPE_CHECKING:
    from typing import Any

    type Item = Mapping[str, Any]  # as botocore has it: {"resource": {"S": "arn:…"}, "version": {"N": "3"}}
    type Put = Mapping[str, Any]

# Limits of one transaction; its items may have 4 MB together, and what they are measured by here is a little more.
_ITEMS = 100
_BYTES = 4_000_000
_PATIENCE = 4  # who read before a claim was made may still be trying to make the same one when it is settled
_OVERTAKEN = "ConditionalCheckFailed"
_CONFLICT = "TransactionConflict"
PLACES = "places"  # the table's index of what is recorded of members, by their place
# What items are written as, and the most that is understood; docs/architecture.md says when it is raised. Items without
# a number are of schema 1, which version 0 wrote: some of them have no owner, and none a place.
SCHEMA = 2


class LedgerUnavailable(Exception):
    """The findings table could not be read or written; the text names it, the action and AWS's code.

    The invocation must fail, so that it is tried again: without the table nobody knows what was told.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """An item that this version cannot read, such as one that a newer version wrote before it was rolled back."""

    resource: str
    rule: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """All findings' records, by resource and rule. A resource with an item that cannot be read is to be left alone,
    loudly: its findings would be told twice or not at all."""

    records: tuple[Record, ...]
    unreadable: tuple[Unreadable, ...]
    beside: tuple[Record, ...] = ()  # what is remembered of no resource: calls that were explained, audits of members

    def of(self, resource: str) -> tuple[Record, ...]:
        """A resource's records. Raises LedgerUnavailable where one of them cannot be read."""
        for odd in self.unreadable:
            if odd.resource == resource:
                raise LedgerUnavailable(f"the findings table's item {resource} {odd.rule} cannot be read: {odd.why}")
        return self.readable(resource)

    def readable(self, resource: str) -> tuple[Record, ...]:
        """Those of a resource's records that can be read."""
        return _by_resource(self.records).get(resource, ())


@once
def _by_resource(records: tuple[Record, ...]) -> Mapping[str, tuple[Record, ...]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for one in records:
        found[one.resource].append(one)
    return {resource: tuple(some) for resource, some in found.items()}


def recorded(reads: Reads, table: str, resource: str) -> Callable[[], tuple[Record, ...]]:
    """Ask what is recorded of a resource; what is returned waits for it, and raises LedgerUnavailable.

    To be asked before the resource itself is read: then whoever read it later, and wrote first, makes a claim fail. As
    all that Reads asks, it is asked once: look again, after a claim was lost, with other Reads.
    """
    asked = reads.ask(
        "dynamodb",
        "Query",
        _stored,
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#resource = :resource",
        ExpressionAttributeNames={"#resource": "resource"},  # a reserved word
        ExpressionAttributeValues={":resource": {"S": _storable(resource)}},
    )

    def wait() -> tuple[Record, ...]:
        return _told(table, asked()).of(resource)

    return wait


def all_recorded(reads: Reads, table: str, place: str | None = "") -> Callable[[], Stored]:
    """Ask for every finding's record, of a place (`members.Place.key`) or, with None, of all; what is returned waits
    for it, and raises LedgerUnavailable.

    What is recorded of a member is read by the index of places, which is some moments behind: a claim that rests on
    what is no longer so is lost, and the resource's own records are read then.
    """
    asked = _asked_for_member(reads, table, place) if place else _asked_for_all(reads, table, at_home=place == "")

    def wait() -> Stored:
        stored = _told(table, asked())
        beside = tuple(one for one in stored.records if not is_finding(one))
        return replace(stored, records=tuple(filter(is_finding, stored.records)), beside=beside)

    return wait


def _asked_for_all(reads: Reads, table: str, *, at_home: bool) -> Callable[[], Stored | Unread]:
    """Or without those of members, which alone have a place: also where there are none any more."""
    without: dict[str, object] = {
        "FilterExpression": "attribute_not_exists(#place)",
        "ExpressionAttributeNames": {"#place": "place"},
    }
    return reads.ask("dynamodb", "Scan", _stored, TableName=table, ConsistentRead=True, **(without if at_home else {}))


def _asked_for_member(reads: Reads, table: str, place: str) -> Callable[[], Stored | Unread]:
    return reads.ask(
        "dynamodb",
        "Query",
        _stored,
        TableName=table,
        IndexName=PLACES,
        KeyConditionExpression="#place = :place",
        ExpressionAttributeNames={"#place": "place"},
        ExpressionAttributeValues={":place": {"S": place}},
    )


def claim(
    client: Callable[[str], BaseClient], table: str, transitions: Iterable[Transition], place: str = ""
) -> tuple[Transition, ...]:
    """Write what is to be told before it is told. Those that are returned are the caller's to tell, and to settle.

    `place` is where all of it is (`members.Place.key`).

    The others are lost: somebody wrote since `before` was read, or is just writing. What they wrote is not known, nor
    whether they come through, so that the resource has to be looked at again. Raises LedgerUnavailable; what was
    claimed before that is anybody's when the lease is over.
    """
    wanted = tuple(transitions)
    puts = [_put(table, replace(one.record, place=place), one.before.version if one.before else None) for one in wanted]
    won = _written(client, table, puts, patience=0)
    return tuple(one for number, one in enumerate(wanted) if number in won)


def settle(client: Callable[[str], BaseClient], table: str, records: Iterable[Record], place: str = "") -> None:
    """Write what was told (`ledger.settled`). What somebody else took over since it was claimed stays as they have it.

    Raises LedgerUnavailable: it will be told again.
    """
    puts = [_put(table, replace(record, place=place), record.version - 1) for record in records]
    _written(client, table, puts, patience=_PATIENCE)


def remember(client: Callable[[str], BaseClient], table: str, records: Iterable[Record]) -> None:
    """Write what nobody is told, such as that a target group waits. What somebody else wrote since stays as it is.

    Raises LedgerUnavailable.
    """
    _written(client, table, [_put(table, record, record.version - 1 or None) for record in records], patience=_PATIENCE)


def _told(table: str, answer: Stored | Unread) -> Stored:
    if isinstance(answer, Unread):
        raise LedgerUnavailable(f"the findings table {table} cannot be read: {answer}")
    return answer


def _written(client: Callable[[str], BaseClient], table: str, puts: Sequence["Put"], patience: int) -> set[int]:
    """The numbers of those that were written; the conditions of the others do not hold.

    With `patience` one that another transaction is writing just now is tried again at once, that many times before it
    is an error; without, it is left out too.
    """
    again = {"None", _CONFLICT} if patience else {"None"}
    written: set[int] = set()
    for chunk in batched_by_size([_size(put) for put in puts], most=_ITEMS, limit=_BYTES):
        left, conflicts = list(chunk), 0
        while left and (reasons := _refused(client, table, [puts[number] for number in left])):
            conflicts += _CONFLICT in reasons
            if patience and conflicts > patience:
                raise LedgerUnavailable(_failed(table, _CONFLICT))
            left = [number for number, reason in zip(left, reasons, strict=True) if reason in again]
        written.update(left)
    return written


def _refused(client: Callable[[str], BaseClient], table: str, puts: Sequence["Put"]) -> tuple[str, ...]:
    """Write all or nothing: nothing comes back, or one code a Put (`None` where it is not at fault)."""
    try:
        # The token that makes botocore's own tries one transaction is botocore's; each call here has another.
        client("dynamodb").transact_write_items(TransactItems=[{"Put": put} for put in puts])  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no error code")
        reasons = tuple(str(reason.get("Code")) for reason in _cancelled(error))
        others = sorted(set(reasons) - {"None", _OVERTAKEN, _CONFLICT})
        if code != "TransactionCanceledException" or others or not set(reasons) - {"None"} or len(reasons) != len(puts):
            raise LedgerUnavailable(_failed(table, ", ".join((code, *others)))) from error
        return reasons
    except BotoCoreError as error:
        raise LedgerUnavailable(_failed(table, type(error).__name__)) from error
    return ()


def _cancelled(error: ClientError) -> Sequence[Mapping[str, object]]:
    reasons: Sequence[Mapping[str, object]] = error.response.get("CancellationReasons", ())
    return reasons


def _failed(table: str, code: str) -> str:
    return f"the findings table {table} cannot be written: dynamodb:TransactWriteItems failed ({code})"


def _size(put: "Put") -> int:
    return len(json.dumps(put["Item"], ensure_ascii=False).encode())


def _put(table: str, record: Record, before: int | None) -> "Put":
    """A Put that holds only while the item's version is `before`; None: while there is no item."""
    put = {"TableName": table, "Item": _item(record)}
    if before is None:
        return put | {
            "ConditionExpression": "attribute_not_exists(#resource)",
            "ExpressionAttributeNames": {"#resource": "resource"},
        }
    return put | {
        "ConditionExpression": "#version = :before",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":before": {"N": str(before)}},
    }


def _item(record: Record) -> "Item":
    """Every field of the record under its name, `owed` as "" for nothing; the schema; when DynamoDB may forget it. The
    place only where it is a member's: what has none is not in the index of places."""
    item = {name: _value(getattr(record, name)) for name in names(record)} | {"schema": _value(SCHEMA)}
    if not record.place:
        del item["place"]
    return item | ({"expires": {"N": str(record.expires)}} if record.expires else {})


def _value(value: str | int | tuple[str, ...] | None) -> Mapping[str, object]:
    match value:
        case int():
            return {"N": str(value)}
        case tuple():
            return {"L": [{"S": _storable(one)} for one in value]}
        case _:
            return {"S": _storable(value or "")}


def _storable(text: str) -> str:
    """DynamoDB takes UTF-8, which has no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _stored(pages: "Sequence[Mapping[str, Any]]") -> Stored:
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    for item in sorted((item for page in pages for item in page["Items"]), key=_key):
        try:
            records.append(_record(item))
        except (AttributeError, LookupError, TypeError, ValueError) as odd:
            resource, rule = _key(item)
            unreadable.append(Unreadable(resource=resource, rule=rule, why=f"{type(odd).__name__} {odd}"))
    return Stored(records=tuple(records), unreadable=tuple(unreadable))


def _key(item: "Item") -> tuple[str, str]:
    return item["resource"]["S"], item["rule"]["S"]


def _record(item: "Item") -> Record:
    """Attributes that this version does not know are left out, and so are channels: it could not tell there. Raises
    ValueError for an item of a newer schema, whose attributes may mean something else."""

    def text(name: str) -> str:
        return str(item[name]["S"])

    def number(name: str) -> int:
        return int(item[name]["N"])

    def texts(name: str) -> tuple[str, ...]:
        return tuple(str(one["S"]) for one in item[name]["L"])

    schema = number("schema") if "schema" in item else 1
    if schema > SCHEMA:
        raise ValueError(f"it is of schema {schema}, and this version knows none after {SCHEMA}: a newer one wrote it")
    return Record(
        resource=text("resource"),
        rule=text("rule"),
        state=State(text("state")),
        severity=Severity(text("severity")),
        messages=texts("messages"),
        faults=texts("faults"),
        first_seen=number("first_seen"),
        last_seen=number("last_seen"),
        last_alerted=number("last_alerted"),
        who=text("who"),
        exempt_until=text("exempt_until"),
        exempt_by=text("exempt_by"),
        owner=str(item.get("owner", {}).get("S", "")),  # not there in what older versions wrote
        place=str(item.get("place", {}).get("S", "")),  # nor is this
        owed=Kind(text("owed")) if text("owed") else None,
        owed_to=tuple(Channel(one) for one in texts("owed_to") if one in Channel),
        leased_until=number("leased_until"),
        version=number("version"),
    )
