"""What came of a run, as a table: records, CSV, pandas."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Table"]


class Table:
    """Named columns and rows of plain values.

    Attributes:
        columns: the names.
        rows: one tuple of values each, as long as there are columns.

    Examples:
        >>> table = Table(["seed", "r"], [(1, 0.5)])
        >>> table.add((2, 1.0))
        >>> table.column("r"), table.records()[0]
        ([0.5, 1.0], {'seed': 1, 'r': 0.5})
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Any]] = ()) -> None:
        """Begin with some rows, or none."""
        self.columns = tuple(columns)
        self.rows: list[tuple[Any, ...]] = []
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def add(self, row: Sequence[Any] | Mapping[str, Any]) -> None:
        """Add a row: values in the order of the columns, or by their names.

        Raises:
            ValueError: it does not have exactly these columns.
        """
        if isinstance(row, Mapping):
            if row.keys() != set(self.columns):
                raise ValueError(f"a row has the columns {self.columns}, not {tuple(row)}")
            row = [row[name] for name in self.columns]
        if len(row) != len(self.columns):
            raise ValueError(f"a row has {len(self.columns)} values, not {len(row)}")
        self.rows.append(tuple(row))

    def column(self, name: str) -> list[Any]:
        """Return the values of one column.

        Raises:
            ValueError: there is none of that name.
        """
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """Return each row as a dict."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def write_csv(self, path: Path | str) -> None:
        """Write the table as CSV (RFC 4180) with a line of names.

        Raises:
            OSError: the file cannot be written.
        """
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(self.rows)

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame.

        Raises:
            ModuleNotFoundError: pandas is not installed; the text says how to get it.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "to_pandas() needs pandas, which is not installed: pip install pandas; "
                "records() and write_csv() do without it",
                name="pandas",
            ) from error
        return pandas.DataFrame(self.rows, columns=list(self.columns))
