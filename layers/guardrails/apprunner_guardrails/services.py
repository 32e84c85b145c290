"""What rules ask of a service beside what DescribeService tells, read where it matters."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from apprunner_guardrails.asked_egress import Asked
from apprunner_guardrails.aws import apprunner
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Connector, IngressConnection, Service, Unread


def ask_beside(
    reads: Reads,
    service: Service,
    connector: Connector | Unread | None,
    asked: Asked | None,
    *,
    ingress: tuple[IngressConnection, ...] | Unread | None = None,
) -> Callable[[], Service]:
    """The service with its connector, how it is reached where it is private, and what its last update asked for.

    A public service costs no call, nor does `ingress` where it is known; and whether an update was taken back is asked
    where it does not show.
    """
    listed = apprunner.list_ingress_connections(reads, service.arn) if ingress is None and not service.public else None
    missing = asked is not None and not service.busy and asked.egress != service.egress
    taken_back = apprunner.last_update_failed(reads, service.arn) if missing else None

    def wait() -> Service:
        return replace(
            service,
            connector=connector,
            ingress=_described(reads, listed()) if listed else ingress or (),
            asked=asked.egress if asked else None,
            update_failed=taken_back() if taken_back else False,
        )

    return wait


def _described(reads: Reads, arns: tuple[str, ...] | Unread) -> tuple[IngressConnection, ...] | Unread:
    if isinstance(arns, Unread):
        return arns
    return whole([pending() for pending in [apprunner.describe_ingress_connection(reads, arn) for arn in arns]])


def whole[T](facts: Iterable[T | Unread]) -> tuple[T, ...] | Unread:
    """All of them, or the first that was not read."""
    found: list[T] = []
    for fact in facts:
        if isinstance(fact, Unread):
            return fact
        found.append(fact)
    return tuple(found)


def is_applied(service: Service, asked: Asked | None) -> bool:
    """Whether what an update asked for shows, or was taken back: then it need not be remembered any longer."""
    return asked is not None and not service.busy and (service.egress == asked.egress or service.update_failed is True)
