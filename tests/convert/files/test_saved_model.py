"""SavedModel folders as tf.keras 2 writes them, field by field: variables under their layers, in Keras's order."""

from __future__ import annotations

import json

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.convert.source import Asked, digest_of, read_source
from diptych.errors import RefusalError

DRAW = np.random.default_rng(3)
BOTH = {
    f"bidirectional/{way}_gru/gru_cell/{name}": DRAW.normal(size=shape).astype(np.float32)
    for way in ("forward", "backward")
    for name, shape in (("kernel", (3, 12)), ("recurrent_kernel", (4, 12)), ("bias", (2, 12)))
}
DENSE = {f"dense/{name}": DRAW.normal(size=shape).astype(np.float32) for name, shape in
         (("kernel", (8, 2)), ("bias", (2,)))}  # fmt: skip
ARRAYS = BOTH | DENSE
# Which object holds which, by number: the names of children as TensorFlow sorts them, so that no order is Keras's.
PLACES = {
    0: {"layer-0": 1, "layer-1": 2, "layer_with_weights-0": 1, "layer_with_weights-1": 2, "variables": 3},
    1: {"backward_layer": 5, "forward_layer": 4, "keras_api": 3}, 2: {"bias": 9, "kernel": 8}, 3: {}, 4: {"cell": 6},
    5: {"cell": 7}, 6: {"bias": 12, "kernel": 10, "recurrent_kernel": 11},
    7: {"bias": 15, "kernel": 13, "recurrent_kernel": 14},
}  # fmt: skip
VARIABLES = dict(zip((10, 11, 12, 13, 14, 15, 8, 9), ARRAYS))
GRU = {"name": "gru", "units": 4, "return_sequences": True, "reset_after": True, "recurrent_activation": "sigmoid"}
CONFIG = {"class_name": "Sequential", "config": {"name": "s", "layers": [
    {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 5, 3]}},
    {"class_name": "Bidirectional", "config": {
        "name": "bidirectional", "merge_mode": "concat", "layer": {"class_name": "GRU", "config": GRU}}},
    {"class_name": "Dense", "config": {"name": "dense", "units": 2}},
]}}  # fmt: skip
METADATA = {"keras_version": "2.9.0", "model_config": CONFIG,
            "training_config": {"optimizer_config": {"class_name": "SGD", "config": {"lr": 0.5}}}}  # fmt: skip

TUPLE = '{"class_name": "__tuple__", "items": [null, 5, 3]}'


@pytest.fixture
def saved(build_message, build_bundle, tmp_path):
    """Writes a SavedModel with these objects; of no metadata, one without Keras's configuration."""

    def call(metadata=METADATA, places=PLACES, name="saved"):
        folder, keys, objects = tmp_path / name, {}, []
        for number in range(16):
            held = [(1, build_message((1, child), (2, called))) for called, child in places.get(number, {}).items()]
            own = []
            if number in VARIABLES:
                keys[VARIABLES[number]] = f"variables/{number}/.ATTRIBUTES/VARIABLE_VALUE"
                own = [(2, build_message((1, "VARIABLE_VALUE"), (2, VARIABLES[number]), (3, keys[VARIABLES[number]])))]
            objects.append((1, build_message(*held, *own)))
        again = {f"_all_variables/{n}/.ATTRIBUTES/VARIABLE_VALUE": variable for n, variable in enumerate(ARRAYS)}
        objects += [(1, build_message((2, build_message((2, name), (3, key))))) for key, name in again.items()]
        arrays = {keys[name]: array for name, array in ARRAYS.items()}
        twins = {key: ARRAYS[name] for key, name in again.items()}
        texts = {"_CHECKPOINTABLE_OBJECT_GRAPH": build_message(*objects)}
        build_bundle(folder / "variables" / "variables", {**arrays, **twins, **texts})
        graph = build_message((1, build_message((5, "2.9.1"))), (2, b""))
        (folder / "saved_model.pb").write_bytes(build_message((1, 1), (2, graph)))
        if metadata is not None:
            told = {"root": metadata, "root.layer_with_weights-0": {"name": "bidirectional"},
                    "root.layer_with_weights-1": {"name": "dense"}}  # fmt: skip
            entries = [
                build_message((2, n), (3, place), (5, json.dumps(said).replace("[null, 5, 3]", TUPLE)))
                for n, (place, said) in enumerate(told.items())
            ]
            (folder / "keras_metadata.pb").write_bytes(build_message(*((1, each) for each in entries)))
        return folder

    return call


def test_variables_have_their_names(saved, check_tensors):
    model = read_model_file(saved(metadata=None))
    check_tensors(model, ARRAYS)
    assert (model.format, str(model.written_by)) == ("saved-model", "tensorflow 2.9.1")
    assert "not read" in model.notes[-1].text


def test_the_configuration_is_read(saved):
    model = read_model_file(saved())
    assert str(model.written_by) == "tf.keras 2.9.0"
    assert model.architecture == CONFIG
    assert [(layer.name, layer.tensors) for layer in model.layers if layer.tensors] == [
        ("bidirectional", tuple(BOTH)), ("dense", tuple(DENSE)),
    ]  # fmt: skip
    assert (model.training.optimizer, model.training.config) == ("SGD", {"lr": 0.5})


def test_it_is_converted_with_forward_before_backward_and_kernel_before_bias(saved):
    source = read_source(saved(), Asked())
    both, dense = [node for node in source.graph.nodes if node.weights]
    assert np.array_equal(both.weights["weight_hh"][:4], list(BOTH.values())[1][:, 4:8].T)  # z, r, h to r, z, n
    assert np.array_equal(both.weights["bias_hh_reverse"][8:], list(BOTH.values())[5][1, 8:])
    assert np.array_equal(dense.weights["weight"], DENSE["dense/kernel"].T)
    assert len(source.sha256) == 64 and "Keras 3 cannot" in source.missing[0]


def test_the_order_comes_from_the_objects(saved):
    """With forward and backward in each other's place there, they are so in the model."""
    swapped = PLACES | {1: {"backward_layer": 4, "forward_layer": 5}}
    one, other = (read_source(saved(places=places, name=name), Asked()).graph.weights()
                  for places, name in ((PLACES, "a"), (swapped, "b")))  # fmt: skip
    assert np.array_equal(one["bidirectional.weight_ih"], other["bidirectional.weight_ih_reverse"])
    assert not np.array_equal(one["bidirectional.weight_ih"], other["bidirectional.weight_ih"])


def test_without_a_configuration_it_is_refused(saved):
    with pytest.raises(RefusalError, match=r"layers as programs of TensorFlow only.*--layers A,B"):
        read_source(saved(metadata=None), Asked())


def test_a_folder_s_digest_is_of_its_names_and_contents(saved):
    folder = saved()
    before = digest_of(folder)
    assert digest_of(folder) == before
    (folder / "saved_model.pb").rename(folder / "other.pb")
    assert digest_of(folder) != before


def test_one_in_part_is_refused(saved):
    folder = saved()
    (folder / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(RefusalError, match="is missing"):
        read_model_file(folder)
    (folder / "variables" / "variables.index").unlink()
    with pytest.raises(RefusalError, match=r"has no variables/variables\.index"):
        read_model_file(folder)
