"""The three panels give the same logits and the same attention, over the whole grid of models, in float64."""

from __future__ import annotations

from itertools import product

import pytest

CELLS = ("gru", "lstm", "rnn")
LAYERS = (1, 2)
DIRECTIONS = {"one-way": False, "bidirectional": True}
BRIDGES = ("zero", "copy", "dense")
ATTENTIONS = ("none", "additive", "dot", "general", "concat")


def variants(*place):
    """The (attentional layer, input feeding) at one place of the grid: two of the four, the other two next door.

    So each occurs with every pair of the other choices. Without attention there is nothing to feed.
    """
    if place[-1] == "none":
        return [(True, False), (False, False)]
    choices = (CELLS, LAYERS, tuple(DIRECTIONS), BRIDGES, ATTENTIONS)
    odd = sum(values.index(value) for values, value in zip(choices, place, strict=True)) % 2
    return [(True, False), (False, True)] if odd else [(True, True), (False, False)]


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_three_panels_agree(bench, close, cell, layers, direction, bridge, attention):
    batch = bench.batch(source_lengths=(2, 1, 3), target_lengths=(1, 3, 2))
    for attentional_layer, input_feeding in variants(cell, layers, direction, bridge, attention):
        config = bench.config(
            cell=cell,
            encoder_layers=layers,
            decoder_layers=layers,
            bidirectional=DIRECTIONS[direction],
            bridge=bridge,
            attention=attention,
            attentional_layer=attentional_layer,
            input_feeding=input_feeding,
        )
        parameters, masks = bench.parameters(config), bench.masks(config, batch)
        found = {
            name: bench.forward(name, bench.model(name, config, parameters), batch, masks) for name in bench.panels
        }
        logits, weights = found.pop("reference")
        for name, (panel_logits, panel_weights) in found.items():
            close(panel_logits, logits, what=f"{name}: logits, {config!r}")
            close(panel_weights, weights, what=f"{name}: attention, {config!r}")


def test_the_grid_has_every_variant_with_every_pair_of_choices():
    places = list(product(CELLS, LAYERS, DIRECTIONS, BRIDGES, ATTENTIONS[1:]))
    met = {(pair, variant) for place in places for variant in variants(*place) for pair in pairs(place)}
    assert met == {
        (pair, variant) for place in places for pair in pairs(place) for variant in product((True, False), repeat=2)
    }


def pairs(place):
    """Every two choices at a place of the grid."""
    return [(i, j, place[i], place[j]) for i in range(len(place)) for j in range(i)]
