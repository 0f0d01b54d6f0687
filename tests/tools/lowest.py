"""Run the quick tests with the lowest versions that pyproject.toml allows: `python -m tests.tools.lowest`.

Each `>=X` of the dependencies, and of what the tests import of the extra `test`, is installed as `==X` into a fresh
virtual environment; what those need in turn is the newest that fits. PyPI's torch for Linux brings CUDA's libraries,
some 5 GB while it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

NOT_IMPORTED = {"ruff", "mypy", "build"}  # .ci/run calls them in its own environment
OLD_WARNINGS = (  # of others, which the newest versions have mended; pytest makes errors of them
    # matplotlib 3.7 calls the newest pyparsing by names of old
    "ignore::pyparsing.warnings.PyparsingDeprecationWarning",
    # ipywidgets before 8.1.5 asks traitlets in a way of old
    "ignore:Deprecated in traitlets 4.1, use the instance .metadata:DeprecationWarning",
    # torch 2.2 calls lazy modules new
    "ignore:Lazy modules are a new feature:UserWarning",
    # torchvision 0.17 calls torch.meshgrid without `indexing` for maxvit_t
    "ignore:torch.meshgrid:UserWarning",
)


def requirements() -> list[Requirement]:
    """Return the requirements in pyproject.toml, each with one lower bound."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    every = [Requirement(each) for each in project["dependencies"] + project["optional-dependencies"]["test"]]
    for each in every:
        if [one.operator for one in each.specifier] != [">="]:
            raise SystemExit(f"pyproject.toml has {each}, which names no lowest version.")
    return [each for each in every if each.name not in NOT_IMPORTED]


def install(python: Path, folder: Path) -> None:
    """Install the package and the tests' libraries under constraints, and check the versions that are there."""
    lowest = [Requirement(str(each).replace(">=", "==")) for each in requirements()]
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{each}\n" for each in lowest), encoding="utf-8")
    names = [each.name for each in lowest]
    pip = [str(python), "-m", "pip"]
    execute([*pip, "install", "--quiet", "-c", str(constraints), "-e", str(ROOT), *names]).check_returncode()
    listed = execute([*pip, "list", "--format=json"], stdout=subprocess.PIPE)
    listed.check_returncode()
    versions = {canonicalize_name(each["name"]): each["version"] for each in json.loads(listed.stdout)}
    print("python", sys.version.split()[0])
    for each in lowest:
        version = versions.get(canonicalize_name(each.name), "nothing")
        print(each.name, version, flush=True)
        if version == "nothing" or not each.specifier.contains(version):
            raise SystemExit(f"{each} was to be installed, and {version} is.")


def execute(command: list[str], stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository without the variables that lead to another environment."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, encoding="utf-8", check=False)  # noqa: S603 - ours


def run(folder: Path) -> int:
    """Make or take the environment in a folder, run the quick tests in it and return pytest's exit code."""
    began = time.monotonic()
    execute([sys.executable, "-m", "venv", str(folder)]).check_returncode()
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install(python, folder)
    installed = time.monotonic()
    ignored = [option for each in OLD_WARNINGS for option in ("-W", each)]
    code = execute([str(python), "-m", "pytest", "-q", "-m", "not slow and not giant", *ignored]).returncode
    minutes = [(end - start) / 60 for start, end in ((began, installed), (installed, time.monotonic()))]
    result = "pass" if code == 0 else "FAIL"
    print(f"the lowest versions {result}: {minutes[0]:.1f} min to install, {minutes[1]:.1f} min to test")
    return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a folder for the environment, kept and used again")
    options = parser.parse_args()
    if sys.version_info < (3, 11):
        raise SystemExit("pyproject.toml is read with tomllib: use Python 3.11 or newer.")
    if options.keep:
        return run(options.keep.absolute())
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder))


if __name__ == "__main__":
    raise SystemExit(main())
