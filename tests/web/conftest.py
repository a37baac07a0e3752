"""Tiny runs, workers without a framework, and `diptych serve` in a process of its own."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.data.tokens.vocabulary import EOS
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.web.application import make_application
from diptych.web.limits import Limits
from diptych.web.service import Service
from diptych.web.watched import WatchedProcess

TINY = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
    model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
    training=TrainingConfig(precision="float64"),
)


@pytest.fixture(scope="session")
def make_run():
    """Makes runs whose checkpoint holds the initial weights, with some outputs made likelier: `{token id: bias}`."""

    def make(folder, config=TINY, biases=()):
        run = Run.create(config, folder)
        parameters = run.initial_parameters()
        for token_id, bias in dict(biases).items():
            parameters["output_layer.bias"][token_id] = bias
        run.record("pytorch").write_checkpoint(Checkpoint(parameters, {}, {"step": 1}))
        return run

    return make


@pytest.fixture(scope="session")
def run(make_run, tmp_path_factory):
    """A run that soon says eos."""
    return make_run(tmp_path_factory.mktemp("runs") / "tiny", biases={EOS: 6.0})


@pytest.fixture(scope="session")
def endless_run(make_run, tmp_path_factory):
    """A run that never says eos, so that a translation is as long as is asked for; a larger one, so that it is slow."""
    model = ModelConfig(embedding_size=64, encoder_size=96, decoder_size=192)
    config = TINY.model_copy(update={"model": model})
    return make_run(tmp_path_factory.mktemp("runs") / "endless", config, biases={EOS: -50.0})


class Worker:
    """Answers as a `WatchedProcess` does, in this process; a sentence may say otherwise."""

    def __init__(self, backend):
        self.backend = backend
        self.facts = {"versions": {"fake": "1"}, "precision": "float32", "trained_in": "pytorch"}
        self.trouble = ""
        self.restarts = 0
        self.asked = []
        self.gate = None  # an event: nothing is answered before it is set

    async def translate(self, sentence, row, search, seconds):
        self.asked.append((sentence, row, search, seconds))
        if self.gate:
            await self.gate.wait()
        if self.trouble:
            return {"error": {"kind": "BackendError", "message": self.trouble}}
        if sentence == "overtime":
            return {"error": {"kind": "TimeLimitError", "message": ""}}
        return {
            "translation": {
                "text": sentence.upper(),
                "tokens": [*sentence.upper().split(), "<eos>"],
                "score": -1.0,
                "log_probability": -1.0,
                "alternatives": [],
                "attention": None,
                "milliseconds": 9000.0 if sentence == "slow" else 1.0,
            }
        }


@pytest.fixture
def workers():
    return {backend: Worker(backend) for backend in ("tensorflow", "pytorch")}


@pytest.fixture
def service(run, workers):
    return Service(run, workers, Limits(requests=3, waiting_seconds=5.0))


@pytest.fixture
def ask(service):
    """Calls a coroutine function with a client of the application, and returns what that returns."""

    def call(function, host="localhost"):
        async def with_client():
            transport = httpx.ASGITransport(make_application(service, ["localhost"]))
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return await function(client)

        return asyncio.run(with_client())

    return call


# As a user has it, not as the other tests need it; with a single thread, for there may be several test processes.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("TF_")} | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def serving():
    """Starts `diptych serve` at a free port; gives the process and its address, and ends it."""

    @contextmanager
    def start(*arguments):
        command = [sys.executable, "-m", "diptych", "serve", *map(str, arguments), "--port", "0"]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
        # Ctrl-C as from a terminal, also where these tests run in the background and it is ignored.
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(command, **options) as process:
            try:
                line = process.stdout.readline()
                assert "http://" in line, process.stderr.read()
                yield process, line.split(": ", 1)[1].split()[0]
            finally:
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(20)
                    finally:
                        process.kill()

    return start


@pytest.fixture
def fake_process(monkeypatch):
    """Makes a watched process without a framework, see fake_sentences.py."""
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))

    def make(mode="good", limits=None):
        return WatchedProcess("pytorch", {"mode": mode}, limits or Limits(), "fake_sentences:Sentences")

    return make
