"""Since when VPC links are pending: API Gateway does not tell of links of the first generation. Pure.

It is recorded beside the findings of the API that uses the link, as something that is over and that nobody is told of:
each pending link with the time when it was first seen so (`messages`, as "abc123 1795284884").
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from apprunner_guardrails.facts import Api, Integration, Unread, VpcLink
from apprunner_guardrails.ledger import Record, Transition, remembered, untold
from apprunner_guardrails.light import replace

RULE = "pending links"  # in the place of a rule's id
PENDING = "PENDING"


def aged(
    apis: Iterable[Api], recorded: Callable[[str], tuple[Record, ...]], now: int
) -> tuple[tuple[Api, ...], Mapping[str, tuple[Transition, ...]]]:
    """The APIs with how long their links have been pending, and what to write of it, by the ARN of the API."""
    found: list[Api] = []
    notes: dict[str, tuple[Transition, ...]] = {}
    for api in apis:
        before = next((one for one in recorded(api.arn) if one.rule == RULE), None)
        known = _since(before)
        since = {link: known.get(link, now) for link in sorted(_pending(api, known))}
        found.append(_with_ages(api, {link: (now - at) // 60 for link, at in since.items()}) if since else api)
        if since != known:
            notes[api.arn] = (_note(api.arn, since, before, now),)
    return tuple(found), notes


def _pending(api: Api, before: Collection[str]) -> set[str]:
    """The links that are pending, and where a read failed those that were: that makes no wait begin anew."""
    if isinstance(api.integrations, Unread):
        return set(before)
    links = [one.link for one in api.integrations]
    seen = {link.id: link.status for link in links if isinstance(link, VpcLink)}
    unseen = set(before) - seen.keys() if any(isinstance(link, Unread) for link in links) else set()
    return unseen | {link for link, status in seen.items() if status == PENDING}


def _with_ages(api: Api, minutes: Mapping[str, int]) -> Api:
    def with_age(integration: Integration) -> Integration:
        link = integration.link
        if not isinstance(link, VpcLink) or link.id not in minutes:
            return integration
        told = link.pending_minutes or 0  # of the second generation API Gateway tells when it was made
        return replace(integration, link=replace(link, pending_minutes=max(told, minutes[link.id])))

    if isinstance(api.integrations, Unread):
        return api
    return replace(api, integrations=tuple(with_age(one) for one in api.integrations))


def _note(arn: str, since: Mapping[str, int], before: Record | None, now: int) -> Transition:
    messages = tuple(f"{link} {at}" for link, at in since.items())
    first_seen = min(since.values(), default=0)
    return untold(remembered(arn, RULE, messages, before, first_seen=first_seen, last_seen=now), before)


def _since(record: Record | None) -> Mapping[str, int]:
    found = (one.rpartition(" ") for one in record.messages) if record else ()
    return {name: int(at) for name, _, at in found}
