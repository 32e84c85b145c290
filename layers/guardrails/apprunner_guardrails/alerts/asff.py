"""Alerts as findings of AWS Security Hub: the AWS Security Finding Format, for BatchImportFindings.

Limits: 100 findings a call, 240 KB a finding (docs.aws.amazon.com/securityhub/1.0/APIReference/
API_BatchImportFindings.html); texts are cut in bytes, since the page does not say what it counts. A finding keeps its
Id for ever: what is imported again under it is an update, where UpdatedAt is newer. What people do with a finding
(Workflow, Note) is theirs.
"""

from collections.abc import Iterator, Sequence
from itertools import batched

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import Alert, safe
from apprunner_guardrails.alerts._common import cut, finding_id, marked, story
from apprunner_guardrails.alerts.kinds import kind_of
from apprunner_guardrails.alerts.text import READ_HINT
from apprunner_guardrails.findings import NOT_JUDGED, Severity
from apprunner_guardrails.ledger import Kind, Transition
from apprunner_guardrails.times import utc

FINDINGS = 100  # a call
TITLE_LIMIT, DESCRIPTION_LIMIT, RECOMMENDATION_LIMIT, VALUE_LIMIT, URL_LIMIT = 256, 1024, 512, 500, 500  # bytes
TYPES = ["Software and Configuration Checks/AWS Security Best Practices"]
PRODUCT = "apprunner-guardrails"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")  # the format knows no others
_LABELS = {Severity.INFO: "INFORMATIONAL"}

type Json = dict[str, object]


def finding(alert: Alert, transition: Transition) -> Json:
    """One transition of an alert."""
    told, record = transition.finding, transition.record
    label = _LABELS.get(told.severity, told.severity.value)
    over = transition.kind in (Kind.RESOLVED, Kind.EXEMPTED)
    partition = next((one for one in PARTITIONS if alert.resource.startswith(f"arn:{one}:")), PARTITIONS[0])
    product = f"arn:{partition}:securityhub:{alert.region}:{alert.account}:product/{alert.account}/default"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"{PRODUCT}/{told.rule}/{finding_id(told)}",
        "ProductArn": _line(product, 512),
        "GeneratorId": f"{PRODUCT}/{told.rule}",
        "AwsAccountId": _line(alert.account, 12),
        "Types": TYPES,
        "FirstObservedAt": utc(record.first_seen),
        "CreatedAt": utc(record.first_seen),
        "UpdatedAt": utc(record.last_seen),
        "Severity": {"Label": label, "Original": told.severity.value},
        "FindingProviderFields": {"Severity": {"Label": label, "Original": told.severity.value}, "Types": TYPES},
        "Title": _line(f"{told.rule} {told.title}: {alert.resource_type} {alert.resource_name}", TITLE_LIMIT),
        "Description": _line("; ".join((*story(transition), *marked(transition))) or told.title, DESCRIPTION_LIMIT),
        "Remediation": {"Recommendation": _recommendation(transition)},
        "ProductFields": {
            f"{PRODUCT}/rule": told.rule,
            f"{PRODUCT}/transition": transition.kind.value,
            f"{PRODUCT}/event": _line(alert.what, VALUE_LIMIT),
            **({f"{PRODUCT}/event-id": _line(alert.event_id, VALUE_LIMIT)} if alert.event_id else {}),
            f"{PRODUCT}/version": __version__,
            **({f"{PRODUCT}/owner": _line(alert.owner, VALUE_LIMIT)} if alert.owner else {}),
        },
        "Resources": [
            {
                "Type": kind_of(alert.resource).security_hub,
                "Id": _line(alert.resource, 512),
                "Partition": partition,
                "Region": _line(alert.region, 64),
                "Details": {"Other": {"Name": _line(alert.resource_name, VALUE_LIMIT), "Kind": alert.resource_type}},
            }
        ],
        "Compliance": {"Status": _compliance(transition)},
        "RecordState": "ARCHIVED" if over else "ACTIVE",
    }


def batches(findings: Sequence[Json]) -> Iterator[tuple[Json, ...]]:
    """The findings in their order, as many together as one call of BatchImportFindings takes."""
    return batched(findings, FINDINGS, strict=False)


def _compliance(transition: Transition) -> str:
    if transition.kind is Kind.RESOLVED:
        return "PASSED"
    if transition.kind is Kind.EXEMPTED:
        return "WARNING"
    return "NOT_AVAILABLE" if transition.finding.rule == NOT_JUDGED else "FAILED"


def _recommendation(transition: Transition) -> Json:
    told = transition.finding
    remedy = READ_HINT if told.rule == NOT_JUDGED else told.remediation or f"See the alert for {told.rule}"
    text: Json = {"Text": _line(remedy, RECOMMENDATION_LIMIT)}
    return text | ({"Url": cut(told.reference, URL_LIMIT)} if told.reference else {})


def _line(text: str, limit: int) -> str:
    """One line, and never an empty one: the format refuses those."""
    return cut(safe(text, 2 * limit), limit).strip() or "?"
