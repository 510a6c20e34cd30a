"""A task has an id, ``module:qualname``, and is found by it again; where it is not, that says so."""

import copy
import pickle
import subprocess
import sys

import pytest

from cascade.interfaces.errors import EncodeError, InvalidTaskError, UnknownTaskError
from cascade.spec import inject, param, resource, route, task
from cascade.spec.identity import find_task, is_found, place_of, reference_to, standing_at
from cascade.spec.routing import PARAM, REQUIRED
from cascade.spec.task import COLLECT
from rows import each_row
from spec import standing
from spec.tasks import double


def copied(value):
    return pickle.loads(pickle.dumps(value))


def test_an_id_is_module_and_qualified_name_and_the_name_is_a_label():
    assert double.id == "spec.tasks:double"
    assert standing.elsewhere.id == "spec.standing:plain"
    assert standing.Lamp.press.id == "spec.standing:Lamp.press"
    assert task(name="label")(standing.plain).id == "spec.standing:plain"


@each_row(("given", "version"), [(None, None), ("a", "a"), (3, "3")])
def test_a_version_is_kept_as_text(given, version):
    assert task(version=given)(standing.plain).version == version


@each_row("version", [True, 1.0, b"1", ["1"]])
def test_a_version_of_another_type_is_refused(version):
    with pytest.raises(InvalidTaskError, match="a task's version is text or a whole number"):
        task(version=version)(standing.plain)


FOUND = [
    double,
    COLLECT,
    standing.second,
    standing.elsewhere,
    standing.replaced,
    standing.Lamp.press,
    standing.Lamp.still,
    route(1, {1: 2}).task,
    param("x").task,
    double.map([1]).task,
    double.run_if(True)(1).task,
]


@each_row("each", FOUND)
def test_a_task_that_stands_in_its_module_is_found(each):
    assert is_found(each)
    assert find_task(each.id, each.version) is each
    assert copied(each) is each


LOST = [
    (standing.a_lambda, "made inside a function or is no function with a name"),
    (standing.made_inside(), "define it with 'def' at the top level of a module"),
    (standing.an_object, "'spec.standing:<Callable>' cannot be found again"),
    (standing.a_partial, "'functools:<partial>' cannot be found again"),
    (standing.one_of_two, "several tasks are made of it; write a function for each"),
    (standing.first_replaced, "'spec.standing:replaced' is another task"),
    (task(standing.not_a_task), "no task beside it is made of that function"),
    (task(len), "no task beside it is made of that function"),
    (task(standing.plain), "'spec.standing:plain' is another task"),
]


@each_row(("lost", "reason"), LOST)
def test_a_task_that_is_not_found_again_says_so_when_it_is_pickled(lost, reason):
    assert not is_found(lost)
    assert copy.deepcopy(lost) is lost
    for one in (lost, lost.with_retry(2), lost(1)):
        with pytest.raises(EncodeError, match=reason):
            pickle.dumps(one)


@each_row(
    ("wanted", "reason"),
    [
        ("spec.standing:gone", "nothing stands at 'spec.standing:gone'"),
        ("spec.standing:Lamp.gone", "nothing stands at 'spec.standing:Lamp.gone'"),
        ("spec.standing:Gone.press", "nothing stands at 'spec.standing:Gone.press'"),
        ("spec.nowhere:f", "the module 'spec.nowhere' cannot be imported"),
        ("spec.standing:patient", "the task that stands there is 'spec.standing:second'"),
        ("spec.standing:Lamp", "no task beside it"),
        ("spec.standing", "one is written module:qualname"),
        (".standing:f", "one is written module:qualname"),
        ("a\0b:f", "cannot be imported"),
        ("__main__:f", "standard input, a notebook"),
    ],
)
def test_an_id_without_a_task_is_refused_by_its_name(wanted, reason):
    with pytest.raises(UnknownTaskError, match=reason) as caught:
        find_task(wanted, None)
    assert caught.value.id == wanted
    assert repr(wanted) in str(caught.value)


def test_another_version_is_another_task():
    with pytest.raises(
        UnknownTaskError, match="'spec.standing:second'.*its version is 2, and not 1"
    ):
        find_task("spec.standing:second", "1")


# --- what a pickled call names ----------------------------------------------------------------------


def test_policies_and_resources_come_back_on_the_task_of_the_module():
    changed = double.with_retry(2, on=(KeyError,)).with_timeout(3).with_cache(ttl=4)
    changed = changed.with_demands(gpu=1)
    back = copied(changed)
    assert back.base is double
    assert back.policies == changed.policies
    with pytest.raises(TypeError):
        back.policies.demands["gpu"] = 2
    call = copied(standing.through(1, door=inject(standing.door)))
    assert call.task.base is standing.through
    assert call.task.injections["door"].definition is standing.door
    assert call.task.is_plain == standing.through.is_plain


def test_a_module_may_hold_a_task_with_policies():
    back = copied(standing.patient)
    assert back.base is standing.second
    assert back.policies == standing.patient.policies


def test_a_method_and_a_condition_are_pickled_with_what_they_were_given():
    press = copied(standing.Lamp("a").press)
    assert press(3).args == (standing.Lamp("a"), 3)
    assert press(3).task is standing.Lamp.press
    conditional = copied(double.with_timeout(2).run_if(double(1)))
    call = conditional(4)
    assert call.args[0].task is double
    assert call.args[1].value.task.policies.timeout == 2


def test_a_sentinel_is_itself_again():
    assert copied(standing.NOTHING) is standing.NOTHING
    assert copy.deepcopy(standing.NOTHING) is standing.NOTHING
    assert copied(PARAM("x", REQUIRED)).args == ("x", REQUIRED)
    assert repr(standing.NOTHING) == "<NOTHING>"


def test_a_resource_that_is_not_found_again_says_so():
    @resource
    def hidden():
        yield 1

    with pytest.raises(EncodeError, match="made inside a function"):
        pickle.dumps(double(inject(hidden)))


def test_a_place_leads_to_the_very_thing_or_to_a_refusal():
    assert reference_to(KeyError, place_of(KeyError)) == "builtins:KeyError"
    assert standing_at("builtins:KeyError") is KeyError
    with pytest.raises(EncodeError, match="something else stands at 'builtins:KeyError'"):
        reference_to(ValueError, "builtins:KeyError")


# --- what is run as a program -----------------------------------------------------------------------

PROGRAM = """
import pickle, sys
import cascade as cs

@cs.task(mode="inline")
def twice(x):
    return 2 * x

@cs.task(mode="process")
def thrice(x):
    return 3 * x

if __name__ == "__main__":
    assert pickle.loads(pickle.dumps(twice)) is twice
    print(twice.id, cs.run(thrice(twice(1))))
    sys.stdout.flush()
    open("call.pickle", "wb").write(pickle.dumps(twice(4)))
"""


def run(folder, *arguments, program=None):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=program,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "module"),
    [(["program.py"], "program"), (["-m", "inner.program"], "inner.program")],
)
def test_a_program_is_known_by_the_name_that_others_import_it_by(tmp_path, arguments, module):
    (tmp_path / "inner").mkdir()
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "program.py").write_text(PROGRAM)
    done = run(tmp_path, *arguments)
    assert done.stdout == f"{module}:twice 6\n", done.stderr
    reader = "import pickle, cascade as cs; print(cs.run(pickle.load(open('call.pickle', 'rb'))))"
    assert run(tmp_path, "-c", reader).stdout == "8\n"


@pytest.mark.slow
def test_without_a_file_all_works_but_what_needs_to_find_the_task_again(tmp_path):
    program = PROGRAM.replace('if __name__ == "__main__":', "print(cs.run(twice(1)))\nif True:")
    pickled = run(tmp_path, "-", program=program)
    assert pickled.stdout == "2\n"
    assert "EncodeError: <task 'twice' (inline)> cannot be written" in pickled.stderr
    assert "put it into a module and import it from there" in pickled.stderr
    sent = run(tmp_path, "-", program=program.replace("assert", "pass #"))
    assert "ProcessTransferError: '__main__:thrice' cannot run in a process" in sent.stderr
