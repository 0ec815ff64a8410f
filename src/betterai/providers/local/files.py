"""Media that a caller hands over, as bytes."""

from __future__ import annotations

from pathlib import Path

from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media, parse_data_url


def read_bytes(media: Media) -> bytes:
    """Reads files. Raises `UnsupportedParam` for what is elsewhere: an embedded model has no network."""
    if media.url is not None:
        media = parse_data_url(media.kind, media.url)
    if media.form not in ("bytes", "path"):
        raise UnsupportedParam(
            f"media: {media.kind} from a {media.form} is not fetched here", hint="pass bytes or a path", param="media"
        )
    try:
        return Path(media.path).expanduser().read_bytes() if media.path is not None else media.to_bytes()
    except OSError as error:
        raise ValidationError(f"cannot read {media.path}: {error.strerror or error}", provider="local") from error
    except ValueError as error:
        raise ValidationError("media: its base64 text is damaged", provider="local") from error
