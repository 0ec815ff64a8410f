"""A server of AWS's kind: it checks each signature by computing it anew with botocore, from what arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Arrived(NamedTuple):
    """A request as it came, and what its canonical form was."""

    path: str
    headers: dict[str, str]
    body: bytes
    canonical: str
    genuine: bool


class SignedServer(NamedTuple):
    url: str
    arrived: list[Arrived]


def recompute(
    method: str, url: str, headers: dict[str, str], body: bytes, keys: tuple[str, str], token: str | None
) -> tuple[str, bool]:
    """The canonical request, and whether the signature that came is the one it should have."""
    scheme, _, rest = headers["authorization"].partition(" ")
    said = dict(item.strip().split("=", 1) for item in rest.split(","))
    _, _, region, service, _ = said["Credential"].split("/")
    signed = {name: headers[name] for name in said["SignedHeaders"].split(";")}
    request = AWSRequest(method=method, url=url, headers=signed, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(*keys, token), service, region)
    canonical = signer.canonical_request(request)
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    genuine = scheme == "AWS4-HMAC-SHA256" and expected == said["Signature"] and "host" in signed
    return canonical, genuine and headers.get("x-amz-security-token") == token


@asynccontextmanager
async def signed_server(
    keys: tuple[str, str], token: str | None = None, answer: Callable[[], web.StreamResponse] | None = None
) -> AsyncIterator[SignedServer]:
    arrived: list[Arrived] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        url = f"http://{request.headers['Host']}{request.raw_path}"
        canonical, genuine = recompute(request.method, url, headers, body, keys, token)
        arrived.append(Arrived(request.raw_path, headers, body, canonical, genuine))
        return answer() if answer is not None else web.json_response({})

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield SignedServer(f"http://127.0.0.1:{runner.addresses[0][1]}", arrived)
    finally:
        await runner.cleanup()
