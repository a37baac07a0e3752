"""The panel's model as two functions of plain names, `encode` and `step`; only ever imported where TensorFlow is.

Names are those of ONNX's files (`diptych.export.onnx.names`) with `_` for a dot: memory_values, memory_keys,
memory_mask, past_state_0_hidden, present_state_0_hidden and so on.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow import Tensor
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from diptych.export.onnx.names import state_names
from diptych.tensorflow.cells import advance
from diptych.tensorflow.decoder import DecoderState, Source
from diptych.tensorflow.model import Model
from diptych.tensorflow.recurrent import RecurrentLayer

MEMORY = ("memory_values", "memory_keys", "memory_mask")


class Graphs(tf.Module):
    """A model's two functions, traced for batches of any size, or for one sentence at a time, of any length.

    For one sentence it goes over the source by index and without a mask: LiteRT has no lists and needs no padding.
    """

    def __init__(self, model: Model, one: bool = False) -> None:
        """Trace the functions."""
        super().__init__()
        self.model = model
        batch = 1 if one else None
        ids = tf.TensorSpec([batch, None], tf.int32 if one else tf.int64, "input_ids")
        lengths = () if one else (tf.TensorSpec([None], tf.int64, "input_lengths"),)
        self.encode = tf.function(self._encode_one if one else self._encode, input_signature=[ids, *lengths])
        made = self.encode.get_concrete_function().structured_outputs
        given = {name.replace("present_", "past_"): value for name, value in made.items()}
        specs = {name: tf.TensorSpec(value.shape, value.dtype, name) for name, value in given.items()}
        self.step = tf.function(self._step)
        token = tf.TensorSpec([batch], ids.dtype, "input_ids")
        self.step_graph = self.step.get_concrete_function(input_ids=token, **specs)

    def _encode(self, input_ids: Tensor, input_lengths: Tensor) -> dict[str, Tensor]:
        source, lengths = tf.cast(input_ids, tf.int32), tf.cast(input_lengths, tf.int32)
        return self._named(*self.model.encode(source, lengths))

    def _encode_one(self, input_ids: Tensor) -> dict[str, Tensor]:
        model, outputs, states = self.model, self.model.source_embedding(input_ids), []
        encoder = model.encoder
        for number, forward in enumerate(encoder.forward_layers):
            inputs = outputs
            outputs, state = over_one(forward, inputs)
            if model.config.bidirectional:
                backward, backward_state = over_one(encoder.backward_layers[number], inputs, reverse=True)
                outputs = tf.concat([outputs, backward], axis=-1)
                state = tuple(tf.concat(pair, axis=-1) for pair in zip(state, backward_state))
            states.append(state)
        mask = tf.ones_like(input_ids, tf.bool)
        return self._named(model.decoder.source(outputs, mask), model.decoder.first_state(model.bridge(states)))

    def _step(self, input_ids: Tensor, **given: Tensor) -> dict[str, Tensor]:
        config = self.model.config
        rows = tf.shape(input_ids)[0]
        parts = ("hidden", "cell") if config.cell == "lstm" else ("hidden",)
        layers = tuple(
            tuple(given[f"past_state_{layer}_{part}"] for part in parts) for layer in range(config.decoder_layers)
        )
        fed = given["past_state_fed"] if config.input_feeding else tf.zeros([rows, 0], layers[0][0].dtype)
        source = Source(*(given[name] for name in MEMORY))
        embedded = self.model.embed_target(tf.cast(input_ids, tf.int32))
        features, weights, state = self.model.decoder.step(embedded, DecoderState(layers, fed), source, {})
        log_probabilities = tf.nn.log_softmax(self.model.project(features), axis=-1)
        return {"log_probabilities": log_probabilities, "attention": weights} | self._named(source, state)

    def _named(self, source: Source, state: DecoderState) -> dict[str, Tensor]:
        """What a function gives by its names."""
        parts: dict[str, Tensor] = dict(zip(MEMORY, source))
        tensors = [part for layer in state.layers for part in layer]
        tensors += [state.fed] if self.model.config.input_feeding else []
        names = state_names(self.model.config)
        return parts | {f"present_state_{name.replace('.', '_')}": value for name, value in zip(names, tensors)}


def over_one(layer: RecurrentLayer, inputs: Tensor, reverse: bool = False) -> tuple[Tensor, Any]:
    """A layer over one sentence (1, S, I): its outputs (1, S, H) and last state, step by step, by index."""
    steps, cell = tf.shape(inputs)[1], layer.cell
    from_input = layer.from_input(inputs)[0]  # (S, gates x H)
    second = layer.bias[1] if cell == "gru" else tf.zeros_like(layer.bias)
    first = tuple(tf.zeros([1, layer.size], inputs.dtype) for _ in layer.zero_state(inputs[:, 0]))
    outputs = tf.TensorArray(inputs.dtype, steps, element_shape=[1, layer.size])

    def turn(step: Tensor, state: Any, outputs: Any) -> tuple[Tensor, Any, Any]:
        place = steps - 1 - step if reverse else step
        from_hidden = state[0] @ layer.recurrent_kernel + second
        state = advance(cell, from_input[place][None], from_hidden=from_hidden, state=state)
        return step + 1, state, outputs.write(place, state[0])

    _, state, outputs = tf.while_loop(lambda step, *_: step < steps, turn, (tf.constant(0), first, outputs))
    return tf.transpose(outputs.stack(), [1, 0, 2]), state


def without_variables(graph: Any) -> Any:
    """The same function with constants for the model's variables, also inside its loops: LiteRT reads none there."""
    frozen, names = convert_variables_to_constants_v2(graph, lower_control_flow=False), sorted(graph.structured_outputs)
    given = {tensor.name.partition(":")[0]: tensor for tensor in frozen.inputs}

    def call(**inputs: Tensor) -> dict[str, Tensor]:
        return dict(zip(names, frozen(*(inputs[name] for name in given))))

    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in given.items()}
    return tf.function(call).get_concrete_function(**specs)
