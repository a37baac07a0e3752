"""What TensorFlow traces once it computes for every batch, and it is what its methods compute untraced."""

from __future__ import annotations

import numpy as np
import pytest

MODELS = {
    "step by step": {"cell": "gru", "attention": "additive", "bidirectional": False},
    "all at once": {"cell": "lstm", "attention": "dot", "bridge": "copy"},
}


@pytest.mark.parametrize("model", ["step by step", pytest.param("all at once", marks=pytest.mark.slow)])
def test_a_graph_gives_what_its_method_gives_and_is_traced_once(bench, close, model):
    config = bench.config(**MODELS[model])
    parameters = bench.parameters(config)
    graph, plain = (
        bench.trainer("tensorflow", config, parameters, graph=graph, label_smoothing=0.1, optimizer="adamw")
        for graph in (True, False)
    )
    for lengths, rate in (((2, 1, 3), (1, 3, 2)), 0.1), (((4,), (2,)), 0.03), (((1, 1), (1, 1)), 0.2):
        batch = bench.batch(*lengths)
        masks = bench.masks(config, batch)
        results = [trainer.step(batch, masks, rate) for trainer in (graph, plain)]
        close(results[0].loss, results[1].loss)
        close(results[0].gradient_norm, results[1].gradient_norm)
        close(graph.evaluate(batch), plain.evaluate(batch))
    panel = bench.panels["tensorflow"]
    close(panel.export_parameters(graph.model), panel.export_parameters(plain.model), 1e-11)
    close(graph.export_state(), plain.export_state(), 1e-11)
    assert sorted(graph._graphs) == [("_evaluate", False), ("_train", True)]
    assert not plain._graphs
    assert graph.compilations == 3, "and the optimizer's pass over the weights"


def test_exact_training_takes_its_average_in_as_one_graph_to_the_bits_of_its_method(bench):
    config = bench.config(**MODELS["step by step"])
    parameters = {name: np.round(values * 2.0**20) / 2.0**20 for name, values in bench.parameters(config).items()}
    trainers = [
        bench.trainer("tensorflow", config, parameters, graph=graph, precision="exact", ema_decay=0.9)
        for graph in (True, False)
    ]
    for lengths in ((2, 1, 3), (1, 3, 2)), ((4,), (2,)), ((1, 1), (1, 1)):
        batch = bench.batch(*lengths)
        for trainer in trainers:
            trainer.step(batch, bench.masks(config, batch), 0.1)
    averages = [[value.numpy() for value in trainer.average.values] for trainer in trainers]
    assert all(np.array_equal(*both) for both in zip(*averages, strict=True))
    assert trainers[0].compilations == 3, "the step, the optimizer's pass and the average's"
