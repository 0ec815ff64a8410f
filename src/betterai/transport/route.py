"""Where a request goes, signed, and who carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yarl import URL

from betterai.core.data import Data
from betterai.transport.auth import Completion

if TYPE_CHECKING:
    import aiohttp


class Route(Data, frozen=True, kw_only=True):
    """Where a request goes. `private` says that it may reach private addresses, `judged` that its host is judged by
    name because a proxy hides the address. `session` is the user's own; `complete` is awaited before it is signed.
    """

    url: URL
    headers: dict[str, str]
    private: bool = False
    proxy: str | None = None
    judged: bool = False
    session: aiohttp.ClientSession | None = None
    complete: Completion | None = None

    @property
    def direct(self) -> bool:
        """Whether our own client may carry it."""
        return self.session is None and self.proxy is None
