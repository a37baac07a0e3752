"""Stand-ins for the processes of a comparison, so that one takes no training."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.comparison import comparison
from diptych.ladder.limits import Level
from diptych.runs.run import Run

LEVEL = Level("logits", "float64", ("tensorflow", "pytorch"), "logits", 2e-16, 1e-12, 1e-15, 2.0, True)


class Workers:
    """Stands in for both processes; each answers with the references, but for the sentences it is told to get wrong."""

    def __init__(self):
        self.calls = []
        self.level = LEVEL
        self.elsewhere = None
        self.wrong = {"tensorflow": [], "pytorch": []}
        self.digests = {"tensorflow": ["a", "b", "c"], "pytorch": ["a", "b", "c"]}
        self.losses = {"tensorflow": [2.0, 1.5, 1.0], "pytorch": [2.0, 1.25, 1.0 + 1e-7]}

    def __call__(self, backend, function, arguments, threads, device):
        self.calls.append((backend, function, arguments, threads, device))
        run = Run.open(arguments["folder"])
        corpus, record = run.corpus(), run.record(backend)
        for step, (loss, digest) in enumerate(zip(self.losses[backend], self.digests[backend], strict=True), 1):
            record.append_metrics({"step": step, "loss": loss, "digest": digest})
        targets = dict(corpus.train + corpus.test)
        texts = [targets[source] for source in arguments["sentences"]]
        for row in self.wrong[backend]:
            texts[row] = f"{backend} is wrong"
        return {
            "versions": {"tensorflow": "2.x", "keras": "3.x"} if backend == "tensorflow" else {"torch": "2.y"},
            "training": {
                "seconds": 2.0,
                "steps": 3,
                "epochs": 1,
                "target_tokens_per_second": 1234.0,
                "final_loss": self.losses[backend][-1],
                "losses": self.losses[backend],
                "validation_losses": [[3, 1.1]],
                "speeds": [1200.0, 1240.0, 1260.0],
            },
            "startup_seconds": 1.0,
            "compile_seconds": 0.5,
            "decoding": {"sentences_per_second": 99.0, "speeds": [98.0, 99.0, 101.0]},
            "memory": {"peak_rss_bytes": 500_000_000},
            "ceiling": {"target_tokens_per_second": 2468.0},
            "dropped": {"too long": 4},
            "translations": [translation(backend, *pair) for pair in zip(arguments["sentences"], texts)],
            "examples": [translation(backend, source, targets[source]) for source in arguments["examples"]],
        }


def translation(backend, source, text):
    """A translation whose attention is random, and a little flatter in PyTorch."""
    words, said = source.split(), [*text.split(), "<eos>"]
    weights = np.random.default_rng(len(words)).dirichlet(np.full(len(words), 0.2), len(said))
    attention = weights if backend == "tensorflow" else 0.99 * weights + 0.01 / len(words)
    return {"text": text, "source_tokens": words, "tokens": said, "log_probability": -0.5, "attention": attention}


def stand_in(monkeypatch):
    """Workers in place of the real ones."""
    workers = Workers()
    monkeypatch.setattr(comparison, "call", workers)
    monkeypatch.setattr(comparison, "is_installed", lambda name: True)
    monkeypatch.setattr(comparison, "decode_elsewhere", lambda *arguments, **named: workers.elsewhere)
    monkeypatch.setattr(comparison, "climb", lambda run, steps, threads: [workers.level])
    return workers


@pytest.fixture
def workers(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """A function that compares a config, in a new folder; the two translate the given rows wrong."""

    def compare(config, **wrong):
        with pytest.MonkeyPatch.context() as patch:
            stand_in(patch).wrong |= wrong
            return comparison.compare(config, tmp_path_factory.mktemp("compared") / "run", threads=2)

    return compare
