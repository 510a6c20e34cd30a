"""Tasks that stand in a module in every way there is, to be found again."""

from functools import partial

from cascade.spec import resource, task
from cascade.spec.identity import Sentinel
from cascade.spec.resource import inject


@task(version=2)
def second(x):
    return x


def plain(x):
    return x


elsewhere = task(plain)


def twice(x):
    return x


one_of_two = task(twice)
other_of_two = task(twice, name="other")

patient = second.with_retry(3)


class Lamp:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return type(other) is Lamp and other.name == self.name

    __hash__ = None

    @task
    def press(self, times):
        return self.name * times

    @staticmethod
    @task
    def still(x):
        return x


class Callable:
    def __call__(self, x):
        return x


an_object = task(Callable(), name="an_object")
a_partial = task(partial(plain), name="a_partial")
a_lambda = task(lambda x: x, name="a_lambda")


def made_inside():
    @task
    def inner(x):
        return x

    return inner


class Counted:
    @task
    def count(self):
        return 1


@task
def replaced(x):
    return x


first_replaced = replaced


@task
def replaced(x):
    return x


def not_a_task(x):
    return x


@resource
def door():
    yield 1


@task
def through(x, door=inject("door")):
    return x


NOTHING = Sentinel("spec.standing:NOTHING")
