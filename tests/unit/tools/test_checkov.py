"""tools/checkov.py: what fails besides checkov's own findings. With checkov itself: tests/e2e/test_checkov.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.checkov import ROOT, findings, templates

QUEUE = """\
Resources:
  Queue:
    Type: AWS::SQS::Queue
    # checkov:skip=CKV_AWS_27: nothing that is in it is anybody's secret
    Properties: {}
"""


def check(kind: str, name: str = "queue.yaml", lines: tuple[int, int] = (2, 5)) -> Mapping[str, object]:
    return {
        "check_id": "CKV_AWS_27",
        "check_name": "Ensure all data is encrypted",
        "check_result": {"result": kind},
        "file_path": f"/{name}",
        "file_line_range": [*lines],
        "resource": "AWS::SQS::Queue.Queue",
    }


def found(folder: Path, text: str, **results: Sequence[Mapping[str, object]]) -> list[str]:
    (folder / "queue.yaml").write_text(text)
    said = {"results": {f"{kind}_checks": checks for kind, checks in results.items()}}
    return list(findings(folder, ["queue.yaml"], said))


def test_a_suppression_that_is_needed_and_gives_a_reason_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, QUEUE, skipped=[check("SKIPPED")]) == []


def test_what_checkov_finds_is_told_with_its_place(tmp_path: Path) -> None:
    text = QUEUE.replace("# checkov:skip", "# skip")
    expected = ["queue.yaml:2: CKV_AWS_27 Queue: Ensure all data is encrypted"]
    assert found(tmp_path, text, failed=[check("FAILED")]) == expected


def test_a_suppression_without_a_reason_is_a_finding(tmp_path: Path) -> None:
    for reason in ("", ":", ": false positive", ":not needed here"):
        text = QUEUE.replace(": nothing that is in it is anybody's secret", reason)
        expected = ["queue.yaml:4: CKV_AWS_27 is suppressed without a reason"]
        assert found(tmp_path, text, skipped=[check("SKIPPED")]) == expected


def test_a_suppression_that_nothing_needs_is_a_finding(tmp_path: Path) -> None:
    expected = ["queue.yaml:4: CKV_AWS_27 is suppressed where nothing needs it"]
    assert found(tmp_path, QUEUE, passed=[check("PASSED")]) == expected
    assert found(tmp_path, QUEUE, passed=[check("PASSED")], skipped=[check("SKIPPED", lines=(7, 9))]) == expected
    others = [check("SKIPPED", name="other.yaml"), {**check("SKIPPED"), "check_id": "CKV_AWS_28"}]
    assert found(tmp_path, QUEUE, passed=[check("PASSED")], skipped=others) == expected


def test_a_template_of_which_checkov_says_nothing_is_a_finding(tmp_path: Path) -> None:
    text = QUEUE.replace("# checkov:skip", "# skip")
    expected = ["queue.yaml: checkov could not read it, or found nothing in it to check"]
    assert found(tmp_path, text) == expected
    assert found(tmp_path, text, passed=[check("PASSED", name="other.yaml")]) == expected
    (tmp_path / "queue.yaml").write_text(text)
    assert (
        list(findings(tmp_path, ["queue.yaml"], {"passed": 0, "failed": 0})) == expected
    )  # where it has nothing at all


def test_every_template_is_looked_at() -> None:
    examples = sorted(f"examples/{one.name}" for one in (ROOT / "examples").iterdir())
    assert templates(ROOT) == [*examples, "organization.yaml", "template.yaml"]
