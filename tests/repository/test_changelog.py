"""Fragments become the changelog of the next release, and the version is the same everywhere."""

import tomllib

import pytest
import yaml

from repository.distributions import ROOT

FOLDER = ROOT / "changelog.d"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in SETTINGS["type"]]
FRAGMENTS = sorted(path for path in FOLDER.iterdir() if path.name not in SETTINGS["ignore"])
CHANGELOG = (ROOT / SETTINGS["filename"]).read_text(encoding="utf-8")
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()


def what_is_wrong(name, text):
    """Return in a word or two what is wrong with a fragment; None where nothing is."""
    parts = name.split(".")
    if len(parts) != 3 or not parts[0] or parts[2] != "md":
        return "its name"
    if parts[1] not in KINDS:
        return "its kind"
    return None if text.strip() else "it is empty"


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("recv-with-deadline.added.md", "A sentence.\n", None),
        ("recv-with-deadline.feature.md", "A sentence.\n", "its kind"),
        ("recv-with-deadline.md", "A sentence.\n", "its name"),
        ("recv-with-deadline.added.txt", "A sentence.\n", "its name"),
        ("recv-with-deadline.added.md", " \n", "it is empty"),
    ],
)
def test_a_wrong_fragment_is_seen(name, text, wrong):
    assert what_is_wrong(name, text) == wrong


def test_every_fragment_has_a_known_kind_and_a_text():
    seen = {path.name: what_is_wrong(path.name, path.read_text("utf-8")) for path in FRAGMENTS}
    assert {name: wrong for name, wrong in seen.items() if wrong} == {}


def test_the_page_about_fragments_has_every_kind():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"\n| `{kind}` | " not in page] == []


def test_the_changelog_has_one_place_for_the_next_section():
    assert CHANGELOG.count(SETTINGS["start_string"]) == 1


def test_the_version_that_stands_has_its_section():
    assert f"\n## [{VERSION}]" in CHANGELOG


def test_who_cites_cascade_cites_the_version_that_stands():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["cff-version"], cited["version"]) == ("1.2.0", VERSION)
