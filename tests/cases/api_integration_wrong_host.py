from dataclasses import replace

from tests.cases import PASS, Case, fail, unknown
from tests.cases._apis import INTEGRATIONS_UNREAD
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import (
    BALANCER_ARN,
    DOMAIN,
    ENDPOINT_ID,
    INTEGRATION,
    LISTENER_ARN,
    SERVICE_URL,
    is_http_api,
    set_api,
    set_integration,
)

_BALANCER = "orders-50dc6c495c0c9188.elb.us-east-1.amazonaws.com"
_NAMES = f"services behind it answer to {SERVICE_URL}, {DOMAIN}"
_ONE_OF = f"# HOST: one of {SERVICE_URL}, {DOMAIN}"
_INTEGRATION = (
    "aws apigateway update-integration --region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id RESOURCE_ID"
    " --http-method ANY --patch-operations"
)
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_SET_URI = lines(_ONE_OF, f"""{_INTEGRATION} 'op=replace,path=/uri,value="https://HOST/{{proxy}}"'""", _DEPLOY)
_TAKE_HOST = "op=remove,path=/requestParameters/integration.request.header"
_HTTP = lines(
    _ONE_OF,
    "aws apigatewayv2 update-integration --region us-east-1 --api-id a1b2c3d4e5 --integration-id i1n2t3g"
    """ --tls-config ServerNameToVerify=HOST --request-parameters '{"overwrite:header.Host": "HOST"}'""",
)
_DEPLOY_HTTP = lines(
    "# a stage that does not deploy by itself serves it once it is deployed there:",
    "aws apigatewayv2 create-deployment --region us-east-1 --api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_FIX_HTTP = lines(_HTTP, _DEPLOY_HTTP)
_BY_VARIABLE = "https://${stageVariables.host}/{proxy}"
_NO_STAGE = "ANY /{proxy+} asks for ${stageVariables.host} in its uri: no stage says what that is"

CASES = (
    Case(name="pass: the uri names the ingress connection's domain", expect=PASS),
    Case(
        name="pass: hosts have no case, and port 443 may be said",
        changes=(set_integration(uri="https://ORDERS.example.com:443/{proxy}", hosts=("orders.EXAMPLE.com",)),),
        expect=PASS,
    ),
    Case(
        name="pass: the uri names a custom domain that has a wildcard",
        changes=(set_integration(uri="https://orders.example.com/{proxy}", hosts=("*.example.com",)),),
        expect=PASS,
    ),
    Case(
        name="pass: no ingress connection is behind it, which other rules tell",
        changes=(set_integration(uri=f"https://{_BALANCER}/{{proxy}}", hosts=()),),
        expect=PASS,
    ),
    Case(
        name="pass: an Application Load Balancer is behind it, into which nothing looks",
        changes=(
            is_http_api(),
            set_integration(
                target_arn=LISTENER_ARN.replace("/net/", "/app/"),
                balancer_arn=BALANCER_ARN.replace("/net/", "/app/"),
                server_name="orders.example.com",
                mapped={},
                endpoints=None,
                port=None,
                hosts=(),
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: the Host header is mapped to the same name",
        changes=(
            set_integration(
                mapped={"integration.request.header.Host": f"'{SERVICE_URL}'", "integration.request.path.proxy": "x"}
            ),
        ),
        expect=PASS,
    ),
    Case(name="pass: an HTTP API verifies the name and overwrites Host", changes=(is_http_api(),), expect=PASS),
    Case(
        name="pass: names of headers have no case",
        changes=(is_http_api(), set_integration(mapped={"overwrite:header.host": DOMAIN})),
        expect=PASS,
    ),
    Case(
        name="pass: an HTTP API without TLS, which AR602 tells",
        changes=(is_http_api(), set_integration(server_name="")),
        expect=PASS,
    ),
    Case(
        name="fail: the uri names the load balancer",
        changes=(set_integration(uri=f"https://{_BALANCER}/{{proxy}}"),),
        expect=fail(
            f"ANY /{{proxy+}} asks for {_BALANCER} in its uri, which is the load balancer's own name; {_NAMES}",
            command=_SET_URI,
        ),
    ),
    Case(
        name="fail: the uri names another domain, of one that the service has",
        changes=(
            set_integration(id="r1", uri="https://orders.example.com:8443/v1/{proxy}?a=1", port=8443, hosts=(DOMAIN,)),
        ),
        expect=fail(
            f"ANY /{{proxy+}} asks for orders.example.com in its uri; services behind it answer to {DOMAIN}",
            command=lines(
                _INTEGRATION.replace("RESOURCE_ID", "r1")
                + f""" 'op=replace,path=/uri,value="https://{DOMAIN}/v1/{{proxy}}?a=1"'""",
                _DEPLOY,
            ),
        ),
    ),
    Case(
        name="fail: the uri names a service behind another port of the load balancer",
        changes=(
            set_integration(
                uri="https://orders.example.com:8443/{proxy}",
                port=8443,
                endpoints={443: (ENDPOINT_ID,), 8443: ("vpce-0f9e8d7c6b5a43210",)},
                hosts=("billing.example.com",),
            ),
        ),
        expect=fail(
            "ANY /{proxy+} asks for orders.example.com in its uri; services behind it answer to billing.example.com",
            command=lines(
                f"""{_INTEGRATION} 'op=replace,path=/uri,value="https://billing.example.com:8443/{{proxy}}"'""", _DEPLOY
            ),
        ),
    ),
    Case(
        name="fail: a wildcard is for one label only",
        changes=(set_integration(uri="https://a.b.example.com/{proxy}", hosts=("*.example.com",)),),
        expect=fail(
            "ANY /{proxy+} asks for a.b.example.com in its uri; services behind it answer to *.example.com",
            command=lines("# HOST: one of *.example.com", *_SET_URI.split("\n")[1:]),
        ),
    ),
    Case(
        name="fail: the variable of one stage of two has another host",
        changes=(
            set_api(
                integrations=(
                    replace(INTEGRATION, where="ANY /{proxy+} (stage test)", uri="https://test.example.com/{proxy}"),
                    replace(INTEGRATION, where="ANY /{proxy+} (stage live)"),
                )
            ),
        ),
        expect=fail(
            f"ANY /{{proxy+}} (stage test) asks for test.example.com in its uri; {_NAMES}",
            command=_SET_URI,
        ),
    ),
    Case(
        name="fail: two stages' variables have another host, and one command mends both",
        changes=(
            set_api(
                integrations=(
                    replace(INTEGRATION, where="ANY /{proxy+} (stage b)", uri="https://b.example.com/{proxy}"),
                    replace(INTEGRATION, where="ANY /{proxy+} (stage a)", uri="https://a.example.com/{proxy}"),
                )
            ),
        ),
        expect=fail(
            f"ANY /{{proxy+}} (stage a) asks for a.example.com in its uri; {_NAMES}",
            f"ANY /{{proxy+}} (stage b) asks for b.example.com in its uri; {_NAMES}",
            command=_SET_URI,
        ),
    ),
    Case(
        name="fail: the uri is right, and the Host header is mapped to another name",
        changes=(set_integration(mapped={"integration.request.header.host": "'api.example.com'"}),),
        expect=fail(
            f"ANY /{{proxy+}} asks for api.example.com in its Host header; {_NAMES}",
            command=lines(_ONE_OF, f"{_INTEGRATION} {_TAKE_HOST}.host", _DEPLOY),
        ),
    ),
    Case(
        name="fail: an HTTP API leaves Host as it is",
        changes=(is_http_api(), set_integration(mapped={"overwrite:path": "$request.path"})),
        expect=fail(f"$default leaves the Host header to API Gateway; {_NAMES}", command=_FIX_HTTP),
    ),
    Case(
        name="fail: an HTTP API has Host twice",
        changes=(is_http_api(), set_integration(mapped={"append:header.Host": DOMAIN})),
        expect=fail(
            f"$default appends to the Host header that API Gateway sends; {_NAMES}",
            command=lines(_HTTP, "# and take append:header.Host out of its parameter mapping", _DEPLOY_HTTP),
        ),
    ),
    Case(
        name="fail: an HTTP API verifies one wrong name and sends another",
        changes=(
            is_http_api(),
            set_integration(server_name=_BALANCER, mapped={"overwrite:header.Host": "api.example.com"}),
        ),
        expect=fail(
            f"$default asks for api.example.com in its Host header; {_NAMES}",
            f"$default asks for {_BALANCER} as the server name that it verifies, which is the load balancer's own name;"
            f" {_NAMES}",
            command=_FIX_HTTP,
        ),
    ),
    Case(
        name="fail: the server name is wrong, and a request tells the Host",
        changes=(
            is_http_api(),
            set_integration(server_name=_BALANCER, mapped={"overwrite:header.Host": "$request.header.host"}),
        ),
        expect=fail(
            f"$default asks for {_BALANCER} as the server name that it verifies, which is the load balancer's own name;"
            f" {_NAMES}",
            command=_FIX_HTTP,
            unread="$default asks for $request.header.host in its Host header: only a request tells what that is",
        ),
    ),
    Case(
        name="fail: no stage has the uri's variable, and the Host header is mapped to another name",
        changes=(set_integration(uri=_BY_VARIABLE, mapped={"integration.request.header.Host": "'api.example.com'"}),),
        expect=fail(
            f"ANY /{{proxy+}} asks for api.example.com in its Host header; {_NAMES}",
            command=lines(_ONE_OF, f"{_INTEGRATION} {_TAKE_HOST}.Host", _DEPLOY),
            unread=_NO_STAGE,
        ),
    ),
    Case(
        name="unknown: the Host header is the caller's",
        changes=(set_integration(mapped={"integration.request.header.Host": "method.request.header.host"}),),
        expect=unknown(
            "ANY /{proxy+} asks for {method.request.header.host} in its Host header: only a request tells what that is"
        ),
    ),
    Case(
        name="unknown: no stage has the uri's variable",
        changes=(set_integration(uri=_BY_VARIABLE),),
        expect=unknown(_NO_STAGE),
    ),
    Case(
        name="unknown: no stage has the variable that Host is mapped to",
        changes=(set_integration(mapped={"integration.request.header.Host": "stageVariables.host"}),),
        expect=unknown("ANY /{proxy+} asks for {stageVariables.host} in its Host header: no stage says what that is"),
    ),
    Case(
        name="unknown: no stage of an HTTP API has it",
        changes=(is_http_api(), set_integration(mapped={"overwrite:header.Host": "$stageVariables.host"})),
        expect=unknown("$default asks for $stageVariables.host in its Host header: no stage says what that is"),
    ),
    Case(
        name="unknown: a variable is in the uri and stages cannot be read",
        changes=(set_integration(uri=_BY_VARIABLE), unread("stages")),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the integration has no uri",
        changes=(set_integration(uri=""),),
        expect=unknown("ANY /{proxy+} names no host in its uri"),
    ),
    Case(
        name="unknown: ingress connections cannot be read",
        changes=(unread("ingress_connections"),),
        expect=unknown("apprunner:DescribeVpcIngressConnection failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the load balancer's listeners cannot be read",
        changes=(unread("listeners"),),
        expect=unknown("elasticloadbalancing:DescribeListeners failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: custom domains cannot be read",
        changes=(unread("custom_domains"),),
        expect=unknown("apprunner:DescribeCustomDomains failed (UnauthorizedOperation)"),
    ),
    *INTEGRATIONS_UNREAD,
)
