"""Simulated time: exact, in order, and with nothing from outside."""

import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.interfaces.errors import DeadlockError, NonDeterminismError, RunawayError
from cascade.runtime.simulation import virtual_loop
from cascade.runtime.simulation.pacing import Pace
from cascade.runtime.simulation.virtual_loop import VirtualLoop
from rows import each_row


def run(coroutine, pace=None):
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(pace)) as runner:
        return runner.run(coroutine)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_time_is_exactly_the_deadline_and_timers_run_by_instant_then_in_the_order_set(instants):
    seen = []

    async def main():
        loop = asyncio.get_running_loop()
        for number, instant in enumerate(instants):
            loop.call_at(instant, lambda number=number: seen.append((loop.time(), number)))
        await asyncio.sleep(1e6 + 1)

    run(main())
    assert seen == sorted((instant, number) for number, instant in enumerate(instants))


@given(st.floats(0, 1e15), st.floats(1e-9, 1e9))
def test_even_far_on_a_wait_ends_at_its_very_instant(start, wait):
    async def main():
        loop = asyncio.get_running_loop()
        loop.call_at(start, lambda: None)
        woken = loop.create_future()
        loop.call_at(start + wait, woken.set_result, None)
        await woken
        return loop.time()

    assert run(main()) == start + wait


def test_a_year_of_waiting_takes_no_time():
    async def main():
        await asyncio.sleep(365 * 24 * 3600)
        return asyncio.get_running_loop().time()

    assert run(main()) == 365 * 24 * 3600


def test_a_timer_that_is_past_runs_now_and_after_what_is_ready():
    seen = []

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        loop.call_at(1, seen.append, "timer")
        loop.call_soon(seen.append, "ready")
        await asyncio.sleep(1)
        return loop.time()

    assert run(main()) == 6
    assert seen == ["ready", "timer"]


def test_a_timer_at_no_number_is_refused():
    async def main():
        asyncio.get_running_loop().call_at(float("nan"), print)

    with pytest.raises(ValueError, match="not nan"):
        run(main())


def test_a_cancelled_timer_does_not_run_and_time_does_not_stop_there():
    async def main():
        loop = asyncio.get_running_loop()
        timer = loop.call_later(1, pytest.fail)
        assert not timer.cancelled()
        timer.cancel()
        timer.cancel()
        assert timer.cancelled()
        loop.call_soon(pytest.fail).cancel()
        await asyncio.sleep(2)
        return loop.time()

    assert run(main()) == 2


def test_timers_of_one_instant_keep_their_order_when_some_are_cancelled():
    async def main():
        loop = asyncio.get_running_loop()
        seen: list[int] = []
        timers = [loop.call_at(1, seen.append, n) for n in range(5)]
        for timer in (timers[0], timers[3]):
            timer.cancel()
        alone = loop.call_at(2, pytest.fail)
        alone.cancel()
        loop.call_at(2, seen.append, 5)
        loop.call_at(2, seen.append, 6)
        both = [loop.call_at(3, pytest.fail) for _ in range(2)]
        for timer in both:
            timer.cancel()
        assert len(loop._timers) == 2
        await asyncio.sleep(4)
        return seen

    assert run(main()) == [1, 2, 4, 5, 6]


def test_timers_that_were_cancelled_do_not_gather(monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MANY_EMPTY", 10)

    async def main():
        loop = asyncio.get_running_loop()
        kept = [loop.call_at(1000 + n, lambda: None) for n in range(5)]
        for n in range(10_000):
            loop.call_at(2000 + n, pytest.fail).cancel()
        assert len(loop._instants) < 50
        assert [timer.when() for timer in kept] == [1000 + n for n in range(5)]
        await asyncio.sleep(1500)

    run(main())


def test_time_outs_work_on_simulated_time():
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(main()) == 3


def test_an_error_in_a_callback_is_reported_and_ends_nothing_else():
    told = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)
        return "went on"

    assert run(main()) == "went on"
    assert [type(error) for error in told] == [ZeroDivisionError]


# --- stuck ----------------------------------------------------------------------------------------


def test_nothing_left_to_happen_is_a_deadlock_that_names_who_waits():
    async def waits_for_ever():
        await asyncio.Event().wait()

    async def main():
        await asyncio.sleep(2)
        await asyncio.create_task(waits_for_ever(), name="the stuck one")

    with pytest.raises(DeadlockError, match="deadlock at 2 s .*'the stuck one'") as caught:
        run(main())
    assert caught.value.time == 2


def test_waiting_for_infinity_is_a_deadlock_too():
    async def main():
        await asyncio.sleep(float("inf"))

    with pytest.raises(DeadlockError, match="deadlock at 0 s"):
        run(main())


def test_going_round_within_one_instant_is_found_out(monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MAX_TURNS", 100)

    async def spins():
        while True:
            await asyncio.sleep(0)

    async def main():
        await asyncio.sleep(1)
        await asyncio.create_task(spins(), name="spinner")

    with pytest.raises(RunawayError, match="at 1 s .*spinner") as caught:
        run(main())
    assert caught.value.tasks == ["spinner"]


def test_many_turns_are_fine_while_time_goes_on(monkeypatch):
    monkeypatch.setattr(virtual_loop, "_MAX_TURNS", 100)

    async def main():
        for _ in range(1000):
            await asyncio.sleep(0.001)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(1.0)


# --- from outside ---------------------------------------------------------------------------------


async def _thread(loop):
    await loop.run_in_executor(None, time.sleep, 0)


async def _name_look_up(loop):
    await loop.getaddrinfo("localhost", 80)


async def _connection(loop):
    await loop.create_connection(asyncio.Protocol, "127.0.0.1", 80)


async def _server(loop):
    await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)


async def _process(_loop):
    await asyncio.create_subprocess_exec("true")


async def _reader(loop):
    loop.add_reader(0, print)


async def _signal(loop):
    loop.add_signal_handler(15, print)


@each_row(
    ("ask", "cause"),
    [
        (_thread, "a thread"),
        (_name_look_up, "a thread"),
        (_connection, "a socket"),
        (_server, "a socket"),
        (_process, "a process"),
        (_reader, "a file descriptor"),
        (_signal, "a signal"),
    ],
)
def test_what_has_a_time_of_its_own_is_refused(ask, cause):
    async def main():
        await ask(asyncio.get_running_loop())

    with pytest.raises(NonDeterminismError, match=cause):
        run(main())


def test_another_thread_cannot_call_in():
    async def main():
        loop, refused = asyncio.get_running_loop(), []

        def call_in():
            try:
                loop.call_soon_threadsafe(print)
            except NonDeterminismError as error:
                refused.append(error.cause)

        thread = threading.Thread(target=call_in)
        thread.start()
        thread.join()
        loop.call_soon_threadsafe(refused.append, "from here it is fine")
        await asyncio.sleep(0)
        return refused

    assert run(main()) == ["a callback from another thread", "from here it is fine"]


# --- pace -----------------------------------------------------------------------------------------


def test_a_pace_holds_simulated_time_back():
    begun = time.monotonic()  # before the pace is made, from which on it counts
    run(asyncio.sleep(2), Pace(20))
    assert time.monotonic() - begun >= 0.09


def test_a_pause_holds_until_it_is_taken_back():
    pace = Pace(1000)
    pace.paused = True
    begun = time.monotonic()
    threading.Timer(0.1, setattr, (pace, "paused", False)).start()
    run(asyncio.sleep(1), pace)
    assert time.monotonic() - begun >= 0.09


def test_a_pace_can_be_changed_while_somebody_waits_for_it():
    pace = Pace(0.001)
    threading.Timer(0.05, setattr, (pace, "factor", 1000.0)).start()
    run(asyncio.sleep(1), pace)
    assert pace.factor == 1000


@each_row("factor", [0, -1, float("inf"), float("nan")])
def test_a_pace_is_a_number_above_0(factor):
    with pytest.raises(ValueError, match="above 0"):
        Pace(factor)
    pace = Pace()
    with pytest.raises(ValueError, match="above 0"):
        pace.factor = factor


# --- sets of tasks and futures --------------------------------------------------------------------


def test_what_asyncio_keeps_in_sets_goes_in_one_order():
    async def nap(number, seconds, seen):
        try:
            await asyncio.sleep(seconds)
            if number == 13:
                raise OSError
            return number
        finally:
            seen.append(number)

    async def group_of(numbers, seen):
        async with asyncio.TaskGroup() as group:
            for n in numbers:
                group.create_task(nap(n, 1 if n == 13 else 5, seen))

    async def main():
        kept, seen = [object() for _ in range(7)], []
        tasks = [asyncio.create_task(nap(n, 1, seen), name=str(n)) for n in range(12)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        seen.append([task.get_name() for task in done])
        tasks = [asyncio.create_task(nap(n, 1, seen)) for n in range(12)]
        seen += [await task for task in asyncio.as_completed(tasks)]
        with pytest.raises(ExceptionGroup):
            await group_of(range(20), seen)
        futures = [asyncio.get_running_loop().create_future() for _ in range(9)]
        seen.append([futures.index(future) for future in set(futures)])
        return seen, kept

    first, _kept = run(main())
    in_turn = list(range(12))
    of_group = [13, *(n for n in range(20) if n != 13)]
    assert first == [
        *in_turn,
        [str(n) for n in in_turn],
        *in_turn,
        *in_turn,
        *of_group,
        [*range(9)],
    ]
    assert run(main())[0] == first


def test_tasks_have_names_and_contexts_as_elsewhere():
    async def main():
        task = asyncio.create_task(asyncio.sleep(1, "slept"), name="sleeper")
        assert (task, task.get_name()) == (task, "sleeper")
        assert task != asyncio.current_task()
        return await task

    assert run(main()) == "slept"
