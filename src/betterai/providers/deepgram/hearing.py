"""What Deepgram's two sessions of listening have alike: sound goes out as it comes, texts are gathered."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import ProviderError
from betterai.core.response import CallWarning
from betterai.core.results import Transcript, TranscriptChunk, Word
from betterai.core.usage import Usage
from betterai.wire.sessions import make_closed, make_session_error


class Hearing:
    """The state of a session, apart from how its frames are read.

    What a session costs is not what files cost: its seconds are counted by another name, for which no price is known.
    """

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self.ended = False
        """Whether all of the sound has been sent."""
        self.sent = False
        """Whether any has been."""
        self.call = call
        self.texts: list[str] = []
        self.words: list[Word] | None = []
        self.warnings: list[CallWarning] = []
        self.seconds: float | None = None
        self.channels = 1
        self.language: str | None = None
        self.request_id = ""

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        """An empty frame would close the session, and is not sent."""
        if item is None:
            self.ended = True
            return ('{"type":"CloseStream"}',)
        self.sent = self.sent or bool(item)
        return (item,) if item else ()

    def follow(self, text: str) -> str:
        """A text with what parts it from those before."""
        return f" {text}" if self.texts and text else text

    def keep(self, text: str, words: tuple[Word, ...] | None) -> None:
        """What was heard for good."""
        self.texts.append(text)
        if words is None or self.words is None:
            self.words = None
        else:
            self.words.extend(words)

    def warn(self, code: str, description: str) -> None:
        self.warnings.append(CallWarning(code="provider", field=code, message=description))

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        raise make_closed(code, reason)

    def so_far(self) -> Transcript:
        seconds = self.seconds
        return Transcript(
            text="".join(self.texts),
            language=self.language,
            seconds=seconds,
            words=None if self.words is None else tuple(self.words),
            model=self.call.model.id,
            usage=None if seconds is None else Usage(units={"second_live": seconds * self.channels}),
            warnings=tuple(self.warnings),
            request_id=self.request_id,
        )


def make_stated(code: str, description: str, body: bytes) -> ProviderError:
    """The error that a frame of the type Error is."""
    return make_session_error(code, description, status=500, body=body)
