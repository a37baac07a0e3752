"""The names of what goes in and comes out of the files, which those who run them go by.

    encoder_model.onnx   input_ids (B, S), input_lengths (B,)  ->  memory.*, present_state.*
    decoder_model.onnx   input_ids (N,), memory.*, past_state.*  ->  log_probabilities (N, V), attention (N, S),
                                                                     features (N, F), present_state.*

The features are what the output layer sees: who projects some words alone asks for them and not for log-probabilities.

What one step calls present_state.X, the next one takes as past_state.X; memory.* stay. A model has, by its config:

    memory.values (B, S, M)  memory.keys (B, S, A) or, for dot and general, (B, A, S)  memory.mask (B, S)
    state.0.hidden (B, H)  state.0.cell (LSTM)  state.1.hidden ..  state.fed (B, F), with input feeding
"""

from __future__ import annotations

from diptych.config import ModelConfig

ENCODER, DECODER, GREEDY = "encoder_model.onnx", "decoder_model.onnx", "greedy_model.onnx"
IDS, LENGTHS, OUTPUT_IDS = "input_ids", "input_lengths", "output_ids"
LOG_PROBABILITIES, ATTENTION, FEATURES = "log_probabilities", "attention", "features"
VALUES, KEYS, MASK = "memory.values", "memory.keys", "memory.mask"
FED = "fed"


def state_names(config: ModelConfig) -> list[str]:
    """What a decoder carries from step to step, without past_state. or present_state."""
    parts = ("hidden", "cell") if config.cell == "lstm" else ("hidden",)
    layers = [f"{layer}.{part}" for layer in range(config.decoder_layers) for part in parts]
    return [*layers, FED] if config.input_feeding else layers


def memory_names(config: ModelConfig) -> list[str]:
    """What a decoder needs of the source, the same at each step; nothing without attention."""
    return [VALUES, KEYS, MASK] if config.attention != "none" else []


def state_size(config: ModelConfig, name: str) -> int:
    """The size of a part of the state."""
    return config.feature_size if name == FED else config.decoder_size


def past(name: str) -> str:
    """What a part of the state is called where it goes in."""
    return f"past_state.{name}"


def present(name: str) -> str:
    """What it is called where it comes out."""
    return f"present_state.{name}"
