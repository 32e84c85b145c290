"""A failed call and what the account shows → what people are told. Pure.

Severity: HIGH for an operation that App Runner accepted and that failed (a service is not as its team meant it to be;
MEDIUM where it could only not be paused or deleted), MEDIUM for a call that was refused (nothing was changed), LOW for
what a policy denied and for AWS's own faults, INFO for what was throttled and for dry runs (nothing to mend).
"""

from collections.abc import Callable, Iterator, Mapping

from apprunner_guardrails.alerts import Explanation
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.failed_calls import _connectors, _private, _services
from apprunner_guardrails.failed_calls import _tell as tell
from apprunner_guardrails.failed_calls.asked import OPERATIONS, Refusal, denied_action, refusal, says
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.findings import Severity

type Explain = Callable[[FailedCall, Seen], Explanation]

_CALLS: Mapping[str, Explain] = {
    "CreateVpcConnector": _connectors.create,
    "DeleteVpcConnector": _connectors.delete,
    "CreateService": _services.create,
    "UpdateService": _services.update,
    "DeleteService": _services.delete,
    "CreateVpcIngressConnection": _private.create_ingress,
    "DeleteVpcIngressConnection": _private.delete_ingress_connection,
    "CreateVpcEndpoint": _private.create_endpoint,
}

_ENDPOINT_ACTIONS = (
    "ec2:CreateTags, ec2:CreateVpcEndpoint, ec2:ModifyVpcEndpoint, ec2:DeleteVpcEndpoints, ec2:DescribeSubnets,"
    " ec2:DescribeVpcEndpoints and ec2:DescribeVpcs"
)
# What a call needs beside its own action, where AWS's pages say so.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "CreateVpcConnector": (
        "an account's first connector also needs iam:CreateServiceLinkedRole for networking.apprunner.amazonaws.com",
        "a call with tags also needs apprunner:TagResource",
    ),
    "CreateService": ("a call with tags also needs apprunner:TagResource",),
    "UpdateService": (
        "a policy that demands apprunner:VpcConnectorArn also denies updates that name no VPC connector",
    ),
    "CreateVpcIngressConnection": (f"who makes private endpoints needs {_ENDPOINT_ACTIONS}",),
    "CreateVpcEndpoint": (f"who makes private endpoints needs {_ENDPOINT_ACTIONS}",),
}
_POLICIES = (
    ("explicit deny", "a policy denies it explicitly, and no policy that allows it can outweigh that"),
    ("service control policy", "a service control policy of the organization stands in the way"),
    ("resource control policy", "a resource control policy of the organization stands in the way"),
    ("permissions boundary", "the caller's permissions boundary stands in the way"),
    ("session policy", "the policy of the caller's session stands in the way"),
    ("vpc endpoint policy", "the policy of a VPC endpoint stands in the way"),
)


def explanation(failed: FailedCall, seen: Seen) -> Explanation:
    if failed.source == OPERATIONS:
        return _services.operation(failed, seen)
    explain = _ALIKE.get(refusal(failed)) or _CALLS.get(failed.what, _anything)
    return explain(failed, seen)


def _denied(failed: FailedCall, seen: Seen) -> Explanation:
    action = denied_action(failed)
    return tell.explained(
        failed,
        seen,
        title=f"{failed.what} was denied: the caller may not do {action}",
        what=f"IAM denies {action} to the caller.",
        causes=_denials(failed),
        commands=(
            *(
                "aws sts decode-authorization-message --encoded-message ENCODED_MESSAGE"
                for _ in range(says(failed, "encoded authorization failure message"))
            ),
            f"aws iam simulate-principal-policy --policy-source-arn ROLE_OR_USER_ARN --action-names {action}",
        ),
        cause=("denied", action),
        reference=tell.PRIVATE_GUIDE
        if failed.what in ("CreateVpcEndpoint", "CreateVpcIngressConnection")
        else "https://docs.aws.amazon.com/service-authorization/latest/reference/list_apprunner.html",
        severity=Severity.LOW,
    )


def _denials(failed: FailedCall) -> Iterator[str]:
    """What the message says of the policy, then what the call needs."""
    for fragment, meaning in _POLICIES:
        if says(failed, fragment):
            yield meaning
    yield from _NEEDS.get(failed.what, ())


def _throttled(failed: FailedCall, seen: Seen) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"{failed.what} was throttled",
        what="AWS was asked too often at once and refused this call. Nothing needs mending: try again, each time after"
        " a longer wait.",
        cause=("throttled", failed.source),
        reference="https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html",
        severity=Severity.INFO,
    )


def _own_fault(failed: FailedCall, seen: Seen) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"{failed.what} failed inside AWS",
        what="The fault is on AWS's side. Try again later; if it goes on, see AWS Health, or open a support case.",
        cause=("aws-fault", failed.source, failed.what),
        reference=f"{tell.API}/CommonErrors.html",
        severity=Severity.LOW,
    )


def _dry_run(failed: FailedCall, seen: Seen) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"{failed.what} was a dry run",
        what="Nothing failed: the caller asked whether the call would be allowed, and it would.",
        cause=("dry-run", failed.what),
        reference="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html",
        severity=Severity.INFO,
    )


def _anything(failed: FailedCall, seen: Seen) -> Explanation:
    name = tell.shown(failed.what, "A call")
    return tell.explained(
        failed,
        seen,
        title=f"{name} was refused",
        what="Nothing was changed. The message is all that is known.",
        cause=("refused", failed.what, failed.code, failed.resource),
        reference=f"{tell.API}/API_Operations.html",
    )


_ALIKE: Mapping[Refusal, Explain] = {
    Refusal.DENIED: _denied,
    Refusal.THROTTLED: _throttled,
    Refusal.AWS: _own_fault,
    Refusal.DRY_RUN: _dry_run,
}
EXPLAINED_ALIKE = frozenset(_ALIKE)  # whatever the call was: the account has nothing to add
