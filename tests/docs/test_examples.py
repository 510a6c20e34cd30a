"""The examples of README and docs run, and show what they say they show."""

import re
import subprocess
import sys
from contextlib import ExitStack

import pytest

from mqtt.broker import NEEDS_BROKER, Broker
from repository.distributions import ROOT

PAGES = [
    *ROOT.glob("README*.md"),
    *ROOT.glob("packages/*/README.md"),
    *(ROOT / "docs").rglob("*.md"),
]
WALKED = {"start", "tutorials"}  # by test_walk, each page as a whole
AT_HOME = "mqtt://localhost:1883"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def examples():
    for page in PAGES:
        if page.parent.name in WALKED or page.parent.name == "decisions":
            continue
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            line = page.read_text(encoding="utf-8").count("\n", 0, found.start()) + 1
            marks = NEEDS_BROKER if AT_HOME in found[1] else []
            yield pytest.param(
                found[1], found[2], id=f"{page.relative_to(ROOT)}:{line}", marks=marks
            )


@pytest.fixture
def as_here(tmp_path):
    """Put a broker of the test's own into an example that needs one."""
    with ExitStack() as open_brokers:

        def put(code):
            if AT_HOME not in code:
                return code
            return code.replace(AT_HOME, open_brokers.enter_context(Broker(tmp_path)).url)

        yield put


@pytest.mark.parametrize(("code", "shown"), list(examples()))
def test_an_example_runs_and_shows_what_it_says(tmp_path, as_here, code, shown):
    script = tmp_path / "example.py"
    script.write_text(as_here(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if shown is not None:
        assert done.stdout == shown


def test_there_are_examples_to_run():
    assert len(list(examples())) >= 4
