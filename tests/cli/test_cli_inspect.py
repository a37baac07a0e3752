"""`diptych inspect`: what it prints, and how it ends."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save


@pytest.fixture
def files(tmp_path):
    """Three files: a GRU whose names leave something open, an LSTM, and one that is none."""
    np.savez(tmp_path / "gru.npz", a_w_ih=np.ones((6, 2)), a_w_hh=np.ones((6, 2)), b_w_ih=np.ones((6, 2)))
    lstm = {"a.weight_ih_l0": np.ones((8, 2)), "a.weight_hh_l0": np.full((8, 2), np.nan), "\x1b[2Jodd": np.ones(1)}
    (tmp_path / "lstm.safetensors").write_bytes(save(lstm))
    (tmp_path / "nothing.h5").write_bytes(b"")
    return [tmp_path / name for name in ("gru.npz", "lstm.safetensors", "nothing.h5")]


def test_layers_remarks_and_questions_are_printed(diptych_command, files):
    code, out, error = diptych_command("inspect", files[0], files[1])
    assert (code, error) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(files[0])
    assert "  parameters  36 in 3 weights, float64" in lines
    assert "  a      GRU    a_w_ih  (6, 2)  float64" in lines
    assert "    --assume gru_gates=rzn  reset, update, new: PyTorch, cuDNN (likely)" in lines
    assert "  a.weight_hh_l0: 16 of 16 numbers are not finite" in lines
    assert "\x1b" not in out
    assert r"\x1b[2Jodd" in out


def test_json_has_everything(diptych_command, files):
    code, out, error = diptych_command("inspect", "--json", files[1])
    assert (code, error) == (0, "")
    (told,) = json.loads(out)["files"]
    assert told["format"] == "safetensors"
    (layer,) = [each for each in told["layers"] if each["class"] == "LSTM"]
    assert layer["name"] == "a"
    assert {"name": "a.weight_hh_l0", "shape": [8, 2], "dtype": "float64"} in layer["weights"]
    assert told["remarks"] == [{"where": "a.weight_hh_l0", "text": "16 of 16 numbers are not finite"}]
    assert "\x1b" not in out


def test_one_bad_file_ends_with_its_error(diptych_command, files):
    code, out, error = diptych_command("inspect", files[2])
    assert (code, out) == (2, "")
    assert error.startswith(f"error: {files[2]} is empty; expected .h5")
    assert error.count("\n") == 1


def test_the_others_are_shown_beside_a_bad_one(diptych_command, files):
    code, out, error = diptych_command("inspect", files[2], files[0], "--json")
    assert code == 2
    first, second = json.loads(out)["files"]
    assert "is empty" in first["error"] and "is empty" in error
    assert second["format"] == "npz"


def test_a_missing_file_is_wrong_usage(diptych_command, tmp_path):
    code, _, error = diptych_command("inspect", tmp_path / "none.pt")
    assert code == 2
    assert "there is no" in error


def test_a_run_is_shown(diptych_command, run):
    code, out, _ = diptych_command("inspect", run.folder)
    assert code == 0
    assert "a run of Diptych" in out
    assert "trained: pytorch 1 steps" in out


def test_no_framework_is_imported(in_new_process, files, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
    after = "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'tensorflow', 'keras', 'h5py'}))"
    finished = in_new_process("inspect", *files[:2], tmp_path / "model.pt", after=after)
    assert finished.returncode == 2
    assert finished.stdout.splitlines()[-1] == b"[]"
    assert b"names os.system" in finished.stderr
