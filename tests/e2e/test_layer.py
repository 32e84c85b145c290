"""What the layer ships, built as SAM builds it: our own package, those that are locked, and nothing else."""

import csv
import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/guardrails"


def test_the_layer_ships_what_is_locked_and_nothing_else(tmp_path: Path) -> None:
    source, shipped = tmp_path / "source", tmp_path / "artifacts/python"
    shutil.copytree(LAYER, source, ignore=shutil.ignore_patterns("__pycache__"))
    build = ["make", "build-GuardrailsLayer", f"ARTIFACTS_DIR={shipped.parent}"]
    subprocess.run(build, cwd=source, check=True)
    packages = {canonicalize_name(one.metadata["Name"]): one for one in distributions(path=[str(shipped)])}
    locked = [line.split()[0] for line in (LAYER / "requirements.txt").read_text().splitlines() if "==" in line]
    assert sorted(f"{name}=={one.version}" for name, one in packages.items()) == sorted(locked)
    theirs = {
        row[0] for one in packages.values() for row in csv.reader((one.read_text("RECORD") or "").splitlines()) if row
    }
    ours = {str(path.relative_to(source)) for path in (source / "apprunner_guardrails").rglob("*") if path.is_file()}
    files = {str(path.relative_to(shipped)) for path in shipped.rglob("*") if path.is_file()}
    assert files - theirs == ours
