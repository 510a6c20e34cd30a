"""Durable agents in one process: what a step commits, and what happens when it runs again."""

import asyncio

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import (
    AgentExistsError,
    AgentFailedError,
    InvalidTaskError,
    NoStoreError,
    StateNotKeptError,
)
from cascade.spec.codec import decode
from cascade.stores.memory import MemoryStore
from cascade.stores.sqlite import SqliteStore
from durable import steps
from durable.patience import until, waits

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def connector():
    return cs.LocalBusConnector(cs.LocalBroker())


@pytest.fixture
def engine(store, connector):
    """Make engines on one store and one connector."""
    return lambda **options: cs.Engine(store=store, **{"connector": connector, **options})


async def parked(engine, name, topic):
    """Wait until an agent's mailbox in the store listens to a topic."""

    async def hears():
        record = await engine.agents.load(name)
        return record is not None and topic in record.filters

    await until(hears)


async def test_an_agent_runs_to_its_value_and_gives_it_again(engine):
    async with engine() as one:
        assert await one.run(steps.count(3), name="c", durable=True) == 6
        assert await one.run(steps.count(3), name="c", durable=True) == 6
        record = await one.agents.load("c")
    assert steps.ran == [("count", n) for n in (3, 2, 1, 0)]
    assert (record.status, record.step, record.owner) == ("finished", 3, None)
    async with engine() as other:
        assert await other.run(steps.count(3), name="c", durable=True) == 6


async def test_values_come_back_as_they_are_annotated(engine):
    cart = steps.Cart("ann", [])
    async with engine() as one:
        for _ in range(2):
            found = await one.run(steps.shop(cart, 2), name="s", durable=True)
            assert found == steps.Cart("ann", ["item 2", "item 1"])


async def test_a_name_stands_for_one_start(engine):
    async with engine() as one:
        await one.run(steps.count(1), name="c", durable=True)
        with pytest.raises(AgentExistsError, match="'c'"):
            await one.run(steps.count(2), name="c", durable=True)
        assert await one.run(steps.count(2), name="c", durable=True, attach=True) == 1


async def test_what_is_no_plain_call_is_refused_and_says_how_to_start_several(engine):
    async with engine() as one:
        for target in ([steps.count(1)], cs.retry(steps.count(1)), steps.count.map([1])):
            with pytest.raises(InvalidTaskError, match=r"engine\.agents\.start"):
                await one.run(target, name="x", durable=True)
        with pytest.raises(ValueError, match="name"):
            await one.run(steps.count(1), durable=True)
    with pytest.raises(NoStoreError, match="store="):
        await cs.Engine().run(steps.count(1), name="x", durable=True)


async def test_a_step_that_waits_goes_on_in_another_engine_without_doing_again_what_it_has(
    engine, connector
):
    async with engine() as one:
        await one.agents.start({"o": steps.order()})
        await parked(one, "o", "approval")
    assert steps.ran == ["order", "price"]
    async with engine() as other:
        await waits(other, "o")
        await connector.publish("approval", 4)
        assert await other.run(steps.order(), name="o", durable=True) == 7
    assert steps.ran == ["order", "price"]


async def test_signals_wait_in_the_store_and_are_taken_once(engine, connector):
    async with engine() as one:
        await one.agents.start({"l": steps.lamp(4, [])})
        await parked(one, "l", "switch")
        await connector.publish("switch", "a")
        await connector.publish("switch", "b")
        await until(lambda: _step(one, "l", 3))
    async with engine() as other:
        await waits(other, "l")
        await connector.publish("switch", "c")
        await connector.publish("switch", "d")
        heard = await other.run(steps.lamp(4, []), name="l", durable=True)
    assert heard == ["a", "b", "c", "d"]


async def _step(engine, name, step):
    record = await engine.agents.load(name)
    return record.step >= step


async def _journaled(engine, name):
    record = await engine.agents.load(name)
    return bool(record.journal)


async def _owned(engine, name):
    record = await engine.agents.load(name)
    return record.owner is not None


@pytest.mark.parametrize("with_connector", [True, False])
async def test_agents_of_one_store_hear_each_other_once_with_and_without_a_connector(
    engine, connector, with_connector
):
    async with engine(connector=connector if with_connector else None) as one:
        await one.agents.start({"l": steps.lamp(6, [])})
        await parked(one, "l", "switch")
        await one.agents.start({"p": steps.press(3, "p"), "q": steps.press(3, "q")})
        heard = await one.run(steps.lamp(6, []), name="l", durable=True)
    assert sorted(heard) == ["p1", "p2", "p3", "q1", "q2", "q3"]
    assert [word for word in heard if word[0] == "p"] == ["p3", "p2", "p1"]


async def test_what_waits_at_once_hears_all_that_it_waits_for_also_from_the_store_alone(engine):
    async with engine(connector=None) as one:
        await one.agents.start({"h": steps.hears_two(), "n": steps.hears_and_naps()})
        await parked(one, "h", "a")
        await parked(one, "h", "b")

        async def naps():
            return (await one.agents.load("n")).journal

        await until(naps)
        await parked(one, "n", "a")
        record = await one.agents.load("h")
        assert set(record.filters) == {"a", "b"}
        for topic, number in (("a", 3), ("b", 4)):
            await one.run(steps.presses(topic, number), name=topic, durable=True)
        assert await one.run(steps.hears_two(), name="h", durable=True) == 7


async def test_what_durable_agents_say_everybody_else_hears_too(engine, connector):
    heard = []

    async def hear(topic, payload):
        heard.append(payload)

    async with engine() as one:
        await connector.subscribe("switch", hear)
        await one.run(steps.press(2, "x"), name="p", durable=True)
    assert heard == ["x2", "x1"]


async def test_a_send_goes_out_before_its_step_waits_and_not_again_when_the_step_runs_again(
    engine, connector
):
    heard = []

    async def hear(topic, payload):
        heard.append(payload)

    async with engine() as one:
        handle = await connector.subscribe("told", hear)
        await one.agents.start({"t": steps.tells("hello")})
        await parked(one, "t", "go")
        await handle.unsubscribe()
        assert heard == ["hello"]
    async with engine() as other:
        await connector.subscribe("told", hear)
        await waits(other, "t")
        await connector.publish("go", 1)
        assert await other.run(steps.tells("hello"), name="t", durable=True) == 2
    assert heard == ["hello"]


async def test_names_are_addresses_also_before_who_has_them_starts(engine):
    async with engine() as one:
        await one.agents.start({"asker": steps.asks("answerer")})
        await until(lambda: _journaled(one, "asker"))
        await one.agents.start({"answerer": steps.answers()})
        assert await one.run(steps.answers(), name="answerer", durable=True) == "question"
        assert await one.run(steps.asks("answerer"), name="asker", durable=True) == "answer"


async def test_whoever_sends_to_a_name_by_the_connector_reaches_it_later(engine, connector):
    async with engine() as one:
        await connector.publish(cs.agent("answerer"), "early")
        await asyncio.sleep(0.02)
        assert await one.run(steps.answers(), name="answerer", durable=True) == "early"


async def test_sleeps_and_time_outs_end_at_their_hour_also_after_a_restart(
    engine, store, monkeypatch
):
    now = 1000.0
    for module in ("agent", "agents", "driving", "hearing", "journal", "ownership"):
        monkeypatch.setattr(f"cascade.runtime.durable.{module}.unix_time", lambda: now)
    async with engine() as one:
        await one.agents.start({"n": steps.naps(3600.0), "p": steps.patient(3600.0)})

        async def journaled():
            records = await one.agents.list()
            return all(record.journal for record in records)

        await until(journaled)
    now += 4000
    async with engine() as other:
        assert await other.run(steps.naps(3600.0), name="n", durable=True) == "awake"
        assert await other.run(steps.patient(3600.0), name="p", durable=True) == "nothing"
    assert steps.ran == ["woke"]


async def test_a_failure_stays_at_the_last_commit_and_retry_goes_on(engine):
    with capture() as said:
        async with engine() as one:
            with pytest.raises(AgentFailedError, match="ValueError: not yet"):
                await one.run(steps.fails(1), name="f", durable=True)
            await one.agents.retry("f")
            assert await one.run(steps.fails(1), name="f", durable=True) == "well"
    assert [message.id for message in said] == ["durable.failed"]


async def test_a_call_that_cannot_be_written_blocks_the_agent_before_anything_is_lost(engine):
    with capture() as said:
        async with engine() as one:
            with pytest.raises(AgentFailedError, match=r"(?s)blocked.*uses.*lock"):
                await one.run(steps.holds_a_lock(), name="h", durable=True)
            record = await one.agents.load("h")
    assert (record.status, record.step, record.call) == ("blocked", 0, record.start)
    assert [message.id for message in said] == ["durable.blocked"]


async def test_an_agent_whose_task_is_gone_is_blocked_and_named(engine, store):
    from dataclasses import replace

    async with engine() as one:
        (record,) = await one.agents.start({"c": steps.count(1)})
        gone = record.start.replace(b"steps:count", b"steps:gone")
        await store.create([replace(record, name="g", start=gone, call=gone, status="ready")])
    with capture():
        async with engine() as other:

            async def blocked():
                return (await other.agents.load("g")).status == "blocked"

            await until(blocked)
            assert "steps:gone" in (await other.agents.load("g")).error


async def test_cancel_ends_an_agent_for_good(engine):
    with capture():
        async with engine() as one:
            await one.agents.start({"e": steps.for_ever(0)})
            await until(lambda: _step(one, "e", 3))
            await one.agents.cancel("e")
            with pytest.raises(AgentFailedError, match="cancelled"):
                await one.run(steps.for_ever(0), name="e", durable=True)
            step = (await one.agents.load("e")).step
            await asyncio.sleep(0.05)
            assert (await one.agents.load("e")).step == step


async def test_a_fork_goes_on_from_the_same_state(engine, connector):
    async with engine() as one:
        await one.agents.start({"l": steps.lamp(2, [])})
        await parked(one, "l", "switch")
        await connector.publish("switch", "both")
        await until(lambda: _step(one, "l", 2))
        await one.agents.fork("l", "m")
        await waits(one, "m")
        await connector.publish("switch", "end")
        for name in "lm":
            assert await one.run(steps.lamp(2, []), name=name, durable=True) == ["both", "end"]


async def test_a_fork_goes_on_from_an_earlier_state(engine):
    async with engine() as one:
        one.agents.settings.history = 2
        assert await one.run(steps.count(4), name="c", durable=True) == 10
        kept = await one.agents.history("c")
        assert [(each.step, decode(each.call).args) for each in kept] == [(2, (2, 7)), (3, (1, 9))]
        await one.agents.fork("c", "d", step=2)
        assert await one.run(steps.count(4), name="d", durable=True) == 10
        assert (await one.agents.load("d")).step == 4
        with pytest.raises(StateNotKeptError, match="of 2, 3, 4;"):
            await one.agents.fork("c", "e", step=1)


async def test_what_claims_without_a_commit_too_often_is_stuck_and_kept(engine, store):
    async with engine() as one:
        await one.agents.start({"n": steps.naps(3600.0)})
    await store.open()
    for number in range(7):  # owners that die before their first commit
        await store.claim(f"owner {number}", number, number + 0.5, names=["n"])
    await store.aclose()
    with capture():
        async with engine() as other:

            async def stuck():
                return (await other.agents.load("n")).status == "stuck"

            await until(stuck)
            await other.agents.retry("n")
            await until(lambda: _owned(other, "n"))


async def test_two_engines_never_drive_one_agent_at_once(engine):
    async with engine() as one, engine() as other:
        names = [f"c{number}" for number in range(20)]
        await one.agents.start({name: steps.count(3) for name in names})
        values = await asyncio.gather(
            *[
                each.run(steps.count(3), name=name, durable=True)
                for name in names
                for each in (one, other)
            ]
        )
    assert values == [6] * 40
    assert len(steps.ran) == 4 * len(names)


async def test_an_engine_that_closes_leaves_its_agents_for_others_at_once(engine, store):
    async with engine() as one:
        await one.agents.start({"n": steps.naps(3600.0)})
        await until(lambda: _owned(one, "n"))
    await store.open()
    record = await store.load("n")
    await store.aclose()
    assert (record.owner, record.attempts, record.status) == (None, 0, "ready")


async def test_a_send_to_a_name_whose_agent_has_ended_fails(engine):
    with capture():
        async with engine() as one:
            await one.run(steps.count(1), name="done", durable=True)
            with pytest.raises(AgentFailedError, match="AgentFinishedError: the agent 'done' has"):
                await one.run(steps.asks("done"), name="asker", durable=True)


async def test_a_step_that_runs_again_and_sends_something_else_sends_both_and_says_so(
    engine, connector
):
    heard = []

    async def hear(topic, payload):
        heard.append(payload)

    with capture() as said:
        async with engine() as one:
            handle = await connector.subscribe("told", hear)
            await one.agents.start({"s": steps.says_otherwise()})
            await parked(one, "s", "go")
            await handle.unsubscribe()
        async with engine() as other:
            await connector.subscribe("told", hear)
            await waits(other, "s")
            await connector.publish("go", 1)
            await other.run(steps.says_otherwise(), name="s", durable=True)
    assert heard == ["word 1", "word 2"]
    assert [message.id for message in said] == ["durable.sent_otherwise"]


async def test_what_a_step_sends_while_it_waits_already_goes_out_at_once(engine):
    async with engine() as one:
        await one.agents.start({"answerer": steps.answers()})
        assert await one.run(steps.asks_late(), name="asker", durable=True) == "answer"


async def test_a_value_that_is_not_json_is_told_and_the_agent_is_finished_all_the_same(engine):
    with capture() as said:
        async with engine() as one:
            with pytest.raises(AgentFailedError, match="its value was not kept"):
                await one.run(steps.gives_a_set(), name="g", durable=True)
            assert (await one.agents.load("g")).status == "finished"
    assert [message.id for message in said] == ["durable.result_lost"]


async def test_random_numbers_follow_from_agent_and_step(engine):
    drawn = []
    for name in ("d", "e"):
        async with engine(seed=1) as one:
            drawn.append(await one.run(steps.draws(2, []), name=name, durable=True))
    assert len({*drawn[0], *drawn[1]}) == 4


async def test_signals_that_are_not_json_are_refused_and_named(engine, connector):
    with capture() as said:
        async with engine() as one:
            await one.agents.start({"l": steps.lamp(1, [])})
            await parked(one, "l", "switch")
            await connector.publish("switch", object())
            await connector.publish("switch", "on")
            assert await one.run(steps.lamp(1, []), name="l", durable=True) == ["on"]
            with pytest.raises(AgentFailedError, match="EncodeError.*the signal on 'told'"):
                await one.run(steps.sends_an_object(), name="s", durable=True)
    assert [message.id for message in said] == ["durable.signal_refused", "durable.failed"]


async def test_a_value_that_cannot_be_journaled_is_told_once_and_computed_again(engine, connector):
    with capture() as said:
        async with engine() as one:
            await one.agents.start({"k": steps.keeps_a_set()})
            await parked(one, "k", "go")
        async with engine() as other:
            await waits(other, "k")
            await connector.publish("go", 1)
            assert await other.run(steps.keeps_a_set(), name="k", durable=True) == 3
    assert {message.id for message in said} == {"durable.not_journaled"}


async def test_with_journal_keeps_a_value_at_once(engine):
    with capture():
        async with engine() as one:
            with pytest.raises(AgentFailedError, match="OSError: once"):
                await one.run(steps.journaled_at_once(), name="j", durable=True)
            await one.agents.retry("j")
            assert await one.run(steps.journaled_at_once(), name="j", durable=True) == 4
    assert steps.ran.count("price") == 1


async def test_what_has_ended_is_pruned(engine):
    async with engine() as one:
        await one.run(steps.count(1), name="c", durable=True)
        await asyncio.sleep(0.01)
        assert (await one.agents.prune()).agents == 1
        assert await one.agents.load("c") is None
        assert await one.agents.cancel("c") is None


async def test_what_the_last_step_took_is_gone_with_it(engine, store):
    async with engine() as one:
        await one.agents.start({"asker": steps.asks("answerer")})
        assert await one.run(steps.answers(), name="answerer", durable=True) == "question"
        assert await one.run(steps.asks("answerer"), name="asker", durable=True) == "answer"
        for name in ("asker", "answerer"):
            assert await store.signals(name) == []


class SlowStore(MemoryStore):
    """A store that takes its time for a letter, as a disk or a network does."""

    async def deliver(self, letters, at):
        await asyncio.sleep(0.05)
        return await super().deliver(letters, at)


async def test_what_came_just_before_an_engine_closed_is_there_for_the_next(connector):
    store = SlowStore()
    await connector.connect()
    async with cs.Engine(store=store, connector=connector) as one:
        await one.agents.start({"l": steps.lamp(2, [])})
        await parked(one, "l", "switch")
        await connector.publish("switch", "early")
    async with cs.Engine(store=store, connector=connector) as other:
        await until(lambda: _step(other, "l", 2))
        await connector.publish("switch", "late")
        heard = await other.run(steps.lamp(2, []), name="l", durable=True)
    assert heard == ["early", "late"]
    await connector.disconnect()


async def test_filters_to_listen_on_are_heard_from_the_start_by_a_durable_agent_too(
    engine, connector
):
    async with engine() as one:
        running = asyncio.ensure_future(
            one.run(steps.naps_then_hears(), name="n", durable=True, listen=["early"])
        )
        await waits(one, "n")
        await connector.publish("early", 3)
        assert await running == 3


async def test_attach_without_durable_is_refused(engine):
    async with engine() as one:
        with pytest.raises(ValueError, match="durable=True"):
            await one.run(steps.count(1), attach=True)


async def test_an_engine_drives_those_of_its_labels_alone(engine, store):
    async with engine() as one:
        one.agents.settings.labels = {"gpu"}
        await one.agents.start({"a": steps.count(1)}, label="gpu")
        await one.agents.start({"b": steps.count(1)})
        await until(lambda: _ended(one, "a"))
        await one.agents.recover()
        assert (await one.agents.load("b")).step == 0
    async with engine() as other:
        await until(lambda: _ended(other, "b"))


async def _ended(engine, name):
    return (await engine.agents.load(name)).status == "finished"


async def test_an_engine_may_leave_alone_what_nobody_named_to_it(engine):
    async with engine() as one:
        one.agents.settings.takes_up_all = False
        await one.agents.start({"a": steps.count(1), "b": steps.count(1)})
        assert await one.run(steps.count(1), name="b", durable=True) == 1
        await asyncio.sleep(0.1)
        assert (await one.agents.load("a")).step == 0


async def test_a_large_state_is_told_once(engine):
    with capture() as said:
        async with engine() as one:
            await one.run(steps.carries("x" * 300_000, 3), name="l", durable=True)
    assert [message.id for message in said] == ["durable.large_state"]
    assert "293 KiB" in said[0].text


async def test_who_waits_for_an_agent_that_another_engine_drives_is_told_once(tmp_path):
    stores = [SqliteStore(tmp_path / "agents.db") for _ in range(2)]
    with capture() as said:
        async with cs.Engine(store=stores[0]) as one, cs.Engine(store=stores[1]) as other:
            other.agents.settings.takes_up_all = False
            await one.agents.start({"n": steps.naps(1.2)})
            await waits(one, "n")
            assert await other.run(steps.naps(1.2), name="n", durable=True) == "awake"
    assert [message.id for message in said] == ["durable.held_elsewhere"]
