"""What the pictures of the pages show: prices of a lamp in several shops, two of which fail at first."""

import time

import cascade as cs

_PRICES = {"harbour": 12.0, "market": 9.5, "station": 14.0, "corner": 11.5}
_FAILS = {"market": 1, "station": 2}  # so many times
_SECONDS = {"harbour": 0.5, "market": 0.3, "station": 0.2, "corner": 0.8}


@cs.task
def ask(shop: str, thing: str) -> float:
    time.sleep(_SECONDS[shop])
    if _FAILS.get(shop, 0):
        _FAILS[shop] -= 1
        raise ConnectionError(f"the {shop} shop does not answer")
    return _PRICES[shop]


@cs.task
def cheapest(prices: list[float]) -> str:
    time.sleep(0.2)
    return f"{min(prices):.2f} of {len(prices)} prices"


@cs.task
def buy(found: str) -> str:
    return f"bought: {found}"


@cs.task
def lamp(thing: str = "lamp") -> object:
    """Ask all shops at once, and each again where it does not answer.

    Args:
        thing: what to buy.
    """
    asked = ask.with_retry(3, delay=0.2).with_cache()
    return cheapest(asked.map(list(_PRICES), thing=cs.fixed(thing)))
