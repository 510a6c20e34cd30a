"""A thermostat over MQTT, and a room to try it with; README.md says how to run them."""

import sys

import cascade as cs

WANTED, SLACK = 20.0, 0.5  # degrees


@cs.task
async def thermostat(is_on: bool = False) -> None:
    return decide(is_on, cs.recv("room/temperature", timeout=600, default=None, buffered=True))


@cs.task
async def decide(is_on: bool, degrees: float | None) -> None:
    limit = WANTED + SLACK if is_on else WANTED - SLACK
    wants = (
        degrees is not None and degrees < limit
    )  # where the sensor is silent, rather cold than on fire
    if wants == is_on:
        return thermostat(is_on)
    return go_on(wants, cs.send("room/heating", "on" if wants else "off", retain=True))


@cs.task
async def go_on(is_on: bool, _sent: None) -> None:
    return thermostat(is_on)


@cs.task
async def room(
    minutes: int, degrees: float = 15.0, heating: str = "off", _told: None = None, step: float = 60
) -> float:
    """Be a room that cools down and is heated, for so many minutes, and say how warm it is."""
    if not minutes:
        return degrees
    degrees += 0.2 if heating == "on" else -0.05
    told = cs.send("room/temperature", round(degrees, 2))
    heard = cs.recv("room/heating", step, default=heating, buffered=True)
    return room(minutes - 1, degrees, heard, told, step)


day = [thermostat(), room(24 * 60)]

if __name__ == "__main__":
    CONNECTOR, MINUTES = sys.argv[1:]
    print(cs.run(room(int(MINUTES), step=0.1), connector=CONNECTOR))
