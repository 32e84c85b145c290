from apprunner_guardrails.facts import Route, RouteTable
from tests.cases import PASS, Case, Change, fail, unknown
from tests.cases._commands import lines, nat_route
from tests.cases._healthy import (
    OTHER_ACCOUNT,
    PUBLIC_RANGES,
    add_endpoint,
    add_route,
    add_route_table,
    disassociate,
    hide_route_tables,
    prefix_list_has,
    prefix_list_is_unread,
    remove_route,
    set_subnet,
    settings_have,
    unread,
    vpc_is_unknown,
)

_ISOLATED = remove_route("rtb-private-1", "0.0.0.0/0")
_NO_ROUTE = "subnet-private-1 (use1-az1) has no default route for IPv4 in rtb-private-1"
_ADD_ROUTE = nat_route("create-route", "rtb-private-1")
_OR = "# or, without a way to the internet:"
_S3_ELSEWHERE = add_endpoint("vpce-s3", "s3", kind="Gateway", tables=("rtb-private-2", "rtb-main"))
_NEW_ENDPOINT = "aws ec2 create-vpc-endpoint --region us-east-1 --vpc-id vpc-1 --service-name com.amazonaws.us-east-1"


def _requires(*services: str) -> Change:
    return settings_have(required_endpoint_services=services)


def _misses(services: str) -> str:
    return f"{_NO_ROUTE}, and no available VPC endpoint reaches {services} from it"


def _new_interface_endpoint(service: str) -> str:
    subnets = "subnet-private-1 subnet-private-2 subnet-private-4"
    return f"{_NEW_ENDPOINT}.{service} --vpc-endpoint-type Interface --subnet-ids {subnets} --private-dns-enabled"


CASES = (
    Case(name="pass: every subnet leads to a NAT gateway", expect=PASS),
    Case(
        name="fail: a subnet without a default route",
        changes=(_ISOLATED,),
        expect=fail(_NO_ROUTE, command=_ADD_ROUTE),
    ),
    Case(
        name="fail: no association, and the main table has no default route",
        changes=(disassociate("subnet-private-1"), disassociate("subnet-private-2")),
        expect=fail(
            "subnet-private-1 (use1-az1) has no default route for IPv4 in rtb-main",
            "subnet-private-2 (use1-az2) has no default route for IPv4 in rtb-main",
            command=nat_route("create-route", "rtb-main"),
        ),
    ),
    Case(
        name="fail: only the main table of another VPC has a default route",
        changes=(
            disassociate("subnet-private-1"),
            add_route_table(
                RouteTable(
                    id="rtb-other",
                    vpc_id="vpc-2",
                    main=True,
                    subnet_ids=(),
                    routes=(Route(destination="0.0.0.0/0", target="nat-2"),),
                )
            ),
        ),
        expect=fail(
            "subnet-private-1 (use1-az1) has no default route for IPv4 in rtb-main",
            command=nat_route("create-route", "rtb-main"),
        ),
    ),
    Case(
        name="pass: the route out is a transit gateway's",
        changes=(_ISOLATED, add_route("rtb-private-1", "0.0.0.0/0", "tgw-1")),
        expect=PASS,
    ),
    Case(
        name="pass: the route out is a Gateway Load Balancer endpoint's",
        changes=(_ISOLATED, add_route("rtb-private-1", "0.0.0.0/0", "vpce-1")),
        expect=PASS,
    ),
    Case(
        name="pass: the route out is propagated",
        changes=(_ISOLATED, add_route("rtb-private-1", "0.0.0.0/0", "vgw-1", propagated=True)),
        expect=PASS,
    ),
    Case(
        name="pass: the way out is public or a blackhole, which other rules tell",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "0.0.0.0/0", "igw-1"),
            remove_route("rtb-private-2", "0.0.0.0/0"),
            add_route("rtb-private-2", "0.0.0.0/0", "nat-2", blackhole=True),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: halves lead to two NAT gateways",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "0.0.0.0/1", "nat-1"),
            add_route("rtb-private-1", "128.0.0.0/1", "nat-2"),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: one half alone leads out",
        changes=(_ISOLATED, add_route("rtb-private-1", "0.0.0.0/1", "nat-1")),
        expect=fail(_NO_ROUTE, command=_ADD_ROUTE),
    ),
    Case(
        name="pass: a list of all public ranges leads out",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "pl-1", "nat-1"),
            prefix_list_has("pl-1", *PUBLIC_RANGES),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a list of a few ranges leads out",
        changes=(
            _ISOLATED,
            add_route("rtb-private-1", "pl-1", "nat-1"),
            prefix_list_has("pl-1", "10.0.0.0/8", "52.0.0.0/8"),
        ),
        expect=fail(_NO_ROUTE, command=_ADD_ROUTE),
    ),
    Case(
        name="fail: IPv6 alone leads out",
        changes=(_ISOLATED, add_route("rtb-private-1", "::/0", "eigw-1")),
        expect=fail(_NO_ROUTE, command=_ADD_ROUTE),
    ),
    Case(
        name="pass: no way out is required",
        changes=(_ISOLATED, settings_have(require_internet_egress=False)),
        expect=PASS,
    ),
    Case(
        name="pass: a way out makes the required endpoints needless",
        changes=(_requires("secretsmanager"),),
        expect=PASS,
    ),
    Case(
        name="pass: endpoints for all required services, by short and full names",
        changes=(
            _ISOLATED,
            _requires("secretsmanager", "com.amazonaws.us-east-1.sqs", "s3"),
            add_endpoint("vpce-1", "secretsmanager"),
            add_endpoint("vpce-2", "sqs"),
            add_endpoint("vpce-3", "s3", kind="Gateway", tables=("rtb-private-1",)),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: a required service has no endpoint, internet or not",
        changes=(
            _ISOLATED,
            _requires("secretsmanager", "sqs", "com.amazonaws.us-east-1.dynamodb"),
            settings_have(require_internet_egress=False),
            add_endpoint("vpce-2", "sqs"),
        ),
        expect=fail(
            _misses("com.amazonaws.us-east-1.dynamodb, com.amazonaws.us-east-1.secretsmanager"),
            command=lines(
                _ADD_ROUTE,
                _OR,
                f"{_NEW_ENDPOINT}.dynamodb --vpc-endpoint-type Gateway --route-table-ids rtb-private-1",
                _new_interface_endpoint("secretsmanager"),
            ),
        ),
    ),
    Case(
        name="fail: an endpoint of another Region's service",
        changes=(_ISOLATED, _requires("com.amazonaws.eu-west-1.sqs"), add_endpoint("vpce-2", "sqs")),
        expect=fail(
            _misses("com.amazonaws.eu-west-1.sqs"),
            command=lines(
                _ADD_ROUTE,
                _OR,
                _new_interface_endpoint("sqs").replace("com.amazonaws.us-east-1", "com.amazonaws.eu-west-1"),
            ),
        ),
    ),
    Case(
        name="fail: the gateway endpoint is not in the subnet's route table",
        changes=(_ISOLATED, _requires("s3"), _S3_ELSEWHERE),
        expect=fail(
            _misses("com.amazonaws.us-east-1.s3"),
            command=lines(
                _ADD_ROUTE,
                _OR,
                "aws ec2 modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id vpce-s3"
                " --add-route-table-ids rtb-private-1",
            ),
        ),
    ),
    Case(
        name="pass: an interface endpoint serves where the gateway endpoint does not",
        changes=(_ISOLATED, _requires("s3"), _S3_ELSEWHERE, add_endpoint("vpce-1", "s3")),
        expect=PASS,
    ),
    Case(
        name="fail: the endpoint is pending",
        changes=(_ISOLATED, _requires("sqs"), add_endpoint("vpce-1", "sqs", state="pending")),
        expect=fail(
            _misses("com.amazonaws.us-east-1.sqs"),
            command=lines(_ADD_ROUTE, _OR, "# vpce-1 for com.amazonaws.us-east-1.sqs is pending"),
        ),
    ),
    Case(
        name="fail: the endpoints were deleted",
        changes=(
            _ISOLATED,
            _requires("sqs", "s3"),
            add_endpoint("vpce-1", "sqs", state="deleted"),
            add_endpoint("vpce-2", "s3", kind="Gateway", state="deleted", tables=("rtb-private-1",)),
        ),
        expect=fail(
            _misses("com.amazonaws.us-east-1.s3, com.amazonaws.us-east-1.sqs"),
            command=lines(
                _ADD_ROUTE,
                _OR,
                f"{_NEW_ENDPOINT}.s3 --vpc-endpoint-type Gateway --route-table-ids rtb-private-1",
                _new_interface_endpoint("sqs"),
            ),
        ),
    ),
    Case(name="pass: all subnets are gone", changes=(vpc_is_unknown(),), expect=PASS),
    Case(
        name="fail: one subnet is isolated, and a shared one's routes cannot be seen",
        changes=(
            _ISOLATED,
            set_subnet("subnet-private-2", owner_id=OTHER_ACCOUNT),
            hide_route_tables("rtb-private-2", "rtb-main"),
        ),
        expect=fail(
            _NO_ROUTE,
            unread="no route table of subnet-private-2 (shared by account 444455556666) can be seen from this account",
            command=_ADD_ROUTE,
        ),
    ),
    Case(
        name="unknown: the endpoints cannot be read where they would do",
        changes=(_ISOLATED, _requires("sqs"), unread("endpoints")),
        expect=unknown("ec2:DescribeVpcEndpoints failed (UnauthorizedOperation)"),
    ),
    Case(
        name="pass: the endpoints cannot be read and need not be",
        changes=(_requires("sqs"), unread("endpoints")),
        expect=PASS,
    ),
    Case(
        name="unknown: a prefix list cannot be read",
        changes=(_ISOLATED, add_route("rtb-private-1", "pl-1", "nat-1"), prefix_list_is_unread("pl-1")),
        expect=unknown("ec2:GetManagedPrefixListEntries failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the route tables cannot be read",
        changes=(unread("route_tables"),),
        expect=unknown("ec2:DescribeRouteTables failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the subnets cannot be read",
        changes=(unread("subnets"),),
        expect=unknown("ec2:DescribeSubnets failed (UnauthorizedOperation)"),
    ),
)
