"""A store that is away for longer than it is looked for: no agent ends by that."""

import asyncio

import pytest

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import StoreUnavailableError
from cascade.stores.memory import MemoryStore
from durable import steps
from durable.patience import until

pytestmark = pytest.mark.usefixtures("quick")


class Away(MemoryStore):
    """A store that refuses a commit now and then."""

    def __init__(self):
        super().__init__()
        self.refused = 0

    async def commit(self, checkpoint):
        if checkpoint.call is not None and self.refused < 2:
            self.refused += 1
            raise StoreUnavailableError("away")
        return await super().commit(checkpoint)


async def test_an_agent_whose_store_was_away_goes_on_from_its_last_commit():
    store = Away()
    with capture() as said:
        async with asyncio.timeout(60), cs.Engine(store=store) as engine:
            engine.agents.settings.lease = 0.1
            await engine.agents.start({"counter": steps.count(3)})

            async def ended():
                record = await engine.agents.load("counter")
                return record if record.status != "ready" else None

            record = await until(ended)
    assert (record.status, record.result, store.refused) == ("finished", b"6", 2)
    assert [each.id for each in said] == ["durable.background_failed"] * 2
