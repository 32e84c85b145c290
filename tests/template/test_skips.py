"""tests/conftest.py: where CI is set, a test that skips itself fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import pytest

def test_that_runs():
    pass

def test_that_skips_itself():
    pytest.skip("no engine")

@pytest.mark.skip(reason="marked")
def test_that_is_marked():
    pass

@pytest.mark.xfail(reason="known")
def test_that_is_expected_to_fail():
    raise AssertionError
"""
WHOLE_FILE = 'import pytest\npytest.skip("whole file", allow_module_level=True)\n'


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("", "1 passed, 3 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 xfailed, 2 errors")],
    ids=["elsewhere", "in CI"],
)
def test_a_skipped_test_fails_only_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_whole_file.py").write_text(WHOLE_FILE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors"],
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    if ci:
        assert "skipped where CI is set" in done.stdout
        assert "no engine" in done.stdout
