"""The pages of docs/: no dead link, each in the navigation, and the words of the glossary."""

import re

import yaml

from repository.distributions import ROOT
from rows import each_row

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
ENGLISH = [page for page in PAGES if "zh" not in page.relative_to(DOCS).parts]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

INSTEAD = {
    "virtual time": "simulated time",
    "lazy results?": "call",
    "backpressure": "back-pressure",
    "blazing(ly)?": "a figure",
    "seamless(ly)?": "what it does",
    "effortless(ly)?": "what it does",
    "cutting[- ]edge": "what it does",
    "state[- ]of[- ]the[- ]art": "what it does",
    "game[- ]changer": "what it does",
    "powerful": "what it does",
    "leverag(e|es|ing)": "use",
    "utili[sz](e|es|ing)": "use",
    "out of the box": "without more",
    "tail recursion": "tail call",
}
"""Words that pages avoid, and what to write in their place: the glossary's, and those of sales."""


def prose(page):
    return CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def avoided(text):
    return [
        f"{found[0]!r}: write {better!r}"
        for word, better in INSTEAD.items()
        for found in re.finditer(rf"(?i)\b(?:{word})\b", text)
    ]


def anchors(page):
    """Return what a link may point to in a page, as the site makes it of headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each) for each in HEADING.findall(text)]
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", each).strip().lower()) for each in plain}


def dead_links(page):
    for link in LINK.findall(CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            yield link


@each_row("page", PAGES)
def test_a_page_has_no_dead_link(page):
    assert list(dead_links(page)) == []


@each_row("page", ENGLISH)
def test_a_page_has_the_words_of_the_glossary(page):
    assert avoided(prose(page)) == [] or page.stem in {"0007-simulated-time", "0009-words"}


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"'([\w/-]+\.md)'", str(yaml.safe_load(text)["nav"])))
    decisions = {each for each in ENGLISH if each.parent.name == "decisions"}
    there = {each.relative_to(DOCS).as_posix() for each in ENGLISH if each not in decisions}
    assert there - named == set()
    assert [each for each in named if not (DOCS / each).exists()] == []


def test_a_word_to_avoid_and_a_dead_link_would_be_seen(tmp_path):
    assert avoided("in Virtual time") == ["'Virtual time': write 'simulated time'"]
    page = tmp_path / "page.md"
    page.write_text("# A page\n[gone](gone.md) [here](#a-page) [not](#nowhere)\n", encoding="utf-8")
    assert list(dead_links(page)) == ["gone.md", "#nowhere"]
