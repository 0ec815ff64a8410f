"""Transcripts as subtitles: SubRip and WebVTT (https://www.w3.org/TR/webvtt1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from betterai.core.exceptions import ValidationError

if TYPE_CHECKING:
    from betterai.core.results import Transcript, Word

MOST_LETTERS, MOST_SECONDS = 84, 6.0
"""What is put under one time where words alone have times: two lines of usual subtitles."""


def write_srt(transcript: Transcript) -> str:
    """SubRip. Raises `ValidationError` for a transcript that says nothing of times."""
    return "\n".join(
        f"{number}\n{_time(start, ',')} --> {_time(end, ',')}\n{speaker}{text}\n"
        for number, (start, end, speaker, text) in enumerate(_cues(transcript), 1)
    )


def write_vtt(transcript: Transcript) -> str:
    """WebVTT. Raises `ValidationError` for a transcript that says nothing of times."""
    cues = [
        f"{_time(start, '.')} --> {_time(end, '.')}\n{f'<v {speaker[:-2]}>' if speaker else ''}{_escape(text)}\n"
        for start, end, speaker, text in _cues(transcript)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cues(transcript: Transcript) -> Iterator[tuple[float, float, str, str]]:
    """Start, end, who speaks, and what is said."""
    if transcript.segments:
        for segment in transcript.segments:
            if segment.text.strip():
                yield segment.start, segment.end, _name(segment.speaker), segment.text.strip()
    elif transcript.words:
        for words in _group(transcript.words):
            yield words[0].start, words[-1].end, _name(words[0].speaker), " ".join(word.text.strip() for word in words)
    else:
        raise ValidationError("the transcript says nothing of times", hint='ask for timestamps=["segment"]')


def _name(speaker: str | None) -> str:
    return f"{speaker}: " if speaker else ""


def _group(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words that fit under one time, and are said by one."""
    group: list[Word] = []
    for word in words:
        if group and (
            word.speaker != group[0].speaker
            or word.end - group[0].start > MOST_SECONDS
            or sum(len(other.text) + 1 for other in group) + len(word.text) > MOST_LETTERS
        ):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _time(seconds: float, point: str) -> str:
    thousandths = round(max(0.0, seconds) * 1000)
    whole, rest = divmod(thousandths, 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{rest:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
