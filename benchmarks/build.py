"""Builds the layer and the functions as `sam build` does, for programs that should see what Lambda sees, and weighs
them."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_LAYER = "guardrails"


class BuildFailed(Exception):
    """The layer or a function could not be built; the text is what its Makefile said."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """`layer` is what a function finds on its path, `functions` has a folder for each, named as its source is.

    `sizes` are the bytes of each as it is uploaded, the layer's by that name.
    """

    layer: Path
    functions: Path
    sizes: Mapping[str, int]


def build(folder: Path) -> Built:
    """Build into a new folder. Each Makefile runs in a scratch copy of its own, as `sam build` has it."""
    functions = folder / "functions"
    _make(_ROOT / "layers" / _LAYER, "build-GuardrailsLayer", folder / "layer")
    for source in sorted((_ROOT / "functions").glob("*/app.py")):
        _make(
            source.parent, "build-Function", functions / source.parent.name, makefile=_ROOT / "functions" / "Makefile"
        )
    uploaded = (folder / "layer", *sorted(functions.iterdir()))
    return Built(
        layer=folder / "layer" / "python", functions=functions, sizes={one.name: zipped(one) for one in uploaded}
    )


def zipped(folder: Path) -> int:
    """Bytes of the folder as it is uploaded, deflated at zlib's usual level."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder))
    size = archive.stat().st_size
    archive.unlink()
    return size


def _make(source: Path, target: str, artifacts: Path, makefile: Path | None = None) -> None:
    artifacts.mkdir(parents=True)
    scratch = artifacts.with_name(f"{artifacts.name}-scratch")
    shutil.copytree(source, scratch, ignore=shutil.ignore_patterns("__pycache__"))
    if makefile:
        shutil.copy(makefile, scratch)
    tools = os.pathsep.join(
        map(str, (Path(sys.executable).parent, _ROOT / ".tools" / "uv" / "bin", os.environ["PATH"]))
    )
    done = subprocess.run(
        ["make", "-C", scratch, target],  # nosec B607  # noqa: S607 - the make that runs this
        env={**os.environ, "ARTIFACTS_DIR": str(artifacts), "PATH": tools},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(scratch)
    if done.returncode:
        raise BuildFailed(f"{target} could not be built:\n{done.stdout}{done.stderr}".strip())
    if done.stderr:
        print(done.stderr.strip(), file=sys.stderr)  # that it has no bytecode, perhaps
