"""Where to find what people look for: from a word of the field to the code that does it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.errors import UsageError
from diptych.side_by_side.excerpts import (
    PACKAGE,
    PANELS,
    SideBySide,
    excerpt,
    facing,
    side_by_side,
)


@dataclass(frozen=True)
class Term:
    """A word of the field.

    Attributes:
        name: the word.
        also: other words for it.
        equations: their numbers in docs/equations.md.
        panels: what the panels have of it, each as FILE.NAME.
        shared: what is written once for all panels, each as PATH:NAME below the package.
        stock: the folder in `stock` whose programs compute it with stock layers; "" if there is none.
        keys: the keys of a config that choose it.
    """

    name: str
    also: tuple[str, ...] = ()
    equations: tuple[int, ...] = ()
    panels: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    stock: str = ""
    keys: tuple[str, ...] = ()


TERMS = (
    Term("GRU", ("gru cell", "gated recurrent unit", "reset gate", "update gate"), (1,),
         ("cells._gru", "cells.advance"), stock="gru", keys=("model.cell",)),
    Term("LSTM", ("lstm cell", "long short-term memory", "forget gate", "cell state"), (2,),
         ("cells._lstm", "cells.advance"), stock="lstm", keys=("model.cell",)),
    Term("RNN", ("rnn cell", "simple rnn", "elman", "recurrent layer"), (3,),
         ("recurrent.RecurrentLayer.forward", "cells.advance"), stock="rnn", keys=("model.cell",)),
    Term("attention", ("bahdanau", "luong", "additive attention", "general attention", "dot attention", "alignment"),
         (6, 7, 8, 9, 10), ("attention.Attention",), stock="attention",
         keys=("model.attention", "model.attention_size")),
    Term("attentional layer", ("attentional vector", "luong's h tilde"), (13,), ("decoder.Decoder._features",),
         keys=("model.attentional_layer", "model.attentional_size")),
    Term("bidirectional", ("birnn", "reverse", "backward layer"), (4,), ("encoder.Encoder.forward",),
         keys=("model.bidirectional",)),
    Term("encoder", (), (4,), ("encoder.Encoder",), keys=("model.encoder_size", "model.encoder_layers")),
    Term("bridge", ("first state", "initial state"), (5,), ("encoder.Bridge",), keys=("model.bridge",)),
    Term("decoder", ("decoder step",), (11, 12, 13), ("decoder.Decoder.step", "decoder.Decoder.forward"),
         keys=("model.decoder_size", "model.decoder_layers")),
    Term("input feeding", (), (11,), ("decoder.Decoder.step",), keys=("model.input_feeding",)),
    Term("embedding", ("lookup table", "tied embedding", "weight tying"), (14,), ("model.Embedding", "model.Output"),
         keys=("model.embedding_size", "model.tie_target_output", "model.tie_source_target")),
    Term("softmax", ("logits", "output layer", "projection"), (14,), ("model.Output",)),
    Term("seq2seq", ("sequence to sequence", "encoder-decoder", "model"), (), ("model.Model.forward",)),
    Term("dropout", ("variational dropout", "regularization"), (14,), ("recurrent.apply_dropout",),
         ("randomness.py:dropout_masks",), keys=("model.dropout", "model.variational_dropout")),
    Term("mask", ("padding", "sequence mask", "packing"), (10,), ("recurrent.sequence_mask",)),
    Term("loss", ("cross entropy", "label smoothing", "perplexity", "negative log-likelihood"), (15,),
         ("loss.cross_entropy",), keys=("training.label_smoothing",)),
    Term("gradient clipping", ("clip norm", "global norm", "clipping"), (16,), ("optimizer.Optimizer",),
         keys=("training.clip_norm",)),
    Term("Adam", ("adamw", "optimizer", "weight decay"), (17,), ("optimizer.Optimizer",),
         keys=("training.optimizer", "training.beta1", "training.weight_decay")),
    Term("SGD", ("momentum", "stochastic gradient descent"), (18,), ("optimizer.Optimizer",),
         keys=("training.optimizer", "training.momentum")),
    Term("backpropagation", ("gradient", "backward", "gradient tape", "autograd", "training step"), (),
         ("training.TrainingStep",)),
    Term("backpropagation through time", ("bptt", "loop", "scan"), (19,), ("loops.scan",)),
    Term("exact training", ("rounding", "grid", "equal to the last bit", "determinism"), (23, 24),
         ("grid.Grid",), ("parameters/grid.py:on_grid",), keys=("training.precision", "training.grid_exponent")),
    Term("gradient accumulation", ("accumulate",), (20,), ("training.TrainingStep.step_over",),
         keys=("training.accumulate",)),
    Term("moving average", ("ema", "polyak averaging", "averaged weights"), (21,), ("optimizer.MovingAverage",),
         keys=("training.ema_decay",)),
    Term("teacher forcing", ("scheduled sampling", "exposure bias"), (22,), ("decoder.Decoder.forward",),
         ("training/scheduled_sampling.py:teacher_forcing_ratio", "training/scheduled_sampling.py:mix"),
         keys=("training.teacher_forcing", "training.teacher_forcing_decay")),
    Term("learning rate", ("schedule", "warm-up", "warmup", "cosine", "plateau", "one cycle"),
         shared=("training/learning_rate.py:learning_rate",), keys=("training.learning_rate", "training.schedule")),
    Term("training loop", ("train", "epoch", "fit"), shared=("training/loop.py:train",), keys=("training.epochs",)),
    Term("validation", ("early stopping", "patience"), shared=("training/validation.py:Validation",),
         keys=("training.patience", "training.stop_metric")),
    Term("translate", ("translator", "inference", "predict"),
         shared=("translation/translator.py:Translator.translate",)),
    Term("decoding step", ("stepper", "incremental decoding"), (), ("stepper.Stepper",),
         ("search/stepper.py:Stepper",)),
    Term("greedy", ("greedy search", "argmax"), shared=("search/greedy.py:greedy", "search/greedy.py:walk")),
    Term("sample", ("sampling", "temperature", "top-k", "top-p", "nucleus", "gumbel"),
         shared=("search/sampling.py:sample", "search/sampling.py:keep_top"),
         keys=("search.temperature", "search.top_k", "search.top_p")),
    Term("beam", ("beam search", "n-best", "hypothesis"), shared=("search/beam.py:beam",),
         keys=("search.beam_size", "search.n_best")),
    Term("length penalty", ("coverage penalty",), shared=("search/score.py:penalty", "search/score.py:coverage"),
         keys=("search.length_penalty", "search.coverage_penalty")),
    Term("ensemble", ("model averaging",), shared=("search/ensemble.py:Ensemble",)),
    Term("batch", ("bucketing", "collate", "data loader"),
         shared=("data/tokens/batches.py:Batch", "data/tokens/batches.py:training_batches"),
         keys=("training.batch_size", "training.batch_by")),
    Term("tokenizer", ("bpe", "unigram", "subword", "sentencepiece", "jamo"),
         shared=("data/tokens/tokenizers/tokenizer.py:Tokenizer",), keys=("data.source_tokenizer",)),
    Term("vocabulary", ("special tokens", "bos", "eos", "unk", "oov"), shared=("data/tokens/vocabulary.py:Vocabulary",),
         keys=("data.maximum_vocabulary", "data.minimum_frequency")),
    Term("checkpoint", ("save", "load weights", "safetensors", "resume"), (),
         ("weights.load_parameters", "weights.export_parameters"),
         ("parameters/checkpoint.py:write_checkpoint", "parameters/checkpoint.py:read_checkpoint")),
    Term("weights", ("parameters", "state dict", "weight names"), (), ("weights.Binding", "weights.bindings"),
         ("parameters/specification.py:specification",)),
    Term("initialization", ("glorot", "xavier", "orthogonal"),
         shared=("parameters/initialization.py:initial_parameters",)),
    Term("seed", ("random", "reproducibility", "philox"), shared=("randomness.py:generator",), keys=("training.seed",)),
    Term("BLEU", ("chrf", "score", "metric"), shared=("evaluation/scores.py:score",)),
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Some of a term's code, and what it is."""

    title: str
    code: SideBySide


def find_term(word: str) -> Term | None:
    """The term that a word stands for, however it is written; None if there is none."""
    return _index().get(_plain(word))


def parts(term: Term, with_reference: bool = False) -> Iterator[Part]:
    """A term's code: in each panel, where it is written once, and with stock layers."""
    for name in term.panels:
        yield Part(f"in each panel: {name}", side_by_side(name, with_reference))
    for place in term.shared:
        path, _, name = place.partition(":")
        yield Part("written once, for all panels", facing(name, (excerpt("shared", PACKAGE / path, name),)))
    if term.stock:
        folder = PACKAGE / "side_by_side" / "stock" / term.stock
        programs = tuple(excerpt(panel, folder / f"in_{panel}.py", "") for panel in PANELS)
        yield Part("the same numbers with stock layers, given the same weights", facing(term.stock, programs))


def find_code(name: str, with_reference: bool = False) -> Term | SideBySide:
    """What a user's word stands for: a name of the panels' code as it is written there, else a term.

    Raises:
        UsageError: neither; what is near is told.
    """
    term = find_term(name)
    try:
        excerpts = side_by_side(name, with_reference)
    except UsageError as error:
        if term is not None:
            return term
        near = difflib.get_close_matches(_plain(name), _index(), n=3)
        if near and "did you mean" not in str(error):
            names = ", ".join(dict.fromkeys(repr(_index()[each].name) for each in near))
            raise UsageError(f"{error}; did you mean {names}?") from None
        raise
    # A bare file's name, or a function's, gives way to a term; `loss.py` and `Decoder` are names of code.
    return term if term is not None and name == name.lower() and not name.endswith(".py") else excerpts


def _index() -> dict[str, Term]:
    return {_plain(word): term for term in reversed(TERMS) for word in (*term.also, term.name)}


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("-", " ").replace("_", " ").split())
