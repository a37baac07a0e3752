"""The same model in float64, float32 and bfloat16."""

from __future__ import annotations

import numpy as np
import pytest

FRAMEWORKS = ("tensorflow", "pytorch")


@pytest.mark.parametrize(
    ("cell", "framework"),
    [
        pytest.param(cell, framework, marks=pytest.mark.slow if framework == "tensorflow" and cell != "gru" else ())
        for cell in ("gru", "lstm", "rnn")
        for framework in FRAMEWORKS
    ],
)
def test_lower_precisions_come_close(bench, cell, framework):
    config = bench.config(cell=cell, attention="additive" if cell == "gru" else "general", encoder_layers=2)
    parameters, batch = bench.parameters(config), bench.batch((3, 1, 4), (2, 4, 1))
    masks = bench.masks(config, batch)
    found = {}
    for precision in ("float64", "float32", "bfloat16"):
        trainer = bench.trainer(framework, config, parameters, precision=precision, label_smoothing=0.1)
        loss, gradients = trainer.gradients(batch, masks)
        logits, weights = bench.forward(framework, trainer.model, batch, masks) if precision != "bfloat16" else (0, 0)
        kept = np.float64 if precision == "float64" else np.float32
        assert {value.dtype.type for value in gradients.values()} == {kept}
        result = trainer.step(batch, masks, 0.01)
        after = bench.panels[framework].export_parameters(trainer.model)
        assert {value.dtype.type for value in after.values()} == {kept}
        assert result.loss == loss
        found[precision] = loss, gradients, trainer.evaluate(batch), after, logits, weights
    exact = found["float64"]
    for precision, loss_limit, at_least, gradient_limit in (
        ("float32", 1e-6, 1e-9, 1e-5),
        ("bfloat16", 0.02, 1e-4, 0.1),
    ):
        loss, gradients, evaluated, after, logits, weights = found[precision]
        assert loss != exact[0]
        assert abs(loss - exact[0]) <= loss_limit * exact[0]
        assert abs(evaluated - exact[2]) <= loss_limit * exact[2]
        assert at_least <= distance(gradients, exact[1]) <= gradient_limit  # it is this precision, and no better
        assert distance(after, exact[3]) <= gradient_limit
        if precision == "float32":
            np.testing.assert_allclose(logits, exact[4], rtol=0, atol=1e-5)
            np.testing.assert_allclose(weights, exact[5], rtol=0, atol=1e-6)


def distance(actual, expected):
    """The norm of all the differences, as a fraction of the norm of what was expected."""
    differences = sum(np.square(actual[name] - value).sum() for name, value in expected.items())
    return np.sqrt(differences / sum(np.square(value).sum() for value in expected.values()))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_logits_and_log_probabilities_are_float32(bench, framework, precision):
    config, batch = bench.config(), bench.batch((3, 1), (2, 4))
    model = bench.model(framework, config, bench.parameters(config), precision)
    logits, _ = model(*bench.inputs(framework, batch, {}))
    assert "float32" in str(logits.dtype)  # torch.float32, or <dtype: 'float32'>
    stepper = bench.panels[framework].Stepper(model)
    log_probabilities, attention, _ = stepper.step(
        stepper.start(batch.source, batch.source_lengths), batch.target_input[:, 0]
    )
    assert log_probabilities.dtype == attention.dtype == np.float32
    np.testing.assert_allclose(np.exp(log_probabilities).sum(axis=-1), 1.0, rtol=1e-5)
