"""A data pipeline that computes again only what has changed; README.md says how to run it."""

import csv
from collections import Counter
from pathlib import Path

import cascade as cs

SALES = Path(__file__).with_name("sales.csv")


def cents(price: str) -> int:
    return round(float(price) * 100)


@cs.task
def rows(source: cs.File) -> list[dict[str, str]]:
    print("reading")
    with source.path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cs.task
def takings(sales: list[dict[str, str]]) -> dict[str, int]:
    print("adding up")
    found: Counter[str] = Counter()
    for each in sales:
        found[each["shop"]] += cents(each["price"])
    return dict(found)


@cs.task
def best_day(sales: list[dict[str, str]]) -> str:
    print("counting days")
    return Counter(each["day"] for each in sales).most_common(1)[0][0]


@cs.task
def report(by_shop: dict[str, int], day: str) -> str:
    print("reporting")
    shops = ", ".join(f"{shop} {amount / 100:.2f}" for shop, amount in by_shop.items())
    return f"{shops}; most was sold on {day}"


sales = rows.with_cache()(cs.File(SALES))
main = report.with_cache()(takings.with_cache()(sales), best_day.with_cache()(sales))

if __name__ == "__main__":
    print(cs.run(main, cache="cache/"))
