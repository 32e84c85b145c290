"""What rules ask of a service beside what DescribeService tells, read where it matters."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from apprunner_guardrails.asked_egress import Asked
from apprunner_guardrails.aws import apprunner, destinations
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Connector, IngressConnection, Network, Service, Unread, is_over
from apprunner_guardrails.light import replace
from apprunner_guardrails.once import once


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
    where it does not show. The list of ingress connections is waited for, so that what else is asked by then is one
    round with it.
    """
    listed = apprunner.list_ingress_connections(reads, service.arn) if ingress is None and not service.public else None
    missing = asked is not None and not service.busy and asked.egress != service.egress
    taken_back = apprunner.last_update_failed(reads, service.arn) if missing else None
    described = _ask_each(reads, listed()) if listed else lambda: ingress or ()

    def wait() -> Service:
        return replace(
            service,
            connector=connector,
            ingress=described(),
            asked=asked.egress if asked else None,
            update_failed=taken_back() if taken_back else False,
        )

    return wait


def _ask_each(reads: Reads, arns: tuple[str, ...] | Unread) -> Callable[[], tuple[IngressConnection, ...] | Unread]:
    if isinstance(arns, Unread):
        return lambda: arns
    asked = [apprunner.describe_ingress_connection(reads, arn) for arn in arns]
    return lambda: whole(one for one in (pending() for pending in asked) if not is_over(one))


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


type Tags = Mapping[str, str] | Unread
type Services = Mapping[str, Service | Unread]


def ask_declaring(reads: Reads, index: Mapping[str, Mapping[str, str]] | Unread) -> Services | Unread:
    """Those of the Region's services whose tags say what they depend on: which connector they use, only a call each
    tells. `index` has the tags of all."""
    if isinstance(index, Unread):
        return index
    arns = [arn for arn, tags in sorted(index.items()) if ":service/" in arn and destinations.is_declaring(tags)]
    asked = {arn: apprunner.describe_service(reads, arn) for arn in arns}
    return {arn: pending() for arn, pending in asked.items()}


def declarations(
    connector: Connector, own: Tags, services: Services | Unread, index: Mapping[str, Mapping[str, str]] | Unread
) -> Mapping[str, Tags]:
    """The tags of a connector and of the services that use it, by what messages call them. A service that could not be
    described may use it; one that is gone, which the index still has for a while, does not."""
    found: dict[str, Tags] = {f"connector {connector.name}": own}
    if isinstance(services, Unread):
        return found | {"services": services}
    users, unread = _users(services, index)
    return {**found, **users.get(connector.arn, {}), **unread}


@once
def _users(
    services: Services, index: Mapping[str, Mapping[str, str]] | Unread
) -> tuple[Mapping[str, Mapping[str, Tags]], Mapping[str, Tags]]:
    """The tags of services by the connector that they use; and services that may use any."""
    users: dict[str, dict[str, Tags]] = defaultdict(dict)
    unread: dict[str, Tags] = {}
    for arn, service in services.items():
        tags = index if isinstance(index, Unread) else index.get(arn, {})
        name = f"service {arn.split('/')[1]}"
        if is_over(service):
            continue
        if isinstance(service, Service):
            users[service.connector_arn][name] = tags
        elif isinstance(tags, Unread) or destinations.is_declaring(tags):
            unread[name] = service
    return users, unread


def with_destinations(
    reads: Reads,
    networks: Mapping[str, Network],
    connectors: Iterable[Connector],
    tags: Mapping[str, Mapping[str, Tags]],
) -> Mapping[str, Network]:
    """The networks with what their connectors' services depend on; `tags` are the declarations, by connector."""
    asked = {
        one.arn: destinations.Asked(connector=one, network=networks[one.arn], tags=tags[one.arn]) for one in connectors
    }
    found = destinations.read_destinations(reads, asked)
    return {**networks, **{arn: replace(networks[arn], destinations=of_it) for arn, of_it in found.items()}}
