"""Subwords, drawn anew in each epoch, and jamo: trained in both frameworks, resumed, and translated with."""

import json
import subprocess
import sys

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.runs.run import Run

STEPS = 6  # 2 epochs of 3 batches

PROGRAM = """
import json, sys
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
from diptych.translation.translator import load

backend, *jobs = sys.argv[1:]
for job in map(json.loads, jobs):
    run = Run.open(job.pop("run"))
    train(run, backend, threads=1, device="cpu", reporter=QuietReporter(), **job)
    losses = [line["loss"] for line in run.read_metrics(backend) if "loss" in line]
    [found] = load(run, backend, "latest").translate([run.corpus().test[0][0]], beam_size=2)
    print(json.dumps([losses, found.text, found.source_tokens, found.tokens]), flush=True)
"""


def make_run(folder, name, **data):
    values = {"maximum_pairs": 24, "validation_size": 4, "test_size": 4}
    model = ModelConfig(embedding_size=6, encoder_size=4, decoder_size=8, dropout=0.2)
    training = TrainingConfig(epochs=2, batch_size=8, precision="float64", learning_rate=0.02)
    return Run.create(RunConfig(data=DataConfig(**(values | data)), model=model, training=training), folder / name)


def work(backend, *jobs):
    command = [sys.executable, "-c", PROGRAM, backend, *map(json.dumps, jobs)]
    finished = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    sampled = {"source_tokenizer": "bpe", "target_tokenizer": "unigram", "subword_size": 150, "subword_sampling": 0.3}
    return {
        "whole": make_run(folder, "whole", **sampled),
        "resumed": make_run(folder, "resumed", **sampled),
        "fixed": make_run(folder, "fixed", **(sampled | {"subword_sampling": 0.0})),
        "jamo": make_run(folder, "jamo", source_tokenizer="bpe", subword_size=150, target_tokenizer="jamo"),
    }


@pytest.fixture(scope="module")
def trained(runs, both_frameworks):
    """What each job's losses, translation and tokens were; one job in either framework, the others in PyTorch."""
    place = {name: str(run.folder) for name, run in runs.items()}
    jobs = {
        "whole": {"run": place["whole"]},
        "stopped": {"run": place["resumed"], "stop_at": 4},
        "resumed": {"run": place["resumed"], "resume": True},
        "fixed": {"run": place["fixed"]},
        "jamo": {"run": place["jamo"]},
    }
    found = dict(zip(jobs, work("pytorch", *jobs.values()), strict=True))
    [found["tensorflow"]] = work("tensorflow", jobs["whole"])
    return found


@pytest.mark.slow
def test_both_frameworks_see_the_same_divisions_and_say_the_same(trained):
    (losses, *said), (others, *also) = trained["whole"], trained["tensorflow"]
    assert len(losses) == STEPS and losses == pytest.approx(others, rel=1e-9)
    assert said == also


@pytest.mark.slow
def test_a_resumed_training_draws_what_it_would_have_drawn(trained):
    assert trained["resumed"] == trained["whole"]
    assert len(trained["stopped"][0]) == 4


@pytest.mark.slow
def test_sampling_changes_what_training_sees(trained):
    assert trained["fixed"][0][0] != trained["whole"][0][0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["whole", "jamo"])
def test_the_tokens_are_those_of_the_tokenizers(trained, runs, name):
    run = runs[name]
    _, text, source_tokens, tokens = trained[name]
    assert "".join(source_tokens) == " " + run.corpus().test[0][0]
    assert text == run.target_tokenizer.detokenize(token for token in tokens if token != "<eos>")


def test_a_run_opens_without_sentencepiece(runs):
    program = (
        "import sys; sys.modules['sentencepiece'] = None\n"
        "from diptych.runs.run import Run\n"
        "run = Run.open(sys.argv[1])\n"
        "print(len(run.source_tokenizer.tokenize('The fox')), len(run.encoded().train))"
    )
    command = [sys.executable, "-c", program, str(runs["whole"].folder)]
    finished = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert finished.stdout.split()[1] == "24"
