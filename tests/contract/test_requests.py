"""What exactly is asked of AWS, for every kind of event; botocore checks each request against the API model."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256

import pytest

from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.ledger import LEASE_SECONDS
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.targets.triggers import Asked as AskedToSync
from tests.aws import (
    NOW,
    PUBLISHING,
    WRITES,
    Outcome,
    SyncOutcome,
    answered,
    audited,
    refused,
    synced,
    validated,
)
from tests.bound_groups import (
    BALANCER,
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    QUEUE,
    REQUESTS,
    SCHEDULE,
    endpoint,
    health,
    in_step,
    many,
    readdressed,
    target_group,
    targets,
)
from tests.bound_groups import asked as asking_for
from tests.creations import MADE, TAGS, creation, delivered, have
from tests.creations import QUEUE as TAG_QUEUE
from tests.creations import put as put_tags
from tests.creations import rows as just_made
from tests.path_events import watched
from tests.private_path import INGRESS, private_path
from tests.samples import (
    CHAT_TOPIC,
    CONNECTOR,
    EVERYWHERE,
    GROUP,
    NEEDS_ENDPOINTS,
    OTHER_CONNECTOR,
    SERVICE,
    SETTINGS,
    SUBNETS,
    TABLE,
    TOPIC,
    VPC,
    Event,
    Rows,
    anything,
    busy,
    connector,
    created_connector,
    deleted_connector,
    exempt,
    find,
    finished_update,
    group,
    healthy,
    https,
    list_route,
    public,
    replaced_route,
    service,
    service_call,
    tag,
    tagged,
)

type Asked = tuple[str, Mapping[str, object]]


def filters(*named: tuple[str, Sequence[str]]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": list(values)} for name, values in named]


def in_vpc(action: str) -> Asked:
    return action, {"Filters": filters(("vpc-id", [VPC]))}


def acls(*subnet_ids: str) -> Asked:
    return "ec2:DescribeNetworkAcls", {"Filters": filters(("association.subnet-id", subnet_ids))}


def groups(*group_ids: str) -> Asked:
    return "ec2:DescribeSecurityGroups", {"Filters": filters(("group-id", group_ids))}


def interfaces(*group_ids: str) -> Asked:
    return (
        "ec2:DescribeNetworkInterfaces",
        {"Filters": filters(("group-id", group_ids)), "IncludeManagedResources": True},
    )


def recorded(resource: str) -> Asked:
    return (
        "dynamodb:Query",
        {
            "TableName": TABLE,
            "ConsistentRead": True,
            "KeyConditionExpression": "#resource = :resource",
            "ExpressionAttributeNames": {"#resource": "resource"},
            "ExpressionAttributeValues": {":resource": {"S": resource}},
        },
    )


def tags_of(resource: str) -> Asked:
    return "apprunner:ListTagsForResource", {"ResourceArn": resource}


MANAGED_INTERFACES: Asked = (
    "ec2:DescribeNetworkInterfaces",
    {"Filters": filters(("tag-key", ["AWSAppRunnerManaged"])), "IncludeManagedResources": True},
)
EVERYTHING_RECORDED: Asked = (
    "dynamodb:Scan",
    {
        "TableName": TABLE,
        "ConsistentRead": True,
        "FilterExpression": "attribute_not_exists(#place)",  # what is recorded of members
        "ExpressionAttributeNames": {"#place": "place"},
    },
)
KNOWN = [tags_of(CONNECTOR), recorded(CONNECTOR)]  # what there is to know of the connector beside its network
KNOWN_WITH_SERVICE = [tags_of(CONNECTOR), EVERYTHING_RECORDED]
DESCRIBE_CONNECTOR: Asked = ("apprunner:DescribeVpcConnector", {"VpcConnectorArn": CONNECTOR})
DESCRIBE_SERVICE: Asked = ("apprunner:DescribeService", {"ServiceArn": SERVICE})
LIST_CONNECTORS: Asked = ("apprunner:ListVpcConnectors", {"MaxResults": 100})
OPERATIONS: Asked = ("apprunner:ListOperations", {"ServiceArn": SERVICE, "MaxResults": 20})
INDEX: Asked = (
    "tagging:GetResources",
    {"ResourceTypeFilters": ["apprunner:service", "apprunner:vpcconnector"], "ResourcesPerPage": 100},
)
ZONES: Asked = ("ec2:DescribeAvailabilityZones", {})
DEFAULT_GROUPS: Asked = ("ec2:DescribeSecurityGroups", {"Filters": filters(("group-name", ["default"]))})
ENDPOINTS = in_vpc("ec2:DescribeVpcEndpoints")
PARTNERS: Asked = ("ec2:GetManagedPrefixListEntries", {"PrefixListId": "pl-partners"})
NEAR = [ZONES, acls(*SUBNETS), groups(GROUP)]
ACLS = "ec2:DescribeNetworkAcls"
NAT_GATEWAYS: Asked = ("ec2:DescribeNatGateways", {"Filter": filters(("vpc-id", [VPC]))})
DNS: list[Asked] = [
    ("ec2:DescribeVpcAttribute", {"VpcId": VPC, "Attribute": "enableDnsSupport"}),
    ("ec2:DescribeVpcAttribute", {"VpcId": VPC, "Attribute": "enableDnsHostnames"}),
]
INSIDE = [in_vpc("ec2:DescribeSubnets"), in_vpc("ec2:DescribeRouteTables"), NAT_GATEWAYS, *DNS]


def asked(outcome: Outcome | SyncOutcome) -> list[list[Asked]]:
    """The reads of each round, in no order within it."""
    reads = [call for call in outcome.aws.calls if call.action not in (WRITES, *PUBLISHING)]
    last = max((call.round for call in reads), default=0)
    return [
        _sorted([(call.action, call.parameters) for call in reads if call.round == number])
        for number in range(1, last + 1)
    ]


def _sorted(round_: Sequence[Asked]) -> list[Asked]:
    return sorted(round_, key=repr)


def ungrouped() -> Rows:
    rows = healthy()
    rows["VpcConnectors"] = [connector(CONNECTOR, SecurityGroups=[])]
    elsewhere = {**group("sg-of-another-vpc", "default", egress=[anything()]), "VpcId": "vpc-2"}
    rows["SecurityGroups"].append(elsewhere)
    return rows


def with_inbound_rules() -> Rows:
    """Two groups, of which one has inbound rules."""
    rows = healthy()
    rows["VpcConnectors"] = [connector(CONNECTOR, SecurityGroups=["sg-inbound", GROUP])]
    rows["SecurityGroups"].append(group("sg-inbound", "inbound", ingress=[https("10.0.0.0/8")], egress=[anything()]))
    return rows


def with_prefix_lists() -> Rows:
    """A list that sends traffic out, one that leads to a gateway endpoint, and one in a table of nobody's concern."""
    rows = healthy()
    rows["PrefixLists"] = [{"PrefixListId": "pl-partners", "Cidrs": ["198.51.100.0/24"]}]
    find(rows, "RouteTables", "rtb-private-a")["Routes"] += [
        list_route("pl-partners", TransitGatewayId="tgw-1"),
        list_route("pl-s3", GatewayId="vpce-1"),
    ]
    find(rows, "RouteTables", "rtb-main")["Routes"] = [list_route("pl-unused", TransitGatewayId="tgw-1")]
    return rows


def subnets_gone() -> Rows:
    rows = healthy()
    rows["VpcConnectors"] = [connector(CONNECTOR, Subnets=["subnet-gone"])]
    return rows


def all_gone() -> Rows:
    rows = subnets_gone()
    rows["SecurityGroups"] = []
    return rows


def moved() -> Rows:
    """The service uses another connector by now than the event says."""
    rows = healthy()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR))
    rows["Services"] = [service(OTHER_CONNECTOR)]
    return rows


DESCRIBE_OTHER: Asked = ("apprunner:DescribeVpcConnector", {"VpcConnectorArn": OTHER_CONNECTOR})

CASES: Mapping[str, tuple[Event, Rows, Settings, list[list[Asked]]]] = {
    "CreateVpcConnector": (
        created_connector(),
        healthy(),
        SETTINGS,
        [[LIST_CONNECTORS, *KNOWN, *NEAR], INSIDE],
    ),
    "CreateVpcConnector, subnets in any order and twice": (
        created_connector(subnets=(*reversed(SUBNETS), SUBNETS[0])),
        healthy(),
        SETTINGS,
        [[LIST_CONNECTORS, *KNOWN, *NEAR], INSIDE],
    ),
    "CreateVpcConnector, other subnets and groups than AWS has now": (
        created_connector(subnets=("subnet-public-a",), groups=("sg-default",)),
        healthy(),
        SETTINGS,
        [
            [LIST_CONNECTORS, *KNOWN, ZONES, acls("subnet-public-a"), groups("sg-default")],
            [*NEAR[1:]],
            INSIDE,
        ],
    ),
    "CreateVpcConnector, no group named": (
        created_connector(groups=()),
        ungrouped(),
        SETTINGS,
        [
            [LIST_CONNECTORS, *KNOWN, ZONES, acls(*SUBNETS), DEFAULT_GROUPS],
            [*INSIDE, interfaces("sg-default")],
        ],
    ),
    "CreateVpcConnector, groups with inbound rules": (
        created_connector(groups=("sg-inbound", GROUP)),
        with_inbound_rules(),
        SETTINGS,
        [
            [LIST_CONNECTORS, *KNOWN, ZONES, acls(*SUBNETS), groups(GROUP, "sg-inbound")],
            [*INSIDE, interfaces("sg-inbound")],
        ],
    ),
    "CreateVpcConnector, endpoints required": (
        created_connector(),
        healthy(),
        NEEDS_ENDPOINTS,
        [[LIST_CONNECTORS, *KNOWN, *NEAR], [*INSIDE, ENDPOINTS]],
    ),
    "CreateVpcConnector, a prefix list in play": (
        created_connector(),
        with_prefix_lists(),
        SETTINGS,
        [[LIST_CONNECTORS, *KNOWN, *NEAR], INSIDE, [PARTNERS]],
    ),
    "CreateVpcConnector, its subnets are gone": (
        created_connector(subnets=("subnet-gone",)),
        subnets_gone(),
        SETTINGS,
        [[LIST_CONNECTORS, *KNOWN, ZONES, acls("subnet-gone"), groups(GROUP)], INSIDE],
    ),
    "CreateVpcConnector, its subnets and groups are gone": (
        created_connector(subnets=("subnet-gone",)),
        all_gone(),
        SETTINGS,
        [
            [LIST_CONNECTORS, *KNOWN, ZONES, acls("subnet-gone"), groups(GROUP)],
            [("ec2:DescribeSubnets", {"Filters": filters(("subnet-id", ["subnet-gone"]))})],
        ],
    ),
    "CreateService": (
        service_call("CreateService"),
        healthy(),
        SETTINGS,
        [[DESCRIBE_SERVICE, DESCRIBE_CONNECTOR, *KNOWN_WITH_SERVICE], NEAR, INSIDE],
    ),
    "CreateService, of a connector with no group": (
        service_call("CreateService"),
        ungrouped(),
        SETTINGS,
        [
            [DESCRIBE_SERVICE, DESCRIBE_CONNECTOR, *KNOWN_WITH_SERVICE],
            [ZONES, acls(*SUBNETS), DEFAULT_GROUPS],
            [*INSIDE, interfaces("sg-default")],
        ],
    ),
    "UpdateService, another connector than AWS has now": (
        service_call("UpdateService"),
        moved(),
        SETTINGS,
        [
            [DESCRIBE_SERVICE, DESCRIBE_CONNECTOR, *KNOWN_WITH_SERVICE],
            [DESCRIBE_OTHER],
            [tags_of(OTHER_CONNECTOR), *NEAR],
            INSIDE,
        ],
    ),
    "UpdateService, no connector": (
        service_call("UpdateService", connector_arn=""),
        {**healthy(), "Services": [service("")]},
        SETTINGS,
        [[DESCRIBE_SERVICE, LIST_CONNECTORS, EVERYTHING_RECORDED]],
    ),
    "UpdateService, which asks for egress that does not show": (
        service_call("UpdateService", connector_arn="", asks=CONNECTOR),
        {**healthy(), "Services": [service("")], "Operations": []},
        SETTINGS,
        [[DESCRIBE_SERVICE, LIST_CONNECTORS, EVERYTHING_RECORDED], [OPERATIONS], [tags_of(SERVICE)]],
    ),
    "a finished update": (
        finished_update(),
        healthy(),
        SETTINGS,
        [[DESCRIBE_SERVICE, LIST_CONNECTORS, EVERYTHING_RECORDED], [tags_of(CONNECTOR), *NEAR], INSIDE],
    ),
    "a finished update of a private service": (
        finished_update(),
        private_path(),
        SETTINGS,
        [
            [DESCRIBE_SERVICE, LIST_CONNECTORS, EVERYTHING_RECORDED],
            [("apprunner:ListVpcIngressConnections", {"Filter": {"ServiceArn": SERVICE}})],
            [("apprunner:DescribeVpcIngressConnection", {"VpcIngressConnectionArn": INGRESS})],
        ],
    ),
    "a finished update of a service that has to have tags": (
        finished_update(),
        {**healthy(), "Services": [service("")], "Tags": [tag(SERVICE, "team", "shop")]},
        replace(SETTINGS, required_tags=("team",)),
        [[DESCRIBE_SERVICE, LIST_CONNECTORS, EVERYTHING_RECORDED, tags_of(SERVICE)]],
    ),
    "DeleteVpcConnector": (
        deleted_connector(),
        {**healthy(), "VpcConnectors": []},
        SETTINGS,
        [[DESCRIBE_CONNECTOR, *KNOWN]],
    ),
    "TagResource of a connector": (
        tagged(CONNECTOR),
        healthy(),
        SETTINGS,
        [[DESCRIBE_CONNECTOR, *KNOWN], NEAR, INSIDE],
    ),
    "TagResource of a service": (
        tagged(SERVICE),
        healthy(),
        SETTINGS,
        [[DESCRIBE_SERVICE, tags_of(SERVICE), EVERYTHING_RECORDED], [DESCRIBE_CONNECTOR]],
    ),
    "ReplaceRoute": (
        replaced_route(),
        healthy(),
        SETTINGS,
        [
            [LIST_CONNECTORS, EVERYTHING_RECORDED, INDEX],
            [groups(GROUP), ("ec2:DescribeSubnets", {"Filters": filters(("subnet-id", sorted(SUBNETS)))})],
            [in_vpc("ec2:DescribeSubnets"), in_vpc("ec2:DescribeRouteTables"), NAT_GATEWAYS, in_vpc(ACLS)],
            [tags_of(CONNECTOR), ZONES, in_vpc("ec2:DescribeSecurityGroups"), *DNS],
        ],
    ),
    "ModifyListener, and no private path": (
        watched("elbv2", "ModifyListener"),
        healthy(),
        SETTINGS,
        [
            [EVERYTHING_RECORDED],
            [
                ("apprunner:ListVpcIngressConnections", {"MaxResults": 100}),
                (
                    "ec2:DescribeVpcEndpoints",
                    {
                        "Filters": filters(
                            ("service-name", ["com.amazonaws.us-east-1.apprunner.requests"]),
                            ("vpc-endpoint-type", ["Interface"]),
                        )
                    },
                ),
            ],
        ],
    ),
    "AssociateAddress": (
        watched("ec2", "AssociateAddress"),
        private_path(),
        SETTINGS,
        [
            [EVERYTHING_RECORDED],
            [
                LIST_CONNECTORS,
                (
                    "ec2:DescribeNetworkInterfaces",
                    {"Filters": filters(("tag-key", ["AWSAppRunnerManaged"])), "IncludeManagedResources": True},
                ),
            ],
        ],
    ),
    "ReplaceRoute in a table of nobody's concern": (
        replaced_route("rtb-of-another-vpc"),
        healthy(),
        SETTINGS,
        [
            [LIST_CONNECTORS, EVERYTHING_RECORDED, INDEX],
            [groups(GROUP), ("ec2:DescribeSubnets", {"Filters": filters(("subnet-id", sorted(SUBNETS)))})],
            [in_vpc("ec2:DescribeSubnets"), in_vpc("ec2:DescribeRouteTables"), NAT_GATEWAYS, in_vpc(ACLS)],
        ],
    ),
}


@pytest.mark.parametrize(("event", "rows", "settings", "expected"), CASES.values(), ids=CASES)
def test_an_event_asks_for_this_and_no_more(
    event: Event, rows: Rows, settings: Settings, expected: list[list[Asked]]
) -> None:
    assert asked(validated(event, rows, settings=settings)) == [_sorted(round_) for round_ in expected]


def test_a_connector_without_groups_is_judged_by_the_default_group_of_its_own_vpc() -> None:
    found = validated(created_connector(groups=()), ungrouped())
    assert "sg-default " in found.alert
    assert "sg-of-another-vpc" not in found.alert


def test_what_is_published_is_this() -> None:
    (published,) = validated(created_connector(), public()).aws.published
    assert {**published, "Message": published["Message"].splitlines()[0]} == {
        "TopicArn": TOPIC,
        "Subject": "[HIGH] AR102 public subnet: VPC connector shop-web in 123456789012 us-east-1",
        "Message": "VPC connector shop-web breaks 1 guardrail",
        "MessageAttributes": {
            "severity": {"DataType": "String", "StringValue": "HIGH"},
            "status": {"DataType": "String", "StringValue": "fail"},
            "transition": {"DataType": "String.Array", "StringValue": '["opened"]'},
            "rules": {"DataType": "String.Array", "StringValue": '["AR102"]'},
            "resource_type": {"DataType": "String", "StringValue": "VPC connector"},
            "owner": {"DataType": "String", "StringValue": "alice"},
            "event_id": {"DataType": "String", "StringValue": "55555555-5555-4555-8555-555555555555"},
            "account": {"DataType": "String", "StringValue": "123456789012"},
            "region": {"DataType": "String", "StringValue": "us-east-1"},
        },
    }


SAID = [
    f"subnet-private-{letter} (use1-az{number}) is public: its route table rtb-private-{letter} sends 0.0.0.0/0 to"
    " igw-1"
    for letter, number in (("a", 1), ("b", 2), ("c", 4))
]


def item(**changes: object) -> dict[str, object]:
    """The open AR102 as the table has it, told everywhere."""
    return {
        "resource": {"S": CONNECTOR},
        "rule": {"S": "AR102"},
        "state": {"S": "open"},
        "severity": {"S": "HIGH"},
        "messages": {"L": [{"S": said} for said in SAID]},
        "faults": {"L": [{"S": one} for one in sorted(sha256(said.encode()).hexdigest()[:16] for said in SAID)]},
        "first_seen": {"N": str(NOW)},
        "last_seen": {"N": str(NOW)},
        "last_alerted": {"N": str(NOW)},
        "who": {"S": "alice with AWS CLI"},
        "exempt_until": {"S": ""},
        "exempt_by": {"S": ""},
        "owner": {"S": "alice"},
        "owed": {"S": ""},
        "owed_to": {"L": []},
        "leased_until": {"N": "0"},
        "version": {"N": "2"},
        "schema": {"N": "2"},
        **changes,
    }


def put(written: dict[str, object], before: int) -> dict[str, object]:
    condition = (
        {
            "ConditionExpression": "#version = :before",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":before": {"N": str(before)}},
        }
        if before
        else {
            "ConditionExpression": "attribute_not_exists(#resource)",
            "ExpressionAttributeNames": {"#resource": "resource"},
        }
    )
    return {"TransactItems": [{"Put": {"TableName": TABLE, "Item": written, **condition}}]}


def test_what_is_recorded_is_this_before_the_alert_and_after_it() -> None:
    claimed = item(
        last_alerted={"N": "0"},
        owed={"S": "opened"},
        owed_to={"L": [{"S": "text"}, {"S": "events"}]},
        leased_until={"N": str(NOW + LEASE_SECONDS)},
        version={"N": "1"},
    )
    aws = validated(created_connector(), public()).aws
    assert aws.sent(WRITES) == [put(claimed, 0), put(item(), 1)]


def test_a_later_transition_is_recorded_over_the_version_that_was_read() -> None:
    rows = public()
    validated(created_connector(), rows)
    aws = validated(created_connector(), {**healthy(), "Items": rows["Items"]}, now=NOW + 60).aws
    assert [
        (one["Put"]["ConditionExpression"], one["Put"]["ExpressionAttributeValues"])
        for asked in aws.sent(WRITES)
        for one in asked["TransactItems"]
    ] == [("#version = :before", {":before": {"N": number}}) for number in ("2", "3")]


def test_what_is_put_on_the_bus_is_this() -> None:
    (asked,) = validated(created_connector(), public()).aws.sent("events:PutEvents")
    (entry,) = asked["Entries"]
    detail = json.loads(entry.pop("Detail"))
    assert entry == {
        "Source": "apprunner-guardrails",
        "DetailType": "Guardrail Finding Transition",
        "Resources": [CONNECTOR],
    }
    assert (detail["transition"], detail["finding"]["rule"], detail["finding"]["messages"]) == ("opened", "AR102", SAID)


def test_what_is_imported_and_what_is_said_in_chat_is_this() -> None:
    aws = validated(created_connector(), public(), settings=EVERYWHERE).aws
    (imported,) = aws.sent("securityhub:BatchImportFindings")
    assert [(one["GeneratorId"], one["Resources"][0]["Id"]) for one in imported["Findings"]] == [
        ("apprunner-guardrails/AR102", CONNECTOR)
    ]
    (said,) = aws.sent("sns:PublishBatch")
    (message,) = said["PublishBatchRequestEntries"]
    assert (said["TopicArn"], message["Id"], json.loads(message["Message"])["version"]) == (CHAT_TOPIC, "0", "1.0")


def test_an_audit_asks_for_this_and_no_more() -> None:
    rows = healthy()
    rows["Services"].append(service("", ServiceArn=f"{SERVICE[:-4]}4444"))
    assert asked(audited(rows)) == [
        _sorted(
            [
                EVERYTHING_RECORDED,
                recorded("digest"),
                LIST_CONNECTORS,
                MANAGED_INTERFACES,
                ("apprunner:ListServices", {"MaxResults": 20}),
                (
                    "tagging:GetResources",
                    {"ResourceTypeFilters": ["apprunner:service", "apprunner:vpcconnector"], "ResourcesPerPage": 100},
                ),
            ]
        ),
        _sorted([groups(GROUP), ("ec2:DescribeSubnets", {"Filters": filters(("subnet-id", sorted(SUBNETS)))})]),
        _sorted([in_vpc("ec2:DescribeSubnets"), in_vpc("ec2:DescribeRouteTables"), NAT_GATEWAYS, in_vpc(ACLS)]),
        _sorted([DESCRIBE_SERVICE, ("apprunner:DescribeService", {"ServiceArn": f"{SERVICE[:-4]}4444"})]),
        _sorted([ZONES, in_vpc("ec2:DescribeSecurityGroups"), *DNS]),
        _sorted(
            [
                ("apprunner:ListVpcIngressConnections", {"MaxResults": 100}),
                (
                    "ec2:DescribeVpcEndpoints",
                    {"Filters": filters(("service-name", [REQUESTS]), ("vpc-endpoint-type", ["Interface"]))},
                ),
            ]
        ),
    ]


def test_nothing_is_published_about_a_healthy_connector() -> None:
    assert validated(created_connector(), healthy()).aws.published == []


def two_of_all() -> Rows:
    """Rows of which every call that pages gets at least two."""
    rows = busy()
    rows["VpcConnectors"] = [connector(CONNECTOR, SecurityGroups=["sg-last", GROUP])]
    rows["VpcConnectors"].insert(0, connector(OTHER_CONNECTOR))
    rows["SecurityGroups"].append(group("sg-last", "last", ingress=[https("10.0.0.0/8")], egress=[anything()]))
    (acl,) = rows["NetworkAcls"]
    rows["NetworkAcls"] = [
        {**acl, "NetworkAclId": f"acl-{one['SubnetId']}", "Associations": [one]} for one in acl["Associations"]
    ]
    rows["VpcEndpoints"].reverse()
    return rows


# What an audit pages, and what its second question has more than its first.
PAGED_BY_AUDIT: Mapping[str, Mapping[str, object]] = {
    "apprunner:ListServices": {"NextToken": "1"},
    "apprunner:ListVpcConnectors": {"NextToken": "1"},
    "dynamodb:Scan": {"ExclusiveStartKey": {"start": {"N": "1"}}},
    "tagging:GetResources": {"PaginationToken": "1"},
}


def two_to_audit() -> Rows:
    rows = public()
    rows["Services"].append(service("", ServiceArn=f"{SERVICE[:-4]}4444"))
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR, Subnets=["subnet-public-a"]))
    rows["Tags"] = [exempt(CONNECTOR, "AR102"), tag(SERVICE, "Name", "shop")]
    audited(rows)
    return rows


@pytest.mark.parametrize("action", PAGED_BY_AUDIT)
def test_an_audit_reads_all_pages(action: str) -> None:
    whole, paged = audited(two_to_audit()), audited(two_to_audit(), pages={action: 1})
    (only,) = whole.aws.sent(action)
    first, second, *_ = paged.aws.sent(action)
    assert (first, second) == (only, {**only, **PAGED_BY_AUDIT[action]})
    assert paged.answer == whole.answer


PAGED = (
    "apprunner:ListVpcConnectors",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:GetManagedPrefixListEntries",
)


@pytest.mark.parametrize("action", PAGED)
def test_all_pages_are_read(action: str) -> None:
    whole = validated(finished_update(), two_of_all(), settings=NEEDS_ENDPOINTS)
    paged = validated(finished_update(), two_of_all(), settings=NEEDS_ENDPOINTS, pages={action: 1})
    (only,) = whole.aws.sent(action)
    first, *later = paged.aws.sent(action)
    assert paged.answer == whole.answer
    assert first == only
    assert later == [{**only, "NextToken": str(number)} for number in range(1, len(later) + 1)] != []


@pytest.mark.parametrize("action", PAGED)
def test_a_page_that_fails_leaves_nothing_of_the_pages_before_it(action: str) -> None:
    """The answers are those of a call that failed at once."""
    denied = refused("UnauthorizedOperation", 403)
    second = refused("UnauthorizedOperation", 403, when=lambda asked: "NextToken" in asked)
    at_once = validated(finished_update(), two_of_all(), settings=NEEDS_ENDPOINTS, faults={action: denied})
    halfway = validated(
        finished_update(), two_of_all(), settings=NEEDS_ENDPOINTS, faults={action: second}, pages={action: 1}
    )
    assert halfway.answer == at_once.answer
    assert halfway.alert == at_once.alert


# Target sync ----------------------------------------------------------------------------------------------------------


def of_groups(action: str, **parameters: object) -> Asked:
    return f"elasticloadbalancing:{action}", parameters


BOUND: Asked = (
    "tagging:GetResources",
    {
        "ResourceTypeFilters": ["elasticloadbalancing:targetgroup"],
        "TagFilters": [{"Key": TAG}],
        "ResourcesPerPage": 100,
    },
)
HEALTH = of_groups("DescribeTargetHealth", TargetGroupArn=ORDERS)
GROUP_OF_TARGETS = of_groups("DescribeTargetGroups", TargetGroupArns=[ORDERS])
OWN_TAGS = of_groups("DescribeTags", ResourceArns=[ORDERS])
ENDPOINTS_NAMED: Asked = ("ec2:DescribeVpcEndpoints", {"Filters": filters(("vpc-endpoint-id", [ENDPOINT]))})
INTERFACES_NAMED: Asked = ("ec2:DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["eni-a", "eni-b"]})
NEW_INTERFACES: Asked = ("ec2:DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["eni-a", "eni-d"]})
FOUND = [EVERYTHING_RECORDED, BOUND]
READ = [ENDPOINTS_NAMED, GROUP_OF_TARGETS, HEALTH]
COMING_BACK: Asked = (
    "sqs:SendMessage",
    {
        "QueueUrl": QUEUE,
        "MessageBody": json.dumps(
            {"apprunner-guardrails": "come back", "target_groups": [ORDERS], "event_id": SCHEDULE.id}
        ),
        "DelaySeconds": 60,
    },
)
WITH_QUEUE = replace(SETTINGS, sync_queue_url=QUEUE)


def registered(*described: Mapping[str, object]) -> Asked:
    return of_groups("RegisterTargets", TargetGroupArn=ORDERS, Targets=list(described))


def deregistered(*described: Mapping[str, object]) -> Asked:
    return of_groups("DeregisterTargets", TargetGroupArn=ORDERS, Targets=list(described))


def listed_late() -> Rows:
    """Two endpoints, of which the list has one, and an answer by id the other."""
    rows = in_step()
    rows["Tags"] = [tag(ORDERS, TAG, f"{OTHER_ENDPOINT} {ENDPOINT}")]
    rows["HiddenVpcEndpoints"] = [endpoint(OTHER_ENDPOINT, "eni-b")]
    return rows


def of_another_vpc() -> Rows:
    """The group is in vpc-0; nothing is registered yet."""
    return {**in_step(), "TargetGroups": [target_group(VpcId="vpc-0")], "Targets": []}


def peerings(*ends: tuple[str, str]) -> Asked:
    named = [(f"{end}-vpc-info.vpc-id", [vpc]) for end, vpc in ends]
    return "ec2:DescribeVpcPeeringConnections", {"Filters": filters(*named, ("status-code", ["active"]))}


ASKED_ONE_WAY = peerings(("requester", "vpc-0"), ("accepter", VPC))
ASKED_THE_OTHER = peerings(("accepter", "vpc-0"), ("requester", VPC))
ATTACHMENTS: Asked = (
    "ec2:DescribeTransitGatewayVpcAttachments",
    {"Filters": filters(("vpc-id", ["vpc-0", VPC]), ("state", ["available"]))},
)

SYNCS: Mapping[str, tuple[AskedToSync, Rows, Settings, list[list[Asked]]]] = {
    "the schedule, a group in step": (SCHEDULE, in_step(), SETTINGS, [FOUND, READ, [INTERFACES_NAMED]]),
    "the schedule, nothing is bound": (SCHEDULE, {"TargetGroups": [target_group()]}, SETTINGS, [FOUND]),
    "an endpoint": (asking_for(endpoints=[ENDPOINT]), in_step(), SETTINGS, [FOUND, READ, [INTERFACES_NAMED]]),
    "an endpoint of no group": (asking_for(endpoints=[OTHER_ENDPOINT]), in_step(), SETTINGS, [FOUND]),
    "a group, whose tags are asked for themselves": (
        asking_for([ORDERS]),
        in_step(),
        SETTINGS,
        [[recorded(ORDERS), OWN_TAGS], READ, [INTERFACES_NAMED]],
    ),
    "a group that is not bound": (
        asking_for([ORDERS]),
        {**in_step(), "Tags": []},
        SETTINGS,
        [[recorded(ORDERS), OWN_TAGS]],
    ),
    "an address that is new: its group is asked once more, and is looked at again": (
        SCHEDULE,
        readdressed(in_step()),
        WITH_QUEUE,
        [
            FOUND,
            READ,
            [NEW_INTERFACES],
            [OWN_TAGS],
            [of_groups("DescribeTargetGroupAttributes", TargetGroupArn=ORDERS)],
            [of_groups("DescribeLoadBalancerAttributes", LoadBalancerArn=BALANCER)],
            [registered({"Id": "10.0.2.6", "Port": 443})],
            [HEALTH],
            [COMING_BACK],
        ],
    ),
    "an endpoint that is not in the list": (
        SCHEDULE,
        listed_late(),
        SETTINGS,
        [
            FOUND,
            [
                (
                    "ec2:DescribeVpcEndpoints",
                    {"Filters": filters(("vpc-endpoint-id", sorted([ENDPOINT, OTHER_ENDPOINT])))},
                ),
                GROUP_OF_TARGETS,
                HEALTH,
            ],
            [("ec2:DescribeVpcEndpoints", {"VpcEndpointIds": [OTHER_ENDPOINT]})],
            [INTERFACES_NAMED],
        ],
    ),
    "an endpoint in another VPC": (
        SCHEDULE,
        of_another_vpc(),
        SETTINGS,
        [
            FOUND,
            READ,
            [INTERFACES_NAMED],
            [ASKED_ONE_WAY, ASKED_THE_OTHER, ATTACHMENTS],
            [OWN_TAGS],
            [
                registered(
                    {"Id": "10.0.1.5", "Port": 443, "AvailabilityZone": "all"},
                    {"Id": "10.0.2.5", "Port": 443, "AvailabilityZone": "all"},
                )
            ],
            [HEALTH],
        ],
    ),
}


@pytest.mark.parametrize(("event", "rows", "settings", "expected"), SYNCS.values(), ids=SYNCS)
def test_a_sync_asks_for_this_and_no_more(
    event: AskedToSync, rows: Rows, settings: Settings, expected: list[list[Asked]]
) -> None:
    found = asked(synced(rows, event, settings=settings))
    assert [round_ for round_ in found if round_] == [_sorted(round_) for round_ in expected]


def test_a_group_that_is_known_is_asked_for_only_where_something_is_to_be_done() -> None:
    known: dict[str, TargetGroup] = {}
    rows = in_step()
    synced(rows, SCHEDULE, known=known)
    assert asked(synced(rows, SCHEDULE, known=known)) == [
        _sorted(FOUND),
        _sorted([ENDPOINTS_NAMED, HEALTH]),
        [INTERFACES_NAMED],
    ]
    later = asked(synced(readdressed(rows), SCHEDULE, known=known))
    assert later[2:4] == [[NEW_INTERFACES], _sorted([OWN_TAGS, GROUP_OF_TARGETS])]


def test_targets_are_deregistered_with_their_port() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.1.9:8443", "10.0.2.5:443")}
    outcome = synced(rows, SCHEDULE)
    assert [(one.action, one.parameters) for one in outcome.aws.calls if one.action.endswith("registerTargets")] == [
        deregistered({"Id": "10.0.1.9", "Port": 8443})
    ]


def test_many_targets_go_into_several_calls() -> None:
    rows = in_step()
    stale = [f"10.0.1.{number}:{port}" for port in (443, 444) for number in range(6, 206)]
    rows["Targets"] += targets(*stale[:201])
    sent = synced(rows, SCHEDULE).aws.sent("elasticloadbalancing:DeregisterTargets")
    assert [len(one["Targets"]) for one in sent] == [200, 1]


def named(action: str, count: int) -> list[int]:
    """How many groups each call of an action names, where so many are bound and have to change; 0: none by name."""
    rows = many(count)
    rows["Targets"] = []
    outcome = synced(rows, asking_for([row["TargetGroupArn"] for row in rows["TargetGroups"]]))
    key = {"DescribeTags": "ResourceArns", "DescribeTargetGroups": "TargetGroupArns"}[action]
    return [len(one.get(key, ())) for one in outcome.aws.sent(f"elasticloadbalancing:{action}")]


@pytest.mark.parametrize(
    ("count", "tags", "described"),
    [(20, [20], [20]), (21, [20, 1], [20, 1]), (100, [20] * 5, [20] * 5), (101, [20] * 5 + [1], [0])],
)
def test_groups_are_named_twenty_in_a_call_and_listed_where_they_are_more_than_a_hundred(
    count: int, tags: list[int], described: list[int]
) -> None:
    assert named("DescribeTags", count) == tags
    assert named("DescribeTargetGroups", count) == described


def test_groups_are_listed_by_the_page() -> None:
    action, rows = "elasticloadbalancing:DescribeTargetGroups", many(101)
    (only,) = synced(rows, SCHEDULE).aws.sent(action)
    paged = synced(rows, SCHEDULE, pages={action: 60})
    assert (only, paged.aws.sent(action)) == ({"PageSize": 400}, [{"PageSize": 400}, {"PageSize": 400, "Marker": "60"}])
    assert {one["refused"] for one in paged.groups.values()} == {None}


def test_a_group_that_the_list_does_not_have_yet_is_asked_for_by_name() -> None:
    action, rows = "elasticloadbalancing:DescribeTargetGroups", many(101)
    last = rows["TargetGroups"][-1]["TargetGroupArn"]

    def without_the_last(asked: Mapping[str, object]) -> dict[str, object]:
        return {"TargetGroups": rows["TargetGroups"][:-1] if "PageSize" in asked else rows["TargetGroups"][-1:]}

    outcome = synced(rows, SCHEDULE, faults={action: answered(without_the_last)})
    assert outcome.aws.sent(action) == [{"PageSize": 400}, {"TargetGroupArns": [last]}]
    assert outcome.groups[last]["refused"] is None


def test_endpoints_and_interfaces_are_asked_for_two_hundred_in_a_call() -> None:
    aws = synced(many(201), SCHEDULE).aws
    assert [len(one["Filters"][0]["Values"]) for one in aws.sent("ec2:DescribeVpcEndpoints")] == [200, 1]
    assert [len(one["NetworkInterfaceIds"]) for one in aws.sent("ec2:DescribeNetworkInterfaces")] == [200, 200, 2]


@pytest.mark.parametrize(
    ("action", "page", "more"),
    [
        ("tagging:GetResources", 60, {"PaginationToken": "60"}),
        ("ec2:DescribeVpcEndpoints", 60, {"NextToken": "60"}),
        ("ec2:DescribeNetworkInterfaces", 120, {"NextToken": "120"}),
    ],
)
def test_a_sync_reads_all_pages(action: str, page: int, more: Mapping[str, object]) -> None:
    rows = many(100)
    whole, paged = synced(rows, SCHEDULE), synced(rows, SCHEDULE, pages={action: page})
    (only,) = whole.aws.sent(action)
    assert paged.aws.sent(action) == [only, {**only, **more}]
    assert (len(paged.groups), paged.groups) == (100, whole.groups)


def waiting_item(**changes: object) -> dict[str, object]:
    """What is recorded of a group that waits: nobody is told of it."""
    return {
        **item(resource={"S": ORDERS}, rule={"S": "waiting"}, state={"S": "resolved"}, severity={"S": "INFO"}),
        "messages": {"L": [{"S": f"{target} {NOW}"} for target in ("10.0.2.5:443", "10.0.2.6:443")]},
        "faults": {"L": []},
        "last_alerted": {"N": "0"},
        "who": {"S": ""},
        "owner": {"S": ""},
        "leased_until": {"N": str(NOW + 60)},
        "version": {"N": "1"},
        "expires": {"N": str(NOW + 90 * 86_400)},
        **changes,
    }


def test_that_a_group_waits_is_recorded_and_that_it_does_no_more() -> None:
    rows = readdressed(in_step())
    began = synced(rows, SCHEDULE, settings=WITH_QUEUE).aws.sent(WRITES)
    health(rows, "10.0.2.6:443", "healthy")
    ended = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 300).aws.sent(WRITES)
    over = waiting_item(
        messages={"L": []},
        first_seen={"N": "0"},
        last_seen={"N": str(NOW + 300)},
        leased_until={"N": "0"},
        version={"N": "2"},
        expires={"N": str(NOW + 300 + 90 * 86_400)},
    )
    assert (began, ended) == ([put(waiting_item(), 0)], [put(over, 1)])


# Ownership tags -------------------------------------------------------------------------------------------------------

LISTED_TAGS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
TAGS_OF_BALANCER = of_groups("DescribeTags", ResourceArns=[BALANCER])
GROUPS_OF_BALANCER = of_groups("DescribeTargetGroups", LoadBalancerArn=BALANCER, PageSize=400)
ITS_ENDPOINT: Asked = ("ec2:DescribeVpcEndpoints", {"VpcEndpointIds": [ENDPOINT]})


def unbound() -> Rows:
    return {**just_made(), "Tags": []}


def come_back(name: str) -> Asked:
    message = {"QueueUrl": TAG_QUEUE, "MessageBody": json.dumps(creation(name)), "DelaySeconds": 60}
    return "sqs:SendMessage", message


# What is asked, one call after the other.
CREATIONS: Mapping[str, tuple[str, Rows, list[Asked]]] = {
    "a connector": (
        "CreateVpcConnector",
        just_made(),
        [tags_of(CONNECTOR), ("apprunner:TagResource", {"ResourceArn": CONNECTOR, "Tags": LISTED_TAGS})],
    ),
    "a service": (
        "CreateService",
        just_made(),
        [tags_of(SERVICE), ("apprunner:TagResource", {"ResourceArn": SERVICE, "Tags": LISTED_TAGS})],
    ),
    "an ingress connection": (
        "CreateVpcIngressConnection",
        just_made(),
        [tags_of(INGRESS), ("apprunner:TagResource", {"ResourceArn": INGRESS, "Tags": LISTED_TAGS})],
    ),
    "an endpoint": (
        "CreateVpcEndpoint",
        just_made(),
        [ITS_ENDPOINT, ("ec2:CreateTags", {"Resources": [ENDPOINT], "Tags": LISTED_TAGS})],
    ),
    "a bound target group": (
        "CreateTargetGroup",
        just_made(),
        [OWN_TAGS, of_groups("AddTags", ResourceArns=[ORDERS], Tags=LISTED_TAGS)],
    ),
    "a target group that is not bound": ("CreateTargetGroup", unbound(), [OWN_TAGS, come_back("CreateTargetGroup")]),
    "a load balancer of a bound target group": (
        "CreateLoadBalancer",
        just_made(),
        [
            TAGS_OF_BALANCER,
            GROUPS_OF_BALANCER,
            OWN_TAGS,
            of_groups("AddTags", ResourceArns=[BALANCER], Tags=LISTED_TAGS),
        ],
    ),
    "a load balancer of a target group that is not bound": (
        "CreateLoadBalancer",
        unbound(),
        [TAGS_OF_BALANCER, GROUPS_OF_BALANCER, OWN_TAGS, come_back("CreateLoadBalancer")],
    ),
    "a load balancer that has no listener yet": (
        "CreateLoadBalancer",
        {**unbound(), "TargetGroups": []},
        [TAGS_OF_BALANCER, GROUPS_OF_BALANCER, come_back("CreateLoadBalancer")],
    ),
}


@pytest.mark.parametrize(("name", "rows", "expected"), CREATIONS.values(), ids=CREATIONS)
def test_what_somebody_creates_asks_for_this_and_no_more(name: str, rows: Rows, expected: list[Asked]) -> None:
    aws = delivered(creation(name), deepcopy(rows)).aws
    assert [(one.action, one.parameters) for one in aws.calls] == expected


DELETED: Mapping[str, tuple[str, Asked]] = {
    "CreateVpcConnector": (CONNECTOR, DESCRIBE_CONNECTOR),
    "CreateService": (SERVICE, DESCRIBE_SERVICE),
    "CreateVpcIngressConnection": (
        INGRESS,
        ("apprunner:DescribeVpcIngressConnection", {"VpcIngressConnectionArn": INGRESS}),
    ),
}


@pytest.mark.parametrize("name", DELETED)
def test_what_has_no_tags_at_all_is_described(name: str) -> None:
    arn, describe = DELETED[name]
    gone = {"apprunner:ListTagsForResource": refused("ResourceNotFoundException")}
    aws = delivered(creation(name), just_made(), gone).aws
    assert [(one.action, one.parameters) for one in aws.calls] == [tags_of(arn), describe]


@pytest.mark.parametrize("name", MADE)
def test_only_those_tags_are_put_that_are_not_there(name: str) -> None:
    rows = have(just_made(), MADE[name][0], {"created-by": "somebody"})
    missing = {key: TAGS[key] for key in ("created-at", "created-with")}
    assert delivered(creation(name), rows).writes == [put_tags(name, missing)]


def test_the_groups_of_a_load_balancer_are_asked_for_by_the_page_and_their_tags_twenty_at_once() -> None:
    rows = {**many(401), "LoadBalancers": just_made()["LoadBalancers"]}
    aws = delivered(creation("CreateLoadBalancer"), rows).aws
    assert aws.sent("elasticloadbalancing:DescribeTargetGroups") == [
        {"LoadBalancerArn": BALANCER, "PageSize": 400},
        {"LoadBalancerArn": BALANCER, "PageSize": 400, "Marker": "400"},
    ]
    assert [len(one["ResourceArns"]) for one in aws.sent("elasticloadbalancing:DescribeTags")] == [1, *[20] * 20, 1]
