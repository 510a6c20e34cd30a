"""What the engine and the in-memory bus stand on: nothing here knows of tasks, runs or topics.

* `bounded_queue`: a queue with a limit and an overflow policy
* `eager_task`: a task that begins without a turn of the loop (`current_task`: whose turn it is)
* `fairness`: time slices for runs that never wait
* `clock`: the time of a loop, real or simulated
* `futures`: waiters that somebody else may have settled
* `thread_call`: a function in a worker thread, and what becomes of it when nobody waits any more
"""
