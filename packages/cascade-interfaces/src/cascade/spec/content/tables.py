"""The content of arrays and tables of numpy, pandas and polars, which are not imported for that.

The numbers of an array go into the digest as they lie in memory, without a copy where they lie in order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["writer_for"]

_Write: TypeAlias = Callable[[Any, Callable[[Any], None], int], None]
_Put: TypeAlias = Callable[[Any], None]


def writer_for(kind: type) -> Callable[[_Write, Any, _Put, int], None] | None:
    """Return what writes values of a type of these libraries: ``writer(write, value, put, depth)``."""
    library = kind.__module__.partition(".")[0]
    for base in kind.__mro__:
        writer = _WRITERS.get((library, base.__name__))
        if writer is not None and base.__module__.partition(".")[0] == library:
            return writer
    return None


def _write_array(write: _Write, value: Any, put: _Put, depth: int) -> None:
    numpy = sys.modules["numpy"]
    kind = value.dtype
    name = kind.str if kind.names is None else repr(kind)
    write((type(value).__name__, name, value.shape), put, depth)
    if kind.hasobject:
        write(value.ravel().tolist(), put, depth)
        return
    flat = numpy.ascontiguousarray(value).reshape(-1)  # both are views where it lies in order
    if flat.size:
        put(flat.view(numpy.ndarray).view("u1").data)


def _write_masked(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write("masked", put, depth)
    _write_array(write, value.filled(), put, depth)
    _write_array(write, sys.modules["numpy"].ma.getmaskarray(value), put, depth)


def _write_scalar(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write("scalar", put, depth)
    _write_array(write, sys.modules["numpy"].asarray(value), put, depth)


def _write_dtype(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write(("dtype", repr(value)), put, depth)


# --- pandas -----------------------------------------------------------------------------------------


def _write_frame(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write(("frame", value.shape, dict(value.attrs)), put, depth)
    _write_index(write, value.columns, put, depth)
    _write_index(write, value.index, put, depth)
    for number in range(value.shape[1]):  # by number: names may occur twice
        _write_column(write, value.iloc[:, number], put, depth)


def _write_series(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write(("series", value.name, dict(value.attrs)), put, depth)
    _write_index(write, value.index, put, depth)
    _write_column(write, value, put, depth)


def _write_index(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write((type(value).__name__, list(value.names)), put, depth)
    if type(value).__name__ == "RangeIndex":
        write((value.start, value.stop, value.step), put, depth)
    elif type(value).__name__ == "MultiIndex":
        write(value.tolist(), put, depth)
    else:
        _write_column(write, value, put, depth)


def _write_column(write: _Write, column: Any, put: _Put, depth: int) -> None:
    kind = column.dtype
    write(repr(kind), put, depth)
    if type(kind).__name__ == "CategoricalDtype":
        categorical = column.array
        _write_index(write, categorical.categories, put, depth)
        _write_array(write, categorical.codes, put, depth)
    elif sys.modules["numpy"].dtype in type(kind).__mro__ and not kind.hasobject:
        _write_array(write, column.to_numpy(), put, depth)
    else:
        _write_items(write, column.array.tolist(), put, depth)


def _write_one(write: _Write, value: Any, put: _Put, depth: int) -> None:
    """Write a time, a period or what stands for a missing value."""
    write((type(value).__name__, repr(value)), put, depth)


def _write_items(write: _Write, items: list[Any], put: _Put, depth: int) -> None:
    """Write items; text, which most are, at once."""
    if all(type(item) is str for item in items):
        write(("text", len(items)), put, depth)
        put("\0".join(f"{len(item)} {item}" for item in items).encode("utf-8", "surrogatepass"))
    else:
        write(items, put, depth)


# --- polars -----------------------------------------------------------------------------------------


def _write_polars_frame(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write(("polars", value.shape), put, depth)
    for series in value.get_columns():
        _write_polars_series(write, series, put, depth)


def _write_polars_series(write: _Write, value: Any, put: _Put, depth: int) -> None:
    write((value.name, repr(value.dtype), len(value)), put, depth)
    if value.dtype.is_numeric() and not value.null_count() and not value.dtype.is_decimal():
        _write_array(write, value.to_numpy(), put, depth)
    else:
        _write_items(write, value.to_list(), put, depth)


_WRITERS = {
    ("numpy", "ndarray"): _write_array,
    ("numpy", "MaskedArray"): _write_masked,
    ("numpy", "generic"): _write_scalar,
    ("numpy", "dtype"): _write_dtype,
    ("pandas", "DataFrame"): _write_frame,
    ("pandas", "Series"): _write_series,
    ("pandas", "Index"): _write_index,
    ("pandas", "ExtensionDtype"): _write_dtype,
    **dict.fromkeys(
        [("pandas", name) for name in ("Timestamp", "Timedelta", "Period", "Interval")]
        + [("pandas", "NaTType"), ("pandas", "NAType")],
        _write_one,
    ),
    ("polars", "DataFrame"): _write_polars_frame,
    ("polars", "Series"): _write_polars_series,
}
