"""Arguments are checked where the call is written; a method is a task; a resource may be asked for there."""

import pytest

import cascade as cs
from cascade.interfaces.errors import InvalidTaskError


@cs.task(mode="inline")
def report(a, /, b, *, scale=1, unit="m"):
    return (a, b, scale, unit)


@cs.task(mode="inline")
def anything(*args, **kwargs):
    return (args, kwargs)


@cs.task(mode="inline")
def named(*, must):
    return must


WRONG = {
    "missing both": (report, r"report\(\) is missing 'a', 'b'"),
    "missing one": (lambda: report(1), r"report\(\) is missing 'b'"),
    "too many": (lambda: report(1, 2, 3), r"report\(\) takes 2 arguments by position, not 3"),
    "unknown": (lambda: report(1, 2, scal=2), r"report\(\) has no parameter 'scal'.*'scale'"),
    "twice": (lambda: report(1, 2, b=3), r"report\(\) got 'b' by position and by name"),
    "by position only": (lambda: report(a=1, b=2), r"report\(\) has no parameter 'a'"),
    "by name only": (lambda: named(1), r"named\(\) takes 0 arguments by position, not 1"),
    "name missing": (named, r"named\(\) is missing 'must'"),
    "policies too": (lambda: report.with_retry(3)(1), r"report\(\) is missing 'b'"),
    "condition too": (lambda: report.run_if(True)(1), r"report\(\) is missing 'b'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused_where_the_call_is_written(case):
    write, reason = WRONG[case]
    with pytest.raises(InvalidTaskError, match=reason):
        write()


def test_right_arguments_are_taken():
    assert cs.run([report(1, 2), report(1, b=2, unit="s"), named(must=3)]) == [
        (1, 2, 1, "m"),
        (1, 2, 1, "s"),
        3,
    ]
    assert cs.run(anything(1, 2, x=3)) == ((1, 2), {"x": 3})
    assert cs.run(cs.Task(max, mode="inline")(1, 2)) == 2  # says nothing of its parameters


# --- resources ------------------------------------------------------------------------------------


@cs.resource
def db():
    yield "the database"


@cs.task(mode="inline")
def ask(question, conn=None):
    return f"{question}: {conn}"


def test_a_resource_may_be_asked_for_at_the_call():
    assert cs.run(ask("who", conn=cs.inject("db")), resources=[db]) == "who: the database"
    assert cs.run(ask("who", conn=cs.inject(db))) == "who: the database"
    assert cs.run(ask("who")) == "who: None"
    assert cs.run([ask("a", conn=cs.inject(db)), ask("b")]) == ["a: the database", "b: None"]


def test_a_resource_by_position_is_refused():
    with pytest.raises(InvalidTaskError, match=r"cs\.inject\('db'\) is given by position"):
        cs.run(ask("who", cs.inject("db")))


# --- methods --------------------------------------------------------------------------------------


class Model:
    factor = 3

    @cs.task
    async def predict(self, x):
        return self.factor * x

    @cs.task(mode="inline")
    def flaky(self, seen):
        seen.append(self)
        if len(seen) < 3:
            raise OSError
        return len(seen)


def test_a_method_is_a_task_with_its_object_as_the_first_argument():
    model = Model()
    assert cs.run(model.predict(2)) == 6
    assert cs.run(Model.predict(model, 2)) == 6
    assert cs.run(model.predict.map([1, 2])) == [3, 6]
    assert cs.run(model.predict(model.predict(1))) == 9
    with pytest.raises(InvalidTaskError, match=r"predict\(\) is missing 'x'"):
        model.predict()


def test_a_method_takes_policies_as_any_task_does():
    model = Model()
    assert cs.run(model.flaky.with_retry(5)(cs.quote([]))) == 3
    assert cs.run(model.predict.run_if(False)(1)) is None
    assert cs.run(model.predict.with_timeout(10).run_if(True)(1)) == 3
