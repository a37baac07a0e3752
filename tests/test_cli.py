"""The command line: what it prints, how it ends, and that bad input is one clear line. Translations by the reference."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from typing import get_args

import pytest

import diptych
from diptych import config as configs
from diptych.cli import application, main, options
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.errors import DiptychError
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs import Run

FRAMEWORKS = ("tensorflow", "keras", "torch")
CONFIG = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
    model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
    training=TrainingConfig(precision="float64"),
    search=SearchConfig(maximum_length=6),
)


def make_run(folder, config=CONFIG):
    """A run whose checkpoint holds the initial weights: what it says is nonsense, and always the same."""
    run = Run.create(config, folder)
    run.write_checkpoint("pytorch", Checkpoint(run.initial_parameters(), {}, {"step": 1}))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def diptych_command(monkeypatch, capfd):
    """Runs `diptych` in this process: exit code, standard output and standard error, both as bytes."""

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        code = main([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, error = capfd.readouterr()
        return code, out, error

    return call


@pytest.fixture
def translate(diptych_command, run):
    def call(stdin, *arguments):
        data = stdin if isinstance(stdin, bytes) else stdin.encode("utf-8")
        return diptych_command("translate", run.folder, "--backend", "reference", *arguments, stdin=data)

    return call


def in_new_process(*arguments, before="", **others):
    program = (
        f"import sys\n{before}\nfrom diptych.cli import main\ncode = main(sys.argv[1:])\n{others.pop('after', '')}"
    )
    return subprocess.run(
        [sys.executable, "-c", program + "\nsys.exit(code)", *map(str, arguments)],
        capture_output=True,
        timeout=120,
        check=False,
        **others,
    )


# The command itself


def test_help_answers_at_once_and_imports_no_framework():
    heavy = (*FRAMEWORKS, "numpy", "pydantic", "matplotlib", "sacrebleu")
    after = f"print('loaded:', *sorted(set(sys.modules) & set({heavy})), file=sys.stderr)"
    start = time.process_time(), os.times().children_user + os.times().children_system
    finished = in_new_process("--help", after=after)
    seconds = os.times().children_user + os.times().children_system - start[1]
    assert finished.returncode == 0
    assert finished.stderr.decode().strip() == "loaded:"
    for name in application.COMMANDS:
        assert name in finished.stdout.decode()
    assert seconds < 0.5  # of processor time: others may be using the machine


@pytest.mark.parametrize("command", application.COMMANDS)
def test_every_command_explains_itself(diptych_command, command):
    code, out, error = diptych_command(command, "--help")
    assert (code, error) == (0, "")
    assert f"diptych {command}" in out


def test_no_command_is_wrong_usage_and_shows_the_help(diptych_command):
    code, out, _ = diptych_command()
    assert code == 2
    assert "translate" in out


def test_the_version(diptych_command):
    assert diptych_command("--version") == (0, f"diptych {diptych.__version__}\n", "")


def test_the_choices_are_those_of_the_library():
    def choices(name):
        return set(get_args(get_args(getattr(options, name))[0])) - {type(None)}

    assert choices("Backend") == set(get_args(configs.Backend))
    assert choices("AnyBackend") == {*get_args(configs.Backend), "reference"}
    assert {each for part in choices("Precision") for each in get_args(part)} == set(get_args(configs.Precision))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "No such command 'dance'"),
        (["train"], "Missing argument 'CONFIG|RUN'"),
        (["translate", "run", "--backend", "jax"], "'--backend'"),
        (["translate", "run", "--tempo", "1"], "No such option"),
        (["train", "run", "--threads", "0"], "'--threads'"),
        (["train", "run", "--resume", "--overwrite"], "give one of them"),
    ],
)
def test_wrong_usage_is_one_line_and_2(diptych_command, arguments, message):
    code, out, error = diptych_command(*arguments)
    assert (code, out) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_traceback_comes_only_with_debug(diptych_command):
    for arguments in (["--debug", "translate", "nowhere"], ["translate", "nowhere", "--debug"]):
        code, _, error = diptych_command(*arguments)
        assert code == 1
        assert "Traceback" in error and "no run at" in error
    code, _, error = diptych_command("translate", "nowhere")
    assert code == 1
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DiptychError("one\nand two"), 1, "error: one and two\n"),
        (PermissionError(13, "Permission denied", "/root/x"), 1, "error: Permission denied: /root/x\n"),
        (KeyError("x"), 1, "fault in Diptych"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_goes_wrong_is_at_most_one_line(diptych_command, monkeypatch, error, code, message):
    def fail(arguments):
        raise error

    monkeypatch.setattr("diptych.cli.differences.differences", lambda: fail(()))
    found = diptych_command("differences")
    assert found[0] == code
    assert message in found[2]
    assert found[2].count("\n") == (1 if message else 0)


def test_the_handler_of_sigterm_is_put_back(diptych_command):
    before = signal.getsignal(signal.SIGTERM)
    diptych_command("--version")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_stops_is_no_error(run):
    lines = b"I feel hungry\n" * 20_000
    with subprocess.Popen(
        [sys.executable, "-m", "diptych", "translate", run.folder, "--backend", "reference", "--max-length", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            process.stdin.write(lines)
            process.stdin.flush()
        process.stdin = None
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_interrupted_while_it_reads(run):
    with subprocess.Popen(
        [sys.executable, "-m", "diptych", "translate", run.folder, "--backend", "reference"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(b"I feel hungry\n")
        process.stdin.flush()
        assert process.stdout.readline().endswith(b"\n")  # answered although more may come
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert b"Traceback" not in process.stderr.read()


def test_load_is_there_and_imports_nothing_before_it_is_used():
    program = "import sys, diptych; print(sorted({'numpy', 'torch', 'keras'} & set(sys.modules))); diptych.load"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = diptych.lode


# Translating


def test_lines_become_lines(translate, run):
    code, out, error = translate("I feel hungry\nI am tired\n")
    expected = diptych.load(run.folder, "reference").translate(["I feel hungry", "I am tired"])
    assert (code, error) == (0, "")
    assert out == "".join(f"{each.text}\n" for each in expected)
    assert expected[0].text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("\n", 1),
        ("I feel hungry", 1),  # not ended
        ("\n\nI\n\n", 4),
        ("I feel\u2028hungry\n", 1),
        ("I feel\rhungry\n\r\n", 2),
        ("\u2028\n\x0b\n\x85\n\r\n \n", 5),
        ("one\r\ntwo\r\n", 2),
        ("xyzzy unheard-of 배고파\n", 1),
        ("a\0b\n", 1),
        ("word " * 3000 + "\n", 1),
    ],
)
def test_line_counts_never_drift(translate, text, count):
    code, out, error = translate(text)
    assert (code, error) == (0, "")
    assert out.count("\n") == count
    assert len((out + "x").splitlines()) == count + 1  # and nothing in them breaks a line


def test_empty_lines_stay_empty_and_others_where_they_were(translate):
    _, alone, _ = translate("I feel hungry\n")
    _, out, _ = translate("\n \r\n\u2028\nI feel hungry\n\n")
    assert out == f"\n\n\n{alone}\n"


def test_chunks_change_nothing(translate, monkeypatch):
    text = "I feel hungry\n\n나 tired\r\nlast" * 5
    sampling = ("--temperature", "1.5", "--seed", "7")
    whole = translate(text, *sampling)
    assert len(set(whole[1].split("\n"))) > 3
    monkeypatch.setattr("diptych.cli.lines.CHUNK", 5)
    assert translate(text, *sampling) == whole


def test_a_byte_order_mark_is_no_word(translate):
    assert translate("\ufeffI feel hungry\n") == translate("I feel hungry\n")


@pytest.mark.parametrize("chunk", [1 << 16, 4])
def test_bad_utf_8_is_named_by_line_and_byte(translate, monkeypatch, chunk):
    monkeypatch.setattr("diptych.cli.lines.CHUNK", chunk)
    code, out, error = translate(b"I feel hungry\nI am \xff tired\nmore\n")
    assert code == 1
    assert out.count("\n") == 1  # what came before is answered
    assert error.startswith("error: standard input, line 2, byte 6: 0xff is not UTF-8")
    assert error.count("\n") == 1


def test_search_options_reach_the_search(translate, run):
    translator = diptych.load(run.folder, "reference")
    line = "I feel hungry"
    for arguments, overrides in [
        (["--temperature", "2", "--seed", "5"], {"temperature": 2.0, "seed": 5}),
        (["--beam-size", "3", "--length-penalty", "0"], {"beam_size": 3, "length_penalty": 0.0}),
        (["--max-length", "2"], {"maximum_length": 2}),
        (["--batch-size", "1"], {"batch_size": 1}),
    ]:
        _, out, _ = translate(line, *arguments)
        assert out == translator.translate([line], **overrides)[0].text + "\n", arguments
    assert len(translate(line, "--max-length", "2")[1].split()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperature", "-1"], "temperature"),
        (["--temperature", "nan"], "temperature"),
        (["--temperature", "1", "--beam-size", "2"], "exclude each other"),
        (["--n-best", "2"], "beam_size"),
    ],
)
def test_an_impossible_search_is_wrong_usage(translate, arguments, message):
    code, out, error = translate("I feel hungry\n", *arguments)
    assert (code, out) == (2, "")
    assert message in error


def test_json_is_one_object_a_line(translate, run):
    code, out, _ = translate("I feel hungry\n\nI\n", "--json", "--beam-size", "2", "--n-best", "2")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["source"] for line in lines] == ["I feel hungry", "", "I"]
    assert lines[0]["source_tokens"] == ["I", "feel", "hungry"]
    assert len(lines[0]["attention"]) == len(lines[0]["tokens"])
    assert lines[0]["alternatives"][0]["text"] == lines[0]["text"]
    assert lines[1]["text"] == ""


def test_attention_of_one_line_goes_to_the_file_itself(translate, tmp_path):
    assert translate("\nI feel hungry\n", "--attention", tmp_path / "map.svg")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["map.svg"]
    assert "<svg" in (tmp_path / "map.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("chunk", [1 << 16, 8])
def test_attention_of_several_lines_is_numbered_by_line(translate, tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("diptych.cli.lines.CHUNK", chunk)
    assert translate("I feel hungry\n\nI\nI am\n", "--attention", tmp_path / "map.png")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map-1.png", "map-3.png", "map-4.png"]


@pytest.mark.parametrize("name", ["map.gif", "nowhere/map.png"])
def test_a_picture_that_cannot_be_drawn_is_said_first(translate, tmp_path, name):
    code, out, error = translate("I\n", "--attention", tmp_path / name)
    assert (code, out) == (2, "")
    assert "cannot draw" in error


def test_a_model_without_attention_draws_nothing(diptych_command, tmp_path):
    run = make_run(tmp_path / "run", CONFIG.model_copy(update={"model": ModelConfig(attention="none")}))
    code, _, error = diptych_command(
        "translate", run.folder, "--backend", "reference", "--attention", tmp_path / "map.png", stdin=b"I\n"
    )
    assert code == 2
    assert "attention = 'none'" in error


def test_a_prompt_only_on_a_terminal(run):
    pty = pytest.importorskip("pty")
    own, other = pty.openpty()
    command = [sys.executable, "-m", "diptych", "translate", str(run.folder), "--backend", "reference"]
    with subprocess.Popen(command, stdin=other, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(other)
        os.write(own, b"I feel hungry\n")
        assert process.stdout.readline() != b"\n"
        os.write(own, b"\x04")
        assert process.wait(60) == 0
        assert process.stderr.read() == b"> > \n"
    os.close(own)
    finished = subprocess.run(command, input=b"I\n", capture_output=True, timeout=60, check=True)
    assert finished.stderr == b""


def test_evaluating(diptych_command, run):
    arguments = ("evaluate", run.folder, "--backend", "reference")
    code, out, _ = diptych_command(*arguments)
    assert code == 0
    assert "4, test part" in out and "tok:13a" in out and "exact match    0.00 %" in out
    code, out, _ = diptych_command(*arguments, "--part", "validation", "--tokenize", "char", "--json")
    values = json.loads(out)
    assert (values["sentences"], values["part"], values["exact_match"]) == (3, "validation", 0.0)
    assert "tok:char" in values["signatures"]["bleu"]


# Bad input


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
    from diptych.cli.runs import open_or_create

    (tmp_path / "source.txt").write_text(LINES + "\n", encoding="utf-8")
    (tmp_path / "target.txt").write_text(LINES + "\n \n", encoding="utf-8")
    config = corpus_config(tmp_path, "source.txt", "target.txt")
    corpus = open_or_create(config, tmp_path / "run", "pytorch", False, None, None).corpus()
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


def test_neither_config_nor_run(diptych_command):
    code, _, error = diptych_command("train", "nowhere")
    assert code == 2
    assert "there is no nowhere: give a config" in error


def test_a_run_keeps_its_config(diptych_command, run, tmp_path):
    for option in (("--seed", "4"), ("--precision", "float32"), ("--run", "elsewhere")):
        code, _, error = diptych_command("train", run.folder, *option)
        assert code == 2
        assert f"leave out {option[0]}" in error
    other = config_file(tmp_path, CONFIG.to_toml().replace("maximum_pairs = 30", "maximum_pairs = 29"))
    code, _, error = diptych_command("train", other, "--run", run.folder)
    assert code == 1
    assert "data.maximum_pairs = 30 there, 29 now" in error


@pytest.mark.parametrize(("backend", "missing"), [("tensorflow", "tensorflow, keras"), ("pytorch", "torch")])
def test_a_backend_that_is_not_installed_is_one_command_away(run, tmp_path, backend, missing):
    before = "\n".join(f"sys.modules[{name!r}] = None" for name in FRAMEWORKS)
    config = config_file(tmp_path, CONFIG.to_toml())
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


def test_folders_that_are_no_trained_run(diptych_command, tmp_path):
    (tmp_path / "other").mkdir()
    Run.create(CONFIG, tmp_path / "fresh")
    for name, message in (("nowhere", "no run at"), ("other", "is not a run"), ("fresh", "no checkpoint yet")):
        for command in ("translate", "evaluate"):
            code, _, error = diptych_command(command, tmp_path / name, "--backend", "reference")
            assert code == 1
            assert message in error


def test_a_checkpoint_cut_short(diptych_command, tmp_path):
    run = make_run(tmp_path / "run")
    weights = next(run.folder.rglob("model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    code, out, error = diptych_command("translate", run.folder, "--backend", "reference", stdin=b"I\n")
    assert (code, out) == (1, "")
    assert "model.safetensors" in error
    assert error.count("\n") == 1


def test_a_checkpoint_of_another_model(diptych_command, tmp_path):
    run = make_run(tmp_path / "run")
    path = run.folder / "config.toml"
    path.write_text(path.read_text().replace("decoder_size = 5", "decoder_size = 6"))
    code, _, error = diptych_command("translate", run.folder, "--backend", "reference", stdin=b"I\n")
    assert code == 1
    assert "shape" in error
    assert error.count("\n") == 1


def test_overwriting_leaves_the_other_backend_alone(tmp_path):
    from diptych.cli.runs import open_or_create

    config = config_file(tmp_path, CONFIG.to_toml())
    folder = make_run(tmp_path / "run").folder
    assert open_or_create(config, folder, "tensorflow", True, None, None).trained_backends() == ["pytorch"]
    assert open_or_create(config, folder, "pytorch", True, None, None).trained_backends() == []
    make_run(folder)
    run = open_or_create(config, folder, "tensorflow", True, 99, None)  # of another config: it goes as a whole
    assert run.trained_backends() == []
    assert run.config.training.seed == 99


def test_differences_are_listed(diptych_command):
    code, out, _ = diptych_command("differences", "--list")
    assert code == 0
    assert len(out.splitlines()) >= 18
    code, out, _ = diptych_command("differences", "--list", "--json")
    assert {"name", "title", "topic"} == set(json.loads(out)["differences"][0])
    code, _, error = diptych_command("differences", "gate-order")
    assert code == 2
    assert "did you mean gate_order" in error
