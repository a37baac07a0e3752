"""A run's folder: created whole or not at all, opened as it was, refused where it is another's."""

import json
import os

import numpy as np
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.encoded import encode_pairs
from diptych.errors import BackendError, CheckpointError, DataError, DiptychError, RunError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"Word{n % 7} w{n}\t말{n % 5} Δ{n % 3}\n" for n in range(40)), encoding="utf-8")
    return path


def a_config(text, **changes):
    data = {"corpus": "files", "train": (str(text),), "validation_size": 5, "test_size": 5}
    model = ModelConfig(embedding_size=3, encoder_size=2, decoder_size=4)
    return RunConfig(data=DataConfig(**(data | changes)), model=model, training=TrainingConfig(epochs=2))


@pytest.fixture
def run(text, tmp_path):
    return Run.create(a_config(text), tmp_path / "runs" / "one")


def a_checkpoint(run, step, **state):
    return Checkpoint(run.initial_parameters(), {}, {"step": step, **state})


def names(run, backend="pytorch"):
    return sorted(os.listdir(run.folder / backend / "checkpoints"))


def test_a_run_opens_as_it_was_created(run):
    again = Run.open(run.folder)
    assert again.config == run.config
    assert again.source == run.source and again.target == run.target
    assert again.specification == run.specification
    values = again.initial_parameters()
    assert values.keys() == run.specification.keys()
    assert all(np.array_equal(value, run.initial_parameters()[name]) for name, value in values.items())


def test_a_run_s_folder_holds_what_the_design_says_and_nothing_else(run):
    assert sorted(os.listdir(run.folder)) == ["checksums.json", "config.toml", "data", "environment.json", "tokenizer"]
    assert sorted(os.listdir(run.folder / "tokenizer")) == ["source.json", "target.json"]
    assert os.listdir(run.folder.parent) == ["one"]
    environment = json.loads((run.folder / "environment.json").read_text(encoding="utf-8"))
    assert environment["packages"]["numpy"] == np.__version__
    assert {"python", "platform", "processors", "time"} <= environment.keys()


def test_data_paths_are_absolute_in_the_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Run.create(a_config("pairs.tsv"), "relative")
    assert run.folder == tmp_path / "relative"
    monkeypatch.chdir("/")
    assert Run.open(run.folder).config.data.train == (str(text),)
    assert run.corpus().train


def test_the_vocabularies_come_from_the_training_pairs(run):
    corpus = run.corpus()
    assert set(run.source_vocabulary.tokens[4:]) == {word for pair in corpus.train for word in pair[0].split()}
    assert set(run.target_vocabulary.tokens[4:]) == {word for pair in corpus.train for word in pair[1].split()}


def test_the_encoded_pairs_are_those_of_the_corpus(run):
    corpus = run.corpus()
    for found, pairs in ((run.encoded().train, corpus.train), (run.encoded().validation, corpus.validation)):
        expected = encode_pairs(pairs, run.source, run.target)
        assert [side.tolist() for side in found.sources] == [side.tolist() for side in expected.sources]
        assert [side.tolist() for side in found.targets] == [side.tolist() for side in expected.targets]


def test_a_pair_that_cannot_be_encoded_leaves_no_run(text, tmp_path):
    with pytest.raises(DataError, match="each of the 30 pairs has a side of more than maximum_length = 1 tokens"):
        Run.create(a_config(text, maximum_length=1), tmp_path / "r")
    assert os.listdir(tmp_path) == ["pairs.tsv"]


def test_a_shared_vocabulary_is_one(text, tmp_path):
    run = Run.create(a_config(text, shared_vocabulary=True), tmp_path / "shared")
    assert run.source_vocabulary == run.target_vocabulary
    assert {"w3", "말3"} & set(run.source_vocabulary.tokens) == {"w3", "말3"}


def test_each_side_has_its_own_tokenizer(text, tmp_path):
    changes = {"source_tokenizer": "character", "lowercase_source": True, "lowercase_target": False}
    run = Run.open(Run.create(a_config(text, **changes), tmp_path / "r").folder)
    assert run.source_tokenizer.tokenize("Ab c") == ["a", "b", " ", "c"]
    assert run.target_tokenizer.tokenize("Ab c") == ["Ab", "c"]


def test_the_same_config_opens_the_run_again_and_keeps_what_was_trained(run, text):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    again = Run.create(a_config(text), run.folder)
    assert again.trained_backends() == ["pytorch"]


def test_a_run_opens_and_keeps_its_vocabulary_when_its_corpus_has_changed_or_gone(run, text):
    text.write_text("other\tthings\n" * 40, encoding="utf-8")
    assert Run.create(a_config(text), run.folder).source == run.source
    text.unlink()
    assert Run.open(run.folder).source == run.source


def test_another_config_is_refused_with_what_differs(run, text):
    other = a_config(text, lowercase_source=True)
    with pytest.raises(RunError) as caught:
        Run.create(other, run.folder)
    message = str(caught.value)
    assert run.config.hash() in message and other.hash() in message
    assert "data.lowercase_source = False there, True now" in message
    assert "--run" in message and "--overwrite" in message
    assert "epochs" not in message
    assert Run.open(run.folder).config == run.config


def test_overwriting_starts_anew(run, text):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    again = Run.create(a_config(text, lowercase_source=True), run.folder, overwrite=True)
    assert again.config.data.lowercase_source
    assert again.trained_backends() == []
    assert os.listdir(run.folder.parent) == [run.folder.name]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_someone_else_is_neither_opened_nor_overwritten(text, tmp_path, overwrite):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(RunError, match="thesis is there but is not a run"):
        Run.create(a_config(text), tmp_path / "thesis", overwrite=overwrite)
    assert os.listdir(tmp_path / "thesis") == ["chapter1.txt"]
    with pytest.raises(RunError, match="is there but is not a run"):
        Run.create(a_config(text), text, overwrite=overwrite)


def test_an_empty_folder_is_free(text, tmp_path):
    (tmp_path / "empty").mkdir()
    assert Run.create(a_config(text), tmp_path / "empty").folder == tmp_path / "empty"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_corpus_that_cannot_be_read_leaves_what_was_there(run, text, overwrite):
    text.unlink()
    place = run.folder if overwrite else run.folder.with_name("two")
    with pytest.raises(DataError):
        Run.create(a_config(text), place, overwrite=overwrite)
    assert os.listdir(run.folder.parent) == [run.folder.name]
    assert Run.open(run.folder).config == run.config


def test_a_missing_run_says_how_to_make_it(tmp_path):
    with pytest.raises(RunError, match="no run at .*nowhere: create it with `diptych train"):
        Run.open(tmp_path / "nowhere")


@pytest.mark.parametrize("missing", ["config.toml", "tokenizer/source.json", "tokenizer/target.json"])
def test_a_folder_that_is_no_run_says_what_it_lacks(run, missing):
    (run.folder / missing).unlink()
    with pytest.raises(RunError, match=f"is not a run: it has no {missing}"):
        Run.open(run.folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"kind": "word"}',
        b'{"kind": "words", "lowercase": false, "vocabulary": {}}',
        b'{"kind": ["word"], "lowercase": false, "vocabulary": {}}',
        b'{"kind": "word", "lowercase": 1, "vocabulary": {}}',
        b'{"kind": "word", "lowercase": false, "vocabulary": {}}',
        b'{"kind": "word", "lowercase": false, "vocabulary": {"special": [], "tokens": ["\xff"]}}',
    ],
)
def test_a_damaged_tokenizer_is_named(run, content):
    (run.folder / "tokenizer" / "target.json").write_bytes(content)
    with pytest.raises(DiptychError, match=r"target\.json"):
        Run.open(run.folder)


def test_the_best_checkpoint_is_the_latest_until_there_was_a_validation(run):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    assert run.read_checkpoint("pytorch", "best").state["step"] == 1


def test_best_and_latest_name_their_checkpoints(run):
    for step, best in ((1, False), (2, True), (3, False)):
        run.record("pytorch").write_checkpoint(a_checkpoint(run, step), best)
    steps = {which: run.read_checkpoint("pytorch", which).state["step"] for which in ("best", "latest")}
    assert steps == {"best": 2, "latest": 3}
    assert run.read_checkpoint("pytorch", "step-00000002").state["step"] == 2
    assert (run.folder / "pytorch/checkpoints/latest").read_text(encoding="utf-8") == "step-00000003\n"


def test_the_newest_and_the_best_checkpoints_are_kept(run):
    for step in (1, 2, 3, 4, 99_999_998, 99_999_999, 100_000_000):
        run.record("pytorch").write_checkpoint(a_checkpoint(run, step), best=step == 2)
    assert names(run) == ["best", "latest", "step-00000002", "step-100000000", "step-99999999"]


def test_what_a_killed_process_left_goes_with_the_next_checkpoint(run):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    folder = run.folder / "pytorch/checkpoints"
    for left in (".step-00000002.123.tmp", ".step-00000001.removed"):
        (folder / left).mkdir()
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 3))
    assert names(run) == ["best", "latest", "step-00000001", "step-00000003"][1:]


def test_numbers_that_are_not_finite_leave_latest_and_best(run):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1), best=True)
    bad = a_checkpoint(run, 2)
    bad.parameters["bridge.hidden.0.bias"][0] = np.nan
    with pytest.raises(CheckpointError, match="not finite"):
        run.record("pytorch").write_checkpoint(bad, best=True)
    assert names(run) == ["best", "latest", "step-00000001"]
    assert run.read_checkpoint("pytorch", "best").state["step"] == 1


def test_a_backend_without_a_checkpoint_names_those_that_have_one(run):
    run.record("tensorflow").write_checkpoint(a_checkpoint(run, 1))
    with pytest.raises(RunError, match=r"no checkpoint of pytorch \(trained backends: tensorflow\).*diptych train"):
        run.read_checkpoint("pytorch")


@pytest.mark.parametrize("which", ["../../../etc", "newest", "step-1", ""])
def test_an_unknown_checkpoint_lists_those_there_are(run, which):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    with pytest.raises(CheckpointError, match="'average-best', 'average-latest' or a name: step-00000001"):
        run.read_checkpoint("pytorch", which)


def test_a_pointer_that_names_no_checkpoint_is_an_error(run):
    run.record("pytorch").write_checkpoint(a_checkpoint(run, 1))
    (run.folder / "pytorch/checkpoints/latest").write_text("../../../secret", encoding="utf-8")
    with pytest.raises(CheckpointError, match="latest holds '../../../secret', expected a checkpoint's name"):
        run.read_checkpoint("pytorch", "latest")


def test_only_backends_that_train_have_a_record(run):
    with pytest.raises(BackendError, match="no backend 'reference' trains; choose among: tensorflow, pytorch"):
        run.read_checkpoint("reference")


def test_metrics_come_back_in_order_without_a_torn_last_line(run):
    assert run.read_metrics("pytorch") == []
    lines = [{"step": 1, "loss": 1 / 3}, {"step": 1, "validation_loss": 0.1 + 0.2, "best": True}]
    for line in lines:
        run.record("pytorch").append_metrics(line)
    with (run.folder / "pytorch/metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 2, "lo')
    assert run.read_metrics("pytorch") == lines
    assert run.read_metrics("tensorflow") == []


@pytest.mark.parametrize("line", ["", "{", "3"])
def test_a_damaged_line_of_metrics_is_named(run, line):
    run.record("pytorch").append_metrics({"step": 1})
    with (run.folder / "pytorch/metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(f'{line}\n{{"step": 2}}\n')
    with pytest.raises(RunError, match=r"metrics.jsonl, line 2 is no"):
        run.read_metrics("pytorch")
