"""What goes on inside one panel, component by component; runs in that panel's own process.

Every component's output is recorded in the order of computation. Where another panel's trace is given, each component
gets what the other one's components handed on, so that a difference in one does not reach the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from diptych.ladder.probing import find, probe
from diptych.ladder.rungs import Arrays, clipping, copies_of, first_works, ladder_config, starting_parameters
from diptych.panel import TrainingPanel
from diptych.runs.run import Run
from diptych.training.schedule import Work


def trace(
    panel: TrainingPanel, folder: str, weights: str = "", given: str = "", rows: int = 16, steps: int = 3
) -> Arrays:
    """Every component's output in the order of computation, in float64.

    Args:
        panel: a backend's module.
        folder: a run's folder.
        weights: whose best checkpoint to take the weights from; "": the run's initial ones.
        given: a safetensors file with another panel's trace; its arrays go into each next component.
        rows: the most pairs a batch has.
        steps: how many optimizer steps are taken, each from what the other panel has after the step before; with 0
            gradients are left out, too.
    """
    run = Run.open(folder)
    parameters = starting_parameters(run, weights)
    config = ladder_config(run.config, "float64", rows)
    model = replace(run, config=config).build(panel, parameters, "float64")
    recorder = Recorder(panel, load_file(given) if given else {})
    for name, array in panel.export_parameters(model).items():
        recorder.keep(f"parameter {name}", array)
    for name, array in probe(panel, model):
        recorder.keep(name, array)
    panel.load_parameters(model, parameters)
    works = list(first_works(run, config, max(1, steps)))
    _trace_forward(recorder, model, work=works[0], label_smoothing=config.training.label_smoothing)
    _trace_stepper(recorder, model, works[0])
    if steps:
        _trace_training(recorder, panel.TrainingStep(model, clipping(config.training)), model=model, works=works)
    return recorder.arrays


class Recorder:
    """Keeps what a panel computes, and hands on what the other panel computed there, if that is given."""

    def __init__(self, panel: TrainingPanel, given: Arrays) -> None:
        """Start with nothing recorded."""
        self.panel, self.given, self.arrays = panel, given, Arrays()

    def keep(self, name: str, array: npt.ArrayLike) -> npt.NDArray[Any]:
        """Keep an array; returns the one to go on with."""
        self.arrays[name] = np.asarray(array)
        return self.given.get(name, self.arrays[name])

    def __call__(self, name: str, tensor: Any) -> Any:
        """Keep a tensor; returns the one to go on with."""
        return self.panel.to_tensor(self.keep(name, self.panel.to_array(tensor)))


def _trace_forward(recorder: Recorder, model: Any, work: Work, label_smoothing: float) -> None:
    """From the tokens to the loss, dropout on."""
    panel, config, batch = recorder.panel, model.config, work.batch
    masks = {place: panel.to_tensor(mask) for place, mask in work.masks.items()}
    tensors = map(panel.to_tensor, (batch.source, batch.source_lengths, batch.target_input, batch.target_output))
    source, lengths, target_input, target_output = tensors

    def drop(tensor: Any, place: str) -> Any:
        dropped = panel.apply_dropout(tensor, masks, place, rate=config.dropout)
        return recorder(f"dropout at {place}", dropped) if place in masks else tensor

    outputs, states = (
        drop(recorder("source_embedding", model.source_embedding(model.known(source))), "source_embedding"),
        [],
    )
    for number in range(config.encoder_layers):
        inputs = model.with_factors(outputs) if number == 0 else drop(outputs, f"encoder.{number}")
        ends, memory = [], []
        for direction in ("forward", "backward")[: config.directions]:
            name, back = f"encoder.{direction}_layers.{number}", direction == "backward"
            layer = find(model, name)
            _trace_steps(recorder, layer, name=name, inputs=inputs)
            hidden, end = layer(inputs, lengths=lengths, reverse=back)
            memory.append(recorder(f"{name} outputs", hidden))
            ends.append([recorder(f"{name} final state {part}", tensor) for part, tensor in enumerate(end)])
        joined = np.concatenate([panel.to_array(tensor) for tensor in memory], axis=-1)
        outputs = panel.to_tensor(recorder.keep(f"encoder layer {number}", joined))
        parts = zip(*([panel.to_array(part) for part in end] for end in ends), strict=True)
        states.append(tuple(panel.to_tensor(np.concatenate(part, axis=-1)) for part in parts))
    whole, whole_states = model.read(source, lengths, masks)
    recorder("encoder outputs", whole)
    for number, state in enumerate(whole_states):
        for part, tensor in enumerate(state):
            recorder(f"encoder layer {number}, final state {part}", tensor)

    first = [
        tuple(recorder(f"bridge layer {number}, state {part}", tensor) for part, tensor in enumerate(state))
        for number, state in enumerate(model.bridge(states))
    ]
    mask = recorder("source mask", model.encode(source, lengths, masks)[0].mask)
    seen = model.decoder.source(outputs, mask)
    seen = type(seen)(*(recorder(f"decoder source, {part}", getattr(seen, part)) for part in seen._fields))
    embedded = recorder("target_embedding", model.embed_target(target_input))
    embedded = drop(embedded, "target_embedding")
    _trace_decoder_steps(
        recorder, model.decoder, embedded, state=model.decoder.first_state(first), source=seen, masks=masks
    )
    features, weights = model.decoder(embedded, model.decoder.first_state(first), seen, masks)
    real = np.arange(batch.target_output.shape[1]) < batch.target_lengths[:, None]
    recorder.keep("decoder weights at real positions", panel.to_array(weights)[real])
    features = panel.to_tensor(recorder.keep("decoder features", panel.to_array(features) * real[:, :, None]))
    logits = recorder("output_layer", model.project(drop(features, "output")))
    positions = panel.to_tensor(np.flatnonzero(real))
    chosen, targets = (panel.select_positions(values, positions) for values in (logits, target_output))
    if config.copies:
        gate = recorder("copy_gate", model.gate(drop(features, "output")))
        given = panel.select_positions(gate, positions), panel.select_positions(weights, positions)
        copies = panel.to_tensor(copies_of(batch))
        recorder("loss", panel.copying_cross_entropy(chosen, *given, copies, targets, label_smoothing))
    else:
        recorder("loss", panel.cross_entropy(chosen, targets, label_smoothing))
    logits, _ = model(source, lengths, target_input, masks)  # the whole, that its parts are put together alike
    recorder.keep("logits of the whole model", panel.to_array(logits)[real])


def _trace_steps(recorder: Recorder, layer: Any, name: str, inputs: Any) -> None:
    """A recurrent layer step by step, each step from the state that was handed on."""
    state = layer.zero_state(inputs)
    for t in range(inputs.shape[1]):
        _, state = layer(inputs[:, t : t + 1], state)
        state = tuple(recorder(f"{name}, time step {t}, state {part}", tensor) for part, tensor in enumerate(state))


def _trace_decoder_steps(
    recorder: Recorder, decoder: Any, embedded: Any, state: Any, source: Any, masks: dict[str, Any]
) -> None:
    """The decoder step by step, each step from the state that was handed on."""
    inner = {place: mask for place, mask in masks.items() if place.startswith("decoder.")}
    for t in range(embedded.shape[1]):
        now = {place: mask[:, t] for place, mask in inner.items()}
        features, weights, state = decoder.step(embedded[:, t], state, source, masks=now)
        if decoder.config.attends_first:  # it looks before it steps
            recorder(f"decoder.attention, time step {t}", weights)
        layers = tuple(
            tuple(
                recorder(f"decoder.layers.{n}, time step {t}, state {part}", tensor)
                for part, tensor in enumerate(layer)
            )
            for n, layer in enumerate(state.layers)
        )
        if not decoder.config.attends_first:
            recorder(f"decoder.attention, time step {t}", weights)
        recorder(f"decoder features, time step {t}", features)
        state = type(state)(layers, recorder(f"decoder fed, time step {t}", state.fed))


def _trace_stepper(recorder: Recorder, model: Any, work: Work) -> None:
    """The first two steps of a search, the rows reversed between them."""
    stepper, batch = recorder.panel.Stepper(model), work.batch
    state = stepper.start(batch.source, batch.source_lengths)
    for t in range(2):
        log_probabilities, weights, state = stepper.step(
            state, batch.target_input[:, min(t, batch.target_input.shape[1] - 1)]
        )
        recorder.keep(f"stepper log-probabilities, step {t}", log_probabilities)
        recorder.keep(f"stepper attention, step {t}", weights)
        state = stepper.reorder(state, np.arange(len(batch.source))[::-1])


def _trace_training(recorder: Recorder, training: Any, model: Any, works: Sequence[Work]) -> None:
    """Gradients from the loss backwards, then optimizer steps, each from weights and moments that were handed on."""
    panel = recorder.panel
    loss, gradients = training.gradients(works[0].batch, works[0].masks)
    recorder.keep("loss with dropout and label smoothing", loss)
    order = list(reversed(gradients))
    if model.config.attends_first:  # it looks before the layers step, so on the way back it comes after them
        order.sort(key=lambda name: (not name.startswith(("output", "decoder")), name.startswith("decoder.attention.")))
    for name in order:
        recorder.keep(f"gradient {name}", gradients[name])
    recorder.keep("validation loss", training.evaluate(works[0].batch))
    for number, work in enumerate(works, 1):
        result = training.step(work.batch, work.masks, training.config.learning_rate)
        recorder.keep(f"step {number}, loss", result.loss)
        recorder.keep(f"step {number}, gradient norm", result.gradient_norm)
        moments = {
            name: recorder.keep(f"step {number} {name}", array) for name, array in training.export_state().items()
        }
        parameters = {
            name: recorder.keep(f"step {number} parameter {name}", array)
            for name, array in panel.export_parameters(model).items()
        }
        for name, array in probe(panel, model, weights=False):  # whether the step changed what has no name
            recorder.keep(f"step {number}, then {name}", array)
        panel.load_parameters(model, parameters)
        training.load_state(moments, number)
