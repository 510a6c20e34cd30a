"""A polite web scraper that is steered while it runs; README.md says how to run it."""

import re
import sys
from typing import Any

import cascade as cs

get = cs.http.get.with_retry(10, delay=0.1, jitter=0.5).with_demands(connections=1)


@cs.task(mode="inline")
def title(page: Any) -> str:
    return re.findall("<title>(.*?)</title>", page.text)[0]


@cs.task
async def scrape(site: str, pages: int = 200) -> list[str | Exception]:
    urls = [f"{site}/page/{number}" for number in range(pages)]
    return cs.settle([title(get(url, check=True, timeout=10)) for url in urls])


if __name__ == "__main__":
    SITE, CONNECTOR = sys.argv[1:]
    found = cs.run(scrape(SITE), connector=CONNECTOR, capacities={"connections": 8})
    for each in found:
        print(each)
