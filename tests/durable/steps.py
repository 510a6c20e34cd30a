"""Tasks that durable agents are made of: at the top of a module, so that they are found again."""

import asyncio
from dataclasses import dataclass

import cascade as cs

ran: list = []
"""What has run in this process, in order."""


may_go_on = asyncio.Event()


@cs.task
async def goes_on_when_told() -> str:
    ran.append("began")
    await may_go_on.wait()
    return "done"


@cs.task
async def works_when_told(n: int) -> int:
    ran.append("began")
    await may_go_on.wait()
    return counts_on(n)


@cs.task
async def counts_on(n: int) -> int:
    ran.append(("counted", n))
    return n + 1


@cs.task
async def count(n: int, total: int = 0) -> int:
    ran.append(("count", n))
    return total if n == 0 else count(n - 1, total + n)


@cs.task
async def lamp(until: int, heard: list[str], signal: str | None = None) -> list[str]:
    heard = heard if signal is None else [*heard, signal]
    if len(heard) == until:
        return heard
    return lamp(until, heard, cs.recv("switch", buffered=True))


@cs.task
async def press(n: int, word: str, sent: None = None) -> int:
    return 0 if n == 0 else press(n - 1, word, cs.send("switch", f"{word}{n}"))


@cs.task
async def price() -> int:
    ran.append("price")
    return 3


@cs.task
async def add(a: int, b: int) -> int:
    return a + b


@cs.task
async def order() -> int:
    ran.append("order")
    return add(price(), cs.recv("approval"))


@cs.task
async def tells(word: str) -> int:
    return cs.after(add(1, cs.recv("go")), cs.send("told", word))


@cs.task
async def says_and_waits(word: str, sent: None = None) -> int:
    heard = await cs.evaluate(cs.recv("go"))
    return add(heard, 0)


@cs.task
async def hears_two() -> int:
    return add(cs.recv("a"), cs.recv("b"))


@cs.task
async def hears_and_naps() -> int:
    return rested(cs.recv("a"), cs.wait(3600.0))


@cs.task
async def rested(heard: int, slept: None) -> int:
    return heard


@cs.task
async def presses(topic: str, number: int) -> None:
    return cs.send(topic, number)


@cs.task
async def naps(seconds: float) -> str:
    return woke(cs.wait(seconds))


@cs.task
async def woke(slept: None) -> str:
    ran.append("woke")
    return "awake"


@cs.task
async def patient(seconds: float) -> str:
    return said(cs.recv("never", timeout=seconds, default="nothing"))


@cs.task
async def said(word: str) -> str:
    return word


@dataclass
class Cart:
    owner: str
    items: list[str]


@cs.task
async def shop(cart: Cart, left: int) -> Cart:
    return cart if left == 0 else shop(Cart(cart.owner, [*cart.items, f"item {left}"]), left - 1)


@cs.task
async def fails(times: int) -> str:
    ran.append("fails")
    if len([each for each in ran if each == "fails"]) <= times:
        raise ValueError("not yet")
    return "well"


@cs.task
async def holds_a_lock() -> str:
    return uses(asyncio.Lock())


@cs.task
async def uses(lock: asyncio.Lock) -> str:
    return "used"


@cs.task
async def asks(name: str) -> str:
    return cs.after(said(cs.recv(cs.agent("asker"))), cs.send(cs.agent(name), "question"))


@cs.task
async def answers() -> str:
    return reply(cs.recv(cs.agent("answerer")))


@cs.task
async def reply(word: str) -> str:
    return cs.after(said(word), cs.send(cs.agent("asker"), "answer"))


@cs.task
async def for_ever(turn: int) -> None:
    await asyncio.sleep(0)
    return for_ever(turn + 1)


def _with_currency(version: str | None, arguments: dict) -> dict:
    assert version in {None, "2"}
    return {"amount": arguments["cents"] / 100, "currency": arguments.get("currency", "EUR")}


@cs.task(version=3, aliases=["charge", "old_shop:charge"], upgrade=_with_currency)
async def bill(amount: float, currency: str) -> str:
    return f"{amount:.2f} {currency}"


@cs.task
async def pressed_when_heard(n: int, word: str) -> int:
    """Press after a time in which the lamp has begun to listen."""
    return press_slowly(n, word, cs.wait(30.0))


@cs.task
async def press_slowly(n: int, word: str, slept: None, sent: None = None) -> int:
    if n == 0:
        return 0
    return press_slowly(n - 1, word, cs.wait(1.0), cs.send("switch", f"{word}{n}"))


@cs.task
async def counts_its_runs() -> int:
    """Do what a durable agent must not: come to something that depends on how often its step ran."""
    ran.append("counted")
    return len([each for each in ran if each == "counted"])


@cs.task
async def says_otherwise() -> int:
    """Do what is no function of the step: say another word each time it runs."""
    ran.append("changing")
    word = f"word {len([each for each in ran if each == 'changing'])}"
    await cs.evaluate(cs.send("told", word))
    return await cs.evaluate(cs.recv("go"))


@cs.task
async def asks_late() -> str:
    """Wait for the answer before the question is asked."""
    return said_both(cs.recv(cs.agent("asker")), asked_after(cs.wait(0.01)))


@cs.task
async def asked_after(slept: None) -> None:
    await cs.evaluate(cs.send(cs.agent("answerer"), "question"))


@cs.task
async def said_both(answer: str, asked: None) -> str:
    return answer


@cs.task
async def gives_a_set():
    return {1, 2}


@cs.task
async def draws(turns: int, drawn: list[float], rng=cs.inject("rng")) -> list[float]:
    drawn = [*drawn, rng.random()]
    return drawn if turns == 1 else draws(turns - 1, drawn)


@cs.task
async def sends_an_object() -> int:
    await cs.evaluate(cs.send("told", object()))
    return 0


@cs.task
async def keeps_a_set() -> int:
    return counted(gives_a_set(), cs.recv("go"))


@cs.task
async def counted(numbers, more: int) -> int:
    return len(numbers) + more


@cs.task
async def journaled_at_once() -> int:
    return add(price.with_journal()(), fails_once())


@cs.task
async def one_more(n: int) -> int:
    ran.append(("one_more", n))
    return tenfold(n + 1)


@cs.task
async def tenfold(n: int) -> int:
    ran.append(("tenfold", n))
    return n * 10


@cs.task
async def in_rows(values: list[int], told: object) -> list[int]:
    return values


@cs.task
async def items_and_a_word() -> list[int]:
    """Have each item of a mapping take two steps, and then wait for a word."""
    values = one_more.map([1, 2, 3])
    return in_rows(values, cs.after(cs.recv(cs.agent("items")), values))


@cs.task
async def item_says(n: int) -> None:
    return said_as_item(n)


@cs.task
async def said_as_item(n: int) -> None:
    return cs.send(cs.agent("ear"), n)


@cs.task
async def items_say() -> None:
    return done(item_says.map([1, 2, 3]))


@cs.task
async def done(values: list[None]) -> None:
    return None


@cs.task
async def hears_three(heard: list[int]) -> list[int]:
    return heard if len(heard) == 3 else heard_one(heard, cs.recv(cs.agent("ear")))


@cs.task
async def heard_one(heard: list[int], n: int) -> list[int]:
    return hears_three([*heard, n])


@cs.task
async def items_hear() -> list[str]:
    """Have the items of a mapping hear by mailboxes of their own, which end with the step."""
    return texts(hears_go.map([1, 2]), cs.recv(cs.agent("items")))


@cs.task
async def hears_go(n: int) -> str:
    return both_texts(cs.recv("go"), n)


@cs.task
async def both_texts(word: str, n: int) -> str:
    return f"{word}{n}"


@cs.task
async def texts(values: list[str], told: object) -> list[str]:
    return values


@cs.task
async def tries(seconds: float) -> str:
    """Wait three times for what never comes."""
    return cs.catch(cs.retry(tried(seconds), 3, delay=seconds), TimeoutError, said("gave up"))


@cs.task
async def tried(seconds: float) -> str:
    ran.append("tried")
    return said(cs.recv(cs.agent("nobody"), timeout=seconds))


@cs.task
async def in_time(seconds: float) -> str:
    return cs.catch(cs.timeout(cs.recv(cs.agent("nobody")), seconds), TimeoutError, said("late"))


@cs.task
async def told_by_name(name: str) -> int:
    return add(price(), cs.recv(cs.agent(name)))


@cs.task
async def slow_price() -> int:
    await asyncio.sleep(0.05)
    return price()


@cs.task
async def waits_and_works(name: str) -> int:
    """Wait for a word while a function is under way."""
    return add(slow_price(), cs.recv(cs.agent(name)))


@cs.task
async def naps_then_hears() -> int:
    return hears_early(cs.wait(0.2))


@cs.task
async def hears_early(slept: None) -> int:
    return add(0, cs.recv("early"))


@cs.task
async def carries(text: str, left: int) -> int:
    return len(text) if left == 0 else carries(text, left - 1)


@cs.task
async def hears_twice() -> int:
    return hears_second(cs.recv("first"))


@cs.task
async def hears_second(n: int) -> int:
    return add(n, cs.recv("second"))


@cs.task
async def hears_inside(name: str) -> int:
    return add(await cs.evaluate(cs.recv(cs.agent(name))), 0)


@cs.task
async def fails_once() -> int:
    if "failed" not in ran:
        ran.append("failed")
        raise OSError("once")
    return 1


@cs.task
async def hears_the_setting(times: int, heard: list[int], last: int | None = None) -> list[int]:
    """Hear a retained message again and again, and sleep between."""
    heard = heard if last is None else [*heard, last]
    if len(heard) == times:
        return heard
    return hears_the_setting(times, heard, cs.recv("setting"))


@cs.task
async def naps_between(heard: int | None = None, slept: None = None) -> str:
    if heard is None:
        return naps_between(cs.recv("setting"), cs.wait(0.1))
    return said(cs.recv("setting", timeout=0.3, default="nothing new"))


@cs.task
async def hears_a_share(times: int, heard: list[int], job: int | None = None) -> list[int]:
    heard = heard if job is None else [*heard, job]
    if len(heard) == times:
        return heard
    return hears_a_share(times, heard, cs.recv("$share/workers/jobs", buffered=True))


@cs.task
async def hears_wide() -> int:
    return add(cs.recv("room/+/temperature"), cs.recv("room/#"))
