"""Cascades: scripted stages for the order of things, and the embedded engines for the whole of it."""

from __future__ import annotations

import asyncio
import io
import time
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

import betterai
from betterai import CoreConfig, RealtimeSession
from betterai.core.exceptions import ConfigurationError, ProviderError, UnsupportedParam
from betterai.core.message import Message, ToolCall
from betterai.core.realtime_settings import TurnDetection
from betterai.runtime.cascade.channel import MOST_SOUND
from betterai.runtime.cascade.detection import EnergyDetector, WebRTCDetector, choose_detector
from betterai.runtime.cascade.turns import TurnFinder
from betterai.runtime.factory import find_provider
from doubles.deepgram import KEY as DEEPGRAM_KEY
from doubles.deepgram import Deepgram
from doubles.elevenlabs import KEY as ELEVENLABS_KEY
from doubles.elevenlabs import VOICE, ElevenLabs
from providers.local.engines import need
from realtime.stages import CHARACTER_MS, Ears, Mind, Mouth, noise, silence, voice
from runtime.upstream import Upstream, delta, stream, streamed

QUESTION = voice(600)


@asynccontextmanager
async def talk(ears: Any, mind: Any, mouth: Any, **options: Any) -> AsyncIterator[RealtimeSession]:
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
        "session_opened", "speech_started", "input_transcript", "speech_stopped", "audio_committed",
        "input_transcript", "stage_measured", "input_transcript", "response_started", "stage_measured", "stage_measured",
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
        await asyncio.gather(mind.was_left.wait(), mouth.was_left.wait())
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
    assert (told.item_id, told.heard_ms) == ("response_1_item", CHARACTER_MS * 11)
    cut, fine = of(events, betterai.ResponseDone)
    assert (cut.finish_reason, cut.raw_finish_reason, fine.finish_reason) == ("interrupted", "turn_detected", "stop")
    between = order[first : order.index(cut)]
    assert not sound(between)
    [truncated] = of(events, betterai.ItemTruncated)
    assert truncated.audio_end_ms == CHARACTER_MS * 11
    said = [(message.role, message.text) for message in mind.asked[2]]
    assert said == [
        ("user", "count"), ("assistant", "One two"), ("user", "stop"), ("assistant", "Fine."), ("user", "again"),
    ]  # fmt: skip
    assert not waits.is_set()
    assert delay < 5
    print(f"stopped {1000 * delay:.1f} ms after the speech was sent")


async def test_stages_without_streaming_get_a_recording_and_speak_sentence_by_sentence() -> None:
    heard: list[betterai.Media] = []

    class WholeEars(betterai.BaseAudioProvider):
        async def transcribe(self, audio: betterai.Media, model: str, settings: Any) -> betterai.Transcript:
            heard.append(audio)
            return betterai.Transcript(text="hello")

    class WholeMouth(betterai.BaseTTSProvider):
        async def synthesize(self, text: str, model: str, settings: Any) -> betterai.Speech:
            target = io.BytesIO()
            with wave.open(target, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(12000)
                file.writeframes(bytes(2 * 1200))
            return betterai.Speech(audio=betterai.Media(kind="audio", mime_type="audio/wav", data=target.getvalue()))

    mind = Mind(["One. ", "Two. Three."])
    async with talk(WholeEars(), mind, WholeMouth()) as session:
        await session.send_audio(QUESTION + silence(700))
        events = await until(session, betterai.ResponseDone)
    [done] = of(events, betterai.ResponseDone)
    assert (done.error, done.usage) == (None, None)
    assert len(sound(events)) == pytest.approx(3 * 2 * 2400, abs=64)
    assert heard[0].data is not None
    with wave.open(io.BytesIO(heard[0].data)) as file:
        assert (file.getframerate(), file.getnframes()) == (24000, pytest.approx(26400, abs=3000))


async def test_a_voice_at_another_rate_is_converted_and_one_that_says_another_is_refused() -> None:
    class Slow(Mouth):
        async def synthesize_stream(self, text: Any, model: str, settings: Any) -> AsyncGenerator[Any, None]:
            async for chunk in super().synthesize_stream(text, model, settings):
                if chunk.response is not None and (rate := self.stated):
                    chunk = msgspec.structs.replace(
                        chunk, response=msgspec.structs.replace(chunk.response, sample_rate=rate)
                    )
                yield chunk

        stated = 0

    mouth, mind = Slow(), Mind(["Word."], ["Word."])
    options = {"audio_settings": None, "tts_settings": betterai.SpeechSettings(sample_rate=12000)}
    async with asyncio.timeout(10), betterai.realtime(betterai.cascade(Ears(), mind, mouth, **options)) as session:
        await session.send_text("say it")
        events = await until(session, betterai.ResponseDone)
        assert len(sound(events)) == pytest.approx(2 * 2 * 24 * CHARACTER_MS * 5, abs=64)
        mouth.stated = 22050
        await session.send_text("again")
        [done] = of(await until(session, betterai.ResponseDone), betterai.ResponseDone)
        assert "22050 Hz" in str(done.error)


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
        for said, about in (("deaf", "turn_1"), ("empty", "response_1"), ("hoarse", "response_2")):
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
        waiting: Any = session._channel._out  # type: ignore[attr-defined]
        while waiting._bytes < MOST_SOUND:
            await mouth.spoke.wait()
            mouth.spoke.clear()
        for _ in range(100):
            await asyncio.sleep(0)
        assert waiting._bytes < 2 * MOST_SOUND
        assert not mouth.was_left.is_set()
    assert mouth.was_left.is_set()


async def test_answers_in_writing_pictures_and_items_that_are_taken_out() -> None:
    call = ToolCall(id="c1", name="look", arguments="{}")
    mind = Mind(["Red."], [" ", call], ["Aside."], ["Blue."])
    picture = betterai.Media(kind="image", mime_type="image/png", data=b"\x89PNG")
    async with talk(Ears(), mind, Mouth(), turn_detection="none", modalities=["text"]) as session:
        await session.show(picture)
        await session.send_text("colour?")
        events = await until(session, betterai.ResponseDone)
        assert [event.text for event in of(events, betterai.OutputText) if event.final] == ["Red."]
        assert not sound(events)
        await session.update(modalities=["audio"])
        await session.send_text("look")
        events = await until(session, betterai.ResponseDone)
        assert of(events, betterai.ResponseDone)[0].finish_reason == "tool_calls"
        assert not of(events, betterai.SessionError)
        await session.respond(messages=(Message.user("beside"),), keep=False, metadata={"n": "1"})
        [aside] = of(await until(session, betterai.ResponseDone), betterai.ResponseDone)
        assert (aside.message.text, aside.metadata) == ("Aside.", {"n": "1"})
        await session.send(betterai.DeleteItem(item_id="item_3"))
        await session.send(betterai.DeleteItem(item_id="none"))
        await until(session, betterai.SessionError)
        await session.send_text("and now?")
        await until(session, betterai.ResponseDone)
    assert mind.asked[0][0].parts[-1].media.to_bytes() == picture.data  # type: ignore[union-attr]
    assert mind.asked[2] == [Message.user("beside")]
    said = [(message.role, message.text.strip()) for message in mind.asked[3]]
    assert said == [("user", "colour?"), ("assistant", "Red."), ("assistant", ""), ("user", "and now?")]
    assert not mind.asked[3][2].tool_calls


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
    assert betterai.get_realtime_provider("cascade").model.startswith("cascade/local/")  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="three models"):
        betterai.register_realtime_provider("cascade", betterai.BaseRealtimeProvider)
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


async def test_embedded_engines_answer_a_spoken_question_without_a_key_and_stop_when_one_speaks() -> None:
    need("pocketsphinx")
    need("espeak")
    spoken = await betterai.speak(
        "local/espeak", "I am happy today.", voice="en-us+klatt4", format="pcm", sample_rate=24000
    )
    assert spoken.audio.data is not None
    async with asyncio.timeout(30):
        async with betterai.realtime("cascade/+local/eliza+") as session:
            await session.send_audio(spoken.audio.data + silence(700))
            events = await until(session, betterai.OutputAudio)
            assert session.cost is not None
            assert (session.cost.status, session.cost.amount) == ("exact", 0)
            session.played(100)
            began = time.monotonic()
            await session.send_audio(spoken.audio.data)
            later = await until(session, betterai.Interrupted)
            delay = time.monotonic() - began
            later += await until(session, betterai.ItemTruncated)
            assert session.info.model == "cascade/local/pocketsphinx+local/eliza+local/espeak"
    assert "happy" in of(events, betterai.InputTranscript)[-1].text
    assert len(sound(events)) > 24000
    told = next(place for place, event in enumerate(later) if event.type == "interrupted")
    assert later[told - 1].type == "speech_started"
    assert later[told].heard_ms == 100
    assert not sound(later[told:])
    assert delay < 5
    print(f"stopped {1000 * delay:.1f} ms after the speech was sent")
    assert msgspec.json.encode(of(events, betterai.StageMeasured)[-1]).startswith(b'{"type":"stage_measured"')


async def test_three_vendors_are_one_voice_and_an_interruption_closes_their_connections() -> None:
    hearing, speaking = Deepgram(), ElevenLabs()
    script = stream(streamed(["Well, ", "yes. "])), stream([delta("One. "), delta("Two. ")], "hold")
    with Upstream(hearing) as ears, Upstream(*script) as mind, Upstream(speaking) as mouth:

        def connect(category: Any, model: str, upstream: Upstream, key: str = "k") -> Any:
            url = upstream.url if category == "text" else f"http://127.0.0.1:{upstream.port}"
            return find_provider(category, CoreConfig(model=model, base_url=url, api_key=key, retries=0))[0]

        providers = (
            connect("audio", "deepgram/flux-general-en", ears, DEEPGRAM_KEY),
            connect("text", "groq/openai/gpt-oss-120b", mind),
            connect("tts", "elevenlabs/eleven_flash_v2_5", mouth, ELEVENLABS_KEY),
        )
        async with talk(*providers, turn_detection="none", voice=VOICE) as session:
            await session.send_audio(b"really.\x20")
            await session.commit()
            events = await until(session, betterai.ResponseDone)
            assert of(events, betterai.InputTranscript)[-1].text == "really."
            assert of(events, betterai.OutputTranscript)[-1].text == "Well, yes. "
            assert b"Well, yes." in sound(events)
            assert [event.model for event in of(events, betterai.UsageStated)] == [
                "deepgram/flux-general-en", "groq/openai/gpt-oss-120b", "elevenlabs/eleven_flash_v2_5",
            ]  # fmt: skip
            assert not session.warnings
            assert session.cost is not None
            assert session.cost.parts.keys() == {"text_in", "text_out", "character"}
            speaking.sockets.left.clear()
            while speaking.sockets.taken.acquire(blocking=False):
                pass
            await session.send_text("count")
            await until(session, betterai.OutputTranscript, times=2)
            assert await asyncio.to_thread(speaking.sockets.taken.acquire, timeout=5)
            await session.interrupt()
            [done] = of(await until(session, betterai.ResponseDone), betterai.ResponseDone)
            assert (done.finish_reason, done.usage) == ("interrupted", None)
            assert await asyncio.to_thread(speaking.sockets.left.wait, 5)
            await mind.until(lambda: mind.left == 1, 5)
        for provider in providers:
            await provider.aclose()
