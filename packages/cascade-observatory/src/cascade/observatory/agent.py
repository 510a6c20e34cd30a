"""The firefly: an endless workflow that waits, adjusts, sometimes flashes, and calls itself again.

It hears its neighbours through ``cs.recv``, flashes through ``cs.send``, and reads the run's clock.
Its neighbours' topics and its own deadline are all it knows.

A flash carries the instant it belongs to, on the sender's clock. Messages wait while others are
being served, on a busy loop for milliseconds; a firefly that calculates with the instant of the
flash, and not with the time of arrival, keeps such delays out of its rhythm.

While its refractory time lasts a firefly hears nothing (``holdoff``), so that in a volley those that
have yet to flash come first. A flash that arrives late is recognised by its instant, and ignored.

An instant more than a period away cannot come from a shared clock, but from that of another
machine. Then the time of arrival counts instead.

What happens at one and the same instant is settled in `cascade.observatory.oscillator`.
"""

from __future__ import annotations

from typing import Any

import cascade as cs
from cascade.interfaces.protocols import Clock
from cascade.observatory.oscillator import Oscillator, Rhythm

__all__ = ["Firefly", "live"]


class Firefly:
    """The parameters of a firefly. Treat it as frozen.

    A plain class, since the engine looks for lazy results inside dataclasses, at every step.

    Attributes:
        topic: where it flashes.
        hears: topic filters of its neighbours; they may match its own topic, which it ignores.
        oscillator: its rhythm when alone, and its response to pulses.

    Examples:
        >>> from cascade.observatory import MirolloStrogatz, Oscillator
        >>> Firefly("firefly/0", ("firefly/1",), Oscillator(MirolloStrogatz()))
        Firefly('firefly/0')
    """

    __slots__ = ("hears", "oscillator", "topic")

    def __init__(self, topic: str, hears: tuple[str, ...], oscillator: Oscillator) -> None:
        """Describe a firefly; `live` is its workflow."""
        self.topic = topic
        self.hears = hears
        self.oscillator = oscillator

    def __repr__(self) -> str:
        """Show it by its topic."""
        return f"Firefly({self.topic!r})"


@cs.task(mode="inline")
def live(
    me: Firefly,
    phase: float,
    start_time: float | None = None,
    clock: Clock = cs.inject("clock"),
) -> Any:
    """Run a firefly; the workflow never ends, and so has no result.

    Args:
        me: the firefly.
        phase: from 0 to below 1.
        start_time: when it has that phase, in seconds on the run's clock; now if left out.
        clock: the run's clock.

    Examples:
        >>> import cascade as cs
        >>> from cascade.observatory import MirolloStrogatz, Oscillator
        >>> alone = Firefly("firefly/0", ("firefly/1",), Oscillator(MirolloStrogatz()))
        >>> cs.simulate(live(alone, 0.5), until=10).finished
        [False]
    """
    now = clock.time()
    return _listen(me, me.oscillator.begin(phase, now if start_time is None else start_time), now)


@cs.task(mode="inline")
def _react(
    me: Firefly,
    rhythm: Rhythm,
    signals: list[tuple[str, Any]] | None,
    clock: Clock = cs.inject("clock"),
) -> Any:
    """React to the flashes of neighbours, or to the deadline (None)."""
    now = clock.time()
    after = (
        me.oscillator.expire(rhythm, now)
        if signals is None
        else _apply_pulses(me, rhythm, signals, now)
    )
    if after.flashed == rhythm.flashed:
        return _listen(me, after, now)
    return _after_flash(me, after, cs.send(me.topic, after.flashed))


@cs.task(mode="inline")
def _after_flash(
    me: Firefly, rhythm: Rhythm, _flash: None, clock: Clock = cs.inject("clock")
) -> Any:
    """Listen again once the flash is sent, and ignore pulses until the refractory time is over."""
    now = clock.time()
    return _listen(
        me, rhythm, now, max(0.0, rhythm.flashed + me.oscillator.refractory_seconds - now)
    )


def _listen(me: Firefly, rhythm: Rhythm, now: float, holdoff: float = 0.0) -> Any:
    """Return the next step: wait for neighbours until the deadline, then react."""
    signals = cs.recv(
        me.hears,
        rhythm.deadline - now if rhythm.deadline > now else 0.0,
        default=None,
        buffered=True,
        with_topic=True,
        many=True,
        holdoff=holdoff,
    )
    return _react(me, rhythm, signals)


def _apply_pulses(
    me: Firefly, rhythm: Rhythm, signals: list[tuple[str, Any]], now: float
) -> Rhythm:
    """Return the rhythm after flashes of neighbours; in a volley most are as old as one's own."""
    oscillator = me.oscillator
    for topic, instant in signals:
        is_shared = isinstance(instant, float) and abs(now - instant) < oscillator.period
        at = instant if is_shared else now
        if at > rhythm.flashed and topic != me.topic:
            rhythm = oscillator.hear(rhythm, at, now)
    return rhythm
