"""Which IAM actions a function's code asks for: those behind the calls that its handler can reach."""

from pathlib import Path

from tools.operations import calls_asked_for

# Where IAM has another name for a service than botocore, or another action than the call.
PREFIXES = {"elbv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}
ACTIONS = {
    **{
        f"{generation}:{call}": "apigateway:GET"  # whatever is read
        for generation, calls in (
            ("apigateway", ("GetResources", "GetRestApis", "GetStages", "GetVpcLinks")),
            ("apigatewayv2", ("GetApis", "GetIntegrations", "GetRoutes", "GetStages", "GetVpcLinks")),
        )
        for call in calls
    },
    "dynamodb:TransactWriteItems": "dynamodb:PutItem",  # of Puts, which is what the ledger writes
    "sns:PublishBatch": "sns:Publish",
}


def actions_asked_for(handler: Path) -> set[str]:
    """The IAM actions behind every call of AWS that the handler in this file can reach."""
    calls = {f"{PREFIXES.get(service, service)}:{operation}" for service, operation in calls_asked_for(handler)}
    return {ACTIONS.get(call, call) for call in calls}
