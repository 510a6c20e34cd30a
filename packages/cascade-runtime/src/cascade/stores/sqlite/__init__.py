"""Durable agents in one SQLite file, with the standard library alone.

* `store`: `SqliteStore`, the door
* `work_thread`: a thread of its own for what blocks; `writer`: group commit on it; `reader`: what only reads
* `agents`, `checkpoints`, `claims`, `mailboxes`: what is done inside a transaction
* `traffic`: whether other processes have written letters
* `schema`: connections, versions and migrations; `place`: where a file may lie
"""

from cascade.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
