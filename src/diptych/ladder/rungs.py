"""What one panel computes at each rung of the parity ladder; runs in that panel's own process.

A rung is a dictionary of arrays by name. Every panel is given the same weights, batches and dropout masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import RunConfig, TrainingConfig, TrainingPrecision
from diptych.data.tokens.batches import BOS, Batch, collate, encode_pairs, source_batch
from diptych.panel import Panel, TrainingPanel, real_positions, trains
from diptych.parameters.grid import on_grid
from diptych.parameters.specification import dropout_shapes
from diptych.randomness import dropout_masks, generator
from diptych.runs.run import Run
from diptych.search import Hypothesis, beam, greedy, sample
from diptych.search.stepper import FIRST_CHOICE, Ids, Stepper
from diptych.training.schedule import Place, Work, schedule

Arrays = dict[str, npt.NDArray[Any]]

GRADIENTS, ONE_STEP, DECODING = "gradients", "one step", "decoding steps"
# What the search rungs do; no rung, but the weights they search with.
SEARCHED = "searched weights"
SENTENCES, LONGEST, FORCED_STEPS = 24, 40, 4
CLIP_NORM = 0.1
EXACT = "exact"
SUMS = "sum of all weights after each step"
FREE_STEPS = 20
"""Without rounding to a grid, a rounding error grows tenfold in 20 to 40 steps: after more, equality proves nothing."""
GRID_EXPONENT = 16
"""Of the ladder's exact training. A coarse one: the ladder takes no near ties over, and here there are hardly any."""
TEMPERATURE, SAMPLING_SEED = 0.8, 1
BEAM_SIZE, LENGTH_PENALTY = 4, 0.6


def ladder_config(config: RunConfig, precision: TrainingPrecision, rows: int) -> RunConfig:
    """A run's config with everything on that could part two panels, and at most `rows` pairs a batch.

    Dropout, clipping, label smoothing and weight decay keep the config's values where it has them. Batches are of so
    many pairs, whatever the config's are of.
    """
    model, training = config.model, config.training
    on = {
        "precision": precision,
        "grid_exponent": GRID_EXPONENT,
        "batch_by": "sentences",
        "batch_size": min(training.batch_size, rows),
        "clip_norm": training.clip_norm or 1.0,
        "label_smoothing": training.label_smoothing or 0.1,
        "weight_decay": training.weight_decay or 0.01,
        "maximum_steps": 0,
        "epochs": 10**6,
    }
    return config.model_copy(
        update={
            "model": model.model_copy(update={"dropout": model.dropout or 0.1}),
            "training": training.model_copy(update=on),
        }
    )


def clipping(config: TrainingConfig) -> TrainingConfig:
    """A training config with so low a limit that gradients are clipped at once, as a config's own limit may never do.

    Not for many steps: where Adam's gradients are small, it makes much of their rounding errors.
    """
    return config.model_copy(update={"clip_norm": min(config.clip_norm, CLIP_NORM)})


def measure(
    panel: Panel, folder: str, weights: str = "",
    precisions: Sequence[TrainingPrecision] = ("exact", "float64", "float32"), steps: int = 200, rows: int = 32,
    searches: bool = True, trained: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Arrays]]:  # fmt: skip
    """Climb the ladder with one panel.

    Args:
        panel: a backend's module; the reference has no training, so it climbs part of the way.
        folder: a run's folder.
        weights: whose best checkpoint in that run to start from ("pytorch", say); "": the run's initial values.
        precisions: which to climb in, float64 before float32; "exact" is many steps of exact training and nothing else.
        steps: how many optimizer steps exact training has; the other precisions have at most `FREE_STEPS`.
        rows: the most pairs a batch has.
        searches: whether to search for translations: with the given weights, or with those that training the
            initial ones gave, because an untrained model's choices say little.
        trained: what training gave elsewhere, for a panel that cannot train.

    Returns:
        The arrays by precision, rung and name.
    """
    run = Run.open(folder)
    parameters = starting_parameters(run, weights)
    searched = parameters if weights else trained
    results: dict[str, dict[str, Arrays]] = {}
    for precision in precisions:
        config = ladder_config(run.config, precision, rows)
        given = replace(run, config=config)
        if precision == EXACT:
            if trains(panel):
                model = given.build(panel, on_grid(parameters, GRID_EXPONENT))
                results[EXACT] = exact_rungs(panel, model, config, works=first_works(run, config, steps))
                searched = searched or panel.export_parameters(model)
            continue
        model = given.build(panel, parameters)
        works = first_works(run, config, min(steps, FREE_STEPS))
        first = next(works)  # the same for every panel
        rungs: dict[str, Arrays] = {"initial parameters": panel.export_parameters(model)}
        rungs |= forward_rungs(panel, model, config, work=first)
        if trains(panel):
            rungs |= training_rungs(panel, model, config=config, first=first, others=works)
            searched = searched or panel.export_parameters(model)
        if searches and searched is not None:
            stepper, sources = panel.Stepper(model), search_batch(run)
            panel.load_parameters(model, parameters)
            rungs |= {DECODING: forced_steps(stepper, *sources, len(run.target_vocabulary))}
            panel.load_parameters(model, searched)
            rungs |= search_rungs(stepper, *sources) | {SEARCHED: dict(searched)}
        results[precision] = rungs
    return results


def forward_rungs(panel: Panel, model: Any, config: RunConfig, work: Work) -> dict[str, Arrays]:
    """Encoder, attention, logits and loss of one batch, dropout on."""
    batch = work.batch
    source, lengths, target_input = map(panel.to_tensor, (batch.source, batch.source_lengths, batch.target_input))
    masks = {place: panel.to_tensor(mask) for place, mask in work.masks.items()}
    memory, states = model.read(source, lengths, masks)
    encoder = {"memory": panel.to_array(memory)}
    for layer, state in enumerate(states):
        for name, part in zip(("hidden", "cell"), state, strict=False):  # a gru and a plain rnn have no cell state
            encoder[f"{name} state, layer {layer}"] = panel.to_array(part)
    logits, attention = model(source, lengths, target_input, masks)
    real = np.arange(batch.target_output.shape[1]) < batch.target_lengths[:, None]
    positions = panel.to_tensor(np.flatnonzero(real))
    target_output = panel.to_tensor(batch.target_output)
    chosen, targets = (panel.select_positions(values, positions) for values in (logits, target_output))
    if config.model.copies:
        features, _ = model.features(source, lengths, target_input=target_input, masks=masks)
        gate = model.gate(panel.apply_dropout(features, masks, place="output", rate=config.model.dropout))
        given = panel.select_positions(gate, positions), panel.select_positions(attention, positions)
        total = panel.copying_cross_entropy(
            chosen, *given, panel.to_tensor(copies_of(batch)), targets, config.training.label_smoothing
        )
    else:
        total = panel.cross_entropy(chosen, targets, config.training.label_smoothing)
    return {
        "encoder": encoder,
        # What stands at padded target positions is nobody's: it differs from panel to panel where steps are skipped.
        "attention": {"weights": panel.to_array(attention)[real]},
        "logits": {"logits": panel.to_array(logits)[real]},
        "loss": {"loss": np.array([panel.to_array(total) / batch.target_tokens])},
    }


def copies_of(batch: Batch) -> Ids:
    """(N, S) the tokens of the source at each real target position."""
    copied: Ids = batch.source[real_positions(batch) // batch.target_output.shape[1]]
    return copied


def training_rungs(
    panel: TrainingPanel, model: Any, config: RunConfig, first: Work, others: Iterator[Work]
) -> dict[str, Arrays]:
    """Gradients of the first batch, what one clipped step changes, and where many steps lead.

    The steps after the first resume from what it exports, as from a checkpoint.
    """
    training = panel.TrainingStep(model, clipping(config.training))
    rate = config.training.learning_rate
    _, gradients = training.gradients(first.batch, first.masks)
    result = training.step(first.batch, first.masks, rate)
    losses = [result.loss]
    rungs = {
        GRADIENTS: gradients | {"global norm": np.array([result.gradient_norm])},
        ONE_STEP: panel.export_parameters(model) | training.export_state(),
    }
    state, steps = training.export_state(), training.steps
    training = panel.TrainingStep(model, config.training)
    training.load_state(state, steps)
    losses += [training.step(work.batch, work.masks, rate).loss for work in others]
    if len(losses) > 1:
        validation = training.evaluate(first.batch) / first.batch.target_tokens
        rungs[f"losses of {len(losses)} steps"] = {"losses": np.array(losses), "validation": np.array([validation])}
        rungs[f"after {len(losses)} steps"] = panel.export_parameters(model) | training.export_state()
    return rungs


def exact_rungs(panel: TrainingPanel, model: Any, config: RunConfig, works: Iterator[Work]) -> dict[str, Arrays]:
    """Where many steps of exact training lead: to the same weights, bit for bit."""
    training = panel.TrainingStep(model, config.training)
    told = [training.step(work.batch, work.masks, config.training.learning_rate) for work in works]
    sums = np.array([result.rounding.checksum for result in told if result.rounding], np.int64)
    return {
        f"losses of {len(told)} exact steps": {"losses": np.array([result.loss for result in told])},
        f"after {len(told)} exact steps": panel.export_parameters(model) | {SUMS: sums},
    }


def forced_steps(stepper: Stepper, source: Ids, lengths: Ids, vocabulary_size: int) -> Arrays:
    """What a stepper says after tokens that are given, its rows put into the opposite order between the steps."""
    arrays: Arrays = {}
    state = stepper.start(source, lengths)
    for step, tokens in enumerate(forced_tokens(len(source), vocabulary_size)):
        log_probabilities, attention, state = stepper.step(state, tokens)
        arrays |= {f"log-probabilities, step {step}": log_probabilities, f"attention, step {step}": attention}
        state = stepper.reorder(state, np.arange(len(source))[::-1])
    return arrays


def forced_tokens(rows: int, vocabulary_size: int) -> list[Ids]:
    """What each row is fed at each forced step: (N,) bos, and then any tokens."""
    random = (generator(1, "parity", "forced tokens", step) for step in range(FORCED_STEPS - 1))
    drawn = [each.integers(FIRST_CHOICE, vocabulary_size, rows).astype(np.int32) for each in random]
    return [np.full(rows, BOS, np.int32), *drawn]


def search_rungs(stepper: Stepper, source: Ids, lengths: Ids) -> dict[str, Arrays]:
    """The tokens that each search finds for the first test sentences, one array a sentence."""
    limits = longest_translations(lengths)
    searched: dict[str, list[Hypothesis]] = {
        "greedy tokens": greedy(stepper, source, source_lengths=lengths, maximum_lengths=limits),
        "sampled tokens": sample(stepper, source, lengths, limits, TEMPERATURE, SAMPLING_SEED, range(len(source))),
        "beam tokens": [
            best
            for best, *_ in beam(
                stepper,
                source,
                source_lengths=lengths,
                maximum_lengths=limits,
                size=BEAM_SIZE,
                length_penalty=LENGTH_PENALTY,
            )
        ],
    }
    return {
        rung: {str(row): np.array(hypothesis.tokens) for row, hypothesis in enumerate(hypotheses)}
        for rung, hypotheses in searched.items()
    }


def longest_translations(lengths: Ids) -> Ids:
    """(B,) the most tokens of each translation that the search rungs look for."""
    return np.minimum(2 * lengths + 10, LONGEST)


def search_batch(run: Run) -> tuple[Ids, Ids]:
    """The sources that the search rungs translate, and their lengths."""
    sentences = [source for source, _ in run.corpus().test[:SENTENCES]]
    return source_batch([run.source.encode(run.source_tokenizer.tokenize(sentence)) for sentence in sentences])


def starting_parameters(run: Run, weights: str) -> Mapping[str, npt.NDArray[Any]]:
    """The weights of a backend's best checkpoint; or the run's initial ones with biases drawn at random.

    Initial biases are zeros, behind which a panel that forgets a bias would hide.
    """
    if weights:
        return run.read_checkpoint(weights).parameters
    parameters = run.initial_parameters()
    biases = (name for name, parameter in run.specification.items() if parameter.kind == "bias")
    return parameters | {
        name: parameters[name] + 0.05 * generator(1, "parity", name).standard_normal(parameters[name].shape)
        for name in biases
    }


def first_works(run: Run, config: RunConfig, steps: int) -> Iterator[Work]:
    """The batches and masks of some steps, from only so much of the corpus as they may need.

    The first batch has pairs of all lengths, so that there is padding: those of training are of one length if they can.
    """
    needed = steps * config.training.batch_size * 4  # enough pairs for batches of several lengths
    pairs = encode_pairs(
        run.corpus().train[:needed], run.source, target=run.target, maximum_length=run.config.data.maximum_length
    )
    by_length = np.argsort(pairs.sources.lengths, kind="stable")
    places = np.linspace(0, len(pairs) - 1, min(config.training.batch_size, len(pairs)))
    batch = collate(pairs, by_length[places.astype(int)])
    source, target = batch.source.shape[1], batch.target_output.shape[1]
    shapes = dropout_shapes(config.model, len(batch.source), source=source, target=target)
    yield Work(batch, dropout_masks(config.training.seed, 0, shapes, rate=config.model.dropout), epoch=0)
    yield from schedule(pairs, config, start=Place(step=1, position=1), steps=steps - 1)
