"""The plug-in for pytest loads before coverage is measured, so it must not import what is measured."""

import subprocess
import sys


def test_the_plug_in_imports_nothing_of_cascade_before_a_test_asks():
    program = (
        "import sys, pytest_cascade; print([n for n in sys.modules if n.startswith('cascade')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
