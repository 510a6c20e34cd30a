"""What type checkers say about tasks: the composition that runs is the one that checks."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "typing"
REPORT = re.compile(r"^(?P<path>.+?):(?P<line>\d+): error: .*\[(?P<code>[\w-]+)\]$")
EXPECTED = re.compile(r"# error: ([\w, -]+)$")


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """Check both files at once, as strictly as the project itself; give (line, code) by file."""
    options = [
        f"--config-file={ROOT / 'pyproject.toml'}",
        f"--cache-dir={tmp_path_factory.mktemp('mypy')}",
        "--no-error-summary",
        "--hide-error-context",
        "--no-pretty",
    ]
    with chdir(ROOT):  # the project's settings name its sources from there
        output, failure, _ = api.run([*options, *map(str, sorted(CASES.glob("*.py")))])
    assert failure == ""
    found = {path.name: set() for path in CASES.glob("*.py")}
    for line in output.splitlines():
        error = REPORT.match(line)
        if error is not None:
            found[Path(error["path"]).name].add((int(error["line"]), error["code"]))
        else:
            assert ": note: " in line, line
    return found


@pytest.fixture(scope="module")
def reported_by_pyright(tmp_path_factory):
    """Check both files with pyright, strictly; give the lines by file, counted from 1."""
    folder = tmp_path_factory.mktemp("pyright")
    merged = folder / "merged"  # as installed: it does not follow what extends a package's path
    for package in sorted((ROOT / "packages").iterdir()):
        shutil.copytree(package / "src", merged, dirs_exist_ok=True)
    for case in CASES.glob("*.py"):
        shutil.copy(case, folder)
    settings = {"typeCheckingMode": "strict", "extraPaths": ["merged"], "include": ["*.py"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    found = {path.name: set() for path in CASES.glob("*.py")}
    for report in json.loads(run.stdout)["generalDiagnostics"]:
        found[Path(report["file"]).name].add(report["range"]["start"]["line"] + 1)
    return found


def test_what_composes_is_accepted(reported, reported_by_pyright):
    assert reported["accepted.py"] == set()
    assert reported_by_pyright["accepted.py"] == set()


def test_pyright_reports_the_same_lines(reported_by_pyright):
    lines = (CASES / "rejected.py").read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, 1) if EXPECTED.search(line)}
    assert reported_by_pyright["rejected.py"] == expected


def test_every_wrong_line_is_reported_and_no_other(reported):
    lines = (CASES / "rejected.py").read_text(encoding="utf-8").splitlines()
    expected = {
        (number, code)
        for number, line in enumerate(lines, 1)
        if (found := EXPECTED.search(line)) is not None
        for code in found[1].split(", ")
    }
    assert len(expected) > 20
    assert reported["rejected.py"] == expected
