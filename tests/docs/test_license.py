"""The license is the one that the pages name, whole."""

from hashlib import sha256

from tests.docs.pages import ROOT

# Of www.apache.org/licenses/LICENSE-2.0.txt.
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_the_license_is_the_text_of_apache_2_with_its_appendix() -> None:
    assert sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2


def test_who_reads_or_changes_it_is_told_the_license() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "[Apache License 2.0](LICENSE)" in (ROOT / page).read_text()
