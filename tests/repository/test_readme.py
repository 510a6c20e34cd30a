"""The two READMEs tell the same."""

import re

import pytest

from repository.distributions import ROOT

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
COMMANDS = {"bash", "sh", "shell", "console"}


@pytest.fixture
def readmes():
    if not READMES[0].exists():
        pytest.skip("README.md is not written yet")
    return [path.read_text(encoding="utf-8") for path in READMES]


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


def test_both_have_the_same_headings(readmes):
    english, chinese = map(headings, readmes)
    assert english == chinese


def test_both_have_blocks_of_the_same_kinds(readmes):
    english, chinese = ([language for language, _ in blocks(text)] for text in readmes)
    assert english == chinese


def test_both_have_the_same_commands(readmes):
    english, chinese = map(commands, readmes)
    assert english == chinese


def test_the_reader_of_readmes_can_read():
    text = (
        "# A\n\n```bash\n# note\nmake test  # note\n```\n\n## B\n\n```python\n# no heading\n```\n"
    )
    assert headings(text) == [1, 2]
    assert [language for language, _ in blocks(text)] == ["bash", "python"]
    assert commands(text) == ["make test"]
