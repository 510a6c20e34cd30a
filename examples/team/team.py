"""A team whose members find each other by their cards; README.md says how to run it."""

from typing import Any

import cascade as cs
from cascade.discovery import CARDS, announce, withdraw

PATIENCE = 1.0  # seconds after which a member that does not answer is taken for dead


@cs.task
async def member(name: str, lives_for: int | None = None) -> str:
    """Announce itself, and do what it is asked; one that lives for so many pieces dies without a word."""
    return work(name, 0, lives_for, asked(name), announce(name, facts={"squares": True}))


def asked(name: str) -> Any:
    return cs.recv([f"team/{name}/work", "team/over"], buffered=True)


@cs.task
async def work(name: str, done: int, lives_for: int | None, piece: int | str, _sent: None) -> str:
    if piece == "over" or done == lives_for:
        return f"{name} did {done}"
    assert isinstance(piece, int)
    told = cs.send(f"team/answers/{piece}", piece**2)
    return work(name, done + 1, lives_for, asked(name), told)


@cs.task
async def lead(pieces: list[int]) -> dict[str, int]:
    return share(pieces, {}, [], news(PATIENCE))


def news(seconds: float) -> Any:
    """Hear who has come and gone; a retained message is there at once."""
    return cs.recv(CARDS, seconds, default=[], buffered=True, with_topic=True, many=True)


@cs.task
async def share(
    pieces: list[int], answers: dict[str, int], members: list[str], heard: list[tuple[str, Any]]
) -> dict[str, int]:
    """Give each member that is there a piece, until there is an answer to all."""
    for topic, payload in heard:
        name = topic.split("/")[2]
        members = [each for each in members if each != name] + ([name] if payload else [])
    left = [each for each in pieces if str(each) not in answers]
    if not left:
        return over(answers, cs.send("team/over", "over"))
    return gather(pieces, answers, members, ask.map(members[: len(left)], left[: len(members)]))


@cs.task
async def ask(name: str, piece: int) -> tuple[str, int, int | None]:
    answer = cs.recv(f"team/answers/{piece}", PATIENCE, default=None, buffered=True)
    return answered(name, piece, answer, cs.send(f"team/{name}/work", piece))


@cs.task
async def answered(name: str, piece: int, answer: int | None, _sent: None) -> Any:
    if answer is None:  # so that others do not ask the dead, either
        return buried(name, piece, withdraw(name))
    return name, piece, answer


@cs.task
async def buried(name: str, piece: int, _sent: None) -> tuple[str, int, None]:
    print(f"{name} is dead")
    return name, piece, None


@cs.task
async def gather(
    pieces: list[int],
    answers: dict[str, int],
    members: list[str],
    found: list[tuple[str, int, int | None]],
) -> dict[str, int]:
    dead = {name for name, _, answer in found if answer is None}
    known = {str(piece): answer for _, piece, answer in found if answer is not None}
    alive = [each for each in members if each not in dead]
    return share(pieces, {**answers, **known}, alive, news(0.01 if alive else PATIENCE))


@cs.task
async def over(answers: dict[str, int], _sent: None) -> dict[str, int]:
    return dict(sorted(answers.items(), key=lambda item: int(item[0])))  # whoever was first


squares = lead(list(range(12)))

if __name__ == "__main__":
    team = [member("ann"), member("bea", lives_for=2), member("cleo")]
    for value in cs.run([squares, *team], connector=cs.LocalBusConnector()):
        print(value)
