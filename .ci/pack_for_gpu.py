"""Packs wheels for a GPU machine without a network, which has Python 3.12, torch 2.11 for CUDA 13 and triton 3.6.

    python .ci/pack_for_gpu.py [--dry-run] FOLDER [PACKAGE ...]

What the machine has besides can be named (numpy, matplotlib, sympy): it is left out, with all that only it needs. The
versions are those of the environment that this runs in, which must hold rnn-harness with its test extra. It ends with
the commands for the GPU machine; --dry-run prints what it would pack, and packs nothing.
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


def commands_on_the_machine(folder: Path) -> list[str]:
    """Return what is typed on the GPU machine, where the folder of wheels lies.

    Args:
        folder: The folder; its name alone counts.
    """
    return [
        f"python3 -m pip install --no-index --no-deps --upgrade --target site {folder.name}/*.whl",
        "PYTHONPATH=site python3 -m rnn_harness gpu OUT --budget 480",
    ]


def main(arguments: list[str]) -> None:
    """Download wheels of everything but torch and triton, and build that of the project.

    Args:
        arguments: What was typed behind the script's name.
    """
    is_dry = "--dry-run" in arguments
    unknown = [text for text in arguments if text.startswith("-") and text != "--dry-run"]
    names = [text for text in arguments if not text.startswith("-")]
    if unknown or not names:
        typed = f"; {unknown[0]} is no option" if unknown else ""
        raise SystemExit(
            f"expected the folder for the wheels: python .ci/pack_for_gpu.py [--dry-run] FOLDER [PACKAGE ...]{typed}"
        )
    folder, present = Path(names[0]), {canonicalize_name(name) for name in (*ON_THE_MACHINE, *names[1:])}
    packages = [
        f"{name}=={number}" for name, number in sorted(needed_packages(project_requirements(), present).items())
    ]
    if is_dry:
        print("\n".join([*packages, f"rnn-harness, built from {ROOT}"]))
    else:
        _pack(folder, packages)
    print("on the GPU machine:")
    for command in commands_on_the_machine(folder):
        print(f"    {command}")


def _pack(folder: Path, packages: list[str]) -> None:
    """Download the wheels of packages and build that of the project, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    platforms = [option for name in PLATFORMS for option in ("--platform", f"{name}_x86_64")]
    versions = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    pip("download", "--quiet", "--no-deps", "--dest", str(folder), *versions, *platforms, *packages)
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    wheels = sorted(folder.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    print(f"{len(wheels)} wheels, {size:.0f} MiB, in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
