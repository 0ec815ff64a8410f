"""C4: import, the catalogue, look-ups and prices open no socket."""

from __future__ import annotations

from runtime.subprocesses import check_python
from runtime.test_network import DENIED

USE = """
import betterai
from betterai.catalogue.families import load_families
models = betterai.ALL_MODELS
assert len(models) > 1000 and len(list(models.values())) == len(models)
for name in ("gpt-4o", "anthropic/claude-opus-4-6", "groq/not/listed"):
    models.resolve(name)
try:
    models.resolve("nothing-like-it")
except betterai.ModelNotFoundError:
    pass
usage = betterai.Usage(text_in=1000, text_out=10, cached={"text": 5})
costs = [betterai.price_usage(usage, model.price) for model in models.values()]
assert all((cost.amount is None) == (cost.status == "unknown") for cost in costs)
assert load_families()
print("quiet")
"""


def test_without_a_network_the_catalogue_is_whole_and_opens_no_socket() -> None:
    assert check_python(DENIED + USE) == "quiet\n"
