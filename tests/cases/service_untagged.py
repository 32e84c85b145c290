from tests.cases import Case, unknown
from tests.cases._healthy import unread
from tests.cases._healthy_path import SERVICE_ARN, set_service
from tests.cases._tags import REQUIRED, cases_of_tags

CASES = (
    *cases_of_tags(SERVICE_ARN, lambda tags: set_service(tags=tags)),
    Case(
        name="unknown: the service cannot be described",
        changes=(REQUIRED, unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
