"""Contract, point 1: shared subscriptions, ``$share/<group>/<filter>``."""

from __future__ import annotations

import pytest

from cascade.interfaces.errors import InvalidTopicError
from cascade.testing.connectors.callbacks import Heard
from cascade.testing.connectors.harness import Connect

__all__ = ["Shares"]

_MANY = 30


class Shares:
    """Contract, point 1: each message goes to one member of a group."""

    async def test_each_message_goes_to_one_member(self, connect: Connect) -> None:
        heard, every = [Heard() for _ in range(3)], Heard()
        for callback in heard:
            await (await connect()).subscribe("$share/workers/jobs/+", callback)
        connector = await connect()
        await connector.subscribe("jobs/#", every)
        for number in range(_MANY):
            await connector.publish(f"jobs/{number}", number)
        await every.until(_MANY)
        for callback in heard:
            await callback.until(1)
        together = Heard()
        await (await connect()).subscribe("end", together)
        await connector.publish("end", None)
        await together.until(1)
        shared = [payload for callback in heard for payload in callback.payloads]
        assert len(shared) == len(set(shared))
        assert every.payloads == list(range(_MANY))

    async def test_every_group_hears_everything(self, connect: Connect) -> None:
        connector, heard = await connect(), [Heard(), Heard()]
        for callback, group in zip(heard, ("one", "two"), strict=True):
            await (await connect()).subscribe(f"$share/{group}/jobs", callback)
        for number in range(_MANY):
            await connector.publish("jobs", number)
        for callback in heard:
            await callback.until(_MANY)
            assert callback.payloads == list(range(_MANY))

    async def test_who_leaves_gets_nothing_more_and_the_others_get_all(
        self, connect: Connect
    ) -> None:
        gone, stays, connector = Heard(), Heard(), await connect()
        handle = await connector.subscribe("$share/workers/jobs", gone)
        await (await connect()).subscribe("$share/workers/jobs", stays)
        await handle.unsubscribe()
        for number in range(_MANY):
            await connector.publish("jobs", number)
        await stays.until(_MANY)
        assert stays.payloads == list(range(_MANY))
        assert gone.messages == []

    async def test_a_shared_filter_stands_alone(self, connect: Connect) -> None:
        connector = await connect()
        for filters in (["$share/g/a", "b"], ["a", "$share/g/a"], "$share//a", "$share/g/"):
            with pytest.raises(InvalidTopicError):
                await connector.subscribe(filters, Heard())
