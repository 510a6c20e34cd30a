"""How tests wait for durable agents: for what is there, and never for a time."""

import asyncio

PATIENCE = 30  # seconds: a bound for what goes wrong, not a measure of anything


async def until(condition):
    """Wait until what a coroutine function gives is true, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):
            await asyncio.sleep(0.005)
    return found


def awake(engine):
    """Return the agents that an engine has in memory, by name."""
    return engine.agents._ownership.driving.awake


async def waits(engine, name):
    """Wait until an engine has come with an agent to a wait, and has committed that."""

    async def has_come_to_wait():
        agent = awake(engine).get(name)
        return (
            agent is not None
            and (agent.mailbox.waiting or agent.journal.resting)
            and not (agent.journal.has_unwritten or agent.is_writing)
        )

    await until(has_come_to_wait)


async def none_left(engine):
    """Return whether all agents have come to their ends."""
    return not await engine.agents.list(statuses=["ready"])
