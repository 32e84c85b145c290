from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import update_service
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import set_service

_REQUIRED = settings_have(require_observability=True)

CASES = (
    Case(name="pass: not traced, and nothing is required", changes=(set_service(observable=False),), expect=PASS),
    Case(name="pass: traced, as required", changes=(_REQUIRED,), expect=PASS),
    Case(
        name="fail: not traced where that is required",
        changes=(_REQUIRED, set_service(observable=False)),
        expect=fail(
            "its requests are not traced (ObservabilityEnabled is not true), and observability is required",
            command=update_service(
                "observability-configuration",
                "ObservabilityEnabled=true,ObservabilityConfigurationArn=OBSERVABILITY_CONFIGURATION_ARN",
            ),
        ),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(_REQUIRED, unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
