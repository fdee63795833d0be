"""Packs wheels for a GPU machine without a network, which has Python 3.12, torch 2.11 for CUDA 13 and triton 3.6.

    python .ci/pack_for_gpu.py FOLDER [PACKAGE ...]

What the machine has besides can be named (numpy, matplotlib, sympy): it is left out, with all that only it needs. The
versions are those of the environment that this runs in, which must hold rnn-harness with its test extra. On the GPU
machine, where FOLDER lies:

    python3 -m pip install --no-index --no-deps --upgrade --target site FOLDER/*.whl
    PYTHONPATH=site python3 -m rnn_harness gpu OUT --budget 480
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHON = "3.12"
ON_THE_MACHINE = ("torch", "triton")
"""What every such machine has, built for its driver."""
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_17", "manylinux2014", "manylinux1")


def needed_packages(roots: list[str], present: set[str]) -> dict[str, str]:
    """Return all packages that requirements need, with the versions that are installed here.

    Args:
        roots: Requirements, as pip takes them.
        present: Names of packages that are left out.
    """
    found: dict[str, str] = {}
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or name in present:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            raise SystemExit(
                f"{name} is not installed here: run this in an environment with rnn-harness[test]"
            ) from None
        marker_values = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux"}
        for line in requires(name) or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({**marker_values, "extra": e}) for e in extras):
                waiting.append(needed)
    return found


def project_requirements() -> list[str]:
    """Return what the project and its tests need, by its pyproject.toml."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["test"]]


def pip(*arguments: str) -> None:
    """Run pip, and end where it does not succeed.

    Args:
        arguments: What it is called with.
    """
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)


def main() -> None:
    """Download wheels of everything but torch and triton, and build that of the project."""
    if len(sys.argv) < 2:
        raise SystemExit("expected the folder for the wheels: python .ci/pack_for_gpu.py FOLDER [PACKAGE ...]")
    present = {canonicalize_name(name) for name in (*ON_THE_MACHINE, *sys.argv[2:])}
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    packages = [
        f"{name}=={number}" for name, number in sorted(needed_packages(project_requirements(), present).items())
    ]
    platforms = [option for name in PLATFORMS for option in ("--platform", f"{name}_x86_64")]
    versions = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    pip("download", "--quiet", "--no-deps", "--dest", str(folder), *versions, *platforms, *packages)
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    wheels = sorted(folder.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    print(f"{len(wheels)} wheels, {size:.0f} MiB, in {folder}")


if __name__ == "__main__":
    main()
