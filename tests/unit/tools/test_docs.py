from pathlib import Path

import pytest

from apprunner_guardrails.rules import by_id
from tools.docs import FOLDER, PAGES, main


def test_the_pages_in_docs_are_what_the_code_makes_of_them() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize(("name", "changed"), [("rules.md", "HIGH"), ("configuration.md", "MinConnectorZones")])
def test_a_page_that_is_out_of_date_is_told_and_left_alone(
    name: str, changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([], tmp_path)
    page = tmp_path / name
    page.write_text(page.read_text().replace(changed, "x", 1))
    before = page.read_text()
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out == f"docs/{name} is out of date: run `make docs` and commit what it writes.\n"
    assert page.read_text() == before


def test_missing_pages_are_told_and_then_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "docs"
    assert main(["--check"], folder) == 1
    assert not folder.exists()
    assert main([], folder) == 0
    assert {page.name: page.read_text() for page in folder.iterdir()} == {
        name: (FOLDER / name).read_text() for name in PAGES
    }
    assert main([], folder) == 0  # nothing to do
    assert capsys.readouterr().out.splitlines()[len(PAGES) :] == [f"wrote docs/{name}" for name in PAGES]


def test_every_rule_has_its_line_and_its_section() -> None:
    lines = (FOLDER / "rules.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("## ")] == [f"## {one}" for one in sorted(by_id())]
    assert [line.partition("](")[0] for line in lines if line.startswith("| [")] == [
        f"| [{one}" for one in sorted(by_id())
    ]


def test_a_rule_of_several_kinds_of_resources_reads_what_it_does_for_each() -> None:
    section = (FOLDER / "rules.md").read_text().partition("\n## AR901\n")[2].splitlines()
    assert [line for line in section if line.startswith(("- Reads", "- Permissions"))] == [
        "- Reads: `tags`, `managed_interfaces`, `ingress_endpoints`, `bindings`, `apis`",
        (
            "- Permissions: `apigateway:GET`, `apprunner:ListTagsForResource`, `ec2:DescribeNetworkInterfaces`,"
            " `ec2:DescribeVpcEndpoints`, `elasticloadbalancing:DescribeTags`, `tag:GetResources`"
        ),
    ]
