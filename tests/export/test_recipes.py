"""The models of the recipes at their full size, with random weights: in ONNX Runtime, in int8 and in JavaScript."""

from dataclasses import replace
from pathlib import Path

import pytest

from diptych.config import read_config
from diptych.errors import RefusalError
from diptych.export.certificate import demand
from diptych.export.html import exporting
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained
from diptych.javascript import node

from .conftest import random_parameters

RECIPES = sorted(Path(__file__).parents[2].glob("configs/*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_s_model_is_certified_everywhere(path, run, tmp_path):
    pytest.importorskip("onnxruntime")
    config = read_config(path).model
    other = replace(run, config=run.config.model_copy(update={"model": config}))
    sizes = len(run.source_vocabulary), len(run.target_vocabulary)
    if config.copies:
        with pytest.raises(RefusalError, match="a model that copies"):
            Trained(other, "pytorch", "best", {}, {"step": 3})
        return
    model = Trained(other, "pytorch", "best", random_parameters(config, sizes, scale=0.1), {"step": 3})
    for name, target in {"float32": OnnxTarget(whole="greedy"), "int8": OnnxTarget(int8=True)}.items():
        (tmp_path / name).mkdir()
        target.write(model, tmp_path / name)
        demand(target.certify(model, tmp_path / name))
    for kind in ("float32", "int8") if node.is_installed() else ():
        demand(exporting.certify(model, kind))
