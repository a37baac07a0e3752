"""A run's config and tokenizers are what was written, or the run is not opened."""

import json

import pytest

from diptych.cli import main
from diptych.config import read_config
from diptych.errors import DiptychError, RunError
from diptych.runs.checksums import CHECKSUMS, FILES
from diptych.runs.run import Run
from diptych.training.state import TrainingState


def reseal(run):
    """As a stranger would who wants his files to be believed."""
    assert main(["config", "--seal", str(run.folder)]) == 0


@pytest.mark.parametrize("name", [*FILES, CHECKSUMS])
def test_a_file_that_was_cut_or_altered_is_never_read_silently(run, name):
    path = run.folder / name
    content = path.read_bytes()
    damaged = [content[:cut] for cut in {0, 1, len(content) // 2, len(content) - 1, content.index(b"\n") + 1}]
    for place in range(0, len(content), max(1, len(content) // 12)):
        damaged.append(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    for data in damaged:
        path.write_bytes(data)
        try:
            assert Run.open(run.folder).config == run.config
        except DiptychError:
            continue
        assert name == CHECKSUMS, "only there white space means nothing"
    path.write_bytes(content)
    assert Run.open(run.folder).source == run.source


def test_a_run_that_was_changed_on_purpose_is_sealed_once(run, capsys):
    path = run.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("beam_size = 1\n", "beam_size = 3\n"), encoding="utf-8")
    with pytest.raises(RunError, match="checksums.json says .* it was altered; .*`diptych config --seal`"):
        Run.open(run.folder)
    reseal(run)
    assert "taken as they are" in capsys.readouterr().out
    assert Run.open(run.folder).config.search.beam_size == 3
    assert "train = [" in path.read_text(encoding="utf-8")


def test_a_run_from_before_there_were_checksums_is_sealed_once_and_then_has_every_key(run):
    path = run.folder / "config.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("keep_best")), encoding="utf-8")
    (run.folder / CHECKSUMS).unlink()
    with pytest.raises(RunError, match="made before runs had checksums.*diptych config --seal"):
        Run.open(run.folder)
    reseal(run)
    assert Run.open(run.folder).config == run.config
    assert "keep_best = 1" in path.read_text(encoding="utf-8")


def test_what_is_no_run_is_not_sealed(run, capsys):
    (run.folder / "tokenizer" / "target.json").write_text("[" * 200_000, encoding="utf-8")
    assert main(["config", "--seal", str(run.folder)]) == 1
    assert "nests too deep" in capsys.readouterr().err


def test_token_ids_that_were_altered_are_made_anew_and_it_is_said(run):
    [folder] = (path for path in (run.folder / "data").iterdir() if path.is_dir())
    before = {path.name: path.read_bytes() for path in (folder / "train").iterdir()}
    for name in (
        "train/source.tokens.int32",
        "train/rows.int32",
        "validation/target.offsets.int64",
        "description.json",
    ):
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 4]) + content[-2:])
        again = Run.open(run.folder).encoded()
        assert again.fingerprint == run.encoded().fingerprint
        assert {path.name: path.read_bytes() for path in (again.folder / "train").iterdir()} == before


VALUES = (-1, True, 2**70, "1", None, [], {}, 1.5, float("nan"), 1e999)


@pytest.mark.parametrize("key", list(TrainingState().to_json()))
def test_a_state_that_was_edited_is_read_or_refused_but_nothing_else_is_raised(key):
    good = TrainingState().to_json() | {"lineage": [["pytorch", 0]]}
    assert TrainingState.from_json(good).to_json() == good | {"lineage": (("pytorch", 0),)}
    refused = []
    for value in VALUES:
        try:
            state = TrainingState.from_json(good | {key: value})
        except DiptychError as error:
            refused.append(str(error))
        else:
            assert json.dumps(state.to_json()) and state.updates >= 0
    assert len(refused) >= len(VALUES) - 4 and all(key in error for error in refused)


def test_a_config_s_numbers_are_refused_at_once_where_they_are_huge(tmp_path):
    for line in (
        "[model]\ndecoder_layers = 1000000000", "[model]\nencoder_layers = 10000000", "[search]\nbeam_size = 100000",
        f"[training]\nepochs = {10**24}", f"[data]\nmaximum_length = {10**23}", f"[training]\nseed = {10**40}",
        f"[training]\nepochs = 1{'0' * 5000}", f"a{'.a' * 5000} = 1", f"x = {'[' * 5000}{']' * 5000}",
        "a = 1\n" * 300_000, f"a{'.a' * 600_000} = 1", f"[{'a.' * 5000}a]", "\0", f"name = {'{a=' * 3000}1{'}' * 3000}",
    ):  # fmt: skip
        path = tmp_path / "config.toml"
        path.write_text(line, encoding="utf-8")
        with pytest.raises(DiptychError) as caught:
            read_config(path)
        assert len(str(caught.value)) < 3000
