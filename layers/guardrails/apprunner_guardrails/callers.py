"""Who made a call, and with what, as far as CloudTrail knows. Pure.

The forms of userIdentity, of which everything but the type is optional:
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from apprunner_guardrails.records import HIDDEN, Json, at, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who made a call and how, as far as CloudTrail knows. Empty strings where it does not say."""

    name: str = ""
    tool: str = ""  # console, CloudFormation, Terraform, AWS CLI, SDK …, else the service or the user agent
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """What a userIdentity says of the caller. Empty strings where it does not say.

    `name` is that of the user or role; of an Identity Center user the id, which has no name in records. `session` is
    what the session of a role was named by whoever began it, `source_identity` what their identity provider said then.
    """

    kind: str  # AssumedRole, IAMUser, Root …
    name: str = ""
    session: str = ""
    source_identity: str = ""
    issuer: str = ""  # the user that a federated user got the credentials from
    account: str = ""
    principal: str = ""  # AIDAEXAMPLE, AROAEXAMPLE:session: an id that nobody else has
    service: str = ""  # the AWS service that made the call, for itself or on behalf of the others
    machine: bool = False  # the role of an EC2 instance


def caller(detail: Json) -> Caller:
    """The caller of a CloudTrail record: the person as far as it is known, the tool, the address."""
    return Caller(name=_name(who(detail)), tool=tool(detail), address=text(detail.get("sourceIPAddress")))


def who(detail: Json) -> Who:
    """The caller of a CloudTrail record, by whichever form its userIdentity has."""
    identity = detail.get("userIdentity")
    identity = identity if isinstance(identity, Mapping) else {}
    kind, principal = _said(identity, "type"), _said(identity, "principalId")
    issuer = _said(identity, "sessionContext.sessionIssuer.userName") or _last(
        _said(identity, "sessionContext.sessionIssuer.arn")
    )
    named, session = _named(_said(identity, "arn"))
    name = _said(identity, "userName") or named
    if kind == "AssumedRole":
        name = issuer or named
    if kind == "IdentityCenterUser":
        name = _said(identity, "onBehalfOf.userId")
    return Who(
        kind=kind,
        name=name,
        session=session or principal.partition(":")[2] if kind in ("AssumedRole", "AWSAccount") else "",
        source_identity=_said(identity, "sessionContext.sourceIdentity"),
        issuer=issuer if kind == "FederatedUser" else "",
        account=_said(identity, "accountId"),
        principal=principal,
        service=_said(identity, "invokedBy"),
        machine=at(identity, "sessionContext.ec2RoleDelivery") is not None,
    )


def _said(identity: Json, path: str) -> str:
    value = text(at(identity, path))
    return "" if value == HIDDEN else value


# What stands before the name in the last part of an ARN: user/path/alice, assumed-role/Deployer/session …
_OF_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]*:(user|role|assumed-role|federated-user)/(.+)")


def _named(arn: str) -> tuple[str, str]:
    """The name of a user or role by its ARN, and of a role's session."""
    found = _OF_ARN.fullmatch(arn)
    if found is None:
        return "", ""
    kind, rest = found.groups()
    if kind == "assumed-role":
        name, _, session = rest.partition("/")
        return name, session
    return _last(rest), ""


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _name(one: Who) -> str:
    match one.kind:
        case "Root":
            return f"root of account {one.account}".removesuffix(" of account ")
        case "AssumedRole" | "Role":
            role = f"role {one.name}" if one.name else "a role"
            return " ".join(filter(None, (role, one.source_identity or one.session)))
        case "IdentityCenterUser":
            return f"Identity Center user {one.name}".rstrip()
    return one.name or one.service or f"{one.kind} {one.account}".strip()


# What a user agent or the calling service holds, in lower case → the tool. The first that is found counts.
_TOOLS = (
    ("cloudformation.amazonaws.com", "CloudFormation"),
    ("terraform", "Terraform"),
    ("pulumi", "Pulumi"),
    ("aws-cli/", "AWS CLI"),
    ("console.amazonaws.com", "console"),
    ("mozilla/", "console"),
    ("boto3/", "SDK for Python"),
    ("botocore/", "SDK for Python"),
    ("aws-sdk-", "SDK"),
)


def tool(detail: Json) -> str:
    """What the call was made with. A service that acts for somebody comes before the console that they sat at."""
    agent, service = text(detail.get("userAgent")), text(at(detail, "userIdentity.invokedBy"))
    if known := _tool(service):
        return known
    if detail.get("sessionCredentialFromConsole") == "true":
        return "console"
    return _tool(agent) or service or _product(agent)


def _tool(said: str) -> str:
    return next((name for mark, name in _TOOLS if mark in said.lower()), "")


def _product(agent: str) -> str:
    """The name at the head of an unknown user agent; anything that a mail client could make a link of is not one."""
    name = agent.partition(" ")[0].partition("/")[0]
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) else ""
