from tests.cases import PASS, Case, fail
from tests.cases._apis import INTEGRATIONS_UNREAD
from tests.cases._commands import lines
from tests.cases._healthy_path import DOMAIN, is_http_api, set_integration

_OF = "--region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id RESOURCE_ID --http-method ANY --patch-operations"
_METHOD, _INTEGRATION = f"aws apigateway update-method {_OF}", f"aws apigateway update-integration {_OF}"
_DECLARE = f"{_METHOD} op=add,path=/requestParameters/method.request.path.proxy,value=true"
_MAP = "op=add,path=/requestParameters/integration.request.path.proxy,value=method.request.path.proxy"
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)

CASES = (
    Case(name="pass: declared, mapped and in the uri", expect=PASS),
    Case(
        name="pass: declared without being required, which is enough to be mapped",
        changes=(set_integration(declared={"method.request.path.proxy": False}),),
        expect=PASS,
    ),
    Case(
        name="pass: the parameter has another name",
        changes=(
            set_integration(
                where="GET /v1/{rest+}",
                uri=f"https://{DOMAIN}/v1/{{rest}}",
                declared={"method.request.path.rest": True},
                mapped={"integration.request.path.rest": "method.request.path.rest"},
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: the uri has its own name for the parameter",
        changes=(
            set_integration(
                uri=f"https://{DOMAIN}/{{path}}",
                mapped={"integration.request.path.path": "method.request.path.proxy"},
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: a path that is not greedy",
        changes=(set_integration(where="ANY /orders/{id}", uri=f"https://{DOMAIN}/", declared={}, mapped={}),),
        expect=PASS,
    ),
    Case(
        name="pass: templates make the request, and the uri asks for no parameter",
        changes=(set_integration(kind="HTTP", uri=f"https://{DOMAIN}/orders", declared={}, mapped={}),),
        expect=PASS,
    ),
    Case(
        name="pass: an HTTP API passes the path on by itself",
        changes=(is_http_api(), set_integration(where="ANY /{proxy+}")),
        expect=PASS,
    ),
    Case(
        name="fail: the method does not declare it",
        changes=(set_integration(declared={}),),
        expect=fail(
            "ANY /{proxy+} loses the path: the method does not declare method.request.path.proxy",
            command=lines(_DECLARE, _DEPLOY),
        ),
    ),
    Case(
        name="fail: the integration does not map it",
        changes=(set_integration(mapped={}),),
        expect=fail(
            "ANY /{proxy+} loses the path: integration.request.path.proxy is not mapped to method.request.path.proxy",
            command=lines(f"{_INTEGRATION} {_MAP}", _DEPLOY),
        ),
    ),
    Case(
        name="fail: the integration maps something else to it",
        changes=(set_integration(mapped={"integration.request.path.proxy": "'orders'"}),),
        expect=fail(
            "ANY /{proxy+} loses the path: integration.request.path.proxy is not mapped to method.request.path.proxy"
            " but to 'orders'",
            command=lines(f"{_INTEGRATION} {_MAP}", _DEPLOY),
        ),
    ),
    Case(
        name="fail: the uri does not have it",
        changes=(set_integration(uri=f"https://{DOMAIN}/v1?a=1"),),
        expect=fail(
            f"ANY /{{proxy+}} loses the path: its uri https://{DOMAIN}/v1?a=1 has no {{proxy}}",
            command=lines(
                f"""{_INTEGRATION} 'op=replace,path=/uri,value="https://{DOMAIN}/v1/{{proxy}}?a=1"'""", _DEPLOY
            ),
        ),
    ),
    Case(
        name="fail: none of the three, with a host alone as uri",
        changes=(set_integration(uri=f"https://{DOMAIN}", declared={}, mapped={}),),
        expect=fail(
            "ANY /{proxy+} loses the path: the method does not declare method.request.path.proxy,"
            " and integration.request.path.proxy is not mapped to method.request.path.proxy,"
            f" and its uri https://{DOMAIN} has no {{proxy}}",
            command=lines(
                _DECLARE,
                f"""{_INTEGRATION} {_MAP} 'op=replace,path=/uri,value="https://{DOMAIN}/{{proxy}}"'""",
                _DEPLOY,
            ),
        ),
    ),
    Case(
        name="fail: templates make the request, and the uri asks for the parameter",
        changes=(set_integration(kind="HTTP", mapped={}),),
        expect=fail(
            "ANY /{proxy+} loses the path: integration.request.path.proxy is not mapped to method.request.path.proxy",
            command=lines(f"{_INTEGRATION} {_MAP}", _DEPLOY),
        ),
    ),
    *INTEGRATIONS_UNREAD,
)
