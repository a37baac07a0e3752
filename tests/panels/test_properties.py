"""Any model, any sizes, any lengths: the three panels agree in float64, and the two frameworks in what they learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from diptych.config import ModelConfig, TrainingConfig

FRAMEWORKS = ("tensorflow", "pytorch")
MODELS, TRAININGS, FEW = 35, 20, 10  # examples
# No shrinking: an example takes half a second, and what fails is small already.
QUICK = {"phases": (Phase.explicit, Phase.generate), "suppress_health_check": [HealthCheck.too_slow]}


@st.composite
def configs(draw):
    """Any model that `ModelConfig` allows, small."""
    small = st.integers(1, 4)
    bridge = draw(st.sampled_from(("zero", "copy", "dense")))
    attention = draw(st.sampled_from(("none", "additive", "dot", "general", "concat")))
    bidirectional, attentional_layer = draw(st.booleans()), draw(st.booleans())
    encoder_size, encoder_layers = draw(small), draw(st.integers(1, 3))
    memory_size = encoder_size * (1 + bidirectional)
    equal_sizes = bridge == "copy" or attention == "dot"
    decoder_size = memory_size if equal_sizes else draw(small)
    feature_size = decoder_size + (memory_size if attention != "none" else 0)
    tie_target_output = draw(st.booleans())
    embedding_size = feature_size if tie_target_output and not attentional_layer else draw(small)
    attentional_size = embedding_size if tie_target_output else draw(st.none() | small)
    return ModelConfig(
        cell=draw(st.sampled_from(("gru", "lstm", "rnn"))),
        embedding_size=embedding_size,
        encoder_size=encoder_size,
        encoder_layers=encoder_layers,
        bidirectional=bidirectional,
        decoder_size=decoder_size,
        decoder_layers=encoder_layers if bridge == "copy" else draw(st.integers(1, 3)),
        bridge=bridge,
        attention=attention,
        attention_size=draw(st.none() | small),
        attentional_layer=attentional_layer,
        attentional_size=attentional_size,
        input_feeding=attention != "none" and draw(st.booleans()),
        dropout=draw(st.sampled_from((0.0, 0.2, 0.7))),
        tie_target_output=tie_target_output,
        tie_source_target=draw(st.booleans()),
    )


@st.composite
def lengths(draw):
    """Lengths of up to four sentences and their translations, and columns of padding that none of them needs."""
    length = st.sampled_from((1, 1, 2, 3, 5))
    pairs = draw(st.lists(st.tuples(length, length), min_size=1, max_size=4))
    return *zip(*pairs, strict=True), draw(st.sampled_from((0, 0, 1, 3)))


any_model = given(config=configs(), lengths=lengths(), seed=st.integers(0, 99), smoothing=st.sampled_from((0.0, 0.1)))


@any_model
@settings(max_examples=FEW, **QUICK)
def test_the_three_panels_agree(bench, close, config, lengths, seed, smoothing):
    agree(bench, close, config=config, lengths=lengths, seed=seed, smoothing=smoothing)


@pytest.mark.slow
@any_model
@settings(max_examples=MODELS, **QUICK)
def test_the_three_panels_agree_on_more_of_them(bench, close, config, lengths, seed, smoothing):
    agree(bench, close, config=config, lengths=lengths, seed=seed, smoothing=smoothing)


def agree(bench, close, config, lengths, seed, smoothing):
    batch = bench.batch(*lengths, seed=seed)
    parameters, masks = bench.parameters(config, seed), bench.masks(config, batch, seed)
    reference = bench.model("reference", config, parameters)
    memory = bench.encode("reference", reference, batch, masks)
    logits, attention = bench.forward("reference", reference, batch, masks)
    summed = bench.reference_loss(reference, batch) * batch.target_tokens
    for framework in FRAMEWORKS:
        trainer = bench.trainer(framework, config, parameters, label_smoothing=smoothing)
        close(bench.encode(framework, trainer.model, batch, masks), memory, what=framework)
        found = bench.forward(framework, trainer.model, batch, masks)
        close(found[0], logits, what=f"{framework} logits")
        close(found[1], attention, what=f"{framework} attention")
        close(trainer.evaluate(batch), summed, what=f"{framework} loss")


trainings = st.builds(
    TrainingConfig,
    optimizer=st.sampled_from(("adam", "adamw", "sgd")),
    # So large that the rounding error of a gradient of zero stays as small as it is.
    epsilon=st.just(1e-2),
    momentum=st.sampled_from((0.0, 0.9)),
    weight_decay=st.sampled_from((0.0, 0.1)),
    clip_norm=st.sampled_from((0.0, 0.01, 100.0)),
    label_smoothing=st.sampled_from((0.0, 0.1)),
    precision=st.just("float64"),
)


@pytest.mark.slow
@given(config=configs(), lengths=lengths(), seed=st.integers(0, 99), training=trainings)
@settings(max_examples=TRAININGS, **QUICK)
def test_the_two_frameworks_learn_the_same(bench, close, config, lengths, seed, training):
    batch = bench.batch(*lengths, seed=seed)
    parameters, masks = bench.parameters(config, seed), bench.masks(config, batch, seed)
    random = np.random.default_rng(seed)
    expected = bench.reference_loss(
        bench.model("reference", config, parameters), batch, masks, training.label_smoothing
    )
    kinds = {"sgd": ["velocity"] if training.momentum else []}.get(
        training.optimizer, ["first_moment", "second_moment"]
    )
    state = {f"{kind}.{name}": random.uniform(0.01, 0.1, v.shape) for kind in kinds for name, v in parameters.items()}
    found = {}
    for framework in FRAMEWORKS:
        trainer = bench.trainer(framework, config, parameters, training)
        loss, gradients = trainer.gradients(batch, masks)
        close(loss, expected, what=f"{framework} loss")
        trainer.load_state(state, 3)
        result = trainer.step(batch, masks, 0.05)
        after = bench.panels[framework].export_parameters(trainer.model)
        found[framework] = gradients, {"norm": result.gradient_norm}, after, trainer.export_state()
        assert trainer.steps == 4
        assert trainer.export_state().keys() == state.keys()
    for tensorflow, pytorch in zip(*found.values(), strict=True):
        close(tensorflow, pytorch)
