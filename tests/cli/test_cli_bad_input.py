"""Bad input: one clear line each, with the exit code that belongs to it."""

import json

import pytest

from diptych.cli.opening import Changes, open_or_create
from diptych.runs.run import Run

FRAMEWORKS = ("tensorflow", "keras", "torch")


def config_file(folder, text):
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def corpus_config(folder, *names):
    files = ", ".join(json.dumps(name) for name in names)
    held_out = "validation_size = 2\ntest_size = 2"
    return config_file(folder, f'name = "x"\n[data]\ncorpus = "files"\ntrain = [{files}]\n{held_out}\n')


LINES = "".join(f"word {number}\n" for number in range(9))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (None, LINES, "no file at"),
        ("", LINES, "is empty"),
        (LINES, LINES + "one more\n", "has 9 lines but"),
        (LINES.encode() + b"caf\xe9\n", LINES + "x\n", "line 10, byte 4: 0xe9 is not UTF-8"),
        ("one\n\n" + LINES, "one\ntwo\n" + LINES, "line 2: the source is empty"),
    ],
)
def test_a_bad_corpus_is_one_line_and_1(diptych_command, tmp_path, source, target, message):
    for name, text in (("source.txt", source), ("target.txt", target)):
        if text is not None:
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    config = corpus_config(tmp_path, "source.txt", "target.txt")
    code, out, error = diptych_command("train", config, "--run", tmp_path / "run")
    assert (code, out) == (1, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert "source.txt" in error
    assert not (tmp_path / "run").exists()


def test_blank_lines_at_the_end_are_no_pairs(tmp_path):
    (tmp_path / "source.txt").write_text(LINES + "\n", encoding="utf-8")
    (tmp_path / "target.txt").write_text(LINES + "\n \n", encoding="utf-8")
    config = corpus_config(tmp_path, "source.txt", "target.txt")
    corpus = open_or_create(config, tmp_path / "run", "pytorch", False, Changes()).corpus()
    assert len(corpus.train) + len(corpus.validation) + len(corpus.test) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\ncel = 'gru'", "unknown key 'cel' in [model]; choose among: cell, "),
        ("[modle]\n", "unknown key 'modle'; choose among: name, data, model"),
        ("[model]\ncell = 'gruu'", "model.cell = 'gruu'"),
        ("[model", "is not valid TOML"),
    ],
)
def test_a_bad_config_is_one_line_and_2(diptych_command, tmp_path, text, message):
    for command in ("train", "compare"):
        code, _, error = diptych_command(command, config_file(tmp_path, text), "--run", tmp_path / "run")
        assert code == 2
        assert message in error
        assert error.count("\n") == 1


def test_a_quick_comparison_has_a_config_of_its_own(diptych_command):
    code, _, error = diptych_command("compare", "--quick", "mine.toml")
    assert code == 2
    assert "got mine.toml too: leave out one of the two" in error


def test_neither_config_nor_run(diptych_command):
    code, _, error = diptych_command("train", "nowhere")
    assert code == 2
    assert "there is no nowhere: give a config" in error


def test_a_run_keeps_its_config(tiny_config, diptych_command, run, tmp_path):
    for option in (("--seed", "4"), ("--precision", "float32"), ("--run", "elsewhere")):
        code, _, error = diptych_command("train", run.folder, *option)
        assert code == 2
        assert f"leave out {option[0]}" in error
    other = config_file(tmp_path, tiny_config.to_toml().replace("maximum_pairs = 30", "maximum_pairs = 29"))
    code, _, error = diptych_command("train", other, "--run", run.folder)
    assert code == 1
    assert "data.maximum_pairs = 30 there, 29 now" in error


@pytest.mark.parametrize(("backend", "missing"), [("tensorflow", "tensorflow, keras"), ("pytorch", "torch")])
def test_a_backend_that_is_not_installed_is_one_command_away(
    in_new_process, tiny_config, run, tmp_path, backend, missing
):
    before = "\n".join(f"sys.modules[{name!r}] = None" for name in FRAMEWORKS)
    config = config_file(tmp_path, tiny_config.to_toml())
    for arguments in (["translate", run.folder], ["evaluate", run.folder], ["train", config, "--run", tmp_path / "r"]):
        finished = in_new_process(*arguments, "--backend", backend, before=before, input=b"I\n")
        assert finished.returncode == 1
        error = finished.stderr.decode()
        assert f"needs {missing}, not installed here: pip install 'diptych[{backend}]'" in error
        assert error.count("\n") == 1
    finished = in_new_process("compare", before=before, cwd=tmp_path)
    assert finished.returncode == 1
    assert b"pip install 'diptych[all]'" in finished.stderr
    assert not (tmp_path / "runs").exists()


def test_folders_that_are_no_trained_run(tiny_config, diptych_command, tmp_path):
    (tmp_path / "other").mkdir()
    Run.create(tiny_config, tmp_path / "fresh")
    for name, message in (("nowhere", "no run at"), ("other", "is not a run"), ("fresh", "no checkpoint yet")):
        for command in ("translate", "evaluate"):
            code, _, error = diptych_command(command, tmp_path / name, "--backend", "reference")
            assert code == 1
            assert message in error


def test_a_checkpoint_cut_short(make_run, diptych_command, tmp_path):
    run = make_run(tmp_path / "run")
    weights = next(run.folder.rglob("model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    code, out, error = diptych_command("translate", run.folder, "--backend", "reference", stdin=b"I\n")
    assert (code, out) == (1, "")
    assert "model.safetensors" in error
    assert error.count("\n") == 1


def test_a_checkpoint_of_another_model(make_run, diptych_command, tmp_path):
    run = make_run(tmp_path / "run")
    path = run.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("decoder_size = 5", "decoder_size = 6"), encoding="utf-8")
    assert diptych_command("config", "--seal", run.folder)[0] == 0
    code, _, error = diptych_command("translate", run.folder, "--backend", "reference", stdin=b"I\n")
    assert code == 1
    assert "shape" in error
    assert error.count("\n") == 1


def test_overwriting_leaves_the_other_backend_alone(tiny_config, make_run, tmp_path):
    config = config_file(tmp_path, tiny_config.to_toml())
    folder = make_run(tmp_path / "run").folder
    assert open_or_create(config, folder, "tensorflow", True, Changes()).trained_backends() == ["pytorch"]
    assert open_or_create(config, folder, "pytorch", True, Changes()).trained_backends() == []
    make_run(folder)
    run = open_or_create(config, folder, "tensorflow", True, Changes(seed=99))  # of another config: it goes as a whole
    assert run.trained_backends() == []
    assert run.config.training.seed == 99
