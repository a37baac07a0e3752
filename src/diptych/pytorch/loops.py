"""Loops over time steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from diptych.panel.nests import leaves, map_nest, rebuild


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]], state: Any, inputs: Any, reverse: bool = False
) -> tuple[Any, Any]:
    """Go over T steps.

    Args:
        body: from a state and one step's inputs to the next state and the step's outputs; each a nest of tensors.
        state: before the first step.
        inputs: a nest of tensors (T, ...).
        reverse: from the last step to the first.

    Returns:
        The state after the last step gone through, and the outputs of each (T, ...), in the inputs' order.
    """
    steps = list(zip(*(leaf.unbind(0) for leaf in leaves(inputs)), strict=True))
    collected = []
    for now in reversed(steps) if reverse else steps:
        state, outputs = body(state, rebuild(inputs, now))
        collected.append(outputs)
    if reverse:
        collected.reverse()
    return state, map_nest(lambda *parts: torch.stack(parts), *collected)
