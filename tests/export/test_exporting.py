"""An export's folder: whole or not there, used like a run, and refused where something in it was altered."""

import io
import json
import subprocess
import sys

import pytest

import diptych
from diptych.cli import main
from diptych.errors import BackendError, CertificateError, CheckpointError
from diptych.export.exporting import export
from diptych.export.onnx import encoder
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained
from diptych.exported import runtime
from diptych.onnx import writer
from diptych.runs.run import Run
from diptych.web.bounded import Sentences

pytest.importorskip("onnxruntime")
LINES = ["I feel hungry", "", "My friend did not feel thirsty", "xyzzy"]


@pytest.fixture(scope="module")
def out(run, tmp_path_factory):
    """An export of the tiny run."""
    folder = tmp_path_factory.mktemp("exports") / "tiny"
    export(Trained.open(run), OnnxTarget(threads=1), "onnx", folder)
    return folder


@pytest.fixture
def command(monkeypatch, capfd):
    """Runs `diptych`: exit code, standard output and standard error."""

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        code = main([str(argument) for argument in arguments])
        sys.stdout.flush()
        return code, *capfd.readouterr()

    return call


def test_an_export_translates_as_its_run_does(run, out, command):
    expected = diptych.load(run, "reference").translate(LINES)
    ours = diptych.load(out, threads=1)
    assert ours.backend == "onnxruntime"
    for found, reference in zip(ours.translate(LINES), expected, strict=True):
        assert (found.text, found.tokens) == (reference.text, reference.tokens)
        assert found.log_probability == pytest.approx(reference.log_probability, abs=1e-4)
        assert found.attention == pytest.approx(reference.attention, abs=1e-5)
    code, said, _ = command("translate", out, stdin="".join(f"{line}\n" for line in LINES))
    assert code == 0
    assert said == "".join(f"{each.text}\n" for each in expected)
    for overrides in ({"beam_size": 3}, {"temperature": 0.7, "seed": 5}, {"prefix": expected[0].tokens[0]}):
        both = [diptych.load(*which).translate(LINES, **overrides) for which in ((out,), (run, "reference"))]
        assert [each.tokens for each in both[0]] == [each.tokens for each in both[1]]


def test_its_weights_compute_in_any_backend(run, out):
    found = diptych.load(out, "reference").translate(LINES)
    assert [each.tokens for each in found] == [each.tokens for each in diptych.load(run, "reference").translate(LINES)]


def test_it_is_evaluated_and_served(run, out, command):
    code, said, _ = command("evaluate", out, "--json")
    assert code == 0
    assert json.loads(said)["backend"] == "onnxruntime"
    assert json.loads(said)["bleu"] == pytest.approx(diptych.evaluate(run, "reference").scores["bleu"])
    sentences = Sentences(str(out), "onnxruntime", 1, "cpu")
    assert sentences.facts()["precision"] == "float32"
    assert sentences.facts()["versions"].keys() == {"onnxruntime"}
    answer = sentences.translate("I feel hungry", 0, run.config.search.model_dump(), 60.0)
    assert answer["text"] == diptych.load(run, "reference").translate(["I feel hungry"])[0].text


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["translate"], "I feel hungry\n"),
        (["translate", "--workers", "2"], "I feel hungry\n"),
        (["evaluate", "--json"], ""),
    ],
)
def test_neither_framework_is_needed(arguments, given, out):
    program = (
        "import sys\n"
        "from diptych.cli import main\n"
        "for name in ('tensorflow', 'torch', 'keras'):\n"
        "    sys.modules[name] = None\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program, arguments[0], str(out), *arguments[1:]],
        input=given, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert (finished.returncode, bool(finished.stdout.strip())) == (0, True), finished.stderr
    assert "Traceback" not in finished.stderr


def test_workers_share_the_lines_of_an_export(out, command):
    lines = "".join(f"{line}\n" for line in LINES * 3)
    one, several = (command("translate", out, "--batch-size", 2, *more, stdin=lines) for more in ((), ("--workers", 2)))
    assert several == one
    assert one[1].count("\n") == len(LINES) * 3


def test_an_export_is_compared_with_its_run(run, out, command):
    for folder, backend, rival, its in (
        (run.folder, "reference", out, None),
        (out, "onnxruntime", run.folder, "reference"),
        (out, "onnxruntime", out, None),
        (run.folder, "reference", out, "reference"),
    ):
        chosen = ("--against-backend", its) if its else ()
        code, said, error = command("evaluate", folder, "--backend", backend, "--against", rival, *chosen, "--json")
        assert code == 0, error
        systems = json.loads(said)["systems"]
        one, other = (systems[name] for name in systems)
        assert one["bleu"]["score"] == other["bleu"]["score"]


def test_a_run_beside_an_export_is_translated_by_a_framework(with_pytorch, run, out, command):
    code, _, error = command("evaluate", out, "--against", run.folder)
    assert code == 0, error


def test_int8_is_told_wherever_precision_is(run, tmp_path):
    made = export(Trained.open(run), OnnxTarget(int8=True, threads=1), "onnx", tmp_path / "small", scores=False)
    assert made.certificate["precision"] == "int8"
    assert json.loads((made.folder / "config.json").read_text(encoding="utf-8"))["precision"] == "int8"
    assert "to onnx in int8" in (made.folder / "README.md").read_text(encoding="utf-8")
    assert Sentences(str(made.folder), "onnxruntime", 1, "cpu").facts()["precision"] == "int8"


def test_without_its_runtime_the_one_command_is_told(out, monkeypatch):
    monkeypatch.setattr(runtime, "is_installed", lambda: False)
    with pytest.raises(BackendError, match=r"needs onnxruntime, not installed here: pip install 'diptych\[onnx\]'"):
        diptych.load(out)


def test_an_operator_that_a_runtime_lacks_is_named(run, tmp_path, monkeypatch):
    right = writer.GraphWriter.ops

    def ops(self, operator, *arguments, **attributes):
        return right(self, operator.replace("Gemm", "Gemmy"), *arguments, **attributes)

    monkeypatch.setattr(writer.GraphWriter, "ops", ops)
    with pytest.raises(BackendError, match="onnxruntime [0-9.]+ cannot run .*Gemmy"):
        export(Trained.open(run), OnnxTarget(threads=1), "onnx", tmp_path / "new" / "x", scores=False)
    assert not list(tmp_path.iterdir())


def test_the_card_and_the_certificate_say_what_there_is(run, out):
    certificate = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert certificate["files"].keys() == files - {"certificate.json"}
    assert certificate["certified"]
    assert certificate["from"]["weights"] == Trained.open(run).digest
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "onnxruntime: BLEU" in card
    assert "nrefs:1" in card
    assert "step 3" in card
    settings = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert settings["eos_token_id"] == 2
    assert settings["target_vocabulary_size"] == len(run.target_vocabulary)


@pytest.mark.parametrize("name", ["decoder_model.onnx", "model.safetensors", "tokenizer/source.json", "config.toml"])
def test_an_altered_file_is_named(name, run, tmp_path):
    folder = tmp_path / "out"
    export(Trained.open(run), OnnxTarget(threads=1), "onnx", folder, scores=False)
    data = bytearray((folder / name).read_bytes())
    data[-2] ^= 1 if name.endswith((".onnx", ".safetensors")) else 0
    (folder / name).write_bytes(bytes(data) + (b"" if name.endswith((".onnx", ".safetensors")) else b"\n"))
    with pytest.raises((CheckpointError, diptych.RunError), match=rf"{name} has (SHA-256|[0-9]+ bytes|[0-9]+)"):
        diptych.load(folder)
    (folder / name).unlink()
    if name != "config.toml" and "tokenizer" not in name:
        with pytest.raises((CheckpointError, BackendError, diptych.RunError), match=name.partition(".")[0]):
            diptych.load(folder)


def test_bad_input_is_one_error_and_nothing_is_written(run, out, command, tmp_path, monkeypatch):
    fresh = Run.create(run.config.model_copy(update={"name": "fresh"}), tmp_path / "fresh")
    (tmp_path / "file").write_text("a file, and no folder", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    for arguments, code, message in (
        ((fresh.folder, tmp_path / "x", "--to", "onnx"), 1, "has no checkpoint yet"),
        ((run.folder, fresh.folder, "--to", "onnx"), 2, "is there already"),
        ((run.folder, tmp_path / "x", "--to", "coreml"), 2, "'coreml' is not one of"),
        ((out, tmp_path / "x", "--to", "onnx"), 2, "is an export already"),
        ((run.folder, tmp_path / "x", "--to", "onnx", "--checkpoint", "step-9"), 1, "unknown checkpoint"),
        ((run.folder, tmp_path / "file" / "x", "--to", "onnx"), 2, "cannot be written"),
        ((run.folder, tmp_path / "file" / "x.html", "--to", "html"), 2, "cannot be written"),
        ((run.folder, tmp_path / "x.html", "--to", "html", "--threads", 1), 2, "--threads is not for --to html"),
        ((run.folder, tmp_path / "x", "--to", "litert", "--whole", "greedy"), 2, "is for --to onnx, got --to litert"),
        ((run.folder, tmp_path / "x", "--to", "savedmodel", "--int8"), 2, "litert and html, got --to savedmodel"),
        ((run.folder, tmp_path / "x", "--to", "torchscript", "--int8"), 2, "litert and html, got --to torchscript"),
    ):
        found, _, error = command("export", *arguments)
        assert (found, error.count("\n")) == (code, 1), error
        assert message in error
    assert sorted(tmp_path.iterdir()) == before

    def failing(patched, match, kind):
        with pytest.raises(kind, match=match):
            export(Trained.open(run), OnnxTarget(threads=1), "onnx", tmp_path / "new" / "x", scores=False)
        patched.undo()
        assert sorted(tmp_path.iterdir()) == before

    monkeypatch.setattr(runtime, "is_installed", lambda: False)
    failing(monkeypatch, r"pip install 'diptych\[onnx\]'", BackendError)
    monkeypatch.setattr(writer, "OPSET", 99)
    failing(monkeypatch, "cannot run encoder_model.onnx: .*[Oo]pset 99", BackendError)
    monkeypatch.setattr(encoder, "ONNX_GATES", {"gru": "rzn"})
    failing(monkeypatch, "not certified", CertificateError)


def test_a_run_is_no_export_and_an_export_no_run(run, out, command):
    with pytest.raises(
        BackendError, match="has no encoder_model.onnx: make one with `diptych export RUN OUT --to onnx`"
    ):
        diptych.load(run, "onnxruntime")
    with pytest.raises(CheckpointError, match="one set of weights"):
        diptych.load(out, which="latest")
    code, _, error = command("train", out)
    assert code == 2
    assert "diptych import" in error
