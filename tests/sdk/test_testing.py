"""What users' own tests get: simulated time, as a function and as a fixture of pytest."""

import asyncio
from importlib.metadata import entry_points

import pytest

import cascade as cs
from cascade.interfaces.errors import DeadlockError
from cascade.testing import capture, run_simulated


@cs.task
async def reminder(_wait=None):
    return "stand up"


async def hour():
    async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
        value = await engine.run(reminder(cs.wait(3600)))
    return value, asyncio.get_running_loop().time()


def test_the_fixture_runs_a_coroutine_on_simulated_time(simulated_time):
    assert simulated_time(hour()) == ("stand up", 3600.0)
    assert simulated_time(hour()) == run_simulated(hour())


def test_pytest_finds_the_plug_in_by_itself():
    (point,) = entry_points(group="pytest11", name="cascade")
    assert point.value == "pytest_cascade"


def test_a_test_that_waits_for_nothing_fails_at_once_and_says_for_what(simulated_time):
    async def main():
        async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
            await engine.run(cs.recv("never/said"), name="listener")

    with pytest.raises(DeadlockError, match="run 'listener' waits for 'never/said'"):
        simulated_time(main())


def test_def_tasks_run_inline_and_constraints_hold_in_simulated_time(simulated_time):
    @cs.task
    def plain():
        return 1

    async def main():
        async with cs.Engine(connector=cs.LocalBusConnector(cs.LocalBroker())) as engine:
            limit = {"id": "slow", "type": "rate_limit", "rate": "1/m"}
            topic = "cascade/constraints/task/plain"
            await engine.connector.publish(topic, limit, retain=True)
            await engine.run([plain() for _ in range(5)])
        return asyncio.get_running_loop().time()

    assert simulated_time(main()) == pytest.approx(240)


def test_what_people_would_be_told_can_be_captured(simulated_time):
    async def main():
        connector = cs.LocalBusConnector(cs.LocalBroker())
        await connector.connect()

        async def fails(topic, payload):
            raise ValueError("no")

        await connector.subscribe("a", fails)
        await connector.publish("a", 1)

    with capture() as messages:
        simulated_time(main())
    assert [message.id for message in messages] == ["localbus.callback_error"]
