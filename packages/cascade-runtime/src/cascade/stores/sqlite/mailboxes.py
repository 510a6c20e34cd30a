"""Mailboxes, what they listen to, and letters on their way there; all inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain

from cascade.interfaces.store import Letter
from cascade.interfaces.topics import has_wildcard
from cascade.stores.wild_filters import WildFilters

__all__ = ["Mailboxes", "change_each"]

_TO_NAME = """
    INSERT INTO signals SELECT id, ?, ?, ?, ? FROM agents
    WHERE name = ? AND ended_at IS NULL
    ON CONFLICT DO NOTHING
"""
_TO_AGENT = "INSERT INTO signals VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_WAKE = """
    UPDATE agents SET free_since = ?, wake_at = NULL
    WHERE name = ? AND status = 'ready' AND owner IS NULL AND free_since IS NULL
"""
_ALIVE = "SELECT 1 FROM agents WHERE name = ? AND ended_at IS NULL"
_DEAD = """
    INSERT INTO dead_letters (name, at, topic, payload, id) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_LISTENING = """
    SELECT agent, name FROM filters JOIN agents ON agents.id = agent WHERE filter = ?
"""
_WILD = "SELECT DISTINCT filter FROM filters WHERE wild"
_READ_COUNTERS = "SELECT number, wild_version, slept FROM counters"
_WRITE_COUNTERS = "UPDATE counters SET number = ?, wild_version = ?, slept = ?"
_WAITING = "SELECT topic, payload, id FROM dead_letters WHERE name = ? ORDER BY number"
_UNREAD = "SELECT topic, payload, id FROM signals WHERE agent = ? ORDER BY number"


def change_each(
    connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]
) -> bool:
    """Do a statement that changes one row for each of these; if one changes none, undo all of them."""
    if len(rows) == 1:
        return connection.execute(statement, rows[0]).rowcount == 1
    connection.execute("SAVEPOINT each")
    changed = connection.executemany(statement, rows).rowcount == len(rows)
    if not changed:
        connection.execute("ROLLBACK TO each")
    connection.execute("RELEASE each")
    return changed


class Mailboxes:
    """What one transaction does with mailboxes; `finish` it before the commit."""

    def __init__(self, connection: sqlite3.Connection, wild: WildFilters) -> None:
        """Begin; nothing is read before it is needed."""
        self._connection = connection
        self._wild = wild
        self._number = self.first = -1
        """The number of the last signal of all, and what it was at first; -1 as long as it was not read."""

        self._slept = 0

    def finish(self) -> int:
        """Write the counters back; return the number of the last signal, or -1 where it was not read."""
        if self._number >= 0:
            self._connection.execute(
                _WRITE_COUNTERS, (self._number, self._wild.version, self._slept)
            )
        return self._number

    def _read_counters(self) -> None:
        if self._number < 0:
            self._number, version, self._slept = self._connection.execute(_READ_COUNTERS).fetchone()
            self.first = self._number
            if not self._wild.is_current(version):
                found = self._connection.execute(_WILD).fetchall()
                self._wild.replace(version, [name for (name,) in found])

    def note_sleeper(self) -> None:
        """Have letters wake agents from now on."""
        self._read_counters()
        self._slept = 1

    def _wake(self, names: Iterable[str | None], at: float) -> None:
        """Have agents that sleep taken up."""
        if self._slept:
            self._connection.executemany(_WAKE, [(at, name) for name in names])

    def post(self, letters: Iterable[Letter], at: float) -> set[str]:
        """Put letters where they belong; return the names of the agents that got one."""
        reached: set[str] = set()
        for letter in letters:
            self._read_counters()
            if letter.to is None:
                self._post_by_topic(letter, reached)
            else:
                self._post_by_name(letter, letter.to, at, reached)
        self._wake(reached, at)
        return reached

    def post_all(self, posts: Sequence[tuple[Sequence[Letter], float]]) -> list[set[str]]:
        """Post several times, as if one after the other; if all letters are to names, with one statement."""
        names = [letter.to for letters, _ in posts for letter in letters]
        if not names or None in names:
            return [self.post(letters, at) for letters, at in posts]
        self._read_counters()
        letters = chain.from_iterable(letters for letters, _ in posts)
        rows = [
            (number, letter.topic, bytearray(letter.payload), letter.id, letter.to)
            for number, letter in enumerate(letters, self._number + 1)
        ]
        self._number += len(rows)
        if change_each(self._connection, _TO_NAME, rows):
            self._wake(names, max(at for _, at in posts))
            return [{letter.to for letter in letters if letter.to} for letters, _ in posts]
        return [self.post(letters, at) for letters, at in posts]

    def _post_by_name(self, letter: Letter, name: str, at: float, reached: set[str]) -> None:
        self._number += 1
        topic, payload = letter.topic, letter.payload
        values = (self._number, topic, payload, letter.id, name)
        if self._connection.execute(_TO_NAME, values).rowcount:
            reached.add(name)
        elif self._connection.execute(_ALIVE, (name,)).fetchone() is None:
            self._connection.execute(_DEAD, (name, at, topic, payload, letter.id))

    def _post_by_topic(self, letter: Letter, reached: set[str]) -> None:
        listening: dict[int, str] = {}
        for name in (letter.topic, *self._wild.match(letter.topic)):
            listening.update(self._connection.execute(_LISTENING, (name,)))
        for agent, name in listening.items():
            if self._put(agent, letter.topic, letter.payload, letter.id):
                reached.add(name)

    def _put(self, agent: int, topic: str, payload: bytes, letter_id: str | None) -> bool:
        self._read_counters()
        self._number += 1
        values = (agent, self._number, topic, payload, letter_id)
        return bool(self._connection.execute(_TO_AGENT, values).rowcount)

    def hand_dead_letters(self, agent: int, name: str) -> None:
        """Give an agent the letters that wait for its name."""
        waiting = self._connection.execute(_WAITING, (name,)).fetchall()
        for topic, payload, letter_id in waiting:
            self._put(agent, topic, payload, letter_id)
        if waiting:
            self._connection.execute("DELETE FROM dead_letters WHERE name = ?", (name,))

    def copy(self, agent: int, copy: int) -> None:
        """Put what one agent has not read into the mailbox of another one as well."""
        for topic, payload, letter_id in self._connection.execute(_UNREAD, (agent,)).fetchall():
            self._put(copy, topic, payload, letter_id)

    def listen(self, agent: int, before: Iterable[str], after: Iterable[str]) -> None:
        """Have a mailbox listen to other filters than before."""
        old, new = set(before), set(after)
        self._connection.executemany(
            "DELETE FROM filters WHERE filter = ? AND agent = ?",
            [(name, agent) for name in old - new],
        )
        self._wild.removed += sum(map(has_wildcard, old - new))
        added = [(name, agent, has_wildcard(name)) for name in new - old]
        wild = [name for name, _, is_wild in added if is_wild]
        if wild:
            self._read_counters()  # first, so that what is new here is not taken for known
        self._connection.executemany("INSERT INTO filters VALUES (?, ?, ?)", added)
        for name in wild:
            self._wild.add(name)
