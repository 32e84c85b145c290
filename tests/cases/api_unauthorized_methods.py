from dataclasses import replace

from apprunner_guardrails.facts import Unread
from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import INTEGRATION, is_http_api, set_api, set_integration

_REQUIRED = settings_have(require_api_authorization=True)
_UNREAD = Unread(call="apigateway:GET", code="TooManyRequestsException")
_OPEN = replace(INTEGRATION, authorization="NONE")
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)


def _authorize(method: str, resource: str = "RESOURCE_ID") -> str:
    return (
        f"aws apigateway update-method --region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id {resource}"
        f" --http-method {method} --patch-operations op=replace,path=/authorizationType,value=AWS_IAM"
    )


CASES = (
    Case(name="pass: IAM authorizes", changes=(_REQUIRED,), expect=PASS),
    Case(name="pass: an authorizer does", changes=(_REQUIRED, set_integration(authorization="CUSTOM")), expect=PASS),
    Case(
        name="pass: an API key is asked for",
        changes=(_REQUIRED, set_integration(authorization="NONE", api_key=True)),
        expect=PASS,
    ),
    Case(
        name="pass: an HTTP API asks for a token",
        changes=(_REQUIRED, is_http_api(), set_integration(authorization="JWT")),
        expect=PASS,
    ),
    Case(
        name="pass: what browsers ask beforehand has no credentials",
        changes=(_REQUIRED, set_api(integrations=(INTEGRATION, replace(_OPEN, where="OPTIONS /{proxy+}")))),
        expect=PASS,
    ),
    Case(name="pass: authorization is not required", changes=(set_integration(authorization="NONE"),), expect=PASS),
    Case(
        name="pass: not required, and integrations cannot be read",
        changes=(set_api(integrations=_UNREAD),),
        expect=PASS,
    ),
    Case(
        name="fail: anyone may",
        changes=(_REQUIRED, set_integration(authorization="NONE")),
        expect=fail(
            "ANY /{proxy+} asks for neither an authorizer nor IAM nor an API key",
            command=lines(_authorize("ANY"), _DEPLOY),
        ),
    ),
    Case(
        name="fail: two methods of three",
        changes=(
            _REQUIRED,
            set_api(
                integrations=(replace(_OPEN, where="POST /orders", id="r1"), INTEGRATION, replace(_OPEN, where="ANY /"))
            ),
        ),
        expect=fail(
            "ANY / asks for neither an authorizer nor IAM nor an API key",
            "POST /orders asks for neither an authorizer nor IAM nor an API key",
            command=lines(_authorize("ANY"), _authorize("POST", "r1"), _DEPLOY),
        ),
    ),
    Case(
        name="fail: a method is told once, though it leads elsewhere on each stage",
        changes=(
            _REQUIRED,
            set_api(integrations=tuple(replace(_OPEN, where=f"ANY /{{proxy+}} (stage {one})") for one in "ab")),
        ),
        expect=fail(
            "ANY /{proxy+} asks for neither an authorizer nor IAM nor an API key",
            command=lines(_authorize("ANY"), _DEPLOY),
        ),
    ),
    Case(
        name="fail: the route of an HTTP API",
        changes=(_REQUIRED, is_http_api(), set_integration(authorization="NONE")),
        expect=fail(
            "$default asks for neither an authorizer nor IAM nor an API key",
            command=lines(
                "# ROUTE_ID: of $default",
                "aws apigatewayv2 update-route --region us-east-1 --api-id a1b2c3d4e5 --route-id ROUTE_ID"
                " --authorization-type AWS_IAM",
                "# a stage that does not deploy by itself serves it once it is deployed there:",
                "aws apigatewayv2 create-deployment --region us-east-1 --api-id a1b2c3d4e5 --stage-name STAGE_NAME",
            ),
        ),
    ),
    Case(
        name="unknown: integrations cannot be read",
        changes=(_REQUIRED, set_api(integrations=_UNREAD)),
        expect=unknown("apigateway:GET failed (TooManyRequestsException)"),
    ),
    Case(
        name="unknown: APIs cannot be read",
        changes=(_REQUIRED, unread("apis")),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
)
