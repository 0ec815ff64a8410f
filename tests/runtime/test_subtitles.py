"""Transcripts as subtitles."""

from __future__ import annotations

import pytest

from betterai import Segment, Transcript, ValidationError, Word


def test_segments_become_cues_with_who_speaks() -> None:
    said = Transcript(text="", segments=(
        Segment(text=" One & two ", start=0.0, end=1.9996, speaker="A"), Segment(text=" ", start=2.0, end=2.0),
        Segment(text="Three", start=3600.5, end=3661.0),
    ))  # fmt: skip
    assert said.to_srt() == (
        "1\n00:00:00,000 --> 00:00:02,000\nA: One & two\n\n2\n01:00:00,500 --> 01:01:01,000\nThree\n"
    )
    assert said.to_vtt() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v A>One &amp; two\n\n01:00:00.500 --> 01:01:01.000\nThree\n"
    )


def test_words_are_put_together_until_a_line_is_full_or_another_speaks() -> None:
    words = [Word(text="word", start=float(number), end=number + 0.5) for number in range(8)]
    words.append(Word(text="mine", start=8.0, end=8.5, speaker="B"))
    cues = Transcript(text="", words=tuple(words)).to_srt().split("\n\n")
    assert [cue.splitlines()[2] for cue in cues] == ["word word word word word word", "word word", "B: mine"]


def test_without_times_there_are_no_subtitles() -> None:
    with pytest.raises(ValidationError, match="nothing of times"):
        Transcript(text="Hello").to_srt()
