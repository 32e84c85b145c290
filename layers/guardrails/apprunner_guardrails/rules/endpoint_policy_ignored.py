import json
import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, PathEndpoint
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._path import PRIVATE_GUIDE, requests_service
from apprunner_guardrails.settings import Settings

_ALL_MAY_ALL = {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}


def _is_default(policy: str) -> bool:
    """Whether it is the one that endpoints have of themselves, by whatever spelling."""
    if not policy:
        return True
    try:
        document = json.loads(policy)
    except ValueError:
        return False
    if not isinstance(document, dict) or not document.keys() <= {"Version", "Id", "Statement"}:
        return False
    statement = _only(document.get("Statement"))
    if not isinstance(statement, dict):
        return False
    told = {key: _only(value) for key, value in statement.items() if key != "Sid"}
    principal = told.get("Principal")
    if isinstance(principal, dict) and principal.keys() == {"AWS"}:
        told["Principal"] = _only(principal["AWS"])
    return told == _ALL_MAY_ALL


def _only(value: object) -> object:
    """Policies may leave out the brackets of a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def check(endpoint: PathEndpoint, network: Network, settings: Settings) -> Iterator[str]:
    service = requests_service(endpoint.region)
    if endpoint.endpoint.service == service and not _is_default(endpoint.endpoint.policy):
        yield f"endpoint {endpoint.endpoint.id} has a policy of its own, and {service} heeds none: it has no effect"


def command(endpoint: PathEndpoint, network: Network, settings: Settings) -> str:
    return (
        f"aws ec2 modify-vpc-endpoint --region {shlex.quote(endpoint.region)}"
        f" --vpc-endpoint-id {shlex.quote(endpoint.endpoint.id)} --reset-policy"
    )


RULE = Rule(
    id="AR506",
    name="endpoint_policy_ignored",
    title="Policy on a private service's endpoint has no effect",
    severity=Severity.LOW,
    risk="It looks like access control and is none: App Runner does not support policies on the endpoint by which"
    " private services are asked.",
    remediation="Limit who gets to the endpoint by its security groups, and take the policy off.",
    reference=PRIVATE_GUIDE,
    needs=("ingress_endpoints",),
    check=check,
    command=command,
)
