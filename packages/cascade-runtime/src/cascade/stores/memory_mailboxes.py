"""The mailboxes of a `MemoryStore`, what they listen to, and dead letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from cascade.interfaces.store import Letter, StoredSignal
from cascade.interfaces.topics import FilterTrie

__all__ = ["Mailboxes"]


@dataclass(slots=True)
class _Mailbox:
    signals: dict[int, StoredSignal] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    filters: frozenset[str] = frozenset()
    takes_letters: bool = True


class Mailboxes:
    """All mailboxes of a store, by the names of their agents.

    Attributes:
        number: that of the last signal of all.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.number = 0
        self._boxes: dict[str, _Mailbox] = {}
        self._dead: defaultdict[str, list[tuple[float, Letter]]] = defaultdict(list)
        self._listening: FilterTrie[str] = FilterTrie()

    def open(self, name: str) -> None:
        """Give an agent a mailbox that listens to nothing yet."""
        self._boxes[name] = _Mailbox()

    def close(self, name: str) -> None:
        """Remove a mailbox, with all that lies in it."""
        self.listen(name, (), takes_letters=False)
        del self._boxes[name]

    def listen(self, name: str, filters: Collection[str], *, takes_letters: bool) -> None:
        """Say what a mailbox listens to from now on, and whether it takes letters at all."""
        box = self._boxes[name]
        before, after = box.filters, frozenset(filters if takes_letters else ())
        for each in before - after:
            self._listening.remove(each, name)
        for each in after - before:
            self._listening.add(each, name)
        box.filters, box.takes_letters = after, takes_letters

    def signals(self, name: str, after: int = 0) -> list[StoredSignal]:
        """Return what lies in a mailbox with a number above ``after``, in order."""
        box = self._boxes.get(name, _Mailbox())
        return [signal for number, signal in box.signals.items() if number > after]

    def take_out(self, name: str, numbers: Iterable[int]) -> None:
        """Remove signals, those that are there."""
        box = self._boxes[name]
        for number in numbers:
            signal = box.signals.pop(number, None)
            if signal is not None and signal.id is not None:
                box.ids.remove(signal.id)

    def post(self, letters: Iterable[Letter], at: float) -> set[str]:
        """Put letters where they belong; return the names of the agents that got one."""
        reached: set[str] = set()
        for letter in letters:
            if letter.to is None:
                names = set(self._listening.match(letter.topic))
                reached.update(name for name in names if self.receive(name, letter))
            elif letter.to in self._boxes and self._boxes[letter.to].takes_letters:
                reached.update([letter.to] if self.receive(letter.to, letter) else [])
            elif letter.id is None or all(d.id != letter.id for _, d in self._dead[letter.to]):
                self._dead[letter.to].append((at, letter))
        return reached

    def receive(self, name: str, letter: Letter) -> bool:
        """Put a letter into a mailbox; return whether none of its id was there."""
        box = self._boxes[name]
        if letter.id is not None:
            if letter.id in box.ids:
                return False
            box.ids.add(letter.id)
        self.number += 1
        signal = StoredSignal(self.number, letter.topic, letter.payload, letter.id)
        box.signals[self.number] = signal
        return True

    def hand_dead_letters(self, name: str) -> None:
        """Give an agent the letters that wait for its name."""
        for _, letter in self._dead.pop(name, []):
            self.receive(name, letter)

    def sweep(self, before: float) -> int:
        """Remove the dead letters that came before a time; return how many."""
        removed = 0
        for name, waiting in [*self._dead.items()]:
            kept = [(at, letter) for at, letter in waiting if at >= before]
            removed += len(waiting) - len(kept)
            self._dead[name] = kept
            if not kept:
                del self._dead[name]
        return removed
