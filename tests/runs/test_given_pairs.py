"""Runs of pairs in memory: kept in the run, held out, refused where they are others; and runs that move."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import diptych
from diptych.config import RunConfig, read_config
from diptych.errors import DataError, RunError, UsageError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs import run as runs
from diptych.runs.run import Run

PAIRS = [(f"w{n % 7} v{n % 5}\tx", f'"{n % 5}" 한{n % 7}') for n in range(35)]
TINY = {"model": {"embedding_size": 4, "encoder_size": 3, "decoder_size": 5}}


def trained(run):
    run.record("pytorch").write_checkpoint(Checkpoint(run.initial_parameters(), {}, {"step": 1}))
    return run


def test_the_run_keeps_every_pair_and_holds_some_out(tmp_path):
    run = Run.create(TINY, tmp_path / "run", pairs=PAIRS)
    corpus = run.corpus()
    assert sorted([*corpus.train, *corpus.validation, *corpus.test]) == sorted(PAIRS)
    assert (len(corpus.validation), len(corpus.test)) == (3, 3)
    sizes = TINY | {"data": {"validation_size": 5, "test_size": 1, "maximum_pairs": 9}}
    corpus = Run.create(sizes, tmp_path / "sizes", pairs=PAIRS).corpus()
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (9, 5, 1)


def test_parts_that_are_given_are_those(tmp_path):
    run = Run.create(RunConfig(), tmp_path / "run", pairs=PAIRS[:9], validation=PAIRS[9:11], test=PAIRS[11:12])
    corpus = run.corpus()
    assert (corpus.train, corpus.validation, corpus.test) == (PAIRS[:9], PAIRS[9:11], PAIRS[11:12])


def test_a_config_is_a_config_a_dict_or_a_path(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[model]\nembedding_size = 4\nencoder_size = 3\ndecoder_size = 5\n", encoding="utf-8")
    found = [
        Run.create(config, tmp_path / str(number), pairs=PAIRS).config
        for number, config in enumerate((TINY, path, str(path), read_config(path)))
    ]
    assert len({config.model for config in found}) == 1 and len({config.data.maximum_pairs for config in found}) == 1


def test_the_same_pairs_open_the_run_and_others_are_refused(tmp_path):
    run = trained(Run.create(TINY, tmp_path / "run", pairs=PAIRS))
    assert Run.create(TINY, run.folder, pairs=iter(PAIRS)).trained_backends() == ["pytorch"]
    with pytest.raises(RunError, match=r"other pairs \(the train part differs\)"):
        Run.create(TINY, run.folder, pairs=[*PAIRS[:-1], ("w1 v1", "other")])
    assert not Run.create(TINY, run.folder, pairs=PAIRS[:30], overwrite=True).trained_backends()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "there is no pair in train"),
        ([("a", "b"), ("a", " ")], "pair 2 of train is .* expected a source and a target"),
        ([("a", "b", "c")], "pair 1 of train"),
        (["ab"], "pair 1 of train is 'ab'"),
        ([("a", None)], "pair 1 of train"),
    ],
)
def test_what_is_no_pair_is_refused(tmp_path, pairs, message):
    with pytest.raises(DataError, match=message):
        Run.create(TINY, tmp_path / "run", pairs=pairs)
    assert not (tmp_path / "run").exists()


def test_a_test_part_alone_is_refused(tmp_path):
    with pytest.raises(UsageError, match="go with pairs to train on"):
        Run.create(TINY, tmp_path / "run", test=PAIRS)


def test_what_is_left_out_is_listed_by_the_run_s_own_file(tmp_path):
    run = Run.create(TINY | {"data": {"maximum_characters": 9}}, tmp_path / "run", pairs=[*PAIRS, ("long " * 9, "x")])
    listing = (run.encoded().folder / "dropped.tsv").read_text(encoding="utf-8")
    assert f"\n{Path('pairs') / 'train.jsonl'}\t36\t" in listing


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_run_of_pairs_moves_and_is_not_encoded_again(tmp_path, monkeypatch, how):
    run = trained(Run.create(TINY, tmp_path / "run", pairs=PAIRS))
    corpus, made = run.corpus(), run.encoded().fingerprint
    how(run.folder, tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    monkeypatch.setattr(runs, "prepare", None)
    there = Run.open(tmp_path / "elsewhere")
    assert there.corpus() == corpus and there.encoded().fingerprint == made
    assert diptych.evaluate(there, "reference", measures="chrf", maximum_length=3).sentences == 3
    assert Run.create(TINY, there.folder, pairs=PAIRS).folder == there.folder
    monkeypatch.undo()
    shutil.rmtree(there.folder / "data")
    assert there.encoded().fingerprint == made


@pytest.fixture
def of_files(tmp_path):
    """A run of three files, and these."""
    for name, pairs in (("train", PAIRS[:30]), ("validation", PAIRS[30:32]), ("test", PAIRS[32:])):
        lines = [f"{source.split()[0]}\t{target}\n" for source, target in pairs]
        (tmp_path / f"{name}.tsv").write_text("".join(lines), encoding="utf-8")
    data = {"corpus": "files"} | {part: [str(tmp_path / f"{part}.tsv")] for part in ("train", "validation", "test")}
    return trained(Run.create(TINY | {"data": data}, tmp_path / "run")), tmp_path


def test_translating_needs_no_text_and_evaluating_the_test_text_alone(of_files):
    run, folder = of_files
    for part in ("train", "validation"):
        (folder / f"{part}.tsv").unlink()
    assert diptych.evaluate(run.folder, "reference", measures="chrf", maximum_length=3).sentences == 3
    with pytest.raises(DataError, match=r"train\.tsv"):
        diptych.evaluate(run.folder, "reference", part="train")
    (folder / "test.tsv").unlink()
    assert len(diptych.load(run.folder, "reference").translate(["w1"], maximum_length=3)) == 1
    with pytest.raises(DataError, match=r"test\.tsv"):
        diptych.evaluate(run.folder, "reference")


def test_what_was_encoded_is_used_where_its_texts_have_gone(of_files):
    run, folder = of_files
    made = run.encoded()
    (folder / "train.tsv").unlink()
    assert np.array_equal(run.encoded().train.sources.tokens, made.train.sources.tokens)
    (folder / "test.tsv").write_text("another\ttext\n", encoding="utf-8")  # it may be another corpus altogether
    (folder / "validation.tsv").unlink()
    with pytest.raises(DataError) as caught:
        run.encoded()
    assert all(str(folder / f"{part}.tsv") in str(caught.value) for part in ("train", "validation"))
    assert "test.tsv" not in str(caught.value)
