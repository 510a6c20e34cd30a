"""A handbook built in parallel, of which only what is out of date is built; README.md says how to run it."""

import sys
from pathlib import Path

import cascade as cs

OUT = Path("out")
PAGE = "<!doctype html><title>{title}</title><h1>{title}</h1><p>{text}</p>\n"


@cs.task
def chapter(source: cs.File, name: str) -> str:
    print(f"building {name}")
    title, _, text = source.path.read_text(encoding="utf-8").partition("\n\n")
    if not title.startswith("# "):
        raise ValueError(f"{source.path.name} does not begin with a title")
    OUT.mkdir(exist_ok=True)
    page = PAGE.format(title=title[2:], text=text.strip())
    OUT.joinpath(f"{name}.html").write_text(page, encoding="utf-8")
    return title[2:]


@cs.task(mode="inline")
def good_ones(built: list[str | Exception]) -> list[str]:
    for each in built:
        if isinstance(each, Exception):
            print(f"failed: {each}")
    return [each for each in built if isinstance(each, str)]


@cs.task
def index(titles: list[str]) -> int:
    print("building the index")
    entries = "".join(f"<li>{each}</li>" for each in titles)
    OUT.joinpath("index.html").write_text(f"<ol>{entries}</ol>\n", encoding="utf-8")
    return len(titles)


SOURCES = sorted(Path(__file__).with_name("chapters").glob("*.md"))
page = chapter.with_outputs(f"{OUT}/{{name}}.html")
chapters = [page(cs.File(source), source.stem) for source in SOURCES]
book = index.with_outputs(f"{OUT}/index.html")(good_ones(cs.settle(chapters)))

if __name__ == "__main__":
    count = cs.run(book, cache="cache/")
    print(f"{count} of {len(chapters)} chapters")
    sys.exit(count != len(chapters))
