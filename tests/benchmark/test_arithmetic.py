"""The products that a benchmark counts are those that the model makes: no more and no fewer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diptych import reference
from diptych.benchmark.arithmetic import decoding_products, training_products
from diptych.config import ModelConfig
from diptych.parameters.initialization import initial_parameters
from diptych.parameters.specification import specification

ROWS, SOURCE, TARGET = 3, 5, 4
VOCABULARIES = (11, 13)
CONFIGS = {
    "general": {"attention": "general"},
    "additive": {"attention": "additive"},
    "concat": {"attention": "concat", "attention_size": 9},
    "dot": {"attention": "dot", "decoder_size": 6},
    "none": {"attention": "none"},
    "lstm": {"cell": "lstm", "attention": "additive"},
    "rnn, one way": {"cell": "rnn", "bidirectional": False, "attention": "general"},
    "layers": {"encoder_layers": 2, "decoder_layers": 3, "attention": "concat"},
    "layers in a loop": {"decoder_layers": 2, "attention": "additive", "input_feeding": True},
    "fed": {"attention": "general", "input_feeding": True},
    "no attentional layer": {"attentional_layer": False, "attention": "general"},
    "copied": {"bridge": "copy", "decoder_size": 6, "attention": "general"},
    "zeros, tied": {"bridge": "zero", "tie_target_output": True, "attention": "additive"},
}


class Counting(np.ndarray):
    """An array that counts the arithmetic of the matrix products it is in, and so do all that are computed from it."""

    operations = 0
    __array_priority__ = 1.0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(array) for array in inputs]
        if options.get("out"):
            options["out"] = tuple(np.asarray(array) for array in options["out"])
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc is np.matmul and result.shape[-1] > 1:  # a sum weighted by a vector is no product of matrices
            Counting.operations += 2 * result.size * plain[0].shape[-1]
        return np.asarray(result).view(Counting)


def counted(choices) -> int:
    """The arithmetic of a whole forward pass of the reference over a batch without padding."""
    config = make(choices)
    model = reference.Model(config, *VOCABULARIES, "float64")
    reference.load_parameters(model, initial_parameters(config, *VOCABULARIES, 1))
    for name in model.specification:
        owner, (*path, attribute) = model, name.split(".")
        for part in path:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
        setattr(owner, attribute, getattr(owner, attribute).view(Counting))
    prepare = model.decoder.source
    model.decoder.source = lambda memory, mask: prepare(memory.view(Counting), mask)
    Counting.operations = 0
    source, target = np.full((ROWS, SOURCE), 5, np.int32), np.full((ROWS, TARGET), 5, np.int32)
    model(source, np.full(ROWS, SOURCE, np.int32), target)
    return Counting.operations


def make(choices) -> ModelConfig:
    return ModelConfig(
        **{"embedding_size": 7, "encoder_size": 3, "decoder_size": 8, "attentional_size": None, "dropout": 0.0}
        | choices
    )


@pytest.mark.parametrize("choices", CONFIGS.values(), ids=CONFIGS)
def test_a_forward_pass_makes_exactly_these_products(choices):
    found = training_products(make(choices), VOCABULARIES[1], ROWS, SOURCE, TARGET, ROWS * TARGET)
    assert sum(product.operations for product in found if product.part == "forward") == counted(choices)


@pytest.mark.parametrize("choices", CONFIGS.values(), ids=CONFIGS)
def test_each_product_has_two_gradients_of_the_same_arithmetic(choices):
    found = training_products(make(choices), VOCABULARIES[1], ROWS, SOURCE, TARGET, ROWS * TARGET)
    assert len({(product.name, product.part) for product in found}) == len(found)
    for forward, *gradients in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert {forward.name} == {each.name for each in gradients}
        assert [forward.part, *(each.part for each in gradients)] == ["forward", "input gradient", "weight gradient"]
        assert {forward.operations} == {each.operations for each in gradients}
        assert gradients[1].count == 1  # a loop's gradient is made at its end


@pytest.mark.parametrize("choices", CONFIGS.values(), ids=CONFIGS)
def test_every_weight_is_in_a_product_with_the_positions_that_need_it(choices):
    config = make(choices)
    tokens = 7  # of ROWS * TARGET positions
    expected = 0
    for name, weight in specification(config, *VOCABULARIES).items():
        if weight.kind in ("input", "recurrent", "dense") and weight.shape[0] > 1:
            positions = {"encoder": ROWS * SOURCE, "bridge": ROWS, "output_layer": tokens}
            times = positions.get(name.partition(".")[0], ROWS * TARGET)
            times = ROWS * SOURCE if name.startswith("decoder.attention.memory") else times
            expected += 3 * 2 * times * math.prod(weight.shape)
    if config.tie_target_output:
        expected += 3 * 2 * tokens * VOCABULARIES[1] * config.embedding_size
    found = training_products(config, VOCABULARIES[1], ROWS, SOURCE, TARGET, tokens)
    assert sum(each.operations for each in found if each.batch == 1) == expected


@pytest.mark.parametrize("choices", CONFIGS.values(), ids=CONFIGS)
def test_decoding_is_a_forward_pass_one_step_at_a_time(choices):
    config = make(choices)
    forward = training_products(config, VOCABULARIES[1], ROWS, SOURCE, TARGET, ROWS * TARGET)
    stepwise = decoding_products(config, VOCABULARIES[1], ROWS, SOURCE, [ROWS] * TARGET)

    def by_name(products):
        return {each.name: each.operations for each in products if each.part == "forward"}

    assert by_name(stepwise) == by_name(forward)


def test_rows_that_have_ended_are_not_extended():
    config = make({"attention": "general"})
    found = decoding_products(config, VOCABULARIES[1], 4, SOURCE, [4, 20, 20, 5])
    output = [(each.m, each.count) for each in found if each.name == "output layer"]
    assert output == [(4, 1), (5, 1), (20, 2)]
