"""The records of the EC2 calls that can break a connector: some have the older names, the others the wrapper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from mypy_boto3_ec2 import EC2Client

from emulator import Emulator

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass(kw_only=True)
class Calls:
    """Makes calls one by one, and keeps what was recorded of each: request and answer, the latter without the ids and
    the namespace that every answer has."""

    aws: Emulator
    ec2: EC2Client
    seen: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def __call__(self, method: str, **request: Any) -> Any:
        self.aws.events.clear()
        answer = getattr(self.ec2, method)(**request)
        [event] = self.aws.events
        detail: Any = event["detail"]
        response = dict(detail["responseElements"])
        for wrapped in [value for value in response.values() if isinstance(value, dict) and "xmlns" in value]:
            assert wrapped.pop("xmlns") == NAMESPACE
            assert wrapped.pop("requestId") == detail["requestID"]
        response.pop("requestId", None)
        assert (detail["eventSource"], detail["readOnly"], "errorCode" in detail) == ("ec2.amazonaws.com", False, False)
        self.seen[detail["eventName"]] = detail["requestParameters"], response
        return answer


@pytest.fixture
def calls(aws: Emulator, ec2: EC2Client) -> Calls:
    return Calls(aws=aws, ec2=ec2)


@pytest.fixture
def vpc(ec2: EC2Client) -> str:
    return ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]


@pytest.fixture
def subnet(ec2: EC2Client, vpc: str) -> str:
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


@pytest.fixture
def table(ec2: EC2Client, vpc: str) -> Callable[[], str]:
    return lambda: ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]


RETURN = {"_return": True}
EVERYWHERE = "0.0.0.0/0"


def test_routes(calls: Calls, vpc: str, table: Callable[[], str]) -> None:
    gateway = calls.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    way_out = calls.ec2.create_egress_only_internet_gateway(VpcId=vpc)
    egress_only = way_out["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    routes, ids = table(), {"internetGatewayId": gateway, "vpcId": vpc}
    to_gateway = {"RouteTableId": routes, "DestinationCidrBlock": EVERYWHERE, "GatewayId": gateway}
    calls("attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
    calls("create_route", **to_gateway)
    calls("replace_route", **to_gateway)
    calls("delete_route", RouteTableId=routes, DestinationCidrBlock=EVERYWHERE)
    calls("detach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
    calls("delete_internet_gateway", InternetGatewayId=gateway)
    calls("delete_egress_only_internet_gateway", EgressOnlyInternetGatewayId=egress_only)
    route = {"routeTableId": routes, "destinationCidrBlock": EVERYWHERE}
    assert calls.seen == {
        "AttachInternetGateway": (ids, RETURN),
        "CreateRoute": ({**route, "gatewayId": gateway}, RETURN),
        "ReplaceRoute": ({**route, "gatewayId": gateway}, RETURN),
        "DeleteRoute": (route, RETURN),
        "DetachInternetGateway": (ids, RETURN),
        "DeleteInternetGateway": ({"internetGatewayId": gateway}, RETURN),
        "DeleteEgressOnlyInternetGateway": (
            {"DeleteEgressOnlyInternetGatewayRequest": {"EgressOnlyInternetGatewayId": egress_only}},
            {"DeleteEgressOnlyInternetGatewayResponse": {"returnCode": True}},
        ),
    }


def test_associations_of_route_tables(calls: Calls, subnet: str, table: Callable[[], str]) -> None:
    first, second = table(), table()
    made = calls("associate_route_table", RouteTableId=first, SubnetId=subnet)["AssociationId"]
    new = calls("replace_route_table_association", AssociationId=made, RouteTableId=second)["NewAssociationId"]
    calls("disassociate_route_table", AssociationId=new)
    state = {"associationState": {"state": "associated"}}
    assert len({made, new}) == 2
    assert calls.seen == {
        "AssociateRouteTable": ({"routeTableId": first, "subnetId": subnet}, {"associationId": made, **state}),
        "ReplaceRouteTableAssociation": (
            {"associationId": made, "routeTableId": second},
            {"newAssociationId": new, **state},
        ),
        "DisassociateRouteTable": ({"associationId": new}, RETURN),
    }


def test_the_propagation_of_a_virtual_private_gateway(calls: Calls, vpc: str, table: Callable[[], str]) -> None:
    gateway = calls.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    calls.ec2.attach_vpn_gateway(VpnGatewayId=gateway, VpcId=vpc)
    routes = table()

    def shown() -> object:
        return calls.ec2.describe_route_tables(RouteTableIds=[routes])["RouteTables"][0]["PropagatingVgws"]

    for _ in range(2):
        calls("enable_vgw_route_propagation", GatewayId=gateway, RouteTableId=routes)
        assert shown() == [{"GatewayId": gateway}]
    calls("disable_vgw_route_propagation", GatewayId=gateway, RouteTableId=routes)
    assert shown() == []
    asked = {"gatewayId": gateway, "routeTableId": routes}
    assert calls.seen == {"EnableVgwRoutePropagation": (asked, RETURN), "DisableVgwRoutePropagation": (asked, RETURN)}


def test_what_routes_lead_to_or_are_about(calls: Calls, vpc: str, subnet: str) -> None:
    gateway = calls.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    hub = calls.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    listed = calls.ec2.create_managed_prefix_list(PrefixListName="out", MaxEntries=2, AddressFamily="IPv4")
    prefixes = listed["PrefixList"]["PrefixListId"]
    ids = {"vpnGatewayId": gateway, "vpcId": vpc}
    calls("attach_vpn_gateway", VpnGatewayId=gateway, VpcId=vpc)
    calls("detach_vpn_gateway", VpnGatewayId=gateway, VpcId=vpc)
    joined = calls("create_transit_gateway_vpc_attachment", TransitGatewayId=hub, VpcId=vpc, SubnetIds=[subnet])
    attachment = joined["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    calls("delete_transit_gateway_vpc_attachment", TransitGatewayAttachmentId=attachment)
    calls("modify_managed_prefix_list", PrefixListId=prefixes, CurrentVersion=1, AddEntries=[{"Cidr": "0.0.0.0/1"}])
    told = calls.seen["DeleteTransitGatewayVpcAttachment"][1]["DeleteTransitGatewayVpcAttachmentResponse"]
    assert told["transitGatewayVpcAttachment"]["vpcId"] == vpc
    assert {name: request for name, (request, _) in calls.seen.items()} == {
        "AttachVpnGateway": ids,
        "DetachVpnGateway": ids,
        "CreateTransitGatewayVpcAttachment": {
            "CreateTransitGatewayVpcAttachmentRequest": {
                "TransitGatewayId": hub,
                "VpcId": vpc,
                "SubnetIds": {"tag": 1, "content": subnet},
            }
        },
        "DeleteTransitGatewayVpcAttachment": {
            "DeleteTransitGatewayVpcAttachmentRequest": {"TransitGatewayAttachmentId": attachment}
        },
        "ModifyManagedPrefixList": {
            "ModifyManagedPrefixListRequest": {
                "PrefixListId": prefixes,
                "CurrentVersion": 1,
                "AddEntry": {"tag": 1, "Cidr": "0.0.0.0/1"},
            }
        },
    }


def test_nat_gateways(calls: Calls, subnet: str) -> None:
    address = calls.ec2.allocate_address(Domain="vpc")["AllocationId"]
    asked = {"SubnetId": subnet, "AllocationId": address, "ClientToken": "once"}
    made = calls("create_nat_gateway", **asked)["NatGateway"]["NatGatewayId"]
    calls("delete_nat_gateway", NatGatewayId=made)
    request, response = calls.seen.pop("CreateNatGateway")
    assert request == {"CreateNatGatewayRequest": asked}
    shown = response["CreateNatGatewayResponse"]["natGateway"]
    assert (shown["natGatewayId"], shown["subnetId"], shown["state"]) == (made, subnet, "pending")
    assert calls.seen == {
        "DeleteNatGateway": (
            {"DeleteNatGatewayRequest": {"NatGatewayId": made}},
            {"DeleteNatGatewayResponse": {"natGatewayId": made}},
        )
    }


def test_subnets(calls: Calls, vpc: str, subnet: str) -> None:
    of_vpc = calls.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    block = of_vpc.replace("/56", "/64")
    made = calls("associate_subnet_cidr_block", SubnetId=subnet, Ipv6CidrBlock=block)
    association = made["Ipv6CidrBlockAssociation"]["AssociationId"]
    calls("disassociate_subnet_cidr_block", AssociationId=association)
    calls("delete_subnet", SubnetId=subnet)

    def shown(state: str) -> Mapping[str, object]:
        named = {"associationId": association, "ipv6CidrBlock": block, "ipv6CidrBlockState": {"state": state}}
        return {"subnetId": subnet, "ipv6CidrBlockAssociation": named}

    assert calls.seen == {
        "AssociateSubnetCidrBlock": (
            {"AssociateSubnetCidrBlockRequest": {"SubnetId": subnet, "Ipv6CidrBlock": block}},
            {"AssociateSubnetCidrBlockResponse": shown("associated")},
        ),
        "DisassociateSubnetCidrBlock": (
            {"DisassociateSubnetCidrBlockRequest": {"AssociationId": association}},
            {"DisassociateSubnetCidrBlockResponse": shown("disassociated")},
        ),
        "DeleteSubnet": ({"subnetId": subnet}, RETURN),
    }


def test_network_acls(calls: Calls, vpc: str, subnet: str) -> None:
    acl = calls.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    of_subnet = calls.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    [association] = [
        each["NetworkAclAssociationId"]
        for one in of_subnet["NetworkAcls"]
        for each in one["Associations"]
        if each["SubnetId"] == subnet
    ]
    ports = {"From": 443, "To": 443}
    entry = {"NetworkAclId": acl, "RuleNumber": 90, "Egress": True}
    content = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": EVERYWHERE, "PortRange": ports}
    calls("create_network_acl_entry", **entry, **content)
    calls("replace_network_acl_entry", **entry, **content)
    calls("delete_network_acl_entry", **entry)
    new = calls("replace_network_acl_association", AssociationId=association, NetworkAclId=acl)["NewAssociationId"]
    named = {"networkAclId": acl, "ruleNumber": 90, "egress": True}
    whole = {
        **named,
        "aclProtocol": "6",
        "ruleAction": "deny",
        "cidrBlock": EVERYWHERE,
        "portRange": {"from": 443, "to": 443},
        "icmpTypeCode": {},
    }
    assert new != association
    assert calls.seen == {
        "CreateNetworkAclEntry": (whole, RETURN),
        "ReplaceNetworkAclEntry": (whole, RETURN),
        "DeleteNetworkAclEntry": (named, RETURN),
        "ReplaceNetworkAclAssociation": (
            {"associationId": association, "networkAclId": acl},
            {"newAssociationId": new},
        ),
    }


def test_security_groups_and_the_attributes_of_a_vpc(calls: Calls, vpc: str) -> None:
    group = calls.ec2.create_security_group(GroupName="orders", Description="orders", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    asked = {"GroupId": group, "IpPermissions": [permission]}
    out = calls("authorize_security_group_egress", **asked)["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    into = calls("authorize_security_group_ingress", **asked)["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIpv4": "10.0.0.0/8"}
    changed = [{"SecurityGroupRuleId": out, "SecurityGroupRule": rule}]
    calls("modify_security_group_rules", GroupId=group, SecurityGroupRules=changed)
    calls("revoke_security_group_egress", GroupId=group, SecurityGroupRuleIds=[out])
    calls("revoke_security_group_ingress", **asked)
    calls("delete_security_group", GroupId=group)
    calls("modify_vpc_attribute", VpcId=vpc, EnableDnsSupport={"Value": False})
    items = [
        {
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "groups": {},
            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]},
            "ipv6Ranges": {},
            "prefixListIds": {},
        }
    ]
    by_content = {"groupId": group, "ipPermissions": {"items": items}}

    def authorized(rule_id: str, *, egress: bool) -> Mapping[str, object]:
        shown = {
            "securityGroupRuleId": rule_id,
            "groupId": group,
            "isEgress": egress,
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "10.0.0.0/8",
            "tagSet": {},
        }
        return {**RETURN, "securityGroupRuleSet": {"items": [shown]}}

    assert calls.seen == {
        "AuthorizeSecurityGroupEgress": (by_content, authorized(out, egress=True)),
        "AuthorizeSecurityGroupIngress": (by_content, authorized(into, egress=False)),
        "ModifySecurityGroupRules": (
            {
                "ModifySecurityGroupRulesRequest": {
                    "GroupId": group,
                    "SecurityGroupRule": {"tag": 1, "SecurityGroupRuleId": out, "SecurityGroupRule": rule},
                }
            },
            {"ModifySecurityGroupRulesResponse": {"return": True}},
        ),
        "RevokeSecurityGroupEgress": (
            {
                "groupId": group,
                "ipPermissions": {},
                "securityGroupRuleIds": {"items": [{"securityGroupRuleId": out}]},
            },
            RETURN,
        ),
        "RevokeSecurityGroupIngress": (by_content, RETURN),
        "DeleteSecurityGroup": ({"groupId": group}, RETURN),
        "ModifyVpcAttribute": ({"vpcId": vpc, "enableDnsSupport": {"value": False}}, RETURN),
    }
