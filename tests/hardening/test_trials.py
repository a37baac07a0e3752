"""A few of the trials of `make harden`, of each row that needs no framework; the kills and signals are slow ones."""

from collections import Counter
from importlib import import_module

import harden
import pytest
from trials import (
    clients,
    cuts,
    damage,
    disk_errors,
    fuzzing,
    hostile,
    not_finite,
    places,
    read_only,
    save_order,
    schema,
)

from diptych.parameters.checkpoint import MODEL, OPTIMIZER, STATE
from diptych.storage.manifest import MANIFEST


@pytest.mark.parametrize("number", [3])
def test_after_a_power_loss_a_run_opens_at_the_checkpoint_that_was_saved_last_or_a_later_one(monkeypatch, number):
    monkeypatch.setattr(save_order, "STRIDE", 3)
    assert save_order.ROW.try_once(number)["power losses"] > 30


def test_a_save_writes_syncs_renames_and_only_then_removes(tmp_path):
    run, trace, _ = save_order.traced_run(tmp_path, keep_checkpoints=1)
    done = [
        (what, path.relative_to(run.folder / "pytorch").as_posix())
        for what, path, _ in trace.operations
        if path.is_relative_to(run.folder / "pytorch")
    ]
    name = f"checkpoints/.step-{[more for what, _, more in trace.operations if what == 'saved'][1]:08d}."
    building = next(path for what, path in done if what == "mkdir" and path.startswith(name))
    files = sorted((MANIFEST, MODEL, OPTIMIZER, STATE))
    in_order = iter(done)
    for wanted in [
        ("sync", "metrics.jsonl"),
        ("create", f"{building}/{STATE}"),
        ("create", f"{building}/{MANIFEST}"),
        *(("sync", f"{building}/{file}") for file in files),
        ("sync", building),
        ("rename", building),
        ("sync", "checkpoints"),
        ("sync", "checkpoints/.latest"),
        ("rename", "checkpoints/.latest"),
        ("sync", "checkpoints"),
        ("rename", "checkpoints/step-"),
        ("remove", "checkpoints/.step-"),
    ]:
        assert any(what == wanted[0] and path.startswith(wanted[1]) for what, path in in_order), wanted


@pytest.mark.parametrize("number", [*range(6, 12), 92, 300, 301, 302, 303, 304, 305, 700, 901, 1102, 1303, 1504, 1705])
def test_a_disk_that_refuses_at_one_call_costs_nothing_but_that(number):
    counts = disk_errors.ROW.try_once(number)
    assert counts["refusals"] or counts["calls beyond the last"]


def test_damaged_files_are_refused_or_read_as_they_were(monkeypatch):
    monkeypatch.setattr(damage, "AT_ONCE", 15)
    counts = damage.ROW.try_once(7)
    assert counts["refused"] and counts["a bit flipped"]


def test_each_file_that_is_cut_in_half_is_refused_or_read_as_it_was():
    assert cuts.ROW.try_once(500)["refused"]


@pytest.mark.parametrize("part", range(6))
def test_hostile_files_are_refused_in_little_time_and_memory(part):
    counts = sum((hostile.ROW.try_once(number) for number in range(part, hostile.ROW.trials, 30)), Counter())
    assert counts["refused"] >= 3


@pytest.mark.parametrize("number", range(len(fuzzing.READERS)))
def test_readers_raise_typed_errors_only(monkeypatch, number):
    monkeypatch.setattr(fuzzing, "AT_ONCE", 100)
    assert fuzzing.ROW.try_once(number).total() == 200


@pytest.mark.parametrize("number", [0, 4, 29, 57, 80, 90, 101, 161])
def test_what_is_no_number_is_found_at_its_step_and_never_kept(number):
    not_finite.ROW.try_once(number)


def test_requests_of_every_kind_at_once(monkeypatch):
    monkeypatch.setattr(clients, "AT_ONCE", 200)
    monkeypatch.setattr(clients, "SLOW", 200)  # at once; the row has a tenth of them, a hundred times
    counts = clients.ROW.try_once(1)
    assert counts["answered 200"] > 10 and counts["answered 422"] > 10


@pytest.mark.parametrize(
    "name",
    ["a run's name: a pattern", "a text's name: no UTF-8", "a run's name: too long", "a clock set at each look",
     "removed while it is trained", "a run that becomes a link"],
)  # fmt: skip
def test_odd_names_clocks_and_folders_change_no_bit(name):
    counts = places.ROW.try_once(len(places.CASES) + list(places.CASES).index(name))
    assert counts == ({"refused in a line": 1} if "too long" in name or "UTF-8" in name else counts | {"right": 1})


needs_unshare = pytest.mark.skipif(not read_only.possible(), reason="this process may not mount anything")


@needs_unshare
@pytest.mark.parametrize("name", ["data inspect", "serve, nothing to write to"])
def test_commands_run_under_a_read_only_root_without_a_home(name):
    assert read_only.ROW.try_once(list(read_only.CASES).index(name)).total()


@needs_unshare
@pytest.mark.slow
@pytest.mark.parametrize("name", ["translate, TensorFlow", "serve, both", "convert to Keras"])
def test_frameworks_run_under_a_read_only_root_without_a_home(both_frameworks, name):
    number = list(read_only.CASES).index(name) + len(read_only.CASES)
    assert read_only.ROW.try_once(number)["went well"] == 1


@pytest.mark.slow  # making the requests takes minutes, answering them does not
@pytest.mark.skipif(schema.SCHEMATHESIS is None, reason="schemathesis is not installed")
@pytest.mark.parametrize("number", range(4))
def test_thousands_of_requests_are_answered_as_the_document_says(number):
    assert schema.ROW.try_once(number)["requests"] >= schema.CASES


@pytest.mark.slow
@pytest.mark.parametrize("name", ["soak_serve", "soak_train"])
def test_serving_and_training_for_a_minute_take_no_more_memory(both_frameworks, monkeypatch, name):
    soak, growth = import_module(f"trials.{name}"), import_module("trials.growth")
    monkeypatch.setattr(soak, "SECONDS", 75.0)
    monkeypatch.setattr(growth, "MOST", 0.1)
    for module in (soak, growth):
        monkeypatch.setattr(module, "BEGIN", 0.6, raising=False)  # so long it takes until all is warm
    assert soak.ROW.try_once(0).total() > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_new_shapes_take_no_more_memory(both_frameworks, monkeypatch, number):
    shapes = import_module("trials.shapes")
    monkeypatch.setattr(shapes, "SHAPES", 300)
    assert shapes.ROW.try_once(number).total() >= 300


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 13, 14])
def test_runs_that_are_killed_again_and_again_have_the_same_bits(both_frameworks, number):
    assert import_module("trials.kills").ROW.try_once(number)["runs"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_a_training_that_gets_a_signal_leaves_a_checkpoint(with_pytorch, number):
    assert import_module("trials.signals").ROW.try_once(number + 5)["trainings"] == 1


def test_the_table_has_every_row_that_was_tried_and_how_often_it_is_to_be_tried_now():
    told = {
        "name": "kills",
        "holds": "bits",
        "trials": 2,
        "done": 2,
        "counts": {"runs": 1234, "none": 0},
        "faults": ["x"],
    }
    where = {"machine": "Linux", "python": "3", "time": "now"}
    assert {"kills", "disk_errors", "clients"} <= set(harden.names())
    text = harden.table({"rows": {"kills": told}, "circumstances": where})
    assert "| kills | bits | 2 of 300 | 1,234 runs | 1 |" in text
