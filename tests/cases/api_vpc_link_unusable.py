from dataclasses import replace
from typing import Any

from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._apis import INTEGRATIONS_UNREAD
from tests.cases._commands import lines
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import (
    BALANCER_ARN,
    ENDPOINT_ID,
    INTEGRATION,
    LINK,
    LISTENER_ARN,
    SECOND_LINK,
    is_http_api,
    set_api,
    set_integration,
)

_OTHER = BALANCER_ARN.replace("/net/orders/", "/net/billing/")
_APPLICATION = BALANCER_ARN.replace("/net/", "/app/")
_LISTENER = LISTENER_ARN.replace("f2f7dc8efc522ab2", "0a1b2c3d4e5f6071")
_INTEGRATION = (
    "aws apigateway update-integration --region us-east-1 --rest-api-id a1b2c3d4e5 --resource-id RESOURCE_ID"
    " --http-method ANY --patch-operations"
)
_HTTP = "aws apigatewayv2 update-integration --region us-east-1 --api-id a1b2c3d4e5 --integration-id i1n2t3g"
_DEPLOY = lines(
    "# a stage serves it once it is deployed there:",
    "aws apigateway create-deployment --region us-east-1 --rest-api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_DEPLOY_HTTP = lines(
    "# a stage that does not deploy by itself serves it once it is deployed there:",
    "aws apigatewayv2 create-deployment --region us-east-1 --api-id a1b2c3d4e5 --stage-name STAGE_NAME",
)
_NEW_LINK = lines(
    f"aws apigateway create-vpc-link --region us-east-1 --name NEW_NAME --target-arns {BALANCER_ARN}",
    "# once it is AVAILABLE:",
    f"{_INTEGRATION} op=replace,path=/connectionId,value=NEW_VPC_LINK_ID",
    _DEPLOY,
)
_NEW_SECOND_LINK = lines(
    "aws apigatewayv2 create-vpc-link --region us-east-1 --name NEW_NAME --subnet-ids SUBNET_IDS"
    " --security-group-ids SECURITY_GROUP_ID",
    "# once it is AVAILABLE:",
    f"{_HTTP} --connection-id NEW_VPC_LINK_ID",
    _DEPLOY_HTTP,
)
_LOOK = "aws apigateway get-vpc-link --region us-east-1 --vpc-link-id abc123"
_WHY = "NLB is already associated with another VPC endpoint service"
_ELSEWHERE = (
    f"VPC link abc123 leads to {_OTHER}, which has no endpoint of App Runner behind it; used by ANY /{{proxy+}};"
    f" those that have: {BALANCER_ARN}"
)


def _link(**fields: Any) -> Change:
    return set_integration(link=replace(LINK, **fields))


def _second(**fields: Any) -> Change:
    return set_integration(link=replace(SECOND_LINK, **fields))


def _to_application(**fields: Any) -> Change:
    """To the listener of an Application Load Balancer, by a link of the second generation."""
    target = LISTENER_ARN.replace("/net/", "/app/")
    link = replace(SECOND_LINK, **fields)
    return set_integration(
        link=link, link_id=link.id, target_arn=target, balancer_arn=_APPLICATION, endpoints=None, port=None, hosts=()
    )


_ROOT = replace(INTEGRATION, where="ANY /", link_id="def456", link=replace(LINK, id="def456", status="FAILED"))

CASES = (
    Case(name="pass: the link is available and leads to the load balancer before the endpoint", expect=PASS),
    Case(name="pass: a link of the second generation", changes=(is_http_api(),), expect=PASS),
    Case(
        name="pass: where a link of the second generation leads is not known",
        changes=(is_http_api(), set_integration(balancer_arn="")),
        expect=PASS,
    ),
    Case(
        name="pass: an HTTP API's listener is of an Application Load Balancer, into which nothing looks",
        changes=(is_http_api(), _to_application()),
        expect=PASS,
    ),
    Case(name="pass: so is a REST API's", changes=(_to_application(), unread("load_balancers")), expect=PASS),
    Case(
        name="fail: the link to an Application Load Balancer failed",
        changes=(is_http_api(), _to_application(status="FAILED")),
        expect=fail("VPC link vl2abc is FAILED; used by $default", command=_NEW_SECOND_LINK),
    ),
    Case(
        name="fail: the link to an Application Load Balancer fell asleep",
        changes=(_to_application(status="INACTIVE"),),
        expect=fail(
            "VPC link vl2abc is INACTIVE; used by ANY /{proxy+}; it had no traffic for 60 days",
            command=lines(
                "# requests wake it: they fail for some minutes, until it is AVAILABLE again",
                "aws apigatewayv2 get-vpc-link --region us-east-1 --vpc-link-id vl2abc",
            ),
        ),
    ),
    Case(
        name="fail: it failed, and why",
        changes=(_link(status="FAILED", why=_WHY),),
        expect=fail(f"VPC link abc123 is FAILED; used by ANY /{{proxy+}}; API Gateway says: {_WHY}", command=_NEW_LINK),
    ),
    Case(
        name="fail: it failed, and nothing says why",
        changes=(_link(status="FAILED"),),
        expect=fail("VPC link abc123 is FAILED; used by ANY /{proxy+}", command=_NEW_LINK),
    ),
    Case(
        name="fail: one link of two failed, that two methods use",
        changes=(set_api(integrations=(replace(_ROOT, where="GET /health"), INTEGRATION, _ROOT)),),
        expect=fail(
            "VPC link def456 is FAILED; used by ANY /, GET /health",
            command=lines(
                *_NEW_LINK.split("\n")[:3],
                _NEW_LINK.split("\n")[2].replace("--http-method ANY", "--http-method GET"),
                _DEPLOY,
            ),
        ),
    ),
    Case(
        name="fail: it is being deleted, and it is not known which load balancer is the right one",
        changes=(_link(status="DELETING"), set_api(path_balancers=(BALANCER_ARN, _OTHER))),
        expect=fail(
            "VPC link abc123 is DELETING; used by ANY /{proxy+}",
            command=_NEW_LINK.replace(BALANCER_ARN, "LOAD_BALANCER_ARN"),
        ),
    ),
    Case(
        name="fail: the second generation failed",
        changes=(is_http_api(), _second(status="FAILED")),
        expect=fail("VPC link vl2abc is FAILED; used by $default", command=_NEW_SECOND_LINK),
    ),
    Case(
        name="fail: the second generation fell asleep",
        changes=(is_http_api(), _second(status="INACTIVE")),
        expect=fail(
            "VPC link vl2abc is INACTIVE; used by $default; it had no traffic for 60 days",
            command=lines(
                "# requests wake it: they fail for some minutes, until it is AVAILABLE again",
                "aws apigatewayv2 get-vpc-link --region us-east-1 --vpc-link-id vl2abc",
            ),
        ),
    ),
    Case(
        name="fail: pending for as long as it may be",
        changes=(_link(status="PENDING", pending_minutes=15),),
        expect=fail("VPC link abc123 is still PENDING; used by ANY /{proxy+}; for 15 minutes or longer", command=_LOOK),
    ),
    Case(
        name="fail: pending for longer than the settings allow",
        changes=(_link(status="PENDING", pending_minutes=5), settings_have(vpc_link_wait_minutes=5)),
        expect=fail("VPC link abc123 is still PENDING; used by ANY /{proxy+}; for 5 minutes or longer", command=_LOOK),
    ),
    Case(
        name="fail: no such link",
        changes=(set_integration(link=None, balancer_arn=""),),
        expect=fail("VPC link abc123 does not exist; used by ANY /{proxy+}", command=_NEW_LINK),
    ),
    Case(
        name="fail: no such link of an HTTP API",
        changes=(is_http_api(), set_integration(link=None)),
        expect=fail("VPC link vl2abc does not exist; used by $default", command=_NEW_SECOND_LINK),
    ),
    Case(
        name="fail: it leads to another load balancer",
        changes=(set_integration(balancer_arn=_OTHER),),
        expect=fail(_ELSEWHERE, command=_NEW_LINK),
    ),
    Case(
        name="fail: another load balancer is behind a REST API's link of the second generation",
        changes=(
            set_integration(link=SECOND_LINK, link_id="vl2abc", target_arn=_OTHER, balancer_arn=_OTHER),
            set_api(path_balancers=()),
        ),
        expect=fail(
            f"VPC link vl2abc leads to {_OTHER}, which has no endpoint of App Runner behind it;"
            " used by ANY /{proxy+}; those that have: none",
            command=lines(
                f"{_INTEGRATION} op=replace,path=/integrationTarget,value=LOAD_BALANCER_ARN",
                _DEPLOY,
            ),
        ),
    ),
    Case(
        name="fail: an HTTP API names another load balancer's listener",
        changes=(is_http_api(), set_integration(balancer_arn=_OTHER)),
        expect=fail(
            f"VPC link vl2abc leads to {_OTHER}, which has no endpoint of App Runner behind it; used by $default;"
            f" those that have: {BALANCER_ARN}",
            command=lines(f"{_HTTP} --integration-uri LISTENER_ARN", _DEPLOY_HTTP),
        ),
    ),
    Case(
        name="fail: an HTTP API names a listener of the load balancer that leads elsewhere",
        changes=(
            is_http_api(),
            set_integration(target_arn=_LISTENER, port=8443, endpoints={443: (ENDPOINT_ID,), 8443: ()}, hosts=()),
        ),
        expect=fail(
            f"VPC link vl2abc leads to {_LISTENER}, which has no endpoint of App Runner behind it; used by $default;"
            " ports of the load balancer that have: 443",
            command=lines(f"{_HTTP} --integration-uri LISTENER_ARN", _DEPLOY_HTTP),
        ),
    ),
    Case(
        name="fail: a REST API names a listener that is no more",
        changes=(set_integration(link=SECOND_LINK, link_id="vl2abc", target_arn=_LISTENER, port=None),),
        expect=fail(
            f"VPC link vl2abc leads to {_LISTENER}, which has no endpoint of App Runner behind it;"
            " used by ANY /{proxy+}; ports of the load balancer that have: 443",
            command=lines(f"{_INTEGRATION} op=replace,path=/integrationTarget,value=LISTENER_ARN", _DEPLOY),
        ),
    ),
    Case(
        name="fail: it is asleep and leads elsewhere",
        changes=(_link(status="INACTIVE"), set_integration(balancer_arn=_OTHER)),
        expect=fail(
            "VPC link abc123 is INACTIVE; used by ANY /{proxy+}; it had no traffic for 60 days",
            _ELSEWHERE,
            command=lines(
                "# requests wake it: they fail for some minutes, until it is AVAILABLE again", _LOOK, _NEW_LINK
            ),
        ),
    ),
    Case(
        name="fail: it failed, and load balancers cannot be read",
        changes=(_link(status="FAILED"), unread("load_balancers")),
        expect=fail(
            "VPC link abc123 is FAILED; used by ANY /{proxy+}",
            command=_NEW_LINK.replace(BALANCER_ARN, "LOAD_BALANCER_ARN"),
            unread="elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)",
        ),
    ),
    Case(
        name="fail: a link failed while another is pending",
        changes=(
            set_api(
                integrations=(replace(INTEGRATION, link=replace(LINK, status="PENDING", pending_minutes=1)), _ROOT)
            ),
        ),
        expect=fail(
            "VPC link def456 is FAILED; used by ANY /",
            command=_NEW_LINK,
        ),
    ),
    Case(
        name="unknown: pending for less than it may be is moot",
        changes=(_link(status="PENDING", pending_minutes=14),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: pending for nobody knows how long is moot",
        changes=(_link(status="PENDING"),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: pending, and load balancers cannot be read",
        changes=(_link(status="PENDING"), unread("load_balancers")),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: no stage says which link it is",
        changes=(set_integration(link_id="${stageVariables.link}", link=None, balancer_arn=""),),
        expect=unknown("ANY /{proxy+} goes through VPC link ${stageVariables.link}: no stage says what that is"),
    ),
    Case(
        name="unknown: a stage variable says which link it is, and stages cannot be read",
        changes=(
            set_integration(link_id="${stageVariables.link}", link=None, balancer_arn=""),
            unread("stages"),
        ),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: VPC links cannot be read",
        changes=(unread("vpc_links"),),
        expect=unknown("apigateway:GET failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: load balancers cannot be read",
        changes=(unread("load_balancers"),),
        expect=unknown("elasticloadbalancing:DescribeLoadBalancers failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: no stage says which listener it leads to",
        changes=(
            is_http_api(),
            set_integration(target_arn="${stageVariables.listener}", balancer_arn="", endpoints=None, port=None),
        ),
        expect=unknown("$default leads to ${stageVariables.listener}: no stage says what that is"),
    ),
    Case(
        name="unknown: the listeners of the load balancer cannot be read",
        changes=(is_http_api(), unread("listeners")),
        expect=unknown("elasticloadbalancing:DescribeListeners failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: whether the listener leads to an endpoint is not known",
        changes=(is_http_api(), unread("target_groups")),
        expect=unknown("elasticloadbalancing:DescribeTargetGroups failed (UnauthorizedOperation)"),
    ),
    *INTEGRATIONS_UNREAD,
)
