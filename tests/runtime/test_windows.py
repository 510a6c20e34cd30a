"""``task.with_window(n).map(…)``: so many items under way at once, each an agent, all else as without."""

import asyncio

import pytest

import cascade as cs
from cascade.spec.codec import decode, encode
from rows import each_row


class Gauge:
    """Counts how many are inside at once."""

    def __init__(self):
        self.inside = self.most = self.begun = self.cancelled = 0

    async def __aenter__(self):
        self.inside += 1
        self.begun += 1
        self.most = max(self.most, self.inside)

    async def __aexit__(self, kind, *_):
        self.inside -= 1
        self.cancelled += kind is asyncio.CancelledError


@pytest.fixture
def gauge():
    return Gauge()


@cs.task
async def double(x: int) -> int:
    await asyncio.sleep(0)
    return 2 * x


@cs.task(mode="inline")
def name(_) -> str:
    return cs.current().agent


@cs.task(mode="inline")
def numbers(count: int) -> list[int]:
    return list(range(count))


@cs.task(mode="inline")
def both(*values):
    return list(values)


@each_row("window", [1, 3, 10, 11])
def test_no_more_are_under_way_than_the_window_has_room_for(window):
    gauge = Gauge()

    @cs.task
    async def work(x):
        async with gauge:
            await asyncio.sleep(0.001 * (x % 3))
            return x

    assert cs.run(work.with_window(window).map(range(10))) == list(range(10))
    assert gauge.most == min(window, 10)


def test_a_mapping_of_calls_and_of_names_has_the_same_values():
    windowed = double.with_window(2)
    assert cs.run(windowed.map(numbers(5))) == [0, 2, 4, 6, 8]
    assert cs.run(windowed.map(x=[double(1), 3, 4])) == [4, 6, 8]
    assert cs.run(both(windowed.map([1, 2, 3]), windowed.map([]), windowed(4))) == [
        [2, 4, 6],
        [],
        8,
    ]


@each_row(
    "target",
    [
        lambda task: task.map(range(4)),
        lambda task: task.map(numbers(4)),
        lambda task: [task.map(range(3)), task.map(numbers(3))],
    ],
)
def test_items_are_called_as_without_a_window(target):
    plain, windowed = (cs.run(target(task), name="run") for task in (name, name.with_window(2)))
    assert plain == windowed


def test_a_failure_ends_the_others_and_no_more_begin(gauge):
    @cs.task
    async def work(x):
        async with gauge:
            if x == 3:
                raise LookupError(f"no {x}")
            await asyncio.sleep(3600 if x > 1 else 0)

    with pytest.raises(LookupError, match="no 3") as error:
        cs.run(work.with_window(3).map(range(100)))
    assert gauge.begun <= 5
    assert gauge.inside == 0
    assert gauge.cancelled >= 1
    assert "in task 'work' of run 'run-1'" in error.value.__notes__


async def test_cancelling_the_run_ends_all_that_is_under_way(gauge):
    @cs.task
    async def work(x):
        async with gauge:
            await asyncio.sleep(3600)

    running = asyncio.create_task(cs.run_async(work.with_window(4).map(range(9))))
    while gauge.inside < 4:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (gauge.inside, gauge.begun, gauge.cancelled) == (0, 4, 4)


async def test_an_item_that_is_cancelled_from_inside_cancels_the_run():
    @cs.task
    async def work(x):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await cs.run_async(work.with_window(2).map(range(5)))


def test_combinators_take_the_items_one_by_one_or_together():
    attempts = []

    @cs.task(mode="inline")
    def picky(x):
        attempts.append(x)
        if x == 2 and len(attempts) < 6:
            raise LookupError(f"no {x}")
        return x

    windowed = picky.with_window(2)
    settled = cs.run(cs.settle(windowed.map([1, 2, 3])))
    assert [repr(each) for each in settled] == ["1", "LookupError('no 2')", "3"]
    assert cs.run(cs.retry(windowed.map([1, 2, 3]), 4)) == [1, 2, 3]


def test_each_item_has_a_mailbox_and_goes_on_by_tail_calls():
    @cs.task
    async def hears(x, _first=None):
        return cs.after(cs.recv(f"in/{x}", timeout=5), cs.send(f"in/{x}", x * 10, retain=True))

    cs.LocalBusConnector._reset_broker_state()
    target = hears.with_window(2).map([1, 2, 3])
    assert cs.run(target, connector=cs.LocalBusConnector(), listen=["in/#"]) == [10, 20, 30]
    cs.LocalBusConnector._reset_broker_state()


def test_simulated_time_passes_in_turns_of_the_window():
    @cs.task
    async def waits(x, clock=cs.inject("clock")):
        await clock.sleep(10)
        return clock.time()

    target = waits.with_window(2).map(range(5))
    first, second = (cs.simulate(target, seed=1) for _ in range(2))
    (times,) = first.results
    assert ([times], first.trace_hash) == (second.results, second.trace_hash)
    assert [round(each - times[0]) for each in times] == [0, 0, 10, 10, 20]


def test_a_window_is_data_and_leaves_a_single_call_as_it_is():
    windowed = double.with_window(3)
    assert windowed.is_plain
    assert decode(encode(windowed.map([1, 2]))).args[0].policies.window == 3
    with pytest.raises(ValueError, match="one call or more"):
        double.with_window(0)


# --- run_if ---------------------------------------------------------------------------------------


@each_row(
    ("condition", "or_else", "value"),
    [
        (True, 7, 2),
        (False, 7, 7),
        (False, None, None),
        (False, double(5), 10),
        (double(0), [1], [1]),
    ],
)
def test_where_a_condition_is_false_the_value_is_another(condition, or_else, value):
    call = double.run_if(condition, or_else=or_else)(1)
    assert cs.run(call) == value
    assert cs.run(decode(encode(call))) == value


def test_what_stands_in_its_place_is_evaluated_only_then():
    seen = []

    @cs.task(mode="inline")
    def other(x):
        seen.append(x)
        return x

    assert cs.run(double.run_if(True, or_else=other(1))(2)) == 4
    assert cs.run(double.run_if(False, or_else=other(2)).map([1, 1])) == [2, 2]
    assert 1 not in seen
