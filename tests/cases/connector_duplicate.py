from dataclasses import replace

from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import CONNECTOR_ARN, connector_names_groups, unread
from tests.cases._healthy_path import CONNECTOR, OTHER_CONNECTOR, fleet_has, set_connector

_TWIN = replace(OTHER_CONNECTOR, security_group_ids=CONNECTOR.security_group_ids)
_SUBNETS = "subnet-private-1, subnet-private-2, subnet-private-4"


def _like(older: str, groups: str = "sg-app") -> Answer:
    return fail(
        f"it has the subnets ({_SUBNETS}) and the security groups ({groups}) of {older}, which is older:"
        " services could share that one and its network interfaces",
        command=lines(
            "# for each service that uses this connector",
            "aws apprunner update-service --region us-east-1 --service-arn SERVICE_ARN --network-configuration"
            f" EgressConfiguration='{{EgressType=VPC,VpcConnectorArn={older}}}'",
            "# once these updates are over",
            f"aws apprunner delete-vpc-connector --region us-east-1 --vpc-connector-arn {CONNECTOR_ARN}",
        ),
    )


CASES = (
    Case(name="pass: another connector has the same subnets and other groups", expect=PASS),
    Case(
        name="pass: another connector has the same groups and other subnets",
        changes=(fleet_has(connectors=(CONNECTOR, replace(_TWIN, subnet_ids=CONNECTOR.subnet_ids[:2]))),),
        expect=PASS,
    ),
    Case(name="pass: it is the only one", changes=(fleet_has(connectors=(CONNECTOR,)),), expect=PASS),
    Case(name="pass: it is too new to be listed", changes=(fleet_has(connectors=()),), expect=PASS),
    Case(
        name="fail: an older connector has the same subnets and groups",
        changes=(fleet_has(connectors=(CONNECTOR, _TWIN)),),
        expect=_like(_TWIN.arn),
    ),
    Case(
        name="fail: an older connector has the same, told in another order",
        changes=(
            fleet_has(
                connectors=(
                    CONNECTOR,
                    replace(_TWIN, subnet_ids=_TWIN.subnet_ids[::-1], security_group_ids=("sg-b", "sg-a")),
                )
            ),
            connector_names_groups("sg-a", "sg-b"),
        ),
        expect=_like(_TWIN.arn, "sg-a, sg-b"),
    ),
    Case(
        name="pass: a younger connector has the same, and is told for both",
        changes=(fleet_has(connectors=(CONNECTOR, replace(_TWIN, created="2026-11-01T08:00:01Z"))),),
        expect=PASS,
    ),
    Case(
        name="fail: both were made in the same second, and one is told",
        changes=(fleet_has(connectors=(CONNECTOR, replace(_TWIN, created=CONNECTOR.created))),),
        expect=_like(_TWIN.arn),
    ),
    Case(
        name="pass: both were made in the same second, and the other is told",
        changes=(
            fleet_has(
                connectors=(
                    CONNECTOR,
                    replace(_TWIN, arn=CONNECTOR_ARN.replace("/orders/", "/shop/"), created=CONNECTOR.created),
                )
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="fail: of several older ones the oldest is the one to keep",
        changes=(
            fleet_has(
                connectors=(
                    replace(_TWIN, arn=CONNECTOR_ARN.replace("/orders/", "/a/"), created="2026-10-02T08:00:00Z"),
                    _TWIN,
                    CONNECTOR,
                )
            ),
        ),
        expect=_like(_TWIN.arn),
    ),
    Case(
        name="pass: the other one is deleted",
        changes=(fleet_has(connectors=(CONNECTOR, replace(_TWIN, status="INACTIVE"))),),
        expect=PASS,
    ),
    Case(
        name="fail: neither names a group, so both use the VPC's default group",
        changes=(
            connector_names_groups(),
            fleet_has(connectors=(CONNECTOR, replace(_TWIN, security_group_ids=()))),
        ),
        expect=_like(_TWIN.arn, "the VPC's default group"),
    ),
    Case(
        name="pass: only the other one names no group",
        changes=(fleet_has(connectors=(CONNECTOR, replace(_TWIN, security_group_ids=()))),),
        expect=PASS,
    ),
    Case(
        name="fail: what the list has of this connector is old",
        changes=(
            set_connector(created="2026-11-02T08:00:00Z"),
            fleet_has(connectors=(replace(CONNECTOR, created=""), _TWIN)),
        ),
        expect=_like(_TWIN.arn),
    ),
    Case(
        name="unknown: the connectors cannot be listed",
        changes=(unread("connectors"),),
        expect=unknown("apprunner:DescribeVpcConnector failed (UnauthorizedOperation)"),
    ),
)
