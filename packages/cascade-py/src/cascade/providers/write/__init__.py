"""``cs.write``: into a file or behind a URL, all of it or nothing, or to standard output (``-``).

* `cascade.providers.write.plain`: what Python itself writes
* `cascade.providers.write.yaml`, ``toml`` and ``parquet``: what takes a library of the extra ``write``
"""

from typing import TYPE_CHECKING

from cascade.providers.write.plain import bytes, csv, json, text  # noqa: A004 - cs.write.bytes

if TYPE_CHECKING:  # each is loaded when it is first used
    from cascade.providers.write.parquet import parquet as parquet
    from cascade.providers.write.toml import toml as toml
    from cascade.providers.write.yaml import yaml as yaml

__all__ = ["bytes", "csv", "json", "text"]
