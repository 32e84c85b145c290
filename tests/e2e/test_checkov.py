"""checkov itself, as `make template` runs it: what it finds fails, and so does what it would let through."""

import re
import shutil
from pathlib import Path

import pytest

from tools.checkov import ROOT, main, templates


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in (".cfnlintrc.yaml", *templates(ROOT)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_templates_have_no_findings(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (main(copied), *capfd.readouterr()) == (0, "", "")


def test_a_finding_and_an_unneeded_suppression_fail(
    copied: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BC_API_KEY", "somebody's")  # with which it would send what it finds somewhere
    topic = "      DisplayName: App Runner guardrails\n"
    replace(copied / "template.yaml", f"{topic}      KmsMasterKeyId: !If [HasKey, !Ref KeyArn, alias/aws/sns]\n", topic)
    replace(copied / "examples/private-api.yaml", "checkov:skip=CKV_AWS_91", "checkov:skip=CKV_AWS_999")
    assert main(copied) == 1
    output, errors = capfd.readouterr()
    assert errors == ""
    logging = "Ensure the ELBv2 (Application/Network) has access logging enabled"
    assert [re.sub(r":\d+:", ":", line) for line in output.splitlines()] == [
        f"examples/private-api.yaml: CKV_AWS_91 LoadBalancer: {logging}",
        "template.yaml: CKV_AWS_26 AlertTopic: Ensure all data stored in the SNS topic is encrypted",
        "examples/private-api.yaml: CKV_AWS_999 is suppressed where nothing needs it",
    ]


def test_a_template_that_checkov_cannot_read_fails(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (copied / ".cfnlintrc.yaml").write_text("templates: [template.yaml]")
    (copied / "template.yaml").write_text("Resources: [")
    assert main(copied) == 1
    assert capfd.readouterr().out == "template.yaml: checkov could not read it, or found nothing in it to check\n"
