"""`diptych benchmark` on the command line: bad arguments, and a tiny model measured for real in both frameworks."""

import json
import sys

import pytest

from diptych import config as configs
from diptych.cli import benchmark
from diptych.config import ModelConfig
from diptych.exported import runtime
from diptych.exported.folder import ONNX_RUNTIME
from diptych.panel import BACKENDS

TINY = """
name = "tiny"
[data]
maximum_pairs = 60
validation_size = 3
test_size = 9
[model]
embedding_size = 6
encoder_size = 4
decoder_size = 8
[training]
batch_size = 8
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


def test_the_choices_are_those_of_the_library():
    from typing import get_args

    assert list(benchmark.Attention) == list(get_args(configs.Attention))
    assert set(benchmark.Precision) == set(get_args(configs.TrainingPrecision))
    assert set(benchmark.Backend) == {*get_args(configs.Backend), ONNX_RUNTIME}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--attention", "local"], "'--attention': Value error, 'local' is not one of 'none', 'additive'"),
        (["--precision", "float16"], "'--precision'"),
        (["--backend", "jax"], "'--backend'"),
        (["--batch-size", "0"], "'--batch-size'"),
        (["--seconds", "-1"], "'--seconds'"),
        (["--seconds", "soon"], "'--seconds'"),
        (["--rounds", "0"], "'--rounds'"),
        (["--beam", "1"], "'--beam'"),
        (["--threads", "0"], "'--threads'"),
        (["nowhere.toml"], "no config at nowhere.toml"),
        (["--attention", "dot", "CONFIG"], "attention 'dot' multiplies"),
    ],
)
def test_bad_arguments_are_one_line_and_2(diptych_command, config, arguments, message):
    given = [str(config) if argument == "CONFIG" else argument for argument in arguments]
    if given[-1] == str(config):
        config.write_text(TINY.replace("decoder_size = 8", "decoder_size = 9"), encoding="utf-8")
    code, out, error = diptych_command("benchmark", *given)
    assert (code, out) == (2, "")
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.slow
@pytest.mark.usefixtures("both_frameworks")
def test_a_tiny_model_is_measured_in_both_frameworks(diptych_command, config):
    code, out, error = diptych_command(
        "benchmark", config, "--attention", "general", "--precision", "float32",
        "--seconds", "0", "--rounds", "1", "--threads", "1", "--beam", "2", "--json",
    )  # fmt: skip
    assert code == 0
    beside = [ONNX_RUNTIME] if runtime.is_installed() else []
    assert error.count("round 1, ") == 2 + len(beside)
    report = json.loads(out)
    found = [each for each in report["benchmarks"] if each["backend"] != ONNX_RUNTIME]
    decoded = [(each["backend"], each["task"]) for each in report["benchmarks"] if each not in found]
    assert decoded == [(backend, task) for backend in beside for task in ("greedy", "beam 2")]
    assert [(each["backend"], each["task"]) for each in found] == [
        (backend, task) for backend in BACKENDS for task in ("training", "greedy", "beam 2")
    ]
    for each in found:
        assert each["speed"]["blocks"] == 2
        assert 0.0 < each["speed"]["minimum"] <= each["speed"]["median"] <= each["speed"]["maximum"]
        assert each["attention"] == "general"
        assert each["percent_of_ceiling"] > 0.0
        assert each["startup_seconds"] > 0.0 < each["warm_up_seconds"]
        assert each["peak_rss_bytes"] > 50_000_000
        assert each["ceiling"]["operations"] > 0
    # The same work in both: the same tokens, and the same arithmetic.
    work = {
        backend: [(each["block"], each["ceiling"]["operations"]) for each in found if each["backend"] == backend]
        for backend in BACKENDS
    }
    assert work["tensorflow"] == work["pytorch"]
    assert ModelConfig().cell == report["workload"]["model"]["cell"]
    assert f"threads:1|device:auto|processor:{report['environment']['processor']}|" in report["signature"]


@pytest.mark.usefixtures("with_pytorch")
@pytest.mark.slow
def test_one_backend_as_a_table(diptych_command, config):
    code, out, error = diptych_command(
        "benchmark", config, "--backend", "pytorch", "--seconds", "0", "--rounds", "1", "--threads", "1", "--quiet"
    )
    assert (code, error) == (0, "")
    assert "training additive" in out
    assert "TensorFlow" not in out
    assert f"python:{sys.version.split()[0]}" in out
