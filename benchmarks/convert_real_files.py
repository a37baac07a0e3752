"""Every model file of ../shared/data/porting, converted or refused: `benchmarks/convert_real_files.py [NAME ...]`.

What came of each group is noted in docs/convert/NAME.json (certificates in short, refusals word by word, how far the
stored outputs are); then the table in docs/convert.md is written anew. All of it takes a quarter of an hour.
Exit code 1 where a file is neither certified nor refused for the reason that is expected of it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from convert_table import NOTES, put_real_files

from diptych.convert import source, targets
from diptych.convert.conversion import convert
from diptych.convert.files.opening import read_model_file
from diptych.convert.framework_process import call
from diptych.convert.graph import Graph
from diptych.convert.judge import run
from diptych.convert.source import Asked, digest_of, read_source
from diptych.convert.tf1.reading import read_frozen
from diptych.errors import DiptychError

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT.parent / "shared" / "data" / "porting" / "models"
BOTH, ALL = ("pytorch", "keras"), ("pytorch", "keras", "onnx")
LONG = 10


@dataclass(frozen=True)
class Case:
    """A file, what is said about it, what it becomes, and what is stored beside it.

    Attributes:
        path: below MODELS.
        asked: beside its name.
        to: what it is converted to.
        stored: the largest difference between stored outputs and those of the graph that was read, and how many numbers
            were compared; None where nothing is stored.
        refused: where it is refused, a pattern of the reason, by target; "" for every target.
    """

    path: str
    asked: Asked = field(default_factory=Asked)
    to: tuple[str, ...] = BOTH
    stored: Callable[[Graph], tuple[float, int]] | None = None
    refused: dict[str, str] = field(default_factory=dict)


def series(name: str) -> Callable[[Graph], tuple[float, int]]:
    """RTNeural's stored series."""

    def compare(graph: Graph) -> tuple[float, int]:
        x, y = (np.loadtxt(MODELS / f"rtneural/{name}_{one}_python.csv") for one in "xy")
        (given,), (output,) = graph.inputs, graph.outputs.values()
        found = run(graph, {given.name: x.reshape(1, -1, 1)})[output].ravel()
        return float(np.abs(found - y).max()), y.size

    return compare


def same_weights_as_onnx(graph: Graph) -> tuple[float, int]:
    """DTLN's two LSTMs in the .h5 and in the ONNX file."""
    other = read_source(MODELS / "dtln/model_1.onnx", Asked()).graph
    mine, theirs = ([node for node in one.nodes if "weight_hh" in node.weights] for one in (graph, other))
    pairs = [(a.weights[name], b.weights[name]) for a, b in zip(mine, theirs, strict=True) for name in a.weights]
    return max(float(np.abs(a - b).max()) for a, b in pairs), sum(a.size for a, _ in pairs)


def frozen_outputs(path: Path) -> Callable[[Graph], tuple[float, int]]:
    """What TensorFlow 1 gave, stored beside its graph."""
    files = sorted(path.parent.rglob("*.prediction.csv"))
    names = [str(file.relative_to(path.parent)).removesuffix(".prediction.csv").replace(".", ":") for file in files]
    stored = {name: np.loadtxt(file, delimiter=",").ravel() for name, file in zip(names, files)}

    def compare(graph: Graph) -> tuple[float, int]:
        file = read_model_file(path)
        inputs = inputs_of(path)
        graph = read_frozen(file, inputs, list(stored))
        given = {one.name: file.tensors[name].read() for one, name in zip(graph.inputs, inputs)}
        found = run(graph, given)
        gaps = [np.abs(found[ref].ravel() - value).max() for value, ref in zip(stored.values(), graph.outputs.values())]
        return float(max(gaps)), sum(value.size for value in stored.values())

    return compare


def inputs_of(path: Path) -> tuple[str, ...]:
    """The constants of a frozen test graph that stand for its inputs."""
    tensors = read_model_file(path).tensors
    return tuple(name for name in ("in_0", "in_1", "in_2", "in_3", "in_4") if name in tensors)


G2P = {"gru_gates": "rzn", "reset": "after", "recurrent_activation": "sigmoid"}
NO_STOCK = r"clips and peepholes have no stock form in Keras"


def groups() -> dict[str, tuple[str, list[Case]]]:
    """By the name of a note: what stands in the table, and the files."""
    rtneural = [Case(f"rtneural/{name}.json", stored=series(name)) for name in ("gru", "gru_1d", "lstm")]
    rtneural += [
        Case(f"rtneural/{cell}_torch.json", Asked(layers=(cell, f"{cell}2", "dense")), stored=series(f"{cell}_torch"))
        for cell in ("gru", "lstm")
    ]
    sigmoid = {"recurrent_activation": "sigmoid"}
    return {
        "g2p_en": ("g2p_en `checkpoint20.npz`, encoder and decoder", [
            Case("g2p_en/checkpoint20.npz", refused={"": r"--module package.module:Class, or the layers"}),
            Case("g2p_en/checkpoint20.npz", Asked(layers=("enc_emb", "enc")), refused={"": r"--assume gru_gates=rzn"}),
            Case("g2p_en/checkpoint20.npz", Asked(G2P, layers=("enc_emb", "enc")), ALL),
            Case("g2p_en/checkpoint20.npz", Asked(G2P, layers=("dec_emb", "dec", "fc")), ALL),
        ]),
        "dtln": ("DTLN `model.h5`, `model_1.onnx`, `model_1.tflite`", [
            Case("dtln/model.h5", refused={"": r"has weights only.*--config"}),
            Case("dtln/model.h5", Asked(sigmoid, layers=("lstm", "lstm_1", "dense")), ALL, same_weights_as_onnx),
            Case("dtln/model.h5", Asked(sigmoid, layers=("lstm_2", "lstm_3", "dense_1")), BOTH),
            Case("dtln/model_1.onnx", to=ALL),
            Case("dtln/model_1.tflite", refused={"": r"is a TensorFlow Lite model, which is not read"}),
        ]),
        "ethnicolr": ("ethnicolr `census2000_ln_lstm.h5`", [Case("ethnicolr/census2000_ln_lstm.h5", to=ALL)]),
        "rtneural": ("RTNeural, five files", rtneural),
        "dl4j-keras": ("dl4j, 19 files of Keras 1 and 2", [*keras_of_dl4j()]),
        "dl4j-tf1": ("dl4j, 34 frozen graphs of TensorFlow 1", [*frozen_of_dl4j()]),
    }  # fmt: skip


def keras_of_dl4j() -> Iterator[Case]:
    """Whole files, and files of weights with their configs beside them."""
    for path in sorted((MODELS / "dl4j").rglob("*.h5")):
        config = path.with_name(path.name.replace("_weights.h5", "_config.json"))
        asked = Asked(config=config) if config.exists() and config != path else Asked()
        yield Case(str(path.relative_to(MODELS)), asked)


def frozen_of_dl4j() -> Iterator[Case]:
    """Frozen graphs, whose inputs are constants, with what TensorFlow 1 gave."""
    for path in sorted((MODELS / "dl4j/tf_graphs").rglob("frozen_model.pb")):
        name, asked = str(path.relative_to(MODELS)), Asked(inputs=inputs_of(path))
        if "srucell" in name:
            yield Case(name, asked, refused={"": r"sru_cell/.* is not understood"})
        else:
            yield Case(name, asked, stored=frozen_outputs(path), refused={"keras": NO_STOCK})


def tried(case: Case) -> dict[str, Any]:
    """What came of one file."""
    path = MODELS / case.path
    told: dict[str, Any] = {"file": case.path, "sha256": digest_of(path), "asked": _asked(case.asked), "to": {}}
    if case.stored:
        gap, count = case.stored(read_source(path, case.asked).graph)
        told["stored"] = {"numbers": count, "gap": gap}
    for to in case.to:
        with tempfile.TemporaryDirectory() as name:
            try:
                made = convert(path, to, Path(name, "out"), case.asked).certificate
                kept = {key: made[key] for key in ("certified", "largest_gap", "assumed", "not_certified", "parties")}
                checks = {one["what"]: one["gap"] for one in made["checks"]}
                told["to"][to] = kept | {"checks": checks, "versions": made["versions"]}
            except DiptychError as error:
                said = re.sub(re.escape(f"{MODELS}/"), "", str(error))
                wanted = case.refused.get(to, case.refused.get("", "$^"))
                told["to"][to] = {"refused": said, "expected": re.search(wanted, said) is not None}
        print(f"  {case.path} --to {to}: {_short(told['to'][to])}", flush=True)
    return told


def _without_checks(told: dict[str, Any]) -> dict[str, Any]:
    """A file's note without what every other file's says, too."""
    left_out = ("checks", "parties", "versions", "not_certified", "assumed")
    short = {to: {key: value for key, value in one.items() if key not in left_out} for to, one in told["to"].items()}
    return told | {"to": short}


def _asked(asked: Asked) -> str:
    """What is said beside the name, as the command line has it."""
    words = [] if asked.layers is None else [f"--layers {','.join(asked.layers)}"]
    words += [f"--config {asked.config.name}"] if asked.config else []
    words += [f"--input {name}" for name in asked.inputs]
    return " ".join([*words, *(f"--assume {key}={value}" for key, value in asked.assume.items())])


def _short(told: dict[str, Any]) -> str:
    return f"certified, {told['largest_gap']:.1e}" if "certified" in told else f"refused: {told['refused'][:100]}"


def run_here(framework: str, function: str, arguments: dict[str, Any], threads: int | None = None) -> dict[str, Any]:
    """What `framework_process.call` does, in this process: for many small files, starting a framework takes longest."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    module, _, name = function.partition(":")
    found: dict[str, Any] = getattr(importlib.import_module(module), name)(**arguments)
    return found


def main(names: list[str]) -> int:
    """Try the groups of these names, or those that are not noted yet."""
    if not MODELS.is_dir():
        raise SystemExit(f"there is no {MODELS}: the files are not part of the project")
    known, failed = groups(), 0
    for name, (title, cases) in known.items():
        if name in names or (not names and not (NOTES / f"{name}.json").is_file()):
            print(title, flush=True)
            targets.call = source.call = run_here if len(cases) > LONG else call
            files = [tried(case) for case in cases]
            if len(files) > LONG:  # the checks of a few files say enough
                files = [_without_checks(each) for each in files]
            NOTES.mkdir(exist_ok=True)
            text = json.dumps({"title": title, "files": files}, indent=1, ensure_ascii=False)
            (NOTES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            failed += sum(
                not one.get("certified", one.get("expected")) for each in files for one in each["to"].values()
            )
    put_real_files(list(known))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
