"""App Runner's 37 operations over its JSON 1.0 protocol."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from typing import Any, cast

from botocore.model import StructureShape
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import camelcase_to_underscores, get_service_model

from emulator.apprunner.exceptions import InvalidRequestException
from emulator.apprunner.models import AppRunnerBackend, apprunner_backends, given_tags
from emulator.apprunner.records import Service, Structure
from emulator.apprunner.validation import validate

UNKNOWN_OPERATION = {"__type": "com.amazon.coral.service#UnknownOperationException"}
"""What AWS's JSON protocols answer to a target that the service's model does not have."""


def _one_at_a_time[R: type["AppRunnerResponse"]](responses: R) -> R:
    """Let each operation of the class hold the backend's lock, and deliver events when it has let go of it. (A lock
    around call_action would be held while the call's own CloudTrail event is delivered.)"""
    for name in get_service_model("apprunner").operation_names:
        method = camelcase_to_underscores(name)
        setattr(responses, method, _exclusive(getattr(responses, method)))
    return responses


def _exclusive(operation: Callable[[AppRunnerResponse], ActionResult]) -> Callable[[AppRunnerResponse], ActionResult]:
    @wraps(operation)
    def exclusive(request: AppRunnerResponse) -> ActionResult:
        backend = request.backend
        with backend.lock:
            result = operation(request)
        backend.deliver_events()
        return result

    return exclusive


@_one_at_a_time
class AppRunnerResponse(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="apprunner")

    @property
    def backend(self) -> AppRunnerBackend:
        return apprunner_backends[self.current_account][self.region]

    def call_action(self) -> TYPE_RESPONSE:
        if self._get_action() not in get_service_model("apprunner").operation_names:
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(UNKNOWN_OPERATION)
        return super().call_action()

    @cached_property
    def _request(self) -> Structure:
        """The request, valid by the API model and without the members that are null."""
        try:
            request = json.loads(self.body or "{}")
        except json.JSONDecodeError as error:
            raise InvalidRequestException(f"The request is not JSON: {error}") from error
        operation = get_service_model("apprunner").operation_model(self._get_action())
        validate(request, cast(StructureShape, operation.input_shape))
        return {name: value for name, value in request.items() if value is not None}

    # ------------------------------------------------------------------------------------------------ VPC connectors

    def create_vpc_connector(self) -> ActionResult:
        connector = self.backend.create_vpc_connector(
            self._request["VpcConnectorName"],
            self._request["Subnets"],
            self._request.get("SecurityGroups", []),
            self._request.get("Tags", []),
        )
        return ActionResult({"VpcConnector": connector.describe()})

    def describe_vpc_connector(self) -> ActionResult:
        connector = self.backend.describe_vpc_connector(self._request["VpcConnectorArn"])
        return ActionResult({"VpcConnector": connector.describe()})

    def list_vpc_connectors(self) -> ActionResult:
        records = [each.describe() for each in self.backend.list_vpc_connectors()]
        return self._page("VpcConnectors", records, "VpcConnectorArn")

    def delete_vpc_connector(self) -> ActionResult:
        connector = self.backend.delete_vpc_connector(self._request["VpcConnectorArn"])
        return ActionResult({"VpcConnector": connector.describe()})

    # ------------------------------------------------------------------------------------------------------ services

    def create_service(self) -> ActionResult:
        service, operation = self.backend.create_service(self._request)
        return ActionResult({"Service": service.describe(), "OperationId": operation.id})

    def describe_service(self) -> ActionResult:
        return ActionResult({"Service": self.backend.describe_service(self._request["ServiceArn"]).describe()})

    def list_services(self) -> ActionResult:
        records = [each.summary() for each in self.backend.list_services()]
        return self._page("ServiceSummaryList", records, "ServiceArn")

    def update_service(self) -> ActionResult:
        service, operation = self.backend.update_service(self._request)
        return ActionResult({"Service": service.describe(), "OperationId": operation.id})

    def pause_service(self) -> ActionResult:
        service, operation = self.backend.pause_service(self._request["ServiceArn"])
        return ActionResult({"Service": service.describe(), "OperationId": operation.id})

    def resume_service(self) -> ActionResult:
        service, operation = self.backend.resume_service(self._request["ServiceArn"])
        return ActionResult({"Service": service.describe(), "OperationId": operation.id})

    def delete_service(self) -> ActionResult:
        service, operation = self.backend.delete_service(self._request["ServiceArn"])
        return ActionResult({"Service": service.describe(), "OperationId": operation.id})

    def start_deployment(self) -> ActionResult:
        return ActionResult({"OperationId": self.backend.start_deployment(self._request["ServiceArn"]).id})

    def list_operations(self) -> ActionResult:
        """The last one that started comes first."""
        operations = self.backend.list_operations(self._request["ServiceArn"])
        records = [{**each.describe(), "order": -each.number} for each in operations]
        return self._page("OperationSummaryList", records, "order")

    # ------------------------------------------------------------------------------------- VPC ingress connections

    def create_vpc_ingress_connection(self) -> ActionResult:
        connection = self.backend.create_vpc_ingress_connection(
            self._request["VpcIngressConnectionName"],
            self._request["ServiceArn"],
            self._request["IngressVpcConfiguration"],
            self._request.get("Tags", []),
        )
        return ActionResult({"VpcIngressConnection": connection.describe()})

    def describe_vpc_ingress_connection(self) -> ActionResult:
        connection = self.backend.describe_vpc_ingress_connection(self._request["VpcIngressConnectionArn"])
        return ActionResult({"VpcIngressConnection": connection.describe()})

    def list_vpc_ingress_connections(self) -> ActionResult:
        wanted = self._request.get("Filter", {})
        found = self.backend.list_ingress_connections(wanted.get("ServiceArn"), wanted.get("VpcEndpointId"))
        records = [{"VpcIngressConnectionArn": each.arn, "ServiceArn": each.service_arn} for each in found]
        return self._page("VpcIngressConnectionSummaryList", records, "VpcIngressConnectionArn")

    def update_vpc_ingress_connection(self) -> ActionResult:
        connection = self.backend.update_vpc_ingress_connection(
            self._request["VpcIngressConnectionArn"], self._request["IngressVpcConfiguration"]
        )
        return ActionResult({"VpcIngressConnection": connection.describe()})

    def delete_vpc_ingress_connection(self) -> ActionResult:
        connection = self.backend.delete_vpc_ingress_connection(self._request["VpcIngressConnectionArn"])
        return ActionResult({"VpcIngressConnection": connection.describe()})

    # ---------------------------------------------------------------------------------------------------------- tags

    def list_tags_for_resource(self) -> ActionResult:
        tags = self.backend.list_tags(self._request["ResourceArn"])
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def tag_resource(self) -> ActionResult:
        self.backend.tag_resource(self._request["ResourceArn"], given_tags(self._request["Tags"]))
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        self.backend.untag_resource(self._request["ResourceArn"], self._request["TagKeys"])
        return EmptyResult()

    # ------------------------------------------------------------------------------------- auto scaling configurations

    def create_auto_scaling_configuration(self) -> ActionResult:
        defaults = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}
        settings = {member: self._request.get(member, default) for member, default in defaults.items()}
        name, tags = self._request["AutoScalingConfigurationName"], self._request.get("Tags", [])
        configuration = self.backend.create_configuration(self.backend.scaling, name, settings, tags)
        return ActionResult({"AutoScalingConfiguration": configuration})

    def describe_auto_scaling_configuration(self) -> ActionResult:
        arn = self._request["AutoScalingConfigurationArn"]
        configuration = self.backend.describe_configuration(self.backend.scaling, arn)
        return ActionResult({"AutoScalingConfiguration": configuration})

    def list_auto_scaling_configurations(self) -> ActionResult:
        name, latest_only = self._request.get("AutoScalingConfigurationName"), self._request.get("LatestOnly", True)
        records = self.backend.list_configurations(self.backend.scaling, name, latest_only=latest_only)
        return self._page("AutoScalingConfigurationSummaryList", records, "AutoScalingConfigurationArn")

    def list_services_for_auto_scaling_configuration(self) -> ActionResult:
        services = self.backend.list_services_for_scaling(self._request["AutoScalingConfigurationArn"])
        page = self._page_of([{"ServiceArn": each.arn} for each in services], "ServiceArn")
        arns = [each["ServiceArn"] for each in page.pop("records")]
        return ActionResult({"ServiceArnList": arns, **page})

    def update_default_auto_scaling_configuration(self) -> ActionResult:
        configuration = self.backend.set_default_scaling(self._request["AutoScalingConfigurationArn"])
        return ActionResult({"AutoScalingConfiguration": configuration})

    def delete_auto_scaling_configuration(self) -> ActionResult:
        configuration = self.backend.delete_configuration(
            self.backend.scaling,
            self._request["AutoScalingConfigurationArn"],
            all_revisions=self._request.get("DeleteAllRevisions", False),
        )
        return ActionResult({"AutoScalingConfiguration": configuration})

    # ------------------------------------------------------------------------------------ observability configurations

    def create_observability_configuration(self) -> ActionResult:
        configuration = self.backend.create_observability_configuration(
            self._request["ObservabilityConfigurationName"],
            {"TraceConfiguration": self._request.get("TraceConfiguration")},
            self._request.get("Tags", []),
        )
        return ActionResult({"ObservabilityConfiguration": configuration})

    def describe_observability_configuration(self) -> ActionResult:
        arn = self._request["ObservabilityConfigurationArn"]
        configuration = self.backend.describe_configuration(self.backend.observability, arn)
        return ActionResult({"ObservabilityConfiguration": configuration})

    def list_observability_configurations(self) -> ActionResult:
        name, latest_only = self._request.get("ObservabilityConfigurationName"), self._request.get("LatestOnly", True)
        records = self.backend.list_configurations(self.backend.observability, name, latest_only=latest_only)
        return self._page("ObservabilityConfigurationSummaryList", records, "ObservabilityConfigurationArn")

    def delete_observability_configuration(self) -> ActionResult:
        arn = self._request["ObservabilityConfigurationArn"]
        configuration = self.backend.delete_configuration(self.backend.observability, arn)
        return ActionResult({"ObservabilityConfiguration": configuration})

    # --------------------------------------------------------------------------------------------------- connections

    def create_connection(self) -> ActionResult:
        connection = self.backend.create_connection(
            self._request["ConnectionName"], self._request["ProviderType"], self._request.get("Tags", [])
        )
        return ActionResult({"Connection": connection.describe()})

    def list_connections(self) -> ActionResult:
        found = self.backend.list_connections(self._request.get("ConnectionName"))
        return self._page("ConnectionSummaryList", [each.describe() for each in found], "ConnectionArn")

    def delete_connection(self) -> ActionResult:
        return ActionResult({"Connection": self.backend.delete_connection(self._request["ConnectionArn"]).describe()})

    # ------------------------------------------------------------------------------------------------ custom domains

    def associate_custom_domain(self) -> ActionResult:
        service_arn = self._request["ServiceArn"]
        domain = self.backend.associate_custom_domain(
            service_arn, self._request["DomainName"], www=self._request.get("EnableWWWSubdomain", True)
        )
        return ActionResult({"CustomDomain": domain.describe(), **self.backend.domain_targets(service_arn)})

    def describe_custom_domains(self) -> ActionResult:
        service: Service = self.backend.describe_service(self._request["ServiceArn"])
        records = [each.describe() for each in service.domains.values()]
        page = self._page_of(records, "DomainName")
        domains = page.pop("records")
        return ActionResult({"CustomDomains": domains, **page, **self.backend.domain_targets(service.arn)})

    def disassociate_custom_domain(self) -> ActionResult:
        service_arn = self._request["ServiceArn"]
        domain = self.backend.disassociate_custom_domain(service_arn, self._request["DomainName"])
        return ActionResult({"CustomDomain": domain.describe(), **self.backend.domain_targets(service_arn)})

    # --------------------------------------------------------------------------------------------------------- pages

    def _page(self, member: str, records: Sequence[Structure], key: str) -> ActionResult:
        page = self._page_of(records, key)
        return ActionResult({member: page.pop("records"), **page})

    def _page_of(self, records: Sequence[Structure], key: str) -> Structure:
        """One page of records in the order of their keys, each of which is unique. The token holds the last key, so
        what comes and goes between two pages moves nothing; it is good only for the same call with the same members."""
        request = self._request
        call = self._get_action() + json.dumps({**request, "NextToken": None}, sort_keys=True)
        digest = hashlib.sha256(call.encode()).hexdigest()[:16]
        rest = sorted(records, key=lambda record: record[key])
        if token := request.get("NextToken"):
            last = _last_key(token, digest)
            rest = [record for record in rest if record[key] > last]
        size = request.get("MaxResults") or self.backend.page_size or len(rest)
        page: Structure = {"records": rest[:size]}
        if len(rest) > size:
            page["NextToken"] = _token(rest[size - 1][key], digest)
        return page


def _token(last_key: object, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, last_key]).encode()).decode()


def _last_key(token: str, digest: str) -> Any:
    try:
        of_call, last_key = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidRequestException("The NextToken is not valid.") from error
    if of_call != digest:
        raise InvalidRequestException("The NextToken belongs to a request with other parameters.")
    return last_key
