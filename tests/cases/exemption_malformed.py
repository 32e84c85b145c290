from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import CONNECTOR_ARN, tagged, unread

_EXEMPT = "apprunner-guardrails:exempt:"
_FORM = "the value should be a date, an owner and a reason, such as 2026-12-31 @owner reason"

_NO_RULE = "no rule of that id judges a VPC connector"


def _retag(*keys: str) -> str:
    resource = f"--region us-east-1 --resource-arn {CONNECTOR_ARN}"
    return lines(
        f"aws apprunner untag-resource {resource} --tag-keys {' '.join(keys)}",
        f"aws apprunner tag-resource {resource}"
        " --tags 'Key=apprunner-guardrails:exempt:RULE_ID,Value=YYYY-MM-DD @OWNER REASON'",
    )


CASES = (
    Case(name="pass: no tag", expect=PASS),
    Case(
        name="fail: an owner and a reason, and no date",
        changes=(tagged({f"{_EXEMPT}AR101": "@net ticket 7"}),),
        expect=fail(
            f"tag '{_EXEMPT}AR101' = '@net ticket 7' exempts nothing: {_FORM}", command=_retag(f"{_EXEMPT}AR101")
        ),
    ),
    Case(
        name="fail: an empty value, a day that no calendar has, an owner without @, and no reason",
        changes=(
            tagged(
                {
                    f"{_EXEMPT}AR101": "",
                    f"{_EXEMPT}AR102": "2027-02-29 @net ticket 7",
                    f"{_EXEMPT}AR103": "2026-12-31 net ticket 7",
                    f"{_EXEMPT}AR104": "2026-12-31 @net",
                }
            ),
        ),
        expect=fail(
            f"tag '{_EXEMPT}AR101' = '' exempts nothing: {_FORM}",
            f"tag '{_EXEMPT}AR102' = '2027-02-29 @net ticket 7' exempts nothing: 2027-02-29 is not a day of the"
            " calendar",
            f"tag '{_EXEMPT}AR103' = '2026-12-31 net ticket 7' exempts nothing: {_FORM}",
            f"tag '{_EXEMPT}AR104' = '2026-12-31 @net' exempts nothing: {_FORM}",
            command=_retag(*(f"{_EXEMPT}AR{number}" for number in (101, 102, 103, 104))),
        ),
    ),
    Case(
        name="fail: the key is not in lower case, beside one that is",
        changes=(
            tagged(
                {
                    "AppRunner-Guardrails:Exempt:AR101": "2026-12-31 @net ticket 7",
                    f"{_EXEMPT}AR102": "2026-12-31 @net ticket 8",
                }
            ),
        ),
        expect=fail(
            "tag 'AppRunner-Guardrails:Exempt:AR101' = '2026-12-31 @net ticket 7' exempts nothing: the key should begin"
            f" with {_EXEMPT}, in lower case",
            command=_retag("AppRunner-Guardrails:Exempt:AR101"),
        ),
    ),
    Case(
        name="fail: all rules at once, and the guardrails' own rule",
        changes=(tagged({f"{_EXEMPT}*": "2026-12-31 @net ticket 7", f"{_EXEMPT}AR901": "2026-12-31 @net ticket 7"}),),
        expect=fail(
            f"tag '{_EXEMPT}*' = '2026-12-31 @net ticket 7' exempts nothing: '*' is not the id of a rule that can be"
            " exempted, such as AR101",
            f"tag '{_EXEMPT}AR901' = '2026-12-31 @net ticket 7' exempts nothing: 'AR901' is not the id of a rule that"
            " can be exempted, such as AR101",
            command=_retag(f"'{_EXEMPT}*'", f"{_EXEMPT}AR901"),
        ),
    ),
    Case(
        name="fail: a rule that there is not, and one that judges other resources",
        changes=(
            tagged({f"{_EXEMPT}AR199": "2026-12-31 @net ticket 7", f"{_EXEMPT}AR401": "2026-12-31 @net ticket 8"}),
        ),
        expect=fail(
            f"tag '{_EXEMPT}AR199' = '2026-12-31 @net ticket 7' exempts nothing: {_NO_RULE}",
            f"tag '{_EXEMPT}AR401' = '2026-12-31 @net ticket 8' exempts nothing: {_NO_RULE}",
            command=_retag(f"{_EXEMPT}AR199", f"{_EXEMPT}AR401"),
        ),
    ),
    Case(
        name="pass: a date, an owner and a reason, whether the day is over or not",
        changes=(
            tagged(
                {f"{_EXEMPT}AR101": "2026-12-31 @net ticket 7", f"{_EXEMPT}AR102": "2020-02-29 @net long ago: ticket 1"}
            ),
        ),
        expect=PASS,
    ),
    Case(
        name="pass: tags that mean something else",
        changes=(tagged({"Name": "@net", "apprunner-guardrails:endpoint": "vpce-1", "exempt:AR101": ""}),),
        expect=PASS,
    ),
    Case(
        name="unknown: the tags cannot be read",
        changes=(unread("tags"),),
        expect=unknown("apprunner:ListTagsForResource failed (UnauthorizedOperation)"),
    ),
)
