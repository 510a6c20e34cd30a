"""The firefly: an endless workflow that waits, adjusts, sometimes flashes, and calls itself again.

It hears its neighbours through ``cs.recv``, flashes through ``cs.send``, and reads the run's clock.
Its neighbours' topics and its own deadline are all it knows.

A flash carries the instant it belongs to, on the sender's clock. Messages wait while others are
being served, on a busy loop for milliseconds; who reckons with the instant of the flash and not
with the moment of hearing keeps such delays out of the rhythm.

While its refractory time lasts a firefly hears nothing (``holdoff``), so that in a volley those who
have yet to flash come first. What reaches it late says itself that it is too old to matter.

An instant more than a period away cannot come from a shared clock, but from that of another
machine. Then the moment of hearing counts instead.

What happens at one and the same instant is settled in `cascade.observatory.oscillator`.
"""

from __future__ import annotations

from typing import Any

import cascade as cs
from cascade.interfaces.protocols import Clock
from cascade.observatory.oscillator import Oscillator, Rhythm

__all__ = ["Firefly", "live"]


class _Filters(tuple[str, ...]):
    """Topic filters, as a type of its own: in a plain tuple the engine looks for lazy results."""

    __slots__ = ()


class Firefly:
    """What stays the same in a firefly's life. Treat it as frozen.

    A plain class, since the engine looks for lazy results inside dataclasses, at every step.

    Attributes:
        topic: where it flashes.
        hears: topic filters of its neighbours; they may take in its own topic, which it does not
            heed.
        oscillator: its rhythm when alone, and its answer to pulses.
    """

    __slots__ = ("hears", "oscillator", "topic")

    def __init__(self, topic: str, hears: tuple[str, ...], oscillator: Oscillator) -> None:
        """Make a firefly; `live` begins its life."""
        self.topic = topic
        self.hears = _Filters(hears)
        self.oscillator = oscillator

    def __repr__(self) -> str:
        """Show it by its topic."""
        return f"Firefly({self.topic!r})"


@cs.task(mode="inline")
def live(
    me: Firefly, phase: float, dusk: float | None = None, clock: Clock = cs.inject("clock")
) -> Any:
    """Begin a life; it has no end, and so no value.

    Args:
        me: who lives.
        phase: from 0 to below 1.
        dusk: when it has that phase, in seconds on the run's clock; now if left out.
        clock: the run's clock.
    """
    now = clock.time()
    return _listen(me, me.oscillator.begin(phase, now if dusk is None else dusk), now)


@cs.task(mode="inline")
def _react(
    me: Firefly,
    rhythm: Rhythm,
    signals: list[tuple[str, Any]] | None,
    clock: Clock = cs.inject("clock"),
) -> Any:
    """Answer to the flashes of neighbours, or to the deadline (None)."""
    now = clock.time()
    after = (
        me.oscillator.expire(rhythm, now) if signals is None else _heed(me, rhythm, signals, now)
    )
    if after.flashed == rhythm.flashed:
        return _listen(me, after, now)
    return _shine(me, after, cs.send(me.topic, after.flashed))


@cs.task(mode="inline")
def _shine(me: Firefly, rhythm: Rhythm, _flash: None, clock: Clock = cs.inject("clock")) -> Any:
    """Listen again once the flash is out, but heed nobody before the refractory time is over."""
    now = clock.time()
    return _listen(me, rhythm, now, max(0.0, rhythm.flashed + me.oscillator.rest - now))


def _listen(me: Firefly, rhythm: Rhythm, now: float, rest: float = 0.0) -> Any:
    """Return the next step: wait for neighbours until the deadline, then react."""
    signals = cs.recv(
        me.hears,
        rhythm.deadline - now if rhythm.deadline > now else 0.0,
        default=None,
        buffered=True,
        with_topic=True,
        many=True,
        holdoff=rest,
    )
    return _react(me, rhythm, signals)


def _heed(me: Firefly, rhythm: Rhythm, signals: list[tuple[str, Any]], now: float) -> Rhythm:
    """Return the rhythm after flashes of neighbours; in a volley most are as old as one's own."""
    oscillator = me.oscillator
    for topic, said in signals:
        at = said if isinstance(said, float) and abs(now - said) < oscillator.period else now
        if at > rhythm.flashed and topic != me.topic:
            rhythm = oscillator.hear(rhythm, at, now)
    return rhythm
