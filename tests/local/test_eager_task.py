"""An `EagerTask` begins where it stands, and is from then on a task like any other."""

import asyncio
import gc
import io
from contextvars import ContextVar, copy_context

import pytest

from cascade.runtime.concurrency.eager_task import EagerTask
from cascade.testing.connectors import patience
from rows import each_row

color = ContextVar("color", default="none")


def begin(coroutine):
    task = EagerTask(coroutine, asyncio.get_running_loop(), copy_context())
    task.start()
    return task


class Steps:
    """A coroutine function that waits at a future, and keeps what it meets."""

    def __init__(self):
        self.log = []
        self.future = asyncio.get_running_loop().create_future()

    async def __call__(self):
        self.log.append("begins")
        try:
            self.log.append(await self.future)
        except asyncio.CancelledError as error:
            self.log.append(error)
            raise
        return "value"


# --- beginning and ending -----------------------------------------------------------------------


async def test_a_coroutine_that_never_waits_is_done_when_start_returns():
    async def quick():
        return 7

    task = begin(quick())
    assert task.done()
    assert task.result() == 7
    assert await task == 7
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_that_waits_has_run_up_to_there_and_goes_on_with_the_loop():
    steps = Steps()
    task = begin(steps())
    assert steps.log == ["begins"]
    assert not task.done()
    steps.future.set_result("woken")
    assert steps.log == ["begins"]
    assert await task == "value"
    assert steps.log == ["begins", "woken"]


@each_row("waits", [0, 1, 3])
async def test_a_bare_yield_costs_one_turn_of_the_loop(waits):
    async def turn():
        for _ in range(waits):
            await asyncio.sleep(0)

    task = begin(turn())
    for _ in range(waits):
        assert not task.done()
        await asyncio.sleep(0)
    assert task.done()


@each_row("waits", [False, True])
async def test_an_exception_is_kept_for_whoever_awaits(waits):
    async def fail():
        if waits:
            await asyncio.sleep(0)
        raise ValueError("broken")

    task = begin(fail())
    with pytest.raises(ValueError, match="broken"):
        await task
    assert isinstance(task.exception(), ValueError)
    assert not task.cancelled()


@pytest.mark.parametrize("waits", [False, True])
async def test_an_exception_that_nobody_looks_at_is_logged_once(waits):
    async def fail():
        if waits:
            await asyncio.sleep(0)
        raise ValueError("unseen")

    said = []
    asyncio.get_running_loop().set_exception_handler(lambda _, facts: said.append(facts))
    task = begin(fail())
    while not task.done():
        await asyncio.sleep(0)
    del task
    gc.collect()
    assert [str(facts["exception"]) for facts in said] == ["unseen"]


async def test_what_a_future_raises_is_raised_where_it_is_awaited():
    steps = Steps()

    async def look():
        try:
            await steps()
        except KeyError as error:
            return error

    task = begin(look())
    error = KeyError("gone")
    steps.future.set_exception(error)
    assert await task is error


async def test_done_callbacks_are_called_as_those_of_any_future():
    called = []
    steps = Steps()
    task = begin(steps())
    task.add_done_callback(called.append)
    steps.future.set_result(1)
    await task
    await asyncio.sleep(0)
    assert called == [task]


async def test_an_interrupt_goes_up_and_ends_the_task():
    async def stop():
        raise KeyboardInterrupt

    task = EagerTask(stop(), asyncio.get_running_loop(), copy_context())
    mine = asyncio.current_task()
    with pytest.raises(KeyboardInterrupt):
        task.start()
    assert asyncio.current_task() is mine
    assert isinstance(task.exception(), KeyboardInterrupt)


async def test_awaiting_what_is_no_future_of_the_loop_is_an_error_inside_the_coroutine():
    other = asyncio.new_event_loop()

    async def look(what):
        try:
            await what
        except RuntimeError as error:
            return str(error)

    class Odd:
        def __await__(self):
            yield 7

    assert "not a future of its loop" in await begin(look(other.create_future()))
    assert "waits for 7" in await begin(look(Odd()))
    other.close()


async def test_a_task_that_awaits_itself_is_an_error_and_does_not_hang():
    async def selfish():
        await asyncio.sleep(0)
        await tasks[0]

    tasks = [begin(selfish())]
    async with patience():
        with pytest.raises(RuntimeError, match="selfish waits for"):
            await tasks[0]


async def test_one_may_begin_inside_another_and_await_it():
    seen = []

    async def inner():
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        return "inner"

    async def outer():
        task = begin(inner())
        seen.append(asyncio.current_task())
        value = await task
        seen.append(asyncio.current_task())
        return task, value

    mine = asyncio.current_task()
    outside = begin(outer())
    assert asyncio.current_task() is mine
    inside, value = await outside
    assert value == "inner"
    assert seen == [inside, outside, inside, outside]


async def test_it_drives_generators_too():
    def generator():
        yield
        return "end"

    assert await begin(generator()) == "end"


# --- who sees it --------------------------------------------------------------------------------


async def test_the_current_task_inside_is_itself_and_outside_what_it_was():
    seen = []

    async def look():
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())

    mine = asyncio.current_task()
    task = begin(look())
    assert asyncio.current_task() is mine
    await task
    assert seen == [task, task]
    assert asyncio.current_task() is mine


async def test_all_tasks_lists_it_while_it_waits_and_no_longer():
    steps = Steps()
    task, mine = begin(steps()), asyncio.current_task()
    assert asyncio.all_tasks() == {task, mine}
    steps.future.set_result(None)
    await task
    assert asyncio.all_tasks() == {mine}


async def test_its_context_is_its_own_before_and_after_a_wait():
    seen = []

    async def paint():
        seen.append(color.get())
        color.set("mine")
        await asyncio.sleep(0)
        seen.append(color.get())
        await asyncio.get_running_loop().run_in_executor(None, int)
        seen.append(color.get())
        color.set("at the end")

    color.set("outside")
    task = begin(paint())
    color.set("later")
    await task
    assert seen == ["outside", "mine", "mine"]
    assert color.get() == "later"
    assert task.get_context().run(color.get) == "at the end"


async def test_it_has_a_name_for_messages_and_shows_its_coroutine():
    steps = Steps()
    coroutine = steps()
    task = begin(coroutine)
    assert task.get_name() == "Steps.__call__"
    assert task.get_coro() is coroutine
    steps.future.set_result(None)
    await task


# --- cancelling ---------------------------------------------------------------------------------


async def test_cancelled_before_it_starts_it_never_begins():
    steps = Steps()
    task = EagerTask(steps(), asyncio.get_running_loop(), copy_context())
    assert task.cancel()
    task.start()
    assert task.cancelled()
    assert steps.log == []


async def test_cancelled_while_it_waits_the_coroutine_gets_the_error_and_the_message():
    steps = Steps()
    task = begin(steps())
    assert task.cancel("enough")
    assert not task.done()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("enough",)
    assert task.cancelled()
    assert [str(each) for each in steps.log] == ["begins", "enough"]
    assert steps.future.cancelled()


async def test_cancelled_at_a_bare_yield_or_between_wake_up_and_step_it_is_cancelled_too():
    async def turn():
        await asyncio.sleep(0)

    steps = Steps()
    tasks = [begin(turn()), begin(steps())]
    steps.future.set_result("woken")
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True, True]
    assert [type(each) for each in steps.log] == [str, asyncio.CancelledError]


async def test_cancelled_by_itself_it_is_cancelled_at_its_next_wait():
    reached = []

    async def give_up():
        asyncio.current_task().cancel()
        reached.append("goes on")
        await asyncio.get_running_loop().create_future()
        reached.append("never")

    async with patience():
        await asyncio.wait([task := begin(give_up())])
    assert task.cancelled()
    assert reached == ["goes on"]


async def test_cancelling_what_is_done_changes_nothing():
    async def quick():
        return 1

    task = begin(quick())
    assert not task.cancel()
    assert task.result() == 1
    assert task.cancelling() == 0


async def test_a_coroutine_may_refuse_to_be_cancelled():
    async def stubborn():
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return "still here"

    task = begin(stubborn())
    task.cancel()
    assert await task == "still here"
    assert task.cancelling() == 1


async def test_requests_to_cancel_are_counted_and_can_be_taken_back():
    steps = Steps()
    task = begin(steps())
    task.cancel()
    task.cancel()
    assert (task.cancelling(), task.uncancel(), task.uncancel(), task.uncancel()) == (2, 1, 0, 0)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_request_taken_back_before_the_next_wait_is_not_carried_out():
    async def hesitate():
        task = asyncio.current_task()
        task.cancel()
        task.uncancel()
        await asyncio.sleep(0)
        return "went on"

    assert await begin(hesitate()) == "went on"


async def test_a_timeout_inside_turns_into_timeout_error_and_leaves_no_request():
    async def impatient():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.get_running_loop().create_future()
        return asyncio.current_task().cancelling()

    assert await begin(impatient()) == 0


async def test_a_timeout_around_it_cancels_it():
    steps = Steps()
    task = begin(steps())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await task
    assert task.cancelled()


async def test_a_task_group_inside_waits_for_its_children():
    async def child(number):
        await asyncio.sleep(0)
        return number

    async def parent():
        async with asyncio.TaskGroup() as group:
            children = [group.create_task(child(number)) for number in range(3)]
        return [each.result() for each in children]

    assert await begin(parent()) == [0, 1, 2]


async def test_a_child_that_fails_cancels_the_group_inside_and_nothing_else():
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("child")

    async def group_that_fails():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.get_running_loop().create_future()

    async def parent():
        with pytest.raises(ExceptionGroup):
            await group_that_fails()
        await asyncio.sleep(0)
        return asyncio.current_task().cancelling()

    assert await begin(parent()) == 0


async def test_cancelling_the_parent_of_a_group_cancels_the_children():
    cancelled = []

    async def child():
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def parent():
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(child())

    task = begin(parent())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == [1, 1, 1]


async def test_gather_and_wait_take_it_like_any_task():
    async def turn(number):
        for _ in range(number):
            await asyncio.sleep(0)
        if number == 3:
            raise ValueError("three")
        return number

    values = await asyncio.gather(*[begin(turn(n)) for n in range(5)], return_exceptions=True)
    assert [str(value) for value in values] == ["0", "1", "2", "three", "4"]
    tasks = [begin(turn(n)) for n in (0, 1)]
    done, pending = await asyncio.wait(tasks)
    assert (done, pending) == (set(tasks), set())


async def test_shield_protects_it():
    steps = Steps()
    task = begin(steps())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await asyncio.shield(task)
    steps.future.set_result(None)
    assert await task == "value"


def test_the_end_of_asyncio_run_cancels_what_still_waits():
    logs = []

    async def main():
        steps = Steps()
        logs.append(steps.log)
        return begin(steps())

    assert asyncio.run(main()).cancelled()
    assert [type(each) for each in logs[0]] == [str, asyncio.CancelledError]


async def test_it_has_all_that_a_task_has():
    task = begin(asyncio.sleep(10))
    lacking = [
        name for name in dir(asyncio.Task) if not name.startswith("_") and not hasattr(task, name)
    ]
    assert lacking == []
    assert [frame.f_code.co_name for frame in task.get_stack()] == ["sleep"]
    out = io.StringIO()
    task.print_stack(file=out)
    assert "sleep" in out.getvalue()
    task.set_name("naps")
    assert task.get_name() == "naps"
    task.cancel()
    await asyncio.wait([task])
    assert task.get_stack() == []
