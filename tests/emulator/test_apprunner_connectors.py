import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import boto3
import pytest

from emulator.apprunner.models import apprunner_backends
from emulator.clock import EPOCH

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

ACCOUNT, REGION = "123456789012", "us-east-1"


def test_a_connector_is_described_as_it_was_created(cloud: "Cloud") -> None:
    created = cloud.apprunner.create_vpc_connector(
        VpcConnectorName="orders", Subnets=cloud.network.private, SecurityGroups=[cloud.network.group]
    )["VpcConnector"]
    assert re.fullmatch(
        rf"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/orders/1/[0-9a-f]{{32}}", created["VpcConnectorArn"]
    )
    assert created == {
        "VpcConnectorName": "orders",
        "VpcConnectorArn": created["VpcConnectorArn"],
        "VpcConnectorRevision": 1,
        "Subnets": cloud.network.private,
        "SecurityGroups": [cloud.network.group],
        "Status": "ACTIVE",
        "CreatedAt": EPOCH,
    }
    cloud.wait(60)
    described = cloud.apprunner.describe_vpc_connector(VpcConnectorArn=created["VpcConnectorArn"])["VpcConnector"]
    assert described == created
    assert cloud.apprunner.list_vpc_connectors()["VpcConnectors"] == [created]


class TestWithoutSecurityGroups:
    def test_the_default_group_of_the_vpc_is_used_and_listed(self, cloud: "Cloud") -> None:
        default = cloud.ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [cloud.network.vpc]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"][0]["GroupId"]
        created = cloud.apprunner.create_vpc_connector(VpcConnectorName="orders", Subnets=cloud.network.private)[
            "VpcConnector"
        ]
        assert created["SecurityGroups"] == [default]

    def test_a_switch_leaves_the_list_empty_and_the_group_in_use(self, cloud: "Cloud") -> None:
        cloud.backend.lists_default_security_group = False
        created = cloud.apprunner.create_vpc_connector(VpcConnectorName="orders", Subnets=cloud.network.private)[
            "VpcConnector"
        ]
        assert created["SecurityGroups"] == []
        cloud.service(connector=created["VpcConnectorArn"])
        groups = {
            group["GroupName"]
            for interface in cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
            for group in interface["Groups"]
        }
        assert groups == {"default"}


class TestCollisions:
    def test_the_name_of_an_active_connector_is_taken(self, cloud: "Cloud") -> None:
        cloud.connector("orders")
        assert cloud.refusal(lambda: cloud.connector("orders", groups=[cloud.network.other_group])) == (
            "InvalidRequestException",
            "A VPC connector with the provided name already exists: orders",
        )

    def test_a_switch_gives_a_set_of_groups_to_one_active_connector_whatever_its_order(self, cloud: "Cloud") -> None:
        cloud.aws.settings.refuse_same_groups = True
        cloud.connector("orders", groups=[cloud.network.group, cloud.network.other_group])
        code, message = cloud.refusal(
            lambda: cloud.connector("payments", groups=[cloud.network.other_group, cloud.network.group])
        )
        assert (code, message) == (
            "InvalidRequestException",
            "The security groups combination provided in the request already exists on existing vpc connector",
        )
        cloud.connector("payments", groups=[cloud.network.group])

    def test_connectors_share_their_groups_unless_the_switch_is_on(self, cloud: "Cloud") -> None:
        assert cloud.connector("orders") != cloud.connector("payments")

    def test_a_deleted_connector_gives_name_and_groups_back(self, cloud: "Cloud") -> None:
        cloud.aws.settings.refuse_same_groups = True
        first = cloud.connector("orders")
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=first)
        second = cloud.connector("orders")
        assert second != first
        assert second.startswith(f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/orders/1/")


class TestNetworksThatAreRefused:
    @pytest.fixture
    def subnet(self, cloud: "Cloud") -> Callable[..., str]:
        def make(vpc: str = cloud.network.vpc, block: str = "10.0.50.0/24", **others: str) -> str:
            made = cloud.ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZoneId="use1-az5", **others)  # type: ignore[arg-type]  # some tests pass an IPv6 block
            return made["Subnet"]["SubnetId"]

        return make

    def test_no_subnet(self, cloud: "Cloud") -> None:
        assert cloud.refusal(lambda: cloud.apprunner.create_vpc_connector(VpcConnectorName="orders", Subnets=[])) == (
            "InvalidRequestException",
            "At least one subnet is required.",
        )

    def test_a_subnet_twice(self, cloud: "Cloud") -> None:
        twice = [cloud.network.private[0], cloud.network.private[0]]
        assert cloud.refusal(lambda: cloud.connector(subnets=twice)) == (
            "InvalidRequestException",
            f"Subnets lists the same id more than once: {cloud.network.private[0]}",
        )

    def test_subnets_that_do_not_exist(self, cloud: "Cloud") -> None:
        wanted = ["subnet-00000000000000002", cloud.network.private[0], "subnet-00000000000000001"]
        assert cloud.refusal(lambda: cloud.connector(subnets=wanted)) == (
            "InvalidRequestException",
            "These subnets do not exist: subnet-00000000000000001, subnet-00000000000000002",
        )

    def test_subnets_of_two_vpcs(self, cloud: "Cloud", subnet: Callable[..., str]) -> None:
        other = cloud.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        wanted = [cloud.network.private[0], subnet(other, "10.1.0.0/24")]
        assert cloud.refusal(lambda: cloud.connector(subnets=wanted)) == (
            "InvalidRequestException",
            f"The subnets must belong to one VPC, these belong to {', '.join(sorted([cloud.network.vpc, other]))}.",
        )

    def test_ipv4_and_dual_stack_mixed(self, cloud: "Cloud", subnet: Callable[..., str]) -> None:
        cloud.ec2.associate_vpc_cidr_block(VpcId=cloud.network.vpc, AmazonProvidedIpv6CidrBlock=True)
        block = cloud.ec2.describe_vpcs(VpcIds=[cloud.network.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0][
            "Ipv6CidrBlock"
        ]
        dual = subnet(Ipv6CidrBlock=block.replace("/56", "/64"))
        ipv4 = cloud.network.private[:2]
        assert cloud.refusal(lambda: cloud.connector(subnets=[*ipv4, dual])) == (
            "InvalidRequestException",
            f"The subnets must all have the same IP address type; IPv4: {', '.join(sorted(ipv4))}; dual-stack: {dual}",
        )
        cloud.connector(subnets=[dual])

    def test_an_ipv6_only_subnet(self, cloud: "Cloud") -> None:
        cloud.ec2.associate_vpc_cidr_block(VpcId=cloud.network.vpc, AmazonProvidedIpv6CidrBlock=True)
        block = cloud.ec2.describe_vpcs(VpcIds=[cloud.network.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0][
            "Ipv6CidrBlock"
        ]
        made = cloud.ec2.create_subnet(
            VpcId=cloud.network.vpc, Ipv6CidrBlock=block.replace("/56", "/64"), Ipv6Native=True
        )
        native = made["Subnet"]["SubnetId"]
        assert cloud.refusal(lambda: cloud.connector(subnets=[native])) == (
            "InvalidRequestException",
            f"IPv6-only subnets are not supported: {native}",
        )

    def test_a_group_of_another_vpc_and_one_that_is_not_there(self, cloud: "Cloud") -> None:
        other = cloud.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        elsewhere = cloud.ec2.create_security_group(GroupName="elsewhere", Description="-", VpcId=other)["GroupId"]
        for group in (elsewhere, "sg-00000000000000000"):
            assert cloud.refusal(partial(cloud.connector, groups=[cloud.network.group, group])) == (
                "InvalidRequestException",
                f"The security group {group} does not exist in {cloud.network.vpc}.",
            )

    def test_a_public_subnet_is_not_refused_before_a_service_uses_it(self, cloud: "Cloud") -> None:
        assert cloud.connector(subnets=[cloud.network.public])


def test_the_quota_counts_active_connectors_and_can_be_raised(cloud: "Cloud") -> None:
    arns = [cloud.connector(f"connector-{number}") for number in range(10)]
    assert cloud.refusal(lambda: cloud.connector("one-too-many")) == (
        "ServiceQuotaExceededException",
        "The quota of VPC connectors is reached: 10 of 10.",
    )
    cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arns[0])
    cloud.connector("one-too-many")
    cloud.aws.settings.quotas["connectors"] = 11
    cloud.connector("and-another")


class TestDeletion:
    def test_a_deleted_connector_is_inactive_described_and_not_listed(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        cloud.wait(60)
        deleted = cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]
        assert (deleted["Status"], deleted["DeletedAt"]) == ("INACTIVE", EPOCH + timedelta(seconds=60))
        assert cloud.apprunner.describe_vpc_connector(VpcConnectorArn=arn)["VpcConnector"] == deleted
        assert cloud.apprunner.list_vpc_connectors()["VpcConnectors"] == []
        again = cloud.refusal(lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn))
        assert again == ("ResourceNotFoundException", f"The VPC connector {arn} is deleted.")

    def test_a_connector_in_use_cannot_be_deleted(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        service_arn = cloud.service(connector=arn)
        in_use = (
            "InvalidRequestException",
            f"Provided VPC connector arn is being used by other services. ARN: {arn}",
        )
        assert cloud.refusal(lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)) == in_use
        cloud.apprunner.delete_service(ServiceArn=service_arn)
        assert cloud.refusal(lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)) == in_use
        cloud.wait()
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)

    def test_the_former_connector_of_an_update_is_in_use_until_it_ends(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        service_arn = cloud.service(connector=arn)
        cloud.apprunner.update_service(
            ServiceArn=service_arn, NetworkConfiguration={"EgressConfiguration": {"EgressType": "DEFAULT"}}
        )
        code, _ = cloud.refusal(lambda: cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn))
        assert code == "InvalidRequestException"
        cloud.wait()
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)

    def test_a_deleted_connector_cannot_be_used(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)
        assert cloud.refusal(lambda: cloud.service(connector=arn)) == (
            "InvalidRequestException",
            f"The VPC connector {arn} does not exist or is not ACTIVE.",
        )

    def test_one_that_is_said_to_be_inactive_is_so_though_a_service_uses_it(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        service = cloud.service(connector=arn)
        cloud.aws.settings.states[arn] = "INACTIVE"
        assert cloud.apprunner.list_vpc_connectors()["VpcConnectors"] == []
        described = cloud.apprunner.describe_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]
        assert described["Status"] == "INACTIVE"
        network = cloud.apprunner.describe_service(ServiceArn=service)["Service"]["NetworkConfiguration"]
        assert network["EgressConfiguration"] == {"EgressType": "VPC", "VpcConnectorArn": arn}

    def test_one_that_is_said_to_be_purged_is_not_found(self, cloud: "Cloud") -> None:
        arn = cloud.connector()
        cloud.aws.settings.states[arn] = "PURGED"
        code, _ = cloud.refusal(lambda: cloud.apprunner.describe_vpc_connector(VpcConnectorArn=arn))
        assert (code, cloud.apprunner.list_vpc_connectors()["VpcConnectors"]) == ("ResourceNotFoundException", [])


def test_accounts_and_regions_are_apart(cloud: "Cloud") -> None:
    arn = cloud.connector()
    elsewhere = boto3.client("apprunner", region_name="eu-west-1")
    assert elsewhere.list_vpc_connectors()["VpcConnectors"] == []
    assert apprunner_backends["999999999999"][REGION].list_vpc_connectors() == []
    assert [each["VpcConnectorArn"] for each in cloud.apprunner.list_vpc_connectors()["VpcConnectors"]] == [arn]


class TestManagedNetworkInterfaces:
    @pytest.fixture
    def interfaces(self, cloud: "Cloud") -> Callable[[], dict[str, str]]:
        """What there is now, found as a user would: the id by the subnet."""

        def found() -> dict[str, str]:
            answer = cloud.ec2.describe_network_interfaces(
                Filters=[{"Name": "tag-key", "Values": ["AWSAppRunnerManaged"]}]
            )
            return {each["SubnetId"]: each["NetworkInterfaceId"] for each in answer["NetworkInterfaces"]}

        return found

    def test_they_are_made_when_a_service_uses_the_connector_not_when_it_is_made(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        arn = cloud.connector()
        assert interfaces() == {}
        cloud.service(connector=arn, wait=False)
        assert sorted(interfaces()) == sorted(cloud.network.private)

    def test_each_is_in_use_and_takes_an_address_of_its_subnet(self, cloud: "Cloud") -> None:
        subnet = cloud.network.private[0]
        free = cloud.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"]
        cloud.service(connector=cloud.connector(subnets=[subnet]))
        (interface,) = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
        assert str(interface["InterfaceType"]) == "fargate"  # as documented; the API model does not have it
        assert re.fullmatch(r"AWSAppRunner ENI - [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", interface["Description"])
        assert interface["PrivateIpAddress"].startswith("10.0.0.")
        assert [tag["Key"] for tag in interface["TagSet"]] == ["AWSAppRunnerManaged"]
        assert [group["GroupId"] for group in interface["Groups"]] == [cloud.network.group]
        assert interface["Status"] == "in-use"
        assert cloud.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == free - 1

    def test_services_and_connectors_with_the_same_subnet_and_groups_share_them(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        first = cloud.connector("orders", subnets=cloud.network.private[:2])
        cloud.service("orders", first)
        before = interfaces()
        cloud.service("billing", first)
        assert interfaces() == before
        cloud.service("payments", cloud.connector("payments", subnets=cloud.network.private[1:]))
        after = interfaces()
        assert sorted(after) == sorted(cloud.network.private)
        assert {subnet: after[subnet] for subnet in before} == before

    def test_other_groups_need_interfaces_of_their_own(self, cloud: "Cloud") -> None:
        cloud.service("orders", cloud.connector("orders", subnets=cloud.network.private[:1]))
        other = cloud.connector("payments", subnets=cloud.network.private[:1], groups=[cloud.network.other_group])
        cloud.service("payments", other)
        found = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
        assert sorted((each["SubnetId"], each["Groups"][0]["GroupId"]) for each in found) == sorted(
            (cloud.network.private[0], group) for group in (cloud.network.group, cloud.network.other_group)
        )

    def test_they_go_when_the_operation_of_the_last_service_that_used_them_ends(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        arn = cloud.connector()
        first, second = cloud.service("orders", arn), cloud.service("billing", arn)
        before = interfaces()
        cloud.apprunner.delete_service(ServiceArn=first)
        cloud.wait()
        assert interfaces() == before
        cloud.apprunner.update_service(
            ServiceArn=second, NetworkConfiguration={"EgressConfiguration": {"EgressType": "DEFAULT"}}
        )
        cloud.wait(119)
        assert interfaces() == before
        cloud.wait(1)
        assert interfaces() == {}

    def test_a_paused_service_keeps_them(self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]) -> None:
        arn = cloud.service(connector=cloud.connector())
        before = interfaces()
        cloud.apprunner.pause_service(ServiceArn=arn)
        cloud.wait()
        assert interfaces() == before

    def test_a_service_that_failed_to_be_created_leaves_none_behind(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        cloud.service(connector=cloud.connector(subnets=[cloud.network.public]), wait=False)
        assert list(interfaces()) == [cloud.network.public]
        cloud.wait()
        assert interfaces() == {}

    def test_they_may_stay_for_a_while_when_their_connector_is_gone(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        cloud.aws.settings.interface_linger = 3600
        arn = cloud.connector()
        service = cloud.service(connector=arn)
        before = interfaces()
        cloud.apprunner.delete_service(ServiceArn=service)
        cloud.wait()
        cloud.apprunner.delete_vpc_connector(VpcConnectorArn=arn)
        cloud.wait(3599)
        assert interfaces() == before
        cloud.wait(1)
        assert interfaces() == {}

    def test_one_that_is_needed_again_in_that_while_stays_for_good(
        self, cloud: "Cloud", interfaces: Callable[[], dict[str, str]]
    ) -> None:
        cloud.aws.settings.interface_linger = 600
        arn = cloud.connector()
        cloud.apprunner.delete_service(ServiceArn=cloud.service("orders", arn))
        cloud.wait()
        before = interfaces()
        cloud.wait(300)
        cloud.service("billing", arn)
        cloud.wait(3600)
        assert interfaces() == before

    def test_an_address_that_was_put_on_one_is_free_when_it_goes(self, cloud: "Cloud") -> None:
        service = cloud.service(connector=cloud.connector(subnets=cloud.network.private[:1]))
        (interface,) = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
        address = cloud.ec2.allocate_address(Domain="vpc")
        cloud.ec2.associate_address(
            AllocationId=address["AllocationId"], NetworkInterfaceId=interface["NetworkInterfaceId"]
        )
        (interface,) = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
        assert interface["Association"]["PublicIp"] == address["PublicIp"]
        cloud.apprunner.delete_service(ServiceArn=service)
        cloud.wait()
        (free,) = cloud.ec2.describe_addresses()["Addresses"]
        assert "AssociationId" not in free
