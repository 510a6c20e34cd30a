"""How a value is written, by its type: each form says what it takes, and proves that it comes back.

json             plain data and what the task's annotation says, by the codec
bytes            bytes, as they are
npy              an array of numpy; scalar.npy: one of its numbers
parquet          a table of pandas (with pyarrow); polars.parquet: one of polars
pickle           anything else, and only where that was asked for
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple

from cascade.interfaces.errors import DecodeError, EncodeError
from cascade.spec.codec.values import decode_value, encode_value
from cascade.spec.content import NoContentError, digest_of

__all__ = ["read_form", "write_form"]


class _Form(NamedTuple):
    """How values of a type are written and read."""

    write: Callable[[Any], bytes | memoryview]
    read: Callable[[bytes], Any]


def _write_array(value: Any) -> memoryview:
    file = BytesIO()
    import_module("numpy").save(file, value, allow_pickle=False)
    return file.getbuffer()


def _read_array(data: bytes) -> Any:
    return import_module("numpy").load(BytesIO(data), allow_pickle=False)


def _write_pandas(value: Any) -> memoryview:
    file = BytesIO()
    value.to_parquet(file)
    return file.getbuffer()


def _read_pandas(data: bytes) -> Any:
    return import_module("pandas").read_parquet(BytesIO(data))


def _write_polars(value: Any) -> memoryview:
    file = BytesIO()
    value.write_parquet(file)
    return file.getbuffer()


def _read_polars(data: bytes) -> Any:
    return import_module("polars").read_parquet(BytesIO(data))


_FORMS = {
    "bytes": _Form(bytes, bytes),
    "npy": _Form(_write_array, _read_array),
    "scalar.npy": _Form(_write_array, lambda data: _read_array(data)[()]),
    "parquet": _Form(_write_pandas, _read_pandas),
    "polars.parquet": _Form(_write_polars, _read_polars),
    "pickle": _Form(pickle.dumps, pickle.loads),
}


def write_form(value: Any, kind: Any, *, may_pickle: bool) -> tuple[str, bytes | memoryview]:
    """Return the name of the form that a value is written in, and what is written.

    Raises:
        EncodeError: none of the forms would give it back equal.
    """
    form = _form_of(value)
    try:
        return (form, _proved(form, value)) if form else ("json", encode_value(value, kind))
    except EncodeError as error:
        if may_pickle:
            return "pickle", _written("pickle", value)
        advice = f"{error.reason}; or keep it as a pickle: FileCache(…, pickle=True)"
        raise EncodeError(error.path, advice) from error


def read_form(form: str, data: bytes, kind: Any) -> Any:
    """Return a value; of a pickle, too, so whoever calls has to trust that.

    Raises:
        DecodeError: the data is none in this form.
    """
    if form == "json":
        return decode_value(data, kind)
    if form not in _FORMS:
        raise DecodeError("the value", f"nobody knows its form, {form!r}")
    try:
        return _FORMS[form].read(data)
    except Exception as error:
        raise DecodeError("the value", f"{type(error).__name__}: {error}") from error


def _form_of(value: Any) -> str:
    """Return the form that a type has to itself, or nothing."""
    kind = type(value)
    if kind is bytes:
        return "bytes"
    for library, name, form in (
        ("numpy", "ndarray", "npy"),
        ("numpy", "generic", "scalar.npy"),
        ("pandas", "DataFrame", "parquet"),
        ("polars", "DataFrame", "polars.parquet"),
    ):
        base = getattr(sys.modules.get(library), name, None)
        if base is not None and (kind is base or (name == "generic" and issubclass(kind, base))):
            return form
    return ""


def _proved(form: str, value: Any) -> bytes | memoryview:
    """Write a value; where a form may lose something, once it is sure that reading gives an equal one."""
    data = _written(form, value)
    if "parquet" not in form:
        return data
    try:
        same = digest_of(_FORMS[form].read(bytes(data))) == digest_of(value)
    except NoContentError as error:
        raise EncodeError("the value", str(error)) from error
    if not same:
        raise EncodeError("the value", f"{form} would not give it back equal")
    return data


def _written(form: str, value: Any) -> bytes | memoryview:
    try:
        return _FORMS[form].write(value)
    except Exception as error:
        raise EncodeError("the value", f"{form}: {type(error).__name__}: {error}") from error
