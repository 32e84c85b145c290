"""The cases of the rules about required tags, which are the same for every kind of resource."""

from collections.abc import Callable, Mapping

from apprunner_guardrails.settings import ANY_TAG
from tests.cases import PASS, Answer, Case, Change, fail, unknown
from tests.cases._healthy import settings_have, unread

REQUIRED = settings_have(required_tags=("cost-center", "team"))


def cases_of_tags(arn: str, tagged: Callable[[Mapping[str, str]], Change]) -> tuple[Case, ...]:
    """Of the resource of that ARN; `tagged` gives it tags in the place of its own."""
    required, any_one = REQUIRED, settings_have(required_tags=(ANY_TAG,))

    def tag(*options: str) -> str:
        return f"aws apprunner tag-resource --region us-east-1 --resource-arn {arn} --tags {' '.join(options)}"

    def lacks(keys: str, *options: str) -> Answer:
        return fail(f"it lacks required tags: {keys}", command=tag(*options))

    has_none = fail("it has no tags beside AWS's own, and at least one is required", command=tag("Key=KEY,Value=VALUE"))
    return (
        Case(name="pass: no tag is required, and it has none", changes=(tagged({}),), expect=PASS),
        Case(name="pass: no tag is required, and none is read", changes=(unread("tags"),), expect=PASS),
        Case(
            name="pass: it has what is required, and more",
            changes=(required, tagged({"cost-center": "17", "team": "orders", "stage": "live"})),
            expect=PASS,
        ),
        Case(
            name="pass: a tag without a value is a tag",
            changes=(required, tagged({"cost-center": "", "team": ""})),
            expect=PASS,
        ),
        Case(
            name="fail: it lacks one",
            changes=(required, tagged({"team": "orders"})),
            expect=lacks("cost-center", "Key=cost-center,Value=VALUE"),
        ),
        Case(
            name="fail: it has no tags",
            changes=(required, tagged({})),
            expect=lacks("cost-center, team", "Key=cost-center,Value=VALUE", "Key=team,Value=VALUE"),
        ),
        Case(
            name="fail: keys differ by their case, or by spaces",
            changes=(required, tagged({"Cost-Center": "17", "team ": "orders"})),
            expect=lacks("cost-center, team", "Key=cost-center,Value=VALUE", "Key=team,Value=VALUE"),
        ),
        Case(
            name="fail: the key is another tag's value",
            changes=(required, tagged({"cost-center": "team"})),
            expect=lacks("team", "Key=team,Value=VALUE"),
        ),
        Case(
            name="fail: a key with a space is quoted in the command",
            changes=(settings_have(required_tags=("cost center",)), tagged({})),
            expect=lacks("cost center", "'Key=cost center,Value=VALUE'"),
        ),
        Case(
            name="pass: one tag of any key is required, and it has one",
            changes=(any_one, tagged({"stage": ""})),
            expect=PASS,
        ),
        Case(
            name="fail: one tag of any key is required, and it has none",
            changes=(any_one, tagged({})),
            expect=has_none,
        ),
        Case(
            name="fail: one tag of any key is required, and all that it has are AWS's own",
            changes=(any_one, tagged({"aws:cloudformation:stack-name": "orders"})),
            expect=has_none,
        ),
        Case(
            name="unknown: one tag of any key is required, and the tags cannot be read",
            changes=(any_one, unread("tags")),
            expect=unknown("apprunner:ListTagsForResource failed (UnauthorizedOperation)"),
        ),
        Case(
            name="unknown: the tags cannot be read",
            changes=(required, unread("tags")),
            expect=unknown("apprunner:ListTagsForResource failed (UnauthorizedOperation)"),
        ),
    )
