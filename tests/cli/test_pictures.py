"""Media of an answer: saved, shown in terminals that can, and in JSON."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from betterai.cli.pictures import KITTY_PIECE, draw, save
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from cli.commands import Command
from cli.processes import finish, run, start
from cli.terminal import Terminal
from cli.test_attachments import PNG
from cli.upstream import KEY, Upstream

PAINTER = """
from betterai import BaseTextProvider, Media, MediaPart, Message, ProviderResponse, Text

PNG = {png!r}

class Painter(BaseTextProvider):
    def __init__(self, api_key="", **options): pass

    async def generate(self, messages, model, settings):
        media = [Media(kind="image", mime_type="image/png", data=PNG), Media(kind="image", mime_type="image/png", data=PNG)]
        parts = (Text(text="Two **dots**"), *(MediaPart(media=item) for item in media))
        return ProviderResponse(content="Two **dots**", model=model, message=Message(role="assistant", parts=parts))
"""


@pytest.fixture
def painter(tmp_path: Path) -> str:
    """An installed package whose answers hold pictures; where it is."""
    site = tmp_path / "site"
    info = site / "painter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: painter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[betterai.providers]\npainter = painter_provider:Painter\n")
    (site / "painter_provider.py").write_text(PAINTER.format(png=PNG))
    return str(site)


def test_pictures_are_saved_under_new_names_and_their_paths_printed(painter: str, tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    for numbers in ((1, 2), (3, 4)):
        result = run("chat", "-m", "painter/one", "--save", str(folder), "Paint", PYTHONPATH=painter)
        paths = [folder / f"image-{number}.png" for number in numbers]
        assert (result.code, result.stdout) == (0, f"Two **dots**\n{paths[0]}\n{paths[1]}\n"), result
        assert [path.read_bytes() for path in paths] == [PNG, PNG]


def test_a_picture_is_not_written_through_a_link_that_leads_nowhere(tmp_path: Path):
    (tmp_path / "image-1.png").symlink_to(tmp_path / "elsewhere")
    saved = save(Media(kind="image", mime_type="image/png", data=PNG), tmp_path)
    assert (saved.name, (tmp_path / "elsewhere").exists()) == ("image-2.png", False)


def test_pictures_that_are_not_kept_are_spoken_of(painter: str):
    result = run("chat", "-m", "painter/one", "Paint", PYTHONPATH=painter)
    assert result.stdout == "Two **dots**\n"
    assert result.stderr.count("the answer also holds media: image; --save DIR keeps it") == 2


def test_json_holds_pictures_or_where_they_are(painter: str, tmp_path: Path):
    whole = run("chat", "-m", "painter/one", "--json", "Paint", PYTHONPATH=painter).json["media"][0]
    assert whole == {"kind": "image", "mime_type": "image/png", "base64": base64.b64encode(PNG).decode()}
    saved = run("chat", "-m", "painter/one", "--json", "--save", str(tmp_path), "x", PYTHONPATH=painter).json["media"][
        0
    ]
    assert saved == {"kind": "image", "mime_type": "image/png", "path": str(tmp_path / "image-1.png")}


@pytest.mark.parametrize(
    ("variables", "begins"),
    [
        ({"KITTY_WINDOW_ID": "1"}, "\x1b_Ga=T,f=100,m=0;"),
        ({"TERM_PROGRAM": "iTerm.app"}, f"\x1b]1337;File=inline=1;size={len(PNG)}:"),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "yes"}, ""),
        ({}, ""),
    ],
)
async def test_pictures_are_shown_where_the_terminal_can(variables: dict[str, str], begins: str, painter: str):
    async with Terminal("chat", "-m", "painter/one", "Paint", PYTHONPATH=painter, **variables) as terminal:
        code, seen = await terminal.end()
    shown = f"{begins}{base64.b64encode(PNG).decode()}"
    assert (code, seen.count(shown) if begins else "\x1b" in seen) == (0, 2 if begins else False), seen


def test_a_large_picture_is_drawn_in_pieces_and_one_that_the_terminal_cannot_take_not_at_all():
    large = PNG + b"\0" * KITTY_PIECE
    *pieces, end = draw(large, "kitty")
    assert (len(pieces), end) == (2, "\n")
    assert pieces[0].startswith("\x1b_Ga=T,f=100,m=1;")
    assert pieces[1].startswith("\x1b_Gm=0;")
    assert base64.b64decode("".join(piece.partition(";")[2].removesuffix("\x1b\\") for piece in pieces)) == large
    assert list(draw(b"\xff\xd8\xff", "kitty")) == []


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_sent(tmp_path: Path, command: Command):
    (tmp_path / "file").touch()
    result = command("chat", "-m", "local/echo", "--save", str(tmp_path / "file"), "Hello")
    assert (result.code, result.stdout) == (2, "")
    assert f"cannot save into '{tmp_path / 'file'}'" in result.stderr
    with pytest.raises(ValidationError, match="cannot save into"):
        save(Media(kind="image", data=PNG), tmp_path / "gone")


async def test_a_picture_that_cannot_be_fetched_costs_no_answer(upstream: Upstream, tmp_path: Path):
    upstream.pieces = [
        {"content": "Here.", "images": [{"type": "image_url", "image_url": {"url": "https://127.0.0.1:1/a.png"}}]}
    ]
    words = ("chat", "-m", "openrouter/painter", "--base-url", upstream.url, "--save", str(tmp_path), "Paint")
    result = await finish(await start(*words, OPENROUTER_API_KEY=KEY))
    assert (result.code, result.stdout) == (0, "Here.\nhttps://127.0.0.1:1/a.png\n"), result
    assert "warning: not saved" in result.stderr


async def test_markdown_is_rendered_on_a_terminal_and_left_as_it_is_elsewhere(painter: str):
    words = ("chat", "-m", "painter/one", "--markdown", "Paint")
    async with Terminal(*words, PYTHONPATH=painter) as terminal:
        code, seen = await terminal.end()
    assert (code, "**" in seen, "\x1b[1mdots\x1b[0m" in seen) == (0, False, True), seen
    assert run(*words, PYTHONPATH=painter).stdout == "Two **dots**\n"
