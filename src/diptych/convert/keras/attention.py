"""Keras's Attention (dot) and AdditiveAttention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from diptych.convert import kinds
from diptych.convert.keras.reading import Layer, Reader, Value


def read_attention(score: str) -> Callable[[Reader, Layer, list[Value]], list[Value]]:
    """The reader of attention with these scores."""

    def read(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
        arguments = reader.arguments(layer)
        arguments.take("use_scale")
        arguments.take("score_mode", "dot")
        if arguments.take("dropout", 0.0):
            arguments.trained_otherwise.append(f"{layer.path}: dropout acts in training only")
        causal = bool(arguments.take("causal", False) or layer.keywords.get("use_causal_mask"))
        arguments.finish()
        inputs = dict(zip(("query", "value", "key"), (value.ref for value in given)))
        if given[1].mask:
            inputs["mask"] = given[1].mask
        if given[0].mask:
            inputs["query_mask"] = given[0].mask
        if layer.config.get("score_mode", "dot") != "dot":
            raise arguments.refusal("score_mode = 'concat' is not converted; AdditiveAttention is")
        weights = {"scale": layer.arrays[0]} if layer.arrays else {}
        node = reader.add(layer, kinds.Attention(cast(Any, score), causal), inputs, weights)
        outputs = [Value(node("output"), given[0].mask)]
        return [*outputs, Value(node("weights"))] if layer.keywords.get("return_attention_scores") else outputs

    return read
