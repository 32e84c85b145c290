import re
import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.exemptions import tag, untag
from apprunner_guardrails.facts import BoundGroup, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.binding import SERVICE, TAG


def check(group: BoundGroup, network: Network, settings: Settings) -> Iterator[str]:
    yield from known(group.broken)


def command(group: BoundGroup, network: Network, settings: Settings) -> str:
    service = shlex.quote(f"com.amazonaws.{group.region}{SERVICE}")
    return (
        f"aws ec2 describe-vpc-endpoints --region {shlex.quote(group.region)}"
        f" --filters Name=service-name,Values={service}\n"
        f"{tag(group.arn, group.region, {TAG: 'ENDPOINT_IDS'})}\n"
        "# or end the binding: then nobody looks after the targets any more\n"
        f"# {untag(group.arn, group.region, (TAG,))}"
    )


RULE = Rule(
    id="AR516",
    name="target_group_binding_broken",
    title="Target group's binding to its endpoint is broken",
    severity=Severity.HIGH,
    risk="Nothing keeps the targets at the endpoint's addresses: the next change of the endpoint is an outage.",
    remediation=f"Let the tag {TAG} name the ids of available interface endpoints of App Runner's private services,"
    " separated by spaces, in the target group's own VPC or in one that it is connected to. Or take the tag off: the"
    " group is left alone then.",
    reference="https://docs.aws.amazon.com/apprunner/latest/dg/network-pl.html",
    needs=("bindings", "target_groups", "bound_endpoints", "vpc_connections"),
    check=check,
    fault=lambda message: re.sub(r" (is deleting|does not exist)$", " is gone", message),
    command=command,
)
