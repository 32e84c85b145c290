"""Who calls: the userIdentity blocks that a watcher of CloudTrail meets, and how a caller of the emulator picks one.

In process `with calling_as("console"):`, over HTTP the header `x-emulator-caller: console`. A context variable does not
reach the server's threads, nor a pool of threads of the caller; that is what the header is for, and `running` for a
Lambda function that is played in process, whatever threads it has.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

DEFAULT = "iam-user"

_CONSOLE_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
_CLI_AGENT = "aws-cli/2.31.20 md/awscrt#0.28.2 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.9"
_SDK_AGENT = "Boto3/1.43.106 md/Botocore#1.43.106 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.9"
_TERRAFORM_AGENT = "APN/1.0 HashiCorp/1.0 Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-aws/6.18.0"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One caller. `{account}` and `{session_start}` in the strings of `user_identity` are filled in at each call;
    source_ip and user_agent None stand for what the request itself says. `console`: the credentials of the session
    came from the console."""

    user_identity: Mapping[str, object]
    source_ip: str | None
    user_agent: str | None
    console: bool = False

    @property
    def is_service(self) -> bool:
        """An AWS service made the call, for itself or on behalf of somebody."""
        return "invokedBy" in self.user_identity


def identity(name: str) -> Identity:
    """The identity of that name; ValueError names the others."""
    if name not in IDENTITIES:
        raise ValueError(f"unknown caller {name!r}: there are {', '.join(sorted(IDENTITIES))}")
    return IDENTITIES[name]


@contextmanager
def calling_as(name: str) -> Iterator[None]:
    """Calls made in this context (this thread, or this task) are recorded as made by IDENTITIES[name]."""
    identity(name)
    token = _caller.set(name)
    try:
        yield
    finally:
        _caller.reset(token)


@contextmanager
def running(function: Identity) -> Iterator[None]:
    """Calls made by whatever thread of this process are recorded as made by the function (see `lambda_function`), but
    for those that `calling_as` says something else of."""
    global _running  # noqa: PLW0603  # one function at a time, as the whole process plays it
    before, _running = _running, function
    try:
        yield
    finally:
        _running = before


def caller() -> Identity:
    """Who calls here: as `calling_as` has set, else the function that is running, else the default."""
    name = _caller.get()
    return identity(name) if name else _running or identity(DEFAULT)


def lambda_function(name: str, role: str) -> Identity:
    """A function with the guardrails' SDK: Lambda assumes its role, in a session that has the function's name."""
    return Identity(
        user_identity=_assumed_role(role, name, f"AROA{role.upper():X<17.17}"),
        source_ip="198.51.100.120",
        user_agent=f"{_SDK_AGENT} exec-env/AWS_Lambda_python3.13 apprunner-guardrails",
    )


def user_identity(who: Identity, *, account: str, session_start: str) -> dict[str, object]:
    """The userIdentity block of a record in that account; session_start in CloudTrail's form of a time."""
    names = {"account": account, "session_start": session_start}
    return {key: _filled(value, names) for key, value in who.user_identity.items()}


def _filled(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {key: _filled(member, names) for key, member in value.items()}
    return str(value).format_map(names)


def _assumed_role(role: str, session: str, role_id: str, *, path: str = "") -> dict[str, object]:
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{{account}}:assumed-role/{role}/{session}",
        "accountId": "{account}",
        "accessKeyId": f"ASIA{role_id[5:]}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{{account}}:role/{path}{role}",
                "accountId": "{account}",
                "userName": role,
            },
            "attributes": {"creationDate": "{session_start}", "mfaAuthenticated": "false"},
        },
    }


def _iam_user(name: str, user_id: str, access_key_id: str) -> dict[str, object]:
    return {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:aws:iam::{{account}}:user/{name}",
        "accountId": "{account}",
        "accessKeyId": access_key_id,
        "userName": name,
    }


def _console_session(user: dict[str, object]) -> dict[str, object]:
    # Real console sessions of IAM users carry an empty issuer and an empty federation block (aws-facts 1.7).
    attributes = {"creationDate": "{session_start}", "mfaAuthenticated": "true"}
    return {
        **user,
        "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": attributes},
    }


_ROOT: dict[str, object] = {
    "type": "Root",
    "principalId": "{account}",
    "arn": "arn:aws:iam::{account}:root",
    "accountId": "{account}",
    "accessKeyId": "ASIAEXAMPLEROOT00001",
    "sessionContext": {"attributes": {"creationDate": "{session_start}", "mfaAuthenticated": "true"}},
}

# No userName, arn or principalId: everything but the type is optional (aws-facts 1.7).
_IDENTITY_CENTER: dict[str, object] = {
    "type": "IdentityCenterUser",
    "accountId": "{account}",
    "onBehalfOf": {
        "userId": "94c8e4a8-20b1-7002-9f6e-example00001",
        "identityStoreArn": "arn:aws:identitystore::{account}:identitystore/d-9067example",
    },
    "credentialId": "EXAMPLEcredentialIdOfTheIdentityCenterUser",
}

_FEDERATED: dict[str, object] = {
    "type": "FederatedUser",
    "principalId": "{account}:tomas.berg",
    "arn": "arn:aws:sts::{account}:federated-user/tomas.berg",
    "accountId": "{account}",
    "accessKeyId": "ASIAEXAMPLEFEDERATED",
    "sessionContext": {
        "sessionIssuer": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEPORTAL0001",
            "arn": "arn:aws:iam::{account}:user/access-portal",
            "accountId": "{account}",
            "userName": "access-portal",
        },
        "attributes": {"creationDate": "{session_start}", "mfaAuthenticated": "false"},
    },
}

_PIPELINE_SUBJECT = "repo:example/orders:ref:refs/heads/main"
_PIPELINE_PROVIDER = "arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
_SAML_PROVIDER = "bm90IGEgcmVhbCBpc3N1ZXI="
_OTHER_ACCOUNT = "210987654321"


def _with_session(identity: Mapping[str, object], **more: object) -> dict[str, object]:
    context = identity["sessionContext"]
    return {**identity, "sessionContext": {**(context if isinstance(context, Mapping) else {}), **more}}


IDENTITIES: Mapping[str, Identity] = MappingProxyType(
    {
        "console": Identity(
            user_identity=_console_session(_iam_user("mara.lind", "AIDAEXAMPLECONSOLE001", "ASIAEXAMPLECONSOLE01")),
            source_ip="203.0.113.24",
            user_agent=_CONSOLE_AGENT,
            console=True,
        ),
        "iam-user": Identity(
            user_identity=_iam_user("operations", "AIDAEXAMPLEUSER000001", "AKIAEXAMPLEUSER00001"),
            source_ip=None,
            user_agent=None,
        ),
        "cli": Identity(
            user_identity=_iam_user("operations", "AIDAEXAMPLEUSER000001", "AKIAEXAMPLEUSER00001"),
            source_ip="192.0.2.44",
            user_agent=_CLI_AGENT,
        ),
        "assumed-role": Identity(
            user_identity=_assumed_role("NetworkEngineer", "jonas.weber", "AROAEXAMPLEENGINEER01"),
            source_ip="203.0.113.77",
            user_agent=_CLI_AGENT,
        ),
        "sso": Identity(
            user_identity=_assumed_role(
                "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789",
                "dana.ortiz@example.com",
                "AROAEXAMPLESSOADMIN01",
                path="aws-reserved/sso.amazonaws.com/",
            ),
            source_ip="203.0.113.130",
            user_agent=_CONSOLE_AGENT,
            console=True,
        ),
        "ci-role": Identity(
            user_identity=_assumed_role("deploy-pipeline", "ci-run-48213", "AROAEXAMPLEPIPELINE01"),
            source_ip="198.51.100.18",
            user_agent=_SDK_AGENT,
        ),
        "cloudformation": Identity(
            user_identity={
                **_assumed_role("PlatformDeploy", "jonas.weber", "AROAEXAMPLEDEPLOY0001"),
                "invokedBy": "cloudformation.amazonaws.com",
            },
            source_ip="cloudformation.amazonaws.com",
            user_agent="cloudformation.amazonaws.com",
        ),
        "terraform": Identity(
            user_identity=_assumed_role("terraform", "terraform-apply", "AROAEXAMPLETERRAFORM1"),
            source_ip="198.51.100.42",
            user_agent=_TERRAFORM_AGENT,
        ),
        "root": Identity(user_identity=_ROOT, source_ip="192.0.2.9", user_agent=_CONSOLE_AGENT, console=True),
        "service": Identity(
            user_identity={"type": "AWSService", "invokedBy": "apprunner.amazonaws.com"},
            source_ip="apprunner.amazonaws.com",
            user_agent="apprunner.amazonaws.com",
        ),
        "identity-center": Identity(
            user_identity=_IDENTITY_CENTER, source_ip="203.0.113.201", user_agent=_CONSOLE_AGENT
        ),
        "guardrails": lambda_function("SyncTargetsFunction", "SyncTargetsRole"),
        "federated-user": Identity(user_identity=_FEDERATED, source_ip="203.0.113.52", user_agent=_CLI_AGENT),
        "source-identity": Identity(
            user_identity=_with_session(
                _assumed_role("Contractor", "session-7d41", "AROAEXAMPLECONTRACT01"), sourceIdentity="ines.falk"
            ),
            source_ip="203.0.113.90",
            user_agent=_CLI_AGENT,
        ),
        "instance-role": Identity(
            user_identity=_with_session(
                _assumed_role("build-host", "i-0c51d7e2a94b6f380", "AROAEXAMPLEBUILDHOST1"), ec2RoleDelivery="2.0"
            ),
            source_ip="198.51.100.61",
            user_agent=_SDK_AGENT,
        ),
        "lambda-role": Identity(
            user_identity={
                **_assumed_role("provision-orders", "provision-orders-fn", "AROAEXAMPLEPROVISION1"),
                "inScopeOf": {
                    "issuerType": "AWS::Lambda::Function",
                    "credentialsIssuedTo": "arn:aws:lambda:us-east-1:{account}:function:provision-orders-fn",
                },
            },
            source_ip="198.51.100.121",
            user_agent=f"{_SDK_AGENT} exec-env/AWS_Lambda_python3.13",
        ),
        "saml-user": Identity(
            user_identity={
                "type": "SAMLUser",
                "principalId": f"{_SAML_PROVIDER}:ines.falk",
                "userName": "ines.falk",
                "identityProvider": _SAML_PROVIDER,
            },
            source_ip="203.0.113.91",
            user_agent=_CONSOLE_AGENT,
        ),
        "web-identity-user": Identity(
            user_identity={
                "type": "WebIdentityUser",
                "principalId": f"{_PIPELINE_PROVIDER}:sts.amazonaws.com:{_PIPELINE_SUBJECT}",
                "userName": _PIPELINE_SUBJECT,
                "identityProvider": _PIPELINE_PROVIDER,
            },
            source_ip="198.51.100.77",
            user_agent=_SDK_AGENT,
        ),
        "web-identity-role": Identity(
            user_identity=_with_session(
                _assumed_role("release", "GitHubActions", "AROAEXAMPLERELEASE001"),
                webIdFederationData={"federatedProvider": _PIPELINE_PROVIDER, "attributes": {}},
            ),
            source_ip="198.51.100.77",
            user_agent=_SDK_AGENT,
        ),
        # What records of Directory and Role look like is NOT FOUND: these have what the page says of their type.
        "directory": Identity(
            user_identity={"type": "Directory", "accountId": "{account}", "userName": "infrastructure@example.com"},
            source_ip="203.0.113.140",
            user_agent=_CONSOLE_AGENT,
        ),
        "aws-account": Identity(
            user_identity={
                "type": "AWSAccount",
                "principalId": "AROAEXAMPLEVENDOR0001:vendor-rollout",
                "accountId": _OTHER_ACCOUNT,
            },
            source_ip="198.51.100.200",
            user_agent=_SDK_AGENT,
        ),
        "role": Identity(
            user_identity={
                "type": "Role",
                "principalId": "AROAEXAMPLEPLATFORM01",
                "arn": "arn:aws:iam::{account}:role/platform/PlatformOperator",
                "accountId": "{account}",
                "userName": "PlatformOperator",
            },
            source_ip="203.0.113.15",
            user_agent=_CLI_AGENT,
        ),
        "unknown": Identity(user_identity={"type": "Unknown"}, source_ip="203.0.113.200", user_agent=_SDK_AGENT),
        "root-alias": Identity(
            user_identity={**_ROOT, "userName": "example-shop"},
            source_ip="192.0.2.9",
            user_agent=_CONSOLE_AGENT,
            console=True,
        ),
        "email-user": Identity(
            user_identity=_iam_user("lena.aho@example.com", "AIDAEXAMPLEEMAILUSER1", "AKIAEXAMPLEEMAILUSER"),
            source_ip="203.0.113.33",
            user_agent=_CLI_AGENT,
        ),
        # Published records of CloudFormation's calls have no sessionCredentialFromConsole, and nothing rules it out.
        "console-cloudformation": Identity(
            user_identity={
                **_console_session(_iam_user("mara.lind", "AIDAEXAMPLECONSOLE001", "ASIAEXAMPLECONSOLE01")),
                "invokedBy": "cloudformation.amazonaws.com",
            },
            source_ip="cloudformation.amazonaws.com",
            user_agent="cloudformation.amazonaws.com",
            console=True,
        ),
    }
)

_caller: ContextVar[str] = ContextVar("emulator_caller", default="")
_running: Identity | None = None
