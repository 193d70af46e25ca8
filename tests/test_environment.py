"""pyproject.toml, requirements.lock and environment.yml describe one environment."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

PYTHON = SpecifierSet(PROJECT["project"]["requires-python"])
RUNTIME = PROJECT["project"]["dependencies"]
DEVELOPMENT = PROJECT["dependency-groups"]["dev"]
BUILD = PROJECT["build-system"]["requires"]

PYPI_NAMES = {"matplotlib-base": "matplotlib"}  # where conda-forge uses another name
ENTRY = re.compile(r"[a-z0-9-]+==[\w.+]+( ; [\w.<>=!'() ]+)?( +--hash=sha256:[0-9a-f]{64})+")

SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
PLATFORMS: dict[str, dict[str, str]] = {"here": {}} | {
    f"{system}-{python}": names | {"python_version": python, "python_full_version": f"{python}.0"}
    for system, names in SYSTEMS.items()
    for python in (f"3.{minor}" for minor in range(100))
    if python in PYTHON
}


def ranges(requirements: list[str]) -> dict[str, SpecifierSet]:
    """Map each name, as PyPI writes it, to the versions that it allows."""
    found: dict[str, SpecifierSet] = {}
    for each in map(Requirement, requirements):
        name = canonicalize_name(PYPI_NAMES.get(each.name, each.name))
        assert name not in found, f"{name} is listed twice."
        found[name] = each.specifier
    return found


def pins(platform: str) -> dict[str, str]:
    """Map each package that one platform installs from the lock to its version."""
    found: dict[str, str] = {}
    for each in (Requirement(line.split(" --hash")[0]) for line in LOCK):
        if each.marker is None or each.marker.evaluate(PLATFORMS[platform]):
            assert each.name not in found, f"{each.name} is locked twice for {platform}."
            found[each.name] = str(each.specifier).removeprefix("==")
    return found


def test_conda_repeats_every_runtime_range() -> None:
    """environment.yml lists Python and the runtime dependencies of pyproject.toml, with equal ranges."""
    *by_conda, by_pip = CONDA["dependencies"]
    listed = [line for line in [*by_conda, *by_pip["pip"]] if line not in ("pip", "-e .")]
    assert ranges(listed) == ranges(RUNTIME) | {"python": PYTHON}


def test_conda_installs_this_package_from_conda_forge_alone() -> None:
    """environment.yml bears the project's name, uses one channel and ends with the repository itself."""
    assert CONDA["name"] == PROJECT["project"]["name"]
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert CONDA["dependencies"][-1]["pip"][-1] == "-e ."


@pytest.mark.parametrize("platform", PLATFORMS)
def test_lock_satisfies_every_range(platform: str) -> None:
    """Each direct dependency is locked once, within its range, on every supported Python and system."""
    locked = pins(platform)
    for requirements in (RUNTIME, DEVELOPMENT, BUILD):
        for name, allowed in ranges(requirements).items():
            assert name in locked, f"{name} is not in requirements.lock."
            assert locked[name] in allowed, f"{name} is locked at {locked[name]}, the range is {allowed}."


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_one_version_for_every_python(name: str) -> None:
    """No published number depends on the Python: the lock has one numpy and one scipy."""
    assert len([line for line in LOCK if line.startswith(f"{name}==")]) == 1


def test_lock_pins_what_installs() -> None:
    """The lock holds uv, which reads it, and the build backend, which the editable install needs."""
    assert pins("here").keys() >= {"uv", *ranges(BUILD)}


def test_lock_is_made_of_hashed_pins() -> None:
    """Each line of the lock is one exact version with a sha256 or more: no option, address or path."""
    assert [line for line in LOCK if not ENTRY.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml"])
def test_no_address(name: str) -> None:
    """No file names a registry, so that each works behind any mirror."""
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
