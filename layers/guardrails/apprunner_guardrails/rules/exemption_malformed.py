from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.events import EXEMPTION
from apprunner_guardrails.exemptions import Malformed, exemptions
from apprunner_guardrails.facts import FactName, Network, Unread, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import tag_commands
from apprunner_guardrails.settings import Settings

ID = "AR901"
APP_RUNNER_TAGS = "https://docs.aws.amazon.com/apprunner/latest/api/API_TagResource.html"
ELB_TAGS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html"
EC2_TAGS = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html"
API_TAGS = "https://docs.aws.amazon.com/apigateway/latest/api/API_TagResource.html"


class _Tagged(Protocol):
    @property
    def arn(self) -> str: ...

    @property
    def tags(self) -> Mapping[str, str] | Unread: ...


def rule[S: _Tagged](
    kind: str, ids: Collection[str], tags: FactName = "tags", reference: str = APP_RUNNER_TAGS
) -> Rule[S]:
    """The rule for a kind of resource, which the rules of these ids judge: an exemption from others has no effect.

    `tags` is the fact that such a resource's tags come with.
    """

    def malformed(subject: S) -> Iterator[Malformed]:
        held = known(subject.tags)
        valid, faulty = exemptions(held)
        yield from faulty
        for key in (f"{EXEMPTION}{one.rule}" for one in valid if one.rule not in ids):
            yield Malformed(key=key, value=held[key], why=f"no rule of that id judges a {kind}")

    def check(subject: S, network: Network, settings: Settings) -> Iterator[str]:
        for tag in malformed(subject):
            yield f"tag {tag.key!r} = {tag.value!r} exempts nothing: {tag.why}"

    def command(subject: S, network: Network, settings: Settings) -> str:
        return tag_commands(subject.arn, (tag.key for tag in malformed(subject)))

    return Rule(
        id=ID,
        name="exemption_malformed",
        title="Exemption tag is malformed and exempts nothing",
        severity=Severity.LOW,
        risk="Somebody believes that a finding is accepted until a day, and it is not.",
        remediation="Give the tag apprunner-guardrails:exempt:RULE, on the resource that the rule judges, a value of a"
        " date, an owner and a reason, such as 2026-12-31 @owner reason; or take it off.",
        reference=reference,
        needs=(tags,),
        check=check,
        command=command,
    )
