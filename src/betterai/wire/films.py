"""What the codecs of films do alike: submit, wait, fetch into files. Never a second submit; pure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from betterai.core.codec import VideoCall
from betterai.core.data import Data
from betterai.core.exceptions import ContentFilterError, JobInDoubt, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import VideoResponse
from betterai.core.usage import Usage
from betterai.core.wire import Checkpoint, Multipart, Wait, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import classify_error, make_stated_error, make_unreadable, read_request_id
from betterai.wire.exchanges import SettingsBody
from betterai.wire.files import need_reply
from betterai.wire.report import Report
from betterai.wire.sizes import aspect_of, resolution_of

T = TypeVar("T")
State = Mapping[str, Any]
Step = WireRequest | Wait | Checkpoint


class Look(Data, frozen=True, kw_only=True):
    """What a look at a job found. `films` is None until they are made; each is the request that fetches it, or the film
    itself. `progress` is from 0 to 1.
    """

    films: tuple[WireRequest | Media, ...] | None = None
    progress: float | None = None
    usage: Usage | None = None
    warnings: tuple[CallWarning, ...] = ()


class FilmSteps(SettingsBody[VideoCall], Generic[T]):
    """A film as a job. `T` is what the vendor's replies decode to.

    The state holds the call's id, the job's id once there is one, and what a price needs: no URL, for links end.
    """

    poll_seconds: ClassVar[float] = 5.0
    """How long to wait between two looks."""

    def run(self, call: VideoCall, state: State | None = None) -> Generator[Step, WireResponse | None, VideoResponse]:
        """The job, from the beginning or from a state."""
        if state is None or "id" not in state:
            begun = state if state is not None else {"call": call.id, **self.begin_state(call)}
            request = self.build_submit(call)
            if state is None:
                yield Checkpoint(state=begun)
            id = yield from self._submit(call, request, resumed=state is not None)
            state = {**begun, "id": id}
            yield Checkpoint(state=state)
        while True:
            reply = need_reply((yield self.build_look(call, state)))
            look = self.look(call, state, reply)
            if look.films is not None:
                break
            yield Wait(seconds=self.poll_seconds, progress=look.progress)
        films: list[Media] = []
        for film in look.films:
            if isinstance(film, WireRequest):
                fetched = yield film
                film = read_film(need_reply(fetched))
            films.append(film)
        return VideoResponse(
            videos=tuple(films), model=call.model.id, usage=look.usage, warnings=look.warnings,
            body=b"" if _holds_film(look) else reply.content,
        )  # fmt: skip

    def _submit(
        self, call: VideoCall, request: WireRequest, *, resumed: bool
    ) -> Generator[Step, WireResponse | None, str]:
        """The id of the job: as the submit gave it, else as the provider finds it by the call's own id."""
        search = self.build_search(call)
        if resumed and search is not None and (found := (yield from self._search(search))):
            return found
        try:
            reply = need_reply((yield request))
        except JobInDoubt:
            if resumed or search is None:
                raise
            try:
                found = yield from self._search(search)
            except ProviderError:
                found = ""
            if not found:
                raise
            return found
        return self._read_submitted(reply)

    def _search(self, search: WireRequest) -> Generator[Step, WireResponse | None, str]:
        try:
            return self.read_found(need_reply((yield search)))
        except UNREADABLE:
            return ""
        except ProviderError as error:
            if error.status == 404:
                return ""
            raise

    def _read_submitted(self, reply: WireResponse) -> str:
        """Raises `JobInDoubt` for a reply that is well and names no job: there may be one all the same."""
        try:
            if id := self.read_id(reply):
                return id
        except UNREADABLE:
            pass
        found = read_error(reply.content)
        if found.message:
            raise make_stated_error(found, reply, status=found.likely_status)
        raise JobInDoubt(
            "the job was submitted, and the reply does not say which it is",
            hint="look at the provider's list of jobs before you submit it again: it could cost twice",
            status=reply.status,
            headers=reply.headers,
            body=reply.content[:65536],
            request_id=read_request_id(reply.headers),
        )

    def begin_state(self, call: VideoCall) -> dict[str, Any]:
        """What a look and a price will need to know of the call."""
        settings = call.settings
        resolution = settings.resolution or resolution_of(settings.size or "")
        known = {"seconds": settings.seconds, "resolution": resolution or None}
        return {name: value for name, value in known.items() if value is not None}

    def look(self, call: VideoCall, state: State, reply: WireResponse) -> Look:
        """What a reply to a look says. Raises `ProviderError` for a job that failed, and for what is no such reply."""
        try:
            return self.read_look(call, state, self.decode(reply), reply)
        except UNREADABLE as error:
            found = read_error(reply.content)
            if found.message:
                raise make_stated_error(found, reply, status=found.likely_status) from error
            raise make_unreadable(reply) from error

    def build_submit(self, call: VideoCall) -> WireRequest:
        """The submit. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        body = self.begin_body(call, report)
        self.write_settings(body, call, report)
        body = self.finish_body(body, call, report)
        request = self.ask(call, self.address(call), self.frame_body(body), warnings=report.warnings)
        return msgspec.structs.replace(request, begins_job=True)

    def frame_body(self, body: dict[str, Any]) -> Mapping[str, Any] | Multipart:
        """The whole body as it travels: JSON, but for vendors that take forms."""
        return body

    def ask(
        self,
        call: VideoCall,
        url: str,
        body: Mapping[str, Any] | Multipart | None = None,
        *,
        method: str = "POST",
        query: Mapping[str, str] | None = None,
        reply: Any = "json",
        repeat: bool = False,
        warnings: Any = (),
    ) -> WireRequest:
        """A request to the provider, with what the caller wants in each of them."""
        settings = call.settings
        return WireRequest(
            url=url,
            method=method,
            body=body,
            headers=settings.extra_headers or {},
            query={**(query or {}), **(settings.extra_query or {})},
            reply=reply,
            safe_to_repeat=repeat or method == "GET",
            warnings=tuple(warnings),
        )

    @abstractmethod
    def decode(self, reply: WireResponse) -> T:
        """A reply as the vendor's shape. What decoding raises is left to the caller."""

    @abstractmethod
    def read_id(self, reply: WireResponse) -> str:
        """The id of the job that a submit began; "" where the reply names none."""

    @abstractmethod
    def build_look(self, call: VideoCall, state: State) -> WireRequest:
        """The request that says how far a job is."""

    @abstractmethod
    def read_look(self, call: VideoCall, state: State, shape: T, reply: WireResponse) -> Look:
        """How far it is. Raises `ProviderError` where it failed."""

    def build_search(self, call: VideoCall) -> WireRequest | None:
        """The request that finds a job by the call's id, where the vendor knows that; its reply is for `read_found`."""
        return None

    def read_found(self, reply: WireResponse) -> str:
        """The id of the job that was searched for; "" where there is none."""
        return ""

    def cancel(self, state: State) -> WireRequest | None:
        """The request that stops a job; None where the vendor knows none."""
        return None

    def write_n(self, body: dict[str, Any], value: Any, call: VideoCall, report: Report) -> None:
        if value not in (None, 1):
            report.drop("n", "one film is made at a time", hint="ask several times")


def _holds_film(look: Look) -> bool:
    return any(isinstance(film, Media) and film.form == "bytes" for film in look.films or ())


def fetch_film(url: str) -> WireRequest:
    """The request for a film at a link that the provider gave: public addresses only, and without a key."""
    return WireRequest(url=url, method="GET", reply="file", trust="foreign", safe_to_repeat=True)


def read_film(reply: WireResponse) -> Media:
    """A film that was fetched. Raises `ProviderError` for a page in its place."""
    said = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said.startswith("text/") or said == "application/json":
        raise ProviderError(f"the film's link answered {said}", status=reply.status, headers=reply.headers)
    mime_type = said if said.startswith("video/") else "video/mp4"
    if isinstance(reply.body, Path):
        return Media(kind="video", mime_type=mime_type, path=str(reply.body))
    return Media(kind="video", mime_type=mime_type, data=reply.body)


def film_usage(
    call: VideoCall, state: State, *, films: int = 1, seconds: float | None = None, resolution: str = ""
) -> Usage | None:
    """The seconds that were made, as the provider states them, else as they were asked for; in the unit that the
    model's price has for the resolution.
    """
    each = seconds if seconds is not None else state.get("seconds")
    if each is None:
        return None
    price = call.model.price
    fine = f"second_{(resolution or str(state.get('resolution', ''))).lower()}"
    unit = fine if price is not None and fine in price.rates.units else "second"
    return Usage(units={unit: float(each) * films}, source="provider" if seconds is not None else "counted")


def make_failure(
    reply: WireResponse, message: str, code: str = "", *, filtered: bool = False, retryable: bool = False
) -> ProviderError:
    """The error of a job that the provider says has failed."""
    blocked = filtered or classify_error(400, code, message)[0] is ContentFilterError
    return (ContentFilterError if blocked else ProviderError)(
        message or f"the film failed{f': {code}' if code else ''}",
        status=reply.status,
        code=code,
        provider_message=message,
        request_id=read_request_id(reply.headers),
        headers=reply.headers,
        body=reply.content[:65536],
        retryable=retryable and not blocked,
    )


def read_seconds(value: Any) -> float | None:
    """Seconds, as a number or a text."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def whole(value: float) -> float:
    """A number that is whole as an int: 8.0 is written as 8."""
    return int(value) if value == int(value) else value


def write_size_as_form(
    form: dict[str, Any], size: str, report: Report, resolutions: Collection[str], aspects: Collection[str] = ()
) -> None:
    """A size as the aspect and the resolution that make it, under what else is said of either. `aspects` are those that
    there are, where not all are taken.
    """
    aspect, resolution = aspect_of(size), resolution_of(size)
    if resolution in resolutions and (aspect in aspects or not aspects):
        form.setdefault("aspect_ratio", aspect)
        form.setdefault("resolution", resolution)
        report.translate("size", f"it is asked for as {form['aspect_ratio']} in {form['resolution']}")
    else:
        report.drop("size", "there is no such size here", hint="pass aspect= and resolution=")


def check_bytes(media: Media, most: int, hint: str) -> None:
    """Raises `UnsupportedParam` for media in the request that are larger than the vendor takes them."""
    size = len(media.data) if media.data is not None else len(media.base64 or "") * 3 // 4
    if size > most:
        raise UnsupportedParam(f"media: at most {most} bytes are taken here, not {size}", hint=hint, param="media")


def as_url(media: Media) -> str:
    """A link as it is, everything else as a data URL."""
    return media.url if media.url is not None else media.to_data_url()
