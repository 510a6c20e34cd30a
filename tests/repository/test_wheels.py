"""The wheels install side by side, in any order, and one of them can go again."""

import random
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import pytest

from repository.distributions import ROOT, distributions

NAMES = [each.name for each in distributions()]
PACKAGES = [
    module
    for each in distributions()
    for module, path in each.modules.items()
    if path.name == "__init__.py"
]
PLUG_IN = "cascade-connector-mqtt"

pytestmark = pytest.mark.slow


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    built = {}
    for each in distributions():
        target = folder / each.name
        run(
            sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=each.folder
        )
        (built[each.name],) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Return a folder with all that is installed here, but nothing of Cascade."""
    folder = tmp_path_factory.mktemp("others")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "cascade" not in entry.name:
            (folder / entry.name).symlink_to(entry)
    return folder


class Venv:
    """A virtual environment that sees other people's packages, and Cascade's as installed."""

    def __init__(self, folder: Path, others: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self.python = folder / "bin" / "python"
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "others.pth").write_text(f"{others}\n")

    def pip(self, command, *arguments):
        # The environment has no pip, but sees the one that is installed here.
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        run(self.python, "-m", "pip", command, *quiet, *arguments)

    def install(self, wheel):
        self.pip("install", "--no-deps", "--no-index", "--no-compile", wheel)

    def uninstall(self, name):
        self.pip("uninstall", "--yes", name)

    def run(self, program):
        return run(self.python, "-I", "-B", "-c", program)


def imports(packages):
    return "".join(f"import {package}\n" for package in packages)


def shuffled(names):
    return random.Random(7).sample(names, len(names))


def test_no_file_is_in_two_wheels(wheels):
    counts = Counter(name for wheel in wheels.values() for name in ZipFile(wheel).namelist())
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_source_file_is_in_its_wheel(wheels):
    for each in distributions():
        source = each.folder / "src"
        files = {
            path.relative_to(source).as_posix()
            for path in source.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        shipped = {
            name for name in ZipFile(wheels[each.name]).namelist() if ".dist-info/" not in name
        }
        assert shipped == files, each.name


def test_every_wheel_brings_the_licence(wheels):
    for wheel in wheels.values():
        assert any(name.endswith("licenses/LICENSE") for name in ZipFile(wheel).namelist())


def test_every_distribution_has_the_licence_itself():
    # A link would point nowhere in a source distribution.
    licence = (ROOT / "LICENSE").read_bytes()
    for each in distributions():
        file = each.folder / "LICENSE"
        assert not file.is_symlink(), each.name
        assert file.read_bytes() == licence, each.name


def test_every_wheel_shows_its_readme(wheels):
    for name, wheel in wheels.items():
        archive = ZipFile(wheel)
        (file,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        headers, _, text = archive.read(file).decode("utf-8").partition("\n\n")
        assert "\nDescription-Content-Type: text/markdown" in headers
        assert text.startswith(f"# {name}\n")


@pytest.mark.parametrize(
    "order", [NAMES, NAMES[::-1], shuffled(NAMES)], ids=["forward", "reverse", "shuffled"]
)
def test_wheels_work_in_any_order_and_without_the_plug_in(order, wheels, others, tmp_path):
    venv = Venv(tmp_path / "venv", others)
    for name in order:
        venv.install(wheels[name])
    where = venv.run(imports(PACKAGES) + "print(cascade.__file__)")
    assert Path(where.strip()).is_relative_to(tmp_path)

    venv.uninstall(PLUG_IN)
    rest = [package for package in PACKAGES if package != "cascade.connectors.mqtt"]
    gone = (
        "from importlib.util import find_spec\nassert find_spec('cascade.connectors.mqtt') is None"
    )
    venv.run(imports(rest) + gone)
