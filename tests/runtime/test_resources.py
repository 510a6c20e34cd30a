"""Engine contract, "Scopes": when resources open and close, and what they may need."""

import asyncio
import contextlib

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import (
    InvalidResourceError,
    ResourceCycleError,
    ResourceError,
    UnknownResourceError,
)


class Log(list):
    def resource(self, name, *, scope="run", is_async=False, fail_on_close=None, **needs):
        """Make a resource that writes down its life."""
        if is_async:

            async def opener(**got):
                self.append(f"open {name}")
                try:
                    await asyncio.sleep(0)
                    yield (name, *got.values()) if got else name
                except BaseException as error:
                    self.append(f"{name} saw {type(error).__name__}")
                    raise
                finally:
                    await asyncio.sleep(0)
                    self.append(f"close {name}")
        else:

            def opener(**got):
                self.append(f"open {name}")
                try:
                    yield name
                except BaseException as error:
                    self.append(f"{name} saw {type(error).__name__}")
                    raise
                finally:
                    self.append(f"close {name}")
                    if fail_on_close:
                        raise fail_on_close

        return cs.resource(name=name, scope=scope)(opener)


def engine_with(*resources):
    engine = cs.Engine()
    for each in resources:
        engine.register(each)
    return engine


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_run_resource_opens_at_first_need_and_closes_when_the_run_ends(is_async):
    log = Log()
    engine = engine_with(log.resource("db", is_async=is_async))

    @cs.task(mode="inline")
    def before():
        log.append("before")
        return use(2)

    @cs.task
    async def use(n, db=cs.inject("db")):
        log.append(f"use {db}")
        return use(n - 1) if n else "done"

    assert await engine.run(before()) == "done"
    assert log == ["before", "open db", "use db", "use db", "use db", "close db"]


async def test_a_task_resource_closes_before_the_next_step():
    log = Log()
    engine = engine_with(log.resource("file", scope="task", is_async=True))

    @cs.task
    async def use(n, file=cs.inject("file")):
        log.append(f"use {file} {n}")
        return use(n - 1) if n else "done"

    await engine.run(use(1))
    assert log == ["open file", "use file 1", "close file", "open file", "use file 0", "close file"]


async def test_each_task_that_asks_has_a_task_resource_of_its_own():
    opened = []

    @cs.resource(scope="task")
    def own():
        opened.append(object())
        yield opened[-1]

    @cs.task
    async def use(own=cs.inject(own)):
        await asyncio.sleep(0)
        return own

    got = await cs.run_async([use(), use(), use()])
    assert len(set(map(id, got))) == 3


async def test_a_run_resource_asked_for_side_by_side_opens_once():
    opened = []

    @cs.resource
    async def slow():
        opened.append(1)
        await asyncio.sleep(0.001)
        yield "slow"

    @cs.task
    async def use(slow=cs.inject(slow)):
        return slow

    assert await cs.run_async([use(), use(), use()]) == ["slow"] * 3
    assert opened == [1]


async def test_resources_may_need_resources_and_close_in_reverse():
    log = Log()

    @cs.resource
    def pool(settings=cs.inject("settings")):
        log.append(f"open pool of {settings}")
        yield "pool"
        log.append("close pool")

    @cs.task(mode="inline")
    def use(pool=cs.inject("pool")):
        return pool

    engine = engine_with(log.resource("settings"), pool)
    assert await engine.run(use()) == "pool"
    assert log == ["open settings", "open pool of settings", "close pool", "close settings"]


@pytest.mark.parametrize("scope", ["run", "task"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_failure_is_thrown_into_the_generator_and_teardown_happens(scope, is_async):
    log = Log()
    engine = engine_with(log.resource("db", scope=scope, is_async=is_async))

    @cs.task(mode="inline")
    def fails(db=cs.inject("db")):
        raise KeyError(db)

    with pytest.raises(KeyError):
        await engine.run(fails())
    assert log == ["open db", "db saw KeyError", "close db"]


@pytest.mark.parametrize("scope", ["run", "task"])
async def test_teardown_happens_on_cancellation(scope):
    log = Log()
    engine = engine_with(log.resource("db", scope=scope, is_async=True))
    waiting = asyncio.Event()

    @cs.task
    async def waits(db=cs.inject("db")):
        waiting.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(engine.run(waits()))
    await waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert log == ["open db", "db saw CancelledError", "close db"]


async def test_a_resource_that_swallows_the_exception_does_not_hide_the_failure():
    @cs.resource
    def quiet():
        with contextlib.suppress(KeyError):
            yield 1

    @cs.task(mode="inline")
    def fails(quiet=cs.inject(quiet)):
        raise KeyError("still here")

    with pytest.raises(KeyError, match="still here"):
        await cs.run_async(fails())


async def test_an_error_while_closing_is_raised_and_the_others_close_all_the_same():
    log = Log()
    engine = engine_with(
        log.resource("first"), log.resource("second", fail_on_close=OSError("stuck"))
    )

    @cs.task(mode="inline")
    def use(first=cs.inject("first"), second=cs.inject("second")):
        return first + second

    with pytest.raises(OSError, match="stuck") as caught:
        await engine.run(use())
    assert log[-1] == "close first"
    assert caught.value.__notes__ == ["while closing the resource 'second'"]


async def test_an_error_while_closing_after_a_failure_is_reported_and_the_failure_raised():
    log = Log()
    engine = engine_with(log.resource("db", fail_on_close=OSError("stuck")))

    @cs.task(mode="inline")
    def fails(db=cs.inject("db")):
        raise KeyError(db)

    with capture() as messages, pytest.raises(KeyError):
        await engine.run(fails())
    assert [message.id for message in messages] == ["engine.teardown_error"]
    assert messages[0].facts["resource"] == "db"


async def test_a_resource_that_does_not_open_names_itself_and_may_be_tried_again():
    tries = []

    @cs.resource
    def flaky():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("refused")
        yield "open"

    @cs.task
    async def use(flaky=cs.inject(flaky)):
        return flaky

    engine = cs.Engine()
    with pytest.raises(ConnectionError) as caught:
        await engine.run(use())
    assert "while opening the resource 'flaky'" in caught.value.__notes__
    assert await engine.run(use()) == "open"


async def test_everyone_who_waits_for_a_resource_hears_that_it_does_not_open():
    @cs.resource
    async def broken():
        await asyncio.sleep(0)
        raise ConnectionError("refused")
        yield

    @cs.task
    async def use(broken=cs.inject(broken)):
        return broken

    with pytest.raises(ConnectionError):
        await cs.run_async([use(), use()])


async def test_an_argument_given_by_the_caller_wins_over_the_resource():
    @cs.task(mode="inline")
    def use(a, db=cs.inject("db")):
        return a, db

    assert await cs.run_async([use(1, "mine"), use(1, db="mine")]) == [(1, "mine")] * 2


async def test_an_unknown_resource_names_who_asks_and_the_near_name():
    @cs.task(mode="inline")
    def use(database=cs.inject("databse")):
        return database

    with pytest.raises(UnknownResourceError, match=r"task 'use' asks .*'databse'.*mean 'database'"):
        await engine_with(Log().resource("database")).run(use())


async def test_resources_that_need_each_other_are_named():
    @cs.resource
    def hen(egg=cs.inject("egg")):
        yield egg

    @cs.resource
    def egg(hen=cs.inject("hen")):
        yield hen

    @cs.task(mode="inline")
    def use(hen=cs.inject("hen")):
        return hen

    with pytest.raises(ResourceCycleError, match="hen -> egg -> hen"):
        await engine_with(hen, egg).run(use())


async def test_a_run_resource_cannot_need_a_task_resource():
    log = Log()

    @cs.resource
    def long_lived(short=cs.inject("short")):
        yield short

    @cs.task(mode="inline")
    def use(it=cs.inject("long_lived")):
        return it

    with pytest.raises(ResourceError, match="scope='run'"):
        await engine_with(long_lived, log.resource("short", scope="task")).run(use())


async def test_only_resources_can_be_registered():
    with pytest.raises(InvalidResourceError, match="@cs.resource"):
        cs.Engine().register(lambda: None)


async def test_a_registered_resource_wins_over_the_definition_that_a_task_names():
    @cs.resource(name="greeting")
    def default():
        yield "hello"

    @cs.resource(name="greeting")
    def other():
        yield "bonjour"

    @cs.task(mode="inline")
    def greet(greeting=cs.inject(default)):
        return greeting

    assert await cs.run_async(greet()) == "hello"
    assert await engine_with(other).run(greet()) == "bonjour"


async def test_clock_and_random_numbers_come_with_the_run():
    @cs.task
    async def use(clock=cs.inject("clock"), rng=cs.inject("rng")):
        before = clock.time()
        await clock.sleep(0.001)
        return clock.time() > before, 0 <= rng.random() < 1

    assert await cs.run_async(use()) == (True, True)
