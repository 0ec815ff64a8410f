"""Films that Google keeps: fetched with the key at its own address, and without one anywhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from betterai.core.codec import VideoCall
from betterai.core.wire import WireRequest
from betterai.wire.films import FilmSteps, fetch_film


def build_fetch(codec: FilmSteps[Any], call: VideoCall, uri: str) -> WireRequest:
    """The film at a link. A file is asked for its content (recorded 2026: `/v1beta/files/…:download?alt=media`)."""
    there, here = urlsplit(uri), urlsplit(call.provider_settings.get("base_url", ""))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return fetch_film(uri)
    path = there.path
    if "/files/" in path and not path.endswith(":download"):
        path += ":download"
    url = there._replace(path=path, query="").geturl()
    return codec.ask(call, url, method="GET", query={"alt": "media"}, reply="file")
