from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Network, Stage
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import change_stage, patch, stages
from apprunner_guardrails.settings import Settings


def _untraced(api: Api) -> list[Stage]:
    return [stage for stage in stages(api) if stage.traced is False]  # None: HTTP APIs cannot


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_api_tracing:
        yield from (f"stage {stage.name} sends no traces to X-Ray" for stage in _untraced(api))


def command(api: Api, network: Network, settings: Settings) -> str:
    options = f"--patch-operations {patch('/tracingEnabled', 'true')}"
    return "\n".join(change_stage(api, stage.name, options) for stage in _untraced(api))


RULE = Rule(
    id="AR606",
    name="api_stage_untraced",
    title="API's stage sends no traces to X-Ray",
    severity=Severity.MEDIUM,
    risk="Where on the way to the private service time is lost, or a request fails, cannot be seen.",
    remediation="Switch X-Ray tracing on for the stage; it takes effect without a deployment. HTTP APIs cannot trace:"
    " nothing is asked of them.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enabling-xray.html",
    needs=("apis", "stages"),
    check=check,
    command=command,
)
