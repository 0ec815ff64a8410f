"""Cascades: scripted stages for the order of things, and the embedded engines for the whole of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

import betterai
from betterai import RealtimeSession
from betterai.core.exceptions import ConfigurationError, ProviderError, UnsupportedParam
from betterai.core.message import Message, ToolCall
from betterai.core.realtime_settings import TurnDetection
from betterai.runtime.cascade.detection import EnergyDetector, WebRTCDetector, choose_detector
from betterai.runtime.cascade.turns import TurnFinder
from realtime.stages import CHARACTER_MS, Ears, Mind, Mouth, noise, silence, voice

QUESTION = voice(600)


@asynccontextmanager
async def talk(ears: Ears, mind: Mind, mouth: Mouth, **options: Any) -> AsyncIterator[RealtimeSession]:
    """A session; behind it no task is left."""
    before = asyncio.all_tasks()
    async with asyncio.timeout(10):
        provider = betterai.cascade(audio=ears, text=mind, tts=mouth)
        async with betterai.realtime(provider, **options) as session:
            yield session
    assert asyncio.all_tasks() == before


async def until(session: RealtimeSession, *kinds: type[Any], times: int = 1) -> list[Any]:
    events: list[Any] = []
    iterator = aiter(session)
    try:
        async for event in iterator:
            events.append(event)
            if isinstance(event, kinds) and sum(isinstance(one, kinds) for one in events) == times:
                return events
    finally:
        await iterator.aclose()  # type: ignore[attr-defined]
    raise AssertionError(f"the session ended after {[event.type for event in events]}")


def of(events: list[Any], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def sound(events: list[Any]) -> bytes:
    return b"".join(event.audio for event in of(events, betterai.OutputAudio))


async def test_j3_a_spoken_question_is_answered_and_each_stage_is_measured_and_billed() -> None:
    ears, mind, mouth = Ears("good morning"), Mind(["Hello ", "you."]), Mouth()
    async with talk(ears, mind, mouth, instructions="Be brief.", voice="eve", transcription=True) as session:
        await session.send_audio(QUESTION)
        await session.send_audio(silence(700))
        events = await until(session, betterai.ResponseDone)
        assert session.usage is not None
        assert (session.usage.text_out, session.usage.units["character"]) == (2, 10.0)
        assert session.cost is not None
        assert session.cost.status == "unknown"
        described = session.info.raw.value  # type: ignore[union-attr]
    order = [event.type for event in events if event.type not in ("output_transcript", "item_added", "usage_stated")]
    assert order == [
        "session_opened", "speech_started", "input_transcript", "speech_stopped", "audio_committed", "stage_measured",
        "input_transcript", "input_transcript", "response_started", "stage_measured", "stage_measured",
        "stage_measured", "output_audio", "output_audio", "output_audio", "response_done",
    ]  # fmt: skip
    assert "".join(event.delta for event in of(events, betterai.InputTranscript)) == "good morning"
    assert of(events, betterai.InputTranscript)[-1].text == "good morning"
    assert [event.delta for event in of(events, betterai.OutputTranscript)] == ["Hello ", "you.", ""]
    assert len(sound(events)) == 2 * 24 * CHARACTER_MS * 10
    assert [event.stage for event in of(events, betterai.StageMeasured)] == ["audio", "text", "tts", "answer"]
    assert [event.model for event in of(events, betterai.UsageStated)] == ["own/ears", "mind", "mouth"]
    assert mind.asked[0] == [Message.system("Be brief."), Message.user("good morning")]
    assert (mouth.settings.voice, mouth.settings.format, ears.settings.sample_rate) == ("eve", "pcm", 24000)
    assert described == {"audio": "Ears", "text": "Mind", "tts": "Mouth", "voice_activity": choose_detector(None).name}
    assert ears.heard[0] / 48 == pytest.approx(1100, abs=120)


async def test_speech_in_an_answer_stops_all_stages_and_what_was_not_heard_is_forgotten() -> None:
    waits = asyncio.Event()
    answer = ["One two three four ", "five six seven eight ", waits, "nine ten."]
    ears, mind, mouth = Ears("count", "stop", "again"), Mind(answer, ["Fine."], ["Yes."]), Mouth()
    async with talk(ears, mind, mouth) as session:
        await session.send_audio(QUESTION + silence(700))
        await until(session, betterai.OutputAudio, times=2)
        session.played(CHARACTER_MS * 11)
        began = time.monotonic()
        await session.send_audio(QUESTION)
        events = await until(session, betterai.ResponseDone)
        delay = time.monotonic() - began
        while not (mind.left and mouth.left):
            await asyncio.sleep(0)
        await session.send_audio(silence(700))
        events += await until(session, betterai.ResponseDone)
        session.played(10_000)
        await session.send_audio(QUESTION + silence(700))
        await until(session, betterai.ResponseDone)
    order = [event for event in events if not isinstance(event, betterai.InputTranscript)]
    first = next(place for place, event in enumerate(order) if event.type == "speech_started")
    kinds = [event.type for event in order[first : first + 5]]
    assert kinds == ["speech_started", "interrupted", "output_transcript", "item_added", "response_done"]
    [told] = of(events, betterai.Interrupted)
    assert (told.item_id, told.heard_ms) == ("response_2_item", CHARACTER_MS * 11)
    cut, fine = of(events, betterai.ResponseDone)
    assert (cut.finish_reason, cut.raw_finish_reason, fine.finish_reason) == ("interrupted", "turn_detected", "stop")
    between = order[first : order.index(cut)]
    assert not sound(between)
    [truncated] = of(events, betterai.ItemTruncated)
    assert truncated.audio_end_ms == CHARACTER_MS * 11
    said = [(message.role, message.text) for message in mind.asked[2]]
    assert said[0] == ("user", "count")
    assert said[1][0] == "assistant"
    assert said[1][1] in ("One two", "One")
    assert said[2:] == [("user", "stop"), ("assistant", "Fine."), ("user", "again")]
    assert not waits.is_set()
    print(f"stopped {1000 * delay:.1f} ms after the speech was sent")


async def test_an_answer_that_was_whole_is_cut_by_its_share_of_the_sound() -> None:
    mind = Mind(["Alpha beta gamma delta epsilon."], ["Yes."])
    async with talk(Ears(), mind, Mouth(), turn_detection="none") as session:
        await session.send_text("say them")
        await until(session, betterai.ResponseDone)
        await session.interrupt(heard_ms=17 * CHARACTER_MS)
        await until(session, betterai.ItemTruncated)
        await session.send_text("go on")
        await until(session, betterai.ResponseDone)
    assert [message.text for message in mind.asked[1]] == ["say them", "Alpha beta gamma", "go on"]


async def test_a_tool_runs_inside_and_its_call_and_result_are_in_the_history() -> None:
    @betterai.tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"foggy in {city}"

    call = ToolCall(id="c1", name="weather", arguments='{"city":"London"}')
    ears, mind = Ears("the weather?"), Mind(["One moment. ", call], ["Foggy."])
    async with talk(ears, mind, Mouth(), tools=[weather]) as session:
        await session.send_audio(QUESTION + silence(700))
        events = await until(session, betterai.ResponseDone, times=2)
    assert [event.finish_reason for event in of(events, betterai.ResponseDone)] == ["tool_calls", "stop"]
    assert [event.handled for event in of(events, betterai.ToolCalled)] == [True]
    assert of(events, betterai.ToolRan)[0].result.text == "foggy in London"
    question, asked, result = mind.asked[1]
    assert (question.text, asked.text, asked.tool_calls[0].id) == ("the weather?", "One moment. ", "c1")
    assert result.parts[0].text == "foggy in London"  # type: ignore[union-attr]
    assert not of(events, betterai.SessionError)


async def test_the_session_survives_a_failure_of_each_stage() -> None:
    ears = Ears(ProviderError("deaf", provider="own"), "one", "two", "three")
    mind = Mind([ProviderError("empty")], ["Words."], ["Well."])
    mouth = Mouth(RuntimeError("hoarse"))
    async with talk(ears, mind, mouth) as session:
        for said, about in (("deaf", "turn_1"), ("empty", "response_3"), ("hoarse", "response_5")):
            await session.send_audio(QUESTION + silence(700))
            [told] = of(await until(session, betterai.SessionError), betterai.SessionError)
            assert said in told.error.message
            assert told.about == about
            if said != "deaf":
                [done] = of(await until(session, betterai.ResponseDone), betterai.ResponseDone)
                assert (done.finish_reason, done.error) == ("error", told.error)
        mouth.failure = None
        await session.send_audio(QUESTION + silence(700))
        events = await until(session, betterai.ResponseDone)
    assert of(events, betterai.ResponseDone)[0].finish_reason == "stop"
    assert [message.text for message in mind.asked[-1]] == ["one", "two", "three"]


async def test_where_the_caller_finds_the_turns_sound_is_converted_and_nothing_understood_is_an_error() -> None:
    ears, mind = Ears("yes", ""), Mind(["Good."])
    options = {"turn_detection": "none", "input_format": "audio/pcm;rate=8000", "output_format": "g711_ulaw"}
    async with talk(ears, mind, Mouth(), **options) as session:
        await session.send_audio(bytes(8000))
        await session.commit()
        events = await until(session, betterai.ResponseDone)
        assert ears.heard[0] == pytest.approx(24000, abs=100)
        assert len(sound(events)) == pytest.approx(8 * CHARACTER_MS * 5, abs=20)
        assert not of(events, betterai.SpeechStarted)
        await session.send_audio(bytes(8000))
        await session.commit()
        [done] = of(await until(session, betterai.ResponseDone), betterai.ResponseDone)
        assert "nothing was understood" in str(done.error)
        await session.commit(respond=False)
        [told] = of(await until(session, betterai.SessionError), betterai.SessionError)
        assert "no sound" in told.error.message


async def test_an_answer_that_nobody_reads_waits_and_ends_with_its_session() -> None:
    words = ["word " * 40] * 200
    mind, mouth = Mind(words), Mouth()
    async with talk(Ears(), mind, mouth, turn_detection="none") as session:
        await session.send_text("talk")
        channel: Any = session._channel  # type: ignore[attr-defined]
        while channel._out._bytes < 1024 * 1024:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert channel._out._bytes < 2 * 1024 * 1024
    assert mouth.left == 1


async def test_what_no_stage_takes_is_reported_or_raises() -> None:
    async with talk(Ears(), Mind(), Mouth(), noise_reduction="near_field", turn_detection="semantic") as session:
        assert [(one.code, one.field) for one in session.warnings] == [
            ("dropped", "noise_reduction"), ("translated", "turn_detection"),
        ]  # fmt: skip
    strict = betterai.Client(betterai.CoreConfig(unsupported="raise"))
    provider = betterai.cascade(Ears(), Mind(), Mouth(), client=strict)
    with pytest.raises(UnsupportedParam, match="truncation"):
        await provider.connect("", betterai.RealtimeSettings(truncation="auto"))
    for name in ("cascade/a+b", "cascade/a"):
        with pytest.raises(ConfigurationError, match="AUDIO"):
            betterai.realtime(name)
    with pytest.raises(betterai.ValidationError, match="BaseAudioProvider"):
        betterai.cascade(audio=Mind())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["energy", "webrtcvad"])
def test_voice_activity_is_found_in_speech_and_not_in_silence_or_noise(kind: str) -> None:
    detector: Any = EnergyDetector(None)
    if kind == "webrtcvad":
        detector = WebRTCDetector(pytest.importorskip("webrtcvad"), None)
    finder = TurnFinder(TurnDetection(silence_ms=400, prefix_ms=100), detector)
    quiet = silence(400) + noise(1000, 60) + silence(400)
    assert not list(finder.feed(quiet))
    steps = [step for step in finder.feed(noise(300, 40) + voice(1000) + noise(900, 40)) if step.kind != "sound"]
    assert [step.kind for step in steps] == ["started", "stopped"]
    began = 1800 + 300
    assert steps[0].at_ms == pytest.approx(began - 100, abs=120)
    assert steps[1].at_ms == pytest.approx(began + 1000 + 400, abs=300)
    assert not [step for step in finder.feed(silence(400) + noise(1500, 3000)) if step.kind == "started"] or (
        kind == "webrtcvad"
    )


async def test_embedded_engines_answer_a_spoken_question_without_a_key() -> None:
    for library in ("pocketsphinx", "espeakng_loader"):
        pytest.importorskip(library)
    spoken = await betterai.speak("local/espeak", "I am happy today.", voice="en-us+klatt4", format="pcm", sample_rate=24000)
    events: list[Any] = []
    async with asyncio.timeout(30):
        async with betterai.realtime("cascade/+local/eliza+") as session:
            assert spoken.audio.data is not None
            await session.send_audio(spoken.audio.data + silence(700))
            events = await until(session, betterai.ResponseDone)
            assert session.cost is not None
            assert (session.cost.status, float(session.cost.amount or 0)) == ("exact", 0.0)
            assert session.info.model == "cascade/local/pocketsphinx+local/eliza+local/espeak"
    assert "happy" in of(events, betterai.InputTranscript)[-1].text
    assert of(events, betterai.OutputTranscript)[-1].text
    assert len(sound(events)) > 24000
    assert msgspec.json.encode(of(events, betterai.StageMeasured)[-1]).startswith(b'{"type":"stage_measured"')
