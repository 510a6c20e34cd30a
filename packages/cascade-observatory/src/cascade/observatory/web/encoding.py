"""A recording in the compact form in which a page contains it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from cascade.observatory.web.recording import Recording

__all__ = ["encode"]

_DIGITS = 6  # of a time in seconds
_TICKS = 10**_DIGITS  # in one second


def encode(recording: Recording) -> dict[str, Any]:
    """Return a recording as the page reads it: small enough for a file, times to the microsecond.

    Flashes are base64 of LEB128: microseconds since the flash before, and agents.

    Raises:
        ValueError: the recording contradicts the contract.
    """
    _check(recording)
    flashes, order = recording["flashes"], recording["order"]
    ticks = [round(time * _TICKS) for time in flashes["times"]]
    return {
        **recording,
        "parameters": dict(recording["parameters"]),
        "flashes": {
            "count": len(ticks),
            "times": _leb128(after - before for before, after in pairwise([0, *ticks])),
            "agents": _leb128(flashes["agents"]),
        },
        "order": {
            "times": [round(time, _DIGITS) for time in order["times"]],
            "values": [round(value, 5) for value in order["values"]],
        },
    }


def _leb128(numbers: Iterable[int]) -> str:
    """Return numbers from 0 up in seven bits a byte, lowest first; the eighth says that more follow."""
    encoded = bytearray()
    for number in numbers:
        left = number
        while left > 0x7F:  # noqa: PLR2004 - seven bits
            encoded.append(left & 0x7F | 0x80)
            left >>= 7
        encoded.append(left)
    return b64encode(encoded).decode("ascii")


# --- checks ----------------------------------------------------------------------------------


def _check(recording: Recording) -> None:
    agents, columns, period = recording["agents"], recording["columns"], recording["period"]
    flashes, order = recording["flashes"], recording["order"]
    if agents < 1:
        raise ValueError(f"a recording is of 1 agent or more, not {agents}")
    if columns is not None and columns < 1:
        raise ValueError(f"a lattice has 1 column or more, not {columns}")
    if not (isfinite(period) and period > 0):
        raise ValueError(f"a period is a number of seconds above 0, not {period:g}")
    if not (isfinite(recording["duration"]) and recording["duration"] >= 0):
        raise ValueError(f"a duration is a number of seconds, not {recording['duration']:g}")
    _check_times("flashes", flashes["times"], flashes["agents"])
    _check_times("order", order["times"], order["values"])
    unknown = [agent for agent in flashes["agents"] if not 0 <= agent < agents]
    if unknown:
        raise ValueError(f"agent {unknown[0]} flashed, but the agents are 0 to {agents - 1}")
    if not all(map(isfinite, order["values"])):
        raise ValueError("a value of the order parameter is not a number")


def _check_times(name: str, times: Sequence[float], others: Sequence[float]) -> None:
    if len(times) != len(others):
        raise ValueError(f"{name}: {len(times)} times do not go with {len(others)} of the others")
    if not all(map(isfinite, times)):
        raise ValueError(f"{name}: a time is not a number")
    falling = next((pair for pair in pairwise([0.0, *times]) if pair[1] < pair[0]), None)
    if falling is not None:
        raise ValueError(f"{name}: time falls from {falling[0]:g} s to {falling[1]:g} s")
