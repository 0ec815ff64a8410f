"""C4: nothing opens a socket that nobody asked for."""

from __future__ import annotations

from runtime.subprocesses import check_python

DENIED = """
import socket, _socket

class Denied(socket.socket):
    def connect(self, address):
        raise AssertionError(f"a connection to {address}")
    connect_ex = connect
    def bind(self, address):
        raise AssertionError(f"a listener at {address}")
    def sendto(self, *arguments):
        raise AssertionError(f"a datagram {arguments}")

def denied(*arguments, **named):
    raise AssertionError(f"a look-up of {arguments}")

socket.socket = Denied
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = denied
"""

USE = """
import betterai
assert len(betterai.ALL_MODELS) > 2
assert "local/eliza" in betterai.ALL_MODELS
assert betterai.sync.generate("local/echo", "Hello").content
assert list(betterai.sync.stream("local/eliza", "Hello"))
assert betterai.get_text_provider("local/eliza")
for name in betterai.ai_clients:
    assert betterai.ai_clients[name] is not None
for name in betterai.__all__:
    getattr(betterai, name)
print("quiet")
"""


def test_c4_import_catalogue_and_local_calls_open_no_socket() -> None:
    assert check_python(DENIED + USE) == "quiet\n"


def test_c4_the_denial_would_be_seen() -> None:
    ask = """
try:
    betterai.sync.generate("openai/gpt-6", "Hello", config=betterai.CoreConfig(api_key="k", retries=0))
except AssertionError as error:
    print("denied")
"""
    assert check_python(DENIED + "import betterai\n" + ask, strict=False).endswith("denied\n")


def test_c4_a_local_call_imports_no_http_client() -> None:
    said = check_python("""
        import sys, betterai
        assert betterai.sync.generate("local/eliza", "Hello").content
        print(sorted({"aiohttp", "tenacity"} & set(sys.modules)))
    """, strict=False)  # fmt: skip
    assert said == "[]\n"
