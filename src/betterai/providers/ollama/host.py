"""Where Ollama is, as its own programs read OLLAMA_HOST (envconfig/config.go, ollama/ollama @fb30760)."""

from __future__ import annotations

import re

_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""A server may listen everywhere; a client must say where it is."""
_CLOUD = "ollama.com"


def read_base_url(written: str) -> str:
    """The base URL for "host", "host:port", ":port", "http://host:port/path"; the `/v1` or `/api` of one protocol is
    left out, as paths begin with it.
    """
    scheme, _, rest = written.strip(" \"'\t\r\n").rpartition("://")
    place, _, path = rest.partition("/")
    if place.count(":") > 1 and not re.search(r"[@\[]", place):
        place = f"[{place}]"
    host, port = re.fullmatch(r"(?s)(.*?)(:\d*)?", place).groups()  # type: ignore[union-attr]
    if not scheme:
        scheme, port = ("https", port) if host == _CLOUD else ("http", port or ":11434")
    path = re.sub(r"(^|/)(v1|api)$", "", path.strip("/"))
    return "/".join(filter(None, (f"{scheme}://{_ANYWHERE.get(host, host)}{port or ''}", path)))
