"""`route` and `param` are lazies like any other."""

import pytest

from cascade.interfaces.errors import InvalidTaskError, UnknownParameterError
from cascade.spec import LazyResult, param, route
from rows import each_row
from spec.tasks import double, fetch


def test_a_route_keeps_its_branches_unrun():
    routes = {"a": double(1), "b": fetch("x")}
    lazy = route(fetch("a"), routes)
    assert type(lazy) is LazyResult
    assert repr(lazy) == "route(fetch('a'), …)"
    routes.clear()
    assert lazy.task.function("b", lazy.args[1].value).task is fetch


def test_a_selector_without_a_branch_is_an_error_that_names_the_nearest():
    lazy = route("cvs", {"csv": 1, "txt": 2})
    with pytest.raises(
        InvalidTaskError, match=r"no route for 'cvs'; there are 'csv', 'txt'.*'csv'"
    ):
        lazy.task.function("cvs", lazy.args[1].value)


def test_a_parameter_is_read_when_the_run_has_it():
    lazy = param("speed")
    assert lazy.task.function(*lazy.args, params={"speed": 3}) == 3


@each_row("default", [None, 0, "x"])
def test_a_parameter_may_have_a_default_of_any_kind(default):
    lazy = param("speed", default)
    assert lazy.task.function(*lazy.args, params={}) == default
    assert lazy.task.function(*lazy.args, params={"speed": None}) is None


def test_a_missing_parameter_is_an_error_that_names_the_nearest():
    lazy = param("sped")
    with pytest.raises(UnknownParameterError, match="Did you mean 'speed'"):
        lazy.task.function(*lazy.args, params={"speed": 3})


def test_the_run_gives_a_parameter_its_values():
    assert {name: each.name for name, each in param("a").task.injections.items()} == {
        "params": "params"
    }
