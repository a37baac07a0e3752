"""What TensorFlow traces once it computes for every batch, and it is what its methods compute untraced."""

from __future__ import annotations

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
