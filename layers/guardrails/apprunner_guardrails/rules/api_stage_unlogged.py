import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Network, Stage
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._api import change_stage, patch, stages
from apprunner_guardrails.settings import Settings

FORMAT = "$context.requestId $context.identity.sourceIp $context.httpMethod $context.path $context.status"


def _unlogged(api: Api) -> list[Stage]:
    return [stage for stage in stages(api) if not stage.logged]


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    if settings.require_api_access_logs:
        yield from (f"stage {stage.name} writes no access log" for stage in _unlogged(api))


def command(api: Api, network: Network, settings: Settings) -> str:
    if api.kind == "REST":
        log = "/accessLogSettings"
        patches = f"{patch(f'{log}/destinationArn', 'LOG_GROUP_ARN')} {patch(f'{log}/format', FORMAT)}"
        options = f"--patch-operations {patches}"
    else:
        options = f"--access-log-settings {shlex.quote(f'DestinationArn=LOG_GROUP_ARN,Format="{FORMAT}"')}"
    return "\n".join(change_stage(api, stage.name, options) for stage in _unlogged(api))


RULE = Rule(
    id="AR605",
    name="api_stage_unlogged",
    title="API's stage writes no access log",
    severity=Severity.MEDIUM,
    risk="Who called the private service, and what API Gateway answered, cannot be told afterwards.",
    remediation="Give the stage a log group and a format for its access log; it takes effect without a deployment."
    " Execution logs are something else, and do not count.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
    needs=("apis", "stages"),
    check=check,
    command=command,
)
