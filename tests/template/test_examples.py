"""examples/private-api.yaml: the facts that make the private path work, most of which somebody has got wrong.

That it is valid CloudFormation is cfn-lint's to say (`make template`); moto cannot make the stack, for it knows neither
App Runner's resource types nor a Network Load Balancer's in CloudFormation.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from apprunner_guardrails.targets.binding import TAG

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def read(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse(path.read_text())  # type: ignore[no-untyped-call]  # not annotated by SAM
    return parsed


TEMPLATE = read(EXAMPLES / "private-api.yaml")
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
SUBSTITUTED = re.compile(r"\$\{([^!}.]+)")
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
METHODS = ("RootMethod", "ProxyMethod")


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def attribute(name: str, of: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [of, name]}


def properties(name: str) -> dict[str, Any]:
    """A resource's properties, without the descriptions."""
    return dict(without_descriptions(RESOURCES[name]["Properties"]))


def without_descriptions(value: Any) -> Any:
    match value:
        case dict():
            return {key: without_descriptions(one) for key, one in value.items() if key != "Description"}
        case list():
            return [without_descriptions(one) for one in value]
    return value


def attributes(name: str, of: str) -> dict[str, Any]:
    return {one["Key"]: one["Value"] for one in RESOURCES[of]["Properties"][name]}


def mentioned(value: Any) -> Iterator[str]:
    """The names that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from SUBSTITUTED.findall(text)
        case {"Fn::Sub": [str(text), dict(values)]}:
            yield from set(SUBSTITUTED.findall(text)) - values.keys()
            yield from mentioned(list(values.values()))
        case dict():
            yield from mentioned(list(value.values()))
        case list():
            for one in value:
                yield from mentioned(one)


def made_before(name: str) -> set[str]:
    """The resources that CloudFormation has made when it begins with this one."""
    resource = RESOURCES[name]
    listed = resource.get("DependsOn", [])
    depends_on = {listed} if isinstance(listed, str) else set(listed)
    direct = (set(mentioned(resource["Properties"])) | depends_on) & RESOURCES.keys()
    return direct.union(*map(made_before, direct))


def test_cfn_lint_is_told_of_every_example() -> None:
    config = read(ROOT / ".cfnlintrc.yaml")
    checked = {path for pattern in config["templates"] for path in ROOT.glob(pattern)}
    assert checked >= set(EXAMPLES.iterdir())
    assert config.keys() == {"templates", "include_checks", "append_rules", "regions"}  # nothing is ignored


# --- the endpoint --------------------------------------------------------------------------------------------------


def test_the_endpoint_is_of_the_service_that_carries_requests_and_leaves_room_for_a_second_one() -> None:
    assert properties("RequestsEndpoint") == {
        "VpcEndpointType": "Interface",
        "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.apprunner.requests"},
        "VpcId": ref("VpcId"),
        "SubnetIds": ref("PrivateSubnetIds"),
        "SecurityGroupIds": [ref("EndpointSecurityGroup")],
        "PrivateDnsEnabled": False,
    }


def test_the_endpoint_lets_the_load_balancer_in_on_443_and_nobody_else() -> None:
    rules = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::EC2::SecurityGroupIngress"]
    assert rules == ["EndpointFromLoadBalancer"]
    assert properties("EndpointFromLoadBalancer") == {
        "GroupId": ref("EndpointSecurityGroup"),
        "SourceSecurityGroupId": ref("LoadBalancerSecurityGroup"),
        **HTTPS,
    }
    assert "SecurityGroupIngress" not in properties("EndpointSecurityGroup")


def test_the_ingress_connection_joins_the_endpoint_and_the_service() -> None:
    assert properties("IngressConnection") == {
        "ServiceArn": attribute("ServiceArn", of="Service"),
        "IngressVpcConfiguration": {"VpcId": ref("VpcId"), "VpcEndpointId": ref("RequestsEndpoint")},
    }


# --- the load balancer ---------------------------------------------------------------------------------------------


def test_the_load_balancer_is_internal_and_has_a_security_group_from_the_start() -> None:
    made = properties("LoadBalancer")
    assert {name: made[name] for name in ("Type", "Scheme", "SecurityGroups")} == {
        "Type": "network",
        "Scheme": "internal",
        "SecurityGroups": [ref("LoadBalancerSecurityGroup")],
    }


def test_the_vpc_links_traffic_is_not_held_against_inbound_rules() -> None:
    assert properties("LoadBalancer")["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"


def test_nothing_in_the_vpc_reaches_the_load_balancer_and_it_reaches_the_endpoint_only() -> None:
    group = properties("LoadBalancerSecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert group["SecurityGroupEgress"] == [{**HTTPS, "DestinationSecurityGroupId": ref("EndpointSecurityGroup")}]


def test_every_zone_of_the_load_balancer_has_a_target_and_the_others_stand_in_for_it() -> None:
    assert properties("LoadBalancer")["Subnets"] == properties("RequestsEndpoint")["SubnetIds"]
    assert attributes("LoadBalancerAttributes", of="LoadBalancer") == {"load_balancing.cross_zone.enabled": "true"}


def test_tls_goes_through_the_load_balancer_unopened() -> None:
    assert properties("Listener") == {
        "LoadBalancerArn": ref("LoadBalancer"),
        "Protocol": "TCP",
        "Port": 443,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref("TargetGroup")}],
    }


# --- the targets ---------------------------------------------------------------------------------------------------


def test_targets_are_addresses_on_tcp_443() -> None:
    group = properties("TargetGroup")
    assert {name: group[name] for name in ("VpcId", "TargetType", "Protocol", "Port")} == {
        "VpcId": ref("VpcId"),
        "TargetType": "ip",
        "Protocol": "TCP",
        "Port": 443,
    }


def test_a_health_check_asks_for_no_host_name() -> None:
    group = properties("TargetGroup")
    assert {name: value for name, value in group.items() if name.startswith("HealthCheck")} == {
        "HealthCheckProtocol": "TCP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": 10,
    }


def test_the_endpoint_is_sent_neither_the_clients_address_nor_a_proxy_header() -> None:
    assert attributes("TargetGroupAttributes", of="TargetGroup") == {
        "preserve_client_ip.enabled": "false",
        "proxy_protocol_v2.enabled": "false",
    }


def test_the_template_names_no_target_that_cloudformation_and_the_function_would_fight_over() -> None:
    assert "Targets" not in properties("TargetGroup")


def test_the_tag_binds_the_group_to_the_endpoint_that_the_custom_resource_names() -> None:
    assert attributes("Tags", of="TargetGroup") == {TAG: ref("RequestsEndpoint")}
    assert properties("EndpointTargets") == {
        "ServiceToken": ref("SyncTargetsFunctionArn"),
        "ServiceTimeout": 1200,
        "TargetGroupArn": ref("TargetGroup"),
        "EndpointIds": [ref("RequestsEndpoint")],
    }
    assert RESOURCES["EndpointTargets"]["Type"] == "Custom::EndpointTargets"


def test_targets_are_registered_when_they_can_be_found_healthy() -> None:
    assert made_before("EndpointTargets") >= {"RequestsEndpoint", "EndpointFromLoadBalancer", "Listener"}


@pytest.mark.parametrize("name", ["VpcLink", *METHODS, "ApiDeployment", "Stage"])
def test_targets_are_registered_before_anything_that_leads_callers_to_them(name: str) -> None:
    assert "EndpointTargets" in made_before(name)


# --- the service ---------------------------------------------------------------------------------------------------


def test_the_service_is_private_and_calls_out_through_the_connector() -> None:
    assert properties("Service")["NetworkConfiguration"] == {
        "IngressConfiguration": {"IsPubliclyAccessible": False},
        "EgressConfiguration": {
            "EgressType": "VPC",
            "VpcConnectorArn": attribute("VpcConnectorArn", of="Connector"),
        },
    }


def test_the_connector_has_all_the_subnets_a_group_of_its_own_and_no_name_to_collide_with() -> None:
    assert properties("Connector") == {
        "Subnets": ref("PrivateSubnetIds"),
        "SecurityGroups": [ref("ConnectorSecurityGroup")],
    }


def test_the_connectors_group_says_what_goes_out_and_pretends_no_protection_from_what_comes_in() -> None:
    group = properties("ConnectorSecurityGroup")
    assert group["SecurityGroupEgress"] == [{**HTTPS, "CidrIp": "0.0.0.0/0"}]
    assert "SecurityGroupIngress" not in group


def test_a_connector_in_other_subnets_gets_another_group_for_app_runner_takes_no_two_with_one_group() -> None:
    # A group whose description changes is replaced.
    assert "PrivateSubnetIds" in set(mentioned(properties("ConnectorSecurityGroup")["GroupDescription"]))


def test_app_runner_gets_a_role_only_for_an_image_that_is_not_public() -> None:
    source = properties("Service")["SourceConfiguration"]
    assert TEMPLATE["Conditions"] == {"PrivateImage": {"Fn::Equals": [ref("ImageRepositoryType"), "ECR"]}}
    assert RESOURCES["ImageRole"]["Condition"] == "PrivateImage"
    assert source["AuthenticationConfiguration"] == {
        "Fn::If": ["PrivateImage", {"AccessRoleArn": attribute("Arn", of="ImageRole")}, ref("AWS::NoValue")]
    }
    assert source["AutoDeploymentsEnabled"] is False  # App Runner refuses them for a public image


# --- the API -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "resource", "path", "mapped"),
    [
        ("RootMethod", attribute("RootResourceId", of="Api"), "/", None),
        (
            "ProxyMethod",
            ref("ProxyResource"),
            "/{proxy}",
            {"integration.request.path.proxy": "method.request.path.proxy"},
        ),
    ],
)
def test_every_request_goes_by_https_to_the_ingress_domain_with_its_path_and_without_the_stage(
    method: str, resource: Any, path: str, mapped: dict[str, str] | None
) -> None:
    made = properties(method)
    assert (made["HttpMethod"], made["ResourceId"]) == ("ANY", resource)
    assert made["Integration"] == {
        "Type": "HTTP_PROXY",
        "IntegrationHttpMethod": "ANY",
        "ConnectionType": "VPC_LINK",
        "ConnectionId": ref("VpcLink"),
        "Uri": {"Fn::Sub": f"https://${{IngressConnection.DomainName}}{path}"},
        **({"RequestParameters": mapped} if mapped else {}),
    }


def test_a_path_that_an_integration_maps_is_one_that_its_method_takes() -> None:
    assert properties("ProxyResource")["PathPart"] == "{proxy+}"
    assert properties("ProxyMethod")["RequestParameters"] == {"method.request.path.proxy": True}


def test_the_api_is_open_to_nobody_unless_somebody_says_so() -> None:
    assert {name: properties(name)["AuthorizationType"] for name in METHODS} == dict.fromkeys(
        METHODS, ref("ApiAuthorization")
    )
    assert PARAMETERS["ApiAuthorization"]["Default"] == "AWS_IAM"


def test_bodies_that_are_no_text_pass_as_they_are() -> None:
    assert properties("Api")["BinaryMediaTypes"] == ["*~1*"]


def test_every_method_is_in_the_copy_that_the_stage_serves() -> None:
    methods = {name for name, one in RESOURCES.items() if one["Type"] == "AWS::ApiGateway::Method"}
    assert methods == set(METHODS)
    assert made_before("ApiDeployment") >= methods
    assert properties("Stage")["DeploymentId"] == ref("ApiDeployment")


# --- what is asked and what is told --------------------------------------------------------------------------------


def test_cloudformation_is_told_to_refuse_subnets_of_another_vpc() -> None:
    (assertion,) = TEMPLATE["Rules"]["SubnetsOfTheVpc"]["Assertions"]
    assert assertion["Assert"] == {
        "Fn::EachMemberEquals": [{"Fn::ValueOfAll": ["AWS::EC2::Subnet::Id", "VpcId"]}, ref("VpcId")]
    }


def test_the_function_is_named_as_the_guardrails_stack_tells_it() -> None:
    outputs = read(ROOT / "template.yaml")["Outputs"]
    assert outputs["SyncTargetsFunctionArn"]["Value"] == attribute("Arn", of="SyncTargetsFunction")
    assert properties("EndpointTargets")["ServiceToken"] == ref("SyncTargetsFunctionArn")


def test_only_what_depends_on_the_account_must_be_given() -> None:
    asked = {name: one["Type"] for name, one in PARAMETERS.items() if "Default" not in one}
    assert asked == {
        "SyncTargetsFunctionArn": "String",
        "VpcId": "AWS::EC2::VPC::Id",
        "PrivateSubnetIds": "List<AWS::EC2::Subnet::Id>",
    }


@pytest.mark.parametrize(
    ("parameter", "fits", "does_not"),
    [
        (
            "SyncTargetsFunctionArn",
            ["arn:aws:lambda:eu-west-1:123456789012:function:guardrails-SyncTargetsFunction-1a2B3c"],
            ["SyncTargetsFunction", "arn:aws:lambda:eu-west-1:123456789012:function:guardrails:1"],
        ),
        (
            "ImageIdentifier",
            [
                "public.ecr.aws/aws-containers/hello-app-runner:latest",
                "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/team/orders@sha256:0123",
            ],
            ["nginx:latest", "docker.io/library/nginx", "public.ecr.aws/nginx", "123456789012.dkr.ecr.amazonaws.com/x"],
        ),
        ("StageName", ["live", "v1-2_b"], ["", "a/b", "$default"]),
    ],
)
def test_a_parameter_takes_what_aws_takes_and_says_what_that_is(
    parameter: str, fits: list[str], does_not: list[str]
) -> None:
    pattern = re.compile(PARAMETERS[parameter]["AllowedPattern"])
    assert [one for one in fits if not pattern.fullmatch(one)] == []
    assert [one for one in does_not if pattern.fullmatch(one)] == []
    assert PARAMETERS[parameter]["ConstraintDescription"].startswith(parameter)


def test_the_outputs_are_what_is_looked_for_next() -> None:
    assert {name: one["Value"] for name, one in TEMPLATE["Outputs"].items()} == {
        "ApiUrl": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/"},
        "TargetGroupArn": ref("TargetGroup"),
        "EndpointId": ref("RequestsEndpoint"),
        "IngressDomain": attribute("DomainName", of="IngressConnection"),
    }
