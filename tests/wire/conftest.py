"""Hypothesis without its clock: these machines are shared."""

from hypothesis import settings

settings.register_profile("betterai", deadline=None)
settings.load_profile("betterai")
