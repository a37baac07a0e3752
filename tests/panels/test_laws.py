"""Laws that each panel keeps by itself, in float64: of padding, of batches, of attention, of decoding and of loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

PANELS = ("tensorflow", "pytorch", "reference")
FRAMEWORKS = ("tensorflow", "pytorch")
MODELS = {
    "additive": {"cell": "gru", "encoder_layers": 2, "attention": "additive", "input_feeding": True},
    "general": {"cell": "lstm", "decoder_layers": 2, "attention": "general", "attentional_layer": False},
    "dot, fed": {"cell": "rnn", "attention": "dot", "bridge": "copy", "input_feeding": True},
    "concat": {"cell": "gru", "bidirectional": False, "attention": "concat", "bridge": "zero", "decoder_layers": 2},
    "none": {
        "cell": "lstm",
        "encoder_layers": 2,
        "decoder_layers": 2,
        "attention": "none",
        "attentional_layer": False,
    },
}
LENGTHS = {"source_lengths": (3, 1, 4), "target_lengths": (2, 4, 1)}
ROWS = np.array([2, 0, 1])


@pytest.fixture(scope="module", params=MODELS)
def case(bench, request):
    """A model's config, its weights, a batch and its masks."""
    config = bench.config(**MODELS[request.param])
    batch = bench.batch(**LENGTHS)
    return config, bench.parameters(config), batch, bench.masks(config, batch)


@pytest.fixture(scope="module", params=PANELS)
def panel(request):
    return request.param


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request):
    return request.param


def wider(masks, columns):
    """Masks of a batch with so many more columns of padding, where they keep every other number."""
    return {
        place: np.concatenate([mask, np.arange(columns * mask.shape[2]).reshape(1, columns, -1) % 2 == mask[:, :1]], 1)
        for place, mask in masks.items()
    }


def test_padding_changes_no_logit_and_no_attention(bench, close, panel, case):
    config, parameters, batch, masks = case
    model = bench.model(panel, config, parameters)
    logits, weights = bench.forward(panel, model, batch, masks)
    padded, padded_weights = bench.forward(panel, model, bench.padded(batch, 3), wider(masks, 3))
    real = bench.real(batch)
    close(padded[:, :-3][real], logits[real])
    close(padded_weights[:, :-3, :-3][real], weights[real])
    assert (padded_weights[:, :, -3:] == 0.0).all()


def test_padding_changes_no_loss_and_no_gradient(bench, close, framework, case):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters, label_smoothing=0.1)
    loss, gradients = trainer.gradients(batch, masks)
    padded_loss, padded_gradients = trainer.gradients(bench.padded(batch, 2), wider(masks, 2))
    close(padded_loss, loss)
    close(padded_gradients, gradients)
    close(trainer.evaluate(bench.padded(batch, 2)), trainer.evaluate(batch))


def test_what_stands_at_padding_changes_nothing(bench, close, framework, case):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters)
    padded = bench.padded(batch, 1)
    read, said = (np.arange(5) < lengths[:, None] for lengths in (batch.source_lengths, batch.target_lengths))
    tokens = {"source": read, "target_input": said, "target_output": said}
    dirty = replace(padded, **{name: np.where(real, getattr(padded, name), 5) for name, real in tokens.items()})
    loss, gradients = trainer.gradients(padded, wider(masks, 1))
    dirty_loss, dirty_gradients = trainer.gradients(dirty, wider(masks, 1))
    close(dirty_loss, loss)
    close(dirty_gradients, gradients)


def test_the_order_of_rows_changes_nothing(bench, close, framework, case):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters)
    moved = bench.rows(batch, ROWS), {place: mask[ROWS] for place, mask in masks.items()}
    logits, weights = bench.forward(framework, trainer.model, batch, masks)
    moved_logits, moved_weights = bench.forward(framework, trainer.model, *moved)
    close(moved_logits, logits[ROWS])
    close(moved_weights, weights[ROWS])
    loss, gradients = trainer.gradients(batch, masks)
    moved_loss, moved_gradients = trainer.gradients(*moved)
    close(moved_loss, loss)
    close(moved_gradients, gradients)


def test_a_batch_of_one_equals_its_row(bench, close, panel, case):
    config, parameters, batch, masks = case
    model = bench.model(panel, config, parameters)
    logits, weights = bench.forward(panel, model, batch, masks)
    for row in range(len(batch.source)):
        read, said = batch.source_lengths[row], batch.target_lengths[row]
        one = bench.rows(batch, [row])
        one = replace(one, source=one.source[:, :read], target_input=one.target_input[:, :said])
        kept = {}
        for place, mask in masks.items():
            of_source = place == "source_embedding" or place.startswith("encoder.")
            kept[place] = mask[[row], : read if of_source else said]
        one_logits, one_weights = bench.forward(panel, model, one, kept)
        close(one_logits[0], logits[row, :said])
        close(one_weights[0], weights[row, :said, :read])


def test_a_batch_s_gradient_is_that_of_its_rows_weighted_by_their_tokens(bench, close, framework, case):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters)
    loss, gradients = trainer.gradients(batch, masks)
    by_row = [
        trainer.gradients(bench.rows(batch, [row]), {place: mask[[row]] for place, mask in masks.items()})
        for row in range(len(batch.source))
    ]
    shares = batch.target_lengths / batch.target_tokens
    close(sum(share * row_loss for share, (row_loss, _) in zip(shares, by_row, strict=True)), loss)
    expected = {name: sum(s * g[name] for s, (_, g) in zip(shares, by_row, strict=True)) for name in gradients}
    close(gradients, expected)


def test_attention_sums_to_one_and_is_zero_at_padding(bench, panel, case):
    config, parameters, batch, masks = case
    _, weights = bench.forward(panel, bench.model(panel, config, parameters), batch, masks)
    padding = np.arange(batch.source.shape[1]) >= batch.source_lengths[:, None]
    assert (weights.swapaxes(1, 2)[padding] == 0.0).all()
    if config.attention == "none":
        assert (weights == 0.0).all()
    else:
        np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-14)
        assert (weights.swapaxes(1, 2)[~padding] > 0.0).all()


def test_the_memory_is_zero_at_padding(bench, panel, case):
    config, parameters, batch, masks = case
    memory = bench.encode(panel, bench.model(panel, config, parameters), batch, masks)["memory"]
    real = np.arange(batch.source.shape[1]) < batch.source_lengths[:, None]
    assert (memory[~real] == 0.0).all()
    assert (memory[real] != 0.0).all()


@pytest.fixture(scope="module")
def stepper(bench, panel, case):
    """What decodes with a case's model, made once: TensorFlow traces it."""
    config, parameters, *_ = case
    return bench.panels[panel].Stepper(bench.model(panel, config, parameters))


def test_decoding_step_by_step_gives_what_teacher_forcing_gives(bench, close, panel, case, stepper):
    config, parameters, batch, _ = case
    model = bench.model(panel, config, parameters)
    logits, weights = bench.forward(panel, model, batch)
    expected = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    state = stepper.start(batch.source, batch.source_lengths)
    for t in range(batch.target_input.shape[1]):
        log_probabilities, attention, state = stepper.step(state, batch.target_input[:, t])
        close(log_probabilities, expected[:, t])
        close(attention, weights[:, t])


def test_reorder_takes_rows_and_leaves_the_old_state_alone(close, case, stepper):
    _, _, batch, _ = case
    _, _, state = stepper.step(stepper.start(batch.source, batch.source_lengths), np.array([4, 5, 6], np.int32))
    tokens = np.array([7, 3, 8], np.int32)
    log_probabilities, attention, following = stepper.step(state, tokens)
    for rows in (np.array([2, 0, 0, 1, 2]), np.array([1])):
        log_probabilities_now, attention_now, following_now = stepper.step(stepper.reorder(state, rows), tokens[rows])
        close(log_probabilities_now, log_probabilities[rows])
        close(attention_now, attention[rows])
        later, _, _ = stepper.step(following_now, tokens[rows])
        close(later, stepper.step(following, tokens)[0][rows])
    close(stepper.step(state, tokens)[0], log_probabilities)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.9])
def test_the_loss_is_the_formula(bench, close, panel, label_smoothing):
    random = np.random.default_rng(3)
    logits, targets = 3.0 * random.standard_normal((6, 5)), np.array([0, 4, 2, 2, 1, 3], np.int32)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    plain = -log_probabilities[np.arange(6), targets].sum()
    expected = (1.0 - label_smoothing) * plain - label_smoothing * log_probabilities.mean(axis=1).sum()
    cross_entropy = bench.panels[panel].cross_entropy
    loss = cross_entropy(bench.tensor(panel, logits), bench.tensor(panel, targets), label_smoothing)
    close(bench.array(loss), expected)
    if label_smoothing == 0.0:
        close(bench.array(loss), plain)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_the_loss_is_a_mean_over_real_tokens_only(bench, close, framework, case, label_smoothing):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters, label_smoothing=label_smoothing)
    logits, _ = bench.forward("reference", bench.model("reference", config, parameters), batch, masks)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected, tokens = 0.0, 0
    for row, length in enumerate(batch.target_lengths):
        for t in range(length):
            now = log_probabilities[row, t]
            expected -= (1.0 - label_smoothing) * now[batch.target_output[row, t]] + label_smoothing * now.mean()
            tokens += 1
    close(trainer.gradients(batch, masks)[0], expected / tokens)
    reference = bench.model("reference", config, parameters)
    close(trainer.evaluate(batch), bench.reference_loss(reference, batch) * tokens)  # summed, no dropout, no smoothing


def test_dropout_at_each_place_changes_the_loss(bench, framework, case):
    config, parameters, batch, masks = case
    trainer = bench.trainer(framework, config, parameters)
    kept = {place: np.ones_like(mask) for place, mask in masks.items()}
    loss = trainer.gradients(batch, kept)[0]
    assert loss != trainer.gradients(batch, {})[0]  # what is kept is scaled
    for place, mask in masks.items():
        assert trainer.gradients(batch, {**kept, place: mask})[0] != loss, place


def test_dropout_drops_and_scales(bench, close, panel):
    inputs, mask = np.random.default_rng(4).standard_normal((2, 3, 4)), np.arange(24).reshape(2, 3, 4) % 3 > 0
    apply_dropout = bench.panels[panel].apply_dropout
    masks = {"here": bench.tensor(panel, mask)}
    close(bench.array(apply_dropout(bench.tensor(panel, inputs), masks, "here", 0.2)), inputs * mask / 0.8)
    close(bench.array(apply_dropout(bench.tensor(panel, inputs), masks, "there", 0.2)), inputs)
