"""A report tells what happened in a run, asks nobody for anything, and shows no secret."""

import asyncio
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.cli import main
from cascade.common.messaging.secrets import Secret
from cascade.interfaces.errors import UnknownParameterError
from cascade.reports import Report, collecting
from cascade.reports.critical_path import critical_path
from cascade.reports.record import Row
from cascade.reports.timeline import MOST_LINES
from cascade.runtime.events import RunFinished, RunStarted, TaskFinished

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """A page as texts by section, the classes of its bars, and the attributes that could ask for something."""

    def __init__(self, html):
        super().__init__()
        self.sections, self.bars, self.asks, self._open = {"": []}, [], [], []
        self._title = ""
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.asks += [each for each in attributes if each[0] in ("src", "href", "action", "onload")]
        assert tag not in ("script", "link", "img", "iframe")
        if tag not in VOID:
            self._open.append(tag)
        if "bar" in given.get("class", "").split() and "style" in given:
            self.bars.append(given["class"].removeprefix("bar "))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not data.strip() or "style" in self._open:
            return
        if self._open[-1] == "h2":
            self._title = data
            self.sections[data] = []
        else:
            self.sections[self._title].append(data)


async def told(target, *, fails=None, inputs=None, **options):
    """Run a target, and return the page about it."""
    report = Report(inputs)
    async with cs.Engine(**options) as engine:
        engine.events.listen(report)
        if fails is None:
            await engine.run(target)
        else:
            with pytest.raises(fails):
                await engine.run(target)
    return Page(report.html())


@cs.task
async def double(x):
    return 2 * x


@cs.task
async def slow(x):
    await asyncio.sleep(0)


@cs.task
async def fails(x):
    raise ValueError("not <b>today</b>")


@cs.task(mode="inline")
def flaky(seen):
    seen.append(1)
    if len(seen) < 3:
        raise OSError("again")
    return len(seen)


async def test_calls_have_bars_and_the_path_is_marked():
    page = await told(double(double(10)))
    assert page.bars == ["succeeded critical", "succeeded critical"]
    assert [each for each in page.sections["Critical path"] if "(" in each] == [
        "double(10)",
        "double(20)",
    ]
    assert page.sections["Tasks"][8:10] == ["double", "2"]
    assert "Failures" not in page.sections
    assert "succeeded" in page.sections[""]


async def test_a_failure_is_told_with_the_run_that_it_ended():
    page = await told([fails(1)], fails=ValueError)
    why = "ValueError: not <b>today</b>"
    assert page.sections["Failures"].count(why) == 2
    assert page.bars == ["failed critical"]
    assert "failed" in page.sections[""]


async def test_a_part_of_the_language_is_told_only_where_it_fails():
    page = await told([cs.param("absent"), double(1)], fails=UnknownParameterError)
    assert page.sections["Failures"][3] == "param('absent')"
    page = await told([cs.param("absent", 1), double(1)])
    assert page.bars == ["succeeded critical"]


async def test_retries_cached_skipped_held_and_waiting_calls_are_told():
    remembered = double.with_cache()
    page = await told(
        [
            flaky.with_retry(3)(cs.quote([])),
            cs.after(remembered(1), remembered(1)),
            double.run_if(False)(7),
            slow.with_demands(gpu=1).map([3, 4]),
            cs.wait(0.001),
            cs.param("none", 1),
        ],
        capacities={"gpu": 1},
    )
    assert page.sections["Retries"].count("OSError: again") == 2
    assert page.sections["Cached and skipped"][2:5] == [
        "double(7)",
        "skipped",
        "its condition is false",
    ]
    assert {"double(1)", "cached"} <= set(page.sections["Cached and skipped"])
    assert page.sections["Held"][3] == "slow"
    assert page.sections["Held"][5] == "1"
    assert "waited" in {each.split()[0] for each in page.bars}
    assert not any("param" in each for each in page.sections["Timeline"])


async def test_inputs_are_shown_and_secrets_hidden():
    secret = Secret("correct horse battery staple")
    text = f"Bearer {secret}"
    page = await told(fails(text), fails=ValueError, inputs={"token": secret, "city": "<i>Ulm</i>"})
    shown = str(page.sections)
    assert "correct" not in shown
    assert page.sections["Inputs"] == ["name", "value", "token", "***", "city", "'<i>Ulm</i>'"]
    assert any("Bearer ***" in each for each in page.sections["Timeline"])


async def test_the_page_asks_nobody_for_anything_and_has_both_schemes():
    report = Report({"site": "https://shop.example"})
    async with cs.Engine() as engine:
        engine.events.listen(report)
        await engine.run(double("https://shop.example/list"))
    html = report.html()
    assert Page(html).asks == []
    assert not re.search(r"url\(|@import|<script", html)
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert html == report.html()


async def test_of_very_many_calls_the_longest_have_a_line_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(collecting, "MOST_ROWS", 400)
    page = await told(cs.settle([double(number) for number in range(500)] + [fails(1)]))
    assert len(page.bars) == MOST_LINES
    assert page.bars.count("failed") + page.bars.count("failed critical") == 1
    assert page.sections["Timeline"][0].startswith("201 more calls have no line")
    assert page.sections["Tasks"][8:10] in (["double", "500"], ["fails", "1"])


def test_a_run_that_has_not_ended_and_one_without_calls_are_told():
    report = Report()
    assert "0 runs" in Page(report.html()).sections[""]
    report(RunStarted("run-1", 5.0, "work()"))
    page = Page(report.html())
    assert "not ended" in page.sections[""]
    assert page.sections["Timeline"] == ["No task was called."]


def test_several_runs_have_one_page():
    report = Report()
    for name in ("a", "b"):
        report(RunStarted(name, 1.0, f"{name}()"))
        report(TaskFinished(name, 3.0, "work", "succeeded", 1.5, call=double(1)))
        report(RunFinished(name, 4.0, "succeeded", 1))
    page = Page(report.html())
    assert "2 runs" in page.sections[""]
    assert len(page.bars) == 2


# --- the critical path ----------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=30)


@given(spans)
def test_the_critical_path_ends_last_and_goes_back_without_a_gap_that_a_call_could_fill(spans):
    rows = [
        Row("work", f"work({number})", "succeeded", start, start + length)
        for number, (start, length) in enumerate(spans)
    ]
    chain = critical_path(rows)
    long = [row for row in rows if row.end > row.start]
    assert bool(chain) == bool(long)
    if chain:
        assert chain[-1].end == max(row.end for row in long)
    for before, after in pairwise(chain):
        assert before.end <= after.start
        assert not any(before.end < row.end <= after.start for row in long)
    if chain:
        assert not any(row.end <= chain[0].start for row in long)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_a_page_also_of_a_run_that_fails(capsys, tmp_path):
    path = tmp_path / "run.html"
    assert main(["run", "cli.flows:scaled", "--x", "21", "--report", str(path)]) == 0
    page = Page(path.read_text(encoding="utf-8"))
    assert page.sections["Inputs"] == ["name", "value", "x", "21"]
    assert main(["run", "cli.flows:fails", "--report", str(path)]) == 1
    assert "ValueError: not today" in Page(path.read_text(encoding="utf-8")).sections["Failures"]
    capsys.readouterr()


def test_a_report_that_cannot_be_written_is_refused_before_the_run(capsys, tmp_path):
    for path in (tmp_path / "nowhere" / "run.html", tmp_path):
        assert main(["run", "cli.flows:fails", "--report", str(path)]) == 2
        assert "--report cannot be written" in capsys.readouterr().err
    path = tmp_path / "run.html"
    assert main(["run", "cli.flows:total", "--dry-run", "--report", str(path)]) == 2
    assert "--dry-run runs nothing" in capsys.readouterr().err
    assert not path.exists()
