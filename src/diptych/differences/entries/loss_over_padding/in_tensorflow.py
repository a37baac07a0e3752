"""The masked loss of a padded batch: as the tutorial averages it (result), and over real tokens only (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
logits, targets = draw.normal(size=(4, 8, 5)), draw.integers(1, 5, (4, 8))
targets[np.arange(8) >= np.array([[8], [5], [3], [2]])] = 0

mask = tf.cast(targets != 0, tf.float64)
losses = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none", dtype="float64")(
    targets, logits
)
losses *= mask

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": float(tf.reduce_mean(losses)),
            "bridged": float(tf.reduce_sum(losses) / tf.reduce_sum(mask)),
        }
    )
)
