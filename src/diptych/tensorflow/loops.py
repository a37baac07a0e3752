"""Loops over time steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import Tensor


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
    # Popping and pushing is differentiated in constant time a step; indexing, as in a TensorArray, is not.
    inputs = inputs if reverse else tf.nest.map_structure(lambda part: tf.reverse(part, [0]), inputs)
    waiting, now = _pop_all(tf.nest.map_structure(_to_list, inputs), inputs)
    state, outputs = body(state, now)  # the first step, which shows what outputs there are
    done = tf.nest.map_structure(lambda part: _push(_empty_list(part), part), outputs)

    def step(state: Any, waiting: Any, done: Any) -> tuple[Any, Any, Any]:
        waiting, now = _pop_all(waiting, inputs)
        state, outputs = body(state, now)
        return state, waiting, tf.nest.map_structure(_push, done, outputs)

    def more(state: Any, waiting: Any, done: Any) -> Tensor:
        return tf.raw_ops.TensorListLength(input_handle=tf.nest.flatten(waiting)[0]) > 0

    most = tf.shape(tf.nest.flatten(inputs)[0])[0] - 1
    state, _, done = tf.while_loop(more, step, (state, waiting, done), maximum_iterations=most)
    stacked = tf.nest.map_structure(_stack, done, outputs)
    return state, tf.nest.map_structure(lambda part: tf.reverse(part, [0]), stacked) if reverse else stacked


def _to_list(tensor: Tensor) -> Tensor:
    """A list of the slices of a tensor along its first axis."""
    return tf.raw_ops.TensorListFromTensor(tensor=tensor, element_shape=_shape(tensor.shape[1:]))


def _empty_list(like: Tensor) -> Tensor:
    """A list for elements such as this one."""
    return tf.raw_ops.EmptyTensorList(element_shape=_shape(like.shape), max_num_elements=-1, element_dtype=like.dtype)


def _pop_all(handles: Any, likes: Any) -> tuple[Any, Any]:
    """The lists of a nest without their last elements, and those elements; `likes` are stacks of such elements."""
    pairs = []
    for handle, like in zip(tf.nest.flatten(handles), tf.nest.flatten(likes), strict=True):
        shape = like.shape[1:]
        rest, element = tf.raw_ops.TensorListPopBack(
            input_handle=handle, element_shape=_shape(shape), element_dtype=like.dtype
        )
        pairs.append((rest, tf.ensure_shape(element, shape)))
    rests, elements = (tf.nest.pack_sequence_as(likes, part) for part in zip(*pairs, strict=True))
    return rests, elements


def _push(handle: Tensor, element: Tensor) -> Tensor:
    """A list with one more element."""
    return tf.raw_ops.TensorListPushBack(input_handle=handle, tensor=element)


def _stack(handle: Tensor, like: Tensor) -> Tensor:
    """The elements of a list along a new first axis; `like` is such an element."""
    stacked = tf.raw_ops.TensorListStack(
        input_handle=handle, element_shape=_shape(like.shape), element_dtype=like.dtype, num_elements=-1
    )
    return tf.ensure_shape(stacked, [None, *like.shape])


def _shape(shape: tf.TensorShape) -> list[int]:
    """A shape as the list operations take it: -1 for a size that is not known."""
    return [-1 if size is None else size for size in shape]
