"""`docs/models.md` says what the catalogue holds."""

from __future__ import annotations

from catalogue.models_page import TARGET, render


def test_the_page_on_models_is_true() -> None:
    assert TARGET.read_text() == render(), "run: python tests/catalogue/models_page.py"
