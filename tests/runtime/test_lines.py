"""The lines in which tasks wait: what stands in one, and what counts as running where the first order comes."""

import asyncio

import pytest

import cascade as cs
from cascade.runtime.admission import controller, lines

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


@pytest.fixture
def connector():
    return cs.LocalBusConnector(cs.LocalBroker())


async def order(connector, target, **limit):
    payload = {"id": "limit", **limit} if limit else None
    await connector.publish(f"cascade/constraints/{target}", payload, retain=True)


class Meter:
    """A task that shows how many of it run at once, and waits for a gate."""

    def __init__(self):
        self.running = self.most = 0
        self.gate = asyncio.Event()

        @cs.task
        async def work(number=0):
            self.running += 1
            self.most = max(self.most, self.running)
            await self.gate.wait()
            self.running -= 1
            return number

        self.work = work


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def alone(meter):
    return [meter.work(number) for number in range(4)]


def beside_others(meter):
    return [[meter.work(number) for number in range(4)]]


def in_a_combinator(meter):
    return [cs.catch(meter.work(number), Exception, use=-1) for number in range(4)]


def in_an_evaluation(meter):
    @cs.task
    async def outer(number):
        return await cs.evaluate(meter.work(number))

    return [outer(number) for number in range(4)]


@pytest.mark.parametrize("make", [alone, beside_others, in_a_combinator, in_an_evaluation])
async def test_the_first_limit_counts_what_runs_already(connector, make):
    async with cs.Engine(connector=connector) as engine, asyncio.timeout(PATIENCE):
        meter = Meter()
        first = [asyncio.create_task(engine.run(target)) for target in make(meter)]
        await settle()
        assert meter.running == 4
        await order(connector, "task/work", type="concurrency", n=2)
        more = [asyncio.create_task(engine.run(meter.work(9))) for _ in range(3)]
        await settle()
        assert meter.running == 4
        meter.gate.set()
        await asyncio.gather(*first, *more)
        assert meter.most == 4
        meter.gate.clear()
        meter.most = 0  # and all have ended for the limit, too
        again = [asyncio.create_task(engine.run(meter.work(9))) for _ in range(3)]
        await settle()
        assert meter.running == 2
        meter.gate.set()
        await asyncio.gather(*again)


async def test_a_limit_that_is_lowered_lets_nobody_in_until_fewer_run(connector):
    async with cs.Engine(connector=connector) as engine, asyncio.timeout(PATIENCE):
        meter = Meter()
        await order(connector, "task/work", type="concurrency", n=3)
        first = [asyncio.create_task(engine.run(meter.work())) for _ in range(3)]
        await settle()
        await order(connector, "task/work", type="concurrency", n=1)
        more = asyncio.create_task(engine.run(meter.work()))
        await settle()
        assert meter.running == 3
        meter.gate.set()
        await asyncio.gather(*first, more)
        assert meter.most == 3


async def test_who_awaits_others_when_the_first_limit_comes_does_not_count(connector):
    async with cs.Engine(connector=connector) as engine, asyncio.timeout(PATIENCE):

        @cs.task
        async def hears():
            return await cs.evaluate(cs.recv("go", buffered=True))

        @cs.task
        async def one():
            return 1

        waiting = [asyncio.create_task(engine.run(hears())) for _ in range(3)]
        await settle()
        await order(connector, "global", type="concurrency", n=1)
        assert await engine.run(one()) == 1
        await connector.publish("go", 2)
        assert await asyncio.gather(*waiting) == [2, 2, 2]


async def test_however_many_wait_there_is_one_line_for_each_that_is_held_alike(connector):
    async with cs.Engine(connector=connector) as engine, asyncio.timeout(PATIENCE):
        meter, other = Meter(), Meter()
        await order(connector, "task/work", type="concurrency", n=2)
        runs = [asyncio.create_task(engine.run(meter.work(n))) for n in range(500)]
        runs += [asyncio.create_task(engine.run([other.work(n) for n in range(500)]))]
        await settle()
        waits = engine._services.admission._lines
        assert len(waits._lines) == 1
        await order(connector, "global", type="concurrency", n=2)
        await settle()
        assert len(waits._lines) == 1
        meter.gate.set()
        other.gate.set()
        *numbers, _ = await asyncio.gather(*runs)
        assert numbers == list(range(500))
        assert not waits


async def test_a_full_bucket_behind_a_pause_is_not_polled(connector, monkeypatch):
    looks = []
    admit = lines.Lines.admit
    monkeypatch.setattr(
        controller.Lines, "admit", lambda self, admits: (looks.append(1), admit(self, admits))
    )
    async with cs.Engine(connector=connector) as engine, asyncio.timeout(PATIENCE):
        meter = Meter()
        meter.gate.set()
        await order(connector, "task/work", type="rate_limit", rate="100000/s")
        await engine.run(meter.work())
        await order(connector, "global", type="pause")
        held = asyncio.create_task(engine.run(meter.work()))
        await asyncio.sleep(0.05)
        before = len(looks)
        await asyncio.sleep(0.05)
        assert len(looks) - before <= 1
        await order(connector, "global")
        await held
