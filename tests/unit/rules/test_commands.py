"""The commands that findings carry, against the API models and the shell."""

import shlex
from dataclasses import replace

import botocore.session
import pytest
from botocore import xform_name

from apprunner_guardrails.facts import known
from apprunner_guardrails.rules._common import (
    change_targets,
    connect_ingress,
    replace_connector,
    set_network,
    set_route,
    tag_commands,
    use_connector,
)
from apprunner_guardrails.rules._path import admit, lead_to_another_endpoint, new_target_group
from tests.cases import ALL_RULES, KINDS, _healthy_path, cases_of
from tests.cases._healthy import GROUP_ARN, healthy, target

OF_CASES = {line for rule in ALL_RULES for case in cases_of(rule.name) for line in case.expect.command.splitlines()}
OF_TAGS = {line for kind in KINDS for line in tag_commands(getattr(healthy(), kind).arn, ("a", "b")).splitlines()}
LINES = sorted((OF_CASES | OF_TAGS) - {""})
SESSION = botocore.session.get_session()


def test_every_fault_comes_with_a_command() -> None:
    silent = [
        (rule.id, case.name)
        for rule in ALL_RULES
        for case in cases_of(rule.name)
        if case.expect.messages and not case.expect.command
    ]
    assert silent == []


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith("#")])
def test_a_command_names_an_operation_and_parameters_that_the_api_has(line: str) -> None:
    program, service, name, *words = shlex.split(line)
    assert program == "aws"
    model = SESSION.get_service_model(service)
    operation = next(model.operation_model(one) for one in model.operation_names if xform_name(one, "-") == name)
    assert operation.input_shape
    members = {xform_name(member, "-"): member for member in operation.input_shape.members}
    given = {word.removeprefix("--") for word in words if word.startswith("--")} - {"region"}
    if "ingress" in given:  # the CLI's word for --no-egress
        given = given - {"ingress"} | {"egress"}
    assert given - set(members) == set()
    assert set(operation.input_shape.required_members) - {members[one] for one in given} == set()


def test_names_from_aws_cannot_break_out_of_a_command() -> None:
    connector = replace(healthy().connector, name="a; rm -rf ~\n", arn="arn:aws:apprunner:x y:1:$(z)")
    lines = replace_connector(connector, ("subnet-1", "`id`"), ("sg-1 sg-2",)).split("\naws ")
    words = [shlex.split(line) for line in lines[1:]]
    assert words[0][2:] == [
        *("--region", "x y", "--vpc-connector-name", "a; rm -rf ~\n-v2"),
        *("--subnets", "`id`", "subnet-1", "--security-groups", "sg-1 sg-2"),
    ]
    assert words[2][-1] == "arn:aws:apprunner:x y:1:$(z)"


def test_what_a_service_has_cannot_break_out_of_a_command() -> None:
    arn = "arn:aws:apprunner:x y:1:$(z)"
    service = replace(_healthy_path.SERVICE, arn=arn, name="a; b", connector_arn="`id`", address_type="c' d")
    (*_, place, region, what, named, option, network) = shlex.split(set_network(service))
    assert (place, region, what, named, option) == ("--region", "x y", "--service-arn", arn, "--network-configuration")
    egress = "EgressConfiguration={EgressType=VPC,VpcConnectorArn=`id`}"
    assert network == f"{egress},IngressConfiguration={{IsPubliclyAccessible=false}},IpAddressType=c' d"
    words = shlex.split(connect_ingress(service))
    assert words[3:] == [
        *("--region", "x y", "--service-arn", arn, "--vpc-ingress-connection-name", "a; b"),
        *("--ingress-vpc-configuration", "VpcId=VPC_ID,VpcEndpointId=VPC_ENDPOINT_ID"),
    ]
    assert shlex.split(use_connector("x y", "`id`"))[-1] == egress


def test_what_a_load_balancer_tells_cannot_break_out_of_a_command() -> None:
    group = replace(healthy().group, arn="arn:aws:elasticloadbalancing:x y:1:$(z)")
    (line,) = change_targets(group, "register-targets", [target("`id`; b", "all"), target("2600:1f18::5", "")])
    assert shlex.split(line)[3:] == [
        *("--region", "x y", "--target-group-arn", group.arn),
        *("--targets", "Id=`id`; b,Port=443,AvailabilityZone=all", "Id=2600:1f18::5,Port=443"),
    ]


def test_what_a_private_path_is_called_cannot_break_out_of_a_command() -> None:
    odd = "a; `id` $(z)"
    ingress = replace(known(healthy().ingress), name=odd, vpc_id=odd, endpoint=None, status="FAILED_DELETION")
    *_, create = lead_to_another_endpoint(ingress)
    assert shlex.split(create)[-4:] == [
        *("--vpc-ingress-connection-name", odd),
        *("--ingress-vpc-configuration", f"VpcId={odd},VpcEndpointId=VPC_ENDPOINT_ID"),
    ]
    made = shlex.split(new_target_group(odd, odd, odd, (odd, "vpce-1")))
    named = ["--region", odd, "--name", f"{odd}-v2", "--protocol", "TCP", "--port", "443", "--target-type", "ip"]
    tag = f"Key=apprunner-guardrails:endpoint,Value={odd} vpce-1"
    assert made[3:] == [*named, "--vpc-id", odd, "--health-check-protocol", "TCP", "--tags", tag]
    assert shlex.split(admit(odd, odd, 443, ("10.0.1.20", "sg-1;x")))[3:] == [
        *("--region", odd, "--group-id", odd, "--ip-permissions"),
        "IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-1;x}],IpRanges=[{CidrIp=10.0.1.20/32}]",
    ]


def test_tags_are_put_on_a_target_group_by_its_own_service() -> None:
    words = [shlex.split(line) for line in tag_commands(GROUP_ARN, ("b c", "a")).splitlines()]
    resource = ["--region", "us-east-1", "--resource-arns", GROUP_ARN]
    assert words == [
        ["aws", "elbv2", "remove-tags", *resource, "--tag-keys", "a", "b c"],
        [
            *("aws", "elbv2", "add-tags", *resource, "--tags"),
            "Key=apprunner-guardrails:exempt:RULE_ID,Value=YYYY-MM-DD @OWNER REASON",
        ],
    ]


@pytest.mark.parametrize(
    ("destination", "rest"),
    [
        ("0.0.0.0/0", "--destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat-1"),
        ("pl-1", "--destination-prefix-list-id pl-1 --nat-gateway-id nat-1"),
        (
            "::/0",
            "--destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id EGRESS_ONLY_GATEWAY_ID",
        ),
    ],
)
def test_a_route_is_set_by_the_kind_of_its_destination(destination: str, rest: str) -> None:
    line = set_route(healthy().network, "replace-route", "rtb-1", destination, "nat-1")
    assert line == f"aws ec2 replace-route --region us-east-1 --route-table-id rtb-1 {rest}"
