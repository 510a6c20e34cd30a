"""The programs in examples/ that need no store do what their pages say, in Python and as commands."""

import asyncio
import json
import re
from contextlib import contextmanager

import pytest

import cascade as cs
from cascade.runtime.events import TaskThrottled
from examples.programs import EXAMPLES, copied, module, run, start
from mqtt.broker import NEEDS_BROKER, Broker
from sdk.web_server import WebServer

pytestmark = pytest.mark.slow

MOST_LINES_OF_THE_SCRAPER = 40


def test_each_example_has_a_page_of_a_few_lines():
    for folder in EXAMPLES.iterdir():
        assert any((folder / f"{folder.name}{each}").is_file() for each in (".py", ".ipynb"))
        page = (folder / "README.md").read_text(encoding="utf-8")
        assert len(page.splitlines()) == 5
        assert "cascade " in page


# --- the scraper ----------------------------------------------------------------------------------


@contextmanager
def flaky_site(pages):
    """Serve pages that fail at first: each third with a status of 500, each fifth with one of 429."""
    served = WebServer()
    asked = dict.fromkeys(range(pages), 0)

    def answer(request):
        number = int(request.path.rpartition("/")[2])
        asked[number] += 1
        if number % 3 == 0 and asked[number] <= 2:
            request.answer(b"not now", status=500)
        elif number % 5 == 0 and asked[number] <= 4:
            request.answer(b"slowly", status=429, fields=[("Retry-After", "0")])
        else:
            request.answer(f"<title>page {number}</title>".encode())

    served.pages = {f"/page/{number}": answer for number in range(pages)}
    with served.running():
        yield served


TITLES = [f"page {number}" for number in range(200)]


def test_the_scraper_is_short():
    lines = (EXAMPLES / "scraper" / "scraper.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES_OF_THE_SCRAPER


def test_the_scraper_gets_every_page_of_a_flaky_site_on_the_command_line(tmp_path):
    folder = copied("scraper", tmp_path)
    with flaky_site(200) as site:
        command = ("run", "scraper:scrape", "-p", f"site={site.url}", "-c", "connections=8")
        value = run(folder, "cascade", *command)
    assert re.findall(r"page \d+", value) == TITLES
    assert len(site.seen) > 300


async def test_the_scraper_is_held_and_goes_on_when_it_is_told_to():
    scraper = module("scraper")
    bus = cs.LocalBusConnector(broker=cs.LocalBroker())
    topic = "cascade/constraints/task/http.get"
    pause = {"id": "test", "scope": "task:http.get", "type": "pause", "params": {}}
    held = asyncio.Event()
    with flaky_site(200) as site:
        async with cs.Engine(connector=bus, capacities={"connections": 8}) as engine:
            engine.events.listen(
                lambda event: held.set() if isinstance(event, TaskThrottled) else None
            )
            await bus.publish(topic, pause, retain=True)
            running = asyncio.ensure_future(engine.run(scraper.scrape(site.url)))
            await held.wait()
            assert site.seen == []
            await bus.publish(topic, None, retain=True)
            assert await running == TITLES


# --- the pipeline ---------------------------------------------------------------------------------

STEPS = ("reading", "adding up", "counting days", "reporting")
REPORT = "harbour 36.00, market 29.95; most was sold on Tuesday"


def steps_in(out, steps=STEPS):
    """Return which steps were done, in order; what threads print side by side may share a line."""
    return re.findall("|".join(map(re.escape, steps)), out)


@pytest.mark.parametrize(
    "command", [("pipeline.py",), ("cascade", "run", "pipeline:main", "--cache", "cache/")]
)
def test_the_pipeline_computes_again_only_what_has_changed(tmp_path, command):
    folder = copied("pipeline", tmp_path)
    out = run(folder, *command)
    assert sorted(steps_in(out)) == sorted(STEPS)
    assert REPORT in out
    out = run(folder, *command)
    assert steps_in(out) == []
    assert REPORT in out
    program = folder / "pipeline.py"
    text = program.read_text(encoding="utf-8")
    program.write_text(text.replace("round(float(price) * 100)", "int(float(price)) * 100"))
    out = run(folder, *command)
    assert steps_in(out) == ["adding up", "reporting"]
    assert "harbour 35.00, market 28.00" in out
    with (folder / "sales.csv").open("a", encoding="utf-8") as sales:
        sales.write("Friday,harbour,1\n")
    assert "reading" in steps_in(run(folder, *command))


def test_the_pipeline_in_python_and_on_the_command_line_share_a_cache(tmp_path):
    folder = copied("pipeline", tmp_path)
    run(folder, "pipeline.py")
    assert steps_in(run(folder, "cascade", "run", "pipeline:main", "--cache", "cache/")) == []


# --- the handbook ---------------------------------------------------------------------------------

BUILT = ("building 1-start", "building 2-agents", "building 3-signals", "building the index")


@pytest.mark.parametrize(
    "command", [("handbook.py",), ("cascade", "run", "handbook:book", "--cache", "cache/")]
)
def test_the_handbook_builds_what_is_out_of_date_and_goes_on_past_a_failure(tmp_path, command):
    folder = copied("handbook", tmp_path)
    in_python = command == ("handbook.py",)
    broken = folder / "chapters" / "2-agents.md"
    text = broken.read_text(encoding="utf-8")
    broken.write_text("no title\n", encoding="utf-8")
    out = run(folder, *command, status=int(in_python))
    assert sorted(steps_in(out, BUILT)) == list(BUILT)
    assert "failed: 2-agents.md does not begin with a title" in out
    assert not (folder / "out" / "2-agents.html").exists()
    broken.write_text(text, encoding="utf-8")
    assert steps_in(run(folder, *command), BUILT) == ["building 2-agents", "building the index"]
    assert steps_in(run(folder, *command), BUILT) == []
    (folder / "out" / "1-start.html").write_text("changed by hand", encoding="utf-8")
    assert steps_in(run(folder, *command), BUILT) == ["building 1-start"]
    assert "<li>Agents</li>" in (folder / "out" / "index.html").read_text(encoding="utf-8")


def test_the_chapters_are_built_past_a_failure_on_the_command_line(tmp_path):
    folder = copied("handbook", tmp_path)
    (folder / "chapters" / "1-start.md").write_text("no title\n", encoding="utf-8")
    command = ("cascade", "run", "handbook:chapters", "--keep-going", "--cache", "cache/")
    assert sorted(steps_in(run(folder, *command, status=1), BUILT)) == list(BUILT[:3])
    assert (folder / "out" / "3-signals.html").exists()


# --- the team, and the thermostat -----------------------------------------------------------------

SQUARES = {str(number): number**2 for number in range(12)}


def test_the_team_survives_a_death(capsys):
    team = module("team")
    members = [team.member("ann"), team.member("bea", lives_for=2), team.member("cleo")]
    answers, *_, cleo = cs.simulate([team.squares, *members]).results
    assert answers == SQUARES
    assert cleo != "cleo did 0"
    assert capsys.readouterr().out == "bea is dead\n"


@pytest.mark.parametrize(("seed"), range(5))
def test_the_team_finds_its_members_whenever_they_come(seed):
    team = module("team")
    members = [team.member("ann"), team.member("bea", lives_for=seed), team.member("cleo")]
    assert cs.simulate([*members, team.squares], seed=seed).results[-1] == SQUARES


def test_the_thermostat_s_own_tests_pass():
    folder = EXAMPLES / "thermostat"
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", folder)
    done = run(folder, "-m", "pytest", *options, "test_thermostat.py")
    assert "3 passed" in done


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running


@pytest.mark.parametrize("marks", [pytest.param(None, marks=NEEDS_BROKER)])
def test_the_team_survives_a_kill_on_a_broker(tmp_path, broker, marks):
    folder = copied("team", tmp_path)
    at = ("--connector", broker.url)
    victim, other = (
        start(folder, "cascade", "run", "team:member", "-p", f"name={name}", *at)
        for name in ("bea", "ann")
    )
    run(folder, "cascade", "sub", "cascade/agents/+/card", "--count", "2", *at)
    victim.kill()
    victim.communicate()
    out = run(folder, "cascade", "run", "team:squares", *at)
    assert repr(SQUARES) in out
    assert "bea is dead" in out
    assert "ann did 12" in other.communicate()[0]


@pytest.mark.parametrize("marks", [pytest.param(None, marks=NEEDS_BROKER)])
def test_the_thermostat_heats_a_room_over_a_broker(tmp_path, broker, marks):
    folder = copied("thermostat", tmp_path)
    heating = start(folder, "cascade", "run", "thermostat:thermostat", "--connector", broker.url)
    try:
        degrees = run(folder, "thermostat.py", broker.url, "60")
    finally:
        heating.terminate()
        heating.communicate()
    assert float(degrees) > 15


# --- the notebook ---------------------------------------------------------------------------------


def test_the_notebook_runs_and_shows_a_picture(tmp_path):
    folder = copied("notebook", tmp_path)
    program = "from nbclient.cli import main; main()"  # `jupyter execute`, wherever it is
    run(folder, "-c", program, "--inplace", "notebook.ipynb")
    cells = json.loads((folder / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    bill, paid, squares, heard = [
        output["data"] for cell in cells for output in cell.get("outputs", ())
    ]
    assert "".join(bill["text/html"]).startswith(("<svg", "<pre>flowchart TD"))
    assert float("".join(paid["text/plain"])) == pytest.approx(32.85)
    assert squares["text/plain"] == ["([1, 4, 9], [1, 2, 3])"]
    assert heard["text/plain"] == ["'heard tea time'"]


def test_the_notebook_is_kept_without_what_it_shows():
    path = EXAMPLES / "notebook" / "notebook.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [each for each in cells if each["cell_type"] == "code"]
    assert [each for each in code if each["outputs"] or each["execution_count"]] == []
    assert len({each["id"] for each in cells}) == len(cells)
