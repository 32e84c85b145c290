"""Worlds of services, of what they depend on, and of a Region's connectors as a whole."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.settings import SETTINGS
from emulator.worlds.parts import (
    OPERATION_SECONDS,
    POSTGRESQL,
    ZONES,
    Client,
    World,
    connector,
    connector_arn,
    egress_through,
    group,
    group_named,
    postgresql,
    service,
    service_arn,
    subnets_beside,
    tag_roles,
    vpc,
)
from emulator.worlds.path_parts import endpoint, endpoint_named, ingress

if TYPE_CHECKING:
    from mypy_boto3_apprunner import AppRunnerClient
    from mypy_boto3_apprunner.type_defs import TagTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, NetworkInterfaceTypeDef

FLEET = "fleet"
POLICIES = "policies"
BROKEN = "service-broken"
DATABASE = "database-blocked"
LEDGER = "database-blocked-ledger"

REACHES = "apprunner-guardrails:reaches"
A_MONTH = 30 * 24 * 3600

# A fleet of connectors ------------------------------------------------------------------------------------------------

IN_USE = ("orders", "reports", "search", "mail", "billing", "stock")


def _build_fleet(client: Client) -> None:
    """Six connectors in use and one that never was; of one that is deleted the interfaces are still there."""
    apprunner: AppRunnerClient = client("apprunner")
    made = vpc(client, name=FLEET)
    SETTINGS.interface_linger = A_MONTH
    for name in (*IN_USE, "spare", "old"):
        own = group(client("ec2"), made.id, f"{FLEET}-{name}")
        arn = connector(client, f"{FLEET}-{name}", list(made.private.values()), [made.group, own])
        if name != "spare":
            service(client, f"{FLEET}-{name}", arn)
    CLOCK.advance(OPERATION_SECONDS)
    apprunner.delete_service(ServiceArn=service_arn(client, f"{FLEET}-old"))
    CLOCK.advance(OPERATION_SECONDS)
    apprunner.delete_vpc_connector(VpcConnectorArn=connector_arn(client, f"{FLEET}-old"))
    address = client("ec2").allocate_address(Domain="vpc")["AllocationId"]
    client("ec2").create_tags(Resources=[address], Tags=[{"Key": "Name", "Value": FLEET}])


def _happen_fleet(client: Client) -> None:
    """A stack makes a connector of its own where it could share one; somebody wants a service to have an address that
    does not change."""
    ec2: EC2Client = client("ec2")
    apprunner: AppRunnerClient = client("apprunner")
    arn = connector_arn(client, f"{FLEET}-orders")
    shared = apprunner.describe_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]
    interfaces = _interfaces(client, f"{FLEET}-mail")
    address = ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": [FLEET]}])["Addresses"][0]
    with calling_as("cloudformation"):
        connector(client, f"{FLEET}-orders-next", shared["Subnets"], shared["SecurityGroups"])
    with calling_as("console"):
        ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=min(interfaces))


def _later_fleet(client: Client) -> None:
    """The stack shares, and the address goes. Of the latter the audit tells: no rule takes up that call."""
    ec2: EC2Client = client("ec2")
    with calling_as("cloudformation"):
        client("apprunner").delete_vpc_connector(VpcConnectorArn=connector_arn(client, f"{FLEET}-orders-next"))
    with calling_as("console"):
        attached = _interfaces(client, f"{FLEET}-mail").values()
        [association] = [one["Association"]["AssociationId"] for one in attached if "Association" in one]
        ec2.disassociate_address(AssociationId=association)


def _interfaces(client: Client, group_name: str) -> "dict[str, NetworkInterfaceTypeDef]":
    """Those of App Runner's that carry a group, by id."""
    ec2: EC2Client = client("ec2")
    filters: list[FilterTypeDef] = [
        {"Name": "tag-key", "Values": ["AWSAppRunnerManaged"]},
        {"Name": "group-id", "Values": [group_named(client, group_name)]},
    ]
    found = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return {one["NetworkInterfaceId"]: one for one in found}


# Policies -------------------------------------------------------------------------------------------------------------


def _build_policies(client: Client) -> None:
    tag_roles(client, vpc(client, name=POLICIES))
    client("apprunner").create_observability_configuration(
        ObservabilityConfigurationName=POLICIES, TraceConfiguration={"Vendor": "AWSXRAY"}
    )


def _happen_policies(client: Client) -> None:
    """Connector and service as the console makes them when nothing else is asked for."""
    own = f"{POLICIES}-connector"
    with calling_as("console"):
        connector(client, POLICIES, subnets_beside(client, own, "private"), [group_named(client, own)])
        service(client, f"{POLICIES}-orders")


def _later_policies(client: Client) -> None:
    """What the policies ask for, but that the service is private."""
    apprunner: AppRunnerClient = client("apprunner")
    used, changed = connector_arn(client, POLICIES), service_arn(client, f"{POLICIES}-orders")
    team: list[TagTypeDef] = [{"Key": "team", "Value": "orders"}]
    configurations = apprunner.list_observability_configurations(ObservabilityConfigurationName=POLICIES)
    tracing = configurations["ObservabilityConfigurationSummaryList"][0]["ObservabilityConfigurationArn"]
    with calling_as("sso"):
        for one in (used, changed):
            apprunner.tag_resource(ResourceArn=one, Tags=team)
        apprunner.update_service(
            ServiceArn=changed,
            HealthCheckConfiguration={"UnhealthyThreshold": 3},
            ObservabilityConfiguration={"ObservabilityEnabled": True, "ObservabilityConfigurationArn": tracing},
            NetworkConfiguration={**egress_through(used), "IpAddressType": "DUAL_STACK"},
        )
    CLOCK.advance(OPERATION_SECONDS)


# Services that are not what they should be ----------------------------------------------------------------------------


def _build_service_broken(client: Client) -> None:
    """Three services that work, as far as anybody has seen. The connector of the paused one is gone; updates of the
    first have no effect."""
    made = vpc(client, name=BROKEN)
    subnets = list(made.private.values())
    endpoint(client, made.id, subnets, name=BROKEN)
    connector(client, BROKEN, subnets, [made.group])
    old = connector(client, f"{BROKEN}-old", subnets, [group(client("ec2"), made.id, f"{BROKEN}-old")])
    service(client, f"{BROKEN}-orders")
    service(client, f"{BROKEN}-reports")
    paused = service(client, f"{BROKEN}-mail", old)
    CLOCK.advance(OPERATION_SECONDS)
    client("apprunner").pause_service(ServiceArn=paused)
    CLOCK.advance(OPERATION_SECONDS)
    SETTINGS.states[old] = "INACTIVE"
    SETTINGS.updates_without_effect = (*SETTINGS.updates_without_effect, f"{BROKEN}-orders")


def _happen_service_broken(client: Client) -> None:
    """One is to send through the VPC and does not, one is private and cannot be reached, one has lost its connector."""
    apprunner: AppRunnerClient = client("apprunner")
    with calling_as("console"):
        _send_through(client, f"{BROKEN}-orders")
        apprunner.update_service(
            ServiceArn=service_arn(client, f"{BROKEN}-reports"),
            NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": False}},
        )
        apprunner.resume_service(ServiceArn=service_arn(client, f"{BROKEN}-mail"))
    CLOCK.advance(OPERATION_SECONDS)


def _later_service_broken(client: Client) -> None:
    """The update is made again by the API, and has its effect; the other two get what they lack."""
    without = SETTINGS.updates_without_effect
    SETTINGS.updates_without_effect = tuple(name for name in without if name != f"{BROKEN}-orders")
    there = endpoint_named(client, BROKEN)
    reports = service_arn(client, f"{BROKEN}-reports")
    with calling_as("cli"):
        _send_through(client, f"{BROKEN}-orders")
        _send_through(client, f"{BROKEN}-mail")
        ingress(client, BROKEN, reports, there["VpcId"], there["VpcEndpointId"])
    CLOCK.advance(OPERATION_SECONDS)


def _send_through(client: Client, name: str) -> None:
    apprunner: AppRunnerClient = client("apprunner")
    network = egress_through(connector_arn(client, BROKEN))
    apprunner.update_service(ServiceArn=service_arn(client, name), NetworkConfiguration=network)


# What a service depends on --------------------------------------------------------------------------------------------


def _build_database_blocked(client: Client) -> None:
    """A database that lets in nobody; the connector's group lets out HTTPS alone."""
    ec2: EC2Client = client("ec2")
    made = vpc(client, name=DATABASE)
    own = group(ec2, made.id, f"{DATABASE}-orders", ports=(443,))
    database = group(ec2, made.id, LEDGER, ports=())
    ec2.create_network_interface(SubnetId=made.private[ZONES[0]], Groups=[database])
    arn = connector(client, DATABASE, list(made.private.values()), [own])
    service(client, f"{DATABASE}-orders", arn)
    CLOCK.advance(OPERATION_SECONDS)


def _happen_database_blocked(client: Client) -> None:
    """What the service needs is declared, and half of the way there is opened."""
    database = group_named(client, LEDGER)
    tag: TagTypeDef = {"Key": REACHES, "Value": f"{database}:{POSTGRESQL}"}
    with calling_as("terraform"):
        client("apprunner").tag_resource(ResourceArn=service_arn(client, f"{DATABASE}-orders"), Tags=[tag])
        client("ec2").authorize_security_group_egress(
            GroupId=group_named(client, f"{DATABASE}-orders"), IpPermissions=[postgresql(database)]
        )


def _later_database_blocked(client: Client) -> None:
    """The other half: a call that names nothing of the connector's, so that the audit finds the way open."""
    with calling_as("terraform"):
        client("ec2").authorize_security_group_ingress(
            GroupId=group_named(client, LEDGER),
            IpPermissions=[postgresql(group_named(client, f"{DATABASE}-orders"))],
        )


SERVICES: Sequence[World] = (
    World(
        name=FLEET,
        summary="connectors near their quota: one unused, one twice, one deleted whose interfaces are left; an address"
        " on an interface",
        seed=115,
        build=_build_fleet,
        happen=_happen_fleet,
        later=_later_fleet,
    ),
    World(
        name=POLICIES,
        summary="a connector and a service as the console makes them, where policies ask for more",
        seed=116,
        build=_build_policies,
        happen=_happen_policies,
        later=_later_policies,
        parameters={
            "RequireVpcEgress": "true",
            "RequirePrivateIngress": "true",
            "RequireObservability": "true",
            "MaxUnhealthyThreshold": "3",
            "RequiredAddressType": "DUAL_STACK",
            "RequiredTags": "team",
        },
    ),
    World(
        name=BROKEN,
        summary="an update without effect, a private service without a way in, a service whose connector is gone",
        seed=117,
        build=_build_service_broken,
        happen=_happen_service_broken,
        later=_later_service_broken,
    ),
    World(
        name=DATABASE,
        summary="a service says which database it depends on; the database lets it in only later",
        seed=118,
        build=_build_database_blocked,
        happen=_happen_database_blocked,
        later=_later_database_blocked,
    ),
)
