"""Loops over time steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import Tensor

from diptych.panel.nests import leaves, rebuild

# `tf.scan` and `tf.TensorArray` read and write by index, and the gradient of a read by index takes time in proportion
# to the number of steps. Popping from a list and pushing to one take the same time at every step, and so do their
# gradients. TensorFlow offers such lists as `tf.raw_ops` alone, which are public; no other file uses any.


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
    stacks = [part if reverse else tf.reverse(part, [0]) for part in leaves(inputs)]
    waiting, now = _pop_all([_to_list(stack) for stack in stacks], stacks)
    state, outputs = body(state, rebuild(inputs, now))  # the first step, which shows what outputs there are
    done = [_push(_empty_list(part), part) for part in leaves(outputs)]

    def step(state: Any, waiting: list[Tensor], done: list[Tensor]) -> tuple[Any, list[Tensor], list[Tensor]]:
        waiting, now = _pop_all(waiting, stacks)
        state, outputs = body(state, rebuild(inputs, now))
        return state, waiting, [_push(*pair) for pair in zip(done, leaves(outputs), strict=True)]

    def more(state: Any, waiting: list[Tensor], done: list[Tensor]) -> Tensor:
        return tf.raw_ops.TensorListLength(input_handle=waiting[0]) > 0

    most = tf.shape(stacks[0])[0] - 1
    state, _, done = tf.while_loop(more, step, (state, waiting, done), maximum_iterations=most)
    stacked = [_stack(*pair) for pair in zip(done, leaves(outputs), strict=True)]
    return state, rebuild(outputs, [tf.reverse(part, [0]) for part in stacked] if reverse else stacked)


def _to_list(tensor: Tensor) -> Tensor:
    """A list of the slices of a tensor along its first axis."""
    return tf.raw_ops.TensorListFromTensor(tensor=tensor, element_shape=_shape(tensor.shape[1:]))


def _empty_list(like: Tensor) -> Tensor:
    """A list for elements such as this one."""
    return tf.raw_ops.EmptyTensorList(element_shape=_shape(like.shape), max_num_elements=-1, element_dtype=like.dtype)


def _pop_all(lists: list[Tensor], stacks: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The lists without their last elements, and those elements; each of `stacks` is a stack of such elements."""
    rests, elements = [], []
    for handle, stack in zip(lists, stacks, strict=True):
        shape = stack.shape[1:]
        rest, element = tf.raw_ops.TensorListPopBack(
            input_handle=handle, element_shape=_shape(shape), element_dtype=stack.dtype
        )
        rests.append(rest)
        elements.append(tf.ensure_shape(element, shape))
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
