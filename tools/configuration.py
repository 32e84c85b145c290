"""docs/configuration.md: every parameter of template.yaml and organization.yaml, by what somebody wants to do."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from replay.template import TEMPLATE

ORGANIZATION = TEMPLATE.parent / "organization.yaml"

HEAD = """\
<!-- Written by `make docs` from the parameters of template.yaml and organization.yaml, and tools/configuration.py. -->

# Configuration

What the guardrails do is set by parameters of their stack. Each has a default; what a deployment does not name stays
as it is:

```console
sam deploy --parameter-overrides OpsEmail=oncall@example.com RequirePrivateIngress=true
```

SAM reads values once more after the shell has. So values with spaces or quotation marks, and empty ones, take
quotation marks of their own, and in them those of JSON are escaped:

```console
sam deploy --parameter-overrides 'AuditSchedule="rate(2 hours)"' 'CreatedAtTag=""' 'RequiredTags="*"'
sam deploy --parameter-overrides 'DefaultTags="{\\"team\\": \\"platform\\"}"'
```

`sam deploy --guided` asks for each, and takes them as they are. A value that is not understood is refused before
anything is changed. Lambda gives a function 4 KB for all of them: `RuleOverrides`, `DefaultTags` and `RequiredTags` of
a kilobyte and more each do not fit together.
"""

# What somebody wants who should set it. `make docs` says which are missing.
GOALS: Mapping[str, str] = {
    "AlertEmail": "hear of findings by e-mail",
    "ChatNotifications": "hear of them in Slack or Microsoft Teams",
    "SecurityHubImport": "have them in AWS Security Hub",
    "ReminderDays": "be reminded sooner or later of what stays open",
    "DigestHour": "get the digest at another hour, or none",
    "RuleOverrides": "switch a rule off, or change its severity",
    "MinConnectorZones": "ask connectors for fewer zones, or more",
    "UnsupportedZoneIds": "say which zones App Runner refuses",
    "MinFreeAddresses": "hear sooner or later that addresses run out",
    "RequireInternetEgress": "let connectors do without a way to the internet",
    "RequiredEndpointServices": "have those reach certain AWS services by endpoints",
    "RequireVpcEgress": "have what services send go through a VPC",
    "RequirePrivateIngress": "have no service on the internet",
    "RequireObservability": "ask services for traces",
    "MaxUnhealthyThreshold": "limit the health checks that a service may miss",
    "RequiredAddressType": "ask services for IPv4 alone, or for both",
    "RequiredTags": "ask services and connectors for tags",
    "RequireApiAccessLogs": "ask APIs for access logs",
    "RequireApiTracing": "ask REST APIs for traces",
    "RequireApiAuthorization": "ask APIs that callers be authorized",
    "VpcLinkWaitMinutes": "hear sooner or later of a VPC link that stays pending",
    "SyncPolicy": "see what the sync of targets would do, or never have it take one off",
    "SyncSchedule": "look at all targets more often, or less",
    "SyncWaitMinutes": "hear sooner or later that a target is held",
    "DrainDeletedEndpoints": "empty the target group of an endpoint that was deleted",
    "CreatedByTag": "name the tag of the creator otherwise, or have none",
    "CreatedAtTag": "the same of the time",
    "CreatedWithTag": "the same of the tool",
    "DefaultTags": "put further tags on what is created",
    "EmailsInTags": "have whole e-mail addresses in tags",
    "OrganizationId": "guard other accounts and Regions too",
    "MemberRoleName": "name the role that reads there otherwise",
    "MemberExternalId": "keep others from that role",
    "AuditSchedule": "audit more often, or less",
    "OpsEmail": "hear of the guardrails' own troubles by e-mail",
    "AuditAlarmHours": "hear sooner or later that audits have stopped",
    "SyncAlarmHours": "hear sooner or later that syncs have stopped",
    "KeyArn": "encrypt with a key of your own",
    "Architecture": "run on Arm processors",
    "LogLevel": "log more",
    "LogRetentionDays": "keep logs for longer, or not so long",
    "AwsEndpointUrl": "run the functions against an emulated AWS",
    "GuardedEndpointUrl": "have only the services that are guarded emulated there",
}

# Where a group of parameters is explained.
PAGES: Mapping[str, str] = {
    "Alerts": "alerts.md",
    "Rules": "alerts.md#switching-rules-off-and-other-severities",
    "What a connector must have": "rules.md",
    "What a service must have": "rules.md",
    "What an API before a private service must have": "rules.md",
    "Targets of NLBs": "targets.md",
    "Ownership tags": "tags.md",
    "Members of an organization": "organization.md",
    "Operation": "operations.md",
}


class NoGoal(ValueError):
    """Parameters and goals do not go together; the text names those that are alone."""


def page() -> Iterator[str]:
    """The page's lines. Raises NoGoal."""
    template = _read(TEMPLATE)
    if alone := sorted(template["Parameters"].keys() ^ GOALS.keys()):
        raise NoGoal(f"GOALS in tools/configuration.py and the parameters of template.yaml: {', '.join(alone)}")
    yield from HEAD.splitlines()
    for label, names in _groups(template):
        yield from ("", f"## {label}", "")
        if label in PAGES:
            yield from (f"[{PAGES[label].partition('#')[0]}]({PAGES[label]}) says more.", "")
        yield from ("| To | set | from | to | Meaning |", "| --- | --- | --- | --- | --- |")
        yield from (f"| {GOALS[name]} | {_row(name, template['Parameters'][name])}" for name in names)
    yield from ("", "## In the accounts of an organization", "")
    yield "Parameters of organization.yaml, which [organization.md](organization.md#set-it-up) deploys."
    members = _read(ORGANIZATION)
    yield from ("", "| Set | from | to | Meaning |", "| --- | --- | --- | --- |")
    for _, names in _groups(members):
        yield from (f"| {_row(name, members['Parameters'][name])}" for name in names)


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml_parse(path.read_text())  # type: ignore[no-untyped-call]  # not annotated by SAM
    return read


def _groups(template: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """As the console shows them."""
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        yield group["Label"]["default"], group["Parameters"]


def _row(name: str, parameter: Mapping[str, str]) -> str:
    default = str(parameter.get("Default", "nothing: it is asked for"))
    before = f"`{default}`" if "Default" in parameter and default else default or "empty"
    cells = (f"`{name}`", before, _takes(name, parameter), parameter["Description"])
    return " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _takes(name: str, parameter: Mapping[str, str]) -> str:
    """What CloudFormation says when it refuses a value, without the words around it."""
    return parameter["ConstraintDescription"].removeprefix(f"{name} must be ").removesuffix(".")
