import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import ManagedInterface, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE
from apprunner_guardrails.settings import Settings


def check(interface: ManagedInterface, network: Network, settings: Settings) -> Iterator[str]:
    if interface.public_address:
        yield (
            f"{interface.id} in {interface.subnet_id} has the public address {interface.public_address}:"
            " App Runner gives its interfaces private addresses only, so somebody attached it"
        )


def command(interface: ManagedInterface, network: Network, settings: Settings) -> str:
    region = f"--region {shlex.quote(interface.region)}"
    association = (
        f"aws ec2 describe-addresses {region} --public-ips {shlex.quote(interface.public_address)}"
        " --query 'Addresses[0].AssociationId' --output text"
    )
    return (
        "# first give the subnet a route to a NAT gateway, or VPC endpoints for what the services call\n"
        f'aws ec2 disassociate-address {region} --association-id "$({association})"'
    )


RULE = Rule(
    id="AR305",
    name="connector_interface_public_address",
    title="Network interface of App Runner has a public address",
    severity=Severity.MEDIUM,
    risk="App Runner makes, shares and deletes these interfaces as it needs them and knows nothing of the address: one"
    " that it makes tomorrow has none, and the services that use it lose their way to the internet without a change.",
    remediation="Give the connector's subnets a route to a NAT gateway, or VPC endpoints for what the services call;"
    " then take the address off.",
    reference=CONNECTOR_GUIDE,
    reports=("https://github.com/aws/apprunner-roadmap/issues/109",),
    needs=("managed_interfaces",),
    check=check,
    command=command,
)
