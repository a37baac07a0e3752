"""The configs that come with the project: each is read, trains in both frameworks, and translates a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diptych.config import RunConfig, parse_config, read_config
from diptych.config.explained import explained_config
from diptych.panel import BACKENDS
from diptych.runs.run import Run

FOLDER = Path(__file__).parents[1] / "configs"
CONFIGS = sorted(FOLDER.glob("*.toml"))
NAMES = [path.stem for path in CONFIGS]

# Trains every run named on the command line, one after another, and says what its losses were and what it translates.
PROGRAM = """
import json, sys
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
from diptych.translation.translator import load

backend, *folders = sys.argv[1:]
for folder in folders:
    run = Run.open(folder)
    train(run, backend, threads=1, device="cpu", reporter=QuietReporter())
    losses = [line["loss"] for line in run.read_metrics(backend) if "loss" in line]
    [translation] = load(run, backend, "latest").translate([run.corpus().test[0][0]])
    said = [translation.text, list(translation.source_tokens), list(translation.token_log_probabilities)]
    print(json.dumps([run.folder.name, losses, said]), flush=True)
"""


def small(config: RunConfig, folder: Path) -> RunConfig:
    """The same choices with a handful of pairs, sizes near 8 and 3 steps; files that are not here are made up."""
    values = config.model_dump()
    for part in ("train", "validation", "test"):
        columns = str(config.data.source_column or 1), config.data.target_column or "2"
        values["data"][part] = [made_up(path, folder, columns) for path in getattr(config.data, part)]
    values["data"] |= {"maximum_pairs": 40, "validation_size": 6, "test_size": 6}
    size = 4 * config.model.directions
    values["model"] |= {"embedding_size": size, "encoder_size": 4, "decoder_size": size}
    values["model"]["attention_size"] = config.model.attention_size and 8
    values["model"]["attentional_size"] = config.model.attentional_size and size
    values["training"] |= {"batch_size": 8, "maximum_steps": 3, "precision": "float64"}
    return parse_config(json.loads(json.dumps(values)))


def made_up(path: str, folder: Path, columns: tuple[str, str]) -> str:
    """The path, if there is such a file; else that of a small one in `folder`, a table with text in these columns."""
    if Path(path).is_file():
        return path
    made = folder / Path(path).name
    lines = [f"{made.suffix} " + " ".join(f"w{n * k % 11}" for k in range(2 + n % 5)) for n in range(60)]
    if made.suffix in (".tsv", ".csv"):
        numbered = all(column.isdigit() for column in columns)
        order = [str(n + 1) for n in range(max(map(int, columns)))] if numbered else list(columns)
        between = "," if made.suffix == ".csv" else "\t"
        header = [] if numbered else [between.join(order)]
        rows = ({columns[0]: f"word {n}", columns[1]: line} for n, line in enumerate(lines))
        lines = [*header, *(between.join(row.get(column, "-") for column in order) for row in rows)]
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(made)


@pytest.fixture(scope="module")
def trained(both_frameworks, tmp_path_factory):
    """By config and backend: the losses of 3 steps, and a line's translation, source tokens and log-probabilities."""
    folder = tmp_path_factory.mktemp("configs")
    runs = [str(Run.create(small(read_config(path), folder), folder / path.stem).folder) for path in CONFIGS]
    found = {}
    for backend in BACKENDS:
        command = [sys.executable, "-c", PROGRAM, backend, *runs]
        finished = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=500, check=False)
        assert finished.returncode == 0, finished.stderr
        for line in finished.stdout.splitlines():
            name, losses, said = json.loads(line)
            found[name, backend] = losses, said
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_config_trains_in_both_frameworks_with_the_same_losses(trained, name):
    first, second = (trained[name, backend][0] for backend in BACKENDS)
    assert len(first) == 3 and first == pytest.approx(second, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_config_translates_a_line_the_same_in_both(trained, name):
    (text, source, numbers), (second_text, _, second_numbers) = (trained[name, backend][1] for backend in BACKENDS)
    assert source and numbers and text == second_text
    assert numbers == pytest.approx(second_numbers, rel=1e-8)


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_a_config_is_named_like_its_file(path):
    name = read_config(path).name
    assert name == path.stem or ("variables" in path.read_text(encoding="utf-8") and name.startswith(f"{path.stem}-"))


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_a_comment_stands_above_every_choice(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        if line and line[0] not in "#[":
            assert above.startswith("# "), f"{path.name}: {line}"


def test_the_phrasebook_is_what_diptych_config_prints():
    path = FOLDER / "phrasebook.toml"
    assert read_config(path) == RunConfig()
    current = path.read_text(encoding="utf-8") == explained_config()
    assert current, "a key has changed: write it anew with `diptych config --output configs/phrasebook.toml`"


def test_the_choices_are_all_tried():
    """Between them the configs use every cell, three bridges, every attention but none, every kind of corpus and both
    languages."""
    configs = [read_config(path) for path in CONFIGS]
    assert {config.model.cell for config in configs} == {"gru", "lstm", "rnn"}
    assert {config.model.bridge for config in configs} == {"zero", "copy", "dense"}
    assert {config.model.attention for config in configs} == {"additive", "dot", "general", "concat"}
    assert {config.data.corpus for config in configs} == {"phrasebook", "spacing", "numbers", "names", "files"}
    assert {config.data.language for config in configs} == {"english", "korean"}
