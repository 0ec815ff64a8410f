"""Fireworks's models, from the generated table beside this file."""

from betterai.catalogue.table import ModelTable

PROVIDER_MODELS = ModelTable.beside(__file__)
