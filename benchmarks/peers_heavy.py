"""Cascade's engine beside packages that record every run in a database, one through a server.

They need older versions of what the other peers need, so they have an environment of their own:
``make bench-heavy``. All do the same few tasks, since the slowest takes a tenth of a second for one.
"""

from __future__ import annotations

from benchmarks import peers_engine_recorded as recorded
from benchmarks.harness import Settings
from benchmarks.peers_engine import FLOOR, Peer, run_all

SIZE = 50

PEERS = [
    *FLOOR,
    Peer(
        "redun",
        "redun",
        recorded.redun_chain,
        recorded.redun_fan_out,
        recorded.redun_loop,
        "sync; records runs in a database, here in memory; a chain of 200 ends in a RecursionError",
    ),
    Peer(
        "prefect",
        "prefect",
        recorded.prefect_chain,
        recorded.prefect_fan_out,
        recorded.prefect_loop,
        "records runs in a database, through a server that was started before",
    ),
]


def main(settings: Settings) -> None:
    """Run the three shapes, all at one size."""
    with recorded.prefect_server():
        run_all([each.sized(SIZE) for each in PEERS], settings, "Heavy peers of the engine")
