"""Sync keeps its promises through whatever happens, and each promise would be seen to be broken."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from botocore.model import ServiceModel
from botocore.session import Session
from botocore.validate import validate_parameters
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from apprunner_guardrails.aws import elbv2
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import EndpointInterface, InterfaceEndpoint, Target, TargetGroup, Unread, Wanted
from apprunner_guardrails.settings import Policy
from apprunner_guardrails.targets import plan as plans
from apprunner_guardrails.targets import reconcile
from apprunner_guardrails.targets.apply import Applied, Applier
from apprunner_guardrails.targets.binding import Gone, Resolved, Seen, resolve
from apprunner_guardrails.targets.plan import Plan
from tests.fake_aws import FakeAws
from tests.property.targets_life import Broken, Life, Promise

EXAMPLES, STEPS = 500, 50


class LifeOne(Life):
    """A part of the examples, for a process of its own; its seed follows from its name."""


class LifeTwo(Life):
    """Another part."""


class LifeThree(Life):
    """Another part."""


class LifeFour(Life):
    """Another part."""


PARTS = (LifeOne, LifeTwo, LifeThree, LifeFour)


@pytest.mark.parametrize("life", PARTS)
def test_sync_keeps_its_promises(life: type[Life]) -> None:
    examples = max(EXAMPLES, settings().max_examples) // len(PARTS)
    run_state_machine_as_test(life, settings=settings(max_examples=examples, stateful_step_count=STEPS))


class InShape(FakeAws):
    """Refuses what AWS's models do not know, and answers nothing else."""

    def _call(self, service: str, operation: str, answer: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        model = _model(service).operation_model(operation)
        told = super()._call(service, operation, answer, parameters)
        # The model wants one tag at least where AWS tells of a group that has none.
        rows = [{**row, "Tags": row["Tags"] or [{"Key": "any"}]} for row in told.get("TagDescriptions", ())]
        body = {name: told[name] for name in told if name != "ResponseMetadata"} | (
            {"TagDescriptions": rows} if rows else {}
        )
        for content, shape in ((parameters, model.input_shape), (body, model.output_shape)):
            if shape:
                validate_parameters(content, shape)
        return told


@cache
def _model(service: str) -> ServiceModel:
    return Session().get_service_model(service)


class LifeInShape(Life):
    aws_type = InShape


def test_what_sync_asks_and_is_told_has_the_shapes_of_aws() -> None:
    run_state_machine_as_test(LifeInShape, settings=settings(max_examples=20, stateful_step_count=STEPS))


# Each promise can be broken ---------------------------------------------------------------------------------------


type Patch = tuple[object, str, object]  # what stands in for an attribute of what


def _apart(*steps: str) -> Callable[[Applier, str, Plan], Applied]:
    """Do what a plan says in these steps, whatever comes of the one before."""

    def applied(applier: Applier, arn: str, plan: Plan) -> Applied:
        parts = {"register": Plan(register=plan.register), "deregister": Plan(deregister=plan.deregister)}
        return [APPLY(applier, arn, parts[step]) for step in steps][-1]

    return applied


def _hold_nothing(wanted: Sequence[Wanted], registered: Iterable[Target], *, cross_zone: bool = False) -> Plan:
    there = plans.present(registered)
    return Plan(register=plans.missing(wanted, there), deregister=plans.stale(wanted, there))


def _replace_all(wanted: Sequence[Wanted], registered: Iterable[Target], *, cross_zone: bool = False) -> Plan:
    """Where one is missing, take the new ones for all."""
    there = plans.present(registered)
    new = plans.missing(wanted, there)
    return Plan(register=new, deregister=plans.stale(new, there) if new else ())


def _unknown_is_nothing(
    group: TargetGroup, endpoints: Mapping[str, Seen | Unread], interfaces: Mapping[str, EndpointInterface | Unread]
) -> Resolved | Unread:
    """Nothing is wanted where it is not known what is."""
    resolved = resolve(group, endpoints, interfaces)
    return resolved if isinstance(resolved, Unread) else replace(resolved, refused=False)


def _unread_is_nothing(
    group: TargetGroup, endpoints: Mapping[str, Seen | Unread], interfaces: Mapping[str, EndpointInterface | Unread]
) -> Resolved | Unread:
    """Interfaces that could not be read are none."""

    def of(endpoint: Seen | Unread) -> Seen | Unread:
        if not isinstance(endpoint, InterfaceEndpoint):
            return endpoint
        ids = tuple(one for one in endpoint.interface_ids if not isinstance(interfaces[one], Unread))
        return replace(endpoint, interface_ids=ids, subnet_ids=endpoint.subnet_ids[: len(ids)])

    return resolve(group, {name: of(endpoint) for name, endpoint in endpoints.items()}, interfaces)


def _unlisted_is_gone(
    reads: Reads, listed: Mapping[str, InterfaceEndpoint | Unread | None]
) -> Mapping[str, Seen | Unread]:
    return {name: Gone() if one is None else one for name, one in listed.items()}


def _exchange_any(
    wanted: Sequence[Wanted], registered: Iterable[Target], *, cross_zone: bool = False
) -> tuple[Target, Wanted] | None:
    there = plans.present(registered)
    pairs = zip(plans.stale(wanted, there), plans.missing(wanted, there), strict=False)
    return next(pairs, None)


def _draining_counts(registered: Iterable[Target]) -> Mapping[str, Target]:
    return {one.key: one for one in registered}


def _everything_is_missing(wanted: Iterable[Wanted], there: object) -> tuple[Wanted, ...]:
    return tuple(wanted)


APPLY = Applier.apply
HOLD_NOTHING: Patch = (plans, "plan", _hold_nothing)
MUTATIONS: Mapping[str, tuple[Sequence[Patch], Sequence[Promise]]] = {
    "deregisters first": ([(Applier, "apply", _apart("deregister", "register"))], [Promise.ORDER]),
    "deregisters though registering failed": ([(Applier, "apply", _apart("register", "deregister"))], [Promise.ORDER]),
    "holds nothing": ([HOLD_NOTHING], [Promise.HOLD, Promise.LAST_HEALTHY]),
    "takes load to cross zones": ([(elbv2, "crosses_zones", lambda *_: True)], [Promise.HOLD]),
    "takes the new targets for all": (
        [(plans, "plan", _replace_all)],
        [Promise.HEALTHY_WANTED, Promise.ONLY_WANTED, Promise.REACHED],
    ),
    "makes room by whatever target comes first": ([(plans, "exchange", _exchange_any)], [Promise.HOLD]),
    "empties what follows nothing": (
        [HOLD_NOTHING, (reconcile, "resolve", _unknown_is_nothing)],
        [Promise.LAST_HEALTHY, Promise.ONLY_WANTED],
    ),
    "takes interfaces that it could not read for none": (
        [(reconcile, "resolve", _unread_is_nothing)],
        [Promise.WHOLE_READS, Promise.HEALTHY_WANTED],
    ),
    "asks for a missing endpoint once": ([(reconcile, "_confirmed", _unlisted_is_gone)], [Promise.WHOLE_READS]),
    "believes the index of tags": ([(elbv2, "tags_of", lambda *_: dict)], [Promise.ONLY_BOUND]),
    "knows one policy": (
        [(plans, "POLICIES", dict.fromkeys(Policy, lambda plan: plan))],
        [Promise.POLICY],
    ),
    "counts what drains": ([(plans, "present", _draining_counts)], [Promise.REACHED]),
    "registers what is there": ([(plans, "missing", _everything_is_missing)], [Promise.QUIET]),
}


@pytest.mark.parametrize(
    ("mutation", "promise"), [(name, promise) for name, (_, broken) in MUTATIONS.items() for promise in broken]
)
def test_a_sync_that_is_not_careful_breaks_its_promise(mutation: str, promise: Promise) -> None:
    patches, _ = MUTATIONS[mutation]
    found = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, phases=[Phase.generate], report_multiple_bugs=False
    )
    with ExitStack() as stack:
        for owner, attribute, mutant in patches:
            stack.enter_context(patch.object(owner, attribute, mutant))
        with pytest.raises(Broken) as broken:
            run_state_machine_as_test(only(promise), settings=found)
    assert broken.value.promise is promise


def only(promise: Promise) -> type[Life]:
    """A life that looks at one promise, so that no other that breaks hides it."""

    class Watched(Life):
        promises = frozenset({promise})

    return Watched


def test_every_promise_is_seen_to_be_broken() -> None:
    assert {promise for _, broken in MUTATIONS.values() for promise in broken} == set(Promise)
