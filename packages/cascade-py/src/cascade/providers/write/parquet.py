"""``cs.write.parquet``: a table as Parquet."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet  # type: ignore[import-untyped]  # it has no types

from cascade.providers.places import Place, writing
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["parquet"]


@task(name="write.parquet")
def parquet(place: Place, table: Any) -> str:
    """Write a table, and return the place; see ``cs.write.bytes``.

    Args:
        place: where to.
        table: a `pyarrow.Table`, what turns into one (a data frame of pandas or polars, a dict of columns), or
            a list of rows, each a dict.

    Raises:
        OSError: it cannot be written.
        TypeError: it is no table.

    Examples:
        >>> import cascade as cs
        >>> cs.write.parquet("sales.parquet", {"day": [1, 2]})
        write.parquet('sales.parquet', {'day': [1, 2]})
    """
    if isinstance(table, list):
        table = pyarrow.Table.from_pylist(table)
    whole = table if isinstance(table, pyarrow.Table) else pyarrow.table(table)
    with writing(place) as file:
        pyarrow.parquet.write_table(whole, file)
    return str(place)


ParquetProvider = provider_of("write.parquet", parquet)
