"""The formulas that take more than a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert import kinds
from diptych.convert.judge.activations import softmax

Values = npt.NDArray[Any]
Named = Mapping[str, Values]


def layer_normalization(kind: kinds.LayerNormalization, x: Named, w: Named) -> Values:
    """Ba et al. 2016: (x - mean) / sqrt(variance + epsilon) * weight + bias."""
    centred = x["x"] - x["x"].mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + kind.epsilon) * w.get("weight", 1.0) + w.get("bias", 0.0))


def batch_normalization(kind: kinds.BatchNormalization, x: Named, w: Named) -> Values:
    """Ioffe and Szegedy 2015, with the stored mean and variance."""
    scaled = (x["x"] - w["mean"]) / np.sqrt(w["variance"] + kind.epsilon)
    return np.asarray(scaled * w.get("weight", 1.0) + w.get("bias", 0.0))


def paddings(kind: kinds.Convolution, length: int, width: int) -> tuple[int, int]:
    """How many steps of zeros a convolution adds before and after."""
    reach = kind.dilation * (width - 1)
    if isinstance(kind.padding, tuple):
        return kind.padding
    if kind.padding == "valid":
        return 0, 0
    if kind.padding == "causal":
        return reach, 0
    missing = max((-(-length // kind.stride) - 1) * kind.stride + reach + 1 - length, 0)
    return missing // 2, missing - missing // 2


def convolution(kind: kinds.Convolution, x: Named, w: Named) -> Values:
    """A cross-correlation along time."""
    width = w["weight"].shape[2]
    padded = np.pad(x["x"], ((0, 0), paddings(kind, x["x"].shape[1], width), (0, 0)))
    starts = np.arange(0, padded.shape[1] - kind.dilation * (width - 1), kind.stride)
    windows = padded[:, starts[:, None] + kind.dilation * np.arange(width)]  # (B, T', width, C)
    pieces = [
        np.einsum("btwc,ocw->bto", part, weight)
        for part, weight in zip(np.split(windows, kind.groups, axis=-1), np.split(w["weight"], kind.groups))
    ]
    return np.asarray(np.concatenate(pieces, axis=-1) + w.get("bias", 0.0))


def pooling(kind: kinds.Pooling, x: Named, w: Named) -> Values:
    """Over windows that lie wholly within x."""
    starts = np.arange(0, x["x"].shape[1] - kind.size + 1, kind.stride)
    windows = x["x"][:, starts[:, None] + np.arange(kind.size)]
    return np.asarray(windows.mean(axis=2)) if kind.mode == "mean" else largest(windows, axis=2)


def largest(x: Values, axis: int, keep: bool = False) -> Values:
    """The value with the largest real part along an axis."""
    place = np.expand_dims(x.real.argmax(axis=axis), axis)
    found = np.take_along_axis(x, place, axis=axis)
    return found if keep else np.squeeze(found, axis)


def global_pooling(kind: kinds.GlobalPooling, x: Named, w: Named) -> Values:
    """Over time; a mask bears on the mean only, as in Keras."""
    if kind.mode == "max":
        return largest(x["x"], 1, kind.keep_axis)
    if "mask" not in x:
        return np.asarray(x["x"].mean(axis=1, keepdims=kind.keep_axis))
    mask = x["mask"][..., None]
    with np.errstate(invalid="ignore", divide="ignore"):  # a row without a step has no mean: NaN, as in Keras
        return np.asarray(
            np.where(mask, x["x"], 0).sum(axis=1, keepdims=kind.keep_axis) / mask.sum(axis=1, keepdims=kind.keep_axis)
        )


def attention(kind: kinds.Attention, x: Named, w: Named) -> dict[str, Values]:
    """Luong et al. 2015 (dot) and Bahdanau et al. 2015 (additive, without the projections)."""
    query, value = x["query"], x["value"]
    key = x.get("key", value)
    if kind.score == "dot":
        scores = query @ np.swapaxes(key, 1, 2) * w.get("scale", 1.0)
    else:
        scores = (np.tanh(query[:, :, None] + key[:, None]) * w.get("scale", 1.0)).sum(axis=-1)
    allowed = np.ones(scores.shape, bool)
    if "mask" in x:
        allowed &= x["mask"][:, None]
    if kind.causal:
        allowed &= np.tri(*scores.shape[1:], dtype=np.bool_)
    weights = softmax(scores - np.where(allowed, 0.0, 1e9))
    output = weights @ value
    if "query_mask" in x:
        output = np.where(x["query_mask"][..., None], output, 0)
    return {"output": output, "weights": weights}


def merge(kind: kinds.Merge, x: Named, w: Named) -> Values:
    """Elementwise, from left to right."""
    total, *others = (x[f"x{number}"] for number in range(len(x)))
    for other in others:
        if kind.mode in ("add", "average"):
            total = total + other
        elif kind.mode == "multiply":
            total = total * other
        elif kind.mode == "subtract":
            total = total - other
        elif kind.mode == "divide":
            total = total / other
        else:
            larger = total.real >= other.real
            total = np.where(larger == (kind.mode == "maximum"), total, other)
    return np.asarray(total / len(x) if kind.mode == "average" else total)


def part(kind: kinds.Slice, x: Named, w: Named) -> Values:
    """Some places on an axis."""
    where: list[slice] = [slice(None)] * x["x"].ndim
    where[kind.axis] = slice(kind.start, kind.stop, kind.step)
    return x["x"][tuple(where)]


def reduce(kind: kinds.Reduce, x: Named, w: Named) -> Values:
    """The sum, mean or largest along an axis."""
    if kind.mode == "max":
        return largest(x["x"], kind.axis, kind.keep_axis)
    find = np.sum if kind.mode == "sum" else np.mean
    return np.asarray(find(x["x"], axis=kind.axis, keepdims=kind.keep_axis))
