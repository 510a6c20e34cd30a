"""A part of one swarm in a process of its own: lives until it has seen the flashes of everybody.

Arguments: the URL of a broker, and which part it is, from 0 to 2.
"""

import asyncio
import sys

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.observatory import Experiment, Settings, torus

PARTS = 3
SIDE = 6
COUNT = SIDE * SIDE


async def main(url, part):
    experiment = Experiment(Settings(topology=torus(SIDE), period=0.5, duration=600, full=True))
    mine = range(COUNT * part // PARTS, COUNT * (part + 1) // PARTS)
    async with cs.Engine(connector=(connector := MqttConnector(url))):
        seen_all, everybody_has = asyncio.Event(), asyncio.Event()
        finished = set()

        async def finish(_topic, number):
            finished.add(number)
            if len(finished) == PARTS:
                everybody_has.set()

        def look(now):
            if all(now.log.by_agent):
                seen_all.set()

        await connector.subscribe("finished/+", finish)
        living = asyncio.create_task(experiment.run(look, 0.05, connector=connector, part=mine))
        await seen_all.wait()
        await connector.publish(f"finished/{part}", part, retain=True)
        await everybody_has.wait()  # so that nobody leaves before the others have seen it flash
        living.cancel()
        await asyncio.wait([living])
    print(sorted({agent for agent, times in enumerate(experiment.log.by_agent) if times}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
