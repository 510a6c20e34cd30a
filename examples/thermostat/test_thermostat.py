"""A day with the thermostat, in simulated time: it takes an instant, and goes the same way each time."""

from typing import Any

from thermostat import room, thermostat

import cascade as cs

HOUR = 3600.0


@cs.task
async def record(
    topic: str, until: float, heard: list[Any], news: list[Any], clock: Any = cs.inject("clock")
) -> list[Any]:
    """Collect what is said on a topic until an instant."""
    left = until - clock.time()
    if left <= 0:
        return [*heard, *news]
    return record(topic, until, [*heard, *news], listen(topic, left))


def listen(topic: str, seconds: float) -> Any:
    return cs.recv(topic, seconds, default=[], many=True, buffered=True)


def test_the_room_is_kept_warm_and_not_hot() -> None:
    recorder = record("room/temperature", 24 * HOUR, [], listen("room/temperature", HOUR))
    day = cs.simulate([thermostat(), room(24 * 60), recorder], until=24 * HOUR + 1)
    degrees = day.results[2]
    warm = next(place for place, each in enumerate(degrees) if each >= 19.5)
    assert warm < len(degrees) / 10
    assert all(19 < each < 21 for each in degrees[warm:])


def test_the_heating_goes_off_where_the_sensor_is_silent() -> None:
    recorder = record("room/heating", HOUR, [], listen("room/heating", HOUR))
    silent = cs.send("room/temperature", 15.0)  # once, and never again
    hour = cs.simulate([thermostat(), recorder, silent], until=HOUR + 1)
    assert hour.results[1] == ["on", "off"]


def test_two_days_go_the_same_way() -> None:
    first, second = (cs.simulate([thermostat(), room(600)], until=11 * HOUR) for _ in range(2))
    assert first.trace_hash == second.trace_hash
