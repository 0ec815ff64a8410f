"""Hypothesis without its clock: these machines are shared."""

from hypothesis import settings

settings.register_profile("betterai", deadline=None, max_examples=40)
settings.load_profile("betterai")
