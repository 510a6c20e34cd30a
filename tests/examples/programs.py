"""The programs in examples/, copied into a folder of the test's own and run there."""

import os
import shutil
import subprocess
import sys
from importlib import util

from cli.program import PROGRAM
from repository.distributions import ROOT

__all__ = ["EXAMPLES", "PATIENCE", "copied", "module", "run", "start"]

EXAMPLES = ROOT / "examples"
PATIENCE = 120  # seconds: a bound for what goes wrong, not a measure of anything


def copied(name, folder):
    """Copy an example into a folder, and return where it is."""
    return shutil.copytree(EXAMPLES / name, folder / name, ignore=shutil.ignore_patterns("__*"))


def module(name):
    """Import the program of an example."""
    spec = util.spec_from_file_location(name, EXAMPLES / name / f"{name}.py")
    made = util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def start(folder, *arguments):
    """Start ``python <program>`` or ``cascade <command>`` in a folder."""
    program, *rest = map(str, arguments)
    command = [*PROGRAM, *rest] if program == "cascade" else [sys.executable, program, *rest]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *arguments, status=0):
    """Run one to its end, and return what it printed."""
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, err
    return out
