"""What the tests of the command line run."""

import cascade as cs


@cs.task
async def double(x):
    return 2 * x


@cs.task
async def add(a, b):
    return a + b


@cs.task
async def scaled(x: int, by: int = 1):
    return {"value": x * by}


@cs.task
async def fails():
    raise ValueError("not today")


@cs.task
async def fails_to_read():
    raise OSError("not today")


@cs.task
async def hears():
    return cs.recv("go")


total = add(double(1), double(double(2)))
several = [double(1), double(2)]
nothing_to_run = 5


@cs.task
async def beats(_rest=None):
    return beats(cs.wait(0.02))
