"""Damaged and hostile files: too large, too deep, edited and sealed again; what is whole is found, aloud."""

import copy
import json
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from trials.small_run import digests, leftovers, train_quietly

from diptych.cli import main
from diptych.data.tokens.stored import _files, written
from diptych.errors import CheckpointError, DiptychError, RunError
from diptych.parameters.checkpoint import MODEL, OPTIMIZER, STATE
from diptych.runs.record import TrainingRecord
from diptych.runs.run import Run
from diptych.storage import place
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.manifest import MANIFEST, manifest_of
from diptych.training.checkpointing import Checkpoints

DEEP = b"[" * 200_000
GIGABYTES = 6 << 30


@pytest.fixture
def half(panel, run):
    """A run trained for a while, with two checkpoints."""
    train_quietly(run, stop_at=7)
    return run


def newest(run):
    record = run.record("pytorch")
    return record.checkpoints / record.checkpoint_names()[-1]


def seal(folder):
    """Write a checkpoint's manifest anew, as a stranger would."""
    contents = {name: (folder / name).read_bytes() for name in (MODEL, OPTIMIZER, STATE)}
    (folder / MANIFEST).write_text(manifest_of(contents), encoding="utf-8")


@pytest.mark.parametrize("name", [MODEL, STATE, MANIFEST])
def test_a_size_is_looked_at_before_a_byte_is_read(half, name):
    path = newest(half) / name
    with path.open("r+b") as file:
        file.truncate(GIGABYTES)  # sparse: it takes no room
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="bytes"):
        half.read_checkpoint("pytorch", "latest")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_a_tokenizer_s_size_is_looked_at_first_too(run):
    with (run.folder / "tokenizer" / "source.json").open("r+b") as file:
        file.truncate(GIGABYTES)
    with pytest.raises(RunError, match=r"has 6442450944 bytes, checksums.json says \d+: it was altered"):
        Run.open(run.folder)


@pytest.mark.parametrize("place", ["MANIFEST.json", "state.json", "metrics.jsonl", "latest", "best"])
def test_what_nests_too_deep_is_no_fault_of_diptych_s(half, place, capsys):
    folder, record = newest(half), half.record("pytorch")
    path = {"metrics.jsonl": record.metrics}.get(place) or (
        record.checkpoints / place if "." not in place else folder / place
    )
    path.write_bytes(DEEP + b"\n")
    if place == "state.json":
        seal(folder)
    with pytest.raises(DiptychError):
        _ = half.read_metrics("pytorch"), *(half.read_checkpoint("pytorch", which) for which in ("best", "latest"))
    assert main(["train", str(half.folder), "--quiet", "--backend", "tensorflow", "--resume"]) in (0, 1)
    assert "fault in Diptych" not in capsys.readouterr().err


@pytest.mark.parametrize("text", [DEEP, b'{"a":' * 100_000, b"[1e999, NaN]", b"1" * 5000, b"\xff", b"[{}," * 10**6])
def test_json_is_parsed_within_limits(text):
    with pytest.raises(ValueError, match="."):
        parse_json(text)


def test_a_device_is_not_read_to_its_end(tmp_path):
    with pytest.raises(ValueError, match="more than 100 bytes"):
        read_at_most(Path("/dev/zero"), 100)
    os.mkfifo(tmp_path / "pipe")
    assert not (tmp_path / "pipe").is_file()


@pytest.mark.parametrize("damage", ["model", "manifest", "pointer", "no pointer", "huge pointer", "folder"])
def test_where_the_latest_checkpoint_is_damaged_training_goes_on_from_the_newest_whole_one_aloud(
    half, damage, tmp_path
):
    record, folder = half.record("pytorch"), newest(half)
    before = record.checkpoint_names()
    if damage == "model":
        (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1])
    elif damage == "manifest":
        (folder / MANIFEST).unlink()
    elif damage == "folder":
        (folder / STATE).unlink()
        (folder / STATE).mkdir()
    elif damage == "no pointer":
        (record.checkpoints / "latest").unlink()
    else:
        text = f"step-{'1' * 5000}" if damage == "huge pointer" else ""
        (record.checkpoints / "latest").write_text(text, encoding="utf-8")
    checkpoints = Checkpoints(half, "pytorch")
    _, state = checkpoints.begin(resume=True, overwrite=False)
    lost = damage in ("model", "manifest", "folder")
    assert state.place.step == int(before[-2 if lost else -1].removeprefix("step-"))
    assert "goes on from there" in checkpoints.notes[0]
    train_quietly(half, resume=True)
    whole = Run.create(half.config, tmp_path / "whole")
    train_quietly(whole)
    assert digests(half) == digests(whole)


def test_where_no_checkpoint_is_whole_nothing_is_removed(half):
    for path in half.record("pytorch").checkpoints.glob("step-*/state.json"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="cut short"):
        train_quietly(half, resume=True)
    assert len(half.record("pytorch").checkpoint_names()) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"position": 4}, "of an epoch, which has"),
        ({"position": -1}, "position is -1"),
        ({"epoch": True}, "epoch is True"),
        ({"bad_validations": "x"}, "bad_validations is 'x'"),
        ({"lineage": [["pytorch"]]}, "lineage is"),
        ({"choices": {"pytorch": 1}}, "choices is"),
        ({"extra": 1}, "extra is 1"),
    ],
)
def test_a_state_that_was_edited_and_sealed_again_is_refused(half, change, says):
    folder = newest(half)
    state = json.loads((folder / STATE).read_bytes())
    (folder / STATE).write_text(json.dumps(state | change), encoding="utf-8")
    seal(folder)
    with pytest.raises(DiptychError, match=says):
        train_quietly(half, resume=True)


def test_an_optimizer_s_state_that_lacks_an_array_is_refused(half):
    arrays = load_file(newest(half) / OPTIMIZER)
    save_file({name: array for name, array in arrays.items() if name != min(arrays)}, newest(half) / OPTIMIZER)
    seal(newest(half))
    with pytest.raises(CheckpointError, match=f"step 7 has no {min(arrays)}.*was altered; train anew"):
        train_quietly(half, resume=True)


def test_a_state_of_another_step_than_its_folder_s_is_refused(half):
    folder = newest(half)
    state = json.loads((folder / STATE).read_bytes())
    (folder / STATE).write_text(json.dumps(state | {"step": 5, "best_step": 3}), encoding="utf-8")
    seal(folder)
    with pytest.raises(CheckpointError, match=r"its state.json says step 5"):
        half.read_checkpoint("pytorch", "latest")


def test_what_a_full_disk_or_a_kill_left_goes_with_the_next_checkpoint(half):
    record = half.record("pytorch")
    left = [".latest.123.new", ".best.7.new", ".step-00000001.9.tmp", ".step-00000002.removed", ".step-00000003.old"]
    for name in left[:2]:
        (record.checkpoints / name).write_bytes(b"")
    for name in left[2:]:
        (record.checkpoints / name).mkdir()
    (record.folder / ".metrics.jsonl.5.new").write_bytes(b"")
    (record.checkpoints / ".step-00000050.old").mkdir()  # it waits there: nothing has its name
    train_quietly(half, resume=True)
    assert leftovers(half.folder) == ["pytorch/checkpoints/.step-00000050.old"]


def test_a_folder_that_waits_for_its_place_is_no_leftover(tmp_path):
    (tmp_path / ".a.old").mkdir()
    place.remove_leftovers(tmp_path)
    assert place.standing(tmp_path / "a") == tmp_path / ".a.old"
    (tmp_path / "a").mkdir()
    place.remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["a"]


def test_a_report_that_was_edited_is_shown_or_refused(tmp_path):
    from diptych.comparison.comparison import show
    from diptych.comparison.report import read_report

    report = {
        "schema": 1, "config": {}, "backends": {"pytorch": {}}, "examples": [], "translations": [], "parity": {},
        "environment": {"device": "cpu"}, "agreement": {}, "data": {"dropped": {}},
    }  # fmt: skip
    for key in report:
        for value in (None, "x", [[]], {"a": None}):
            changed = copy.deepcopy(report) | {key: value}
            with pytest.raises(DiptychError):
                show(changed, tmp_path)
    for text in (DEEP, b"[]", b'{"schema": NaN}', b"", b"\xff" * 10):
        (tmp_path / "report.json").write_bytes(text)
        with pytest.raises(RunError, match="is no report"):
            read_report(tmp_path / "report.json")


def test_a_journal_of_what_was_interrupted_names_its_own_files_only(tmp_path):
    other = tmp_path / "diary.txt"
    other.write_text("dear diary", encoding="utf-8")
    folder = tmp_path / "train"
    folder.mkdir()
    for path in _files(folder):
        path.write_bytes(b"")
    own = {path.name: 0 for path in _files(folder)}
    for sizes in (own | {"../diary.txt": 0}, {"../diary.txt": 0}, own | {"rows.int32": -1}, own | {"rows.int32": 9}):
        journal = {"count": 0, "ends": [0, 0], "sizes": sizes}
        (folder / "journal.json").write_text(json.dumps(journal), encoding="utf-8")
        assert written(folder) is None or "rows.int32" in sizes
        assert other.read_text(encoding="utf-8") == "dear diary"


@pytest.mark.parametrize("save", [1, 2, 3])
def test_a_validation_is_told_of_once_whatever_becomes_of_its_checkpoint(panel, run, tmp_path, monkeypatch, save):
    whole = Run.create(run.config, tmp_path / "whole")
    train_quietly(whole)
    write, calls = TrainingRecord.write_checkpoint, []

    def refuse(record, *given, **options):
        calls.append(record)
        if len(calls) == save:
            raise CheckpointError("the disk is full")
        return write(record, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingRecord, "write_checkpoint", refuse)
        with pytest.raises(CheckpointError, match="the disk is full"):
            train_quietly(run)
    train_quietly(run, resume=True)
    assert digests(run) == digests(whole)


def test_a_validation_that_was_told_of_before_its_checkpoint_is_told_anew(panel, run, tmp_path, monkeypatch):
    whole = Run.create(run.config, tmp_path / "whole")
    train_quietly(whole)
    train_quietly(run, stop_at=6)
    record = run.record("pytorch")
    checkpoint = record.read_checkpoint("latest")
    state = checkpoint.state | {"validated": False, "merit": None, "best_step": 3}
    record.write_checkpoint(replace(checkpoint, state=state))  # as if it had been stopped before the validation
    train_quietly(run, resume=True)
    assert [line["step"] for line in run.read_metrics("pytorch") if "validation_loss" in line] == [3, 6, 9]
