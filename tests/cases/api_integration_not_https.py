from collections.abc import Mapping
from typing import Any

from apprunner_guardrails.facts import Unread
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import (
    BALANCER_ARN,
    DOMAIN,
    ENDPOINT_ID,
    LISTENER_ARN,
    SECOND_LINK,
    is_http_api,
    set_integration,
)

_INTEGRATION = (
    "aws apigateway update-integration --region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id RESOURCE_ID"
    " --http-method ANY --patch-operations"
)
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_BY_VARIABLE = "://${stageVariables.host}/{proxy}"


_OTHER_ENDPOINT = "vpce-0f9e8d7c6b5a43210"
_DENIED = Unread(call="elasticloadbalancing:DescribeTargetHealth", code="AccessDenied")


def _uri(uri: str) -> str:
    return lines(f"""{_INTEGRATION} 'op=replace,path=/uri,value="{uri}"'""", _DEPLOY)


def _asks(port: int, behind: Mapping[int, tuple[str, ...] | Unread], scheme: str = "https") -> Change:
    """For a port of a load balancer that has these endpoints behind its ports."""
    return set_integration(uri=f"{scheme}://{DOMAIN}:{port}/{{proxy}}", port=port, endpoints=behind)


def _second_link(target_arn: str, **fields: Any) -> Change:
    """A REST API's link of the second generation."""
    return set_integration(link=SECOND_LINK, link_id=SECOND_LINK.id, target_arn=target_arn, **fields)


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
    Case(
        name="pass: another port, at which the load balancer leads to another endpoint",
        changes=(_asks(8443, {443: (ENDPOINT_ID,), 8443: (_OTHER_ENDPOINT,)}),),
        expect=PASS,
    ),
    Case(
        name="pass: whether another port leads to an endpoint is not known",
        changes=(_asks(443, {443: (ENDPOINT_ID,), 8443: _DENIED}),),
        expect=PASS,
    ),
    Case(
        name="pass: no load balancer of a private path is behind it, so that its ports were not read",
        changes=(set_integration(uri=f"https://{DOMAIN}:8443/{{proxy}}", port=8443, endpoints=None),),
        expect=PASS,
    ),
    Case(
        name="pass: the listener is named, and the uri's port picks none",
        changes=(
            _second_link(
                LISTENER_ARN,
                uri=f"https://{DOMAIN}/{{proxy}}",
                port=8443,
                endpoints={8443: (ENDPOINT_ID,)},
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: the listener is named, whatever port a stage variable holds",
        changes=(_second_link(LISTENER_ARN, uri=f"https{_BY_VARIABLE}"), unread("stages")),
        expect=PASS,
    ),
    Case(name="pass: an HTTP API with a server name uses TLS", changes=(is_http_api(),), expect=PASS),
    Case(
        name="fail: the uri is of HTTP",
        changes=(set_integration(uri=f"http://{DOMAIN}/{{proxy}}", port=80),),
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
        changes=(set_integration(id="r1", uri=f"https://{DOMAIN}:8443", port=8443),),
        expect=fail(
            "ANY /{proxy+} asks for port 8443: load balancer orders has no listener on port 8443; ports that it listens"
            " on: 443",
            command=lines(
                f"{_INTEGRATION.replace('RESOURCE_ID', 'r1')} op=replace,path=/uri,value=https://{DOMAIN}", _DEPLOY
            ),
        ),
    ),
    Case(
        name="fail: HTTP, and another port",
        changes=(_asks(8080, {443: (ENDPOINT_ID,)}, "http"),),
        expect=fail(
            "ANY /{proxy+} asks for port 8080: load balancer orders has no listener on port 8080; ports that it listens"
            " on: 443",
            f"ANY /{{proxy+}} sends plain HTTP: its uri is http://{DOMAIN}:8080/{{proxy}}",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: HTTP, at a port that leads to the endpoint",
        changes=(_asks(8443, {443: (_OTHER_ENDPOINT,), 8443: (ENDPOINT_ID,)}, "http"),),
        expect=fail(
            f"ANY /{{proxy+}} sends plain HTTP: its uri is http://{DOMAIN}:8443/{{proxy}}",
            command=_uri(f"https://{DOMAIN}:8443/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: the port is told whatever the host is",
        changes=(set_integration(uri=f"https{_BY_VARIABLE}".replace("/{", ":8443/{"), port=8443),),
        expect=fail(
            "ANY /{proxy+} asks for port 8443: load balancer orders has no listener on port 8443; ports that it listens"
            " on: 443",
            command=_uri(f"https{_BY_VARIABLE}"),
        ),
    ),
    Case(
        name="fail: the load balancer listens on other ports only",
        changes=(set_integration(endpoints={80: (), 8443: (ENDPOINT_ID,)}),),
        expect=fail(
            "ANY /{proxy+} asks for port 443: load balancer orders has no listener on port 443; ports that it listens"
            " on: 80, 8443",
            command=_uri(f"https://{DOMAIN}:8443/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: the load balancer's port leads elsewhere, and several lead to endpoints",
        changes=(_asks(9443, {443: (ENDPOINT_ID,), 8443: (_OTHER_ENDPOINT,), 9443: ()}),),
        expect=fail(
            "ANY /{proxy+} asks for port 9443: from there load balancer orders leads to no target group with an"
            " endpoint of App Runner; ports that lead to one: 443, 8443",
            command=lines("# PORT: one of 443, 8443", _uri(f"https://{DOMAIN}:PORT/{{proxy}}")),
        ),
    ),
    Case(
        name="fail: a REST API's link of the second generation leads to the load balancer, whose port leads elsewhere",
        changes=(_second_link(BALANCER_ARN, endpoints={443: ()}),),
        expect=fail(
            "ANY /{proxy+} asks for port 443: from there load balancer orders leads to no target group with an"
            " endpoint of App Runner; ports that lead to one: none",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
        ),
    ),
    Case(
        name="fail: another port, without a VPC link",
        changes=(
            set_integration(
                uri=f"https://{DOMAIN}:8443/{{proxy}}",
                link_id="",
                link=None,
                balancer_arn="",
                endpoints=None,
                port=None,
            ),
        ),
        expect=fail(
            f"ANY /{{proxy+}} asks for port 8443: its uri is https://{DOMAIN}:8443/{{proxy}}",
            command=_uri(f"https://{DOMAIN}/{{proxy}}"),
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
        name="unknown: the port is no number",
        changes=(set_integration(uri=f"https://{DOMAIN}:https/{{proxy}}", port=None),),
        expect=unknown("ANY /{proxy+} asks for port https, which is no number"),
    ),
    Case(
        name="unknown: whether the port leads to an endpoint is not known",
        changes=(_asks(8443, {443: (ENDPOINT_ID,), 8443: _DENIED}),),
        expect=unknown("elasticloadbalancing:DescribeTargetHealth failed (AccessDenied)"),
    ),
    Case(
        name="unknown: the load balancer's listeners cannot be read",
        changes=(unread("listeners"),),
        expect=unknown("elasticloadbalancing:DescribeListeners failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: target groups cannot be read",
        changes=(unread("target_groups"),),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: VPC links cannot be read",
        changes=(unread("vpc_links"),),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
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
