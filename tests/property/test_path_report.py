"""Path reports of Regions in which anything may lead anywhere, or be missing, or unread; with names that attack."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apprunner_guardrails.alerts import safe
from apprunner_guardrails.facts import Network, Paths, Service, Unread, VpcLink, is_over, known
from apprunner_guardrails.findings import Finding, Severity, Status
from apprunner_guardrails.paths.render import LINE_LIMIT, WIDTH, as_json, digest_lines, text
from apprunner_guardrails.paths.report import Chain, Report, State
from replay.diagrams import markdown, svg
from tests.cases._healthy import healthy
from tests.cases._healthy_path import API, BALANCER, CONNECTOR, ENDPOINT, GROUP, INGRESS, INTEGRATION, LINK, SERVICE
from tests.unit.alerts.hostile import TEXTS
from tests.unit.alerts.shapes import faults
from tests.unit.paths.examples import Account, parsed

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/path-report-1.json").read_text(encoding="utf-8"))
SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = (1, 2, 3)
UNREAD = st.sampled_from(
    [
        Unread(call=f"{of}:Call", code="AccessDenied\n<script>alert(1)</script>")
        for of in ("apprunner", "ec2", "elasticloadbalancing", "tag", "apigateway", "apigatewayv2")
    ]
)
SUBNETS = tuple(f"subnet-private-{number}" for number in (1, 2, 4, 9))
MESSAGES = st.lists(
    TEXTS | st.sampled_from([f"{one} is wrong" for one in SUBNETS]), min_size=1, max_size=3, unique=True
)


def some(arn: str, number: int) -> str:
    return arn.replace("/orders", f"/orders{number}")


def of(arns: Iterable[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(arns)), unique=True, max_size=3).map(lambda found: tuple(sorted(found)))


def or_unread[T](facts: st.SearchStrategy[T]) -> st.SearchStrategy[T | Unread]:
    return st.one_of(facts, facts, facts, UNREAD)


SERVICES = tuple(some(SERVICE.arn, number) for number in NUMBERS)
CONNECTORS = tuple(some(CONNECTOR.arn, number) for number in NUMBERS)
ENDPOINTS = tuple(f"vpce-{number}" for number in NUMBERS)
GROUPS = tuple(f"{GROUP.arn}{number}" for number in NUMBERS)
BALANCERS = tuple(some(BALANCER.arn, number) for number in NUMBERS)
LINKS = tuple(f"link{number}" for number in NUMBERS)
HOSTS = (*(f"h{number}.example.com" for number in NUMBERS), "*.example.com", "")


@st.composite
def services(draw: st.DrawFn) -> dict[str, Service | Unread]:
    def one(arn: str) -> st.SearchStrategy[Service]:
        return st.builds(
            lambda **fields: replace(SERVICE, arn=arn, ingress=(), connector=None, **fields),
            name=TEXTS,
            public=st.booleans(),
            url=st.sampled_from(HOSTS),
            status=st.sampled_from(("RUNNING", "RUNNING", "PAUSED", "DELETED")),
            connector_arn=st.sampled_from(("", *CONNECTORS)),
        )

    return {arn: draw(or_unread(one(arn))) for arn in draw(of(SERVICES))}


@st.composite
def networks(draw: st.DrawFn) -> Network:
    network = healthy().network
    cut: dict[str, Any] = {
        name: draw(UNREAD)
        for name in draw(
            st.lists(st.sampled_from(("subnets", "route_tables", "nat_gateways", "destinations")), max_size=2)
        )
    }
    tables = known(network.route_tables)
    return replace(network, **{"route_tables": draw(st.lists(st.sampled_from(tables), unique=True)), **cut})


@st.composite
def paths(draw: st.DrawFn) -> Paths:
    links = draw(st.lists(st.sampled_from(LINKS), unique=True))
    link = or_unread(
        st.builds(
            lambda number, **fields: replace(LINK, id=number, **fields),
            number=st.sampled_from(LINKS),
            name=TEXTS,
            why=TEXTS,
            status=st.sampled_from(("AVAILABLE", "FAILED")),
        )
    )
    integration = st.builds(
        lambda host, link, **fields: replace(INTEGRATION, uri=f"https://{host}/", link=link, **fields),
        host=st.sampled_from((*HOSTS, "nobody.example.org")),
        link=st.none() | link,
        where=TEXTS,
        link_id=st.sampled_from(("", *LINKS)),
        balancer_arn=or_unread(st.sampled_from(("", *BALANCERS))),
    )
    found_links: tuple[VpcLink, ...] = tuple(replace(LINK, id=one, name=draw(TEXTS)) for one in links)
    return Paths(
        ingress={
            arn: draw(
                or_unread(
                    st.builds(
                        lambda arn=arn, **fields: replace(INGRESS, arn=arn, **fields),
                        name=TEXTS,
                        service_arn=st.sampled_from(SERVICES),
                        endpoint_id=st.sampled_from(ENDPOINTS),
                        domain=st.sampled_from(HOSTS),
                        endpoint=st.none() | UNREAD,
                    )
                )
            )
            for arn in draw(of(some(INGRESS.arn, number) for number in NUMBERS))
        },
        endpoints=tuple(
            replace(ENDPOINT, endpoint=replace(ENDPOINT.endpoint, id=name), balancers=draw(or_unread(st.just(()))))
            for name in draw(of(ENDPOINTS))
        ),
        groups=tuple(
            replace(
                GROUP,
                group=replace(GROUP.group, arn=arn, name=draw(TEXTS), load_balancer_arns=draw(of(BALANCERS))),
                endpoint_ids=draw(of(ENDPOINTS)),
                targets=draw(or_unread(st.just(known(GROUP.targets)))),
            )
            for arn in draw(of(GROUPS))
        ),
        balancers=tuple(
            replace(
                BALANCER,
                balancer=replace(BALANCER.balancer, arn=arn, name=draw(TEXTS), internal=draw(st.booleans())),
                links=draw(or_unread(st.just(found_links))),
                listeners=draw(or_unread(st.just(()))),
            )
            for arn in draw(of(BALANCERS))
        ),
        apis=tuple(
            replace(
                API,
                id=f"api{number}",
                name=draw(TEXTS),
                integrations=draw(or_unread(st.lists(integration, max_size=3).map(tuple))),
                stages=draw(or_unread(st.just(known(API.stages)))),
            )
            for number in draw(st.lists(st.sampled_from(NUMBERS), unique=True))
        ),
        domains={arn: draw(or_unread(of(HOSTS))) for arn in draw(of(SERVICES))},
        unlisted=tuple(draw(st.lists(UNREAD, max_size=2))),
    )


RULES = {
    ":service/": ("AR401", "AR403", "AR409", "AR901"),
    ":vpcconnector/": ("AR101", "AR102", "AR108", "AR113", "AR203", "AR306"),
    ":vpcingressconnection/": ("AR501", "AR503"),
    ":vpc-endpoint/": ("AR504", "AR505"),
    ":targetgroup/": ("AR507", "AR511"),
    ":loadbalancer/": ("AR512", "AR513"),
    ":/restapis/": ("AR601", "AR604"),
}


@st.composite
def findings(draw: st.DrawFn, resource: str) -> tuple[Finding, ...]:
    rules = next(rules for part, rules in RULES.items() if part in resource)
    return tuple(
        Finding(
            resource=resource,
            rule=rule,
            name="",
            title="a rule",
            severity=draw(st.sampled_from(Severity)),
            status=status,
            messages=tuple(sorted(draw(MESSAGES))) if status in (Status.FAIL, Status.EXEMPT) else (),
            unread=draw(TEXTS.filter(bool)) if status in (Status.UNKNOWN, Status.ERROR) else draw(st.just("") | TEXTS),
        )
        for rule in draw(st.lists(st.sampled_from(rules), unique=True, max_size=3))
        for status in [draw(st.sampled_from([one for one in Status if one is not Status.PASS]))]
    )


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    account = Account(
        services=draw(services()),
        connectors={
            arn: replace(CONNECTOR, arn=arn, name=draw(TEXTS), subnet_ids=draw(of(SUBNETS)) or SUBNETS[:1])
            for arn in draw(of(CONNECTORS))
        },
        networks={arn: draw(networks()) for arn in draw(of(CONNECTORS))},
        paths=draw(paths()),
        answers={},
    )
    there = (
        *account.services,
        *account.connectors,
        *account.paths.ingress,
        *(one.arn for some in (account.paths.endpoints, account.paths.groups, account.paths.balancers) for one in some),
        *(one.arn for one in account.paths.apis),
    )
    return replace(account, answers={arn: draw(findings(arn)) for arn in there if draw(st.integers(0, 5))})


REPORTS = accounts().map(lambda account: (account, account.report()))


@given(REPORTS)
@settings(max_examples=60)
def test_every_service_that_is_there_has_one_chain(made: tuple[Account, Report]) -> None:
    account, report = made
    there = [arn for arn, one in account.services.items() if not is_over(one)]
    arns = [one.service.arn for one in report.chains]
    assert sorted(arns) == sorted(there)
    assert [(one.service.name, one.service.arn) for one in report.chains] == sorted(
        (one.service.name, one.service.arn) for one in report.chains
    )
    for chain in report.chains:
        assert chain.ways_in
        assert chain.ways_out
        assert chain.service in chain.hops
        assert all(len({hop.kind for hop in way}) == len(way) for way in (*chain.ways_in, *chain.ways_out))


@given(REPORTS)
@settings(max_examples=60)
def test_every_failing_answer_about_a_hop_is_on_one_kind_of_hop(made: tuple[Account, Report]) -> None:
    account, report = made
    for chain in report.chains:
        for finding in _of(account, chain):
            on = [hop for hop in chain.hops for one in hop.answers if _is(one, finding)]
            assert len({hop.kind for hop in on}) == 1, finding
            told = {message for hop in on for one in hop.answers if _is(one, finding) for message in one.messages}
            assert told >= set(map(safe, finding.messages))


def _of(account: Account, chain: Chain) -> list[Finding]:
    """What fails of the resources that are hops of the chain."""
    there = {hop.arn for hop in chain.hops}
    return [one for arn, found in account.answers.items() if arn in there for one in found if one.status is Status.FAIL]


def _is(answer: Any, finding: Finding) -> bool:
    return answer.rule == finding.rule and set(answer.messages) & set(map(safe, finding.messages)) != set()


@given(REPORTS)
@settings(max_examples=60)
def test_states_come_from_answers_and_from_what_is_there(made: tuple[Account, Report]) -> None:
    _, report = made
    for chain in report.chains:
        assert chain.state == min((hop.state for hop in chain.hops), key=lambda state: state.rank)
        for hop in chain.hops:
            statuses = {one.status for one in hop.answers}
            assert (hop.state is State.FAILS) == (Status.FAIL in statuses)
            if hop.unread or any(one.unread for one in hop.answers):
                assert hop.state in (State.FAILS, State.ABSENT, State.UNKNOWN)
            if hop.state is State.OK:
                assert not hop.answers
            if hop.state is State.EXEMPT:
                assert statuses == {Status.EXEMPT}


@given(REPORTS)
@settings(max_examples=60)
def test_no_text_from_outside_gets_out_of_its_place(made: tuple[Account, Report]) -> None:
    _, report = made
    lines = text(report).split("\n")
    assert all(line.isprintable() and len(line) <= WIDTH for line in lines)
    for one in digest_lines(report):
        assert one.line.isprintable()
        assert len(one.line) <= LINE_LIMIT
    _is_harmless_markdown(markdown(report))
    _is_harmless_svg(svg(report))
    told = json.loads(json.dumps(as_json(report)))
    assert faults(told, SCHEMA) == []


def _is_harmless_markdown(page: str) -> None:
    fences = ("```mermaid", "```")
    ours = page.replace("<br/>", "")
    lines = ours.split("\n")
    assert ours.splitlines() == lines[:-1]
    assert [line for line in lines if re.search("[<>&`]", line.replace(" --> ", "")) and line not in fences] == []
    assert "://" not in ours
    heads = ("# ", "## ", "- ", "There may be more", "flowchart LR", "    accTitle: ", "    hop", "    classDef ")
    assert [line for line in lines if line and line not in fences and not line.startswith(heads)] == []
    for line in lines:
        if line.startswith("    hop") and " --> " not in line:
            assert re.fullmatch(r'    hop\d+(\["[^"]*"\]|\("[^"]*"\)|\{\{"[^"]*"\}\}):::\w+', line), line


def _is_harmless_svg(picture: str) -> None:
    root = parsed(picture)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "g", "rect", "text", "path")
    }
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes <= {
        *("role", "aria-labelledby", "aria-label", "viewBox", "width", "height", "id", "class", "x", "y", "rx", "d")
    }
    assert "<script" not in picture
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    boxes = [tuple(int(one.attrib[name]) for name in ("x", "y", "width", "height")) for one in root.iter(f"{SVG}rect")]
    assert all(x >= 0 and y >= 0 and x + wide <= width and y + high <= height for x, y, wide, high in boxes)
    assert not _overlapping(boxes)


def _overlapping(boxes: Sequence[tuple[int, ...]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if abs(one[0] - other[0]) < one[2] and abs(one[1] - other[1]) < one[3]
    ]
