"""Tasks on other machines: ``remote`` functions on the workers of a Dask cluster.

* `executor`: `DaskExecutor`, the door; `address`: where the scheduler is
* `session`: the connection, in a thread of its own; `traffic`: what goes over it and comes back
* `sending`: calls that go together; `parts`: big arguments, which go once; `kept`: values that stay there
* `calls`: calls on their way; `packing`: how they are written
* `worker`: what runs on a worker; `telling`: what it logs; `workers`: what the cluster has
"""

from cascade.executors.dask.executor import DaskExecutor, executor_from
from cascade.executors.dask.kept import Kept, fetch

__all__ = ["DaskExecutor", "Kept", "executor_from", "fetch"]
