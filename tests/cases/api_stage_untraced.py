from apprunner_guardrails.facts import Stage
from tests.cases import PASS, Case, fail
from tests.cases._apis import stages_unread
from tests.cases._commands import lines
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import is_http_api, set_api, set_stage

_REQUIRED = settings_have(require_api_tracing=True)


def _trace(stage: str) -> str:
    return (
        f"aws apigateway update-stage --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name {stage}"
        " --patch-operations op=replace,path=/tracingEnabled,value=true"
    )


CASES = (
    Case(name="pass: every stage traces", changes=(_REQUIRED,), expect=PASS),
    Case(name="pass: traces are not required", changes=(set_stage(traced=False),), expect=PASS),
    Case(name="pass: not required, and stages cannot be read", changes=(unread("stages"),), expect=PASS),
    Case(name="pass: an HTTP API cannot trace", changes=(_REQUIRED, is_http_api()), expect=PASS),
    Case(
        name="fail: a stage without traces",
        changes=(_REQUIRED, set_stage(traced=False)),
        expect=fail("stage live sends no traces to X-Ray", command=_trace("live")),
    ),
    Case(
        name="fail: two stages of three",
        changes=(
            _REQUIRED,
            set_api(
                stages=(
                    Stage(name="test", logged=True, traced=False),
                    Stage(name="live", logged=True, traced=True),
                    Stage(name="beta", logged=True, traced=False),
                )
            ),
        ),
        expect=fail(
            "stage beta sends no traces to X-Ray",
            "stage test sends no traces to X-Ray",
            command=lines(_trace("beta"), _trace("test")),
        ),
    ),
    *stages_unread(_REQUIRED),
)
