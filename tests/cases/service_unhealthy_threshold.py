from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import lines, update_service
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import set_service


def _above(threshold: int, most: int) -> Answer:
    return fail(
        f"an instance counts as unhealthy after {threshold} failed health checks in a row; at most {most} are allowed",
        command=lines(
            "# name the other settings of the health check too: AWS does not say what becomes of those left out",
            update_service("health-check-configuration", f"UnhealthyThreshold={most}"),
        ),
    )


CASES = (
    Case(name="pass: any number is allowed", changes=(set_service(unhealthy_threshold=20),), expect=PASS),
    Case(
        name="pass: any number is allowed, told or not",
        changes=(set_service(unhealthy_threshold=None),),
        expect=PASS,
    ),
    Case(
        name="pass: as many as allowed",
        changes=(settings_have(max_unhealthy_threshold=5),),
        expect=PASS,
    ),
    Case(name="pass: fewer than allowed", changes=(settings_have(max_unhealthy_threshold=20),), expect=PASS),
    Case(
        name="fail: one more than allowed",
        changes=(settings_have(max_unhealthy_threshold=4),),
        expect=_above(5, 4),
    ),
    Case(
        name="fail: far more than allowed",
        changes=(settings_have(max_unhealthy_threshold=1), set_service(unhealthy_threshold=20)),
        expect=_above(20, 1),
    ),
    Case(
        name="unknown: App Runner does not tell the number",
        changes=(settings_have(max_unhealthy_threshold=5), set_service(unhealthy_threshold=None)),
        expect=unknown("DescribeService does not say after how many failed health checks the service is unhealthy"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(settings_have(max_unhealthy_threshold=5), unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
