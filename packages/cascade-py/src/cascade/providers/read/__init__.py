"""``cs.read``: what lies in a file, behind a URL, or comes over standard input (``-``).

* `cascade.providers.read.plain`: what Python itself reads
* `cascade.providers.read.yaml`, `cascade.providers.read.parquet`: what takes a library of the extra ``read``
"""

from typing import TYPE_CHECKING

from cascade.providers.read.plain import bytes, csv, json, text, toml  # noqa: A004 - cs.read.bytes

if TYPE_CHECKING:  # each is loaded when it is first used
    from cascade.providers.read.parquet import parquet as parquet
    from cascade.providers.read.yaml import yaml as yaml

__all__ = ["bytes", "csv", "json", "text", "toml"]
