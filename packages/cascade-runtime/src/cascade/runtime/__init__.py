"""The engine and everything it takes to run a graph.

From the top down: `engine` owns what runs share, `run` carries one target from step to step, `step`
runs the graph of one step (planned by `graph`), `perform` runs one task with its policies, using
`gate`, `scopes` and `executors`. `events`, `mailbox`, `turns` and `clock` serve the run;
`eager_task` and `bounded_queue` are the ground, which the in-memory connector stands on too.
Imports go in that direction only, and never to `cascade.connectors` or the SDK.
"""

from cascade.runtime.engine import Engine

__all__ = ["Engine"]
