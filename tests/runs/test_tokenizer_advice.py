"""Preparing a corpus says which tokenizer would help, and is silent where none would."""

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig
from diptych.runs.corpus_report import prepared
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run

MODEL = ModelConfig(embedding_size=2, encoder_size=2, decoder_size=2)


def advice(folder, pairs, validation=None, **data):
    config = RunConfig(data=DataConfig(**data), model=MODEL)
    run = Run.create(config, folder, pairs=pairs, validation=validation or pairs[:4], test=pairs[:2])
    return prepared(run, QuietReporter()).advice


@pytest.mark.parametrize(("glued", "share"), [(2, ""), (3, "15.0 %"), (4, "20.0 %")])
def test_punctuation_that_sticks_to_words(tmp_path, glued, share):
    words = [f"w{n}," if n < glued else f"w{n}" for n in range(20)]
    found = advice(tmp_path / "run", [(" ".join(words), "a b")] * 5)
    assert bool(found) == bool(share)
    if not share:
        return
    assert found[0].startswith(f"{share} of the source's words have punctuation stuck to them")
    assert "'w0,': data.source_tokenizer = \"word_punctuation\" parts them" in found[0]
    assert not advice(tmp_path / "parted", [(" ".join(words), "a b")] * 5, source_tokenizer="word_punctuation")


def test_unknown_words(tmp_path):
    pairs, strangers = [("a b c d", "x y")] * 5, [("a b c stranger", "x y")] * 4
    [found] = advice(tmp_path / "run", pairs, strangers)
    assert found.startswith("25.0 % of the source's tokens in the validation part are unknown")
    for what in ('data.source_tokenizer = "bpe"', "data.minimum_frequency", "model.copies = true"):
        assert what in found
