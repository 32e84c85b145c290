"""Security Hub findings: the format's model and limits, and one Id for the whole life of a finding."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert
from apprunner_guardrails.alerts.asff import batches, finding
from apprunner_guardrails.alerts.text import READ_HINT
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.ledger import Channel
from tests.unit.alerts.examples import ALERTS, EVENT_ID, OPENED, OWNER, SAME_RULE, SERVICE_ALERT
from tests.unit.alerts.hostile import ALERTS as HOSTILE_ALERTS
from tests.unit.alerts.hostile import texts
from tests.unit.alerts.shapes import faults, refused

type Json = dict[str, Any]

LIMIT = 240 * 1024
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LABEL = {"enum": ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]}
TYPES = {
    "type": "array",
    "minItems": 1,
    "maxItems": 50,
    "items": {"pattern": r"^(Software and Configuration Checks|TTPs|Effects)(/[^/]+){1,2}$"},
}


def sized(most: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": most}


# What the model does not say: docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html
SCHEMA = {
    "type": "object",
    "required": [
        *("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "UpdatedAt", "Title"),
        *("Description", "Resources", "Severity", "Types", "FindingProviderFields"),
    ],
    "not": {"anyOf": [{"required": [name]} for name in ("Workflow", "Note", "UserDefinedFields", "VerificationState")]},
    "properties": {
        "SchemaVersion": {"const": "2018-10-08"},
        "Id": sized(512),
        "ProductArn": sized(512),
        "GeneratorId": sized(512),
        "AwsAccountId": sized(12),
        "CreatedAt": TIME,
        "UpdatedAt": TIME,
        "FirstObservedAt": TIME,
        "Title": sized(256),
        "Description": sized(1024),
        "Severity": {"required": ["Label"], "properties": {"Label": LABEL}},
        "Types": TYPES,
        "FindingProviderFields": {
            "required": ["Severity", "Types"],
            "properties": {"Severity": {"properties": {"Label": LABEL}}, "Types": TYPES},
        },
        "Resources": {
            "type": "array",
            "minItems": 1,
            "maxItems": 32,
            "items": {
                "required": ["Type", "Id"],
                "properties": {"Id": sized(512), "Partition": {"enum": ["aws", "aws-cn", "aws-us-gov"]}},
            },
        },
        "Remediation": {"properties": {"Recommendation": {"properties": {"Text": sized(512)}}}},
        "ProductFields": {"maxProperties": 50, "additionalProperties": sized(2048)},
        "Compliance": {"properties": {"Status": {"enum": ["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"]}}},
        "RecordState": {"enum": ["ACTIVE", "ARCHIVED"]},
    },
}


def one(name: str) -> Json:
    alert = ALERTS[name].on(Channel.SECURITY_HUB)
    return cast("Json", finding(alert, alert.transitions[0]))


def security_hub_takes(told: object) -> None:
    assert refused("securityhub", "BatchImportFindings", {"Findings": [told]}) == ""
    assert faults(told, SCHEMA) == []
    found = cast("Json", told)
    recommendation = found["Remediation"]["Recommendation"]
    sizes = [len(text.encode()) for text in (found["Title"], found["Description"], recommendation["Text"])]
    assert [size <= most for size, most in zip(sizes, (256, 1024, 512), strict=True)] == [True] * 3  # bytes
    assert len(json.dumps(told).encode()) < LIMIT


@pytest.mark.parametrize("name", ALERTS)
def test_every_finding_is_of_the_format(name: str) -> None:
    for transition in ALERTS[name].transitions:
        security_hub_takes(finding(ALERTS[name], transition))


@given(HOSTILE_ALERTS)
@settings(max_examples=150, deadline=None)
def test_whatever_a_transition_holds_security_hub_takes_it(alert: Alert) -> None:
    for transition in alert.transitions:
        told = finding(alert, transition)
        security_hub_takes(told)
        assert all(text.isprintable() for text in texts(told))


@pytest.mark.parametrize(
    ("name", "state", "compliance"),
    [
        ("opened", "ACTIVE", "FAILED"),
        ("reopened", "ACTIVE", "FAILED"),
        ("exemption-expired", "ACTIVE", "FAILED"),
        ("changed", "ACTIVE", "FAILED"),
        ("not-judged", "ACTIVE", "NOT_AVAILABLE"),
        ("resolved", "ARCHIVED", "PASSED"),
        ("exempted", "ARCHIVED", "WARNING"),
    ],
)
def test_what_is_over_or_exempt_is_archived(name: str, state: str, compliance: str) -> None:
    assert (one(name)["RecordState"], one(name)["Compliance"]) == (state, {"Status": compliance})


def test_a_finding_keeps_its_id_and_others_have_others() -> None:
    names = ("opened", "reopened", "exemption-expired", "changed", "resolved", "exempted")
    assert len({one(name)["Id"] for name in names}) == 1
    alerts = (ALERTS["opened-several"], SERVICE_ALERT, SAME_RULE)
    others = [finding(alert, told)["Id"] for alert in alerts for told in alert.transitions]
    assert len(set(others)) == len(others)


def test_an_update_is_newer_than_what_it_updates() -> None:
    assert (one("resolved")["CreatedAt"], one("resolved")["UpdatedAt"]) == (
        "2026-11-13T09:00:00Z",
        "2026-11-21T09:00:00Z",
    )


@pytest.mark.parametrize("severity", Severity)
def test_a_severity_has_the_formats_label_and_our_word(severity: Severity) -> None:
    transition = OPENED.transitions[0]
    told = finding(OPENED, replace(transition, finding=replace(transition.finding, severity=severity)))
    label = "INFORMATIONAL" if severity is Severity.INFO else severity.value
    assert told["Severity"] == {"Label": label, "Original": severity.value}
    assert cast("Json", told["FindingProviderFields"])["Severity"] == told["Severity"]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_product_is_the_accounts_own_in_its_partition(partition: str) -> None:
    there = replace(OPENED, resource=OPENED.resource.replace("arn:aws:", f"arn:{partition}:"))
    told = finding(there, there.transitions[0])
    assert told["ProductArn"] == f"arn:{partition}:securityhub:eu-west-1:123456789012:product/123456789012/default"


def test_the_event_and_the_version_are_fields_of_the_product() -> None:
    fields, unknown = one("opened")["ProductFields"], finding(replace(OPENED, event_id=""), OPENED.transitions[0])
    assert fields["apprunner-guardrails/event-id"] == EVENT_ID
    assert fields["apprunner-guardrails/version"] == __version__
    del fields["apprunner-guardrails/event-id"]
    assert unknown["ProductFields"] == fields
    security_hub_takes(unknown)


@pytest.mark.parametrize(
    ("owner", "told"),
    [(OWNER, {"apprunner-guardrails/owner": OWNER}), ("", {}), ("\n", {"apprunner-guardrails/owner": "?"})],
    ids=["known", "unknown", "hostile"],
)
def test_the_owner_is_a_field_of_the_product(owner: str, told: Json) -> None:
    fields = one("opened")["ProductFields"]
    owned = finding(replace(OPENED, owner=owner), OPENED.transitions[0])
    security_hub_takes(owned)
    assert owned == {**one("opened"), "ProductFields": {**fields, **told}}


@pytest.mark.parametrize("char", ["x", "ü", "\U0001f4a5"])
def test_long_texts_are_cut_to_the_formats_limits(char: str) -> None:
    transition = OPENED.transitions[0]
    long = replace(transition.finding, title=char * 2000, messages=(char * 2000,), remediation=char * 2000)
    told = cast("Json", finding(OPENED, replace(transition, finding=long)))
    security_hub_takes(told)
    assert told["Title"].endswith("…")
    assert told["Description"].endswith("…")


@pytest.mark.parametrize("resource", ["arn:aws-mars:apprunner:x", "arn:awsome", "arn:aws\n:x", "", "x"])
def test_a_partition_that_the_format_does_not_know_is_not_told(resource: str) -> None:
    there = replace(OPENED, resource=resource)
    told = cast("Json", finding(there, there.transitions[0]))
    assert told["ProductArn"].startswith("arn:aws:securityhub:")
    assert told["Resources"][0]["Partition"] == "aws"


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("opened", "Other"),
        ("target-group-one", "Other"),
        ("load-balancer-opened", "AwsElbv2LoadBalancer"),
        ("api-opened", "AwsApiGatewayRestApi"),
    ],
)
def test_a_resource_has_the_formats_own_type_where_there_is_one(name: str, type_: str) -> None:
    (resource,) = one(name)["Resources"]
    kind = {"Name": ALERTS[name].resource_name, "Kind": ALERTS[name].resource_type}
    assert (resource["Type"], resource["Details"]) == (type_, {"Other": kind})


def test_what_could_not_be_judged_comes_with_what_to_do_about_it() -> None:
    assert one("not-judged")["Remediation"] == {"Recommendation": {"Text": READ_HINT}}


def test_a_finding_without_a_remedy_or_a_page_still_has_a_recommendation() -> None:
    """As of a rule that is switched off: its findings are over."""
    transition = OPENED.transitions[0]
    bare = replace(transition.finding, remediation="", reference="", name="", messages=())
    told = finding(OPENED, replace(transition, finding=bare))
    security_hub_takes(told)
    assert told["Remediation"] == {"Recommendation": {"Text": "See the alert for AR102"}}
    assert told["Description"] == "VPC connector uses a public subnet"


def test_a_hundred_findings_are_one_call() -> None:
    findings = [{"Id": str(number)} for number in range(201)]
    calls = list(batches(cast("list[dict[str, object]]", findings)))
    assert [len(call) for call in calls] == [100, 100, 1]
    assert [told for call in calls for told in call] == findings
