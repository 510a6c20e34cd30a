"""Simulated time: an event loop whose time jumps from timer to timer.

* `runner`: runs a coroutine on one
* `virtual_loop`: the loop (`real_io`: what it refuses, `counted`: its futures and tasks,
  `handles`: its callbacks and timers)
* `faults`: a bus that loses, delays and repeats messages
* `differences`: two runs of one simulation, compared
* `pacing`: holds it back to a multiple of real time, for somebody who watches
* `trace_hash`: a hash of every message and result, the proof that two runs went the same way
  (`canonical`: values as text for it)
* `deadlock_report`: who waits for what where nothing can happen any more
"""
