"""What is uploaded is weighed as it is uploaded."""

from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks import build
from benchmarks.build import BuildFailed, zipped


def test_a_folder_weighs_what_its_archive_does(tmp_path: Path) -> None:
    folder = tmp_path / "layer"
    (folder / "python").mkdir(parents=True)
    (folder / "python" / "noise").write_bytes(b"".join(sha256(bytes([number])).digest() for number in range(250)))
    noise = zipped(folder)
    (folder / "python" / "zeros").write_bytes(bytes(50_000))
    assert 8_000 < noise < 8_500
    assert noise < zipped(folder) < noise + 500
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]


def test_a_build_that_fails_says_what_its_makefile_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "layers" / "guardrails"
    source.mkdir(parents=True)
    (source / "Makefile").write_text("build-GuardrailsLayer:\n\t@echo no such package >&2; exit 1\n")
    monkeypatch.setattr(build, "_ROOT", tmp_path)
    with pytest.raises(BuildFailed, match=r"build-GuardrailsLayer could not be built:\n(.*\n)*no such package"):
        build.build(tmp_path / "built")
