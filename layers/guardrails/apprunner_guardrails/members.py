"""Where a deployment looks: its own account and Region, and those of members that let it read. Pure.

A member is an account and Region in which organization.yaml is deployed: its events arrive with its account and Region,
and what they concern is read with a role of that account.
"""

from apprunner_guardrails.facts import Unread
from apprunner_guardrails.findings import MEMBER_UNREAD, Finding, Severity, Status
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An account's Region. `home`: that of the deployment itself, which needs nobody's role."""

    account: str
    region: str
    home: bool = True

    @property
    def key(self) -> str:
        """Under which the findings of the place are recorded: 210987654321/eu-west-1; empty at home, where most
        deployments end."""
        return "" if self.home else f"{self.account}/{self.region}"


def home_of(settings: Settings) -> Place:
    """Where the deployment is: that of its own topic."""
    *_, region, account, _ = settings.alert_topic_arn.split(":")
    return Place(account=account, region=region)


def place_of(account: str, region: str, settings: Settings) -> Place:
    """Where something is that happened. Without a role for members everything is taken for the deployment's own."""
    home = home_of(settings)
    is_home = not settings.member_role_name or (account, region) == (home.account, home.region)
    return Place(account=account, region=region, home=is_home)


def is_elsewhere(name: str, place: Place) -> bool:
    """Whether an ARN names another account or Region than the place of the event that tells of it: what a member says
    of another one's resources is none of its business.

    ARNs of API Gateway name no account; ids and names are looked up in the place itself.
    """
    if place.home or not name.startswith("arn:"):
        return False
    _, _, _, region, account, *_ = *name.split(":", 5), "", "", "", ""
    return (account or place.account, region or place.region) != (place.account, place.region)


def role_arn(account: str, settings: Settings) -> str:
    partition = settings.alert_topic_arn.split(":")[1]
    return f"arn:{partition}:iam::{account}:role/{settings.member_role_name}"


def unreadable(account: str, settings: Settings, why: Unread) -> Finding:
    """That nothing of an account can be seen, once for all that is in it."""
    message = f"the role {role_arn(account, settings)} cannot be assumed: {why}"
    return replace(readable(account, settings), status=Status.FAIL, messages=(message,), faults=(message,))


def readable(account: str, settings: Settings) -> Finding:
    """That its role can be assumed."""
    return Finding(
        resource=role_arn(account, settings),
        rule=MEMBER_UNREAD,
        name="member_not_readable",
        title="Nothing of a member account can be read",
        severity=Severity.HIGH,
        status=Status.PASS,
        risk="What is wrong there is not found, and what was found stays as it was.",
        remediation="Deploy organization.yaml to that account, with this stack's HomeRegion among its Regions and with"
        " the same name of the role and external id as here; or take the account out of the stack set.",
        command=f"aws iam get-role --role-name {settings.member_role_name}",
        reference="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html",
    )
