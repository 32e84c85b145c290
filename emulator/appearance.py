"""What is new is not found everywhere at once, as on AWS, which is eventually consistent.

For SETTINGS.appears_after emulated seconds the calls of CALLS do not find a new App Runner resource, VPC endpoint, load
balancer or target group that they name by its ARN or id. Other calls and lists do: a service can be updated that is not
described yet.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.responses import BaseResponse
from moto.ec2.exceptions import InvalidVpcEndPointIdError
from moto.ec2.responses.tags import TagResponse
from moto.ec2.responses.vpcs import VPCs
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from emulator.apprunner.exceptions import ResourceNotFoundException
from emulator.apprunner.responses import AppRunnerResponse
from emulator.clock import CLOCK
from emulator.routes import Method, override
from emulator.settings import SETTINGS


def _apprunner(response: AppRunnerResponse, arn: str) -> None:
    backend = response.backend
    made = backend.connectors.get(arn) or backend.services.get(arn) or backend.ingress_connections.get(arn)
    if made is not None and _is_new(made.created_at):
        raise ResourceNotFoundException(f"The resource {arn} does not exist.")


def _endpoint(response: VPCs | TagResponse, endpoint_id: str) -> None:
    endpoint = response.ec2_backend.vpc_end_points.get(endpoint_id)
    if endpoint is not None and _is_new(endpoint.creation_timestamp):
        raise InvalidVpcEndPointIdError(endpoint_id)


def _balanced(response: ELBV2Response, arn: str) -> None:
    backend = response.elbv2_backend
    made = backend.target_groups.get(arn) or backend.load_balancers.get(arn)
    if made is not None and _is_new(vars(made)["made_at"]):
        raise TargetGroupNotFoundError if arn in backend.target_groups else LoadBalancerNotFoundError


def _is_new(made_at: datetime) -> bool:
    return CLOCK.now() - made_at < timedelta(seconds=SETTINGS.appears_after)


type Check = Callable[[Any, str], None]
"""Raises the error of the service that asks, if what has this ARN or id is too new."""

CALLS: tuple[tuple[type[BaseResponse], Check, Mapping[str, str]], ...] = (
    (
        AppRunnerResponse,
        _apprunner,
        {
            "describe_service": "ServiceArn",
            "describe_vpc_connector": "VpcConnectorArn",
            "describe_vpc_ingress_connection": "VpcIngressConnectionArn",
            "list_tags_for_resource": "ResourceArn",
            "tag_resource": "ResourceArn",
            "untag_resource": "ResourceArn",
        },
    ),
    (TagResponse, _endpoint, {"create_tags": "Resources", "delete_tags": "Resources"}),
    (VPCs, _endpoint, {"describe_vpc_endpoints": "VpcEndpointIds"}),
    (
        ELBV2Response,
        _balanced,
        {
            "add_tags": "ResourceArns",
            "describe_listeners": "LoadBalancerArn",
            "describe_load_balancer_attributes": "LoadBalancerArn",
            "describe_load_balancers": "LoadBalancerArns",
            "describe_tags": "ResourceArns",
            "describe_target_group_attributes": "TargetGroupArn",
            "describe_target_groups": "TargetGroupArns",
            "describe_target_health": "TargetGroupArn",
            "remove_tags": "ResourceArns",
        },
    ),
)
"""The class that answers, the check, and of each method the parameter that names what it is about."""


def _checked(member: str, check: Check, moto: Method, response: BaseResponse) -> Any:
    if SETTINGS.appears_after:
        named = response._get_param(member) or ()
        for each in (named,) if isinstance(named, str) else named:
            check(response, each)
    return moto(response)


def _note_time(moto: Method, backend: ELBv2Backend, **request: Any) -> Any:
    made: FakeLoadBalancer | FakeTargetGroup = moto(backend, **request)
    vars(made).update(made_at=CLOCK.now())
    return made


@functools.cache
def install() -> None:
    """Change the classes that answer, once; after all that gives them their methods."""
    for owner, check, methods in CALLS:
        for method, member in methods.items():
            override(owner, method, functools.partial(_checked, member, check))
    for name in ("create_load_balancer", "create_target_group"):
        override(ELBv2Backend, name, _note_time)
