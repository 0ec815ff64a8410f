"""The protocol's name, and its types of items: which of them are calls, who runs them, and what answers them."""

from __future__ import annotations

PROTOCOL = "openai_responses"

NAMES = {"code_interpreter_call": "code_execution", "computer_call": "computer"}
"""What the tools of the provider are called here, where that is not the type without its ending."""

CLIENT_CALLS = {
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "tool_search_call": "tool_search_output",
}
"""Built-in tools that the caller runs, and the items that answer them; a shell in a container, and a search for tools
that the server makes, are run by the provider.
"""

RESULTS = frozenset(
    {
        "function_call_output", "custom_tool_call_output", "computer_call_output", "local_shell_call_output",
        "shell_call_output", "apply_patch_call_output", "tool_search_output", "mcp_approval_response", "program_output",
    }
)  # fmt: skip
"""Items that hold what a tool gave, or what the caller said to a question."""

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
"""Values of `include`."""


def name_of(type: str) -> str:
    """The name of the tool that an item of this type is about."""
    return NAMES.get(type, type.removesuffix("_call"))
