"""The options of the commands for what is no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_seconds, split_option

if TYPE_CHECKING:
    from betterai.cli.parser import Commands, Parser


def add_modalities(commands: Commands) -> None:
    _add_embed(commands)
    _add_image(commands)
    _add_video(commands)
    _add_speak(commands)
    _add_transcribe(commands)
    _add_talk(commands)
    _add_jobs(commands)


def _add_embed(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "embed",
        "turn texts into vectors",
        notes="Each argument is a text, and each line of stdin. A line of JSON comes out for\n"
        "each: its vector. Any number of texts may be given: they go in as many requests\n"
        "as it takes.\n\n"
        "example: betterai embed -m PROVIDER/MODEL < titles.txt",
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text; those of stdin come after it")
    _add_usual(parser, "EmbeddingSettings", "BETTERAI_EMBEDDING_MODEL")
    add_common(parser, "one JSON object with vectors, usage, cost and warnings")


def _add_image(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "image",
        "draw a picture, or edit one",
        notes="The picture is saved, and shown where the terminal can.\n\n"
        'example: betterai image -m PROVIDER/MODEL -a cat.png "A hat"',
    )
    add = parser.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what to draw; stdin's text comes after it")
    add("-a", "--attach", action="append", default=[], metavar="FILE", help="a picture to edit; may be repeated")
    add("--mask", metavar="FILE", help="where it is to be edited: what is transparent here")
    add("--save", metavar="PATH", help="a folder, or a file; here by default")
    _add_usual(parser, "ImageSettings", "BETTERAI_IMAGE_MODEL")
    add_common(parser, "one JSON object with files, usage, cost and warnings")


def _add_video(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "video",
        "make a film",
        notes="It is a job: `betterai jobs` lists it, and goes on with it after a crash.\n\n"
        'example: betterai video -m PROVIDER/MODEL -o seconds=4 "A cat on a roof"',
    )
    add = parser.add_argument
    add("prompt", nargs="*", metavar="PROMPT", help="what to show; stdin's text comes after it")
    add("--first-frame", metavar="FILE", help="the picture that it begins with")
    add("--last-frame", metavar="FILE", help="the picture that it ends with")
    add("--save", metavar="PATH", help="a folder, or a file; here by default")
    _add_usual(parser, "VideoSettings", "BETTERAI_VIDEO_MODEL")
    add_common(parser, "one JSON object with files, usage, cost and warnings")


def _add_speak(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "speak",
        "say a text",
        notes="The sound is saved as it comes. --save - writes it to stdout, for a player.\n\n"
        'example: betterai speak -m PROVIDER/MODEL -o voice=coral "Hello"',
    )
    add = parser.add_argument
    add("text", nargs="*", metavar="TEXT", help="what to say; stdin's text comes after it")
    add("--save", metavar="PATH", help="a folder, a file, or - for stdout; here by default")
    _add_usual(parser, "SpeechSettings", "BETTERAI_TTS_MODEL")
    add_common(parser, "one JSON object with the file, usage, cost and warnings")


def _add_transcribe(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "transcribe",
        "write down what is said in a recording",
        notes="Subtitles need times, which are asked for with them.\n\n"
        "example: betterai transcribe -m PROVIDER/MODEL --as srt talk.mp3 > talk.srt",
    )
    add = parser.add_argument
    add("audio", metavar="FILE", help="a file or URL, or - for stdin")
    add("--as", dest="form", choices=("text", "srt", "vtt"), default="text", help="plain text, or subtitles")
    _add_usual(parser, "TranscriptionSettings", "BETTERAI_STT_MODEL")
    add_common(parser, "one JSON object with text, words, segments, usage, cost and warnings")


def _add_talk(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "talk",
        "talk with a model by voice",
        notes="Each recording, and each text, is a turn that is answered. - is sound that comes\n"
        "through stdin: 16-bit samples of one channel at 24 kHz, unless -o input_format=…\n"
        "says otherwise. --save - writes the answers' sound to stdout, for a player.\n"
        "cascade/AUDIO+TEXT+TTS, in a model's place, is made of any three; without a\n"
        "model it is made of the default ones, which need no key.\n\n"
        "example: betterai talk -m PROVIDER/MODEL --save answer.wav question.wav",
    )
    add = parser.add_argument
    add("turns", nargs="*", metavar="TURN", help="a WAV file, a text, or - for stdin")
    add("--microphone", action="store_true", help="listen to the microphone (needs betterai[microphone])")
    add("--save", metavar="PATH", help="a WAV file for the answers' sound, or - for stdout")
    linger = "how long an answer may take to begin once stdin has ended; 5 by default"
    add("--linger", type=read_seconds, default=5.0, metavar="SECONDS", help=linger)
    _add_usual(parser, "RealtimeSettings", "BETTERAI_REALTIME_MODEL")
    add_common(parser, "one JSON object with turns, stages, file, usage, cost and warnings")


def _add_jobs(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    parser = commands.add(
        "jobs",
        "list what is worked on at providers",
        more="\nFilms, and whatever else takes long, are jobs.",
        notes="They are kept in jobs.sqlite in BETTERAI_STATE, else in betterai in\n"
        "XDG_STATE_HOME or ~/.local/state.\n\n"
        "example: betterai jobs --running",
    )
    parser.add_argument("--running", action="store_true", help="those alone that are not over")
    add_common(parser, "one JSON object with the jobs")
    resume = commands.add(
        "jobs resume",
        "wait for a job, and save what it makes",
        module="jobs",
        notes="example: betterai jobs resume 3f2a --save films/",
    )
    resume.add_argument("job", metavar="JOB", help="its id, the beginning of it, or its handle")
    resume.add_argument("--save", metavar="PATH", help="a folder, or a file; here by default")
    resume.add_argument("--timeout", type=read_seconds, metavar="SECONDS", help="how long to wait")
    add_common(resume, "one JSON object with files, usage, cost and warnings")
    for name, about in (
        ("cancel", "stop a job at its provider"),
        ("forget", "take a job out of the list; at the provider nothing changes"),
    ):
        other = commands.add(f"jobs {name}", about, module="jobs", notes=f"example: betterai jobs {name} 3f2a")
        other.add_argument("job", metavar="JOB", help="its id, or the beginning of it")
        add_common(other, "errors as JSON")


def _add_usual(parser: Parser, settings: str, variable: str) -> None:
    add = parser.add_argument
    add("-m", "--model", default="", help=f"PROVIDER/MODEL, or PROVIDER for its default; else the one of {variable}")
    add(
        "-o",
        "--option",
        dest="options",
        action="append",
        default=[],
        type=split_option,
        metavar="NAME=VALUE",
        help=f"any field of {settings}, as JSON or as text; may be repeated",
    )
    add("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
    add("--timeout", type=read_seconds, metavar="SECONDS", help="of the whole call, with its retries")
