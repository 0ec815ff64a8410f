"""What a run of tools gives back: every step, and the conversation as it then stands."""

from __future__ import annotations

from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError
from betterai.core.message import Message, ToolCall, ToolResult
from betterai.core.response import ProviderResponse
from betterai.core.usage import NOTHING, Cost, Usage


class ToolOutcome(Data, frozen=True, kw_only=True, gc=True):
    """One call that was answered: `result` is what the model was told, `error` what the tool raised, traceback and all;
    `seconds` how long it took.
    """

    call: ToolCall
    result: ToolResult
    error: Exception | None = None
    seconds: float = 0.0


class ToolStep(Data, frozen=True, kw_only=True, gc=True):
    """One answer of the model, and what came of the calls in it, in their order."""

    response: ProviderResponse
    outcomes: tuple[ToolOutcome, ...] = ()


class ToolRun(Data, frozen=True, kw_only=True, gc=True):
    """A run so far. `messages` is the whole conversation, without the `system` text that was passed beside it.

    `finished`: the model has given its last answer.
    """

    messages: tuple[Message, ...]
    steps: tuple[ToolStep, ...] = ()
    finished: bool = False

    @property
    def response(self) -> ProviderResponse:
        """The last answer. Raises `BetterAIError` where there is none yet."""
        if not self.steps:
            raise BetterAIError("the model has not answered yet")
        return self.steps[-1].response

    @property
    def content(self) -> str:
        """The text of the last answer."""
        return self.response.content

    @property
    def usage(self) -> Usage | None:
        """What the providers counted, over all steps; None where none of them said anything."""
        stated = [step.response.usage for step in self.steps if step.response.usage is not None]
        return sum(stated[1:], stated[0]) if stated else None

    @property
    def cost(self) -> Cost:
        """What all steps cost: unknown where one of them is."""
        return sum((step.response.cost or Cost() for step in self.steps), NOTHING)
