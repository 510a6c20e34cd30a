"""A simulation with a bit of everything; printed, so that processes can be compared."""

import cascade as cs


@cs.task
async def speaker(name: str, left: int, _sent=None, rng=cs.inject("rng"), clock=cs.inject("clock")):
    if not left:
        return name, round(clock.time(), 9)
    await clock.sleep(rng.uniform(0.1, 2.0))
    payload = {"who": name, "tags": {"a", "b", name}, "number": left, "half": (left / 2, None)}
    return speaker(name, left - 1, cs.send(f"chat/{name}", payload))


@cs.task
async def listener(left: int, heard, total: int = 0):
    if not left:
        return total
    return listener(left - 1, cs.recv("chat/+", buffered=True), total + heard["number"])


@cs.task
def plain(x: int) -> int:  # a worker thread on the wall clock, inline here
    return x + 1


def simulation(seed: int, pace=None):
    names = ["ann", "bob", "cleo"]
    return cs.simulate(
        [
            listener(15, {"number": 0}),
            *(speaker(name, 5) for name in names),
            plain(plain(1)),
        ],
        seed=seed,
        listen=["chat/+"],
        pace=pace,
    )


if __name__ == "__main__":
    import sys

    print(simulation(int(sys.argv[1])))
