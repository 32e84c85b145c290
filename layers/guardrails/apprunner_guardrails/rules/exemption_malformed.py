from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.exemptions import Malformed, exemptions
from apprunner_guardrails.facts import Connector, Network, Service, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import tag_commands
from apprunner_guardrails.settings import Settings


def _malformed(subject: Connector | Service) -> tuple[Malformed, ...]:
    return exemptions(known(subject.tags))[1]


def check(subject: Connector | Service, network: Network | None, settings: Settings) -> Iterator[str]:
    for tag in _malformed(subject):
        yield f"tag {tag.key!r} = {tag.value!r} exempts nothing: {tag.why}"


def command(subject: Connector | Service, network: Network | None, settings: Settings) -> str:
    return tag_commands(subject.arn, (tag.key for tag in _malformed(subject)))


RULE = Rule(
    id="AR901",
    name="exemption_malformed",
    title="Exemption tag is malformed and exempts nothing",
    severity=Severity.LOW,
    risk="Somebody believes that a finding is accepted until a day, and it is not.",
    remediation="Give the tag apprunner-guardrails:exempt:RULE a value of a date, an owner and a reason,"
    " such as 2026-12-31 @owner reason; or take it off.",
    reference="https://docs.aws.amazon.com/apprunner/latest/api/API_TagResource.html",
    needs=("tags",),
    check=check,
    command=command,
)
