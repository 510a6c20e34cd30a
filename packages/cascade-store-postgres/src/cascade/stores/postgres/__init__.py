"""Durable agents in PostgreSQL, for engines on several machines.

* `store`: `PostgresStore`, the door
* `group_commit`: what gathers while the last commit runs becomes one transaction; `connection`: where it runs
* `transaction`, `checkpoints`, `agents`, `claims`, `mailboxes`: what is done inside one
* `schema`: the tables and their versions; `rows`: agents as they lie in them
"""

from cascade.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
