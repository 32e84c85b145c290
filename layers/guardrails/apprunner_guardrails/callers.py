"""Who made a call, and with what, as far as CloudTrail knows. Pure.

The forms of userIdentity, of which everything but the type is optional:
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
from collections.abc import Mapping, Sequence

from apprunner_guardrails.light import dataclass
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
    machine: bool = False  # the role of an EC2 instance, a Lambda function or a task of ECS, in a session of its own


def caller(detail: Json) -> Caller:
    """The caller of a CloudTrail record: the person as far as it is known, the tool, the address."""
    return Caller(name=_name(who(detail)), tool=tool(detail), address=_said(detail, "sourceIPAddress"))


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
    match kind:
        case "AssumedRole":
            name = issuer or named
        case "Role":
            name = name or issuer
        case "FederatedUser" | "SAMLUser":
            name = name or _of_principal(principal)
        case "IdentityCenterUser":
            name = _said(identity, "onBehalfOf.userId")
        case "Unknown":
            name = name or _said(identity, "onBehalfOf.userId")
    return Who(
        kind=kind,
        name=name,
        session=session or _of_principal(principal) if kind in ("AssumedRole", "AWSAccount") else "",
        source_identity=_said(identity, "sessionContext.sourceIdentity"),
        issuer=issuer if kind == "FederatedUser" else "",
        account=_said(identity, "accountId"),
        principal=principal,
        service=_said(identity, "invokedBy"),
        machine=_is_machine(identity, _said(detail, "userAgent")),
    )


def _is_machine(identity: Json, agent: str) -> bool:
    """Whether the credentials are those that AWS hands to what runs there. CloudShell hands on those of a person."""
    given_to = at(identity, "sessionContext.ec2RoleDelivery"), identity.get("inScopeOf")
    return any(given_to) or re.search(r"\bexec-env/AWS_(?:Lambda|ECS)", agent) is not None


def _said(record: Json, path: str) -> str:
    value = text(at(record, path))
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


def _of_principal(principal: str) -> str:
    """The name in AROAEXAMPLE:jonas.weber or 111122223333:aws:ec2-instance:i-0abc. Names hold no colon."""
    _, colon, name = principal.rpartition(":")
    return name if colon else ""


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


# What a user agent or the calling service begins with, or a product in it → the tool. The first that is found counts.
# Programs that people run: they get the credentials of a console session in CloudShell, and may copy them elsewhere.
# OpenTofu and Pulumi use Terraform's provider, Terraform and the CLI an SDK, which all say so too.
_PROGRAMS = (
    (r"cloudformation\.amazonaws\.com", "CloudFormation"),
    (r"opentofu/", "OpenTofu"),
    (r"pulumi", "Pulumi"),
    (r"terraform(?:-provider-[a-z]+)?/", "Terraform"),
    (r"aws-cli/", "AWS CLI"),
    (r"boto(?:3|core)/", "SDK for Python"),
)
# The console calls some services by SDKs of its own.
_OTHERS = (
    (r"(?:console\.(?:[a-z0-9-]+\.)?|signin\.)amazonaws\.com", "console"),
    (r"(?:mozilla|[a-z0-9]*console)/", "console"),
    (r"aws-sdk-", "SDK"),
    (r"aws internal", "AWS Internal"),
)
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")


def tool(detail: Json) -> str:
    """What the call was made with. A service that acts for somebody comes before all that they used themselves."""
    agent, service = _said(detail, "userAgent"), _said(detail, "userIdentity.invokedBy")
    if _SERVICE.fullmatch(service):
        return _tool((*_PROGRAMS, *_OTHERS), service) or service
    if program := _tool(_PROGRAMS, agent):
        return program
    if detail.get("sessionCredentialFromConsole") in ("true", True):
        return "console"
    return _tool(_OTHERS, agent) or _tool(_OTHERS, service) or _product(agent)


def _tool(known: Sequence[tuple[str, str]], said: str) -> str:
    return next((name for mark, name in known if re.search(rf"(?<![\w./-]){mark}", said, re.IGNORECASE)), "")


def _product(agent: str) -> str:
    """The name at the head of an unknown user agent, or the service that it is; anything else that a mail client could
    make a link of is not one."""
    name = agent.partition(" ")[0].partition("/")[0]
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) or _SERVICE.fullmatch(agent) else ""
