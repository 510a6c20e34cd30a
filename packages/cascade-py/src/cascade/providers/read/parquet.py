"""``cs.read.parquet``: a table of pyarrow."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pyarrow.parquet  # type: ignore[import-untyped]  # it has no types

from cascade.providers.places import Place, reading
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["parquet"]


@task(name="read.parquet")
def parquet(place: Place, *, columns: list[str] | None = None) -> Any:
    """Read a `pyarrow.Table`, which pandas and polars take as it is.

    Args:
        place: a path, a URL such as ``s3://bucket/key`` (with the extra ``fs``), or ``-``: standard input.
        columns: those to read; all, if left out.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is no Parquet.

    Examples:
        >>> import cascade as cs
        >>> cs.read.parquet("sales.parquet", columns=["day"])
        read.parquet('sales.parquet', columns=['day'])
    """
    with reading(place) as file:
        source = file if file.seekable() else BytesIO(file.read())
        try:
            return pyarrow.parquet.read_table(source, columns=columns)
        except pyarrow.ArrowInvalid as error:
            raise ValueError(f"{place} is no Parquet: {error}") from error


ParquetProvider = provider_of("read.parquet", parquet)
