"""A process that reads calls and evaluates them: a line of JSON in, a line of JSON out."""

import asyncio
import base64
import json
import pickle
import sys

import cascade as cs
from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.spec import codec, task

PARAMETERS = {"speed": 3}

ran = []


@task(mode="inline")
def note(x):
    """Return a value, and remember that it was asked for."""
    ran.append(1)
    return x


READERS = {"pickle": pickle.loads, "json": codec.decode}


def written(call):
    """Return a call in each form, as text."""
    forms = {"pickle": pickle.dumps(call), "json": codec.encode(call)}
    return {name: base64.b64encode(data).decode() for name, data in forms.items()}


async def value_of(call):
    """Return what a call comes to, and how often a noted call was run."""
    ran.clear()
    connector = LocalBusConnector(broker=LocalBroker())
    async with cs.Engine(connector=connector) as engine:
        value = await engine.run(call, PARAMETERS)
    return value, len(ran)


async def answer(line):
    """Return, for each form, the value and the count, pickled."""
    forms = json.loads(line)
    values = {
        name: await value_of(READERS[name](base64.b64decode(data))) for name, data in forms.items()
    }
    return base64.b64encode(pickle.dumps(values)).decode()


async def main():
    for line in sys.stdin:
        print(await answer(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
