"""Contract: letters reach mailboxes by name and by filter, once and in order, or wait for their name."""

from __future__ import annotations

import pytest

from cascade.interfaces.store import AgentStatus, Letter, Store
from cascade.interfaces.topics import matches
from cascade.testing.stores.harness import a_letter, an_agent, claimed, mailbox, step

__all__ = ["Letters"]

FILTERS = (
    *("a", "a/b", "a/b/c", "+", "#", "a/+", "a/#", "+/b", "+/+", "a/+/c", "a/b/#", "+/#"),
    *("$own", "$own/#", "$own/+", "$own/a", "/", "/+", "/a", "a/", "a//c", "a/b/c/#", "ä/+"),
)
TOPICS = (
    *("a", "a/b", "a/b/c", "a/b/c/d", "b", "b/b", "$own", "$own/a", "$own/a/b", "/", "/a", "a/"),
    *("a//c", "ä/ö", "A", "a%b", "a_b"),
)


class Letters:
    """Contract: letters reach mailboxes by name and by filter, once and in order."""

    async def test_a_letter_to_a_name_reaches_that_agent_alone(self, store: Store) -> None:
        await store.create([an_agent("a", filters=("#",)), an_agent("b", filters=("#",))])
        letter = Letter("cascade/agents/a/inbox", b"\x00\xff", "a", "call-1")
        assert await store.deliver([letter], 1) == {"a"}
        (signal,) = await store.signals("a")
        assert (signal.topic, signal.payload) == ("cascade/agents/a/inbox", b"\x00\xff")
        assert signal.id == "call-1"
        assert await store.signals("b") == []

    async def test_a_letter_reaches_all_whose_filters_match_as_mqtt_says(
        self, store: Store
    ) -> None:
        await store.create([an_agent(each, filters=(each,)) for each in FILTERS])
        for topic in TOPICS:
            reached = await store.deliver([a_letter(topic, topic=topic)], 1)
            assert reached == {each for each in FILTERS if matches(each, topic)}, topic
        for each in FILTERS:
            expected = [topic for topic in TOPICS if matches(each, topic)]
            assert await mailbox(store, each) == expected, each

    async def test_a_letter_comes_once_whichever_filters_match(self, store: Store) -> None:
        await store.create([an_agent(filters=("a", "a", "+", "#", "a/#"))])
        await store.deliver([a_letter("x", topic="a")], 1)
        assert await mailbox(store) == ["x"]

    async def test_shared_filters_match_nothing_here(self, store: Store) -> None:
        await store.create([an_agent(filters=("$share/workers/a/#",))])
        assert await store.deliver([a_letter("x", topic="a/b")], 1) == set()

    async def test_letters_of_a_checkpoint_and_of_others_come_in_the_order_they_were_sent(
        self, store: Store
    ) -> None:
        sender = await claimed(store, "sender")
        await store.create([an_agent(filters=("a/+",))])
        for number in range(5):
            letters = [
                a_letter(f"{number}.0", "monday"),
                a_letter(f"{number}.1", topic="a/b"),
                a_letter(f"{number}.2", "monday"),
            ]
            if number % 2:
                assert await store.commit(step(sender, letters=letters)) == {"monday"}
            else:
                assert await store.deliver(letters, 1) == {"monday"}
        assert await mailbox(store) == [f"{n}.{part}" for n in range(5) for part in range(3)]

    async def test_numbers_rise_and_none_comes_twice(self, store: Store) -> None:
        agent = await claimed(store)
        seen = 0
        for _ in range(5):
            await store.deliver([a_letter("x", "monday"), a_letter("y", "monday")], 1)
            new = await store.signals("monday", after=seen)
            assert [signal.payload for signal in new] == [b"x", b"y"]
            assert seen < new[0].number < new[1].number
            seen = new[1].number
            await store.commit(step(agent, consumed=[signal.number for signal in new]))
        assert await store.signals("monday") == []

    async def test_only_signals_behind_a_number_are_returned(self, store: Store) -> None:
        await store.create([an_agent()])
        await store.deliver([a_letter(each, "monday") for each in "abc"], 1)
        first, second, third = await store.signals("monday")
        assert await store.signals("monday", first.number) == [second, third]
        assert await store.signals("monday", after=third.number) == []

    async def test_an_agent_may_write_to_itself(self, store: Store) -> None:
        agent = await claimed(store, filters=("old",))
        letters = [a_letter("name", "monday"), a_letter("new", topic="new")]
        reached = await store.commit(
            step(agent, filters=("new",), letters=[*letters, a_letter("old", topic="old")])
        )
        assert reached == {"monday"}
        assert await mailbox(store) == ["name", "new"]

    async def test_a_mailbox_holds_one_letter_of_an_id(self, store: Store) -> None:
        agent = await claimed(store, filters=("#",))
        await store.create([an_agent("other", filters=("t",))])
        one = a_letter("one", "monday", id="id")
        assert await store.deliver([one, a_letter("again", "monday", id="id")], 1) == {"monday"}
        assert await store.deliver([one], 1) == set()
        assert await store.deliver([a_letter("topic", id="id")], 1) == {"other"}
        assert await store.deliver([a_letter("a", "monday"), a_letter("b", "monday")], 1)
        assert await mailbox(store) == ["one", "a", "b"]
        assert await mailbox(store, "other") == ["topic"]
        assert (await store.sweep(0, 100)).letters == 0  # what came twice is no dead letter
        numbers = [signal.number for signal in await store.signals("monday")]
        await store.commit(step(agent, consumed=numbers))
        assert await store.deliver([one], 1) == {"monday"}

    @pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
    async def test_a_letter_to_whoever_has_ended_is_kept_as_a_dead_letter(
        self, store: Store, status: AgentStatus
    ) -> None:
        agent = await claimed(store, filters=("a/+", "b"))
        if status == "cancelled":
            await store.decide("monday", status, 1)
        else:
            await store.commit(step(agent, status=status))
        topics = [a_letter("x", topic="a/b"), a_letter("y", topic="b")]
        assert await store.deliver([*topics, a_letter("z", "monday")], 2) == set()
        assert await mailbox(store) == []
        await store.decide("monday", "ready", 3)
        assert await mailbox(store) == ["z"]
        assert await store.deliver(topics, 4) == {"monday"}

    @pytest.mark.parametrize("status", ["stuck", "blocked"])
    async def test_who_is_kept_goes_on_to_take_letters(
        self, store: Store, status: AgentStatus
    ) -> None:
        await store.create([an_agent(filters=("a",))])
        await store.decide("monday", status, 1)
        letters = [a_letter("x", topic="a"), a_letter("y", "monday")]
        assert await store.deliver(letters, 2) == {"monday"}
        assert await mailbox(store) == ["x", "y"]

    async def test_dead_letters_are_handed_over_in_order_when_their_agent_comes(
        self, store: Store
    ) -> None:
        sender = await claimed(store, "sender")
        assert await store.deliver([a_letter("a", "monday", id="i")], 1) == set()
        letters = [a_letter("b", "monday"), a_letter("again", "monday", id="i")]
        assert await store.commit(step(sender, letters=letters)) == set()
        await store.deliver([a_letter("c", "monday"), a_letter("d", "tuesday")], 3)
        await store.create([an_agent()])
        assert await mailbox(store) == ["a", "b", "c"]
        assert await store.sweep(0, 100) != await store.sweep(0, 100)

    async def test_what_was_handed_over_is_no_dead_letter_any_more(self, store: Store) -> None:
        await store.deliver([a_letter("a", "monday")], 1)
        await store.create([an_agent()])
        assert (await store.sweep(0, 100)).letters == 0

    async def test_a_letter_to_nobody_by_topic_is_gone(self, store: Store) -> None:
        assert await store.deliver([a_letter("x", topic="a/b")], 1) == set()
        await store.create([an_agent(filters=("#",))])
        assert await mailbox(store) == []
        assert await store.deliver([], 1) == set()
