"""The words of the field, and where the code of each stands."""

from __future__ import annotations

from dataclasses import dataclass


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
    Term(
        "GRU",
        also=("gru cell", "gated recurrent unit", "reset gate", "update gate"),
        equations=(1,),
        panels=("cells._gru", "cells.advance"),
        stock="gru",
        keys=("model.cell",),
    ),
    Term(
        "LSTM",
        also=("lstm cell", "long short-term memory", "forget gate", "cell state"),
        equations=(2,),
        panels=("cells._lstm", "cells.advance"),
        stock="lstm",
        keys=("model.cell",),
    ),
    Term(
        "RNN",
        also=("rnn cell", "simple rnn", "elman", "recurrent layer"),
        equations=(3,),
        panels=("recurrent.RecurrentLayer.forward", "cells.advance"),
        stock="rnn",
        keys=("model.cell",),
    ),
    Term(
        "attention",
        also=("bahdanau", "luong", "additive attention", "general attention", "dot attention", "alignment"),
        equations=(6, 7, 8, 9, 10),
        panels=("attention.Attention",),
        stock="attention",
        keys=("model.attention", "model.attention_size"),
    ),
    Term(
        "attentional layer",
        also=("attentional vector", "luong's h tilde"),
        equations=(13,),
        panels=("decoder.Decoder._features",),
        keys=("model.attentional_layer", "model.attentional_size"),
    ),
    Term(
        "bidirectional",
        also=("birnn", "reverse", "backward layer"),
        equations=(4,),
        panels=("encoder.Encoder.forward",),
        keys=("model.bidirectional",),
    ),
    Term("encoder", equations=(4,), panels=("encoder.Encoder",), keys=("model.encoder_size", "model.encoder_layers")),
    Term(
        "bridge",
        also=("first state", "initial state"),
        equations=(5,),
        panels=("encoder.Bridge",),
        keys=("model.bridge",),
    ),
    Term(
        "decoder",
        also=("decoder step",),
        equations=(11, 12, 13),
        panels=("decoder.Decoder.step", "decoder.Decoder.forward"),
        keys=("model.decoder_size", "model.decoder_layers"),
    ),
    Term("input feeding", equations=(11,), panels=("decoder.Decoder.step",), keys=("model.input_feeding",)),
    Term(
        "embedding",
        also=("lookup table", "tied embedding", "weight tying"),
        equations=(14,),
        panels=("model.Embedding", "model.Output"),
        keys=("model.embedding_size", "model.tie_target_output", "model.tie_source_target"),
    ),
    Term("softmax", also=("logits", "output layer", "projection"), equations=(14,), panels=("model.Output",)),
    Term("seq2seq", also=("sequence to sequence", "encoder-decoder", "model"), panels=("model.Model.forward",)),
    Term(
        "dropout",
        also=("variational dropout", "regularization"),
        equations=(14,),
        panels=("recurrent.apply_dropout",),
        shared=("randomness.py:dropout_masks",),
        keys=("model.dropout", "model.variational_dropout"),
    ),
    Term("mask", also=("padding", "sequence mask", "packing"), equations=(10,), panels=("recurrent.sequence_mask",)),
    Term(
        "loss",
        also=("cross entropy", "label smoothing", "perplexity", "negative log-likelihood"),
        equations=(15,),
        panels=("loss.cross_entropy",),
        keys=("training.label_smoothing",),
    ),
    Term(
        "gradient clipping",
        also=("clip norm", "global norm", "clipping"),
        equations=(16,),
        panels=("optimizer.Optimizer",),
        keys=("training.clip_norm",),
    ),
    Term(
        "Adam",
        also=("adamw", "optimizer", "weight decay"),
        equations=(17,),
        panels=("optimizer.Optimizer",),
        keys=("training.optimizer", "training.beta1", "training.weight_decay"),
    ),
    Term(
        "SGD",
        also=("momentum", "stochastic gradient descent"),
        equations=(18,),
        panels=("optimizer.Optimizer",),
        keys=("training.optimizer", "training.momentum"),
    ),
    Term(
        "backpropagation",
        also=("gradient", "backward", "gradient tape", "autograd", "training step"),
        equations=(),
        panels=("training.TrainingStep",),
    ),
    Term("backpropagation through time", also=("bptt", "loop", "scan"), equations=(19,), panels=("loops.scan",)),
    Term(
        "exact training",
        also=("rounding", "grid", "equal to the last bit", "determinism"),
        equations=(23, 24),
        panels=("grid.Grid",),
        shared=("parameters/grid.py:on_grid",),
        keys=("training.precision", "training.grid_exponent"),
    ),
    Term(
        "gradient accumulation",
        also=("accumulate",),
        equations=(20,),
        panels=("training.TrainingStep.step_over",),
        keys=("training.accumulate",),
    ),
    Term(
        "moving average",
        also=("ema", "polyak averaging", "averaged weights"),
        equations=(21,),
        panels=("optimizer.MovingAverage",),
        keys=("training.ema_decay",),
    ),
    Term(
        "teacher forcing",
        also=("scheduled sampling", "exposure bias"),
        equations=(22,),
        panels=("decoder.Decoder.forward",),
        shared=("training/scheduled_sampling.py:teacher_forcing_ratio", "training/scheduled_sampling.py:mix"),
        keys=("training.teacher_forcing", "training.teacher_forcing_decay"),
    ),
    Term(
        "learning rate",
        ("schedule", "warm-up", "warmup", "cosine", "plateau", "one cycle"),
        shared=("training/learning_rate.py:learning_rate",),
        keys=("training.learning_rate", "training.schedule"),
    ),
    Term("training loop", ("train", "epoch", "fit"), shared=("training/loop.py:train",), keys=("training.epochs",)),
    Term(
        "validation",
        ("early stopping", "patience"),
        shared=("training/validation.py:Validation",),
        keys=("training.patience", "training.stop_metric"),
    ),
    Term(
        "translate", ("translator", "inference", "predict"), shared=("translation/translator.py:Translator.translate",)
    ),
    Term(
        "decoding step",
        also=("stepper", "incremental decoding"),
        panels=("stepper.Stepper",),
        shared=("search/stepper.py:Stepper",),
    ),
    Term("greedy", ("greedy search", "argmax"), shared=("search/greedy.py:greedy", "search/greedy.py:walk")),
    Term(
        "sample",
        ("sampling", "temperature", "top-k", "top-p", "nucleus", "gumbel"),
        shared=("search/sampling.py:sample", "search/sampling.py:keep_top"),
        keys=("search.temperature", "search.top_k", "search.top_p"),
    ),
    Term(
        "beam",
        ("beam search", "n-best", "hypothesis"),
        shared=("search/beam.py:beam",),
        keys=("search.beam_size", "search.n_best"),
    ),
    Term(
        "length penalty",
        ("coverage penalty",),
        shared=("search/score.py:penalty", "search/score.py:coverage"),
        keys=("search.length_penalty", "search.coverage_penalty"),
    ),
    Term("ensemble", ("model averaging",), shared=("search/ensemble.py:Ensemble",)),
    Term(
        "batch",
        ("bucketing", "collate", "data loader"),
        shared=("data/tokens/batches.py:Batch", "data/tokens/batches.py:training_batches"),
        keys=("training.batch_size", "training.batch_by"),
    ),
    Term(
        "tokenizer",
        ("bpe", "unigram", "subword", "sentencepiece", "jamo"),
        shared=("data/tokens/tokenizers/tokenizer.py:Tokenizer",),
        keys=("data.source_tokenizer",),
    ),
    Term(
        "vocabulary",
        ("special tokens", "bos", "eos", "unk", "oov"),
        shared=("data/tokens/vocabulary.py:Vocabulary",),
        keys=("data.maximum_vocabulary", "data.minimum_frequency"),
    ),
    Term(
        "checkpoint",
        also=("save", "load weights", "safetensors", "resume"),
        equations=(),
        panels=("weights.load_parameters", "weights.export_parameters"),
        shared=("parameters/checkpoint.py:write_checkpoint", "parameters/checkpoint.py:read_checkpoint"),
    ),
    Term(
        "weights",
        also=("parameters", "state dict", "weight names"),
        panels=("weights.Binding", "weights.bindings"),
        shared=("parameters/specification.py:specification",),
    ),
    Term(
        "initialization",
        ("glorot", "xavier", "orthogonal"),
        shared=("parameters/initialization.py:initial_parameters",),
    ),
    Term("seed", ("random", "reproducibility", "philox"), shared=("randomness.py:generator",), keys=("training.seed",)),
    Term("BLEU", ("chrf", "score", "metric"), shared=("evaluation/scores.py:score",)),
)
