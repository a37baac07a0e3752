"""Training that starts with embeddings that are there, frozen or not."""

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import ConfigError
from diptych.panel import BACKENDS
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train

PAIRS = [(f"a{n % 3} b{n}", f"c{n % 4}") for n in range(20)]


class Notes(QuietReporter):
    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "vectors.txt"
    table = {word: np.random.default_rng(n).normal(size=4) for n, word in enumerate(("a0", "a2", "c1", "unused"))}
    path.write_text(
        "".join(" ".join([word, *map(repr, map(float, row))]) + "\n" for word, row in table.items()), "utf-8"
    )
    return path, table


def create(folder, reporter=None, model=None, **training):
    config = RunConfig(
        data=DataConfig(),
        model=ModelConfig(**{"embedding_size": 4, "encoder_size": 3, "decoder_size": 5} | (model or {})),
        training=TrainingConfig(epochs=1, batch_size=4, precision="float64", **training),
    )
    return Run.create(config, folder, pairs=PAIRS, reporter=reporter)


def test_known_tokens_have_their_vectors_and_the_others_are_drawn(vectors, tmp_path):
    path, table = vectors
    drawn = create(tmp_path / "drawn").initial_parameters()
    notes = Notes()
    run = create(tmp_path / "run", notes, source_embeddings=str(path), target_embeddings=str(path))
    path.unlink()  # the run keeps what it starts from
    found = Run.open(run.folder).initial_parameters()
    for side, vocabulary in (("source", run.source_vocabulary), ("target", run.target_vocabulary)):
        name = f"{side}_embedding.weight"
        for row, token in enumerate(vocabulary.tokens):
            expected = np.float32(table[token]) if token in table else drawn[name][row]
            assert np.array_equal(found[name][row], expected), token
    others = drawn.keys() - {"source_embedding.weight", "target_embedding.weight"}
    assert all(np.array_equal(found[name], drawn[name]) for name in others)
    tokens = len(run.source_vocabulary.entries)
    assert f"source_embedding.weight: 2 of {tokens} tokens are in vectors.txt, {tokens - 2} are drawn" in notes.said


def test_what_does_not_fit_is_refused(vectors, tmp_path):
    path = str(vectors[0])
    with pytest.raises(ConfigError, match="vectors of 4 numbers and the model's have 6: set model.embedding_size = 4"):
        create(tmp_path / "run", model={"embedding_size": 6}, source_embeddings=path)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_embeddings_that_are_frozen_are_in_the_trained_model(vectors, tmp_path, backend, both_frameworks):
    path, table = vectors
    run = create(tmp_path / "run", source_embeddings=str(path), freeze=("source_embedding.weight",))
    train(run, backend, reporter=QuietReporter())
    trained = run.read_checkpoint(backend, "latest").parameters
    row = run.source_vocabulary.tokens.index("a2")
    assert np.array_equal(trained["source_embedding.weight"][row], np.float32(table["a2"]))
    assert not np.array_equal(trained["target_embedding.weight"], run.initial_parameters()["target_embedding.weight"])
