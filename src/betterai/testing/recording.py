"""Calls recorded where requests leave for the network, and given back from there: `record`, `replay`."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import msgspec

from betterai import __version__
from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.runtime.stand_in import stand_in
from betterai.testing.exchange import PARTS, Values, list_differences, read_reply, write_exchange, write_response
from betterai.testing.scrub import Scrubber

if TYPE_CHECKING:
    from typing import TypedDict

    class Options(TypedDict, total=False):
        """Keywords of `record` and `replay`: see `Recording`."""

        match_on: Iterable[str]
        ignore: Iterable[str]
        secrets: Iterable[str]
        headers: Iterable[str]
        scrub: Callable[[dict[str, Any]], dict[str, Any]] | None
        require_all: bool


Mode = Literal["none", "once", "new", "all"]
MODES: tuple[Mode, ...] = ("none", "once", "new", "all")
_OURS = re.compile(r"\d{3,}-.*\.json")


class RecordingError(BetterAIError):
    """A recording cannot be used as it is."""


class RecordingMissing(RecordingError):
    """A request for which nothing was recorded. `nearest` is the file that comes nearest, `differences` says how."""

    def __init__(
        self, message: str = "", *, nearest: str = "", differences: Iterable[str] = (), **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.nearest = nearest
        self.differences = tuple(differences)


class RecordingUnused(RecordingError):
    """Recordings that no request asked for, where all were to be used."""


class Recording:
    """Recorded exchanges in a folder, a file each, in the order in which they were made.

    `mode` none: only what is recorded; once: record where the folder has nothing yet, else as none; new: also record
    what is missing; all: record everything anew. Requests are the same when `match_on` (some of method, host, path,
    query, body) are, without the fields and parameters named in `ignore`, at any depth. Each exchange is given once.

    Secrets of the provider are taken out by themselves. `secrets` are further ones; `headers` names headers to keep
    beside the usual ones; `scrub` is given each exchange last, and returns what is written. With `require_all`,
    exchanges that no request asked for raise `RecordingUnused` at the end.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Mode = "none",
        *,
        match_on: Iterable[str] = PARTS,
        ignore: Iterable[str] = (),
        secrets: Iterable[str] = (),
        headers: Iterable[str] = (),
        scrub: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        require_all: bool = False,
    ) -> None:
        if mode not in MODES:
            raise ValidationError(f"there is no mode {mode!r}", hint=f"there are {', '.join(MODES)}")
        self.match_on, self.ignore = tuple(match_on), frozenset(ignore)
        if strays := [part for part in self.match_on if part not in PARTS]:
            raise ValidationError(f"requests have no {strays[0]!r} to match on", hint=f"there are {', '.join(PARTS)}")
        self.path, self.mode, self.headers, self.secrets = Path(path), mode, tuple(headers), tuple(secrets)
        self._scrub, self._require_all = scrub, require_all
        self._lock = threading.Lock()
        self._found = {} if mode == "all" else _load(self.path)
        self._used: set[str] = set()
        self._made: list[dict[str, Any]] = []
        self._missed: RecordingMissing | None = None
        self.records = mode in ("new", "all") or (mode == "once" and not self._found)
        """Whether requests that were not recorded yet are sent, and recorded."""
        if self.records and self.path.is_file():
            raise ValidationError(f"{path} is a file", hint="a recording is made in a folder")

    @property
    def unused(self) -> list[str]:
        """The files that no request has asked for yet."""
        return [name for name in self._found if name not in self._used]

    def find(self, request: Values) -> Values | None:
        """The reply to a request; None where it is to be sent. Raises `RecordingMissing`."""
        near: list[tuple[int, str, list[str]]] = []
        with self._lock:
            for name in self.unused:
                recorded = self._found[name].get("request")
                if not isinstance(recorded, dict):
                    continue
                differences = list_differences(request, recorded, self.match_on, self.ignore)
                if not differences:
                    self._used.add(name)
                    reply: Values = self._found[name]["response"]
                    return reply
                near.append((len(differences), name, differences))
        if self.records:
            return None
        self._missed = self._describe_missing(request, min(near, default=None))
        raise self._missed

    def _describe_missing(self, request: Values, near: tuple[int, str, list[str]] | None) -> RecordingMissing:
        message = f"no recording in {self.path} for {request['method']} {request['url']}"
        name, differences = (near[1], near[2]) if near else ("", [])
        if near:
            message += f"; the nearest, {name}, differs in " + "; ".join(differences[:3])
        elif self._used:
            message += f": all {len(self._used)} have been given already"
        hint = "record it with mode='new' (pytest --betterai-record=new), or look at what the program sends"
        return RecordingMissing(message, nearest=name, differences=differences, hint=hint)

    def keep(
        self,
        provider: str,
        request: dict[str, Any],
        reply: tuple[int, Mapping[str, str], list[bytes]],
        scrubber: Scrubber,
    ) -> None:
        """Record an exchange: it is written at the end."""
        response = write_response(*reply, scrubber, self.headers)
        exchange = write_exchange(provider, request, response, f"betterai {__version__}")
        with self._lock:
            self._made.append(self._scrub(exchange) if self._scrub else exchange)

    def finish(self) -> None:
        """Write what was recorded. Raises `RecordingMissing` again where the program swallowed it."""
        if self._missed is not None:
            raise self._missed
        self._write()
        if self._require_all and not self.records and self.unused:
            raise RecordingUnused(
                f"no request asked for {', '.join(self.unused)} in {self.path}", hint="remove them, or record anew"
            )

    def _write(self) -> None:
        """Whole files only: each is written beside its place, then moved there."""
        if not self._made:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        first = 1 + max((int(name.partition("-")[0]) for name in self._found if _OURS.fullmatch(name)), default=0)
        written = {}
        for number, exchange in enumerate(self._made, first):
            id = f"{number:03}-{exchange['provider'] or 'media'}-{exchange['kind']}"
            written[f"{id}.json"] = msgspec.json.format(msgspec.json.encode({**exchange, "id": id}), indent=1) + b"\n"
        for name, content in written.items():
            self.path.joinpath(f".{name}.part").write_bytes(content)
        for name in written:
            self.path.joinpath(f".{name}.part").replace(self.path / name)
        for file in self.path.glob("*.json"):
            if _OURS.fullmatch(file.name) and file.name not in written and file.name not in self._found:
                file.unlink()


def _load(path: Path) -> dict[str, Values]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path] if path.is_file() else []
    found: dict[str, Values] = {}
    for file in files:
        try:
            found[file.name] = msgspec.json.decode(file.read_bytes(), type=dict)
            read_reply(found[file.name]["response"])
        except (ValueError, TypeError, KeyError) as error:
            raise RecordingError(f"{file} is not a recorded exchange: {error}", hint="record it anew") from error
    return found


@contextmanager
def record(path: str | os.PathLike[str], mode: Mode = "once", **options: Unpack[Options]) -> Iterator[Recording]:
    """Record the calls made inside the block into the folder `path`, and give back what is there already.

    Nothing is written when the block raises. Calls of the whole process are meant, in other threads too.
    """
    from betterai.testing.transport import RecordingTransport

    recording = Recording(path, mode, **options)
    with stand_in(lambda transport, connection: RecordingTransport(transport, connection, recording)):
        yield recording
    recording.finish()


def replay(path: str | os.PathLike[str], **options: Unpack[Options]) -> AbstractContextManager[Recording]:
    """`record` in the mode none: nothing is sent, and a request that was not recorded raises `RecordingMissing`."""
    return record(path, "none", **options)
