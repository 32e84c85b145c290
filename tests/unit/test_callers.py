"""Who the alerts say made a call, and with what. What tags make of it is in tags/test_people.py."""

from collections.abc import Mapping
from typing import Any

import pytest

from apprunner_guardrails.callers import Caller, Who, caller, tool, who

type Json = Mapping[str, Any]

ACCOUNT = "111122223333"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
ALICE: Json = {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}


def _assumed_role(session: str, *, issuer: str = "Deployer", **context: object) -> Json:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{issuer}/{session}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": issuer}, **context},
    }


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        pytest.param({"type": "Root", "accountId": ACCOUNT}, f"root of account {ACCOUNT}", id="Root"),
        pytest.param(
            {"type": "Root", "accountId": ACCOUNT, "userName": "our-alias"},
            f"root of account {ACCOUNT}",
            id="Root with an alias",
        ),
        pytest.param({"type": "Root"}, "root", id="Root without its account"),
        pytest.param(ALICE, "alice", id="IAMUser"),
        pytest.param(
            {**ALICE, "sessionContext": {"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "true"}}},
            "alice",
            id="IAMUser at the console",
        ),
        pytest.param({**ALICE, "invokedBy": "cloudformation.amazonaws.com"}, "alice", id="IAMUser by a service"),
        pytest.param(_assumed_role("ci-42"), "role Deployer ci-42", id="AssumedRole"),
        pytest.param(
            _assumed_role("botocore-session-17", sourceIdentity="alice@example.com"),
            "role Deployer alice@example.com",
            id="AssumedRole with a source identity",
        ),
        pytest.param(
            {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/ci-42"},
            "role Deployer ci-42",
            id="AssumedRole without an issuer",
        ),
        pytest.param({"type": "AssumedRole"}, "a role", id="AssumedRole and no more"),
        pytest.param(
            {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/Deployer"},
            "role Deployer",
            id="Role",
        ),
        pytest.param(
            {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"},
            "Bob",
            id="FederatedUser",
        ),
        pytest.param({"type": "Directory", "userName": "carol"}, "carol", id="Directory"),
        pytest.param(
            {"type": "AWSAccount", "principalId": "AIDA", "accountId": "444455556666"},
            "AWSAccount 444455556666",
            id="AWSAccount",
        ),
        pytest.param(
            {"type": "AWSService", "invokedBy": "apprunner.amazonaws.com"}, "apprunner.amazonaws.com", id="AWSService"
        ),
        pytest.param(
            {"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "u-1"}},
            "Identity Center user u-1",
            id="IdentityCenterUser",
        ),
        pytest.param({"type": "IdentityCenterUser"}, "Identity Center user", id="IdentityCenterUser and no more"),
        pytest.param({"type": "SAMLUser", "userName": "dave"}, "dave", id="SAMLUser"),
        pytest.param(
            {"type": "WebIdentityUser", "principalId": "accounts.google.com:1", "userName": "erin"},
            "erin",
            id="WebIdentityUser",
        ),
        pytest.param({"type": "Unknown"}, "Unknown", id="Unknown"),
        pytest.param({}, "", id="no type"),
        pytest.param(None, "", id="no identity"),
        pytest.param("HIDDEN_DUE_TO_SECURITY_REASONS", "", id="a redacted identity"),
        pytest.param({"type": 7, "userName": ["x"], "sessionContext": "x"}, "", id="values that are no texts"),
    ],
)
def test_the_caller_is_named_as_far_as_cloudtrail_knows(identity: object, name: str) -> None:
    assert caller({"userIdentity": identity}).name == name


def test_a_caller_has_an_address_and_a_tool() -> None:
    record = {"userIdentity": ALICE, "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2.31.0 md/awscrt#0.28.2"}
    assert caller(record) == Caller(name="alice", tool="AWS CLI", address="192.0.2.7")
    assert caller({}) == Caller()


# Who ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "type",
        "userName",
        "arn",
        "principalId",
        "accountId",
        "invokedBy",
        "onBehalfOf.userId",
        "sessionContext.sourceIdentity",
        "sessionContext.sessionIssuer.userName",
        "sessionContext.sessionIssuer.arn",
    ],
)
@pytest.mark.parametrize("kind", ["AssumedRole", "FederatedUser", "IAMUser", "IdentityCenterUser", "Unknown"])
def test_what_is_hidden_is_no_name(kind: str, path: str) -> None:
    identity: object = HIDDEN
    for step in reversed(path.split(".")):
        identity = {step: identity}
    assert isinstance(identity, dict)
    known = kind if path != "type" else ""
    assert who({"userIdentity": {"type": kind, **identity}}) == Who(kind=known)


def test_an_agent_and_an_address_that_are_hidden_say_nothing() -> None:
    assert caller({"userAgent": HIDDEN, "sourceIPAddress": HIDDEN}) == Caller()


@pytest.mark.parametrize(
    ("principal", "arn", "session"),
    [
        pytest.param("AROAEXAMPLE:jonas.weber", "", "jonas.weber", id="by the principal alone"),
        pytest.param(
            "AROAEXAMPLE:one", f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/other", "other", id="by the ARN"
        ),
        pytest.param(
            "AROAEXAMPLE:dana@example.com",
            f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b2c3d4e5f6789",
            "dana@example.com",
            id="by the principal, beside the ARN of the role itself",
        ),
        pytest.param(
            f"{ACCOUNT}:aws:ec2-instance:i-0c51d7e2a94b6f380",
            "",
            "i-0c51d7e2a94b6f380",
            id="by the end of a principal of more parts",
        ),
        pytest.param("AROAEXAMPLE", "", "", id="a principal without one"),
        pytest.param("", f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/Deployer/bob", "bob", id="in another partition"),
        pytest.param("", f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer", "", id="an ARN without one"),
        pytest.param("", "assumed-role/Deployer/bob", "", id="what is no ARN"),
    ],
)
def test_a_session_is_known_by_its_arn_or_principal(principal: str, arn: str, session: str) -> None:
    identity = {"type": "AssumedRole", "principalId": principal, "arn": arn}
    assert who({"userIdentity": identity}).session == session


def test_a_user_has_no_session_whatever_their_principal_says() -> None:
    identity = {"type": "SAMLUser", "principalId": "c2FtbA==:ines.falk", "userName": "ines.falk"}
    assert who({"userIdentity": identity}) == Who(kind="SAMLUser", name="ines.falk", principal="c2FtbA==:ines.falk")


@pytest.mark.parametrize(
    ("identity", "agent", "machine"),
    [
        pytest.param({"sessionContext": {"ec2RoleDelivery": "1.0"}}, "", True, id="an EC2 instance"),
        pytest.param({"sessionContext": {"ec2RoleDelivery": ""}}, "", False, id="an empty mark of one"),
        pytest.param({"sessionContext": {"ec2RoleDelivery": None}}, "", False, id="no mark of one"),
        pytest.param(
            {"inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:lambda:…"}},
            "",
            True,
            id="what its role was handed to",
        ),
        pytest.param({"inScopeOf": {}}, "", False, id="handed to nothing"),
        pytest.param(
            {}, "Boto3/1.43.106 md/Botocore#1.43.106 exec-env/AWS_Lambda_python3.13", True, id="a Lambda function"
        ),
        pytest.param({}, "Boto3/1.26.36 exec-env/AWS_ECS_FARGATE Botocore/1.29.36", True, id="a task of ECS"),
        pytest.param({}, "aws-cli/2.31.0 exec-env/CloudShell", False, id="a person in CloudShell"),
        pytest.param({}, "aws-cli/2.31.0 app/AWS_Lambda", False, id="an application of such a name"),
        pytest.param({}, "", False, id="nothing said"),
    ],
)
def test_what_runs_in_aws_with_a_role_of_its_own_is_a_machine(identity: Json, agent: str, machine: bool) -> None:
    record = {"userIdentity": {"type": "AssumedRole", **identity}, "userAgent": agent}
    assert who(record) == Who(kind="AssumedRole", machine=machine)


# Tools: the agents are as they were seen in records, or as their makers build them, with versions of today -----------

CONSOLE: Json = {"sessionCredentialFromConsole": "true"}
BY_CLOUDFORMATION: Json = {
    "userIdentity": {**ALICE, "invokedBy": "cloudformation.amazonaws.com"},
    "userAgent": "cloudformation.amazonaws.com",
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
CLI = "aws-cli/2.32.0 md/awscrt#0.28.4 ua/2.1 os/linux#6.12 md/arch#x86_64 lang/python#3.13.9 md/command#login"
CLOUDSHELL = "aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255 exec-env/CloudShell exe/x86_64.amzn.2 prompt/off"
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/6.1.0"
    " (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.0 ua/2.1 os/linux"
)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({"userAgent": BROWSER, **CONSOLE}, "console", id="console"),
        pytest.param({"userAgent": BROWSER}, "console", id="console, by its browser"),
        pytest.param({"userAgent": "console.ec2.amazonaws.com"}, "console", id="console, by its host"),
        pytest.param({"userAgent": "console.amazonaws.com"}, "console", id="console, by its older host"),
        pytest.param({"userAgent": "signin.amazonaws.com"}, "console", id="console, at its door"),
        pytest.param(
            {"userAgent": "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.666 Linux/4.9.217]"},
            "console",
            id="console, by the SDK of its own",
        ),
        pytest.param(
            {"userAgent": "aws-internal/3 aws-sdk-java/2.31.0", **CONSOLE}, "console", id="console, by its session"
        ),
        pytest.param({"userAgent": "AWS Internal", **CONSOLE}, "console", id="console, from within"),
        pytest.param(CONSOLE, "console", id="console, which says nothing else"),
        pytest.param(
            {"userAgent": "cloudformation.amazonaws.com", **CONSOLE},
            "CloudFormation",
            id="a console user's stack",
        ),
        pytest.param({"sessionCredentialFromConsole": True}, "console", id="console, in another type"),
        pytest.param({"userAgent": "AWS Internal"}, "AWS Internal", id="AWS from within, for whomever"),
        pytest.param(
            {"userIdentity": {"invokedBy": "AWS Internal"}}, "AWS Internal", id="AWS from within, as the identity says"
        ),
        pytest.param(BY_CLOUDFORMATION, "CloudFormation", id="CloudFormation"),
        pytest.param({**BY_CLOUDFORMATION, **CONSOLE}, "CloudFormation", id="CloudFormation, at the console"),
        pytest.param(
            {**BY_CLOUDFORMATION, "userAgent": CLI}, "CloudFormation", id="CloudFormation, whatever the agent says"
        ),
        pytest.param(
            {"userAgent": "cloudformation.amazonaws.com"}, "CloudFormation", id="CloudFormation, by the agent alone"
        ),
        pytest.param({"userAgent": TERRAFORM}, "Terraform", id="Terraform"),
        pytest.param({"userAgent": TERRAFORM, **CONSOLE}, "Terraform", id="Terraform, with a session of the console's"),
        pytest.param(
            {"userAgent": "aws-sdk-go/1.20.4 (go1.12; linux; amd64) APN/1.0 HashiCorp/1.0 Terraform/0.12.2"},
            "Terraform",
            id="Terraform, as it was",
        ),
        pytest.param(
            {"userAgent": f"[{TERRAFORM}]"}, "Terraform", id="Terraform, in the brackets that some services put"
        ),
        pytest.param(
            {"userAgent": "terraform-provider-awscc/1.30.0 aws-sdk-go-v2/1.36.0"}, "Terraform", id="its other provider"
        ),
        pytest.param({"userAgent": TERRAFORM.replace("Terraform/1.9.8", "OpenTofu/1.10.2")}, "OpenTofu", id="OpenTofu"),
        pytest.param({"userAgent": f"OpenTofu/1.6.2 {TERRAFORM}"}, "OpenTofu", id="OpenTofu, beside Terraform"),
        pytest.param(
            {"userAgent": f"APN/1.0 Pulumi/1.0 PulumiAWS/7.0 {TERRAFORM}"}, "Pulumi", id="Pulumi, over that provider"
        ),
        pytest.param({"userAgent": "APN/1.0 Pulumi/1.0 PulumiAwsNative/1.34"}, "Pulumi", id="Pulumi"),
        pytest.param({"userAgent": CLI}, "AWS CLI", id="AWS CLI"),
        pytest.param({"userAgent": "aws-cli/1.10.10 Python/2.7.9 Windows/7 botocore/1.4.1"}, "AWS CLI", id="AWS CLI 1"),
        pytest.param({"userAgent": CLOUDSHELL, **CONSOLE}, "AWS CLI", id="AWS CLI in CloudShell"),
        pytest.param(
            {"userAgent": "Boto3/1.43.108 md/Botocore#1.43.127 ua/2.1", **CONSOLE},
            "SDK for Python",
            id="a program in CloudShell",
        ),
        pytest.param({"userAgent": "Boto3/1.40.0 md/Botocore#1.40.0"}, "SDK for Python", id="SDK for Python"),
        pytest.param({"userAgent": "Botocore/1.29.36 Python/3.10.6"}, "SDK for Python", id="its lower half"),
        pytest.param({"userAgent": "aws-sdk-js/3.632.0 ua/2.0 os/linux"}, "SDK", id="SDK for JavaScript"),
        pytest.param({"userAgent": "aws-sdk-nodejs/2.1691.0 linux/v18"}, "SDK", id="SDK for JavaScript, as it was"),
        pytest.param({"userAgent": "aws-sdk-go-v2/1.36.0 os/linux"}, "SDK", id="SDK for Go"),
        pytest.param({"userAgent": "aws-sdk-go/1.50.0 (go1.22; linux; amd64)"}, "SDK", id="SDK for Go, as it was"),
        pytest.param({"userAgent": "aws-sdk-java/2.31.0 md/io#sync"}, "SDK", id="SDK for Java"),
        pytest.param({"userAgent": "aws-sdk-dotnet-coreclr/4.0.9.6 ua/2.1"}, "SDK", id="SDK for .NET"),
        pytest.param({"userAgent": "aws-sdk-ruby3/3.190.0 ua/2.0"}, "SDK", id="SDK for Ruby"),
        pytest.param({"userAgent": "aws-sdk-rust/1.3.14 os/linux lang/rust/1.89"}, "SDK", id="SDK for Rust"),
        pytest.param(
            {"userAgent": "aws-sdk-js/3.9 ua/2.1 app/terraform/1"}, "SDK", id="an application named as another tool"
        ),
        pytest.param({"userAgent": "curl/8.9.1 and more"}, "curl", id="an unknown agent, by its first word"),
        pytest.param({"userAgent": "https://fix.example/now"}, "", id="an agent that mail would make a link of"),
        pytest.param({"userAgent": "alice@example.com"}, "", id="an agent that is an address"),
        pytest.param({"userAgent": "eks.amazonaws.com"}, "eks.amazonaws.com", id="a service, by the agent alone"),
        pytest.param({"userIdentity": {"invokedBy": "x.amazonaws.com"}}, "x.amazonaws.com", id="an unknown service"),
        pytest.param(
            {"userIdentity": {"invokedBy": "cloudcontrolapi.amazonaws.com"}, "userAgent": BROWSER, **CONSOLE},
            "cloudcontrolapi.amazonaws.com",
            id="a service that acts for somebody at the console",
        ),
        pytest.param({"userIdentity": {"invokedBy": "alice@example.com"}}, "", id="what is no service"),
        pytest.param({}, "", id="nothing said"),
        pytest.param({"userAgent": 7, "sessionCredentialFromConsole": "false"}, "", id="values that are none"),
    ],
)
def test_the_tool_is_told_by_the_service_the_agent_or_the_session(record: Json, expected: str) -> None:
    assert tool(record) == expected
    assert caller(record).tool == expected
