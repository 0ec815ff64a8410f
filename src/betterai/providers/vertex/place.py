"""Where Vertex AI is asked: by location, project and version (google-genai 3.6.1, _api_client.py, 2026-11-28)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

_ANYWHERE = "aiplatform.googleapis.com"
_REGIONS_TOGETHER = ("us", "eu")


def find_host(location: str) -> str:
    """The host of a location such as "europe-west4"; "global", and "us" and "eu", have their own form."""
    if location == "global":
        return _ANYWHERE
    if location in _REGIONS_TOGETHER:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-{_ANYWHERE}"


def find_base_url(settings: Mapping[str, str]) -> str:
    """The base URL of a project in a location; without a project that of express mode, which a key opens alone."""
    location, version = settings.get("location", "global"), settings.get("api_version", "v1beta1")
    if project := settings.get("project"):
        return f"https://{find_host(location)}/{version}/projects/{project}/locations/{location}"
    return f"https://{_ANYWHERE}/{version}"


def find_model_path(id: str) -> str:
    """The path of a model under the base URL, which names the project and the location."""
    name = id.removeprefix("models/")
    if name.startswith("endpoints/"):
        return f"/{quote(name, safe='/')}"
    publisher, slash, rest = name.partition("/")
    publisher, name = (publisher, rest) if slash else ("google", name)
    return f"/publishers/{quote(publisher, safe='')}/models/{quote(name, safe='@')}"
