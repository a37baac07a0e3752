"""NaN and infinities in loss, gradient and weights at step k: found at k, named, and never kept."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np

from diptych.errors import CheckpointError, DiptychError, RunError
from diptych.runs.run import Run
from trials.row import Counts, Row
from trials.small_run import made_up_panel, make_run, train_quietly

VALUES = (math.nan, math.inf, -math.inf)
PLACES = ("loss", "gradient", "weights")
STEPS = 9


def trial(number: int, folder: Path) -> Counts:
    """Make a number of a step something else, and see who finds it."""
    place, value = PLACES[number % 3], VALUES[number // 3 % 3]
    step, policy = 1 + number // 9 % STEPS, ("stop", "skip")[number // 81 % 2]
    run = make_run(folder / "run", precision="float64", non_finite=policy, validate_every=2)
    models = []

    def result(at: int, loss: float, norm: float) -> tuple[float, float]:
        if at != step or place == "weights":
            return loss, norm
        return (value, norm) if place == "loss" else (loss, value)

    with made_up_panel() as panel:
        panel.result = result
        if place == "weights":
            build = panel.Model

            def model(*given: object, **options: object) -> object:
                models.append(build(*given, **options))
                return models[-1]

            def spoilt(at: int, loss: float, norm: float) -> tuple[float, float]:
                if at == step:
                    next(iter(models[-1].weights.values())).flat[0] = value
                return loss, norm

            panel.Model, panel.result = model, spoilt
        raised: DiptychError | None = None
        try:
            train_quietly(run)
        except (RunError, CheckpointError) as error:
            raised = error
    told = f"{place} {value} at step {step}, {policy}: {raised}"
    if place != "weights" and policy == "skip":
        assert raised is None, told
        skipped = [line for line in run.read_metrics("pytorch") if line.get("skipped")]
        assert [line["step"] for line in skipped] == [step] and skipped[0]["rows"], told
    else:
        assert raised is not None, told
        if place != "weights":
            assert f"stopped at step {step}:" in str(raised) and "training pairs" in str(raised), told
    record = Run.open(run.folder).record("pytorch")
    for which in ("best", "latest") if record.steps() else ():
        checkpoint = record.read_checkpoint(which)
        arrays = [*checkpoint.parameters.values(), *checkpoint.optimizer.values()]
        assert all(np.isfinite(each).all() for each in arrays), told
    return Counter({"trainings": 1, place: 1, policy: 1})


ROW = Row(
    "NaN and infinities at step k in loss, gradient or weights (on a made-up panel; both panels: "
    "tests/training/test_bad_steps.py, tests/panels/test_skipped_steps.py)",
    "found at k and told with the batch's rows, or skipped where the config says so; never in best or latest",
    162,
    trial,
)
