"""What a reply is read from, whichever client it comes through."""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Protocol


class Incoming(Protocol):
    """A reply whose head stands. `length` is what its body says to be, as it is sent; `size` how much of it was handed
    over; `connect` how many seconds the connection took, 0 for one of the pool, None where it is not known. `done`
    says that there is nothing left to be closed.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def length(self) -> int | None: ...
    @property
    def size(self) -> int: ...
    @property
    def connect(self) -> float | None: ...
    @property
    def done(self) -> bool: ...

    async def next_piece(self) -> bytes:
        """What has come of the body; b"" at its end. Raises what broke the connection, behind what came before."""
        ...

    def take_whole(self) -> bytes | None:
        """The whole body, if it is here."""
        ...

    def abort(self) -> None:
        """Close the socket at once."""
        ...

    def fail(self, error: BaseException) -> None:
        """Have whoever reads raise this, and close the socket. What came whole is left as it is."""
        ...

    def end_here(self) -> None:
        """Take what has come for the whole body, and close the socket."""
        ...

    def leave(self, timer: TimerHandle) -> None:
        """Nobody reads any more, but until `timer` ends it the end may still come, and keep the connection."""
        ...
