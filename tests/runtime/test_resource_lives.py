"""Where resources open and close: in which task, context and thread, in which order, and when at last."""

import asyncio
import contextvars
import threading

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import NoConnectorError, ResourceError

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything

bound = contextvars.ContextVar("bound", default="outside")


def use(*resources):
    """Make a task that asks for these and returns what it got."""

    async def asks(**got):
        return list(got.values())

    asked_for = {f"r{n}": cs.inject(each) for n, each in enumerate(resources)}
    return cs.task(asks).with_others(injections=asked_for)


@pytest.mark.parametrize("mode", ["async", "thread", "inline"])
@pytest.mark.parametrize("scope", ["task", "run", "engine"])
async def test_both_ends_are_in_one_context_whoever_asked_first(scope, mode):
    def bind():
        token = bound.set("inside")
        try:
            yield bound.get()
        finally:
            bound.reset(token)

    async def bind_async():
        token = bound.set("inside")
        try:
            yield bound.get()
        finally:
            bound.reset(token)

    definition = cs.resource(scope=scope, mode=mode, name="binding")(
        bind_async if mode == "async" else bind
    )
    task = use(definition)
    assert await cs.run_async([task(), task()]) == [["inside"], ["inside"]]
    assert bound.get() == "outside"


async def test_a_cancel_scope_may_be_left_by_whoever_closes():
    @cs.resource
    async def group():
        async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE):
            yield group

    @cs.task
    async def spawn(n, group=cs.inject(group)):
        return await group.create_task(asyncio.sleep(0, n))

    assert await cs.run_async([spawn(1), spawn(2)]) == [1, 2]


async def test_a_plain_generator_opens_and_closes_in_a_thread_and_inline_on_the_loop():
    here, threads = threading.get_ident(), {}

    def opener(name):
        def generator():
            threads[name] = [threading.get_ident()]
            yield
            threads[name].append(threading.get_ident())

        return generator

    elsewhere = cs.resource(name="elsewhere")(opener("elsewhere"))
    inline = cs.resource(name="inline", mode="inline")(opener("inline"))
    await cs.run_async(use(elsewhere, inline)())
    assert here not in threads["elsewhere"]
    assert threads["inline"] == [here, here]


def test_in_simulated_time_a_plain_generator_opens_on_the_loop():
    seen = []

    @cs.resource
    def plain():
        seen.append(threading.get_ident())
        yield
        seen.append(threading.get_ident())

    cs.simulate(use(plain)(), resources=[plain])
    assert seen == [threading.get_ident()] * 2


async def test_a_resource_of_the_engine_opens_once_and_closes_with_it():
    log = []

    @cs.resource(scope="engine")
    def pool():
        log.append("open")
        yield "pool"
        log.append("close")

    @cs.resource
    def session(pool=cs.inject(pool)):
        yield f"session of {pool}"

    async with cs.Engine() as engine:
        assert log == []
        got = [await engine.run(use(session)()) for _ in range(2)]
        assert got == [["session of pool"]] * 2
        assert log == ["open"]
    assert log == ["open", "close"]
    await engine.run(use(session)())
    assert log == ["open", "close"] * 2


async def test_a_resource_of_the_engine_outlives_a_run_that_fails_or_is_cancelled():
    log = []

    @cs.resource(scope="engine")
    async def pool():
        try:
            await asyncio.sleep(0.001)
            yield
        except BaseException as error:
            log.append(error)
            raise
        finally:
            log.append("close")

    @cs.task
    async def fail(pool=cs.inject(pool)):
        raise KeyError

    async with cs.Engine() as engine:
        opening = asyncio.create_task(engine.run(fail()))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        with pytest.raises(KeyError):
            await engine.run(fail())
        assert log == []
    assert log == ["close"]


async def test_a_resource_cannot_need_what_lives_shorter():
    @cs.resource
    def of_run():
        yield

    @cs.resource(scope="engine", name="of_engine")
    def of_engine(needed=cs.inject(of_run)):
        yield

    @cs.resource(scope="engine", name="random")
    def random(rng=cs.inject("rng")):
        yield

    @cs.resource(scope="engine", name="bus")
    def bus(connector=cs.inject("_internal_connector")):
        yield connector

    with pytest.raises(ResourceError, match="as long as the engine.*give 'of_run' scope='engine'"):
        await cs.run_async(use(of_engine)())
    with pytest.raises(ResourceError, match="'rng', which comes with each run"):
        await cs.run_async(use(random)())
    with pytest.raises(NoConnectorError):
        await cs.run_async(use(bus)())
    connector = cs.LocalBusConnector(cs.LocalBroker())
    assert await cs.run_async(use(bus)(), connector=connector) == [connector]


async def test_all_close_also_when_closing_is_cancelled():
    log, saying_goodbye = [], asyncio.Event()

    @cs.resource
    async def db():
        try:
            yield
        finally:
            log.append("db closed")

    @cs.resource
    async def session(db=cs.inject(db)):
        try:
            yield
        finally:
            saying_goodbye.set()
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                log.append("session closed")

    running = asyncio.create_task(cs.run_async(use(session)()))
    await saying_goodbye.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert log == ["session closed", "db closed"]


async def test_a_goodbye_in_a_thread_is_waited_for_also_when_closing_is_cancelled():
    log, begun, goes_on = [], threading.Event(), threading.Event()

    @cs.resource
    def db():
        yield
        log.append("db closed")

    @cs.resource
    def session(db=cs.inject(db)):
        yield
        begun.set()
        assert goes_on.wait(PATIENCE)
        log.append("session closed")

    running = asyncio.create_task(cs.run_async(use(session)()))
    async with asyncio.timeout(PATIENCE):
        while not begun.is_set():
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.sleep(0.01)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert log == ["session closed", "db closed"]


async def test_several_errors_of_closing_are_one_raised_and_the_others_reported():
    def failing(name):
        def generator():
            yield
            raise OSError(name)

        return cs.resource(name=name)(generator)

    with capture() as messages, pytest.raises(OSError, match="last") as caught:
        await cs.run_async(use(failing("first"), failing("last"))())
    assert caught.value.__notes__ == ["while closing the resource 'last'"]
    assert [message.facts["resource"] for message in messages] == ["first"]


async def test_an_opening_in_a_thread_that_is_given_up_closes_what_it_opened():
    log, begun, goes_on = [], threading.Event(), threading.Event()

    @cs.resource(scope="task")
    def slow():
        begun.set()
        assert goes_on.wait(PATIENCE)
        log.append("opened")
        try:
            yield
        finally:
            log.append("closed")

    async with cs.Engine() as engine:
        with pytest.raises(TimeoutError, match=r"opening .* task 'asks' took longer than 0\.05 s"):
            await engine.run(use(slow).with_timeout(0.05)())
        assert log == []
        assert begun.is_set()
        goes_on.set()
    assert log == ["opened", "closed"]


async def test_an_opening_that_never_ends_is_reported_and_the_engine_closes():
    goes_on = threading.Event()

    @cs.resource(scope="task")
    def stuck():
        goes_on.wait(PATIENCE)
        yield

    with capture() as messages, pytest.raises(TimeoutError):
        await cs.run_async(use(stuck).with_timeout(0.05)(), shutdown_timeout=0.01)
    goes_on.set()
    assert [message.id for message in messages] == ["engine.thread_left"]
    assert messages[0].facts["task"] == "stuck"


async def test_an_async_opening_that_is_given_up_is_interrupted():
    log = []

    @cs.resource(scope="task")
    async def slow():
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            log.append("interrupted")
            raise
        yield

    with pytest.raises(TimeoutError):
        await cs.run_async(use(slow).with_timeout(0.001)())
    assert log == ["interrupted"]


async def test_opening_what_others_share_takes_no_time_of_the_task():
    @cs.resource
    async def shared():
        await asyncio.sleep(0.02)
        yield "open"

    @cs.resource(scope="task")
    async def own():
        yield "own"

    task = use(shared, own).with_timeout(0.01)
    assert await cs.run_async(task()) == ["open", "own"]


async def test_each_attempt_opens_its_own_resources_anew():
    log = []

    @cs.resource(scope="task")
    async def own():
        log.append("open")
        if len(log) == 1:
            raise ConnectionError("not yet")
        try:
            yield
        finally:
            log.append("close")

    @cs.task
    async def flaky(own=cs.inject(own)):
        if log.count("close") == 0:
            raise OSError("try again")
        return "done"

    assert await cs.run_async(flaky.with_retry(3)()) == "done"
    assert log == ["open", "open", "close", "open", "close"]


async def test_who_asked_first_may_be_cancelled_without_harm_to_who_asked_next():
    goes_on, asked = asyncio.Event(), []

    @cs.resource(scope="engine")
    async def slow():
        asked.append(1)
        await goes_on.wait()
        yield "open"

    async with cs.Engine() as engine:
        first = asyncio.create_task(engine.run(use(slow)()))
        second = asyncio.create_task(engine.run(use(slow)()))
        await asyncio.sleep(0.001)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        goes_on.set()
        assert await second == ["open"]
    assert asked == [1]


def test_a_loop_that_ends_while_a_run_goes_on_closes_its_resources_last():
    log = []

    @cs.resource
    async def db():
        try:
            yield log
        finally:
            log.append("closed")

    @cs.task
    async def works(db=cs.inject(db)):
        try:
            log.append("works")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            db.append("last words")

    async def main():
        running = asyncio.create_task(cs.run_async(works()))
        while not log:
            await asyncio.sleep(0)
        return running

    asyncio.run(main())
    assert log == ["works", "last words", "closed"]


async def test_an_engine_that_closes_is_opened_anew_for_who_comes_meanwhile():
    closing, goes_on, log = asyncio.Event(), asyncio.Event(), []

    @cs.resource(scope="engine")
    async def pool():
        log.append("open")
        yield
        closing.set()
        await goes_on.wait()
        log.append("closed")

    engine = cs.Engine()
    first = asyncio.create_task(engine.run(use(pool)()))
    await closing.wait()
    second = asyncio.create_task(engine.run(use(pool)()))
    await asyncio.sleep(0.001)
    goes_on.set()
    await asyncio.gather(first, second)
    assert log == ["open", "closed", "open", "closed"]


def test_an_engine_used_from_two_loops_says_so():
    ready, done = threading.Event(), threading.Event()
    engine = cs.Engine(name="shared")

    async def hold():
        async with engine:
            ready.set()
            await asyncio.to_thread(done.wait, PATIENCE)

    holder = threading.Thread(target=asyncio.run, args=(hold(),))
    holder.start()
    try:
        assert ready.wait(PATIENCE)
        with pytest.raises(RuntimeError, match="engine 'shared' is in use on another event loop"):
            asyncio.run(engine.run(use()()))
    finally:
        done.set()
        holder.join()
    assert asyncio.run(engine.run(use()())) == []


@pytest.mark.parametrize("mode", ["async", "thread", "inline"])
async def test_a_resource_that_yields_a_second_time_says_so_and_is_closed_all_the_same(mode):
    closed = []

    def twice():
        try:
            yield 1
            yield 2
        finally:
            closed.append(mode)

    async def twice_async():
        try:
            yield 1
            yield 2
        finally:
            closed.append(mode)

    two = cs.resource(name="two", mode=mode)(twice_async if mode == "async" else twice)
    with pytest.raises(ResourceError, match="'two' yields a second time; a resource yields once"):
        await cs.run_async(use(two)())
    assert closed == [mode]


async def test_events_tell_which_resources_open_and_close_and_whose_they_are():
    @cs.resource(scope="engine")
    async def pool():
        yield 1

    @cs.resource(scope="run")
    async def session():
        yield 2

    @cs.resource(scope="task")
    async def cursor():
        yield 3
        raise OSError("gone")

    @cs.task
    async def asks(a=cs.inject("pool"), b=cs.inject("session"), c=cs.inject("cursor")) -> int:
        return a + b + c

    told = []
    engine = cs.Engine()
    for each in (pool, session, cursor):
        engine.register(each)
    engine.events.listen(lambda event: told.append(event) if hasattr(event, "resource") else None)
    async with engine:
        with pytest.raises(OSError, match="gone"):
            await engine.run(asks(), name="r")
    shown = [(type(each).__name__, each.run_id, each.resource, each.scope) for each in told]
    assert shown == [
        ("ResourceOpened", "", "pool", "engine"),
        ("ResourceOpened", "r", "session", "run"),
        ("ResourceOpened", "r", "cursor", "task"),
        ("ResourceClosed", "r", "cursor", "task"),
        ("ResourceClosed", "r", "session", "run"),
        ("ResourceClosed", "", "pool", "engine"),
    ]
    assert isinstance(told[3].error, OSError)
