"""The models of Cohere, as the generated `models.json` beside this file holds them."""

from __future__ import annotations

from betterai.catalogue.table import ModelTable

PROVIDER_MODELS = ModelTable.beside(__file__)
