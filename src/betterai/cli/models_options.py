"""The options of `betterai models` and of its further words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_price, read_tokens

if TYPE_CHECKING:
    from betterai.cli.parser import Commands

CAPABILITIES = {
    "vision": "supports_vision",
    "audio": "supports_audio_input",
    "tools": "supports_tools",
    "reasoning": "supports_reasoning",
    "structured": "supports_structured_output",
    "streaming": "supports_streaming",
    "batch": "supports_batch_api",
}
"""Words for what a model can, and the catalogue's claims that they stand for."""

CATEGORIES = ("text", "image", "video", "audio", "tts", "realtime", "embeddings", "rerank", "moderation")
SORTS = ("name", "price", "context")

NOTES = """\
Prices are US dollars for a million tokens, or for the unit named. A model of
which the catalogue does not know what a filter asks for is left out.

example: betterai models claude --can vision --max-price-in 3 --sort price
example: betterai models --live PROVIDER
"""


def add_models(commands: Commands) -> None:
    from betterai.cli import models_update
    from betterai.cli.parser import add_common

    parser = commands.add("models", "search the catalogue of models", notes=NOTES)
    add = parser.add_argument
    add("words", nargs="*", metavar="WORD", help="all of these are in the model's name")
    add("-p", "--provider", metavar="PROVIDER", help="of this provider only")
    add("-c", "--category", choices=CATEGORIES, metavar="CATEGORY", help=", ".join(CATEGORIES))
    add(
        "--can",
        action="append",
        default=[],
        choices=tuple(CAPABILITIES),
        metavar="WHAT",
        help=f"{', '.join(CAPABILITIES)}; may be repeated",
    )
    add("--context", type=read_tokens, metavar="TOKENS", help="takes at least so many, such as 200k")
    add("--max-price-in", type=read_price, metavar="DOLLARS", help="at most, for a million tokens in")
    add("--max-price-out", type=read_price, metavar="DOLLARS", help="at most, for a million tokens out")
    add("--sort", choices=SORTS, default="name", metavar="BY", help=f"{', '.join(SORTS)}")
    add("--live", action="store_true", help="ask the provider which models it has, and show what the catalogue lacks")
    add_common(parser, "one JSON object")
    show = commands.add(
        "models show",
        "all that is known of a model",
        notes="example: betterai models show PROVIDER/MODEL",
    )
    show.add_argument("name", metavar="MODEL", help="PROVIDER/MODEL, an alias or a bare id")
    add_common(show, "one JSON object")
    update = commands.add("models update", models_update.ABOUT, notes=models_update.NOTES)
    models_update.add_options(update)
    add_common(update, "one JSON object")
