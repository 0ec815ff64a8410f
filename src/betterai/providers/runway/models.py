"""Runway's models: `models.json`, written by `betterai models update`."""

from betterai.catalogue.table import ModelTable

PROVIDER_MODELS = ModelTable.beside(__file__)
