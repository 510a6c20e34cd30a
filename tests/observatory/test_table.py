import sys

import pytest

from cascade.observatory import Table
from rows import each_row


def test_rows_come_by_place_or_by_name_and_out_as_records():
    table = Table(["time", "agent"], [[0.5, 1]])
    table.add({"agent": 2, "time": 1.5})
    assert table.records() == [{"time": 0.5, "agent": 1}, {"time": 1.5, "agent": 2}]
    assert table.column("agent") == [1, 2]
    assert len(table) == 2


@each_row("row", [[1], [1, 2, 3], {"time": 1}, {"time": 1, "agent": 2, "x": 3}])
def test_a_row_has_exactly_the_columns(row):
    with pytest.raises(ValueError, match="a row has"):
        Table(["time", "agent"]).add(row)


def test_csv_has_names_first_and_quotes_what_needs_it(tmp_path):
    path = tmp_path / "table.csv"
    Table(["what", "r"], [['say "hi", twice', 0.25], ["", None]]).write_csv(path)
    assert path.read_bytes() == b'what,r\r\n"say ""hi"", twice",0.25\r\n,\r\n'


def test_without_pandas_it_says_how_to_do_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        Table(["a"]).to_pandas()


def test_with_pandas_it_gives_a_frame(monkeypatch):
    class Pandas:
        @staticmethod
        def DataFrame(rows, columns):  # noqa: N802 - as pandas calls it
            return ("frame", rows, columns)

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    assert Table(["a", "b"], [[1, 2]]).to_pandas() == ("frame", [(1, 2)], ["a", "b"])
