"""A program whose tasks note each time that they run, for tests that start it as a process."""

import os
import sys
import time
from pathlib import Path

import cascade as cs


@cs.task(mode="inline")
def load(folder: str, name: str) -> list[str]:
    with (Path(folder) / "ran").open("a") as file:
        file.write(f"{name}\n")
    return [name]


@cs.task
def slow(folder: str, name: str) -> str:
    """Say that it runs, and wait until it may go on; at most a minute."""
    here = Path(folder)
    with (here / "ran").open("a") as file:
        file.write(f"{os.getpid()}\n")
    (here / f"started-{os.getpid()}").touch()
    for _ in range(6_000):
        if (here / "go").exists():
            return name
        time.sleep(0.01)
    raise TimeoutError


if __name__ == "__main__":
    what, folder = sys.argv[1:]
    task = {"load": load, "slow": slow}[what]
    print(cs.run(task.with_cache()(folder, "a"), cache=f"{folder}/cache"))
