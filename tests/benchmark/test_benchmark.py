"""A benchmark whose worker processes are made up: what it asks of them, when it ends, and what it makes of answers."""

from __future__ import annotations

import io
import json
import shlex

import pytest
from rich.console import Console

from diptych.benchmark import benchmark as benchmarks
from diptych.benchmark.benchmark import benchmark
from diptych.benchmark.request import Request
from diptych.benchmark.summary import compile_seconds, spread, summaries
from diptych.benchmark.table import print_benchmark
from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import BackendError, ConfigError, UsageError

CONFIG = RunConfig(
    name="small",
    data=DataConfig(maximum_pairs=40, validation_size=5, test_size=8),
    model=ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8),
    training=TrainingConfig(batch_size=16, seed=3),
)


PRODUCT = {"name": "output layer", "part": "forward", "gflops_per_second": 2.0, "block_operations": 10**9}
USED = {"user_seconds": 0.9, "system_seconds": 0.1}


class Workers:
    """Stands in for both processes: TensorFlow takes 2 seconds for what takes PyTorch 1, and a ceiling a half."""

    def __init__(self):
        self.calls = []
        self.clock = 0.0
        self.minutes_each = 0.0
        self.choices = {}
        self.runtime = False

    def __call__(self, backend, function, arguments, threads, device):
        self.calls.append((backend, arguments, threads, device))
        self.clock += 60.0 * self.minutes_each
        seconds = {"tensorflow": 2.0, "pytorch": 1.0, "reference": 0.5}[backend]
        counts = {"training": {"steps": 4, "target_tokens": 800, "target_positions": 1000}}
        names = ["greedy" if size == 1 else f"beam {size}" for size in arguments["beam_sizes"]]
        counts = {name: {"batches": 2, "sentences": 30, "target_tokens": 400} for name in names} | counts
        trials = {
            task: {
                "blocks": [count | USED | {"seconds": seconds * factor} for factor in (0.9, 1.0, 1.2)],
                "first_seconds": 3.0,
                "warm_up_seconds": 7.0,
                "peak_rss_bytes": 500_000_000,
                "ceiling": {"seconds": 0.5, "operations": 10**9, "products": [PRODUCT]},
            }
            for task, count in counts.items()
        }
        trials["training"] |= {"compilations": 5, "distinct_shapes": 17}
        if backend == "reference":  # what ONNX Runtime is measured in
            trials = {task: trial | {"ceiling": None} for task, trial in trials.items() if task != "training"}
        versions = {"tensorflow": "2.x"} if backend == "tensorflow" else {"torch": "2.y"}
        return {"trials": trials, "startup_seconds": 1.5, "versions": versions, "choices": self.choices}


@pytest.fixture
def workers(monkeypatch):
    workers = Workers()
    monkeypatch.setattr(benchmarks, "call", workers)
    monkeypatch.setattr(benchmarks, "is_installed", lambda name: True)
    monkeypatch.setattr(benchmarks.runtime, "is_installed", lambda: workers.runtime)
    monkeypatch.setattr(benchmarks.time, "monotonic", lambda: workers.clock)
    return workers


def run(said=None, **choices):
    return benchmark(Request(**{"config": CONFIG, "rounds": 1} | choices), (said if said is not None else []).append)


def test_each_variant_is_measured_in_both_backends_one_after_the_other(workers):
    run(attentions=("general", "concat"), precisions=("float32", "float64"), batch_sizes=(4, 8), rounds=2, threads=3)
    backends = [backend for backend, *_ in workers.calls]
    assert backends == ["tensorflow", "pytorch"] * 8 + ["pytorch", "tensorflow"] * 8
    measured = []
    for _, arguments, threads, device in workers.calls:
        config = arguments["config"]
        assert config["training"]["batch_size"] == config["search"]["batch_size"]
        assert (threads, device) == (3, "auto")
        measured.append((config["model"]["attention"], config["training"]["precision"], config["search"]["batch_size"]))
    assert measured[::2] == measured[1::2]
    assert measured[:16:2] == measured[16::2]
    assert len(set(measured)) == 8


def test_a_config_is_measured_as_it_is_and_the_standard_in_four_variants():
    assert Request(config=CONFIG).variants(CONFIG) == [
        CONFIG.model_copy(update={"search": CONFIG.search.model_copy(update={"batch_size": 16})})
    ]
    standard = Request().variants(CONFIG)
    chosen = [(each.model.attention, each.training.precision) for each in standard]
    assert chosen == [(a, p) for a in ("general", "additive") for p in ("float32", "bfloat16")]


def test_a_percentage_is_the_ceiling_s_time_in_the_measured_time(workers):
    report = run()
    tasks = ["training", "greedy", "beam 5"]
    assert [(each["backend"], each["task"]) for each in report["benchmarks"]] == [
        (backend, task) for backend in ("tensorflow", "pytorch") for task in tasks
    ]
    for each in report["benchmarks"]:
        seconds = {"tensorflow": 2.0, "pytorch": 1.0}[each["backend"]]
        assert each["percent_of_ceiling"] == pytest.approx(100.0 * 0.5 / seconds)
        assert each["speed"]["median"] / each["ceiling"]["speed"] == pytest.approx(each["percent_of_ceiling"] / 100.0)
        count = 800 if each["task"] == "training" else 30
        assert each["speed"]["median"] == pytest.approx(count / seconds)
        assert each["speed"]["maximum"] == pytest.approx(count / seconds / 0.9)
        assert each["speed"]["minimum"] == pytest.approx(count / seconds / 1.2)
        assert each["ceiling"]["gflops_per_second"] == pytest.approx(2.0)
        assert each["unit"] == ("target tokens per second" if count == 800 else "sentences per second")
        assert each["block"]["target_tokens"] in (800, 400)
        assert not any(key.endswith("seconds") for key in each["block"])
        assert each["percent_in_system"] == pytest.approx(10.0)


def test_compiling_is_what_the_warm_up_took_beyond_its_work(workers):
    training = run()["benchmarks"][0]
    # 7 seconds of warm-up, in which a block of 2 and the first of its 4 batches were done.
    assert training["compile_seconds"] == pytest.approx(7.0 - 2.0 - 0.5)
    assert training["warm_up_seconds"] == 7.0 and training["first_seconds"] == 3.0
    quick = {"warm_up_seconds": 1.0, "blocks": [{"batches": 2, "seconds": 3.0}]}
    assert compile_seconds(quick) == 0.0


def test_the_report_carries_its_circumstances(workers):
    report = json.loads(json.dumps(run(threads=2)))
    assert report.keys() == {"benchmarks", "workload", "environment", "signature"}
    for each in report["benchmarks"]:
        assert each["versions"] in ({"tensorflow": "2.x"}, {"torch": "2.y"})
        assert (each["attention"], each["precision"], each["batch_size"]) == ("additive", "float32", 16)
        assert each["peak_rss_bytes"] == 500_000_000
        assert each["startup_seconds"] == 1.5
    assert report["benchmarks"][0]["compilations"] == 5
    assert report["benchmarks"][0]["distinct_shapes"] == 17
    assert report["environment"]["threads"] == 2
    assert report["environment"]["processor"]
    assert report["workload"]["name"] == "small"
    assert report["workload"]["seed"] == 3
    for part in ("diptych:", "workload:small", "seed:3", "threads:2", "processor:", "python:"):
        assert part in report["signature"]


def test_the_signature_ends_with_the_command_that_measures_the_same():
    request = Request(
        path="my config.toml", backends=("pytorch",), attentions=("dot", "none"), precisions=("float64",),
        batch_sizes=(8,), beam_sizes=(1, 3), seconds=0.25, rounds=2, threads=4, device="cpu",
    )  # fmt: skip
    words = shlex.split(request.command())
    assert words[:3] == ["diptych", "benchmark", "my config.toml"]
    given = list(zip(words[3::2], words[4::2], strict=True))
    assert given == [
        ("--backend", "pytorch"), ("--attention", "dot"), ("--attention", "none"), ("--precision", "float64"),
        ("--batch-size", "8"), ("--beam", "3"), ("--seconds", "0.25"), ("--threads", "4"), ("--rounds", "2"),
        ("--device", "cpu"),
    ]  # fmt: skip


@pytest.mark.parametrize(("minutes_each", "rounds"), [(0.1, 3), (0.5, 3), (1.0, 2), (1.5, 1), (9.0, 1)])
def test_if_nothing_is_said_it_ends_within_five_minutes(workers, minutes_each, rounds):
    workers.minutes_each = minutes_each
    report = run(rounds=0)
    assert report["workload"]["rounds"] == rounds
    assert len(workers.calls) == 2 * rounds
    assert rounds == 1 or workers.clock < 300.0
    assert [len(each["speed_by_round"]) for each in report["benchmarks"]] == [rounds] * 6


def test_a_line_tells_of_each_process(workers):
    said = []
    run(said)
    assert len(said) == 2
    assert said[1] == (
        "round 1, pytorch, additive, float32, batch 16: training 800 tokens/s, greedy 30 sentences/s, "
        "beam 5 30 sentences/s"
    )


def test_an_attention_that_the_model_cannot_have_is_refused_before_any_work(workers):
    config = CONFIG.model_copy(update={"model": ModelConfig(input_feeding=True)})
    with pytest.raises(ConfigError, match="input_feeding needs an attention"):
        run(config=config, attentions=("general", "none"))
    assert workers.calls == []


def test_a_backend_that_is_missing_is_named_before_any_work(workers, monkeypatch):
    monkeypatch.setattr(benchmarks, "is_installed", lambda name: name == "pytorch")
    with pytest.raises(BackendError, match=r"tensorflow is not installed here: .*diptych\[tensorflow\].*--backend"):
        run()
    assert workers.calls == []
    run(backends=("pytorch",))
    assert [backend for backend, *_ in workers.calls] == ["pytorch"]


def test_a_spread_is_around_its_median():
    found = spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert list(found.values()) == [3.0, 2.0, 4.0, 1.0, 5.0, 5]
    assert set(spread([2.0]).values()) == {2.0, 1}


def test_rounds_are_pooled():
    workers = Workers()
    answers = [
        workers(backend, "", {"beam_sizes": [1]}, 1, "cpu") for backend in ("tensorflow", "pytorch")
    ]  # a slow round and a fast one
    training, greedy = summaries("pytorch", CONFIG, answers)
    assert training["speed_by_round"] == [400.0, 800.0]
    assert training["speed"]["blocks"] == 6
    assert training["speed"]["minimum"] == pytest.approx(800 / 2.4)
    assert training["speed"]["maximum"] == pytest.approx(800 / 0.9)
    assert greedy["task"] == "greedy"


@pytest.mark.parametrize("several", [False, True])
def test_the_tables_fit_a_terminal_and_say_what_they_show(workers, several):
    workers.choices = {"recurrent product": "oneDNN"}
    more = {"batch_sizes": (16, 32)} if several else {}
    report = run(attentions=("general", "additive"), **more)
    console = Console(width=90 if several else 80, record=True, file=io.StringIO())
    print_benchmark(report, console)
    text = console.export_text()
    assert "…" not in text
    assert f"{report['environment']['processor']}, {report['environment']['processor_family']}, peak 2 GFLOP/s" in text
    for part in (
        "TensorFlow",
        "PyTorch",
        "beam 5",
        "25 %",
        "50 %",
        "float32) 10.0 %",
        "500 MB",
        "4.5 s (5 x)",
        "20.0 % of target",
    ):
        assert part in text, part
    assert "17 different shapes" in text
    assert "chosen by measuring: TensorFlow, general, float32: recurrent product oneDNN" in text
    assert report["signature"] in text
    assert ("batch size" in text) == several


def test_a_single_backend_has_a_single_column(workers):
    console = Console(width=80, record=True, file=io.StringIO())
    print_benchmark(run(backends=("tensorflow",)), console)
    assert "PyTorch" not in console.export_text()


def test_onnx_runtime_decodes_beside_them_in_float32(workers):
    workers.runtime = True
    report = run(precisions=("float32", "float64"), threads=3)
    asked = [(backend, arguments["config"]["training"]["precision"]) for backend, arguments, *_ in workers.calls]
    assert [precision for backend, precision in asked if backend == "reference"] == ["float32"]
    found = [each for each in report["benchmarks"] if each["backend"] == "onnxruntime"]
    assert [each["task"] for each in found] == ["greedy", "beam 5"]
    assert all(each["ceiling"] is each["percent_of_ceiling"] is None for each in found)
    console = Console(width=90, record=True, file=io.StringIO())
    print_benchmark(report, console)
    text = console.export_text()
    assert "ONNX Runtime" in text and "…" not in text


def test_onnx_runtime_by_itself_has_its_table_or_is_refused(workers):
    with pytest.raises(BackendError, match=r"onnxruntime, not installed here: .*diptych\[onnx\]"):
        run(backends=("onnxruntime",))
    workers.runtime = True
    with pytest.raises(UsageError, match="float32 alone: add --precision float32"):
        run(backends=("onnxruntime",), precisions=("float64",))
    assert workers.calls == []
    report = run(backends=("onnxruntime",))
    console = Console(width=80, record=True, file=io.StringIO())
    print_benchmark(report, console)
    assert "Training:" not in console.export_text() and "TensorFlow" not in console.export_text()
