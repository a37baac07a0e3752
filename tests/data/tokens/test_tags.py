"""Tags in front of a source: one token each, whatever the tokenizer, there and back."""

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.opening import load_corpus
from diptych.data.tokens.language import Language, build_languages
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import DataError, RefusalError
from diptych.export.trained import Trained
from diptych.panel import BACKENDS
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
from diptych.translation.paragraphs import translate_paragraphs
from diptych.translation.translator import load

KINDS = ("word", "character", "jamo", "unigram", "bpe")
WORDS = {"one": ("eins", "un"), "two": ("zwei", "deux"), "three": ("drei", "trois"), "four": ("vier", "quatre")}
ROWS = [
    f"{language}\t{first} {second}\t{WORDS[first][column]} {WORDS[second][column]}"
    for first in WORDS
    for second in WORDS
    for column, language in enumerate(("de", "fr"))
]


@pytest.fixture
def options(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("to\ten\tsaid\n" + "\n".join(ROWS) + "\n", encoding="utf-8")
    columns = {"source_column": "en", "target_column": "said", "source_tags": ("to",)}
    return {"corpus": "files", "train": (str(path),), "validation_size": 2, "test_size": 2} | columns


@pytest.mark.parametrize("kind", KINDS)
def test_a_tag_is_one_token_and_comes_back(options, kind):
    config = DataConfig(**options, source_tokenizer=kind, normalization="NFC", subword_size=18)
    corpus = load_corpus(config)
    assert {source.partition("\t")[0] for source, _ in corpus.train} == {"de", "fr"}
    source, target = build_languages(config, corpus.train)
    read = Language.from_json(source.to_json(), "source.json")
    assert read == source and target.tokenizer.tags == 0
    for line, _ in corpus.train:
        tokens = read.tokenizer.tokenize(line)
        assert tokens[0] in ("[de]", "[fr]") and read.tokenizer.detokenize(tokens) == line
        ids = read.vocabulary.encode(tokens)
        assert 3 not in ids and read.vocabulary.decode(ids) == tokens
    untagged = make_tokenizer(kind, False, "NFC")
    if kind in ("word", "character", "jamo"):
        assert tokens[1:] == untagged.tokenize(line.partition("\t")[2])


def test_a_line_without_its_tag_is_told_what_to_write():
    tokenizer = make_tokenizer("word", tags=2)
    assert tokenizer.tokenize("a b\tc \td e") == ["[a b]", "[c]", "d", "e"]
    with pytest.raises(DataError, match=r"'ko\\tx' has 1 tag\(s\) in front, expected 2, a tab after each"):
        tokenizer.tokenize("ko\tx")


def test_tags_and_patterns_that_take_something_out_do_not_meet(options):
    found = load_corpus(DataConfig(**options, source_remove="^(one|de) "))
    sources = [source for source, _ in (*found.train, *found.validation, *found.test)]
    assert "de\tone" in sources and "de\tone two" not in sources


def test_every_sentence_of_a_paragraph_has_the_tags():
    asked = []

    def translate(sentences):
        asked.extend(sentences)
        raise StopIteration

    with pytest.raises((StopIteration, RuntimeError)):
        translate_paragraphs(["de\tI go. You come."], translate, tags=1)
    assert asked == ["de\tI go.", "de\tYou come."]


def test_what_cannot_have_tags_is_refused(options, tmp_path):
    with pytest.raises(ValueError, match="subword_sampling divides sources anew, tags and all"):
        DataConfig(**options, source_tokenizer="bpe", subword_sampling=0.1)
    for name in ("a", "b"):
        (tmp_path / name).write_text("x\ny\nz\n", encoding="utf-8")
    with pytest.raises(DataError, match="two aligned files, which have no columns"):
        load_corpus(DataConfig(**options | {"train": (str(tmp_path / "a"), str(tmp_path / "b"))}))


@pytest.mark.slow
@pytest.mark.parametrize("factors", [0, 1])
@pytest.mark.parametrize("backend", BACKENDS)
def test_one_model_says_two_languages(options, tmp_path, backend, factors, both_frameworks):
    join = "added" if backend == "tensorflow" else "concatenated"
    shape = {"embedding_size": 24, "encoder_size": 24, "decoder_size": 32, "dropout": 0.0}
    config = RunConfig(
        data=DataConfig(**options),
        model=ModelConfig(**shape, factors=factors, factors_join=join),
        training=TrainingConfig(epochs=40, batch_size=4, learning_rate=0.01),
    )
    run = Run.create(config, tmp_path / "run")
    train(run, backend, reporter=QuietReporter())
    german, french = load(run, backend).translate(["de\tthree one", "fr\tthree one"])
    assert (german.text, french.text) == ("drei eins", "trois un")
    assert german.source_tokens == ("[de]", "three", "one")
    if factors:
        with pytest.raises(RefusalError, match="a model with factors .* is not exported"):
            Trained.open(run)
