"""A tiny run, and ways to call `diptych` on it. Most of it goes through the reference, which is there at once."""

import io
import json
import subprocess
import sys

import pytest

from diptych.cli import main
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run


@pytest.fixture(scope="session")
def tiny_config():
    return RunConfig(
        name="tiny",
        data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
        model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
        training=TrainingConfig(precision="float64"),
        search=SearchConfig(maximum_length=6),
    )


@pytest.fixture(scope="session")
def make_run(tiny_config):
    """Makes runs whose checkpoint holds the initial weights: what they say is nonsense, and always the same."""

    def make(folder, **changes):
        run = Run.create(tiny_config.model_copy(update=changes), folder)
        run.record("pytorch").write_checkpoint(Checkpoint(run.initial_parameters(), {}, {"step": 1}))
        return run

    return make


@pytest.fixture(scope="session")
def run(make_run, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def diptych_command(monkeypatch, capfd):
    """Runs `diptych` in this process: exit code, standard output and standard error."""

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        code = main([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, error = capfd.readouterr()
        return code, out, error

    return call


@pytest.fixture(scope="session")
def in_new_process():
    """Runs `diptych` in a process of its own, with Python statements before and after."""

    def call(*arguments, before="", after="", **others):
        program = f"import sys\n{before}\nfrom diptych.cli import main\ncode = main(sys.argv[1:])\n{after}"
        return subprocess.run(
            [sys.executable, "-c", f"{program}\nsys.exit(code)", *map(str, arguments)],
            capture_output=True,
            timeout=120,
            check=False,
            **others,
        )

    return call


@pytest.fixture(scope="session")
def write_config():
    """Writes a config of a corpus in files, and gives its path."""

    def write(folder, train='["pairs.tsv"]', more="", name="x"):
        path = folder / f"{name}.toml"
        path.write_text(
            f'name = "{name}"\n[data]\ncorpus = "files"\ntrain = {train}\nvalidation_size = 5\ntest_size = 4\n{more}\n',
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def prepared(diptych_command, tmp_path):
    """Prepares a run of a config: the report, and the run."""

    def prepare(config, *options):
        code, out, error = diptych_command("data", "prepare", config, "--run", tmp_path / "run", "--json", *options)
        assert code == 0, error
        return json.loads(out), Run.open(tmp_path / "run")

    return prepare
