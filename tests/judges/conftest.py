"""The official clients know one authority: each reads the certificates of all when it is made, which takes 20 ms."""

from __future__ import annotations

from collections.abc import Iterator

import certifi
import pytest


@pytest.fixture(scope="package", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """They speak no TLS here."""
    end = "-----END CERTIFICATE-----\n"
    with open(certifi.where(), encoding="utf-8") as file, pytest.MonkeyPatch.context() as environment:
        path = tmp_path_factory.mktemp("authority") / "one.pem"
        path.write_text(file.read().partition(end)[0] + end)
        environment.setenv("SSL_CERT_FILE", str(path))
        yield
