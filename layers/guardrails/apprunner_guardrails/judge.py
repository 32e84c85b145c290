"""What the rules of a kind answer about a resource, with what exemptions make of that. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache

from apprunner_guardrails.engine import Rule, evaluate
from apprunner_guardrails.exemptions import applied
from apprunner_guardrails.facts import (
    BoundGroup,
    Connector,
    FactName,
    IngressConnection,
    Network,
    PathGroup,
    Service,
    Unread,
    unread_network,
)
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.ledger import Record, State
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.once import judging
from apprunner_guardrails.rules import (
    INGRESS_RULES,
    RULES,
    SERVICE_RULES,
    by_id,
    chosen,
    connector_untagged,
    service_untagged,
    without,
)
from apprunner_guardrails.settings import ANY_TAG, Settings
from apprunner_guardrails.tags.plan import keys
from apprunner_guardrails.times import DAY_SECONDS, seconds, utc

NO_NETWORK = unread_network("", "", Unread(call="", code="only a VPC connector has a network of its own"))
# What is not read of a connector for the sake of one event: it would cost a call for each service, or one more.
BESIDE_EVENTS: frozenset[FactName] = frozenset(
    {"connectors", "connector_quota", "services", "vpc_groups", "destinations"}
)
# A change of the network: what services depend on is told by few of them.
BESIDE_CHANGES: frozenset[FactName] = frozenset({"connectors", "connector_quota", "services"})
# A connector that was just made is judged beside the others, and no service uses it yet.
BESIDE_NEW_CONNECTORS: frozenset[FactName] = frozenset({"services", "vpc_groups"})
# So long after it was made something may be without the tags that it is being given: App Runner takes none while it is
# at work on a service, and TagQueue hands a creation on 15 times, six minutes apart.
TAGGED_WITHIN_SECONDS = 15 * 6 * 60

type Tags = Mapping[str, str] | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """The rules' answers; `left` are the ids of rules that were not asked, as what they need was not read.

    `owner` is whom the resource's own tag names; empty where none does, or where tags were not read.
    """

    findings: tuple[Finding, ...]
    left: frozenset[str] = frozenset()
    owner: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """By what and when is judged. `now` is in seconds since 1970; exemptions run out by the day, in UTC."""

    settings: Settings
    now: int

    @property
    def today(self) -> str:
        """2026-11-21"""
        return _day(self.now // DAY_SECONDS)


@lru_cache(maxsize=1)
def _day(number: int) -> str:
    """Of those since 1970. All that an audit judges is judged on one."""
    return utc(number * DAY_SECONDS)[:10]


def judged[S](
    rules: tuple[Rule[S], ...],
    resource: str,
    subject: S | Unread,
    tags: Tags,
    terms: Terms,
    *,
    network: Network | Unread = NO_NETWORK,
    unasked: Collection[FactName] = (),
) -> Answers:
    with judging():
        asked, left = without(chosen(rules, terms.settings), unasked)
        findings = evaluate(asked, resource, subject, network, terms.settings)
    return Answers(findings=applied(findings, tags, terms.today), left=left, owner=owner(tags, terms.settings))


def owner(tags: Tags, settings: Settings) -> str:
    """Whose a resource is, by its tag that says who made it; empty where there is none."""
    key = settings.created_by_tag
    return tags.get(key, "").strip() if key and not isinstance(tags, Unread) else ""


def judge_connector(
    resource: str,
    connector: Connector | Unread,
    network: Network | Unread,
    tags: Tags,
    terms: Terms,
    *,
    unasked: Collection[FactName] = (),
    made: str = "",
) -> Answers:
    """`made` is when it was made, as something else than App Runner says: that counts where App Runner does not say."""
    tagged = connector if isinstance(connector, Unread) else replace(connector, tags=tags)
    answers = judged(RULES, resource, tagged, tags, terms, network=network, unasked=unasked)
    return _but_for_tags_to_be(answers, connector_untagged.RULE, tagged, tags, terms, made=made)


def judge_service(
    resource: str,
    service: Service | Unread,
    tags: Tags | None,
    terms: Terms,
    *,
    unasked: Collection[FactName] = (),
) -> Answers:
    """Without tags those rules are left that need them."""
    left_out, tagged = (*unasked, *_unasked(tags)), _tagged(service, tags)
    answers = judged(SERVICE_RULES, resource, tagged, tags or {}, terms, unasked=left_out)
    return _but_for_tags_to_be(answers, service_untagged.RULE, tagged, tags or {}, terms)


def _but_for_tags_to_be[S: (Connector, Service)](
    answers: Answers, rule: Rule[S], subject: S | Unread, tags: Tags, terms: Terms, *, made: str = ""
) -> Answers:
    """The answers, where the rule takes the tags for given that what was just made is being given at this moment.

    Nor can it be told to have them: if it lacks nothing else, the rule is left. Who looks later sees whether it has.
    """
    lacks = any(one.rule == rule.id and one.status in (Status.FAIL, Status.EXEMPT) for one in answers.findings)
    if isinstance(subject, Unread) or not lacks or not _is_new(subject.created or made, terms):
        return answers
    settings = replace(terms.settings, required_tags=required_at_once(terms.settings))
    (found,) = judged((rule,), subject.arn, subject, tags, replace(terms, settings=settings)).findings
    if found.status is Status.PASS:
        others = tuple(one for one in answers.findings if one.rule != rule.id)
        return replace(answers, findings=others, left=answers.left | {rule.id})
    return replace(answers, findings=tuple(found if one.rule == rule.id else one for one in answers.findings))


def _is_new(created: str, terms: Terms) -> bool:
    since = seconds(created)
    return since is not None and terms.now - since < TAGGED_WITHIN_SECONDS


def required_at_once(settings: Settings) -> tuple[str, ...]:
    """The keys of required tags that also something must have that was just made: it is being given the others."""
    required, ours = settings.required_tags, keys(settings)
    if required == (ANY_TAG,) and ours:
        return ()
    return tuple(key for key in required if key not in ours)


def judge_ingress(resource: str, connection: IngressConnection | Unread, tags: Tags | None, terms: Terms) -> Answers:
    return judged(INGRESS_RULES, resource, _tagged(connection, tags), tags or {}, terms, unasked=_unasked(tags))


def _tagged[S: (Service, IngressConnection)](subject: S | Unread, tags: Tags | None) -> S | Unread:
    return subject if isinstance(subject, Unread) or tags is None else replace(subject, tags=tags)


def _unasked(tags: Tags | None) -> tuple[FactName, ...]:
    return ("tags",) if tags is None else ()


def judge_bound_group(group: BoundGroup, tags: Tags, terms: Terms) -> Answers:
    """What the sync judges of a target group; the rest is left to the audit."""
    from apprunner_guardrails.rules.private_paths import LEFT_BY_SYNC, TARGET_GROUP_RULES  # noqa: PLC0415  # see by_id

    return replace(judged(TARGET_GROUP_RULES, group.arn, group, tags, terms), left=LEFT_BY_SYNC)


def judge_path_group(group: PathGroup, terms: Terms) -> Answers:
    """What the audit judges of a target group; the rest is left to the sync."""
    from apprunner_guardrails.rules.private_paths import OF_SYNC, PATH_GROUP_RULES  # noqa: PLC0415

    return replace(judged(PATH_GROUP_RULES, group.arn, group, group.tags, terms), left=OF_SYNC)


def with_tags_where_they_matter(
    judge: Callable[[Tags | None], Answers], ask: Callable[[], Callable[[], Tags]], *, always: bool
) -> Answers:
    """Tags that cost a call are read where a rule fails, which they may exempt, or where some have to be there."""
    answers = None if always else judge(None)
    if answers is None or any(one.status is Status.FAIL for one in answers.findings):
        return judge(ask()())
    return answers


def with_sure_tags(
    judge: Callable[[Tags], Answers],
    indexed: Tags,
    ask: Callable[[], Callable[[], Tags]],
    recorded: Iterable[Record],
) -> Answers:
    """The answers by the index of tags; by the resource's own tags where the index, which lags behind, would change
    what is recorded."""
    answers = judge(indexed)
    states = {one.rule: one.state for one in recorded}
    if isinstance(indexed, Unread) or not any(_hangs_on_tags(one, states.get(one.rule)) for one in answers.findings):
        return answers
    return judge(ask()())


def _hangs_on_tags(finding: Finding, state: State | None) -> bool:
    if "tags" in by_id()[finding.rule].needs:
        return (finding.status is Status.FAIL) != (state is State.OPEN)
    if finding.status is Status.EXEMPT:
        return state is State.OPEN
    ended = state is State.EXEMPT or finding.exemption is not None
    return finding.status is Status.FAIL and state is not State.OPEN and ended
