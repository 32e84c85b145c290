"""Diagrams of path reports. Whole ones are in tests/unit/paths/snapshots."""

import re
from dataclasses import replace

import pytest

from apprunner_guardrails.paths.report import State
from replay.diagrams import markdown, plain, svg
from tests.cases._healthy_path import API, GROUP, SERVICE
from tests.unit.paths.examples import BROKEN, EXAMPLES, HEALTHY, PUBLIC, SEVERAL, Account, parsed

SVG = "{http://www.w3.org/2000/svg}"


def with_twins(text: str, of: str) -> str:
    """The text with the full-width twins of these characters."""
    return text.translate({ord(char): ord(char) + 0xFEE0 for char in of})


@pytest.mark.parametrize(
    ("text", "twins"),
    [
        ("orders-api_v2.example.com (a1)", ""),
        ("<script>alert('x')</script>", "<>'"),
        ('"]:::ok; click hop0 "javascript:x"', '"];'),
        ("`code` **bold** ~~gone~~ [x](y) {z}", "`*~[]{}"),
        ("@team #1 %%note $x & y | z \\", "@#%$&|\\"),
    ],
)
def test_nothing_in_a_name_means_anything_to_mermaid_or_markdown(text: str, twins: str) -> None:
    assert plain(text) == with_twins(text, twins)


def test_nothing_in_a_name_makes_a_link_or_another_line() -> None:
    assert plain("https://www.example.com") == f"https{with_twins(':', ':')}//www\u00b7example.com"
    assert plain("_loose_ snake_case") == f"{with_twins('_loose_', '_')} snake_case"
    assert plain("a\nb\u2028c") == "a?b?c"


def test_a_name_that_attacks_ends_up_in_its_label() -> None:
    name = '"]; evil["<img src=x>`\n## heading'
    drawn = HEALTHY.on_paths(apis=(replace(API, name=name),)).report()
    [line] = [line for line in markdown(drawn).splitlines() if "evil" in line]
    label = with_twins('"]; evil["<img src=x>`?## heading (a1b2c3d4e5)', '"];[<>`#')
    assert line == f'    hop1["API<br/>{label}<br/>✓ ok"]:::ok'
    texts = [element.text for element in parsed(svg(drawn)).iter() if "evil" in (element.text or "")]
    assert texts == [
        'API "]; evil["<img src=x>`?## heading (a1b2c3d4e5): ok; REST API; stage live; ANY /{proxy+}',
        '"]; evil["<img src=x>`?##…',
    ]


@pytest.mark.parametrize(
    ("state", "start", "badge"),
    [
        (State.OK, "[", "✓ ok"),
        (State.FAILS, "{{", "✗ FAILS"),
        (State.ABSENT, "(", "∅ ABSENT"),
        (State.UNKNOWN, "(", "? UNKNOWN"),
        (State.EXEMPT, "[", "~ exempt"),
    ],
)
def test_a_state_shows_by_a_mark_and_a_word_and_not_by_colour_alone(state: State, start: str, badge: str) -> None:
    several = (one.report() for one in EXAMPLES.values())
    pages, pictures = map("".join, zip(*((markdown(one), svg(one)) for one in several), strict=True))
    hops = re.findall(rf"^    hop\d+(\W+)\"[^\"]*<br/>([^\"]*)\"\W+:::{state}$", pages, re.MULTILINE)
    assert hops
    assert all(shape == start and said.startswith(badge) for shape, said in hops)
    badges = re.findall(rf'<g id="[^"]*" class="{state}">.*?class="badge"[^>]*>([^<]*)<', pictures, re.DOTALL)
    assert len(badges) == len(hops)
    assert all(said.startswith(badge) for said in badges)


def test_what_is_to_be_looked_at_stands_below_the_flowchart() -> None:
    page = markdown(BROKEN.report())
    notes = [line for line in page.splitlines() if line.startswith("- ")]
    assert [line.split(": ")[1].split()[0] for line in notes] == ["AR605", "AR507", "AR203", "AR102", "AR108"]
    assert markdown(HEALTHY.report()).count("\n- ") == 0


def columns(account: Account, name: str) -> dict[str, int]:
    """The left edge of each hop of a service's band, by its kind and name."""
    root = parsed(svg(account.report()))
    [band] = [one for one in root.iter(f"{SVG}g") if one.attrib.get("aria-label") == name]
    found = {}
    for box in band.findall(f"{SVG}g"):
        title, rect = box.find(f"{SVG}title"), box.find(f"{SVG}rect")
        assert title is not None
        assert rect is not None
        found[(title.text or "").split(": ")[0]] = int(rect.attrib["x"])
    return found


def test_hops_go_from_left_to_right() -> None:
    found = columns(HEALTHY, "orders")
    edges = sorted(set(found.values()))
    assert [sorted(name for name, x in found.items() if x == edge) for edge in edges] == [
        ["client clients"],
        ["API orders (a1b2c3d4e5)"],
        ["VPC link orders (abc123)"],
        ["load balancer orders"],
        ["target group orders"],
        ["endpoint vpce-0a1b2c3d4e5f60718"],
        ["ingress connection orders"],
        ["service orders"],
        ["connector orders"],
        ["subnet subnet-private-1", "subnet subnet-private-2", "subnet subnet-private-4"],
        ["way out nat-1", "way out nat-2", "way out nat-4"],
        ["destination the internet"],
    ]


def test_a_hop_stands_right_before_the_nearest_that_it_leads_to() -> None:
    """The internet, of a service that is public and has an ingress connection too, is beside that."""
    found = columns(HEALTHY.has(replace(SERVICE, public=True)), "orders")
    assert found["client the internet"] == found["ingress connection orders"]


def test_a_way_past_a_column_bends_around_what_stands_there() -> None:
    """Clients lead to an API, and to a target group that has no load balancer: past the columns of API and link."""
    loose = replace(GROUP, group=replace(GROUP.group, arn="arn:loose/loose", name="loose", load_balancer_arns=()))
    root = parsed(svg(HEALTHY.on_paths(groups=(GROUP, loose)).report()))
    boxes = [tuple(int(one.attrib[key]) for key in ("x", "y", "width", "height")) for one in root.iter(f"{SVG}rect")]
    ways = [one.attrib["d"] for one in root.iter(f"{SVG}path") if one.attrib["class"] == "way"]
    bent = [way for way in ways if " L" in way]
    assert bent
    for way in bent:
        for start, end in re.findall(r"([\d]+ [\d]+) L([\d]+ [\d]+)", way):
            across, down = map(int, start.split())
            to_across, to_down = map(int, end.split())
            assert down == to_down
            assert not [box for box in boxes if across <= box[0] < to_across and box[1] <= down <= box[1] + box[3]]


def test_every_service_has_a_band_of_its_own() -> None:
    root = parsed(svg(SEVERAL.report()))
    assert [one.attrib["aria-label"] for one in root.iter(f"{SVG}g") if "aria-label" in one.attrib] == [
        *("billing", "orders", "shop")
    ]


def test_who_cannot_see_the_picture_is_told_what_is_on_it() -> None:
    root = parsed(svg(BROKEN.has(PUBLIC).report()))
    ids = {one.attrib.get("id"): one.text for one in root}
    assert root.attrib["aria-labelledby"].split() == ["title", "described"]
    assert (ids["title"], ids["described"]) == (
        "Paths of App Runner services in 111122223333 us-east-1",
        "At 2026-11-21T07:00:00Z. shop (ok).",
    )


def test_a_region_without_services_is_drawn_too() -> None:
    empty = EXAMPLES["empty"].report()
    assert "No services." in svg(empty)
    assert markdown(empty) == "# Paths of App Runner services in 111122223333 us-east-1, 2026-11-21T07:00:00Z\n"
