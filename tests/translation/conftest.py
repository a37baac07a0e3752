"""A small run, and a model that copies its source: what the tests of translation translate with."""

from types import SimpleNamespace

import numpy as np
import pytest

from diptych import panel as panels
from diptych.config import parse_config
from diptych.data.tokens.vocabulary import EOS
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.translation.translator import load

WORDS = "a bird sees one small red fox".split()


class CopyStepper:
    """A model that says its source again, word by word, then eos; it notes each batch's source lengths."""

    def __init__(self, model):
        self.model = model
        self.batches = []

    def start(self, source, source_lengths):
        self.batches.append(source_lengths.tolist())
        return source, source_lengths, np.zeros(len(source), int)

    def step(self, state, tokens):
        source, lengths, place = state
        rows = np.arange(len(source))
        inside = place < lengths
        looked = np.minimum(place, lengths - 1)
        table = np.full((len(source), self.model.vocabulary_size), -9.0, np.float32)
        table[rows, np.where(inside, source[rows, looked], EOS)] = -0.125
        attention = np.zeros(source.shape, np.float32)
        attention[rows, looked] = 1.0
        return table, attention, (source, lengths, place + 1)

    def reorder(self, state, rows):
        return tuple(part[rows] for part in state)


def copy_model(config, source_vocabulary_size, target_vocabulary_size, precision, choices=None):
    return SimpleNamespace(vocabulary_size=target_vocabulary_size, precision=precision, parameters=None)


COPY_PANEL = SimpleNamespace(
    choose=lambda weights, precision: {},
    Model=copy_model,
    load_parameters=lambda model, parameters: setattr(model, "parameters", parameters),
    Stepper=CopyStepper,
)


def created(folder, tokenizer="word", entries=None):
    """A run over pairs of equal sides, so that both vocabularies are the same; nothing trained yet."""
    folder.mkdir(parents=True)
    lines = entries or [" ".join(WORDS)]
    pairs = folder / "pairs.tsv"
    pairs.write_text("".join(f"{line}\t{line}\n" for line in lines), encoding="utf-8")
    config = parse_config(
        {
            "data": {
                "corpus": "files",
                "train": [str(pairs)],
                "validation": [str(pairs)],
                "test": [str(pairs)],
                "source_tokenizer": tokenizer,
                "target_tokenizer": tokenizer,
                "shared_vocabulary": True,
            },
            "model": {"embedding_size": 6, "encoder_size": 4, "decoder_size": 8, "attention_size": 5},
        }
    )
    return Run.create(config, folder / "run")


def trained(run, backend, step=1, scale=1.0):
    """Leave a checkpoint as if this backend had trained."""
    parameters = {name: (scale * values).astype(np.float32) for name, values in run.initial_parameters().items()}
    run.record(backend).write_checkpoint(Checkpoint(parameters, {}, {"step": step}), best=True)


@pytest.fixture(scope="session")
def copy_panel():
    """A panel whose model says its source again."""
    return COPY_PANEL


@pytest.fixture(scope="session")
def make_run():
    """Makes a run of pairs with equal sides."""
    return created


@pytest.fixture(scope="session")
def train():
    """Leaves a checkpoint as if a backend had trained."""
    return trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = created(tmp_path_factory.mktemp("words") / "here")
    trained(run, "pytorch", scale=4.0)
    return run


@pytest.fixture(scope="module")
def copier(run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panels, "load", lambda *arguments: COPY_PANEL)
        return load(run, "pytorch")


@pytest.fixture(scope="module")
def reference(run):
    return load(run, "reference")


@pytest.fixture(scope="session")
def batches():
    """Tells the source lengths in each batch that a copier searched since the last call."""

    def since(copier):
        found, copier.stepper.batches = copier.stepper.batches, []
        return found

    return since
