"""What the account shows about a failed call."""

from collections.abc import Iterator

from apprunner_guardrails.facts import (
    GONE,
    Connector,
    IngressConnection,
    InterfaceEndpoint,
    Network,
    Service,
    Subnet,
    Unread,
    Zone,
)
from apprunner_guardrails.findings import Finding, Status
from apprunner_guardrails.light import dataclass, names


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The facts that bear on a failed call; None for what was not asked because it does not.

    A resource that AWS says is not there is an `Unread` of the code GONE.
    """

    connector: Connector | Unread | None = None  # that the call names, asks for, or that the service uses
    connectors: tuple[Connector, ...] | Unread | None = None  # all active ones
    network: Network | None = None  # around `connector`
    findings: tuple[Finding, ...] = ()  # what rules answer about `connector`, the likeliest causes first
    service: Service | Unread | None = None  # that the call is about
    service_arns: tuple[str, ...] | Unread | None = None  # of all services
    services: tuple[Service | Unread, ...] | Unread | None = None  # all, described
    quota: int | Unread | None = None
    ingress: tuple[IngressConnection | Unread, ...] | Unread | None = None  # of the service, or the one that is named
    endpoint: tuple[InterfaceEndpoint, ...] | Unread | None = None  # of the id that the call names: one, or none
    endpoints: tuple[InterfaceEndpoint, ...] | Unread | None = None  # of the VPC
    subnets: tuple[Subnet, ...] | Unread | None = None  # that the call names, as far as they exist
    zones: tuple[Zone, ...] | Unread | None = None  # of the Region
    zones_offered: tuple[str, ...] | Unread | None = None  # ids or names, where the endpoint service is to be had
    dns_support: bool | Unread | None = None
    dns_hostnames: bool | Unread | None = None

    @property
    def failing(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.status is Status.FAIL)

    @property
    def broken_rules(self) -> tuple[str, ...]:
        return tuple(one.rule for one in self.failing)

    @property
    def unread(self) -> tuple[str, ...]:
        """The reads that failed, sorted; those of the network as the rules that needed them tell it."""
        read = (str(one) for one in self._unread() if one.code != GONE)
        judged = (one.unread for one in self.findings if one.unread)
        return tuple(sorted({*read, *judged}))

    def _unread(self) -> Iterator[Unread]:
        for name in names(self):
            fact = getattr(self, name)
            for one in fact if isinstance(fact, tuple) else (fact,):
                if isinstance(one, Unread):
                    yield one
