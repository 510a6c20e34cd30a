"""Somebody walks through Start and Tutorials: every file, command and program, in order, as shown."""

import os
from pathlib import Path

import pytest

import cascade
from docs.newcomer import environment, index_of, python_programs
from docs.walk import BROKER, PATIENCE, Step, pattern, steps_of, walk
from mqtt.broker import NEEDS_BROKER, Broker
from repository.distributions import ROOT

DOCS = ROOT / "docs"
START = [DOCS / "start" / f"{name}.md" for name in ("install", "five-minutes", "what-it-is")]
TUTORIALS = [
    DOCS / "tutorials" / f"{name}.md"
    for name in ("pipeline", "agents", "durable-agents", "broker", "simulated-time", "fireflies")
]
IS_SOURCE = Path(cascade.__file__).is_relative_to(ROOT / "packages")
ON_SOURCE = [page for page in [*START, *TUTORIALS] if page.stem != "install"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="the pages type commands of a shell"),
]


@pytest.mark.skipif(not IS_SOURCE, reason="walked below, from the wheels")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, id=page.stem, marks=NEEDS_BROKER if BROKER in page.read_text("utf-8") else []
        )
        for page in ON_SOURCE
    ],
)
def test_every_block_of_a_page_does_what_it_says(page, tmp_path):
    if BROKER in page.read_text(encoding="utf-8"):
        with Broker(tmp_path) as broker:
            walk([page], tmp_path, environment(tmp_path, python_programs()), broker.url)
    else:
        walk([page], tmp_path, environment(tmp_path, python_programs()))


@pytest.mark.timeout(2 * PATIENCE)  # it installs every library that Cascade can use
@pytest.mark.skipif(IS_SOURCE, reason="needs the wheels: make test-wheels")
@pytest.mark.parametrize("pages", [pytest.param([*START, *TUTORIALS], marks=NEEDS_BROKER)])
def test_a_newcomer_walks_from_an_empty_folder_to_the_last_tutorial(pages, tmp_path):
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    assert wheels, "make wheels"
    shell = environment(tmp_path, python_programs())
    shell |= index_of(wheels, tmp_path)
    with Broker(tmp_path) as broker:
        walk(pages, tmp_path, shell, broker.url, patience=2 * PATIENCE - 20)


def test_every_page_of_start_and_tutorials_is_walked():
    found = {*(DOCS / "start").glob("*.md"), *(DOCS / "tutorials").glob("*.md")}
    assert found == {*START, *TUTORIALS}


PAGE = """
```python title="a.py"
print("a")
```

```bash
python3 a.py
```

```text
…b
```
"""


def test_the_walk_sees_what_is_not_as_shown(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    with pytest.raises(AssertionError, match="page.md:6 showed:\na"):
        walk([page], tmp_path, environment(tmp_path))
    page.write_text(PAGE.replace("…b", "…"))
    walk([page], tmp_path, environment(tmp_path))
    page.write_text("```bash\nexit 3\n```\n")
    with pytest.raises(AssertionError, match="page.md:1 ended"):
        walk([page], tmp_path, environment(tmp_path))
    page.write_text("```bash\necho told >&2; false\n```\n")
    with pytest.raises(AssertionError, match="told"):
        walk([page], tmp_path, environment(tmp_path))


def test_steps_are_files_programs_and_commands():
    assert pattern("a…c\n").fullmatch("abc\n")
    assert all(isinstance(each, Step) for each in steps_of(START[0]))
