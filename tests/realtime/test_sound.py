"""Sound at other rates and in other laws: as long as it was, as it was, and in any pieces."""

from __future__ import annotations

import math
from array import array

import pytest

from betterai.core.exceptions import ValidationError
from betterai.core.realtime_settings import AudioFormat, read_format
from betterai.runtime.realtime.formats import SessionSound
from betterai.runtime.realtime.g711 import compress, expand
from betterai.runtime.realtime.playback import Heard, Playback
from betterai.runtime.realtime.resampling import Resampler
from betterai.runtime.realtime.sound import SoundConverter
from together import each

RATES = [(16000, 24000), (24000, 16000), (8000, 24000), (24000, 8000), (48000, 24000), (44100, 16000)]


def tone(rate: int, hertz: float, seconds: float = 0.25) -> array[int]:
    return array("h", [int(12000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(int(rate * seconds))])


def ratio(wanted: array[int], got: array[int]) -> float:
    """Signal to noise in dB, a few samples of delay allowed."""
    wanted = wanted[200:-200]
    noises = [sum((a - b) ** 2 for a, b in zip(wanted, got[200 + shift :], strict=False)) for shift in range(-3, 4)]
    return 10 * math.log10(sum(a * a for a in wanted) / max(min(noises), 1))


@each("rates", RATES)
def test_a_tone_is_the_same_tone_at_another_rate_in_any_pieces(rates: tuple[int, int]) -> None:
    source, target = rates
    data = tone(source, 440).tobytes()
    whole, cut = Resampler(source, target), Resampler(source, target)
    sound = whole.feed(data) + whole.flush()
    pieces = [cut.feed(data[at : at + 641]) for at in range(0, len(data), 641)]
    assert b"".join(pieces) + cut.flush() == sound
    assert abs(len(sound) // 2 - target // 4) <= 2
    assert ratio(tone(target, 440), array("h", sound)) > 40


def test_what_the_lower_rate_cannot_hold_is_taken_out_and_not_folded_down() -> None:
    down = Resampler(24000, 8000)
    sound = array("h", down.feed(tone(24000, 9000).tobytes()))
    loud = math.sqrt(sum(value * value for value in sound[100:]) / len(sound[100:]))
    assert loud < 12000 / math.sqrt(2) / 30


def test_g711_knows_the_codes_of_its_tables_and_goes_back_to_the_same_byte() -> None:
    """From ITU-T G.711, tables 1a and 2a: the ends and the middles of both laws."""
    assert array("h", expand(b"\x00\x7f\x80\xff", "audio/pcmu")).tolist() == [-32124, 0, 32124, 0]
    assert array("h", expand(b"\x2a\xaa\x55\xd5", "audio/pcma")).tolist() == [-32256, 32256, -8, 8]
    for law in ("audio/pcmu", "audio/pcma"):
        codes = bytes(code for code in range(256) if (law, code) != ("audio/pcmu", 0x7F))
        assert compress(expand(codes, law), law) == codes
        back = array("h", expand(compress(tone(8000, 440).tobytes(), law), law))
        assert ratio(tone(8000, 440), back) > 30


def test_a_law_at_8_khz_becomes_samples_at_24_khz_and_back() -> None:
    law, samples = AudioFormat(mime_type="audio/pcmu", rate=8000), AudioFormat()
    there, back = SoundConverter(law, samples), SoundConverter(samples, law)
    given = compress(tone(8000, 300).tobytes(), "audio/pcmu")
    sound = b"".join(there.feed(given[at : at + 160]) for at in range(0, len(given), 160)) + there.flush()
    assert abs(len(sound) - 3 * 2 * len(given)) <= 6
    returned = back.feed(sound) + back.flush()
    assert ratio(tone(8000, 300), array("h", expand(returned, "audio/pcmu"))) > 25


@each(
    "text, format",
    [
        ("pcm16", AudioFormat()), ("audio/pcm;rate=16000", AudioFormat(rate=16000)),
        ("audio/pcm; rate=8000; channels=1", AudioFormat(rate=8000)), ("g711_alaw", AudioFormat(mime_type="audio/pcma", rate=8000)),
    ],
)  # fmt: skip
def test_formats_are_read_by_their_names(text: str, format: AudioFormat) -> None:
    assert read_format(text) == format
    assert read_format(str(format)) == format


def test_what_is_no_format_is_refused_and_lengths_are_whole_samples() -> None:
    for text in ("mp3", "audio/pcm;rate=0", "audio/opus;rate=48000"):
        with pytest.raises(ValidationError, match="no format"):
            read_format(text)
    assert AudioFormat(rate=16000).milliseconds(3200) == 100
    assert AudioFormat(rate=44100).size(10) == 882


def test_what_a_provider_takes_is_left_as_it_is() -> None:
    from betterai import RealtimeSettings

    sound = SessionSound(RealtimeSettings(input_format="pcm16"), (AudioFormat(),), (AudioFormat(),))
    data = b"\x01\x02\x03"
    assert sound.write(data) is data


def test_what_was_heard_is_counted_item_by_item() -> None:
    playback = Playback()
    playback.give("a", 0, 300)
    playback.give("b", 0, 200)
    playback.give("b", 0, 200)
    playback.play(450)
    assert playback.unheard
    assert playback.cut() == Heard("b", 0, 150, 400)
    assert not playback.unheard
    playback.give("c", 0, 100)
    playback.play(40)
    assert playback.cut() == Heard("c", 0, 40, 100)
    assert playback.cut() is None


def test_where_nobody_says_what_is_played_all_that_was_given_counts_as_heard() -> None:
    playback = Playback()
    for item in ("a", "b"):
        playback.give(item, 0, 100)
    assert not playback.unheard
    assert playback.cut() == Heard("b", 0, 100, 100)
