from apprunner_guardrails.settings import ANY_TAG
from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._healthy import settings_have, unread
from tests.cases._healthy_path import SERVICE_ARN, set_service

_REQUIRED = settings_have(required_tags=("cost-center", "team"))
_ANY = settings_have(required_tags=(ANY_TAG,))


def _tag(*options: str) -> str:
    return f"aws apprunner tag-resource --region us-east-1 --resource-arn {SERVICE_ARN} --tags {' '.join(options)}"


def _lacks(keys: str, *options: str) -> Answer:
    return fail(f"it lacks required tags: {keys}", command=_tag(*options))


_HAS_NONE = fail("it has no tags beside AWS's own, and at least one is required", command=_tag("Key=KEY,Value=VALUE"))

CASES = (
    Case(name="pass: no tag is required, and it has none", changes=(set_service(tags={}),), expect=PASS),
    Case(name="pass: no tag is required, and none is read", changes=(unread("tags"),), expect=PASS),
    Case(
        name="pass: it has what is required, and more",
        changes=(_REQUIRED, set_service(tags={"cost-center": "17", "team": "orders", "stage": "live"})),
        expect=PASS,
    ),
    Case(
        name="pass: a tag without a value is a tag",
        changes=(_REQUIRED, set_service(tags={"cost-center": "", "team": ""})),
        expect=PASS,
    ),
    Case(
        name="fail: it lacks one",
        changes=(_REQUIRED, set_service(tags={"team": "orders"})),
        expect=_lacks("cost-center", "Key=cost-center,Value=VALUE"),
    ),
    Case(
        name="fail: it has no tags",
        changes=(_REQUIRED, set_service(tags={})),
        expect=_lacks("cost-center, team", "Key=cost-center,Value=VALUE", "Key=team,Value=VALUE"),
    ),
    Case(
        name="fail: keys differ by their case, or by spaces",
        changes=(_REQUIRED, set_service(tags={"Cost-Center": "17", "team ": "orders"})),
        expect=_lacks("cost-center, team", "Key=cost-center,Value=VALUE", "Key=team,Value=VALUE"),
    ),
    Case(
        name="fail: the key is another tag's value",
        changes=(_REQUIRED, set_service(tags={"cost-center": "team"})),
        expect=_lacks("team", "Key=team,Value=VALUE"),
    ),
    Case(
        name="fail: a key with a space is quoted in the command",
        changes=(settings_have(required_tags=("cost center",)), set_service(tags={})),
        expect=_lacks("cost center", "'Key=cost center,Value=VALUE'"),
    ),
    Case(
        name="pass: one tag of any key is required, and it has one",
        changes=(_ANY, set_service(tags={"stage": ""})),
        expect=PASS,
    ),
    Case(
        name="fail: one tag of any key is required, and it has none",
        changes=(_ANY, set_service(tags={})),
        expect=_HAS_NONE,
    ),
    Case(
        name="fail: one tag of any key is required, and all that it has are AWS's own",
        changes=(_ANY, set_service(tags={"aws:cloudformation:stack-name": "orders"})),
        expect=_HAS_NONE,
    ),
    Case(
        name="unknown: one tag of any key is required, and the tags cannot be read",
        changes=(_ANY, unread("tags")),
        expect=unknown("apprunner:ListTagsForResource failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the tags cannot be read",
        changes=(_REQUIRED, unread("tags")),
        expect=unknown("apprunner:ListTagsForResource failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(_REQUIRED, unread("services")),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
