"""``python -m benchmarks [--quick] [NAME ...]``: run the benchmark programs."""

from __future__ import annotations

import argparse
import importlib
import platform
import warnings

from benchmarks.harness import Settings

OWN = [
    "bus",
    "signals",
    "engine",
    "durable",
    "durable_postgres",
    "dask",
    "memory",
    "promises",
    "importing",
    "cache",
    "fireflies",
    "mqtt",
    "soak",
]
PROGRAMS = [*OWN, "peers_bus", "peers_mqtt", "peers_engine", "peers_durable", "peers_heavy"]


def main() -> None:
    """Run the programs that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--quick", action="store_true", help="fewer repeats and operations")
    parser.add_argument("--uvloop", action="store_true", help="run on uvloop's event loop")
    options = parser.parse_args()
    unknown = set(options.names) - set(PROGRAMS)
    if unknown:
        parser.error(f"no program {', '.join(sorted(unknown))}; choose from {', '.join(PROGRAMS)}")
    if options.uvloop:
        # `install` is the one way that reaches every `asyncio.run` of the programs, and is deprecated.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            importlib.import_module("uvloop").install()
    settings = Settings(repeats=3, scale=0.1) if options.quick else Settings()
    print(
        f"Python {platform.python_version()} on {platform.machine()}{' with uvloop' * options.uvloop}"
    )
    for name in options.names or PROGRAMS:
        importlib.import_module(f"benchmarks.{name}").main(settings)


if __name__ == "__main__":
    main()
