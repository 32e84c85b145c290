from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, NotKnown, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules._common import set_network
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    required = settings.required_address_type
    if not required:
        return
    if not service.address_type:
        raise NotKnown("DescribeService does not say which IpAddressType the service has")
    if service.address_type != required:
        yield f"its IpAddressType is {service.address_type}, and {required} is required"


def command(service: Service, network: Network, settings: Settings) -> str:
    return set_network(replace(service, address_type=settings.required_address_type))


RULE = Rule(
    id="AR406",
    name="service_address_type",
    title="Service has another address type than required",
    severity=Severity.MEDIUM,
    risk="With IPv4 alone, clients that have only IPv6 do not reach the service; with both, clients come from IPv6"
    " addresses that lists and firewalls may know nothing of.",
    remediation="Give the service the address type that is required for its incoming traffic.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-dual-stack.html",
    needs=("services",),
    check=check,
    command=command,
)
