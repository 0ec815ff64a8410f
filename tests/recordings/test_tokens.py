"""What `docs/token-counting.md` says of the estimates is what they do on the recorded requests."""

from __future__ import annotations

from statistics import median

from recordings.inputs import read_samples
from recordings.store import needs_recordings
from recordings.tokens import RULES, TARGET, error, factor, put_in


@needs_recordings
def test_the_page_is_true() -> None:
    page = TARGET.read_text()
    assert put_in(page) == page, "run python tests/recordings/tokens.py"


@needs_recordings
def test_ours_is_nearer_than_the_simple_rules() -> None:
    for with_tools in (False, True):
        samples = [sample for sample in read_samples() if bool(sample.settings.tools) == with_tools]
        assert len(samples) > 500
        errors = {name: median(error(rule, sample) for sample in samples) for name, rule in RULES.items()}
        assert min(errors, key=lambda name: errors[name]) == "ours", errors


@needs_recordings
def test_the_handbooks_line_is_far_off() -> None:
    assert factor(sample for sample in read_samples() if not sample.settings.tools) > 5
