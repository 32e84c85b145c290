"""Every form of userIdentity: what the record says, whom alerts name, and what the tag holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from apprunner_guardrails.callers import Who, caller, who
from apprunner_guardrails.tags.people import is_machine_like, person

type Json = Mapping[str, Any]

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
USER_ID = "94c8e4a8-20b1-7002-9f6e-0123456789ab"
ALICE: Json = {
    "type": "IAMUser",
    "principalId": "AIDAEXAMPLE",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/staff/alice",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAEXAMPLE",
    "userName": "alice",
}
# docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
TYPES = (
    *("AWSAccount", "AWSService", "AssumedRole", "Directory", "FederatedUser", "IAMUser", "IdentityCenterUser", "Role"),
    *("Root", "SAMLUser", "Unknown", "WebIdentityUser"),
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """An identity, and what is made of it. `tag` without e-mail addresses, `with_emails` None where it is the same."""

    what: str
    identity: object
    who: Who
    alert: str
    tag: str
    with_emails: str | None = None


def role(session: str, *, name: str = "Deployer", context: Json | None = None, **more: object) -> Json:
    issuer = {"type": "Role", "principalId": "AROAEXAMPLE", "userName": name}
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer, **(context or {})},
        **more,
    }


def of_role(session: str, *, name: str = "Deployer", **more: Any) -> Who:
    """What `role` says."""
    known = {"name": name, "session": session, "account": ACCOUNT, "principal": f"AROAEXAMPLE:{session}"}
    return Who(kind="AssumedRole", **{**known, **more})


SSO = "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789"
OF_ALICE = Who(kind="IAMUser", name="alice", account=ACCOUNT, principal="AIDAEXAMPLE")
FORMS = (
    # IAM users
    Form(what="IAMUser", identity=ALICE, who=OF_ALICE, alert="alice", tag="alice"),
    Form(
        what="IAMUser at the console",
        identity={**ALICE, "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": {}}},
        who=OF_ALICE,
        alert="alice",
        tag="alice",
    ),
    Form(
        what="IAMUser through CloudFormation",
        identity={**ALICE, "invokedBy": "cloudformation.amazonaws.com"},
        who=Who(
            kind="IAMUser",
            name="alice",
            account=ACCOUNT,
            principal="AIDAEXAMPLE",
            service="cloudformation.amazonaws.com",
        ),
        alert="alice",
        tag="alice",
    ),
    Form(
        what="IAMUser named by an address",
        identity={"type": "IAMUser", "userName": "lena.aho@example.com"},
        who=Who(kind="IAMUser", name="lena.aho@example.com"),
        alert="lena.aho@example.com",
        tag="lena.aho",
        with_emails="lena.aho@example.com",
    ),
    Form(
        what="IAMUser by the ARN alone",
        identity={"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/staff/alice"},
        who=Who(kind="IAMUser", name="alice"),
        alert="alice",
        tag="alice",
    ),
    Form(
        what="IAMUser by the id alone",
        identity={"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT, "userName": HIDDEN},
        who=Who(kind="IAMUser", account=ACCOUNT, principal="AIDAEXAMPLE"),
        alert=f"IAMUser {ACCOUNT}",
        tag="AIDAEXAMPLE",
    ),
    # Roles
    Form(
        what="AssumedRole by a person",
        identity=role("jonas.weber"),
        who=of_role("jonas.weber"),
        alert="role Deployer jonas.weber",
        tag="Deployer/jonas.weber",
    ),
    Form(
        what="AssumedRole of Identity Center",
        identity=role("dana.ortiz@example.com", name=SSO),
        who=of_role("dana.ortiz@example.com", name=SSO),
        alert=f"role {SSO} dana.ortiz@example.com",
        tag=f"{SSO}/dana.ortiz",
        with_emails=f"{SSO}/dana.ortiz@example.com",
    ),
    Form(
        what="AssumedRole of Identity Center with the ARN of the role",
        identity={
            **role("dana.ortiz@example.com", name=SSO),
            "arn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}",
            "sessionContext": {},
        },
        who=of_role("dana.ortiz@example.com", name=SSO),
        alert=f"role {SSO} dana.ortiz@example.com",
        tag=f"{SSO}/dana.ortiz",
        with_emails=f"{SSO}/dana.ortiz@example.com",
    ),
    Form(
        what="AssumedRole by a program",
        identity=role("botocore-session-1709000000"),
        who=of_role("botocore-session-1709000000"),
        alert="role Deployer botocore-session-1709000000",
        tag="Deployer",
    ),
    Form(
        what="AssumedRole by a program, with a source identity",
        identity=role("botocore-session-1709000000", context={"sourceIdentity": "ines.falk@example.com"}),
        who=of_role("botocore-session-1709000000", source_identity="ines.falk@example.com"),
        alert="role Deployer ines.falk@example.com",
        tag="Deployer/ines.falk",
        with_emails="Deployer/ines.falk@example.com",
    ),
    Form(
        what="AssumedRole by a person, with another source identity",
        identity=role("support", context={"sourceIdentity": "ines.falk"}),
        who=of_role("support", source_identity="ines.falk"),
        alert="role Deployer ines.falk",
        tag="Deployer/ines.falk",
    ),
    Form(
        what="AssumedRole with an empty source identity",
        identity=role("jonas.weber", context={"sourceIdentity": "", "ec2RoleDelivery": "", "assumedRoot": ""}),
        who=of_role("jonas.weber"),
        alert="role Deployer jonas.weber",
        tag="Deployer/jonas.weber",
    ),
    Form(
        what="AssumedRole through CloudFormation",
        identity=role("jonas.weber", invokedBy="cloudformation.amazonaws.com"),
        who=of_role("jonas.weber", service="cloudformation.amazonaws.com"),
        alert="role Deployer jonas.weber",
        tag="Deployer/jonas.weber",
    ),
    Form(
        what="AssumedRole that CloudFormation was given",
        identity=role("AWSCloudFormation", invokedBy="cloudformation.amazonaws.com"),
        who=of_role("AWSCloudFormation", service="cloudformation.amazonaws.com"),
        alert="role Deployer AWSCloudFormation",
        tag="Deployer",
    ),
    Form(
        what="AssumedRole of an EC2 instance",
        identity=role("i-0c51d7e2a94b6f380", context={"ec2RoleDelivery": "2.0"}),
        who=of_role("i-0c51d7e2a94b6f380", machine=True),
        alert="role Deployer i-0c51d7e2a94b6f380",
        tag="Deployer",
    ),
    Form(
        what="AssumedRole that EC2 manages",
        identity={
            "type": "AssumedRole",
            "principalId": f"{ACCOUNT}:aws:ec2-instance:i-0c51d7e2a94b6f380",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-instance/i-0c51d7e2a94b6f380",
        },
        who=Who(
            kind="AssumedRole",
            name="aws:ec2-instance",
            session="i-0c51d7e2a94b6f380",
            principal=f"{ACCOUNT}:aws:ec2-instance:i-0c51d7e2a94b6f380",
        ),
        alert="role aws:ec2-instance i-0c51d7e2a94b6f380",
        tag="aws:ec2-instance",
    ),
    Form(
        what="AssumedRole of a Lambda function",
        identity=role(
            "provision-orders", inScopeOf={"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:…"}
        ),
        who=of_role("provision-orders", machine=True),
        alert="role Deployer provision-orders",
        tag="Deployer",
    ),
    Form(
        what="AssumedRole that is linked to a service",
        identity=role("AutoScaling", name="AWSServiceRoleForAutoScaling", invokedBy="autoscaling.amazonaws.com"),
        who=of_role("AutoScaling", name="AWSServiceRoleForAutoScaling", service="autoscaling.amazonaws.com"),
        alert="role AWSServiceRoleForAutoScaling AutoScaling",
        tag="AWSServiceRoleForAutoScaling",
    ),
    Form(
        what="AssumedRole with an issuer that has an ARN alone",
        identity={
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:jonas.weber",
            "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/teams/web/Deployer"}},
        },
        who=Who(kind="AssumedRole", name="Deployer", session="jonas.weber", principal="AROAEXAMPLE:jonas.weber"),
        alert="role Deployer jonas.weber",
        tag="Deployer/jonas.weber",
    ),
    Form(
        what="AssumedRole without a context",
        identity={"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/jonas.weber"},
        who=Who(kind="AssumedRole", name="Deployer", session="jonas.weber"),
        alert="role Deployer jonas.weber",
        tag="Deployer/jonas.weber",
    ),
    Form(
        what="AssumedRole by the id alone",
        identity={"type": "AssumedRole", "principalId": "AROAEXAMPLE:jonas.weber"},
        who=Who(kind="AssumedRole", session="jonas.weber", principal="AROAEXAMPLE:jonas.weber"),
        alert="a role jonas.weber",
        tag="AROAEXAMPLE/jonas.weber",
    ),
    Form(
        what="AssumedRole and no more",
        identity={"type": "AssumedRole"},
        who=Who(kind="AssumedRole"),
        alert="a role",
        tag="",
    ),
    Form(
        what="Role",
        identity={
            "type": "Role",
            "principalId": "AROAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/teams/Deployer",
            "accountId": ACCOUNT,
        },
        who=Who(kind="Role", name="Deployer", account=ACCOUNT, principal="AROAEXAMPLE"),
        alert="role Deployer",
        tag="Deployer",
    ),
    Form(
        what="Role with a name",
        identity={"type": "Role", "userName": "PlatformOperator"},
        who=Who(kind="Role", name="PlatformOperator"),
        alert="role PlatformOperator",
        tag="PlatformOperator",
    ),
    Form(
        what="Role by its issuer alone",
        identity={"type": "Role", "sessionContext": {"sessionIssuer": {"userName": "PlatformOperator"}}},
        who=Who(kind="Role", name="PlatformOperator"),
        alert="role PlatformOperator",
        tag="PlatformOperator",
    ),
    # The root user
    Form(
        what="Root",
        identity={"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT},
        who=Who(kind="Root", account=ACCOUNT, principal=ACCOUNT),
        alert=f"root of account {ACCOUNT}",
        tag="root",
    ),
    Form(
        what="Root with an alias",
        identity={"type": "Root", "accountId": ACCOUNT, "userName": "example-shop"},
        who=Who(kind="Root", name="example-shop", account=ACCOUNT),
        alert=f"root of account {ACCOUNT}",
        tag="root",
    ),
    Form(
        what="Root assumed by the organization's account",
        identity={"type": "Root", "accountId": ACCOUNT, "sessionContext": {"assumedRoot": "true"}},
        who=Who(kind="Root", account=ACCOUNT),
        alert=f"root of account {ACCOUNT}",
        tag="root",
    ),
    # Federated people
    Form(
        what="FederatedUser",
        identity={
            "type": "FederatedUser",
            "principalId": f"{ACCOUNT}:tomas.berg",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/tomas.berg",
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "userName": "access-portal"}},
        },
        who=Who(
            kind="FederatedUser",
            name="tomas.berg",
            issuer="access-portal",
            account=ACCOUNT,
            principal=f"{ACCOUNT}:tomas.berg",
        ),
        alert="tomas.berg",
        tag="tomas.berg",
    ),
    Form(
        what="FederatedUser without an ARN",
        identity={"type": "FederatedUser", "principalId": f"{ACCOUNT}:tomas.berg@example.com"},
        who=Who(kind="FederatedUser", name="tomas.berg@example.com", principal=f"{ACCOUNT}:tomas.berg@example.com"),
        alert="tomas.berg@example.com",
        tag="tomas.berg",
        with_emails="tomas.berg@example.com",
    ),
    Form(
        what="SAMLUser",
        identity={
            "type": "SAMLUser",
            "principalId": "bm90IHJlYWw=:ines.falk@example.com",
            "userName": "ines.falk@example.com",
            "identityProvider": "bm90IHJlYWw=",
        },
        who=Who(kind="SAMLUser", name="ines.falk@example.com", principal="bm90IHJlYWw=:ines.falk@example.com"),
        alert="ines.falk@example.com",
        tag="ines.falk",
        with_emails="ines.falk@example.com",
    ),
    Form(
        what="SAMLUser without a name",
        identity={"type": "SAMLUser", "principalId": "bm90IHJlYWw=:ines.falk@example.com"},
        who=Who(kind="SAMLUser", name="ines.falk@example.com", principal="bm90IHJlYWw=:ines.falk@example.com"),
        alert="ines.falk@example.com",
        tag="ines.falk",
        with_emails="ines.falk@example.com",
    ),
    Form(
        what="WebIdentityUser",
        identity={
            "type": "WebIdentityUser",
            "principalId": "issuer.example:app:repo:example/orders:ref:refs/heads/main",
            "userName": "repo:example/orders:ref:refs/heads/main",
            "identityProvider": "issuer.example",
        },
        who=Who(
            kind="WebIdentityUser",
            name="repo:example/orders:ref:refs/heads/main",
            principal="issuer.example:app:repo:example/orders:ref:refs/heads/main",
        ),
        alert="repo:example/orders:ref:refs/heads/main",
        tag="repo:example/orders:ref:refs/heads/main",
    ),
    Form(
        what="IdentityCenterUser",
        identity={
            "type": "IdentityCenterUser",
            "accountId": ACCOUNT,
            "onBehalfOf": {"userId": USER_ID, "identityStoreArn": "arn:aws:identitystore::…:identitystore/d-1"},
            "credentialId": "EXAMPLE",
        },
        who=Who(kind="IdentityCenterUser", name=USER_ID, account=ACCOUNT),
        alert=f"Identity Center user {USER_ID}",
        tag=f"IdentityCenterUser/{USER_ID}",
    ),
    Form(
        what="IdentityCenterUser without an id",
        identity={"type": "IdentityCenterUser", "accountId": ACCOUNT},
        who=Who(kind="IdentityCenterUser", account=ACCOUNT),
        alert="Identity Center user",
        tag=ACCOUNT,
    ),
    Form(
        what="Directory",
        identity={"type": "Directory", "accountId": ACCOUNT, "userName": "infrastructure@example.com"},
        who=Who(kind="Directory", name="infrastructure@example.com", account=ACCOUNT),
        alert="infrastructure@example.com",
        tag="infrastructure",
        with_emails="infrastructure@example.com",
    ),
    # Other accounts and services
    Form(
        what="AWSAccount",
        identity={"type": "AWSAccount", "principalId": "AROAEXAMPLE:vendor-rollout", "accountId": OTHER_ACCOUNT},
        who=Who(
            kind="AWSAccount", session="vendor-rollout", account=OTHER_ACCOUNT, principal="AROAEXAMPLE:vendor-rollout"
        ),
        alert=f"AWSAccount {OTHER_ACCOUNT}",
        tag=f"AWSAccount/{OTHER_ACCOUNT}",
    ),
    Form(
        what="AWSAccount that is not told",
        identity={"type": "AWSAccount", "principalId": "AROAEXAMPLE:ines@example.com"},
        who=Who(kind="AWSAccount", session="ines@example.com", principal="AROAEXAMPLE:ines@example.com"),
        alert="AWSAccount",
        tag="AROAEXAMPLE:ines",
        with_emails="AROAEXAMPLE:ines@example.com",
    ),
    Form(
        what="AWSService",
        identity={"type": "AWSService", "invokedBy": "apprunner.amazonaws.com"},
        who=Who(kind="AWSService", service="apprunner.amazonaws.com"),
        alert="apprunner.amazonaws.com",
        tag="apprunner.amazonaws.com",
    ),
    Form(
        what="AWSService that is not told",
        identity={"type": "AWSService", "invokedBy": "AWS Internal"},
        who=Who(kind="AWSService", service="AWS Internal"),
        alert="AWS Internal",
        tag="AWS Internal",
    ),
    Form(
        what="no type, by a service",
        identity={"accountId": ACCOUNT, "invokedBy": "apprunner.amazonaws.com"},
        who=Who(kind="", account=ACCOUNT, service="apprunner.amazonaws.com"),
        alert="apprunner.amazonaws.com",
        tag="apprunner.amazonaws.com",
    ),
    Form(
        what="no type, in an account",
        identity={"accountId": ACCOUNT},
        who=Who(kind="", account=ACCOUNT),
        alert=ACCOUNT,
        tag=ACCOUNT,
    ),
    # Whatever else
    Form(
        what="Unknown with a name",
        identity={"type": "Unknown", "userName": "bob@example.com", "onBehalfOf": {"userId": USER_ID}},
        who=Who(kind="Unknown", name="bob@example.com"),
        alert="bob@example.com",
        tag="bob",
        with_emails="bob@example.com",
    ),
    Form(
        what="Unknown with an id",
        identity={"type": "Unknown", "principalId": "Anonymous", "userName": ""},
        who=Who(kind="Unknown", principal="Anonymous"),
        alert="Unknown",
        tag="Anonymous",
    ),
    Form(
        what="Unknown on behalf of an Identity Center user",
        identity={"type": "Unknown", "onBehalfOf": {"userId": USER_ID}},
        who=Who(kind="Unknown", name=USER_ID),
        alert=USER_ID,
        tag=USER_ID,
    ),
    Form(what="Unknown", identity={"type": "Unknown"}, who=Who(kind="Unknown"), alert="Unknown", tag=""),
    Form(what="nothing in it", identity={}, who=Who(kind=""), alert="", tag=""),
    Form(what="no identity", identity=None, who=Who(kind=""), alert="", tag=""),
    Form(what="an identity that is hidden", identity=HIDDEN, who=Who(kind=""), alert="", tag=""),
    Form(
        what="values that are hidden",
        identity={**dict.fromkeys(ALICE, HIDDEN), "type": "IAMUser"},
        who=Who(kind="IAMUser"),
        alert="IAMUser",
        tag="",
    ),
    Form(
        what="values that are no texts",
        identity={"type": 7, "userName": ["x"], "sessionContext": "x", "onBehalfOf": 7, "arn": {"x": "y"}},
        who=Who(kind=""),
        alert="",
        tag="",
    ),
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: str(form.what))
def test_every_form_of_an_identity_is_told_as_far_as_it_goes(form: Form) -> None:
    record = {"userIdentity": form.identity}
    said = who(record)
    assert said == form.who
    assert caller(record).name == form.alert
    assert person(said, emails=False) == form.tag
    assert person(said, emails=True) == (form.tag if form.with_emails is None else form.with_emails)


def test_there_is_a_form_of_every_type() -> None:
    assert {
        str(form.identity["type"]) for form in FORMS if isinstance(form.identity, dict) and "type" in form.identity
    } - {"7"} == set(TYPES)


def test_the_agent_tells_a_lambda_function_whose_session_has_a_name_like_a_persons() -> None:
    record = {"userIdentity": role("orders"), "userAgent": "Boto3/1.43.106 exec-env/AWS_Lambda_python3.13"}
    assert person(who(record), emails=False) == "Deployer"
    assert person(who({**record, "userAgent": "aws-cli/2.31.0"}), emails=False) == "Deployer/orders"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dana@example.com", "dana"),
        ("dana@example.com@example.org", "dana"),
        ("dana@a/ines@b", "dana/ines"),
        ("@example.com", ""),
        ("/@/", ""),
        ("a/@example.com", "a"),
    ],
)
def test_of_an_address_only_what_stands_before_the_at_is_told(name: str, told: str) -> None:
    one = Who(kind="IAMUser", name=name)
    assert person(one, emails=False) == told
    assert person(one, emails=True) == name


# Names of sessions ----------------------------------------------------------------------------------------------------

# Each as the program's source, its documentation or published records have it, with ids of our own.
OF_PROGRAMS = {
    "an EC2 instance": "i-0c51d7e2a94b6f380",
    "an older EC2 instance": "i-1a2b3c4d",
    "an older Lambda function": "awslambda_533_20260101120000123",
    "SDK for Python, CLI": "botocore-session-1790607633",
    "SDK for Go": "aws-go-sdk-1692148309803252560",
    "SDK for Go, as it was": "1692148309803252560",
    "SDK for JavaScript": "aws-sdk-js-session-1790607633411",
    "SDK for JavaScript, as it was": "aws-sdk-js-1790607633411",
    "SDK for Java": "aws-sdk-java-1790607633411",
    "SDK for .NET": "aws-dotnet-sdk-session-638881234567890123",
    "SDK for Ruby": "default_session",
    "the CLI's documentation": "AWSCLI-Session",
    "GitHub Actions": "GitHubActions",
    "Azure DevOps": "AzureDevOps",
    "Systems Manager Automation": "AutomationExecution",
    "GitHub Actions, by the run": "17912345678",
    "GitHub Actions, by the repository": "github-orders-deploy",
    "CodeBuild": f"AWSCodeBuild-{USER_ID}",
    "CodePipeline": "1790607633411",
    "a task of ECS": "a20b735e9bbc41598825b6f0269f6fef",
    "EKS Pod Identity": f"eks-shop-orders-web-5-{USER_ID}",
    "CloudFormation": "AWSCloudFormation",
    "the CDK in a runner": "aws-cdk-runner",
    "the CDK in CodeBuild": "aws-cdk-codebuild-user",
    "the CDK in a container": "aws-cdk-root",
    "Spacelift": "01K6DZ7S8Q1CN6YW2VW82JCYYX@workload-prod-ai_us-west-2_infrastruc",
    "GitLab": "GitLabRunner-4711-90210",
    "Buildkite": f"buildkite-job-{USER_ID}",
    "Jenkins": "jenkins-agent-7",
    "Terraform": "terraform-apply",
    "a pipeline": "ci-run-48213",
    "a build": "build_48213",
    "a job of a commit": "deploy-job-9f3c2ab",
    "a robot": "deploy@example.com",
    "a number": "4711",
    "nobody": "",
}
OF_PEOPLE = (
    *("jonas.weber", "dana.ortiz@example.com", "u123456", "a123456", "j.doe-admin", "maria_garcia", "Agent Smith"),
    *("alice", "JWeber", "jose-maria.lopez+ops@example.com", "x=y,z", "o.brien2", "weber,jonas", "li", "tom.jenkins"),
    *("aws-cdk-alice", "aws-cdk-j.weber", "deploy-alice", "alice-session", "ci.lee", "cd-jones", "ann.run", "pod.cast"),
    *(
        "i-am-alice",
        "i-robot",
        "travis",
        "deadbeef",
        "ada",
        "abe",
        "facade",
        "bede.decade",
        "dana.ortiz@lambda.example",
    ),
    *("jonas.weber@github.example.com", "dana.ortiz@i-0c51d7e2a94b6f380.example", "мария", "josé.peña", "user-7"),
)


@pytest.mark.parametrize("session", OF_PROGRAMS.values(), ids=OF_PROGRAMS)
def test_a_name_that_a_program_gave_is_left_out(session: str) -> None:
    assert is_machine_like(session)
    assert person(of_role(session), emails=True) == "Deployer"


@pytest.mark.parametrize("session", OF_PEOPLE)
def test_a_name_that_a_person_has_is_told(session: str) -> None:
    assert not is_machine_like(session)
    assert person(of_role(session), emails=True) == f"Deployer/{session}"
