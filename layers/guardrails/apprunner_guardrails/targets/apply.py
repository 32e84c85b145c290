"""Doing what a plan says: register first, then deregister; nothing is deregistered where registering failed."""

from collections.abc import Callable, Sequence

from apprunner_guardrails.aws import elbv2
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.facts import Target, Unread, Wanted
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.targets.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What AWS said yes to, and the call that it refused, if it did one."""

    registered: tuple[Wanted, ...] = ()
    deregistered: tuple[Target, ...] = ()
    failed: Unread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Applier:
    """Changes target groups, at the pace that the load balancing API takes."""

    client: Clients
    pace: Callable[[], None]

    def apply(self, arn: str, plan: Plan) -> Applied:
        """Register, then deregister."""
        registered, failed = self._in_chunks(elbv2.register, arn, plan.register)
        if failed:
            return Applied(registered=registered, failed=failed)
        deregistered, failed = self._in_chunks(elbv2.deregister, arn, plan.deregister)
        return Applied(registered=registered, deregistered=deregistered, failed=failed)

    def exchange(self, arn: str, leaving: Target, coming: Wanted) -> Applied:
        """Deregister one and register another in its place, where the quota leaves no room to do it the other way."""
        deregistered, failed = self._in_chunks(elbv2.deregister, arn, (leaving,))
        if failed:
            return Applied(failed=failed)
        registered, failed = self._in_chunks(elbv2.register, arn, (coming,))
        return Applied(registered=registered, deregistered=deregistered, failed=failed)

    def _in_chunks[T](
        self, call: Callable[[Clients, str, Sequence[T]], Unread | None], arn: str, targets: Sequence[T]
    ) -> tuple[tuple[T, ...], Unread | None]:
        """Those that AWS said yes to, up to the first call that it refused."""
        done: tuple[T, ...] = ()
        for chunk in elbv2.chunks(targets):
            self.pace()
            failed = call(self.client, arn, chunk)
            if failed:
                return done, failed
            done += chunk
        return done, None
