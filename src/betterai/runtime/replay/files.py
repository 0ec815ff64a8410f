"""Recorded exchanges about files, read by the codecs of category files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from betterai.core.codec import FilesCodec
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.results import FileHandle
from betterai.core.wire import WireResponse
from betterai.runtime.registry import get_provider
from betterai.runtime.replay.batches import read_answer_file

_PATH = re.compile(r"(?:/upload)?(?:/v\w+)?/files(?P<one>/[^/]+(?P<content>/content)?)?")


def find_files_codec(provider: str, exchange: Mapping[str, Any]) -> tuple[FilesCodec | None, str]:
    """The provider's codec for files, where the exchange is one that it makes; else None and why."""
    path = urlsplit(str((exchange.get("request") or {}).get("url") or "")).path
    if _PATH.fullmatch(path) is None:
        return None, f"no codec for {path or 'files whose address was not recorded'}"
    try:
        codecs = get_provider(provider).protocols.get("files", {})
    except ConfigurationError:
        return None, f"no provider {provider}"
    codec = next(iter(codecs.values()), None)
    return codec, "" if codec is not None else f"no codec for files of {provider}"


def read_files(codec: FilesCodec, exchange: Mapping[str, Any], reply: WireResponse) -> str:
    """What a reply says of files, as JSON. Raises the error that it is, where it is one."""
    if not 200 <= reply.status < 300:
        raise codec.parse_error(reply)
    request = exchange["request"]
    method, path = request.get("method", "GET"), urlsplit(str(request["url"])).path
    if method == "DELETE":
        return msgspec.json.encode({"deleted": path.rpartition("/")[2]}).decode()
    whole = _PATH.fullmatch(path)
    if whole is not None and whole["content"]:
        answers = read_answer_file(str(exchange["provider"]), reply)
        return answers or msgspec.json.encode({"bytes": len(reply.content)}).decode()
    if method == "GET" and whole is not None and whole["one"] is None:
        files, after = codec.parse_list(reply)
        return msgspec.json.encode({"files": [_describe(file) for file in files], "after": after}).decode()
    return msgspec.json.encode(_describe(_read_upload(codec, reply))).decode()


def _read_upload(codec: FilesCodec, reply: WireResponse) -> FileHandle:
    """The file that a reply describes, by itself or, after an upload in steps, inside of `file`."""
    try:
        return codec.parse_file(reply)
    except BetterAIError:
        inner = msgspec.json.decode(reply.content).get("file")
        return codec.parse_file(msgspec.structs.replace(reply, body=msgspec.json.encode(inner)))


def _describe(file: FileHandle) -> dict[str, Any]:
    """What is known of it."""
    return {name: value for name, value in msgspec.to_builtins(file).items() if value not in ("", None)}
