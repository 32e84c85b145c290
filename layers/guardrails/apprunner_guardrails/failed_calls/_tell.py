"""What the explanations share: their form, AWS's own words in quotes, and commands that nothing can break out of."""

import shlex
from collections.abc import Iterable

from apprunner_guardrails.alerts import Explanation, safe
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import QUOTAS_OF
from apprunner_guardrails.failed_calls.asked import LOOKED_AT
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.findings import Severity

GUIDE = "https://docs.aws.amazon.com/apprunner/latest/dg"
API = "https://docs.aws.amazon.com/apprunner/latest/api"
QUOTAS = "https://docs.aws.amazon.com/general/latest/gr/apprunner.html"
PRIVATE_GUIDE = f"{GUIDE}/network-pl.html"
PRIVATE_HOW_TO = f"{GUIDE}/network-pl-manage.html"
ENDPOINT_GUIDE = "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"

_KEY_LENGTH = 300
_MESSAGE_SHOWN = 1000  # characters
_NAME_SHOWN = 80


def explained(
    failed: FailedCall,
    seen: Seen,
    *,
    title: str,
    what: str,
    cause: Iterable[str],
    reference: str,
    causes: Iterable[str] = (),
    commands: Iterable[str] = (),
    severity: Severity = Severity.MEDIUM,
) -> Explanation:
    """`what` is followed by AWS's own answer; `cause` has the kind of the cause and what it is about."""
    return Explanation(
        failed=failed,
        title=title,
        severity=severity,
        what=f"{what} {answer(failed)}",
        causes=tuple(dict.fromkeys(causes)),
        commands="\n".join(dict.fromkeys(line for line in commands if line)),
        reference=reference,
        cause=key(cause),
        unread=seen.unread,
    )


def answer(failed: FailedCall) -> str:
    """The error in AWS's own words."""
    message = safe(failed.message[:LOOKED_AT].strip(), _MESSAGE_SHOWN)
    said = f'"{message}"' if message else ""
    if not failed.code:
        return f"App Runner said: {said}" if said else "App Runner gave no message."
    code = safe(failed.code, 100)
    return f"AWS answered {code}: {said}" if said else f"AWS answered {code}, without a message."


def nothing_found(seen: Seen, *, besides: bool = False) -> str:
    """What is said where no cause was found: no more than is known.

    `besides`: something was found, and AWS's answer speaks of something else.
    """
    if seen.unread:
        return "No reason was found, and not all could be read."
    return "The account shows no reason that fits the answer." if besides else "The account shows no reason."


def made_since(arn: str) -> str:
    """Of a resource that has the name asked for, where the answer says nothing of names: it may be of a later call."""
    return f"{arn} has that name now; App Runner's answer does not speak of it, and it may have been made since"


def key(words: Iterable[str]) -> str:
    """Printable ASCII, and short: it is a key of the ledger."""
    line = " ".join(safe(word, _KEY_LENGTH) for word in words if word)
    return line.encode("ascii", "replace").decode("ascii")[:_KEY_LENGTH]


def name_of(arn: str) -> str:
    """The name in arn:…:vpcconnector/NAME/1/ID and its like."""
    return arn.split("/")[1] if arn.count("/") > 1 else arn


def shown(name: str, nothing: str = "without a name") -> str:
    """A name from outside, in a sentence."""
    return safe(name, _NAME_SHOWN) if name else nothing


# What the AWS CLI takes for an option, or replaces by what a file or an address holds
# (docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html).
_NOT_PLAIN = ("-", "file://", "fileb://", "http://", "https://")


def word(value: str, nothing: str) -> str:
    """A word of a command; a word in capitals, for the reader to fill in, where there is none that could be typed, or
    one that the AWS CLI would not take as it is."""
    plain = value and value.isprintable() and not value.startswith(_NOT_PLAIN)
    return shlex.quote(value) if plain else nothing


def cli(failed: FailedCall, command: str, **options: str) -> str:
    """An AWS CLI command in the call's Region. Options are words that are quoted already."""
    given = " ".join(f"--{name.replace('_', '-')} {value}".rstrip() for name, value in options.items())
    return f"aws {command} --region {shlex.quote(failed.region)} {given}".rstrip()


def more_of(failed: FailedCall, quota_code: str, desired: str) -> str:
    """Ask for a higher quota of App Runner's."""
    return cli(
        failed,
        "service-quotas request-service-quota-increase",
        service_code=QUOTAS_OF,
        quota_code=quota_code,
        desired_value=desired,
    )
