"""OpenNMT-py: its own `train` and its own translation engine, told what a careful user would tell them.

What differs from its defaults, and why:
- no input feeding: the recurrent layer then runs over all target words in one call, about twice as fast, and it is the
  model that ours is (Luong's placement). `mlp` is its additive score, in that same placement.
- one bucket of the whole corpus, sorted by length and cut into batches: next to no padding. The default bucket of
  262,144 would read a small corpus many times over before its first step.
- batches made in the training process (`num_workers 0`): on two processors a loader of its own would take one of them.
- greedy decoding is a beam of one, as its own `translate` does it.
"""

from __future__ import annotations

import argparse
import os
import sys
from types import ModuleType
from typing import Any

from peer import Decoded, Peer, Step, Workload
from stopwatch import Finished

# Checkpoints are pickles that this script wrote itself; torch from 2.6 on refuses them otherwise.
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"

# Imported by transforms that are not used here, and large.
for unused in ("spacy", "ahocorasick", "fasttext", "rapidfuzz"):
    sys.modules[unused] = ModuleType(unused)
for name in ("fuzz", "process"):
    setattr(sys.modules["rapidfuzz"], name, None)

import torch
from onmt.bin import build_vocab
from onmt.bin import train as training
from onmt.bin import translate as translation
from onmt.inference_engine import InferenceEnginePY
from onmt.trainer import Trainer
from onmt.utils.parse import ArgumentParser

SCORES = {"general": "general", "additive": "mlp"}
KEPT = 1  # the number in the kept model's name


def options(parser: Any, **given: Any) -> argparse.Namespace:
    """Parse options as its command line does; a list gives several values, True none."""
    words = []
    for name, value in given.items():
        values = [] if value is True else value if isinstance(value, list) else [value]
        words += [f"-{name}", *map(str, values)]
    parsed: argparse.Namespace = parser.parse_known_args(words)[0]
    return parsed


def corpus(workload: Workload) -> dict[str, Any]:
    """The options that name the corpus and its vocabulary, which is made where it is missing."""
    source, target = workload.path("train.source"), workload.path("train.target")
    config = workload.model / "corpus.yaml"
    config.write_text(f"data: {{corpus: {{path_src: '{source}', path_tgt: '{target}'}}}}\n", encoding="utf-8")
    named = {
        "config": config,
        "src_vocab": workload.model / "source.vocabulary",
        "tgt_vocab": workload.model / "target.vocabulary",
    }
    if not (workload.model / "target.vocabulary").exists():
        parser = build_vocab._get_parser()
        build_vocab.build_vocab_main(
            options(parser, **named, save_data=workload.model / "samples", n_sample=-1, num_threads=1)
        )
    return named


def train(workload: Workload, step: Step, keep: bool = False) -> None:
    """Train with its own loop; `keep` has it write the model when `step` ends the training."""
    torch.set_num_threads(workload.threads)
    update = Trainer._gradient_accumulation

    def update_and_count(self: Any, batches: Any, normalization: Any, total: Any, report: Any) -> None:
        before = total.n_words
        update(self, batches, normalization, total, report)
        try:
            step(total.n_words - before)  # eos counted, padding not
        except Finished:
            if keep:
                self.model_saver.save(KEPT)
            raise

    Trainer._gradient_accumulation = update_and_count
    given = {
        "src_words_min_frequency": Workload.minimum_frequency,
        "tgt_words_min_frequency": Workload.minimum_frequency,
        "encoder_type": "brnn",
        "decoder_type": "rnn",
        "rnn_type": "GRU",
        "word_vec_size": Workload.embedding_size,
        "enc_hid_size": 2 * Workload.encoder_size,
        "dec_hid_size": Workload.decoder_size,
        "enc_layers": 1,
        "dec_layers": 1,
        "global_attention": SCORES[workload.attention],
        "input_feed": 0,
        "dropout": Workload.dropout,
        "optim": "adam",
        "learning_rate": Workload.learning_rate,
        "normalization": "tokens",
        "batch_type": "sents",
        "batch_size": Workload.batch_size,
        "bucket_size": len(workload.lines("train.source")),
        "num_workers": 0,
        "train_steps": 1_000_000,
        "valid_steps": 1_000_000,
        "save_checkpoint_steps": 1_000_000,
        "save_model": workload.model / "model",
        "seed": 1,
    }
    training.train(options(training._get_parser(), **corpus(workload), **given))


def learn(workload: Workload, step: Step) -> None:
    """Train, and keep the model."""
    train(workload, step, keep=True)


def decode(workload: Workload) -> dict[str, Decoded]:
    """Translate the test source with its own engine, after a first batch that is not counted."""
    torch.set_num_threads(workload.threads)
    source = [" ".join(words) for words in workload.lines("test.source")]
    source = source[:: max(1, len(source) // workload.decoded_sentences)] if workload.decoded_sentences else source
    some = workload.model / "decoded.source"
    some.write_text("".join(f"{line}\n" for line in source), encoding="utf-8")
    decoded = {}
    for name, size in (("greedy", 1), ("beam5", Workload.beam_size)):
        given = {
            "model": workload.model / f"model_step_{KEPT}.pt",
            "src": some,
            "output": workload.model / f"{name}.txt",
            "batch_size": workload.decoded_batch,
            "batch_type": "sents",
            "beam_size": size,
            "gpu": -1,
        }
        chosen = options(translation._get_parser(), **given)
        ArgumentParser.validate_translate_opts(chosen)
        ArgumentParser._get_all_transform_translate(chosen)
        ArgumentParser._validate_transforms_opts(chosen)
        ArgumentParser.validate_translate_opts_dynamic(chosen)
        engine = InferenceEnginePY(chosen)
        engine.infer_list(source[: workload.decoded_batch])

        def translate(engine: Any = engine) -> list[list[str]]:
            return [best[0].split() for best in engine.infer_file()[1]]

        decoded[name] = Decoded.timed(translate)
    return decoded


if __name__ == "__main__":
    Peer("OpenNMT-py", ("OpenNMT-py", "torch"), train, learn, decode).main()
