"""Values of durable agents that are too large for a row: they lie in files, and the row says where.

* `values`: which values these are, and how they go to files and come back
* `files`: a folder of files, or what lies behind a URL
"""

from cascade.stores.large.values import LargeValues

__all__ = ["LargeValues"]
