"""Values in files named by their content, in a folder or behind a URL.

* `cache`: `FileCache`, the door, with a thread of its own for what blocks
* `forms`: how a value is written: JSON, npy, parquet, by its type
* `folder`: a local folder, whose `index` is an SQLite file; `locks`: one process at a time computes a value
* `remote`: the same over fsspec, with entries as files beside the values
* `eviction`: which entries go
"""

from cascade.caches.files.cache import FileCache

__all__ = ["FileCache"]
