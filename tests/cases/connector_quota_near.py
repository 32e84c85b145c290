from dataclasses import replace

from apprunner_guardrails.facts import Connector
from tests.cases import PASS, Answer, Case, Change, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import CONNECTOR_ARN, unread
from tests.cases._healthy_path import CONNECTOR, fleet_has


def _others(older: int, younger: int = 0) -> tuple[Connector, ...]:
    """Other active connectors: so many were made before this one, and so many after it."""
    return tuple(
        replace(
            CONNECTOR,
            arn=CONNECTOR_ARN.replace("/orders/", f"/{year}-{number}/"),
            name=f"{year}-{number}",
            created=f"{year}-01-{number:02}T08:00:00Z",
        )
        for year, count in ((2025, older), (2027, younger))
        for number in range(1, count + 1)
    )


def _beside(older: int, younger: int = 0, quota: int = 10) -> Change:
    """The youngest first, as App Runner might list them."""
    return fleet_has(connectors=(*_others(older, younger), CONNECTOR)[::-1], quota=quota)


def _near(active: int, quota: int = 10, source: str = "quota L-F7ADEB8C") -> Answer:
    return fail(
        f"the Region nears its quota of VPC connectors: {active} of {quota} are active ({source})",
        command=lines(
            "# where no connector is left that no service uses (AR301), or that another could stand in for (AR302)",
            "aws service-quotas request-service-quota-increase --region us-east-1 --service-code apprunner"
            f" --quota-code L-F7ADEB8C --desired-value {quota * 2}",
        ),
    )


CASES = (
    Case(name="pass: two connectors of ten", expect=PASS),
    Case(name="pass: it is the seventh of ten", changes=(_beside(6),), expect=PASS),
    Case(name="fail: it is the eighth of ten", changes=(_beside(7),), expect=_near(8)),
    Case(name="fail: it is the tenth of ten", changes=(_beside(9),), expect=_near(10)),
    Case(
        name="pass: there are ten of ten, and it is older than those beyond the line, which are told",
        changes=(_beside(6, 3),),
        expect=PASS,
    ),
    Case(name="fail: it crossed the line, and one more came after it", changes=(_beside(7, 1),), expect=_near(9)),
    Case(name="pass: the quota was raised", changes=(_beside(9, 0, 20),), expect=PASS),
    Case(name="fail: the raised quota is near", changes=(_beside(15, 0, 20),), expect=_near(16, 20)),
    Case(
        name="pass: four fifths of the quota are no whole number, and the next one below is not near",
        changes=(_beside(8, 0, 12),),
        expect=PASS,
    ),
    Case(
        name="fail: four fifths of the quota are no whole number, and the next one above is near",
        changes=(_beside(9, 0, 12),),
        expect=_near(10, 12),
    ),
    Case(
        name="fail: it is too new to be listed, and counts",
        changes=(fleet_has(connectors=_others(7)),),
        expect=_near(8),
    ),
    Case(
        name="pass: deleted connectors do not count",
        changes=(fleet_has(connectors=(*(replace(one, status="INACTIVE") for one in _others(7)), CONNECTOR)),),
        expect=PASS,
    ),
    Case(
        name="fail: the quota cannot be read, and by the documented default it is near",
        changes=(_beside(7, 0, 20), unread("connector_quota")),
        expect=_near(8, 10, "App Runner's default: the Region's own could not be read"),
    ),
    Case(
        name="pass: the quota cannot be read, but it is never less than the documented default",
        changes=(_beside(6), unread("connector_quota")),
        expect=PASS,
    ),
    Case(
        name="unknown: the connectors cannot be listed",
        changes=(unread("connectors"),),
        expect=unknown("apprunner:DescribeVpcConnector failed (UnauthorizedOperation)"),
    ),
)
