import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, listed
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    groups = known(network.security_groups)
    if groups and not any(group.egress for group in groups):
        yield f"no security group of the connector has an outbound rule: {listed(group.id for group in groups)}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    first = min((group.id for group in known(network.security_groups)), default="SECURITY_GROUP_ID")
    where = f"--region {shlex.quote(network.region)} --group-id {shlex.quote(first)}"
    return (
        f"aws ec2 authorize-security-group-egress {where}"
        " --ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges='[{CidrIp=0.0.0.0/0}]'"
    )


RULE = Rule(
    id="AR202",
    name="connector_no_egress",
    title="VPC connector's security groups allow no outbound traffic",
    severity=Severity.HIGH,
    risk="A connector carries outbound traffic only, and nothing of it is allowed:"
    " every call of the service times out.",
    remediation="Add outbound rules for what the service calls.",
    reference=CONNECTOR_GUIDE,
    needs=("security_groups",),
    check=check,
    command=command,
)
