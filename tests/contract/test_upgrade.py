"""An upgrade keeps what was recorded: items as earlier versions wrote them, and the story that goes on with them.

The files in ledger/ have what was in the table when versions before 1.0.0 had told all of `world` at SEVEN and after:
an audit with its digest, a failed call, an update that does not show yet, and a new connector of which people could not
be told, as the topic took nothing. The newer of the two knew owners. Neither is made anew: what wrote them is gone.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from apprunner_guardrails.audit import NotAudited
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import SCHEMA, LedgerUnavailable, all_recorded
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.ledger import Record
from tests.aws import NOW, WRITES, Aws, audited, validated
from tests.samples import (
    CONNECTOR,
    SERVICE,
    SETTINGS,
    TABLE,
    Event,
    Row,
    Rows,
    connector,
    created_connector,
    healthy,
    public,
    refused_deletion,
    service_call,
    tag,
)

SEVEN = NOW - NOW % 86_400 + 7 * 3600  # in the morning, when the digest is told
LATER, NEXT_DAY = SEVEN + 1800, SEVEN + 86_400
OTHER, LATE = (CONNECTOR.replace("shop-web", name) for name in ("shop-api", "shop-job"))
CREATED = created_connector()
CREATED_LATE: Event = json.loads(json.dumps(CREATED).replace("shop-web", "shop-job"))
FILES = {path.stem: path for path in sorted((Path(__file__).parent / "ledger").glob("*.json"))}


def world() -> Rows:
    """Three connectors in public subnets, two of which are in one zone only; one of these is exempt."""
    made = public()
    made["VpcConnectors"] += [
        connector(OTHER, Subnets=["subnet-private-a"]),
        connector(LATE, Subnets=["subnet-private-b"]),
    ]
    made["Tags"] = [
        tag(CONNECTOR, "created-by", "mara.lind"),
        tag(OTHER, "apprunner-guardrails:exempt:AR101", "2026-12-31 @platform one zone until the move"),
    ]
    return made


@pytest.fixture(params=FILES.values(), ids=list(FILES))
def recorded(request: pytest.FixtureRequest) -> Rows:
    items: list[Row] = json.loads(request.param.read_text())
    return {**world(), "Items": items}


def mended(rows: Rows) -> Rows:
    return {**rows, "RouteTables": healthy()["RouteTables"], "Subnets": healthy()["Subnets"]}


def of(rows: Rows, *arns: str) -> list[tuple[str, str, str]]:
    """Resource, rule and state of the items."""
    found = [(one["resource"]["S"], one["rule"]["S"], one["state"]["S"]) for one in rows["Items"]]
    return sorted(one for one in found if one[0] in arns)


def schemas(rows: Rows) -> dict[tuple[str, str], str]:
    return {(one["resource"]["S"], one["rule"]["S"]): one.get("schema", {"N": "none"})["N"] for one in rows["Items"]}


def test_items_of_every_earlier_version_are_read(recorded: Rows) -> None:
    with Aws(recorded):
        stored = all_recorded(Reads(client), TABLE)()
    assert set(schemas(recorded).values()) == {"none"}
    assert (len(stored.records), stored.unreadable) == (8, ())
    owners = {one.owner for one in stored.records}
    assert owners == ({""} if "owner" not in recorded["Items"][0] else {"", "alice", "mara.lind"})


TOLD: Mapping[str, Event] = {
    "a connector": CREATED,
    "a call that failed": refused_deletion(),
    "an update": service_call("UpdateService", asks=OTHER),
}


@pytest.mark.parametrize("event", TOLD.values(), ids=list(TOLD))
def test_what_was_told_before_the_upgrade_is_not_told_again(event: Event, recorded: Rows) -> None:
    """A twin without records shows that there is something to tell."""
    again = validated(event, recorded, now=LATER)
    assert (again.aws.told, again.aws.published, again.aws.sent(WRITES)) == ([], [], [])
    assert validated(event, world(), now=LATER).aws.published != []


def test_what_was_owed_before_the_upgrade_is_told_once_and_where_it_was_owed(recorded: Rows) -> None:
    first, second = (validated(CREATED_LATE, recorded, now=LATER + minute) for minute in (0, 60))
    assert [one["Subject"] for one in first.aws.published] == [
        "[HIGH] AR102 AR101: VPC connector shop-job in 123456789012 us-east-1"
    ]
    assert (first.aws.told, second.aws.published) == ([], [])


def test_an_audit_after_the_upgrade_tells_only_what_is_new_and_no_second_digest(recorded: Rows) -> None:
    validated(CREATED_LATE, recorded, now=LATER)
    first, second = (audited(recorded, now=LATER + minute) for minute in (60, 120))
    assert (first.aws.told, second.aws.told, second.aws.published) == (["shop-job AR301 opened"], [], [])
    assert ("digest" in str(first.aws.published)) is False
    assert of(recorded, OTHER) == [
        (OTHER, "AR101", "exempt"),
        (OTHER, "AR102", "open"),
        (OTHER, "AR301", "open"),
    ]


def test_what_is_mended_after_the_upgrade_is_told_once_as_resolved(recorded: Rows) -> None:
    rows = mended(recorded)
    first, second = (validated(CREATED, rows, now=LATER + minute) for minute in (0, 60))
    assert (first.aws.told, second.aws.told) == (["shop-web AR102 resolved"], [])
    (message,) = first.aws.published
    assert "Over: it was open since 2026-11-18T07:00:00Z, for 30 minutes" in message["Message"]
    written = {key: schema for key, schema in schemas(rows).items() if schema != "none"}
    assert written == {(CONNECTOR, "AR102"): str(SCHEMA)}


def test_the_next_digest_lists_what_was_recorded_before_the_upgrade(recorded: Rows) -> None:
    audited(recorded, now=LATER)
    digest = audited(recorded, now=NEXT_DAY).aws.published[-1]
    assert digest["Subject"].startswith("[DIGEST] ")
    listed = [line for line in digest["Message"].splitlines() if " since " in line]
    assert sorted((line.split()[2], line.split(", ")[1].split(":")[5].split("/")[1]) for line in listed) == [
        ("AR101", "shop-job"),
        ("AR102", "shop-api"),
        ("AR102", "shop-job"),
        ("AR102", "shop-web"),
        ("AR301", "shop-api"),
        ("AR301", "shop-job"),
        ("AR410", "shop"),
    ]


# Newer than known ----------------------------------------------------------------------------------------------------

NEWER: Mapping[str, Mapping[str, str]] = {"schema": {"N": str(SCHEMA + 1)}}


def of_newer(rows: Rows, arn: str) -> Rows:
    items = [{**one, **NEWER} if one["resource"]["S"] == arn else one for one in rows["Items"]]
    return {**rows, "Items": items}


def test_what_a_newer_version_wrote_fails_the_event_and_stays_as_it_is(recorded: Rows) -> None:
    rows = mended(of_newer(recorded, CONNECTOR))
    before = json.dumps(rows["Items"])
    with pytest.raises(LedgerUnavailable) as raised:
        validated(CREATED, rows, now=LATER)
    assert str(raised.value) == (
        f"the findings table's item {CONNECTOR} AR102 cannot be read: ValueError it is of schema {SCHEMA + 1}, and this"
        f" version knows none after {SCHEMA}: a newer one wrote it"
    )
    assert json.dumps(rows["Items"]) == before


def test_an_audit_leaves_alone_what_a_newer_version_wrote_tells_the_rest_and_fails(recorded: Rows) -> None:
    rows = mended(of_newer(recorded, CONNECTOR))
    kept = [one for one in rows["Items"] if one["resource"]["S"] == CONNECTOR]
    why = f"{CONNECTOR} AR102: ValueError it is of schema {SCHEMA + 1}"
    with pytest.raises(NotAudited, match=why):
        audited(rows, now=LATER)
    assert [one for one in rows["Items"] if one["resource"]["S"] == CONNECTOR] == kept
    assert (OTHER, "AR102", "resolved") in of(rows, OTHER)


# Rolled back ---------------------------------------------------------------------------------------------------------


def test_an_item_has_all_that_the_version_before_reads_in_the_same_form(recorded: Rows) -> None:
    """So it can be rolled back to: attributes that it does not know it leaves out."""
    earlier = {name: set(value) for name, value in recorded["Items"][0].items()}
    validated(CREATED, rows := mended(recorded), now=LATER)
    (item,) = (one for one in rows["Items"] if "schema" in one)
    assert {name: set(item[name]) for name in earlier} == earlier
    assert set(item) - {one.name for one in fields(Record)} == {"schema", "expires"}


def test_a_version_that_was_rolled_back_to_and_wrote_without_a_schema_is_read(recorded: Rows) -> None:
    rows = mended(recorded)
    validated(CREATED, rows, now=LATER)
    for one in rows["Items"]:
        one.pop("schema", None)
    opened = {**rows, "RouteTables": public()["RouteTables"]}
    assert validated(CREATED, opened, now=LATER + 60).aws.told == ["shop-web AR102 reopened"]


def test_what_this_version_records_it_reads_as_it_was() -> None:
    rows = world()
    audited(rows, settings=replace(SETTINGS, digest_hour=None), now=SEVEN)
    assert set(schemas(rows).values()) == {str(SCHEMA)}
    assert {one[0] for one in schemas(rows)} == {CONNECTOR, OTHER, LATE} - {SERVICE}
    again = audited(rows, settings=replace(SETTINGS, digest_hour=None), now=LATER)
    assert (again.aws.told, again.aws.sent(WRITES)) == ([], [])
