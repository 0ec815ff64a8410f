"""`docs/providers.md` says what the codecs do."""

from __future__ import annotations

from contract.carries import TARGET, render


def test_the_page_on_providers_is_true() -> None:
    assert TARGET.read_text() == render(), "run: python tests/contract/carries.py"
