"""Mailboxes, what they listen to, and letters on their way there; all inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from psycopg import AsyncConnection

from cascade.interfaces.store import Letter
from cascade.interfaces.topics import has_wildcard
from cascade.stores.wild_filters import WildFilters

__all__ = ["Mailboxes"]

# Whatever waits for this row sees what the one before has committed.
_LOCK = "SELECT number, wild_version, slept FROM counters FOR UPDATE"
_WRITE_COUNTERS = "UPDATE counters SET number = %s, wild_version = %s, slept = %s"
_TELL = "SELECT pg_notify('cascade_' || current_schema(), %s)"
_WILD = "SELECT DISTINCT filter FROM filters WHERE wild"
_LISTENING = """
    SELECT DISTINCT place, name FROM unnest(%s::bigint[], %s::text[]) AS asked (place, topic_filter)
    JOIN filters ON filter = topic_filter JOIN agents ON agents.id = agent
    ORDER BY place, name
"""
_INSERT = """
    INSERT INTO signals SELECT agents.id, sent.number, topic, payload, sent.id
    FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bytea[], %s::text[])
        AS sent (name, number, topic, payload, id)
    JOIN agents ON agents.name = sent.name WHERE ended_at IS NULL
    ORDER BY sent.number
    ON CONFLICT DO NOTHING RETURNING number
"""
_WAKE = """
    UPDATE agents SET free_since = %s, wake_at = NULL
    WHERE name = ANY(%s) AND status = 'ready' AND owner IS NULL AND free_since IS NULL
"""
_ALIVE = "SELECT name FROM agents WHERE name = ANY(%s) AND ended_at IS NULL"
_DEAD = """
    INSERT INTO dead_letters (name, at, number, topic, payload, id)
    SELECT * FROM unnest(%s::text[], %s::float8[], %s::bigint[], %s::text[], %s::bytea[], %s::text[])
    ON CONFLICT DO NOTHING
"""
_TAKE_DEAD = "DELETE FROM dead_letters WHERE name = %s RETURNING number, topic, payload, id"
_UNREAD = "SELECT topic, payload, id FROM signals WHERE agent = %s ORDER BY number"
_HEAR = """
    INSERT INTO filters SELECT topic_filter, %s, wild
    FROM unnest(%s::text[], %s::boolean[]) AS new (topic_filter, wild)
"""


class _Sent(NamedTuple):
    """A letter on its way to one mailbox."""

    post: int
    name: str
    number: int
    letter: Letter
    at: float


class Mailboxes:
    """What one transaction does with mailboxes: `lock` them first, and `finish` before the commit."""

    def __init__(self, connection: AsyncConnection, wild: WildFilters) -> None:
        """Begin without a lock."""
        self._connection = connection
        self._wild = wild
        self._before: tuple[int, int, bool] | None = None
        """The counters as they were; None without a lock."""

        self._number = -1
        self._slept = False

    async def lock(self) -> None:
        """Have no other transaction write into mailboxes until the end of this one."""
        cursor = await self._connection.execute(_LOCK)
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - the table has one row
        self._before = self._number, version, self._slept = row
        if not self._wild.is_current(version):
            cursor = await self._connection.execute(_WILD)
            self._wild.replace(version, [name for (name,) in await cursor.fetchall()])

    async def finish(self, writer: str) -> None:
        """Write the counters back, if they have changed, and tell other stores who has put letters here."""
        counters = self._number, self._wild.version, self._slept
        if self._before in (None, counters):
            return
        await self._connection.execute(_WRITE_COUNTERS, counters)
        if self._number != self._before[0]:
            await self._connection.execute(_TELL, (writer,))

    def note_sleeper(self) -> None:
        """Have letters wake agents from now on."""
        self._slept = True

    async def post(self, posts: Sequence[tuple[Sequence[Letter], float]]) -> list[set[str]]:
        """Put letters where they belong; return for each of the posts the names that got one of it."""
        reached: list[set[str]] = [set() for _ in posts]
        sent = await self._addressed(posts)
        if not sent:
            return reached
        columns = (
            [each.name for each in sent],
            [each.number for each in sent],
            [each.letter.topic for each in sent],
            [each.letter.payload for each in sent],
            [each.letter.id for each in sent],
        )
        cursor = await self._connection.execute(_INSERT, columns)
        came = {number for (number,) in await cursor.fetchall()}
        for each in sent:
            if each.number in came:
                reached[each.post].add(each.name)
        if len(came) < len(sent):
            await self._keep_dead([each for each in sent if each.number not in came])
        if self._slept and came:
            names = [each.name for each in sent if each.number in came]
            await self._connection.execute(_WAKE, (max(at for _, at in posts), names))
        return reached

    async def _addressed(self, posts: Sequence[tuple[Sequence[Letter], float]]) -> list[_Sent]:
        """Return who gets which letter, with numbers in the order they were sent."""
        flat = [
            (post, letter, at) for post, (letters, at) in enumerate(posts) for letter in letters
        ]
        listening = await self._listening([letter for _, letter, _ in flat])
        sent = []
        for place, (post, letter, at) in enumerate(flat):
            for name in listening.get(place, ()) if letter.to is None else (letter.to,):
                self._number += 1
                sent.append(_Sent(post, name, self._number, letter, at))
        return sent

    async def _listening(self, letters: Sequence[Letter]) -> dict[int, list[str]]:
        """Return the names of those that hear letters to topics, by the places of these."""
        asked = [
            (place, name)
            for place, letter in enumerate(letters)
            if letter.to is None
            for name in (letter.topic, *self._wild.match(letter.topic))
        ]
        listening: dict[int, list[str]] = {}
        if asked:
            columns = [place for place, _ in asked], [name for _, name in asked]
            cursor = await self._connection.execute(_LISTENING, columns)
            for place, name in await cursor.fetchall():
                listening.setdefault(place, []).append(name)
        return listening

    async def _keep_dead(self, sent: Sequence[_Sent]) -> None:
        """Keep those letters to names that nobody is there for; the others were there already."""
        cursor = await self._connection.execute(_ALIVE, ([each.name for each in sent],))
        alive = {name for (name,) in await cursor.fetchall()}
        dead = [each for each in sent if each.name not in alive]
        columns = (
            [each.name for each in dead],
            [each.at for each in dead],
            [each.number for each in dead],
            [each.letter.topic for each in dead],
            [each.letter.payload for each in dead],
            [each.letter.id for each in dead],
        )
        await self._connection.execute(_DEAD, columns)

    async def hand_dead_letters(self, name: str) -> None:
        """Give an agent the letters that wait for its name."""
        cursor = await self._connection.execute(_TAKE_DEAD, (name,))
        waiting = sorted(await cursor.fetchall(), key=lambda row: int(row[0]))
        await self._put(name, [row[1:] for row in waiting])

    async def copy(self, agent: int, name: str) -> None:
        """Put what one agent has not read into the mailbox of another one as well."""
        cursor = await self._connection.execute(_UNREAD, (agent,))
        await self._put(name, await cursor.fetchall())

    async def _put(self, name: str, rows: Sequence[tuple[str, bytes, str | None]]) -> None:
        letters = [Letter(topic, payload, name, letter_id) for topic, payload, letter_id in rows]
        await self.post([(letters, 0.0)])

    async def listen(self, agent: int, before: Iterable[str], after: Iterable[str]) -> None:
        """Have a mailbox listen to other filters than before."""
        old, new = set(before), set(after)
        if gone := [*old - new]:
            await self._connection.execute(
                "DELETE FROM filters WHERE filter = ANY(%s) AND agent = %s", (gone, agent)
            )
            self._wild.removed += sum(map(has_wildcard, gone))
        if added := [*new - old]:
            wild = [*map(has_wildcard, added)]
            await self._connection.execute(_HEAR, (agent, added, wild))
            for name in filter(has_wildcard, added):
                self._wild.add(name)
