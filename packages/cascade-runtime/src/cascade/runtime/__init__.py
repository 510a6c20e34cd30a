"""The engine and everything it takes to run a graph.

From the top down: `engine` connects and begins runs, `execution` carries one target from step to
step, `step` runs the graph of a step that branches (planned by `graph`), `perform` runs one task
with its policies, `run` is the state of one run, `equipment` what all runs of an engine share (with
`gate`, which reads `orders`, `events`, `turns` and `executors`). `scopes`, `mailbox` and `clock`
serve the run; `eager_task` and `bounded_queue` are the ground, which the in-memory connector stands
on too.
Imports go in that direction only, and never to `cascade.connectors` or the SDK.
"""

from cascade.runtime.engine import Engine

__all__ = ["Engine"]
