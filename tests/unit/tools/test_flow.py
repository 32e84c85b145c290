"""The picture of the README, as those see it who cannot run anything: by eye, by ear, on white and on black."""

import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from replay.template import load
from tools.flow import BOX, BOXES, COLOURS, DETAIL, DETAIL_LIMIT, INK, NAME_LIMIT, WAY, WAYS, Box, picture

SVG = "{http://www.w3.org/2000/svg}"
WHITE, BLACK = "#ffffff", "#0d1117"  # of GitHub's pages
SMALL = 12  # pixels


def drawn() -> ET.Element:
    return ET.fromstring("\n".join(picture()))  # noqa: S314 - our own


def luminance(colour: str) -> float:
    """Relative luminance, www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_function_of_the_stack_is_on_it_and_no_other() -> None:
    shown = {box.name for box in BOXES.values() if box.kind == "function"}
    assert shown == {name.removesuffix("Function") for name in load().functions}


def test_every_box_leads_somewhere_or_is_led_to_from_left_to_right() -> None:
    assert {name for way in WAYS for name in way} == set(BOXES)
    assert [way for way in WAYS if BOXES[way[0]].column + 1 != BOXES[way[1]].column] == []


def test_texts_fit_their_boxes_and_boxes_stand_apart() -> None:
    for box in BOXES.values():
        assert len(box.name) <= NAME_LIMIT
        assert [text for text in box.details if len(text) > DETAIL_LIMIT] == []
        assert 17 * (len(box.details) + 1) <= box.height
    assert [pair for pair in combinations(BOXES.values(), 2) if overlap(*pair)] == []
    height = float(drawn().attrib["height"])
    assert max(box.top + box.height for box in BOXES.values()) < height


def overlap(one: Box, other: Box) -> bool:
    beside = one.left + BOX <= other.left or other.left + BOX <= one.left
    below = one.top + one.height <= other.top or other.top + other.height <= one.top
    return not (beside or below)


@pytest.mark.parametrize("fill", [fill for fill, _ in COLOURS.values()])
@pytest.mark.parametrize("ink", [INK, DETAIL])
def test_texts_can_be_read_on_their_boxes(ink: str, fill: str) -> None:
    assert contrast(ink, fill) >= 4.5


@pytest.mark.parametrize("page", [WHITE, BLACK])
def test_ways_and_boxes_are_seen_on_light_and_dark_pages(page: str) -> None:
    """3 is what WCAG asks of what is no text. A box shows by its fill or by its edge."""
    assert contrast(WAY, page) >= 3
    assert [kind for kind, colours in COLOURS.items() if max(contrast(one, page) for one in colours) < 3] == []


def test_no_text_stands_outside_of_a_box() -> None:
    """Where the page's own colour would decide whether it can be read."""
    edges = [(box.left, box.top, box.left + BOX, box.top + box.height) for box in BOXES.values()]
    for text in drawn().iter(f"{SVG}text"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        assert any(left < x < right and top + SMALL - 2 < y < bottom for left, top, right, bottom in edges), text.text


def test_who_cannot_see_it_is_told_what_is_on_it() -> None:
    root = drawn()
    told = {one.attrib.get("id"): one.text or "" for one in root}
    assert root.attrib["aria-labelledby"].split() == ["title", "described"]
    assert told["title"]
    missing = [box.name for box in BOXES.values() if box.kind == "function" and box.name not in told["described"]]
    assert missing == []
    assert not re.search(r"<script|href", "\n".join(picture()))
