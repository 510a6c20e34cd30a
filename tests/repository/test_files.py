"""What no file may hold, and what is said in one place only."""

import re
import subprocess
import tokenize
from importlib.metadata import version
from itertools import chain

import pytest

from repository.distributions import ROOT, distributions
from rows import each_row

VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()

# Put together from parts, so that this file does not hold what it looks for.
REGISTRIES = "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.", "index" + "-url"))
MACHINE_PATHS = "|".join(rf"(?<![\w.~-])/{top}/\w" for top in ("work", "root", "home", "Users"))

# The reason follows a dash or, since mypy allows no dash, a second number sign.
BARE_EXCEPTION = re.compile(r"#\s*(noqa|type: ignore|pragma: no)(?!.*( - | # ?)\w)")


def files():
    """Return the files that are, or are about to be, part of the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: only git knows which files belong to the repository")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def lines_with(pattern):
    for path in files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"


@each_row("pattern", [REGISTRIES, MACHINE_PATHS, re.escape(str(ROOT)) + r"\b"])
def test_no_file_names_a_registry_or_a_place_on_one_machine(pattern):
    assert list(lines_with(pattern)) == []


@each_row("distribution", distributions())
def test_the_version_is_said_in_one_file(distribution):
    assert "version" not in distribution.project
    path = distribution.settings["tool"]["hatch"]["version"]["path"]
    assert (distribution.folder / path).resolve() == ROOT / "VERSION"
    assert version(distribution.name) == VERSION


@pytest.mark.parametrize("distribution", distributions(), ids=lambda each: each.name)
def test_each_distribution_needs_the_others_in_its_own_version(distribution):
    # They are tested together, and released together: no other mixture is known to work.
    names = {each.name for each in distributions()} - {distribution.name}
    extras = distribution.project.get("optional-dependencies", {}).values()
    lines = chain(distribution.project["dependencies"], *extras)
    ours = [line for line in lines if re.match(r"[\w-]+", line)[0] in names]
    assert [line for line in ours if not line.endswith(f"=={VERSION}")] == []


def test_no_module_says_a_version_of_its_own():
    said = [
        path.name
        for path in chain.from_iterable(each.modules.values() for each in distributions())
        if re.search(
            r"^__version__\s*(:\s*\w+\s*)?=\s*[\"']", path.read_text("utf-8"), re.MULTILINE
        )
    ]
    assert said == []


def comments(path):
    with tokenize.open(path) as stream:
        for token in tokenize.generate_tokens(stream.readline):
            if token.type == tokenize.COMMENT:
                yield f"{path.relative_to(ROOT)}:{token.start[0]}", token.string


def test_every_lint_exception_carries_its_reason():
    modules = [path for path in files() if path.suffix == ".py"]
    said = chain.from_iterable(comments(path) for path in modules)
    assert [(place, text) for place, text in said if BARE_EXCEPTION.search(text)] == []


def test_the_architecture_page_names_files_that_exist():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|md|toml))`", page))
    tree = [f"/{path.relative_to(ROOT).as_posix()}" for path in files()]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in tree)] == []
    assert len(named) > 20


def test_the_architecture_page_names_every_module_of_the_runtime_and_of_the_connectors():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [
        path
        for each in distributions()
        for module, path in each.modules.items()
        if module.startswith(("cascade.runtime.", "cascade.connectors.", "cascade.executors."))
    ]
    stems = {path.stem for path in modules} - {"__init__"}
    assert {stem for stem in stems if not re.search(rf"\b{stem}\b", page)} == set()
