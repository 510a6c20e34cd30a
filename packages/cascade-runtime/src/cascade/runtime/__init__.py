"""The engine and everything it takes to evaluate a target.

From top to bottom; imports go down this list only, and never to the SDK:

* `engine`: begins runs, opens and closes what they share
* `evaluation`: from a call to its value
* `simulation`: event loops on simulated time
* `state`: a run, and the services of its engine
* `admission` and `observation`: what tasks pass before they start; events and telemetry
* `signals` and `resources`: mailboxes; open resources
* `concurrency`: queues, eager tasks, fairness, clocks; the in-memory bus stands on this alone

`events` is where users import the engine's events from.
"""

from cascade.runtime.engine import Engine

__all__ = ["Engine"]
