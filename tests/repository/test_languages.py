"""The README, Start and the first tutorial tell the same in English and in Chinese."""

import re

import pytest

from repository.distributions import ROOT, distributions

CHINESE = ROOT / "docs" / "zh"
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *((ROOT / "docs" / page.relative_to(CHINESE), page) for page in sorted(CHINESE.rglob("*.md"))),
]
COMMANDS = {"bash", "sh", "shell", "console"}


@pytest.fixture(params=PAIRS, ids=lambda pair: pair[0].stem)
def pages(request):
    return [path.read_text(encoding="utf-8") for path in request.param]


def blocks(text):
    """Return the language and the content of each fenced block."""
    return re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def headings(text):
    """Return the depth of each heading, in order."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def commands(text):
    """Return the commands, without the comments, which each language has its own of."""
    lines = "\n".join(body for language, body in blocks(text) if language in COMMANDS).splitlines()
    return [code for line in lines if (code := re.sub(r"(^|\s)#.*", "", line).rstrip())]


def test_both_have_the_same_headings(pages):
    english, chinese = map(headings, pages)
    assert english == chinese


def test_both_have_blocks_of_the_same_kinds(pages):
    english, chinese = ([language for language, _ in blocks(text)] for text in pages)
    assert english == chinese


def test_both_have_the_same_commands(pages):
    english, chinese = map(commands, pages)
    assert english == chinese


@pytest.mark.parametrize("pair", PAIRS[1:], ids=lambda pair: pair[0].stem)
def test_a_chinese_page_has_the_very_blocks_that_are_run_in_english(pair):
    english, chinese = (blocks(page.read_text(encoding="utf-8")) for page in pair)
    assert english == chinese


def test_start_and_the_first_tutorial_are_there_in_chinese():
    there = {english.relative_to(ROOT / "docs").as_posix() for english, _ in PAIRS[1:]}
    assert {f"start/{page.name}" for page in (ROOT / "docs" / "start").glob("*.md")} < there
    assert "tutorials/pipeline.md" in there


@pytest.mark.parametrize(
    "page", [page for pair in PAIRS for page in pair if page.stem == "install"]
)
def test_each_extra_is_explained_where_one_installs(page):
    (sdk,) = [each for each in distributions() if each.name == "cascade-py"]
    rows = re.findall(r"^\| (`[^|]+`) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(sdk.project["optional-dependencies"])


def test_the_reader_of_readmes_can_read():
    text = (
        "# A\n\n```bash\n# note\nmake test  # note\n```\n\n## B\n\n```python\n# no heading\n```\n"
    )
    assert headings(text) == [1, 2]
    assert [language for language, _ in blocks(text)] == ["bash", "python"]
    assert commands(text) == ["make test"]
