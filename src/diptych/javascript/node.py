"""The JavaScript painting, run by node: what the parity ladder and an export's certificate ask it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from diptych.config import ModelConfig, SearchConfig
from diptych.errors import BackendError
from diptych.javascript.packed import Kind, pack, settings

SCRIPT = Path(__file__).with_name("node.mjs")
SECONDS = 600


def is_installed() -> bool:
    """Whether there is a node to run it."""
    return shutil.which("node") is not None


def ask(
    config: ModelConfig,
    parameters: Mapping[str, npt.NDArray[Any]],
    sources: Sequence[Sequence[int]],
    said: Sequence[Sequence[int]] = (),
    searches: Sequence[SearchConfig] = (),
    longest: Sequence[int] = (),
    kind: Kind = "float64",
) -> dict[str, Any]:
    """What the painting computes of some sentences, each by itself.

    Args:
        config: the model's.
        parameters: its weights.
        sources: the token ids of each sentence.
        said: for the first sentences, tokens that are said whatever the model thinks, eos last.
        searches: with which all sentences are translated; a sentence's sample belongs to its place.
        longest: the most tokens of each translation.
        kind: in which the weights go there; it computes in float64.

    Returns:
        `node`, its version; `forced`, for each sentence and step {"table": (V), "attention": (S)}; `found`, for each
        search and sentence its hypotheses {"tokens", "logProbability", "score"}.

    Raises:
        BackendError: there is no node, or it fails.
    """
    node = shutil.which("node")
    if node is None:
        raise BackendError(
            "the JavaScript painting is run by node, not installed here: Debian and Ubuntu: apt-get install nodejs"
        )
    layout, data = pack(parameters, kind)
    request = {
        "config": settings(config),
        "layout": layout,
        "sources": [[int(token) for token in source] for source in sources],
        "said": [[int(token) for token in tokens] for tokens in said],
        "longest": [int(length) for length in longest],
        "searches": [search.model_dump(mode="json") for search in searches],
    }
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        weights = Path(folder) / "weights"
        weights.write_bytes(data)
        try:
            finished = subprocess.run(
                [node, str(SCRIPT), str(weights)],
                input=json.dumps(request),
                capture_output=True,
                encoding="utf-8",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BackendError(f"node was not done within {SECONDS} seconds: the model is large for it") from error
    if finished.returncode != 0:
        raise BackendError(f"node failed: {' '.join(finished.stderr.split())[:300]}")
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer
