"""Which sound of an answer was heard: what was given to the caller, against what the caller says was played."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Heard(NamedTuple):
    """How much of an item's sound was heard, of how much that was given, in milliseconds."""

    item_id: str
    content_index: int
    milliseconds: int
    given: int


class Stretch(NamedTuple):
    """The sound of one item among all that was given."""

    item_id: str
    content_index: int
    start: float
    end: float


class Playback:
    """Sound is played in the order in which it was given; what is thrown away is never played. Where the caller says
    nothing of playing, all that was given counts as heard.
    """

    def __init__(self) -> None:
        self.told = False
        self._stretches: deque[Stretch] = deque()
        self._given = self._at = 0.0

    def give(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of an item's sound went to the caller."""
        start = self._given
        self._given += milliseconds
        if self._stretches and self._stretches[-1][:2] == (item_id, content_index):
            start = self._stretches.pop().start
        else:
            while len(self._stretches) > 1 and self._stretches[0].end <= self._at:
                self._stretches.popleft()
            if not self.told and self._stretches:
                self._stretches.popleft()
        self._stretches.append(Stretch(item_id, content_index, start, self._given))

    def play(self, milliseconds: float) -> None:
        """The caller played so much more; more than was given cannot have been."""
        self.told = True
        self._at = min(self._at + milliseconds, self._given)

    @property
    def unheard(self) -> bool:
        """Whether something that was given is still to be played, as far as is known."""
        return self.told and self._at < self._given

    def cut(self, item_id: str = "") -> Heard | None:
        """The rest is thrown away. What was heard of the item that is played now, or last; or of another by its id."""
        at = self._at if self.told else self._given
        self._at = self._given
        found = [stretch for stretch in self._stretches if stretch.item_id == item_id or not item_id]
        now = next((stretch for stretch in found if stretch.end > at), found[-1] if found else None)
        self._stretches.clear()
        if now is None:
            return None
        heard = min(max(at - now.start, 0.0), now.end - now.start)
        return Heard(now.item_id, now.content_index, int(heard), int(now.end - now.start))
