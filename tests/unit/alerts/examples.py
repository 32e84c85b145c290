"""What the renderings are shown with: one connector's findings through their whole life, made by the ledger itself.

And a target group's, as its rules make them, and those of the other resources of a private path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from apprunner_guardrails.alerts import Alert, Explanation
from apprunner_guardrails.alerts.digest import Digest, PathLine, digest
from apprunner_guardrails.alerts.kinds import kind_of, resource_name
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.findings import Exemption, Finding, Severity, Status
from apprunner_guardrails.ledger import Channel, Record, Terms, Transition, plan, settled
from apprunner_guardrails.rules.private_paths import TARGET_GROUP_RULES
from apprunner_guardrails.tell import not_judged
from tests.cases import KINDS, NO_NETWORK, Change
from tests.cases import _healthy_path as path
from tests.cases._healthy import (
    ACCOUNT,
    GROUP_ARN,
    REGION,
    healthy,
    held,
    not_registered,
    overdue,
    register,
    set_targets,
    target,
)

NOW = 1_795_251_600  # 2026-11-21T09:00:00Z
DAY = 86_400
CONNECTOR = "arn:aws:apprunner:eu-west-1:123456789012:vpcconnector/shop-web/1/0123456789abcdef"
SERVICE = "arn:aws:apprunner:eu-west-1:123456789012:service/shop/fedcba9876543210"
PUBLIC = Finding(
    resource=CONNECTOR,
    rule="AR102",
    name="connector_public_subnet",
    title="VPC connector uses a public subnet",
    severity=Severity.HIGH,
    status=Status.FAIL,
    messages=("subnet-1 (euw1-az1) is public", "subnet-2 (euw1-az2) is public"),
    risk="Outbound calls time out.",
    remediation="Use private subnets.",
    command="aws apprunner create-vpc-connector\naws apprunner delete-vpc-connector",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html",
)
OPEN_EGRESS = replace(
    PUBLIC,
    rule="AR203",
    name="connector_open_egress",
    title="VPC connector's security group lets everything out",
    severity=Severity.LOW,
    messages=("sg-1 allows all protocols and ports to 0.0.0.0/0",),
    risk="A service that is taken over can send anything anywhere.",
    remediation="Allow what the service calls.",
    command="",
)
NO_EGRESS = replace(PUBLIC, rule="AR202", name="connector_no_egress", title="No way out", messages=("none",))
DNS_OK = replace(PUBLIC, rule="AR111", name="connector_vpc_dns_off", status=Status.PASS, messages=(), command="")
UNREAD = replace(
    DNS_OK, status=Status.UNKNOWN, severity=Severity.MEDIUM, unread="ec2:DescribeVpcAttribute failed (Throttling)"
)
BROKEN = replace(
    DNS_OK, rule="AR112", name="connector_acl_blocks_egress", status=Status.ERROR, unread="KeyError: 'x\ny'"
)
EXEMPTION = Exemption(rule="AR102", until="2026-12-31", owner="@net-team", reason="moves with the new VPC")
OWNER = "NetworkEngineer/jonas.weber"
EVENT_ID = "2c1b6f0e-9d3a-4c55-8f17-5a0e6b7c8d9e"
CALLER = Caller(name="role deploy alice", tool="Terraform", address="192.0.2.7")


def passed(finding: Finding) -> Finding:
    return replace(finding, status=Status.PASS, messages=(), command="", exemption=None)


def exempt(finding: Finding, **changes: str) -> Finding:
    return replace(finding, status=Status.EXEMPT, exemption=replace(EXEMPTION, rule=finding.rule, **changes))


def terms(now: int = NOW, reminder_seconds: int = 7 * DAY) -> Terms:
    return Terms(now=now, who="alice with Terraform", channels=tuple(Channel), reminder_seconds=reminder_seconds)


def follows(now: int, *answers: Finding, recorded: Iterable[Record] = ()) -> tuple[Transition, ...]:
    """What the ledger makes of the answers."""
    return plan(answers, recorded, terms(now)).transitions


def recorded(now: int, *answers: Finding, before: Iterable[Record] = ()) -> tuple[Record, ...]:
    """What is on record once all of it was told."""
    return tuple(settled(one, one.channels, now) for one in follows(now, *answers, recorded=before))


def alert(*transitions: Transition, unjudged: tuple[Finding, ...] = (), standing: tuple[Finding, ...] = ()) -> Alert:
    return Alert(
        resource=CONNECTOR,
        resource_name="shop-web",
        resource_type="VPC connector",
        account="123456789012",
        region="eu-west-1",
        event_id=EVENT_ID,
        what="CreateVpcConnector",
        caller=CALLER,
        time="2026-11-21T09:00:00Z",
        transitions=transitions,
        unjudged=unjudged,
        standing=standing,
    )


def of_group() -> tuple[Finding, ...]:
    """What the rules say of a target group of which nothing is right."""
    snapshot = healthy()
    for change in (
        not_registered("10.0.2.10"),
        register(target("10.0.9.9", "us-east-1b")),
        held(target("10.0.9.8", "us-east-1a"), "no wanted target in us-east-1a is healthy yet"),
        set_targets(state="unhealthy", reason="Target.FailedHealthChecks"),
        overdue(),
    ):
        snapshot = change(snapshot)
    return evaluate(TARGET_GROUP_RULES, GROUP_ARN, snapshot.group, NO_NETWORK, snapshot.settings)


def group_alert(*transitions: Transition, standing: tuple[Finding, ...] = ()) -> Alert:
    return replace(
        alert(*transitions, standing=standing),
        resource=GROUP_ARN,
        resource_name="orders",
        resource_type="target group",
        account=ACCOUNT,
        region=REGION,
        what="ModifyVpcEndpoint",
    )


def on_path(kind: str, rules: str, *changes: Change) -> tuple[Finding, ...]:
    """What some rules say of an interface, an ingress connection … of the healthy snapshot with some changes."""
    snapshot = healthy()
    for change in changes:
        snapshot = change(snapshot)
    asked = [rule for rule in KINDS[kind] if rule.id in rules.split()]
    subject = getattr(snapshot, kind)
    return evaluate(asked, subject.arn, subject, NO_NETWORK, snapshot.settings)


def path_alert(*transitions: Transition) -> Alert:
    resource = transitions[0].finding.resource
    return replace(
        alert(*transitions),
        resource=resource,
        resource_name=resource_name(resource),
        resource_type=kind_of(resource).word,
        account=ACCOUNT,
        region=REGION,
        what="scheduled audit",
        caller=Caller(),
    )


DRIFT, NO_HEALTHY_TARGET, BINDING_OK, REPLACEMENT_HELD, EXEMPTIONS_OK = of_group()
WEEK_AGO = recorded(NOW - 8 * DAY, PUBLIC, OPEN_EGRESS, NO_EGRESS)
EXEMPTED_WEEK_AGO = recorded(NOW - 8 * DAY, exempt(PUBLIC, until="2026-11-20"))
RESOLVED_YESTERDAY = recorded(NOW - DAY, passed(PUBLIC), before=WEEK_AGO[:1])
MORE_PUBLIC = replace(PUBLIC, messages=("subnet-2 (euw1-az2) is public", "subnet-3 (euw1-az3) is public"))

OPENED = alert(*follows(NOW, PUBLIC, DNS_OK))
CONNECTOR_ALERTS: Mapping[str, Alert] = {
    "opened": OPENED,
    "opened-several": alert(*follows(NOW, OPEN_EGRESS, NO_EGRESS, PUBLIC), unjudged=(UNREAD, BROKEN)),
    "reopened": alert(*follows(NOW, PUBLIC, recorded=RESOLVED_YESTERDAY)),
    "reopened-exemption-gone": alert(*follows(NOW, PUBLIC, recorded=EXEMPTED_WEEK_AGO)),
    "exemption-expired": alert(
        *follows(NOW, replace(PUBLIC, exemption=replace(EXEMPTION, until="2026-11-20")), recorded=EXEMPTED_WEEK_AGO)
    ),
    "changed": replace(
        alert(*follows(NOW, MORE_PUBLIC, recorded=WEEK_AGO), standing=(NO_EGRESS, OPEN_EGRESS)), owner=OWNER
    ),
    "changed-severity": alert(*follows(NOW, replace(PUBLIC, severity=Severity.CRITICAL), recorded=WEEK_AGO)),
    "reminded": alert(*follows(NOW, PUBLIC, recorded=WEEK_AGO)),
    "resolved": alert(*follows(NOW, passed(PUBLIC), recorded=WEEK_AGO), standing=(OPEN_EGRESS,)),
    "exempted": alert(*follows(NOW, exempt(PUBLIC), recorded=WEEK_AGO)),
    "not-judged": alert(*follows(NOW, not_judged(CONNECTOR, (UNREAD, BROKEN))), unjudged=(UNREAD, BROKEN)),
    "all-at-once": alert(
        *follows(
            NOW,
            replace(PUBLIC, rule="AR101", name="connector_too_few_zones", title="Too few zones", command=""),
            passed(PUBLIC),
            exempt(OPEN_EGRESS),
            NO_EGRESS,
            not_judged(CONNECTOR, (UNREAD,)),
            recorded=WEEK_AGO,
        ),
        unjudged=(UNREAD,),
    ),
}
GROUP_ALERTS: Mapping[str, Alert] = {
    "target-group-opened": group_alert(*follows(NOW, DRIFT, NO_HEALTHY_TARGET, BINDING_OK, REPLACEMENT_HELD)),
    "target-group-one": group_alert(*follows(NOW, DRIFT)),
    "target-group-over": group_alert(
        *follows(NOW, passed(DRIFT), recorded=recorded(NOW - DAY, DRIFT, REPLACEMENT_HELD)),
        standing=(REPLACEMENT_HELD,),
    ),
    "target-group-unbound": group_alert(
        *follows(NOW, replace(passed(DRIFT), reference=""), recorded=recorded(NOW - DAY, DRIFT))
    ),
}
BAD_TAG = {"apprunner-guardrails:exempt:AR101": "soon"}
BAD_API = on_path(
    "api",
    "AR601 AR604",
    path.set_integration(
        uri=f"https://{path.BALANCER.balancer.dns_name}/{{proxy}}",
        link=replace(path.LINK, status="FAILED", why="NLB is already associated with another VPC endpoint service"),
    ),
)
PATH_ALERTS: Mapping[str, Alert] = {
    "api-opened": path_alert(*follows(NOW, *BAD_API)),
    "api-gone": path_alert(
        *follows(NOW, replace(passed(BAD_API[0]), reference=""), recorded=recorded(NOW - DAY, BAD_API[0]))
    ),
    "network-interface-opened": path_alert(
        *follows(NOW, *on_path("interface", "AR901", path.set_interface(tags=BAD_TAG)))
    ),
    "ingress-connection-opened": path_alert(
        *follows(NOW, *on_path("ingress", "AR901", path.set_ingress(tags=BAD_TAG)))
    ),
    "endpoint-opened": path_alert(*follows(NOW, *on_path("endpoint", "AR901", path.set_the_endpoint(tags=BAD_TAG)))),
    "load-balancer-opened": path_alert(*follows(NOW, *on_path("balancer", "AR901", path.set_balancer(tags=BAD_TAG)))),
}
ALERTS: Mapping[str, Alert] = {**CONNECTOR_ALERTS, **GROUP_ALERTS, **PATH_ALERTS}
SERVICE_ALERT = replace(
    alert(*follows(NOW, replace(OPEN_EGRESS, resource=SERVICE, rule="AR901", title="Exemption tag is malformed"))),
    resource=SERVICE,
    resource_name="shop",
    resource_type="service",
    owner="mara.lind",
)
SAME_RULE = replace(
    alert(*follows(NOW, replace(PUBLIC, resource=CONNECTOR.replace("shop-web", "shop-api")))),
    resource=CONNECTOR.replace("shop-web", "shop-api"),
    resource_name="shop-api",
)
MANY = (ALERTS["resolved"], SERVICE_ALERT, ALERTS["opened-several"], ALERTS["not-judged"])

EXPLANATION = Explanation(
    failed=FailedCall(
        id="11111111-2222-3333-4444-555555555555",
        what="DeleteVpcConnector",
        source="apprunner.amazonaws.com",
        code="InvalidRequestException",
        message="Provided VPC connector arn is being used by other services.",
        resource=CONNECTOR,
        request={"vpcConnectorArn": CONNECTOR},
        account="123456789012",
        region="eu-west-1",
        time="2026-11-21T09:00:00Z",
        caller=CALLER,
    ),
    title="VPC connector shop-web cannot be deleted while services use it",
    severity=Severity.LOW,
    what="App Runner keeps a VPC connector for as long as a service uses it, paused ones too."
    ' AWS answered InvalidRequestException: "Provided VPC connector arn is being used by other services."',
    causes=("service shop uses it", "service shop-admin uses it"),
    commands=f"aws apprunner update-service --service-arn {SERVICE}\naws apprunner delete-vpc-connector",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-vpc.html",
    cause=f"connector in use {CONNECTOR}",
    unread=("apprunner:ListOperations failed (AccessDenied)",),
)
UNEXPLAINED = replace(
    EXPLANATION,
    failed=replace(EXPLANATION.failed, what="UpdateServiceFailed", source="aws.apprunner", code="", message=""),
    title="Service shop could not be updated",
    what="The operation failed. App Runner gave no message.",
    causes=(),
    commands="",
    unread=(),
)

RECORDS = (
    *WEEK_AGO,
    *recorded(NOW - DAY, exempt(replace(PUBLIC, rule="AR107"), until="2026-11-28")),
    *recorded(NOW - DAY, exempt(replace(PUBLIC, rule="AR108"), until="2026-11-29")),
    *recorded(NOW - DAY, exempt(replace(PUBLIC, rule="AR109"), until="2026-11-20")),
    *(replace(one, rule="AR101") for one in RESOLVED_YESTERDAY),
    *recorded(NOW - DAY, replace(not_judged(CONNECTOR, (UNREAD,)), resource=SERVICE)),
)
PATHS = (
    PathLine(
        line="shop  clients → API ok → link ok → load balancer FAILS AR512 → target group ok → endpoint ok → ingress ok"
        " → service → connector ok → 2 of 3 subnets FAILS AR102 → 3 ways out ok → the internet",
        sound=False,
    ),
    PathLine(line="web  the internet → service → the internet, by App Runner", sound=True),
)
DIGEST = digest(
    RECORDS,
    account="123456789012",
    region="eu-west-1",
    event_id=EVENT_ID,
    now=NOW,
    connectors=12,
    services=1,
    unread=("tag:GetResources failed (AccessDenied)",),
    paths=PATHS,
)
QUIET: Digest = digest((), account="123456789012", region="eu-west-1", event_id="", now=NOW, connectors=0, services=0)
