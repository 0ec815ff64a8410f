"""What must be seen of a cell, and what was wrong with what was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.core.exceptions import BetterAIError, ProviderError, StreamInterrupted
from betterai.runtime.text import ENDING_SECONDS
from faults.cells import LIMITS, LONG_ENOUGH, SLACK, Cell, Outcome
from faults.dialects import OTHER_PIECES, PIECES
from faults.table import BUDGET, ENDLESS, Seen
from faults.targets import KEY


def expected(cell: Cell, outcome: Outcome) -> tuple[Seen, bool]:
    """What must be seen, and whether the other target answers; where either may be, that which was."""
    seen = cell.seen
    if not (cell.routed and seen.classes) or seen.elsewhere is False:
        return seen, False
    if seen.shown > 0:
        return (Seen(), True) if cell.place in ("restarting", "continuing") else (seen, False)
    helped = outcome.error is None or (seen.elsewhere is True and not seen.shown)
    return (Seen() if helped else seen), helped


def judge(outcome: Outcome) -> None:
    cell, wrong = outcome.cell, outcome.wrong
    seen, helped = expected(cell, outcome)
    if outcome.seconds > LIMITS.total + SLACK:
        wrong.append(f"took {outcome.seconds:.2f} s, over the limit of {LIMITS.total:g} s")
    if outcome.freed > 0.1 + SLACK + (ENDING_SECONDS if not cell.seen.classes else 0):
        wrong.append(f"freed its connection {outcome.freed:.2f} s later")
    if outcome.requests + outcome.elsewhere > BUDGET:
        wrong.append(f"{outcome.requests} + {outcome.elsewhere} requests, over the budget of {BUDGET}")
    if any(said.startswith("hangs") for said in wrong):
        return
    if seen.classes:
        _judge_failure(outcome, seen)
    else:
        _judge_answer(outcome, helped)


def _judge_answer(outcome: Outcome, helped: bool) -> None:
    cell, wrong, response = outcome.cell, outcome.wrong, outcome.response
    if outcome.error is not None or response is None:
        wrong.append(f"no answer, but {outcome.said}: {outcome.error}")
        return
    own, other = "".join(PIECES), "".join(OTHER_PIECES)
    allowed = (
        {"".join(PIECES[:LONG_ENOUGH]) + other}
        if cell.joined
        else {other}
        if helped
        else {own, other}
        if cell.routed and cell.fault.hits
        else {own}
    )
    if outcome.text not in allowed or response.content != outcome.text:
        wrong.append(f"the text is {outcome.text!r}, the response's {response.content!r}")
    if outcome.resets != (helped and cell.place in ("restarting", "continuing") and not cell.joined):
        wrong.append(f"{outcome.resets} resets")
    if response.finish_reason != "stop":
        wrong.append(f"the finish reason is {response.finish_reason}")
    if response.usage is None or (response.usage.output_tokens != 4 and not cell.joined):
        wrong.append(f"the usage is {response.usage}")
    if not cell.routed:
        tries = 1 + (cell.fault.hits or 0)
        _judge_count(outcome, tries, tries + (cell.fault.place == "own"), response.timing.attempts)
        waited = cell.fault.waited
        if cell.fault.hits and not waited - 0.002 <= outcome.waited <= waited * 1.1 + SLACK + LIMITS.first_byte:
            wrong.append(f"came again after {outcome.waited:.3f} s where {waited:g} s were asked for")


def _judge_failure(outcome: Outcome, seen: Seen) -> None:
    wrong, error = outcome.wrong, outcome.error
    if error is None:
        wrong.append(f"a false success: {outcome.text!r}")
        return
    if not isinstance(error, BetterAIError):
        wrong.append(f"not an error of ours: {error!r}")
        return
    if type(error) not in seen.classes and not (ProviderError in seen.classes and isinstance(error, ProviderError)):
        names = " or ".join(kind.__name__ for kind in seen.classes)
        wrong.append(f"{outcome.said} instead of {names}: {error}")
    if KEY in f"{error}{error!r}{vars(error)}":
        wrong.append("it shows the key")
    if not (error.provider and error.model and str(error)):
        wrong.append("it does not say whom it asked")
    if outcome.cell.way.endswith("stream"):
        _judge_shown(outcome, seen.shown)
    if isinstance(error, StreamInterrupted) and outcome.text:
        held = error.partial.content if error.partial is not None else None
        if held != outcome.text:
            wrong.append(f"shown was {outcome.text!r}, held is {held!r}")
    if not outcome.cell.routed:
        least = BUDGET if seen.again and not seen.shown else 1
        most = 1 if seen.shown > 0 or seen.again is False else BUDGET
        _judge_count(outcome, least, most, error.attempts)


def _judge_shown(outcome: Outcome, shown: int) -> None:
    """The text that was shown: exactly what came; or, where that may be lost, the beginning of it."""
    if shown == ENDLESS:
        said, again = PIECES[:2]
        right = outcome.text.startswith(said + again) and not outcome.text.removeprefix(said).replace(again, "")
    else:
        said = "".join(PIECES[: abs(shown)])
        right = outcome.text == said or (shown < 0 and said.startswith(outcome.text))
    if not right:
        outcome.wrong.append(f"the stream showed {outcome.text[:99]!r} and not {said!r}")


def _judge_count(outcome: Outcome, least: int, most: int, attempts: Sequence[Any]) -> None:
    if not least <= len(attempts) <= most:
        met = ", ".join(attempt.error or "well" for attempt in attempts)
        outcome.wrong.append(f"{len(attempts)} attempts ({met}) instead of {least if least == most else (least, most)}")
    if outcome.requests > len(attempts):
        outcome.wrong.append(f"{outcome.requests} requests for {len(attempts)} attempts")
