"""A lower bound is a version that the tests run with, in the environment of `make test-lowest`."""

import re

import pytest

from repository.distributions import distributions
from repository.requirements import FOLDER, pins, requirement

OURS = {each.name for each in distributions()}


def needs(distribution):
    """Return a distribution's requirements, those of its extras and of its build included."""
    extras = distribution.project.get("optional-dependencies", {}).values()
    build = distribution.settings["build-system"]["requires"]
    lines = [
        *build,
        *distribution.project["dependencies"],
        *(one for some in extras for one in some),
    ]
    return [requirement(line) for line in lines]


BOUNDS = [
    pytest.param(name, condition, id=f"{each.name}-{name}")
    for each in distributions()
    for name, condition in needs(each)
    if name not in OURS
]


@pytest.fixture(scope="module")
def lowest():
    return dict(requirement(line) for line in pins(FOLDER / "lowest.txt"))


@pytest.mark.parametrize(("name", "condition"), BOUNDS)
def test_each_lower_bound_is_the_version_that_is_tested(name, condition, lowest):
    bound = re.match(r">=([\d.]+)", condition)
    assert bound, f"{name} has no lower bound"
    tested = lowest[name].split()[0].removeprefix("==")
    assert re.fullmatch(rf"{re.escape(bound[1])}(\.0)*", tested), f"tested is {tested}"
