import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, NotKnown, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    unknown = []
    for attribute, fact in (("enableDnsSupport", network.dns_support), ("enableDnsHostnames", network.dns_hostnames)):
        try:
            if not known(fact):
                yield f"{attribute} of {network.vpc_id} is off"
        except NotKnown as why:
            unknown.append(str(why))
    if unknown:
        raise NotKnown("; ".join(sorted(set(unknown))))


def command(connector: Connector, network: Network, settings: Settings) -> str:
    """Both are switched on, support first: EC2 refuses host names without it."""
    modify = (
        f"aws ec2 modify-vpc-attribute --region {shlex.quote(network.region)} --vpc-id {shlex.quote(network.vpc_id)}"
    )
    return f"{modify} --enable-dns-support\n{modify} --enable-dns-hostnames"


RULE = Rule(
    id="AR111",
    name="connector_vpc_dns_off",
    title="DNS is off in the VPC connector's VPC",
    severity=Severity.MEDIUM,
    risk="Names do not resolve through the VPC: outbound calls fail although routes and security groups are right.",
    remediation="Switch on enableDnsSupport and enableDnsHostnames of the VPC.",
    reference="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/192",),
    needs=("dns_support", "dns_hostnames"),
    check=check,
    command=command,
)
