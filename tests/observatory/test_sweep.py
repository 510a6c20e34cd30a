import pytest

from cascade.observatory.sweep import sweep
from observatory import trials
from rows import each_row


@each_row("processes", [0, 2])
def test_every_combination_is_tried_with_every_seed_and_rows_keep_their_order(processes):
    table = sweep(trials.product, {"a": [1, 2], "b": [10, 20]}, range(2), processes=processes)
    assert table.columns == ("a", "b", "seed", "product")
    assert table.rows == [
        (a, b, seed, a * b + seed) for a in (1, 2) for b in (10, 20) for seed in (0, 1)
    ]


@pytest.mark.parametrize("processes", [0, 2])
def test_a_sweep_that_failed_goes_on_where_it_stopped(tmp_path, processes):
    path, marker = tmp_path / "kept.jsonl", tmp_path / "marker"
    arguments = {"parameters": {"marker": [str(marker)]}, "seeds": range(4), "path": path}
    with pytest.raises(OSError, match="interrupted") as caught:
        sweep(trials.fails_once, **arguments, processes=processes)
    assert "in the trial with" in caught.value.__notes__[0]
    kept = path.read_text().splitlines()
    assert kept
    table = sweep(trials.fails_once, **arguments, processes=processes)
    assert table.column("seed squared") == [0, 1, 4, 9]
    assert path.read_text().splitlines()[: len(kept)] == kept
    assert len(path.read_text().splitlines()) == 4


def test_a_line_that_was_cut_off_is_tried_again(tmp_path):
    path = tmp_path / "kept.jsonl"
    arguments = {"parameters": {"a": [1], "b": [2, 3]}, "seeds": [0], "processes": 0, "path": path}
    whole = sweep(trials.product, **arguments)
    text = path.read_text()
    path.write_text(text[:-10])
    assert sweep(trials.product, **arguments).rows == whole.rows
    assert path.read_text() == text


def test_what_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "kept.jsonl"
    path.write_text(
        '{"tried": {"a": 1, "b": 1, "seed": 0}, "measured": {"product": "from before"}}\n'
    )
    table = sweep(trials.product, {"a": [1], "b": [1]}, [0], processes=0, path=path)
    assert table.column("product") == ["from before"]


@each_row(
    ("parameters", "seeds", "reason"),
    [({"a": [], "b": [1]}, [0], "nothing to try"), ({"a": [1], "b": [1]}, [], "nothing to try")],
)
def test_nothing_to_try_is_an_error(parameters, seeds, reason):
    with pytest.raises(ValueError, match=reason):
        sweep(trials.product, parameters, seeds, processes=0)


def test_a_parameter_called_seed_is_refused():
    with pytest.raises(ValueError, match="seeds="):
        sweep(trials.product, {"seed": [1]}, [0], processes=0)
