"""`cascade new` makes projects that run, and pass their own tests."""

import os
import subprocess
import sys

import pytest

from cascade.cli import main
from cascade.cli.new_command import Kind

LEFT_OUT = ("PYTEST_", "COV_")


def run(folder, *arguments):
    """Run Python in a folder, as somebody would who has only just made it."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(LEFT_OUT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind))
def test_a_project_passes_its_own_tests(kind, here):
    assert main(["new", kind.value, "my-shop"]) == 0
    run(here / "my-shop", "-m", "pytest", "-q", "-W", "error::RuntimeWarning")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "arguments", "shown"),
    [
        ("pipeline", ["-m", "cascade.cli", "run", "my_shop:main"], "'bell: 2\\nlamp: 5'\n"),
        ("simulation", ["my_shop.py"], "1 clerks: "),
    ],
)
def test_a_project_runs_as_its_readme_says(kind, arguments, shown, here):
    main(["new", kind, "my-shop"])
    program = ["-c", "import sys; from cascade.cli import main; sys.exit(main())"]
    command = [*program, *arguments[2:]] if arguments[0] == "-m" else arguments
    assert run(here / "my-shop", *command).startswith(shown)


def test_what_is_made_is_told_and_has_the_name_in_it(here, capsys):
    assert main(["new", "agent", "my-shop"]) == 0
    made = sorted(path.as_posix() for path in (here / "my-shop").rglob("*") if path.is_file())
    told = sorted((here / line).as_posix() for line in capsys.readouterr().out.splitlines())
    assert told == made
    assert (here / "my-shop" / "tests" / "test_my_shop.py").exists()
    assert 'name = "my-shop"' in (here / "my-shop" / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("3d", "is no name"),
        ("a/b", "is no name"),
        ("class", "is no name"),
        ("json", "would hide"),
        ("cascade", "would hide"),
        ("there", "is there already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_made(name, why, here, capsys):
    (here / "there").mkdir()
    assert main(["new", "agent", name]) == 2
    assert why in capsys.readouterr().err
    assert [each.name for each in here.iterdir()] == ["there"]


def test_a_kind_that_is_none_is_refused(here, capsys):
    assert main(["new", "spaceship", "my-shop"]) == 2
    assert "'pipeline', 'agent', 'simulation'" in capsys.readouterr().err
