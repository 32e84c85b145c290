from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import DOMAIN, is_http_api, set_integration

_INTEGRATION = (
    "aws apigateway update-integration --region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id RESOURCE_ID"
    " --http-method ANY --patch-operations"
)
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_BY_VARIABLE = "://${stageVariables.host}/{proxy}"


def _uri(uri: str) -> str:
    return lines(f"""{_INTEGRATION} 'op=replace,path=/uri,value="{uri}"'""", _DEPLOY)


CASES = (
    Case(name="pass: the uri is of HTTPS and names no port", expect=PASS),
    Case(
        name="pass: a scheme has no case, and port 443 may be said",
        changes=(set_integration(uri=f"HTTPS://{DOMAIN}:443/{{proxy}}"),),
        expect=PASS,
    ),
    Case(
        name="pass: a colon in the path is no port",
        changes=(set_integration(uri=f"https://{DOMAIN}/a:80/{{proxy}}"),),
        expect=PASS,
    ),
    Case(
        name="pass: a variable in the path has no say",
        changes=(set_integration(uri=f"https://{DOMAIN}/${{stageVariables.version}}/{{proxy}}"), unread("stages")),
        expect=PASS,
    ),
    Case(name="pass: an HTTP API with a server name uses TLS", changes=(is_http_api(),), expect=PASS),
    Case(
        name="fail: the uri is of HTTP",
        changes=(set_integration(uri=f"http://{DOMAIN}/{{proxy}}"),),
        expect=fail(
            f"ANY /{{proxy+}} sends plain HTTP: its uri is http://{DOMAIN}/{{proxy}}",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: HTTP at port 443 is not HTTPS",
        changes=(set_integration(uri=f"http://{DOMAIN}:443/{{proxy}}"),),
        expect=fail(
            f"ANY /{{proxy+}} sends plain HTTP: its uri is http://{DOMAIN}:443/{{proxy}}",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: another port, in the uri of an integration whose resource is known",
        changes=(set_integration(id="r1", uri=f"https://{DOMAIN}:8443"),),
        expect=fail(
            f"ANY /{{proxy+}} asks for port 8443: its uri is https://{DOMAIN}:8443",
            command=lines(
                f"{_INTEGRATION.replace('RESOURCE_ID', 'r1')} op=replace,path=/uri,value=https://{DOMAIN}", _DEPLOY
            ),
        ),
    ),
    Case(
        name="fail: HTTP, and another port",
        changes=(set_integration(uri=f"http://{DOMAIN}:8080/{{proxy}}"),),
        expect=fail(
            f"ANY /{{proxy+}} sends plain HTTP and asks for port 8080: its uri is http://{DOMAIN}:8080/{{proxy}}",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: the port is told whatever the host is",
        changes=(set_integration(uri=f"https{_BY_VARIABLE}".replace("/{", ":8443/{")),),
        expect=fail(
            "ANY /{proxy+} asks for port 8443: its uri is https://${stageVariables.host}:8443/{proxy}",
            command=_uri(f"https{_BY_VARIABLE}"),
        ),
    ),
    Case(
        name="fail: the scheme is told though the stages cannot be read",
        changes=(set_integration(uri=f"http{_BY_VARIABLE}"), unread("stages")),
        expect=fail(
            f"ANY /{{proxy+}} sends plain HTTP: its uri is http{_BY_VARIABLE}",
            command=_uri(f"https{_BY_VARIABLE}"),
            unread="apigateway:GET failed (UnauthorizedOperation)",
        ),
    ),
    Case(
        name="fail: an HTTP API has no server name to verify",
        changes=(is_http_api(), set_integration(server_name="")),
        expect=fail(
            "$default sends plain HTTP: it has no TLS configuration with a server name to verify",
            command=lines(
                "aws apigatewayv2 update-integration --region us-east-1 --api-id a1b2c3d4e5 --integration-id i1n2t3g"
                " --tls-config ServerNameToVerify=HOST",
                "# a stage that does not deploy by itself serves it once it is deployed there:",
                "aws apigatewayv2 create-deployment --region us-east-1 --api-id a1b2c3d4e5 --stage-name STAGE_NAME",
            ),
        ),
    ),
    Case(
        name="unknown: the integration has no uri",
        changes=(set_integration(uri=""),),
        expect=unknown("ANY /{proxy+} has no uri"),
    ),
    Case(
        name="unknown: no stage has the variable",
        changes=(set_integration(uri=f"https{_BY_VARIABLE}"),),
        expect=unknown("ANY /{proxy+} asks for ${stageVariables.host}: no stage says what that is"),
    ),
    Case(
        name="unknown: no stage has the port",
        changes=(set_integration(uri=f"https://{DOMAIN}:${{stageVariables.port}}/{{proxy}}"),),
        expect=unknown("ANY /{proxy+} asks for ${stageVariables.port}: no stage says what that is"),
    ),
    Case(
        name="unknown: a variable may hold the port, and stages cannot be read",
        changes=(set_integration(uri=f"https{_BY_VARIABLE}"), unread("stages")),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: APIs cannot be read",
        changes=(unread("apis"),),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
)
