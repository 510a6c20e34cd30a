"""`cs.simulate`: the same workflows on simulated time, and the same way each time."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextvars import ContextVar
from pathlib import Path

import pytest

import cascade as cs
from cascade.interfaces.errors import DeadlockError, NonDeterminismError, RunawayError
from cascade.runtime.simulation import virtual_loop
from cascade.runtime.simulation.pacing import Pace
from rows import each_row
from sdk.chatter import simulation


@cs.task
async def one(value, _after=None):
    return value


@cs.task
async def nap(seconds, clock=cs.inject("clock")):
    await clock.sleep(seconds)
    return clock.time()


# --- results --------------------------------------------------------------------------------------


def test_a_target_gives_its_value_and_how_long_it_took():
    simulated = cs.simulate(nap(7200))
    assert (simulated.results, simulated.finished, simulated.duration) == ([7200.0], [True], 7200.0)


def test_targets_run_side_by_side_and_their_values_come_in_their_order():
    simulated = cs.simulate([nap(3), nap(1), one("x")])
    assert (simulated.results, simulated.duration) == ([3.0, 1.0, "x"], 3.0)


def test_a_mapping_names_the_runs():
    @cs.task
    async def whoami(frame=cs.inject("_frame")):
        return frame.run.id

    assert cs.simulate({"left": whoami(), "right": whoami()}).results == ["left", "right"]


def test_no_targets_take_no_time():
    assert cs.simulate([]).results == []


def test_a_task_is_called_with_the_parameters():
    assert cs.simulate(nap, {"seconds": 2.5}).results == [2.5]


def test_waits_and_time_outs_are_exact():
    @cs.task
    async def late(_wait, clock=cs.inject("clock")):
        return clock.time()

    @cs.task
    async def slow():
        await asyncio.sleep(100)

    simulated = cs.simulate([late(cs.wait(0.1)), cs.recv("never", 0.3, default="nobody")])
    assert (simulated.results, simulated.duration) == ([0.1, "nobody"], 0.3)
    with pytest.raises(TimeoutError, match="longer than 5 s"):
        cs.simulate(slow.with_timeout(5)())


def test_until_ends_what_still_runs():
    @cs.task
    async def endless(n, _wait=None):
        return endless(n + 1, cs.wait(1))

    simulated = cs.simulate([endless(0), nap(2)], until=10)
    assert (simulated.results, simulated.finished) == ([None, 2.0], [False, True])
    assert simulated.duration == 10


@each_row("until", [0, -1, float("nan")])
def test_until_is_above_0(until):
    with pytest.raises(ValueError, match="until is a number of simulated seconds above 0"):
        cs.simulate(one(1), until=until)


def test_an_error_is_raised_as_it_is_and_the_others_are_ended():
    ended = []

    @cs.task
    async def fails(_wait):
        raise OSError("broken")

    @cs.task
    async def waits():
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("waits")

    with pytest.raises(OSError, match="broken") as caught:
        cs.simulate([waits(), fails(cs.wait(1))])
    assert "in task 'fails' of run 'run-2'" in caught.value.__notes__
    assert ended == ["waits"]


def test_resources_live_in_simulated_time():
    story = []

    @cs.resource
    async def lamp(clock=cs.inject("clock")):
        story.append(("on", clock.time()))
        yield "light"
        await clock.sleep(2)
        story.append(("off", clock.time()))

    @cs.task
    async def reads(light=cs.inject("lamp")):
        await asyncio.sleep(3)
        return light

    assert cs.simulate(reads(), resources=[lamp]).results == ["light"]
    assert story == [("on", 0.0), ("off", 5.0)]


def test_inside_a_running_loop_it_goes_the_same_way():
    async def main():
        return simulation(1), asyncio.get_running_loop().is_running()

    assert asyncio.run(main()) == (simulation(1), True)


def test_inside_a_running_loop_it_sees_the_context_and_raises_what_it_raises():
    asked = ContextVar("asked")

    @cs.task
    async def fails():
        raise OSError(asked.get())

    async def main():
        asked.set("for that")
        cs.simulate(fails())

    with pytest.raises(OSError, match="for that"):
        asyncio.run(main())


# --- the way it goes ------------------------------------------------------------------------------


def _in_a_process(seed, hash_seed):
    script = Path(__file__).with_name("chatter.py")
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    command = [sys.executable, script, str(seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_same_seed_goes_the_same_way_in_every_process_and_another_seed_another():
    assert _in_a_process(1, 0) == _in_a_process(1, 12345)
    assert str(simulation(1)) == _in_a_process(1, 7).strip()
    hashes = {simulation(seed).trace_hash for seed in (1, 1, 2, 3)}
    assert len(hashes) == 3


def test_order_and_results_are_the_same_on_every_interpreter():
    """Seen on CPython 3.11, 3.12 and 3.13."""
    simulated = simulation(1)
    assert simulated.results[0] == 44
    assert simulated.results[4] == 3
    assert simulated.trace_hash == "c49d87185efa10c6071d4d30198fa8cf"


def test_a_pace_changes_nothing():
    assert simulation(5, pace=1000.0) == simulation(5)


def test_each_run_has_a_stream_of_random_numbers_of_its_own():
    @cs.task
    async def draw(rng=cs.inject("rng")):
        return rng.random()

    both = cs.simulate([draw(), draw()], seed=4).results
    assert len(set(both)) == 2
    assert cs.simulate([draw(), draw()], seed=4).results == both
    assert cs.simulate([one(1), draw(), one(2)], seed=4).results[1] == both[1]
    named = cs.simulate({"b": draw(), "a": draw()}, seed=4).results
    assert cs.simulate({"a": draw()}, seed=4).results == [named[1]]


async def test_the_same_names_serve_on_the_wall_clock():
    @cs.task
    async def draw(rng=cs.inject("rng"), clock=cs.inject("clock")):
        return rng.random(), clock.time() > 0

    seeded = [await cs.Engine(seed=3).run(draw(), name="x") for _ in range(2)]
    assert seeded[0][0] == seeded[1][0]
    assert seeded[0][1]
    free = [await cs.Engine().run(draw()) for _ in range(2)]
    assert free[0][0] != free[1][0]


def test_retries_wait_simulated_time_and_jitter_follows_the_seed():
    @cs.task
    async def fails(clock=cs.inject("clock")):
        times.append(clock.time())
        raise OSError

    stories = []
    for seed in (1, 1, 2):
        times = []
        with pytest.raises(OSError):
            cs.simulate(fails.with_retry(4, delay=10, jitter=0.5)(), seed=seed)
        stories.append(times)
    assert stories[0] == stories[1] != stories[2]
    assert len(stories[0]) == 4


def test_an_order_expires_in_simulated_time():
    connector = cs.LocalBusConnector(cs.LocalBroker())

    @cs.task
    async def when(_sent, clock=cs.inject("clock")):
        return clock.time()

    pause = {"id": "p", "type": "pause", "expires_at": 60.0}
    paused = cs.simulate(
        when(cs.send("cascade/constraints/task/when", pause, retain=True)), connector=connector
    )
    assert paused.results == [60.0]


# --- what cannot be -------------------------------------------------------------------------------


def test_a_deadlock_says_who_waits_for_which_topic():
    with pytest.raises(DeadlockError) as caught:
        cs.simulate(
            {
                "ann": one(cs.recv(["door/+", "window"])),
                "bob": one(cs.recv("bell", buffered=True)),
                "cleo": nap(4),
            }
        )
    assert caught.value.waiting == [
        "run 'ann' waits for 'door/+' or 'window'",
        "run 'bob' waits for 'bell'",
    ]
    assert "deadlock at 4 s" in str(caught.value)


def test_a_def_task_runs_inline_and_a_process_or_thread_is_refused_by_name():
    import threading

    here = threading.get_ident()

    @cs.task
    def where():
        return threading.get_ident()

    @cs.task(mode="process")
    def heavy():
        return 1

    @cs.task
    async def sneaks():
        return await asyncio.to_thread(len, "abc")

    assert cs.simulate(where()).results == [here]
    with pytest.raises(NonDeterminismError, match="the task 'heavy' asked for a process") as caught:
        cs.simulate(heavy())
    assert (caught.value.task, caught.value.cause) == ("heavy", "a process")
    with pytest.raises(NonDeterminismError, match="the task 'sneaks' asked for a thread"):
        cs.simulate(one(sneaks()))
    with pytest.raises(NonDeterminismError, match="the task 'shell' asked for a process"):
        cs.simulate(cs.shell("true"))
    with pytest.raises(NonDeterminismError, match="the task 'http.get' asked for a socket"):
        cs.simulate(cs.http.get("http://127.0.0.1:9/"))


def test_a_cycle_within_one_instant_is_found_out(monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MAX_STEPS", 1000)
    monkeypatch.setattr("cascade.runtime.concurrency.fairness._STEPS", 100)

    @cs.task(mode="inline")
    def round_and_round():
        return round_and_round()

    with pytest.raises(RunawayError, match="at 0 s .*'?run-1"):
        cs.simulate(round_and_round())


def test_a_million_steps_within_one_instant_are_no_cycle():
    @cs.task(mode="inline")
    def count(n):
        return count(n - 1) if n else "done"

    assert cs.simulate(count(1_000_000)).results == ["done"]


def test_only_an_in_memory_connector_will_do():
    class Far:
        connected = False

    with pytest.raises(TypeError, match="give it a LocalBusConnector"):
        cs.simulate(one(1), connector=Far())


def test_a_connector_of_ones_own_can_be_listened_to_afterwards():
    broker = cs.LocalBroker()
    cs.simulate(cs.send("state", "kept", retain=True), connector=cs.LocalBusConnector(broker))
    assert (broker.retained_count, broker.subscription_count) == (1, 0)
    heard = cs.simulate(cs.recv("state"), connector=cs.LocalBusConnector(broker))
    assert heard.results == ["kept"]


def test_an_interrupt_ends_a_paused_simulation():
    @cs.task
    async def interrupted_soon():
        # From inside the simulation, so that it does not come before the simulation has begun.
        threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
        return nap(5)

    pace = Pace(1.0)
    pace.paused = True
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(interrupted_soon(), pace=pace)
    loop = asyncio.new_event_loop()  # as in a notebook, where nobody else takes the interrupt

    async def main():
        cs.simulate(interrupted_soon(), pace=pace)

    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    loop.close()
