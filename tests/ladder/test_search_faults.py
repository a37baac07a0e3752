"""Faults planted in what one panel searches with, and in its float32: each is caught by the ladder at its rung."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.panel import BACKENDS
from diptych.search import sampling


def rows_not_reordered(patch, side):
    def reorder(original, stepper, state, rows):
        return original(stepper, state, np.arange(len(rows)) if len(rows) == state.source.mask.shape[0] else rows)

    side.change(patch, "stepper.Stepper", "reorder", reorder)


def stale_state(patch, side):
    def step(original, stepper, state, tokens):
        log_probabilities, weights, after = original(stepper, state, tokens)
        return log_probabilities, weights, after._replace(decoder=state.decoder)

    side.change(patch, "stepper.Stepper", "step", step)


def last_token_fed_again(patch, side):
    def step(original, stepper, state, tokens):
        before = getattr(stepper, "before", tokens)
        stepper.before = tokens
        return original(stepper, state, before if before.shape == tokens.shape else tokens)

    side.change(patch, "stepper.Stepper", "step", step)


def probabilities_without_logarithm(patch, side):
    def step(original, stepper, state, tokens):
        log_probabilities, weights, after = original(stepper, state, tokens)
        return np.exp(log_probabilities), weights, after

    side.change(patch, "stepper.Stepper", "step", step)


def noise_of_the_next_sentence(patch, side):
    noise = sampling.gumbel_noise
    patch.setattr(sampling, "gumbel_noise", lambda seed, row, step, count: noise(seed, row + 1, step, count))


# The fault, the first rung that breaks, and the tensor that is named; the noise is no panel's own.
FAULTS = [
    (rows_not_reordered, "decoding steps", "stepper log-probabilities, step 1"),
    (stale_state, "decoding steps", "stepper log-probabilities, step 1"),
    (last_token_fed_again, "decoding steps", "stepper log-probabilities, step 1"),
    (probabilities_without_logarithm, "decoding steps", "stepper log-probabilities, step 0"),
    (noise_of_the_next_sentence, "sampled tokens", None),
]
CASES = [pytest.param(*fault, backend, id=f"{fault[0].__name__}-{backend}") for fault in FAULTS for backend in BACKENDS]


@pytest.mark.parametrize(("fault", "rung", "tensor", "backend"), CASES)
def test_a_fault_breaks_its_rung_first_and_is_located(bench, monkeypatch, fault, rung, tensor, backend):
    bench.prepare("gru", steps=0, located=0, searches=True)
    fault(monkeypatch, bench.sides[backend])
    assert bench.broken("gru", backend, steps=0, searches=True)[0].name == rung
    if tensor:
        found = bench.locate("gru", backend, steps=0)
        assert found.tensor == tensor, str(found)


def products_of_ten_bits(patch, side):
    """As on a GPU that rounds float32 factors to TensorFloat-32."""

    def call(original, dense, inputs):
        array = side.panel.to_array(inputs)
        if array.dtype == np.float32:
            fraction, exponent = np.frexp(array)
            inputs = side.panel.to_tensor(np.ldexp(np.round(fraction * 2048) / 2048, exponent).astype(np.float32))
        return original(dense, inputs)

    side.change(patch, "attention.Dense", "call", call)


@pytest.mark.parametrize("backend", BACKENDS)
def test_float32_products_of_fewer_bits_break_a_float32_rung_alone(bench, monkeypatch, backend):
    choices = {"precisions": ("float64", "float32")}
    bench.prepare("gru", steps=0, **choices)
    products_of_ten_bits(monkeypatch, bench.sides[backend])
    broken = bench.broken("gru", backend, steps=0, **choices)
    assert (broken[0].name, broken[0].note.split()[0]) == ("attention", backend)
    assert {level.precision for level in broken} == {"float32"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_below_float32_is_caught_in_float64_alone(bench, monkeypatch, backend):
    choices = {"precisions": ("float64", "float32")}
    bench.prepare("gru", steps=0, **choices)
    side = bench.sides[backend]
    side.change(monkeypatch, "panel", "cross_entropy", lambda original, *tensors: original(*tensors) * (1.0 + 1e-9))
    broken = bench.broken("gru", backend, steps=0, **choices)
    assert [(level.name, level.precision) for level in broken] == [("loss", "float64")]
