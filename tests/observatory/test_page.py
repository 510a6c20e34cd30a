"""The page as text: what it contains, and what it refuses to contain."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from cascade.observatory.web.encoding import encode
from cascade.observatory.web.page import live_page, replay_page, security_policy, write_replay
from observatory.recordings import made_up
from rows import each_row

NAMESPACE = "http://www.w3.org/2000/svg"


class Elements(HTMLParser):
    """The elements of a page, each with its attributes and its text."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        self.open = True

    def handle_data(self, data):
        if self.open:
            self.found[-1][2] += data

    def handle_endtag(self, tag):
        self.open = False

    def all(self, tag):
        return [each for each in self.found if each[0] == tag]


def recording_in(page):
    (text,) = [text for _, attrs, text in Elements(page).all("script") if "id" in attrs]
    return json.loads(text)


@pytest.fixture(params=[live_page, lambda: replay_page(made_up())], ids=["live", "replay"])
def page(request):
    return request.param()


def test_a_page_names_no_other_place(page):
    assert set(re.findall(r"\bhttps?://[^\s'\"<>]+", page)) == {NAMESPACE}
    assert not re.search(r"@import|url\(|\bimport\(", page)
    sources = [attrs.get("src") or attrs.get("href") for _, attrs, _ in Elements(page).found]
    assert {source.partition(",")[0] for source in sources if source} == {"data:image/svg+xml"}


def test_a_page_contains_every_part(page):
    parts = files("cascade.observatory.web").joinpath("page_parts").iterdir()
    texts = [part.read_text(encoding="utf-8") for part in parts]
    assert len(texts) > 2
    assert [text[:80] for text in texts if text not in page] == []


def test_the_policy_allows_exactly_the_page_s_own_script_and_style(page):
    elements = Elements(page)
    (style,) = elements.all("style")
    (script,) = [each for each in elements.all("script") if "type" not in each[1]]
    for name, (_, _, text) in (("script-src", script), ("style-src", style)):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}';" in security_policy()
    (meta,) = [attrs for _, attrs, _ in elements.all("meta") if "http-equiv" in attrs]
    assert meta["content"] == security_policy()
    assert not any(name.startswith("on") for _, attrs, _ in elements.found for name in attrs)
    assert not any("style" in attrs for _, attrs, _ in elements.found)


def test_a_live_page_contains_no_recording():
    assert recording_in(live_page()) is None


@each_row("text", ["</script><script>alert(1)</script>", "<!--", "$title & é 萤"])
def test_names_from_outside_stay_text(text):
    page = replay_page(made_up(title=text, parameters={text: text}))
    found = recording_in(page)
    assert (found["title"], found["parameters"]) == (text, {text: text})
    elements = Elements(page)
    assert len(elements.all("script")) == 2
    assert elements.all("title")[0][2] == text


def test_a_long_recording_makes_a_small_page():
    page = replay_page(made_up(2500, columns=50, periods=63))
    assert recording_in(page)["flashes"]["count"] > 157_000
    assert len(page.encode()) < 1_000_000


@pytest.mark.slow
def test_the_page_reads_what_was_packed(browser, tmp_path):
    times = [0.0, 0.0, 1e-6, 0.000129, 0.1 + 0.2, 7.0, 5000.25, 86_400.0]
    agents = [0, 127, 128, 16_383, 16_384, 99_999, 1, 0]
    recording = made_up(flashes={"times": times, "agents": agents})
    encoded = encode({**recording, "agents": 100_000})["flashes"]
    path = tmp_path / "page.html"
    write_replay(made_up(), path)
    browser.open(path.as_uri())
    script = """
    const { times, agents } = decodeFlashes(arguments[0]);
    return [Array.from(times), Array.from(agents)];
    """
    assert browser.run(script, encoded) == [pytest.approx(times, abs=5e-7), agents]


def test_a_recording_of_nothing_is_a_page_too():
    nothing = {"times": [], "agents": [], "values": []}
    assert recording_in(replay_page(made_up(flashes=nothing, order=nothing, duration=0.0)))


@each_row(
    ("wrong", "text"),
    [
        ({"agents": 0}, "of 1 agent or more, not 0"),
        ({"columns": 0}, "has 1 column or more, not 0"),
        ({"period": 0.0}, "a period is a number of seconds above 0, not 0"),
        ({"duration": float("inf")}, "a duration is a number of seconds, not inf"),
        ({"flashes": {"times": [1.0], "agents": []}}, "flashes: 1 times do not go with 0"),
        ({"flashes": {"times": [2.0, 1.0], "agents": [0, 0]}}, "time falls from 2 s to 1 s"),
        ({"flashes": {"times": [-1.0], "agents": [0]}}, "time falls from 0 s to -1 s"),
        ({"flashes": {"times": [1.0], "agents": [100]}}, "agent 100 flashed, but"),
        ({"order": {"times": [float("nan")], "values": [0.5]}}, "order: a time is not a number"),
        ({"order": {"times": [1.0], "values": [float("nan")]}}, "order parameter is not a number"),
    ],
)
def test_a_recording_that_contradicts_itself_is_refused(wrong, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        replay_page(made_up(**wrong))


def test_a_replay_is_one_file(tmp_path):
    write_replay(made_up(), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text == replay_page(made_up())
    with pytest.raises(OSError, match="No such file"):
        write_replay(made_up(), tmp_path / "nowhere" / "page.html")
