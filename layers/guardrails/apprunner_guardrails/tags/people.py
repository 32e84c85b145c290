"""Who made something, in the words of a tag. Pure.

IAM user                 mara.lind
role                     deploy-pipeline
role and person          NetworkEngineer/jonas.weber       by the source identity, else the session's name
service-linked role      AWSServiceRoleForAutoScaling
federated user           jonas.weber
Identity Center user     IdentityCenterUser/94c8e4a8-20b1-7002-9f6e-0123456789ab
another account          AWSAccount/444455556666
root user                root
AWS service              apprunner.amazonaws.com
"""

import re

from apprunner_guardrails.callers import Who

_SERVICE_LINKED = "AWSServiceRoleFor"  # what the names of roles begin with that only AWS services can assume

# What programs name sessions. Left out, the role is told alone: it says more than they do.
# 1. Ids and times, or no letter at all: i-0c51d7e2a94b6f380, 1790607633411, aws-go-sdk-1692148309803252560, tasks of
#    ECS, whatever has a UUID, Spacelift's ULID@stack@account.
_GENERATED = re.compile(
    r"i-[0-9a-f]{8,17}"
    r"|[\W\d_]*"
    r"|.*[0-9]{10}.*"
    r"|.*[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}.*"
    r"|(?=.*[0-9])[0-9a-f]{16,}"
    r"|[0-9A-HJKMNP-TV-Z]{26}",
    re.DOTALL,
)
# 2. The name of a program, anywhere: AWSCodeBuild-…, GitHubActions, terraform-apply. None that people are called, too.
_PROGRAM = re.compile(
    r"aws-[a-z-]*sdk|awscli|awslambda|boto3|botocore|cloudformation|codebuild|codedeploy|codepipeline"
    r"|argocd|automationexecution|azuredevops|bitbucket|buildkite|circleci|github|gitlab|opentofu|pulumi|spacelift|terraform|terragrunt",
    re.IGNORECASE,
)
# 3. Nothing but such words and numbers: ci-run-48213, default_session. With a name beside them it is a person's:
#    aws-cdk-alice (what the CDK makes of the user's name), tom.jenkins.
_WORDS = frozenset(
    {
        *("aws", "cdk", "cli", "sdk", "default", "session", "assume", "role", "assumerole", "service", "account"),
        *("agent", "atlantis", "automation", "bot", "jenkins", "runner", "root", "ubuntu", "ec2", "ecs", "eks"),
        *("ci", "cd", "run", "build", "job", "deploy", "deployment", "pipeline", "action", "actions", "apply", "plan"),
        *("function", "lambda", "pod", "task"),
    }
)
_NUMBER = re.compile(r"[0-9]+|(?=.*[0-9])[0-9a-f]+")


def person(who: Who, *, emails: bool) -> str:
    """The caller's name for a tag, empty where CloudTrail tells none.

    Of an address without `emails`, only what stands before the @ is told.
    """
    name = _name(who)
    return name if emails else "/".join(part.partition("@")[0] for part in name.split("/")).strip("/")


def _name(who: Who) -> str:
    role = who.name or who.principal.partition(":")[0]
    match who.kind:
        case "Root":
            return "root"
        case "AssumedRole" | "Role" if role:
            return "/".join(filter(None, (role, who.source_identity or _person_of_session(who))))
        case "IdentityCenterUser" if who.name:
            return f"{who.kind}/{who.name}"
        case "AWSAccount" if who.account:
            return f"{who.kind}/{who.account}"
        case "AWSService" if who.service:
            return who.service
    return who.name or who.principal or who.service or who.account


def _person_of_session(who: Who) -> str:
    of_program = who.machine or who.name.startswith(_SERVICE_LINKED) or is_machine_like(who.session)
    return "" if of_program else who.session


def is_machine_like(session: str) -> bool:
    """Whether a session's name looks like one that a program gave: by its form, by the program's name in it, or because
    there is nothing else in it that could be a person's. Of an address, what stands before the @ counts."""
    name = session.partition("@")[0]
    if _GENERATED.fullmatch(name) or _PROGRAM.search(name):
        return True
    words = {one for one in re.split(r"[\W_]+", name.lower()) if one}
    others = words - _WORDS
    return others != words and all(map(_NUMBER.fullmatch, others))
