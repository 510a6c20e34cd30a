"""The page in a real browser: what people see of an experiment, and what they can do."""

from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from cascade.observatory.web.page import write_replay
from cli.web.client import until
from observatory.recordings import FakeControls, firefly_server, made_up

pytestmark = pytest.mark.slow

LIT, DARK = 15.0, 15.9  # seconds: at the flash of all, and long after it
WIDE_ENOUGH = "return document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(autouse=True)
def contented(browser):
    """Check that a page asked nobody else for anything, and had nothing to complain about."""
    browser.complaints()
    browser.requests()
    yield
    made = [(urlsplit(page), urlsplit(asked)) for page, asked in browser.requests()]
    ours = [(page, asked) for page, asked in made if page.scheme in {"file", "http"}]
    assert ours
    strange = [
        asked for page, asked in ours if asked.scheme != "data" and asked.netloc != page.netloc
    ]
    assert strange == []
    assert browser.complaints() == []


@pytest.fixture
def replay(browser, tmp_path):
    """Open a replay that stands still at its begin, unless it shall play."""

    def open_replay(recording=None, *, plays=False, **how):
        path = tmp_path / "replay.html"
        write_replay(recording or made_up(), path)
        browser.open(path.as_uri(), **how)
        if not plays:
            browser.run("view.player.isPaused = true; view.player.seek(0)")
            browser.has("clock", "0.0 of 20.0 s")
        return browser

    return open_replay


@pytest.fixture
def live(browser, feed, controls):
    feed.now = 2.0
    with firefly_server(feed, controls) as server:
        browser.open(server.url)
        browser.has("time", "2.0 s")
        yield browser, feed, controls, server
        browser.driver.get("about:blank")


# --- what people see --------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [10, None], ids=["lattice", "ring"])
def test_lights_shine_at_their_flash_and_fade(replay, columns):
    page = replay(made_up(columns=columns))
    page.slide(LIT)
    lit = page.brightness("lattice")
    page.slide(DARK)
    assert lit > page.brightness("lattice") + 5


def test_the_curve_of_r_is_drawn_and_the_rest_is_veiled(replay):
    page = replay(scheme="dark")
    early = page.brightness("order")
    page.press(Keys.END)
    late = page.brightness("order")
    assert late > early + 1
    times = made_up()["order"]["times"]
    page = replay(made_up(order={"times": times, "values": [0.1] * len(times)}))
    page.press(Keys.END)
    assert late > page.brightness("order") + 1


def test_the_numbers_are_those_of_the_moment(replay):
    page = replay()
    assert page.text("title") == page.driver.title == "100 made-up fireflies"
    assert page.text("parameters") == "period1 sseed1"
    assert page.text("order-now") == "…"
    page.slide(9.99)
    assert page.text("status") == "Listening to each other …"
    assert page.text("flashes") == "1,000"
    assert page.text("order-now") == "0.995"
    page.slide(10)
    assert page.text("status") == "In step after 10.0 s"
    page.slide(20)
    assert page.text("flashes") == "2,000"
    assert page.text("order-now") == "1.000"


def test_flashes_are_shown_as_points_or_counted(replay):
    page = replay()
    nothing = page.brightness("raster")
    page.slide(5)
    points = page.brightness("raster")
    assert points > nothing + 1
    page.click("as-histogram")
    page.press(" ")  # on a button, this presses it
    counts = page.brightness("raster")
    page.press(Keys.HOME)
    assert nothing < page.brightness("raster") + 1 < counts
    page.slide(5)
    page.click("as-raster")
    assert page.brightness("raster") == points


def test_an_experiment_without_a_single_flash_is_a_page_too(replay):
    nothing = {"times": [], "agents": [], "values": []}
    page = replay(made_up(1, flashes=nothing, order=nothing, in_step_after=None))
    page.press(Keys.END)
    page.draw()
    assert (page.text("flashes"), page.text("order-now")) == ("0", "…")


# --- what people do ---------------------------------------------------------------------------


def test_it_plays_to_the_end_and_from_the_begin_again(replay):
    page = replay(plays=True)
    page.press("+" * 9)
    page.has("time", "20.0 s")
    until(lambda: page.label("play") == "Play")
    page.click("play")
    until(lambda: page.text("time") != "20.0 s")


def test_space_and_the_button_play_and_pause(replay):
    page = replay()
    page.press(" ")
    until(lambda: page.text("time") != "0.0 s")
    page.press(" ")
    page.draw()
    stands = page.text("time")
    page.draw()
    assert page.text("time") == stands
    page.click("play")
    until(lambda: page.text("time") != stands)
    assert page.label("play") == "Pause"


def test_keys_and_buttons_change_the_speed_within_bounds(replay):
    page = replay()
    page.press("+")
    page.has("speed", "2×")
    page.press("-", "-")
    page.has("speed", "0.5×")
    page.click("faster")
    page.has("speed", "1×")
    page.press("=" * 9)
    page.has("speed", "20×")
    until(lambda: not page.driver.find_element("id", "faster").is_enabled())
    page.press("-" * 12)
    page.has("speed", "0.1×")


def test_keys_move_through_time(replay):
    page = replay()
    for keys, holding, time in (
        (Keys.ARROW_RIGHT * 2, "", "0.5 s"),
        (Keys.ARROW_RIGHT, Keys.SHIFT, "5.5 s"),
        (Keys.ARROW_LEFT * 2, "", "5.0 s"),
        (Keys.END, "", "20.0 s"),
        (Keys.ARROW_RIGHT, "", "20.0 s"),
        (Keys.HOME, "", "0.0 s"),
    ):
        page.press(keys, holding=holding)
        page.has("time", time)


def test_all_controls_have_names_and_are_reached_by_keyboard(replay):
    page = replay()
    reached = []
    while not reached or reached[-1]:
        page.press(Keys.TAB)
        reached.append(page.focused())
        outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid" or not reached[-1]
    controls = ["theme", "play", "slider", "slower", "faster", "as-raster", "as-histogram"]
    assert reached == [*controls, ""]
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    named = {"button", "slider", "image", "group", "status"}
    parts = [each for each in tree if each.get("role", {}).get("value") in named]
    assert len(parts) >= len(controls)
    unnamed = [each for each in parts if not each["name"]["value"]]
    assert [each["role"]["value"] for each in unnamed] in ([], ["status"])


# --- where people look ------------------------------------------------------------------------


def test_colours_follow_the_system_and_then_the_button(replay):
    page = replay(scheme="dark")
    dark, order = page.colour(), page.brightness("order")
    page = replay(scheme="light")
    light = page.colour()
    assert light != dark
    assert page.brightness("order") != order
    page.click("theme")
    assert page.colour() == dark
    assert page.brightness("order") == order
    page.click("theme")
    assert page.colour() == light
    page.open(page.driver.current_url, scheme="dark")
    page.click("theme")
    assert page.colour() == light


@pytest.mark.parametrize("width", [360, 700, 1600])
def test_no_width_needs_a_horizontal_scroll_bar(replay, width):
    title = "An experiment with a rather long name, or rather with a name that goes on and on"
    page = replay(made_up(2500, columns=50, title=title), width=width)
    assert page.run(WIDE_ENOUGH)
    assert page.driver.find_element("id", "order").size["height"] > 60
    page.slide(LIT)
    assert page.brightness("lattice") > 30


def test_who_wants_less_motion_starts_it_oneself_and_sees_no_flash(replay):
    page = replay(plays=True, motion="reduce")
    page.draw()
    assert page.text("time") == "0.0 s"
    page.slide(LIT)
    calm = page.brightness("lattice")
    page = replay()
    page.slide(LIT)
    assert page.brightness("lattice") > calm + 5


# --- a running experiment ---------------------------------------------------------------------


def test_a_running_experiment_is_followed(live):
    page, feed, _, _ = live
    assert page.text("mode") == "live"
    assert page.text("title") == "100 made-up fireflies"
    assert not page.driver.find_element("id", "slider").is_displayed()
    feed.now = LIT
    page.has("flashes", "1,600")
    page.has("status", "In step after 10.0 s")
    lit = page.brightness("lattice")
    feed.now = DARK
    page.has("time", "15.9 s")
    assert lit > page.brightness("lattice") + 5
    page.press(Keys.HOME)
    page.draw()
    assert page.text("time") == "15.9 s"


def test_a_reloaded_page_has_everything_from_the_start(live):
    page, feed, _, _ = live
    feed.now = 15.0
    page.has("time", "15.0 s")
    order = page.brightness("order")
    page.driver.refresh()
    page.has("time", "15.0 s")
    assert page.text("flashes") == "1,600"
    assert page.brightness("order") == pytest.approx(order, abs=1)


def test_the_page_pauses_the_experiment_and_changes_its_speed(live):
    page, _, controls, _ = live
    page.press(" ")
    until(lambda: controls.paused)
    page.has("clock", "paused")
    page.click("play")
    until(lambda: not controls.paused)
    page.has("clock", "")
    page.press("+")
    page.has("speed", "2×")
    page.click("slower")
    page.has("speed", "1×")
    assert controls == FakeControls(paused=False, factor=1)


def test_a_finished_experiment_becomes_a_replay(live):
    page, feed, _, _ = live
    feed.now = 20.0
    page.has("time", "20.0 s")
    feed.done = True
    page.has("mode", "replay")
    until(lambda: page.label("play") == "Play")
    assert page.text("clock") == "20.0 of 20.0 s"
    page.press(Keys.HOME)
    page.has("time", "0.0 s")
    page.press(" ")
    until(lambda: page.text("time") != "0.0 s")


def test_an_experiment_that_breaks_off_becomes_a_replay_of_what_was_seen(live):
    page, _, _, server = live
    server.__exit__(None, None, None)
    page.has("status", "The connection has ended; this is what was seen until then.")
    page.press(Keys.HOME)
    page.has("clock", "0.0 of 2.0 s")
