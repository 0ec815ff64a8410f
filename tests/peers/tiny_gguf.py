"""Writes a tiny random chat model (GGUF, llama architecture) that a real llama.cpp loads in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT, SEED = 64, 2, 4, 128, 8192, 7

BOS, EOS, TURN, TURN_END, CALL, CALL_END = "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"
WORDS = ("hello", "world", "the", "a", "tiny", "model", "says", "yes", "no", "and", "of", "to", "is", "answer", "café")
SYMBOLS = "é→好😀"

# ChatML, tools as in Hermes and Qwen. The prompt of an answer ends in a newline where there are tools and in a space
# where there are none: the weights below know the one from the other by it.
TEMPLATE = r"""
{%- if tools %}
{{- '<|im_start|>system\n' }}
{%- if messages and messages[0].role == 'system' %}{{- messages[0].content + '\n' }}{%- endif %}
{{- '<tools>' }}
{%- for tool in tools %}{{- '\n' + (tool | tojson) }}{%- endfor %}
{{- '\n</tools>\n<tool_call>{"name": <name>, "arguments": <object>}</tool_call><|im_end|>\n' }}
{%- elif messages and messages[0].role == 'system' %}
{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}
{{- '<|im_start|>assistant\n' + (message.content or '') }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) }}
{{- '}</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- elif not (message.role == 'system' and loop.first) %}
{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant' + ('\n' if tools else ' ') }}{%- endif %}
""".strip()


def write_tiny_gguf(path: Path) -> None:
    """Write the model to `path`: the same bytes each time, half a megabyte.

    It writes words and symbols until `max_tokens`, or until a grammar (a JSON Schema, a tool) is fulfilled.
    """
    vocabulary = _build_vocabulary()
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(vocabulary))
    writer.add_token_scores([-float(index) for index in range(len(vocabulary))])
    writer.add_token_types(list(vocabulary.values()))
    names = list(vocabulary)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(names.index(BOS))
    writer.add_eos_token_id(names.index(TURN_END))
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    for name, weights in _build_weights(names).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _build_vocabulary() -> dict[str, TokenType]:
    """Tokens in order. Words need all their prefixes: the tokenizer merges two tokens into a third one at a time."""
    vocabulary = {"<unk>": TokenType.UNKNOWN, BOS: TokenType.CONTROL, EOS: TokenType.CONTROL}
    vocabulary |= {f"<0x{byte:02X}>": TokenType.BYTE for byte in range(256)}
    vocabulary |= {TURN: TokenType.CONTROL, TURN_END: TokenType.CONTROL}
    vocabulary |= {CALL: TokenType.USER_DEFINED, CALL_END: TokenType.USER_DEFINED}
    for word in WORDS:
        for length in range(1, len(word) + 2):
            vocabulary.setdefault(f"▁{word}"[:length], TokenType.NORMAL)
    for character in [*map(chr, range(33, 127)), *SYMBOLS]:
        vocabulary.setdefault(character, TokenType.NORMAL)
    return vocabulary


def _build_weights(names: list[str]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(SEED)

    def draw(*shape: int, scale: float) -> np.ndarray:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    ones = np.ones(WIDTH, np.float32)
    embedding = draw(len(names), WIDTH, scale=1.0)
    output = draw(len(names), WIDTH, scale=0.25)
    # The first dimension is the same for all tokens, so that its output weight is a bias: how likely a token is at all.
    embedding[:, 0] = WIDTH**0.5
    output[:, 0] = [_likelihood(name) for name in names]
    # Toward the embedding of a token: how likely a token is after that one. None is likely after itself.
    output[:, 1:] -= 0.2 * embedding[:, 1:]
    for before, after in (("<0x0A>", CALL), ("}", CALL_END), (CALL_END, TURN_END)):
        output[names.index(after), 1:] += 1.0 * embedding[names.index(before), 1:]
    weights = {"token_embd.weight": embedding, "output_norm.weight": ones, "output.weight": output}
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (WIDTH, WIDTH))
    shapes |= {"ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN)}
    for layer in range(LAYERS):
        weights |= {f"blk.{layer}.{norm}.weight": ones for norm in ("attn_norm", "ffn_norm")}
        weights |= {f"blk.{layer}.{name}.weight": draw(*shape, scale=0.1) for name, shape in shapes.items()}
    return weights


def _likelihood(name: str) -> float:
    if name in SYMBOLS or name[1:] in WORDS:
        return 1.0
    if name == '"':
        return 0.9  # strings end soon
    if name in (CALL, CALL_END, TURN_END):
        return -2.5
    return -0.5 if name.isascii() and name.isprintable() and len(name) == 1 else -3.0
