"""AWS App Runner for moto: what its calls do.

What AWS does not document is an attribute of `AppRunnerBackend` that tests and worlds may set, or one of SETTINGS.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.ec2.models import EC2Backend, ec2_backends
from moto.moto_api._internal import mock_random

from emulator import cloudtrail
from emulator.apprunner import network
from emulator.apprunner.exceptions import (
    AppRunnerError,
    InvalidRequestException,
    InvalidStateException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
)
from emulator.apprunner.network import Placement
from emulator.apprunner.records import (
    IN_PROGRESS,
    Configurations,
    Connection,
    CustomDomain,
    Operation,
    Revision,
    Service,
    Structure,
    Tagging,
    Tags,
    VpcConnector,
    VpcIngressConnection,
)
from emulator.clock import CLOCK
from emulator.settings import SETTINGS
from emulator.tags import PER_RESOURCE, are_too_many, is_reserved


@dataclass(frozen=True, kw_only=True)
class _Course:
    """What an operation leads to. A status of None is the one that the service had before."""

    event: str
    """Prefix of the operation's own EventBridge events."""
    doing: str
    success: str | None
    failure: str | None = None
    failed_operation: str = "FAILED"
    needs_network: bool = False


_COURSES: Mapping[str, _Course] = {
    "CREATE_SERVICE": _Course(
        event="CreateService", doing="creation", success="RUNNING", failure="CREATE_FAILED", needs_network=True
    ),
    "UPDATE_SERVICE": _Course(
        event="UpdateService",
        doing="update",
        success="RUNNING",
        failed_operation="ROLLBACK_SUCCEEDED",
        needs_network=True,
    ),
    "RESUME_SERVICE": _Course(event="ResumeService", doing="resumption", success="RUNNING", needs_network=True),
    "PAUSE_SERVICE": _Course(event="PauseService", doing="pause", success="PAUSED"),
    "START_DEPLOYMENT": _Course(event="Deployment", doing="deployment", success=None),
    "DELETE_SERVICE": _Course(event="DeleteService", doing="deletion", success="DELETED"),
}

_WITHOUT_NETWORK = frozenset({None, "CREATE_FAILED", "DELETED"})
"""Statuses of a service (None: not yet one) in which nothing of it runs in a VPC."""


class AppRunnerBackend(BaseBackend, TaggableResourcesMixin):
    """App Runner in one account and Region. Hold `lock` around a call, and `deliver_events` after releasing it."""

    SERVICE_NAMESPACE = "apprunner"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.operation_seconds: float = 120
        """How long an operation takes, on the emulated clock."""
        self.unsupported_zone_ids: set[str] = {"use1-az3"}
        """Zones in which connectors do not work. AWS publishes no list; this one zone is community knowledge."""
        self.lists_default_security_group = True
        """Whether a connector created without groups lists the VPC's default group: not documented."""
        self.page_size: int | None = None
        """Results in a page when the request sets no MaxResults: all, says the model."""

        self.lock = threading.RLock()
        self.connectors: dict[str, VpcConnector] = {}
        self.services: dict[str, Service] = {}
        self.ingress_connections: dict[str, VpcIngressConnection] = {}
        self.connections: dict[str, Connection] = {}
        self.tags = Tagging()
        """Of every resource that is not deleted."""
        self.interfaces: dict[Placement, str] = {}
        """The managed network interfaces, by id."""
        self.unneeded_since: dict[Placement, datetime] = {}
        """Of those interfaces, the ones that no service needs any more."""
        self.scaling = Configurations("AutoScalingConfiguration", self._arn("autoscalingconfiguration"))
        self.observability = Configurations("ObservabilityConfiguration", self._arn("observabilityconfiguration"))
        self.default_scaling = self.scaling.add(
            "DefaultConfiguration", {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}, "0" * 31 + "1"
        )
        self.tags.set(self.default_scaling.arn, {})
        self._outbox: list[dict[str, object]] = []
        self._life = object()

    @property
    def _ec2(self) -> EC2Backend:
        return ec2_backends[self.account_id][self.region_name]

    def _arn(self, path: str) -> str:
        return f"arn:{self.partition}:apprunner:{self.region_name}:{self.account_id}:{path}"

    def _new_domain_name(self) -> str:
        return f"{mock_random.get_random_string(10, lower_case=True)}.{self.region_name}.awsapprunner.com"

    # ------------------------------------------------------------------------------------------------ VPC connectors

    def create_vpc_connector(
        self, name: str, subnets: Sequence[str], groups: Sequence[str], tags: Iterable[Structure]
    ) -> VpcConnector:
        active = [each for each in self.connectors.values() if each.active]
        if any(each.name == name for each in active):
            raise InvalidRequestException(f"A VPC connector with the provided name already exists: {name}")
        vpc_id = network.checked_network(self._ec2, subnets, groups)
        effective = list(groups) or [network.default_security_group(self._ec2, vpc_id)]
        if SETTINGS.refuse_same_groups and any(set(each.security_groups) == set(effective) for each in active):
            # The message as reported in pulumi/pulumi-aws#5364.
            raise InvalidRequestException(
                "The security groups combination provided in the request already exists on existing vpc connector"
            )
        _check_quota("VPC connectors", len(active), SETTINGS.quotas["connectors"])
        connector = VpcConnector(
            name=name,
            arn=self._arn(f"vpcconnector/{name}/1/{mock_random.get_random_hex(32)}"),
            subnets=list(subnets),
            security_groups=effective,
            listed_groups=effective if groups or self.lists_default_security_group else [],
            created_at=CLOCK.now(),
        )
        self.tags.set(connector.arn, given_tags(tags))
        self.connectors[connector.arn] = connector
        return connector

    def describe_vpc_connector(self, arn: str) -> VpcConnector:
        connector = self.connectors.get(arn)
        return _found(None if connector and connector.status == "PURGED" else connector, "VPC connector", arn)

    def list_vpc_connectors(self) -> list[VpcConnector]:
        return [each for each in self.connectors.values() if each.active]

    def delete_vpc_connector(self, arn: str) -> VpcConnector:
        connector = self.describe_vpc_connector(arn)
        if not connector.active:
            raise ResourceNotFoundException(f"The VPC connector {arn} is deleted.")
        if any(arn in self._referenced_connectors(service) for service in self.services.values()):
            # The message as reported in aws/apprunner-roadmap#161.
            raise InvalidRequestException(f"Provided VPC connector arn is being used by other services. ARN: {arn}")
        connector.deleted_at = CLOCK.now()
        self.tags.remove(arn)
        return connector

    def _referenced_connectors(self, service: Service) -> set[str]:
        if service.status == "DELETED":
            return set()
        former = [service.operation.former_configuration] if service.operation else []
        return {arn for each in [service.configuration, *former] if (arn := _connector_arn(each))}

    # ------------------------------------------------------------------------------------------------------ services

    def create_service(self, request: Structure) -> tuple[Service, Operation]:
        name = request["ServiceName"]
        present = self.list_services()
        if any(each.name == name for each in present):
            # The message as reported by users of several infrastructure tools.
            raise InvalidRequestException(f"Service with the provided name already exists: {name}")
        configuration = self._configured(_initial_configuration(request), request)
        _check_quota("services", len(present), SETTINGS.quotas["services"])
        service_id = mock_random.get_random_hex(32)
        service = Service(
            name=name,
            id=service_id,
            arn=self._arn(f"service/{name}/{service_id}"),
            domain_name=self._new_domain_name(),
            status="",
            configuration=configuration,
            created_at=CLOCK.now(),
            updated_at=CLOCK.now(),
        )
        self.tags.set(service.arn, given_tags(request.get("Tags") or []))
        self.services[service.arn] = service
        return service, self._begin(service, "CREATE_SERVICE")

    def describe_service(self, arn: str, missing: type[AppRunnerError] = ResourceNotFoundException) -> Service:
        return _found(self.services.get(arn), "service", arn, missing)

    def list_services(self) -> list[Service]:
        return [each for each in self.services.values() if each.status != "DELETED"]

    def update_service(self, request: Structure) -> tuple[Service, Operation]:
        """Allowed in RUNNING and PAUSED (aws/apprunner-roadmap#95) and, since 2023, in CREATE_FAILED (the model)."""
        service = self.describe_service(request["ServiceArn"])
        _check_state(service, "updated", {"RUNNING", "PAUSED", "CREATE_FAILED"})
        source = request.get("SourceConfiguration")
        if source is not None and _source_kind(source) != _source_kind(service.configuration["SourceConfiguration"]):
            raise InvalidRequestException("A service cannot switch between code and image sources.")
        former = service.configuration
        service.configuration = self._configured(copy.deepcopy(former), request)
        return service, self._begin(service, "UPDATE_SERVICE", former)

    def pause_service(self, arn: str) -> tuple[Service, Operation]:
        service = self.describe_service(arn)
        _check_state(service, "paused", {"RUNNING"})
        return service, self._begin(service, "PAUSE_SERVICE")

    def resume_service(self, arn: str) -> tuple[Service, Operation]:
        service = self.describe_service(arn)
        _check_state(service, "resumed", {"PAUSED"})
        return service, self._begin(service, "RESUME_SERVICE")

    def start_deployment(self, arn: str) -> Operation:
        """The model has no InvalidStateException for this call."""
        service = self.describe_service(arn)
        _check_state(service, "deployed", {"RUNNING"}, InvalidRequestException)
        return self._begin(service, "START_DEPLOYMENT")

    def delete_service(self, arn: str) -> tuple[Service, Operation]:
        service = self.describe_service(arn)
        _check_state(service, "deleted", {"RUNNING", "PAUSED", "CREATE_FAILED"})
        for connection in self.list_ingress_connections(service_arn=arn):
            if connection.status == "AVAILABLE":
                # The message as reported in hashicorp/terraform-provider-aws#40896.
                raise InvalidStateException(
                    "You cannot delete a Service while it has VpcIngressConnections with a status of AVAILABLE. "
                    f"Service Arn: {arn} VpcIngressConnection Arn: {connection.arn}"
                )
        return service, self._begin(service, "DELETE_SERVICE")

    def list_operations(self, arn: str) -> list[Operation]:
        return self.describe_service(arn).operations

    def _configured(self, configuration: Structure, request: Structure) -> Structure:
        """`configuration` with what the request sets in it. Members that it leaves out stay as they are."""
        if (source := request.get("SourceConfiguration")) is not None:
            _source_kind(source)
            automatic = {"AutoDeploymentsEnabled": self._deploys_automatically(source)}
            configuration["SourceConfiguration"] = automatic | _without_nulls(source)
        for member in ("InstanceConfiguration", "HealthCheckConfiguration", "NetworkConfiguration"):
            configuration[member] = {**configuration[member], **_without_nulls(request.get(member) or {})}
        network_configuration = configuration["NetworkConfiguration"]
        network_configuration["EgressConfiguration"] = {
            "EgressType": "DEFAULT",
            **_without_nulls(network_configuration["EgressConfiguration"]),
        }
        self._check_egress(network_configuration["EgressConfiguration"])
        if arn := request.get("AutoScalingConfigurationArn"):
            configuration["AutoScalingConfigurationArn"] = self._usable(self.scaling, arn).arn
        if observability := request.get("ObservabilityConfiguration"):
            if arn := observability.get("ObservabilityConfigurationArn"):
                observability = {
                    **observability,
                    "ObservabilityConfigurationArn": self._usable(self.observability, arn).arn,
                }
            configuration["ObservabilityConfiguration"] = observability
        configuration.setdefault("AutoScalingConfigurationArn", self.default_scaling.arn)
        return configuration

    def _deploys_automatically(self, source: Structure) -> bool:
        image = source.get("ImageRepository")
        return not image or str(image["ImageIdentifier"]).startswith(f"{self.account_id}.dkr.")

    def _check_egress(self, egress: Structure) -> None:
        arn = egress.get("VpcConnectorArn")
        if egress["EgressType"] != "VPC":
            if arn:
                raise InvalidRequestException("VpcConnectorArn is only valid when EgressType is VPC.")
            return
        if not arn:
            raise InvalidRequestException("EgressType VPC needs a VpcConnectorArn.")
        connector = self.connectors.get(arn)
        if connector is None or not connector.active:
            raise InvalidRequestException(f"The VPC connector {arn} does not exist or is not ACTIVE.")

    def _usable(self, configurations: Configurations, arn: str) -> Revision:
        revision = configurations.find(arn)
        if revision is None or revision.deleted_at:
            raise InvalidRequestException(f"The {configurations.kind} {arn} does not exist or is not ACTIVE.")
        return revision

    # ---------------------------------------------------------------------------------------------------- operations

    def _begin(self, service: Service, kind: str, former_configuration: Structure | None = None) -> Operation:
        now = CLOCK.now()
        operation = Operation(
            number=len(service.operations),
            id=str(mock_random.uuid4()),
            type=kind,
            service_arn=service.arn,
            status="IN_PROGRESS",
            former_status=service.status or None,
            former_configuration=former_configuration or service.configuration,
            started_at=now,
            updated_at=now,
        )
        service.operations.append(operation)
        self._set_status(service, IN_PROGRESS)
        self._place_interfaces()
        message = "" if kind == "UPDATE_SERVICE" else f"Service {_COURSES[kind].doing} started."
        self._operation_event(service, operation, "Started", message)
        self._later(lambda: self._finish(service, operation), operation.started_at)
        return operation

    def _finish(self, service: Service, operation: Operation) -> None:
        course = _COURSES[operation.type]
        faults = self._network_faults(service) if course.needs_network else []
        if faults:
            status = course.failure or operation.former_status
            service.configuration = operation.former_configuration
            operation.status = course.failed_operation
        else:
            paused = operation.type == "UPDATE_SERVICE" and operation.former_status == "PAUSED"
            status = operation.former_status if paused or course.success is None else course.success
            operation.status = "SUCCEEDED"
            if operation.type == "UPDATE_SERVICE" and _is_without_effect(service):
                network_before = operation.former_configuration["NetworkConfiguration"]
                service.configuration = {**service.configuration, "NetworkConfiguration": network_before}
        operation.ended_at = operation.updated_at = CLOCK.now()
        if faults:
            message = f"Service {course.doing} failed: {'; '.join(faults)}."
            self._operation_event(service, operation, "Failed", message, severity="ERROR")
        else:
            done = f"Service {course.doing} completed successfully."
            self._operation_event(service, operation, "CompletedSuccessfully", done)
        self._set_status(service, str(status))
        if status == "DELETED":
            service.deleted_at = CLOCK.now()
            self.tags.remove(service.arn)
        self._place_interfaces()

    def _network_faults(self, service: Service) -> list[str]:
        connector = self.connectors.get(_connector_arn(service.configuration) or "")
        if connector is None:
            return []
        faults = network.network_faults(
            self._ec2, connector.subnets, connector.security_groups, self.unsupported_zone_ids
        )
        unplaced = sorted(connector.placements - self.interfaces.keys())
        return faults or [f"subnet {each.subnet} has no free address for a network interface" for each in unplaced]

    def _place_interfaces(self) -> None:
        """Make the interfaces that services need and have not, remove those that none has needed for a while."""
        used = {arn for service in self.services.values() for arn in _connectors_in_use(service)}
        wanted = {placement for arn in used for placement in self.connectors[arn].placements}
        now = CLOCK.now()
        before, unneeded = self.unneeded_since, self.interfaces.keys() - wanted
        self.unneeded_since = {placement: before.get(placement, now) for placement in sorted(unneeded)}
        for placement, since in tuple(self.unneeded_since.items()):
            gone_at = since + timedelta(seconds=SETTINGS.interface_linger)
            if gone_at <= now:
                del self.unneeded_since[placement]
                network.disconnect(self._ec2, self.interfaces.pop(placement))
            elif placement not in before:
                self._at(gone_at, self._place_interfaces)
        for placement in sorted(wanted - self.interfaces.keys()):
            if interface_id := network.connect(self._ec2, placement):
                self.interfaces[placement] = interface_id

    def _later(self, callback: Callable[[], None], start: datetime | None = None) -> None:
        """Run it when an operation of that start (by default now) is over."""
        self._at((start or CLOCK.now()) + timedelta(seconds=self.operation_seconds), callback)

    def _at(self, moment: datetime, callback: Callable[[], None]) -> None:
        """Run it then, unless the backend is reset meanwhile."""
        life = self._life

        def run() -> None:
            if self._life is life:
                with self.lock:
                    callback()
                self.deliver_events()

        CLOCK.schedule(moment, run)

    # -------------------------------------------------------------------------- App Runner's own EventBridge events

    def deliver_events(self) -> None:
        """Put what happened on the bus. Not under the lock: a listener may call App Runner, from other threads too."""
        with self.lock:
            events, self._outbox = self._outbox, []
        for event in events:
            cloudtrail.emit(event)

    def _set_status(self, service: Service, status: str) -> None:
        former, service.status, service.updated_at = service.status, status, CLOCK.now()
        if former:
            detail = {"previousServiceStatus": former, "currentServiceStatus": status}
            self._event(
                service, "AppRunner Service Status Change", detail, f"Service status is set to {status}.", "INFO"
            )

    def _operation_event(
        self, service: Service, operation: Operation, outcome: str, message: str, severity: str = "INFO"
    ) -> None:
        detail = {"operationStatus": f"{_COURSES[operation.type].event}{outcome}"}
        self._event(service, "AppRunner Service Operation Status Change", detail, message, severity)

    def _event(self, service: Service, kind: str, detail: Mapping[str, object], message: str, severity: str) -> None:
        """Shapes as in aws-facts 2. The messages of operations and the severity of failures are our own."""
        event = cloudtrail.envelope(
            source="aws.apprunner",
            detail_type=kind,
            region=self.region_name,
            account=self.account_id,
            resources=[service.arn],
            detail={
                **detail,
                "serviceName": service.name,
                "serviceId": service.id,
                "message": message,
                "severity": severity,
            },
        )
        self._outbox.append(event)

    # ------------------------------------------------------------------------------------- VPC ingress connections

    def create_vpc_ingress_connection(
        self, name: str, service_arn: str, target: Structure, tags: Iterable[Structure]
    ) -> VpcIngressConnection:
        service = self.describe_service(service_arn, InvalidRequestException)
        _check_state(service, "connected", {"RUNNING", "PAUSED"})
        present = self.list_ingress_connections()
        if any(each.name == name for each in present):
            raise InvalidRequestException(f"A VPC ingress connection with the provided name already exists: {name}")
        _check_quota(
            "VPC ingress connections of a service", sum(each.service_arn == service_arn for each in present), 1
        )
        vpc_id, endpoint_id = _ingress_target(target)
        connection = VpcIngressConnection(
            name=name,
            arn=self._arn(f"vpcingressconnection/{name}/{mock_random.get_random_hex(32)}"),
            service_arn=service_arn,
            account_id=self.account_id,
            domain_name=self._new_domain_name(),
            vpc_id=vpc_id,
            endpoint_id=endpoint_id,
            reached="PENDING_CREATION",
            created_at=CLOCK.now(),
        )
        self.tags.set(connection.arn, given_tags(tags))
        self.ingress_connections[connection.arn] = connection
        self._later(lambda: self._connect_ingress(connection, "FAILED_CREATION"))
        return connection

    def describe_vpc_ingress_connection(self, arn: str) -> VpcIngressConnection:
        return _found(self.ingress_connections.get(arn), "VPC ingress connection", arn)

    def list_ingress_connections(
        self, service_arn: str | None = None, endpoint_id: str | None = None
    ) -> list[VpcIngressConnection]:
        return [
            each
            for each in self.ingress_connections.values()
            if each.status != "DELETED"
            and service_arn in (None, each.service_arn)
            and endpoint_id in (None, each.endpoint_id)
        ]

    def update_vpc_ingress_connection(self, arn: str, target: Structure) -> VpcIngressConnection:
        connection = self.describe_vpc_ingress_connection(arn)
        _check_state(connection, "updated", {"AVAILABLE", "FAILED_CREATION", "FAILED_UPDATE"})
        connection.vpc_id, connection.endpoint_id = _ingress_target(target)
        connection.reached = "PENDING_UPDATE"
        self._later(lambda: self._connect_ingress(connection, "FAILED_UPDATE"))
        return connection

    def delete_vpc_ingress_connection(self, arn: str) -> VpcIngressConnection:
        connection = self.describe_vpc_ingress_connection(arn)
        allowed = {"AVAILABLE", "FAILED_CREATION", "FAILED_UPDATE", "FAILED_DELETION"}
        _check_state(connection, "deleted", allowed)
        connection.reached = "PENDING_DELETION"
        self._later(lambda: self._end_ingress(connection))
        return connection

    def _connect_ingress(self, connection: VpcIngressConnection, failed: str) -> None:
        gone = self.services[connection.service_arn].status == "DELETED"
        fault = network.endpoint_fault(self._ec2, connection.vpc_id, connection.endpoint_id)
        connection.reached = failed if gone or fault else "AVAILABLE"

    def _end_ingress(self, connection: VpcIngressConnection) -> None:
        connection.reached = "DELETED"
        connection.deleted_at = CLOCK.now()
        self.tags.remove(connection.arn)

    # ---------------------------------------------------------------------------------------------------------- tags

    def list_tags(self, arn: str) -> Tags:
        return _found(self.tags.get(arn), "resource", arn)

    def tag_resource(self, arn: str, tags: Tags) -> None:
        """What the Resource Groups Tagging API calls too."""
        self.tags.set(arn, _within_limit({**self._taggable(arn), **tags}))

    def untag_resource(self, arn: str, tag_keys: Iterable[str]) -> None:
        removed = set(tag_keys)
        self.tags.set(arn, {key: value for key, value in self._taggable(arn).items() if key not in removed})

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """What the Resource Groups Tagging API shows, in the terms of moto's."""
        for arn, tags in self.tags.indexed.items():
            kind = arn.split(":", 5)[5].partition("/")[0]
            yield TaggedResource(arn, tags, f"apprunner:{kind}", {"include_untagged": True})

    def _taggable(self, arn: str) -> Tags:
        tags = self.list_tags(arn)
        if SETTINGS.refuses_tags_during_operation and arn in self.services:
            _check_state(self.services[arn], "tagged", {"RUNNING", "PAUSED", "CREATE_FAILED"})
        return tags

    # -------------------------------------------------------------------- auto scaling, observability, connections

    def create_configuration(
        self, configurations: Configurations, name: str, settings: Structure, tags: Iterable[Structure]
    ) -> Structure:
        if name not in configurations.names():
            own = configurations.names() - {"DefaultConfiguration"}
            _check_quota(f"{configurations.kind} names", len(own), SETTINGS.quotas["configurations"])
        revision = configurations.add(name, settings, mock_random.get_random_hex(32))
        self.tags.set(revision.arn, given_tags(tags))
        return self._described(configurations, revision)

    def create_observability_configuration(
        self, name: str, settings: Structure, tags: Iterable[Structure]
    ) -> Structure:
        if name == "DefaultConfiguration":
            raise InvalidRequestException("The name DefaultConfiguration is reserved.")
        return self.create_configuration(self.observability, name, settings, tags)

    def describe_configuration(self, configurations: Configurations, arn: str) -> Structure:
        return self._described(configurations, _found(configurations.find(arn), configurations.kind, arn))

    def list_configurations(
        self, configurations: Configurations, name: str | None, *, latest_only: bool
    ) -> list[Structure]:
        found = configurations.revisions(name, latest_only=latest_only)
        return [self._described(configurations, each) for each in found]

    def delete_configuration(
        self, configurations: Configurations, arn: str, *, all_revisions: bool = False
    ) -> Structure:
        revision = _found(configurations.find(arn), configurations.kind, arn)
        doomed = configurations.revisions(revision.name, latest_only=False) if all_revisions else [revision]
        for each in doomed:
            if each.deleted_at:
                raise ResourceNotFoundException(f"The {configurations.kind} {each.arn} is deleted.")
            if each is self.default_scaling or self.services_with(configurations, each):
                raise InvalidRequestException(f"The {configurations.kind} {each.arn} is the default or in use.")
        for each in doomed:
            each.deleted_at = CLOCK.now()
            self.tags.remove(each.arn)
        return self._described(configurations, revision)

    def set_default_scaling(self, arn: str) -> Structure:
        revision = _found(self.scaling.find(arn), self.scaling.kind, arn)
        if revision.deleted_at:
            raise InvalidRequestException(f"The AutoScalingConfiguration {arn} is not ACTIVE.")
        self.default_scaling = revision
        return self._described(self.scaling, revision)

    def list_services_for_scaling(self, arn: str) -> list[Service]:
        return self.services_with(self.scaling, _found(self.scaling.find(arn), self.scaling.kind, arn))

    def services_with(self, configurations: Configurations, revision: Revision) -> list[Service]:
        member = f"{configurations.kind}Arn"
        return [
            each
            for each in self.list_services()
            if revision.arn
            in (each.configuration.get(member), each.configuration["ObservabilityConfiguration"].get(member))
        ]

    def _described(self, configurations: Configurations, revision: Revision) -> Structure:
        return {
            **configurations.describe(revision),
            "HasAssociatedService": bool(self.services_with(configurations, revision)),
            "IsDefault": revision is self.default_scaling,
        }

    def create_connection(self, name: str, provider: str, tags: Iterable[Structure]) -> Connection:
        """It stays in PENDING_HANDSHAKE: the handshake is made in the console."""
        if any(each.name == name for each in self.connections.values()):
            raise InvalidRequestException(f"A connection with the provided name already exists: {name}")
        _check_quota("connections", len(self.connections), SETTINGS.quotas["connections"])
        connection = Connection(
            name=name,
            arn=self._arn(f"connection/{name}/{mock_random.get_random_hex(32)}"),
            provider=provider,
            status="PENDING_HANDSHAKE",
            created_at=CLOCK.now(),
        )
        self.tags.set(connection.arn, given_tags(tags))
        self.connections[connection.arn] = connection
        return connection

    def list_connections(self, name: str | None) -> list[Connection]:
        return [each for each in self.connections.values() if name in (None, each.name)]

    def delete_connection(self, arn: str) -> Connection:
        connection = _found(self.connections.get(arn), "connection", arn)
        for service in self.list_services():
            source = service.configuration["SourceConfiguration"]
            if (source.get("AuthenticationConfiguration") or {}).get("ConnectionArn") == arn:
                raise InvalidRequestException(f"The connection {arn} is used by {service.arn}.")
        connection.status = "DELETED"
        del self.connections[arn]
        self.tags.remove(arn)
        return connection

    # ------------------------------------------------------------------------------------------------ custom domains

    def associate_custom_domain(self, service_arn: str, name: str, *, www: bool) -> CustomDomain:
        """It stays in PENDING_CERTIFICATE_DNS_VALIDATION: nobody publishes the records here. SETTINGS.states may say
        that it is ACTIVE."""
        service = self.describe_service(service_arn, InvalidRequestException)
        _check_state(service, "associated with a domain", {"RUNNING", "PAUSED"})
        if name in service.domains:
            raise InvalidRequestException(f"The domain {name} is associated with {service_arn} already.")
        names = [name, f"www.{name}"] if www else [name]
        records = [_validation_record(each) for each in names]
        domain = CustomDomain(name=name, service_arn=service_arn, www=www, status="CREATING", records=records)
        service.domains[name] = domain

        def validate() -> None:
            domain.status = "PENDING_CERTIFICATE_DNS_VALIDATION"

        self._later(validate)
        return domain

    def disassociate_custom_domain(self, service_arn: str, name: str) -> CustomDomain:
        service = self.describe_service(service_arn)
        domain = _found(service.domains.get(name), "custom domain", name)
        del service.domains[name]
        domain.status = "DELETING"
        return domain

    def domain_targets(self, service_arn: str) -> Structure:
        """What the DNS records of a service's custom domains point at."""
        service = self.describe_service(service_arn, InvalidRequestException)
        return {
            "DNSTarget": service.domain_name,
            "ServiceArn": service_arn,
            "VpcDNSTargets": [
                {"VpcIngressConnectionArn": each.arn, "VpcId": each.vpc_id, "DomainName": each.domain_name}
                for each in self.list_ingress_connections(service_arn=service_arn)
            ],
        }


def _initial_configuration(request: Structure) -> Structure:
    """The defaults of the API model."""
    return {
        "InstanceConfiguration": {"Cpu": "1024", "Memory": "2048"},
        "HealthCheckConfiguration": {
            "Protocol": "TCP",
            "Path": "/",
            "Interval": 5,
            "Timeout": 2,
            "HealthyThreshold": 1,
            "UnhealthyThreshold": 5,
        },
        "NetworkConfiguration": {
            "EgressConfiguration": {"EgressType": "DEFAULT"},
            "IngressConfiguration": {"IsPubliclyAccessible": True},
            "IpAddressType": "IPV4",
        },
        "ObservabilityConfiguration": {"ObservabilityEnabled": False},
        "EncryptionConfiguration": request.get("EncryptionConfiguration"),
    }


def _source_kind(source: Structure) -> str:
    kinds = [kind for kind in ("CodeRepository", "ImageRepository") if source.get(kind)]
    if len(kinds) != 1:
        raise InvalidRequestException("SourceConfiguration needs either CodeRepository or ImageRepository.")
    return kinds[0]


def _without_nulls(structure: Structure) -> Structure:
    return {name: value for name, value in structure.items() if value is not None}


def _connector_arn(configuration: Structure) -> str | None:
    arn: str | None = configuration["NetworkConfiguration"]["EgressConfiguration"].get("VpcConnectorArn")
    return arn


def _connectors_in_use(service: Service) -> set[str]:
    """The connectors that need interfaces: during an operation those of the former and of the new configuration."""
    operation = service.operation
    in_use = []
    if operation is None:
        in_use = [service.configuration] if service.status not in _WITHOUT_NETWORK else []
    else:
        if operation.former_status not in _WITHOUT_NETWORK:
            in_use.append(operation.former_configuration)
        if operation.type != "DELETE_SERVICE":
            in_use.append(service.configuration)
    return {arn for configuration in in_use if (arn := _connector_arn(configuration))}


def _is_without_effect(service: Service) -> bool:
    return any(fnmatchcase(service.name, each) for each in SETTINGS.updates_without_effect)


def _ingress_target(target: Structure) -> tuple[str, str]:
    """The API model requires neither member, CloudFormation's schema both."""
    vpc_id, endpoint_id = target.get("VpcId"), target.get("VpcEndpointId")
    if not vpc_id or not endpoint_id:
        raise InvalidRequestException("IngressVpcConfiguration needs VpcId and VpcEndpointId.")
    return vpc_id, endpoint_id


def _validation_record(domain: str) -> Structure:
    return {
        "Name": f"_{mock_random.get_random_hex(32)}.{domain}.",
        "Type": "CNAME",
        "Value": f"_{mock_random.get_random_hex(32)}.acm-validations.aws.",
        "Status": "PENDING_VALIDATION",
    }


def given_tags(tags: Iterable[Structure]) -> Tags:
    given: Tags = {}
    for tag in tags:
        if not tag.get("Key"):
            raise InvalidRequestException("A tag needs a Key.")
        if is_reserved(tag["Key"]):
            raise InvalidRequestException(f"The prefix of the tag key {tag['Key']} is reserved for AWS.")
        given[tag["Key"]] = tag.get("Value") or ""
    return _within_limit(given)


def _within_limit(tags: Tags) -> Tags:
    if are_too_many(tags):
        raise InvalidRequestException(f"A resource can have {PER_RESOURCE} tags, not {len(tags)}.")
    return tags


def _found[T](record: T | None, kind: str, arn: str, missing: type[AppRunnerError] = ResourceNotFoundException) -> T:
    if record is None:
        raise missing(f"The {kind} {arn} does not exist.")
    return record


def _check_state(
    record: Service | VpcIngressConnection,
    participle: str,
    allowed: set[str],
    error: type[AppRunnerError] = InvalidStateException,
) -> None:
    if record.status not in allowed:
        kind = "service" if isinstance(record, Service) else "VPC ingress connection"
        raise error(
            f"The {kind} {record.arn} is in {record.status}; it can be {participle} in {' or '.join(sorted(allowed))}."
        )


def _check_quota(what: str, used: int, quota: int) -> None:
    if used >= quota:
        raise ServiceQuotaExceededException(f"The quota of {what} is reached: {used} of {quota}.")


apprunner_backends = BackendDict(AppRunnerBackend, "apprunner")
