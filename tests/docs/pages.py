"""The Markdown that people read, in parts: code blocks, code in the text, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted(page for folder in ("", "docs", "examples") for page in (ROOT / folder).glob("*.md")))
SHELL = ("console", "bash", "sh", "shell")

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: `before` is the paragraph above it, `line` where it begins."""

    page: Path
    line: int
    language: str
    body: str
    before: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    page: Path
    picture: bool
    text: str
    target: str


@cache
def _parts(page: Path) -> tuple[tuple[Block, ...], str]:
    """The page's fenced blocks, and all else with them left out."""
    blocks, prose, body = list[Block](), list[str](), list[str]()
    fence = opened = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        found = _FENCE.fullmatch(line)
        if fence is None and found and "`" not in found["info"]:
            fence, opened, body = found, number, []
        elif fence is not None and line.strip() == fence["fence"]:
            before = "\n".join(prose).rstrip().rpartition("\n\n")[2]
            language = fence["info"].split()[0] if fence["info"].split() else ""
            text = "".join(f"{one.removeprefix(fence['indent'])}\n" for one in body)
            blocks.append(Block(page=page, line=opened or 0, language=language, body=text, before=before))
            fence = None
        else:
            (prose if fence is None else body).append(line)
    assert fence is None, f"{page.name}:{opened} has a block that does not end"
    return tuple(blocks), _COMMENT.sub("", "\n".join(prose))


def blocks(page: Path, *languages: str) -> list[Block]:
    """All, or those in one of these languages."""
    return [block for block in _parts(page)[0] if not languages or block.language in languages]


def for_files(page: Path) -> Iterator[tuple[str, Block]]:
    """The blocks of what people are to write into a file, with the file's path: it ends the paragraph above."""
    for block in blocks(page):
        if named := re.search(r"`([\w./-]+)`:$", block.before):
            yield named[1], block


def spans(page: Path) -> Iterator[str]:
    """Code in the text, on one line each."""
    for _, code in _SPAN.findall(_parts(page)[1]):
        yield " ".join(code.split())


def links(page: Path) -> Iterator[Link]:
    text = _SPAN.sub(lambda code: "`" * len(code[1]), _parts(page)[1])
    for sign, said, target in _LINK.findall(text):
        yield Link(page=page, picture=bool(sign), text=said, target=target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Of the page's headings, as GitHub makes them: the second of the same name ends with -1."""
    found: dict[str, int] = {}
    names = set()
    for title in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", _parts(page)[1], re.MULTILINE):
        plain = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", title)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return frozenset(names | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", _parts(page)[1])))
