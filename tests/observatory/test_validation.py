"""The published results, those that take seconds; `cascade validate` measures all of them."""

from pathlib import Path

from typer.testing import CliRunner

from cascade.cli.app import make_app
from cascade.observatory.validation import ROWS, Outcome, markdown, validate
from rows import each_row

ROW = {row.name: row for row in ROWS}


def some_of(row, claims):
    """Return a row with a few of its claims."""
    from dataclasses import replace

    return replace(row, claims=[row.claims[place] for place in claims])


def test_every_row_of_the_table_is_there():
    assert list(ROW) == ["V2", "V2b", "V5", "V7", "V7b", "V8", "V12"]
    assert [len(row.claims) for row in ROWS] == [4, 1, 16, 1, 4, 4, 1]


def test_two_oscillators_need_exactly_the_published_firings():
    assert all(outcome.holds for outcome in validate(ROW["V5"], processes=0))


def test_everyone_synchronises_from_random_starts():
    (outcome,) = validate(ROW["V7"], seeds=5, processes=0)
    assert outcome.measured == 5


def test_it_takes_about_the_published_number_of_cycles():
    outcomes = validate(some_of(ROW["V7b"], [2, 3]), seeds=3, processes=0)
    assert [outcome.holds for outcome in outcomes] == [True, True]


def test_a_torus_synchronises_in_about_the_published_number_of_cycles():
    outcomes = validate(some_of(ROW["V8"], [0, 1]), seeds=3, processes=0)
    assert [outcome.holds for outcome in outcomes] == [True, True]


def test_a_number_out_of_tolerance_is_told_as_such():
    row = some_of(ROW["V8"], [0])
    outcome = Outcome(row.claims[0], 7.5, 3)
    assert not outcome.holds
    page = markdown({row: [outcome]})
    assert "| side = 10 | 4 | 7.5 | **no** | 3 |" in page


def test_the_command_measures_writes_and_tells(tmp_path):
    page = tmp_path / "validation.md"
    done = CliRunner().invoke(
        make_app(), ["validate", "V5", "--processes", "0", "--output", str(page)]
    )
    assert done.exit_code == 0, done.output
    assert "published 15, measured 15: ok" in done.output
    assert page.read_text().count("| yes |") == 16
    unknown = CliRunner().invoke(make_app(), ["validate", "V99"])
    assert unknown.exit_code != 0


@each_row("row", ROWS)
def test_a_claim_does_not_hold_for_just_any_number(row):
    for claim in row.claims:
        assert not claim.holds(float("inf"))
        assert not claim.holds(0.999 if row.name != "V5" else -1)


def test_the_page_of_validations_says_that_everything_is_within_tolerance():
    page = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
    claims = [claim for row in ROWS for claim in row.claims]
    assert page.count("| yes |") == len(claims)
    assert "**no**" not in page
