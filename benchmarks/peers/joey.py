"""JoeyNMT: its own `train` and its own `predict`, configured like its recurrent examples.

Without input feeding, which makes it faster and the model more like ours; its decoder takes one step at a time all the
same. Its batches are drawn at random: it does not sort by length.
"""

from __future__ import annotations

import os
from typing import Any

from peer import Decoded, Peer, Step, Workload

# Checkpoints are pickles that this script wrote itself; torch from 2.6 on refuses them otherwise.
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"

import torch
from joeynmt import training
from joeynmt.config import parse_global_args
from joeynmt.prediction import predict, prepare

SCORES = {"general": "luong", "additive": "bahdanau"}


def config(workload: Workload, folder: str) -> dict[str, Any]:
    """What its YAML file would hold; `folder` is the one of its vocabularies and checkpoints."""
    language = {"level": "word", "voc_min_freq": Workload.minimum_frequency, "lowercase": False}
    embeddings = {"embedding_dim": Workload.embedding_size, "dropout": Workload.dropout}
    recurrent = {"type": "recurrent", "rnn_type": "gru", "num_layers": 1, "embeddings": embeddings}
    encoder = recurrent | {"hidden_size": Workload.encoder_size, "bidirectional": True, "dropout": Workload.dropout}
    decoder = recurrent | {
        "hidden_size": Workload.decoder_size,
        "attention": SCORES[workload.attention],
        "input_feeding": False,
        "init_hidden": "bridge",
        "dropout": Workload.dropout,
        "hidden_dropout": Workload.dropout,
    }
    return {
        "name": "benchmark",
        "model_dir": str(workload.model / folder),
        "use_cuda": False,
        "data": {
            "dataset_type": "plain",
            "train": str(workload.path("train")),
            "dev": str(workload.path("test")),  # it wants one, and never gets to it
            "test": str(workload.path("test")),
            "src": language | {"lang": "source"},
            "trg": language | {"lang": "target"},
        },
        "model": {"encoder": encoder, "decoder": decoder},
        "training": {
            "optimizer": "adam",
            "learning_rate": Workload.learning_rate,
            "scheduling": "exponential",  # it wants one; a factor of 1 makes it constant
            "decrease_factor": 1.0,
            "normalization": "tokens",
            "batch_size": Workload.batch_size,
            "batch_type": "sentence",
            "epochs": 1_000,
            "logging_freq": 100,
            "validation_freq": 1_000_000,
        },
        "testing": {"batch_size": Workload.batch_size, "batch_type": "sentence", "beam_size": 1, "beam_alpha": 1.0},
    }


def train(workload: Workload, step: Step, folder: str = "training") -> None:
    """Train with its own loop, which writes a checkpoint when `step` ends it."""
    torch.set_num_threads(workload.threads)

    class CountingManager(training.TrainManager):  # type: ignore[misc]
        """Its loop, which says after each update how many tokens it was."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.tokens = 0
            self.optimizer.register_step_post_hook(lambda *_: step(self.tokens))

        def _train_step(self, batch: Any) -> Any:
            self.tokens = batch.ntokens  # eos counted, padding not
            return super()._train_step(batch)

    training.TrainManager = CountingManager
    (workload.model / folder).mkdir(exist_ok=True)
    training.train(rank=0, world_size=1, cfg=config(workload, folder), skip_test=True)


def learn(workload: Workload, step: Step) -> None:
    """Train, and keep the checkpoint."""
    train(workload, step, "learned")


def decode(workload: Workload) -> dict[str, Decoded]:
    """Translate the test source with its own `predict`."""
    torch.set_num_threads(workload.threads)
    arguments = parse_global_args(config(workload, "learned"), mode="test")
    model, _, _, test = prepare(arguments, rank=0, mode="test")
    decoded = {}
    for name, size in (("greedy", 1), ("beam5", Workload.beam_size)):
        chosen = arguments.test._replace(beam_size=size)

        def translate(chosen: Any = chosen) -> list[list[str]]:
            words = predict(
                model=model, data=test, device=arguments.device, n_gpu=0, args=chosen, autocast=arguments.autocast
            )[3]
            return [sentence[:-1] for sentence in words]  # without eos

        decoded[name] = Decoded.timed(translate)
    return decoded


if __name__ == "__main__":
    Peer("JoeyNMT", ("joeynmt", "torch"), train, learn, decode).main()
