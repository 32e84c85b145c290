from apprunner_guardrails.facts import Stage
from tests.cases import PASS, Case, fail
from tests.cases._apis import stages_unread
from tests.cases._commands import lines
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import is_http_api, set_api, set_stage

_REQUIRED = settings_have(require_api_access_logs=True)
_FORMAT = "$context.requestId $context.identity.sourceIp $context.httpMethod $context.path $context.status"


def _log(stage: str) -> str:
    return (
        f"aws apigateway update-stage --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name {stage}"
        " --patch-operations op=replace,path=/accessLogSettings/destinationArn,value=LOG_GROUP_ARN"
        f""" 'op=replace,path=/accessLogSettings/format,value="{_FORMAT}"'"""
    )


CASES = (
    Case(name="pass: every stage writes a log", changes=(_REQUIRED,), expect=PASS),
    Case(name="pass: logs are not required", changes=(set_stage(logged=False),), expect=PASS),
    Case(name="pass: not required, and stages cannot be read", changes=(unread("stages"),), expect=PASS),
    Case(name="pass: nothing is deployed", changes=(_REQUIRED, set_api(stages=())), expect=PASS),
    Case(
        name="fail: a stage without a log",
        changes=(_REQUIRED, set_stage(logged=False)),
        expect=fail("stage live writes no access log", command=_log("live")),
    ),
    Case(
        name="fail: two stages of three",
        changes=(
            _REQUIRED,
            set_api(
                stages=(
                    Stage(name="test", logged=False, traced=True),
                    Stage(name="live", logged=True, traced=True),
                    Stage(name="beta", logged=False, traced=True),
                )
            ),
        ),
        expect=fail(
            "stage beta writes no access log",
            "stage test writes no access log",
            command=lines(_log("beta"), _log("test")),
        ),
    ),
    Case(
        name="fail: the stage of an HTTP API",
        changes=(_REQUIRED, is_http_api(), set_stage(logged=False)),
        expect=fail(
            "stage $default writes no access log",
            command="aws apigatewayv2 update-stage --region us-east-1 --api-id a1b2c3d4e5 --stage-name '$default'"
            f""" --access-log-settings 'DestinationArn=LOG_GROUP_ARN,Format="{_FORMAT}"'""",
        ),
    ),
    *stages_unread(_REQUIRED),
)
