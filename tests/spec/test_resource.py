"""`@resource` and `inject`."""

import pytest

from cascade.interfaces.errors import InvalidResourceError
from cascade.spec import ResourceDefinition, inject, resource
from rows import each_row


def opener():
    yield 1


async def async_opener(config=inject("config")):  # noqa: B008 - how one asks for a resource
    yield 2


@each_row("decorate", [resource, resource()])
def test_the_decorator_works_with_and_without_parentheses(decorate):
    made = decorate(opener)
    assert isinstance(made, ResourceDefinition)
    assert (made.name, made.function, made.scope, made.mode) == ("opener", opener, "run", "thread")


def test_name_and_scope_are_given_in_parentheses():
    made = resource(name="db", scope="task")(async_opener)
    assert (made.name, made.scope, made.mode) == ("db", "task", "async")
    assert {name: each.name for name, each in made.injections.items()} == {"config": "config"}


@each_row("scope", ["session", "", None])
def test_an_unknown_scope_is_refused(scope):
    with pytest.raises(InvalidResourceError, match="scope is 'task', 'run' or 'engine', not"):
        resource(scope=scope)


def test_a_plain_generator_may_open_inline():
    assert resource(mode="inline")(opener).mode == "inline"


@each_row(
    ("function", "mode", "choice"),
    [(opener, "async", "'thread' or 'inline'"), (async_opener, "thread", "'async'")],
)
def test_a_mode_that_does_not_fit_is_refused(function, mode, choice):
    with pytest.raises(InvalidResourceError, match=f"choose {choice}"):
        resource(mode=mode)(function)


def returns():
    return 1


async def coroutine():
    return 1


@each_row("what", [returns, coroutine, 7, iter([1])])
def test_what_is_no_generator_function_is_refused(what):
    with pytest.raises(
        InvalidResourceError, match="is not a generator function; open, then 'yield'"
    ):
        resource(what)


def test_a_resource_is_not_called_and_the_error_tells_what_to_do():
    with pytest.raises(InvalidResourceError, match=r"engine.register.*inject\('opener'\)"):
        resource(opener)()


def test_it_can_be_asked_for_by_name_or_by_definition():
    made = resource(name="db")(opener)
    assert inject("db").name == "db"
    assert inject(made).name == "db"
    assert inject(made).definition is made


def test_a_definition_is_frozen():
    with pytest.raises(AttributeError):
        resource(opener).name = "other"
