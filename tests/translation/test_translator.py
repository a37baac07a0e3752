"""Text in, text out: order, unknown words, empty lines and line breaks, whatever model there is."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych import panel as panels
from diptych.config import SearchConfig, parse_config
from diptych.data.tokens.vocabulary import EOS
from diptych.errors import BackendError, CheckpointError, ConfigError, DataError, RunError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.translation.translation import Alternative, Translation
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
    choose=lambda config, precision: {},
    Model=copy_model,
    load_parameters=lambda model, parameters: setattr(model, "parameters", parameters),
    Stepper=CopyStepper,
)


def make_run(folder, tokenizer="word", entries=None):
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


def train(run, backend, step=1, scale=1.0):
    """Leave a checkpoint as if this backend had trained."""
    parameters = {name: (scale * values).astype(np.float32) for name, values in run.initial_parameters().items()}
    run.record(backend).write_checkpoint(Checkpoint(parameters, {}, {"step": step}), best=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("words") / "here")
    train(run, "pytorch", scale=4.0)
    return run


@pytest.fixture(scope="module")
def copier(run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panels, "load", lambda *arguments: COPY_PANEL)
        return load(run, "pytorch")


@pytest.fixture(scope="module")
def reference(run):
    return load(run, "reference")


def batches(copier):
    """The source lengths in each batch searched since the last call."""
    found, copier.stepper.batches = copier.stepper.batches, []
    return found


def test_a_translation_holds_all_there_is_to_know(copier):
    (found,) = copier.translate(["  one small\tfox "])
    assert found.source == "  one small\tfox "
    assert found.text == "one small fox"
    assert found.source_tokens == ("one", "small", "fox")
    assert found.tokens == ("one", "small", "fox", "<eos>")
    assert found.token_log_probabilities == (-0.125,) * 4
    assert found.log_probability == -0.5
    assert np.array_equal(found.attention, np.eye(4, 3) + np.eye(4, 3, k=-1) * [0, 0, 1])
    assert found.alternatives == ()


@given(
    st.lists(st.lists(st.sampled_from([*WORDS, ""]), max_size=9).map(" ".join), max_size=12),
    st.integers(1, 5),
    st.sampled_from([{}, {"beam_size": 3}, {"temperature": 1e-6}]),
)
def test_lines_come_back_in_order_whatever_the_batches(copier, lines, batch_size, options):
    batches(copier)
    found = copier.translate(lines, batch_size=batch_size, **options)
    assert [translation.source for translation in found] == lines
    assert [translation.text for translation in found] == [" ".join(line.split()) for line in lines]
    lengths = [len(line.split()) for line in lines if line.strip()]
    seen = batches(copier)
    assert [length for batch in seen for length in batch] == sorted(lengths, reverse=True)
    assert all(len(batch) == batch_size for batch in seen[:-1])


def test_an_unknown_word_is_read_and_said_as_unk(copier):
    (found,) = copier.translate(["a purple fox"])
    assert found.source_tokens == ("a", "purple", "fox")
    assert found.text == "a <unk> fox"


@pytest.mark.parametrize("line", ["", " ", "\t \r", "\u2028", "\u3000\n\x0b"])
def test_an_empty_line_gives_an_empty_translation_and_no_search(copier, line):
    batches(copier)
    (found,) = copier.translate([line])
    assert (found.source, found.text, found.tokens, found.source_tokens) == (line, "", (), ())
    assert found.attention.shape == (0, 0) and found.log_probability == 0.0
    assert batches(copier) == []


def test_line_breaks_within_a_line_part_words(copier):
    texts = [found.text for found in copier.translate(["one\u2028small", "one\rsmall", "one\x85small\x0cfox"])]
    assert texts == ["one small", "one small", "one small fox"]


def test_no_text_ever_holds_a_line_break(tmp_path, monkeypatch):
    breaks = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    run = make_run(tmp_path / "characters", "character", [f"x{breaks}y"])
    train(run, "pytorch")
    monkeypatch.setattr(panels, "load", lambda *arguments: COPY_PANEL)
    translator = load(run)
    line = "x" + "y".join(breaks)
    for options in ({}, {"beam_size": 2, "n_best": 2}):
        (found,) = translator.translate([line], **options)
        assert found.text == "x" + "y".join(" " * len(breaks))
        assert found.tokens == (*line, "<eos>"), "the tokens are told as they are"
        for text in [found.text, *(each.text for each in found.alternatives)]:
            assert len(f"{text}.".splitlines()) == 1
    (found,) = translator.translate([breaks])
    assert found.tokens == (), "whitespace alone is an empty line, though these are tokens here"


def test_the_maximum_length_cuts_off(copier):
    (found,) = copier.translate(["one small fox"], maximum_length=2)
    assert found.tokens == ("one", "small")


def test_without_one_it_is_twice_the_source_and_ten(run, monkeypatch):
    class Babbler(CopyStepper):
        def step(self, state, tokens):
            table, attention, state = super().step(state, tokens)
            table[:, EOS] = -99.0
            return table, attention, state

    panel = SimpleNamespace(**vars(COPY_PANEL) | {"Stepper": Babbler})
    monkeypatch.setattr(panels, "load", lambda *arguments: panel)
    found = load(run).translate(["fox", "one small fox"])
    assert [len(translation.tokens) for translation in found] == [12, 16]
    assert "<eos>" not in found[0].tokens


def test_a_beam_gives_its_n_best(copier):
    lines = ["one small fox", "a bird"]
    for found in copier.translate(lines, beam_size=4, n_best=3, length_penalty=1.0):
        assert len(found.alternatives) == 3
        texts, scores = zip(*((each.text, each.score) for each in found.alternatives), strict=True)
        assert texts[0] == found.text == found.source and len(set(texts)) > 1
        assert list(scores) == sorted(scores, reverse=True)
        assert scores[0] == pytest.approx(found.log_probability / ((5 + len(found.tokens)) / 6))


def test_a_beam_of_one_is_greedy_and_zero_temperature_too(reference):
    lines = ["one small fox", "a bird sees"]
    first, *others = (reference.translate(lines, **options) for options in ({}, {"beam_size": 1}, {"temperature": 0.0}))
    for other in others:
        assert [found.text for found in first] == [found.text for found in other]


def test_a_sample_belongs_to_its_line_however_the_text_is_cut(reference):
    lines = ["one small fox", "", "a bird sees one", "fox"] * 5
    whole = reference.translate(lines, temperature=1.5, seed=3)
    parts = reference.translate(lines[:7], temperature=1.5, seed=3, batch_size=2)
    parts += reference.translate(lines[7:], temperature=1.5, seed=3, first_row=7)
    assert [found.tokens for found in whole] == [found.tokens for found in parts]
    assert len({found.tokens for found in whole if found.source == "fox"}) > 1
    other = reference.translate(lines, temperature=1.5, seed=4)
    assert [found.tokens for found in whole] != [found.tokens for found in other]


def test_a_search_config_is_overridden_key_by_key(copier):
    search = SearchConfig(maximum_length=1, batch_size=1)
    batches(copier)
    found = copier.translate(["one small", "a fox"], search)
    assert [translation.text for translation in found] == ["one", "a"] and len(batches(copier)) == 2
    found = copier.translate(["one small", "a fox"], search, maximum_length=7)
    assert [translation.text for translation in found] == ["one small", "a fox"] and len(batches(copier)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 5}, "unknown key 'beam' in .search.; choose among: temperature, .*beam_size"),
        ({"beam_size": 0}, "beam_size = 0"),
        ({"beam_size": 2, "temperature": 1.0}, "beam_size 2 and temperature 1.0 exclude each other"),
        ({"n_best": 2}, "n_best 2 needs a beam_size"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"length_penalty": float("nan")}, "length_penalty"),
        ({"top_k": 3}, r"top_k 3 and top_p 1.0 say what sampling draws from, but temperature 0.0"),
        ({"top_p": 0.9}, r"top_k 0 and top_p 0.9 .*: set temperature above 0"),
        ({"temperature": 1.0, "top_p": 0.0}, "top_p = 0.0"),
        ({"temperature": 1.0, "top_k": -1}, "top_k = -1"),
        ({"coverage_penalty": 0.2}, "coverage_penalty 0.2 ranks the hypotheses of a beam, but beam_size 1"),
        ({"minimum_length": 5, "maximum_length": 5}, "minimum_length 5 needs a maximum_length, .* at least 6, got 5"),
        ({"no_repeat_ngram": -1}, "no_repeat_ngram = -1"),
        ({"forbid_unknown": 1}, "forbid_unknown = 1"),
        (
            {"prefix": "a purple"},
            r"the prefix 'a purple' holds 'purple', which is not in the target's vocabulary of 11",
        ),
        ({"prefix": ["a", "one"]}, "one for each line: got 2 for 1 lines"),
        ({"prefix": "a a", "no_repeat_ngram": 1}, "a prefix and no_repeat_ngram = 1 exclude each other"),
        ({"prefix": "a fox", "maximum_length": 2}, "maximum_length 2 has no room for .* a prefix of 2 .*: set .* to 3"),
        (
            {"minimum_length": 9, "no_repeat_ngram": 1},
            "after 8 tokens nothing is left to say: minimum_length 9 .* lower",
        ),
    ],
)
def test_impossible_searches_are_refused(copier, options, message):
    with pytest.raises(ConfigError, match=message):
        copier.translate(["fox"], **options)


@pytest.mark.parametrize("options", [{}, {"beam_size": 3}, {"temperature": 1e-6}])
def test_a_prefix_begins_every_translation_or_its_own(copier, options):
    lines = ["one small fox", "", "a bird"]
    found = copier.translate(lines, prefix=" red  bird", **options)
    assert [each.text for each in found] == ["red bird fox", "", "red bird"]
    found = copier.translate(lines, prefix=["one red", "fox", ""], **options)
    assert [each.text for each in found] == ["one red fox", "", "a bird"]
    assert found[0].tokens == ("one", "red", "fox", "<eos>")
    assert found[0].token_log_probabilities == (-0.125, -9.0, -0.125, -0.125), "the model's own"


def test_a_limit_that_nobody_set_has_room_for_a_prefix_and_the_minimum_length(copier):
    prefix = "red " * 30
    (found,) = copier.translate(["fox"], prefix=prefix)
    assert found.tokens[-1] == "<eos>" and found.text == prefix.strip()
    (found,) = copier.translate(["fox"], minimum_length=40)
    assert found.tokens[-1] == "<eos>" and len(found.tokens) == 41


def test_unk_is_not_said_where_it_is_forbidden(copier):
    (found,) = copier.translate(["a purple fox"], forbid_unknown=True)
    assert found.source_tokens[1] == "purple"
    assert found.tokens == ("a", "<eos>"), "of equally probable ones the lowest id, which is that of eos"


def test_coverage_needs_an_attention(tmp_path):
    run = make_run(tmp_path / "blind")
    config = run.config.model_copy(update={"model": run.config.model.model_copy(update={"attention": "none"})})
    blind = Run.create(config, tmp_path / "none")
    train(blind, "pytorch")
    with pytest.raises(ConfigError, match=r"coverage_penalty 0.5 needs an attention, but the model of .*none has none"):
        load(blind, "reference").translate([], beam_size=2, coverage_penalty=0.5)
    values = config.model_dump(mode="json") | {"search": {"beam_size": 2, "coverage_penalty": 0.5}}
    with pytest.raises(
        ConfigError, match=r"search.coverage_penalty 0.5 needs an attention, got model.attention 'none'"
    ):
        parse_config(values)


def test_alternatives_hold_what_a_translation_holds(reference):
    for found in reference.translate(["one small fox", "a bird"], beam_size=4, n_best=3):
        best, *others = found.alternatives
        assert (best.text, best.tokens, best.log_probability) == (found.text, found.tokens, found.log_probability)
        assert best.token_log_probabilities == found.token_log_probabilities and best.attention is found.attention
        assert len(others) == 2
        for each in (best, *others):
            assert each.log_probability == pytest.approx(sum(each.token_log_probabilities))
            assert each.attention.shape == (len(each.tokens), len(found.source_tokens))
            assert each.score == pytest.approx(each.log_probability / ((5 + len(each.tokens)) / 6) ** 0.6)


def test_one_string_is_no_list_of_lines(copier):
    with pytest.raises(TypeError, match="got the string 'one small fox': put it in a list"):
        copier.translate("one small fox")


def test_a_run_without_a_checkpoint_says_how_to_train_it(tmp_path):
    with pytest.raises(RunError, match="no checkpoint yet: train it with `diptych train"):
        load(make_run(tmp_path / "untrained"))


def test_the_weights_are_the_backends_own_or_any_others(tmp_path, monkeypatch):
    run = make_run(tmp_path / "both")
    loaded = []
    monkeypatch.setattr(panels, "load", lambda *arguments: loaded.append(arguments) or COPY_PANEL)
    train(run, "pytorch", scale=2.0)
    translator = load(run.folder, "tensorflow", threads=1)
    assert (translator.backend, translator.trained_in) == ("tensorflow", "pytorch")
    assert loaded == [("tensorflow", 1, "auto")]
    assert translator.stepper.model.precision == "float32"
    train(run, "tensorflow", step=7, scale=3.0)
    for backend, scale in (("tensorflow", 3.0), ("pytorch", 2.0)):
        translator = load(run.folder, backend)
        assert translator.trained_in == backend
        for name, values in run.initial_parameters().items():
            np.testing.assert_allclose(translator.stepper.model.parameters[name], scale * values, rtol=1e-6)
    with pytest.raises(CheckpointError):
        load(run.folder, "pytorch", which="step-00000007")


def test_a_damaged_checkpoint_is_an_error_and_not_replaced_by_anothers(tmp_path):
    run = make_run(tmp_path / "damaged")
    train(run, "pytorch")
    train(run, "tensorflow")
    weights = run.folder / "tensorflow" / "checkpoints" / "step-00000001" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="tensorflow"):
        load(run.folder, "tensorflow")


def test_an_unknown_backend_lists_the_choices(run):
    with pytest.raises(BackendError, match="unknown backend 'jax'; choose among: tensorflow, pytorch, reference"):
        load(run, "jax")


def test_no_folder_no_run(tmp_path):
    with pytest.raises((RunError, DataError), match="nowhere"):
        load(tmp_path / "nowhere")


def test_the_reference_translates_in_float64(reference):
    assert reference.stepper.model.precision == "float64"
    (found,) = reference.translate(["one small fox"])
    assert found.attention.shape == (len(found.tokens), 3)
    np.testing.assert_allclose(found.attention.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("backend", ["tensorflow", "pytorch"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beam_size": 4, "n_best": 4},
        {"temperature": 1.3, "seed": 5},
        {"prefix": "a red", "minimum_length": 4, "no_repeat_ngram": 1, "forbid_unknown": True},
        {"beam_size": 4, "n_best": 4, "coverage_penalty": 0.7, "no_repeat_ngram": 2, "minimum_length": 3},
        {"temperature": 1.3, "seed": 5, "top_k": 6, "top_p": 0.8, "no_repeat_ngram": 2, "prefix": "one"},
    ],
    ids=["greedy", "beam", "sampling", "constrained", "coverage", "truncated"],
)
def test_every_backend_finds_the_same(run, reference, backend, options, need_frameworks):
    need_frameworks(backend)
    lines = ["one small fox", "", "a bird sees one purple fox", "fox", "red red bird"]
    expected = reference.translate(lines, **options)
    found = load(run, backend, precision="float64").translate(lines, batch_size=2, **options)
    for one, other in zip(expected, found, strict=True):
        assert one.tokens == other.tokens and one.text == other.text
        np.testing.assert_allclose(one.token_log_probabilities, other.token_log_probabilities, rtol=1e-11)
        np.testing.assert_allclose(one.attention, other.attention, rtol=1e-6, atol=1e-9)
        assert [each.tokens for each in one.alternatives] == [each.tokens for each in other.alternatives]
        np.testing.assert_allclose(
            [each.score for each in one.alternatives], [each.score for each in other.alternatives], rtol=1e-11
        )
        for each, same in zip(one.alternatives, other.alternatives, strict=True):
            np.testing.assert_allclose(each.token_log_probabilities, same.token_log_probabilities, rtol=1e-11)
            np.testing.assert_allclose(each.attention, same.attention, rtol=1e-6, atol=1e-9)


def test_a_translation_shows_itself_in_a_notebook():
    hostile = "<img src=x onerror=alert(1)>"
    attention = np.eye(2, dtype=np.float32)
    found = Translation(
        source=hostile,
        text="b c",
        source_tokens=(hostile, "b"),
        tokens=("b", "c"),
        log_probability=-1.5,
        token_log_probabilities=(-1.0, -0.5),
        attention=attention,
        alternatives=(Alternative(text="b c", score=-0.75),),
    )
    page = found._repr_html_()
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    for part in ("b c", "-1.5", "-0.75", 'src="data:image/png;base64,'):
        assert part in page, part
    plain = Translation(source="a", text="b", source_tokens=("a",), tokens=("b",), attention=np.zeros((1, 1)))
    assert "<img" not in plain._repr_html_()
