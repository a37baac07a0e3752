"""A run that is gone on with under an edited config: what can be obeyed is, and the rest is refused, key by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from diptych.config import RunConfig
from diptych.errors import RunError
from diptych.panel import BACKENDS
from diptych.runs.checksums import CONFIG, write_checksums
from diptych.runs.creation import differences
from diptych.runs.locks import nobody_trains
from diptych.runs.paths import portable
from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.storage.place import replace_file

EDITS = "edits.jsonl"
"""In a run's folder: what was changed when, by steps."""
ORDER = "the place in an epoch counts batches, whose order and size follow from it"
STATE = "the optimizer's state is of the other kind"
BEGUN = "the run has begun from those weights"
REFUSED = {
    "training.batch_by": ORDER,
    "training.batch_size": ORDER,
    "training.accumulate": ORDER,
    "training.seed": ORDER,
    "training.shards": "gradients would be added up in other parts",
    "training.optimizer": STATE,
    "training.precision": "weights and moments are kept in it",
    "training.grid_exponent": "the weights lie on that grid",
    "training.freeze": "what was frozen has no moments",
    "training.start_from": BEGUN,
    "training.start_vocabulary": BEGUN,
    "training.source_embeddings": BEGUN,
    "training.target_embeddings": BEGUN,
}
"""Keys that a training cannot go on without, and why."""
ONLY_ABOVE_ZERO = ("training.momentum", "training.ema_decay")
"""Keys with which the optimizer keeps something only where they are above 0."""
OBEYED_IN_MODEL = ("model.dropout", "model.variational_dropout")


def edit(run: Run, wanted: RunConfig, reporter: Reporter) -> Run:
    """The run with another config, from here on; what changed is said, and kept in RUN/edits.jsonl.

    Args:
        run: what is gone on with.
        wanted: the config to go on with; its paths are absolute.
        reporter: where to say what changed.

    Raises:
        RunError: a key differs that cannot be obeyed any more, and the message says why for each; nothing has changed
            then. Or somebody trains the run.
    """
    changed = differences(run.config, wanted)
    refused = [f"{key} = {old!r} to {new!r}: {reason}" for key, (old, new) in changed.items()
               if (reason := _reason(key, old, new))]  # fmt: skip
    if refused:
        obeyed = ", ".join(key for key, values in changed.items() if not _reason(key, *values)) or "none of them"
        raise RunError(
            f"{run.folder} cannot go on with the edited config: {'; '.join(refused)}. Could be obeyed: {obeyed}. Take "
            f'those back, or begin another run with training.start_from = "{run.folder}"'
        )
    if not changed:
        return run
    with nobody_trains(run.folder):
        steps = {name: steps for name in BACKENDS if (steps := run.record(name).steps()) is not None}
        data = portable(wanted.data, run.folder)
        replace_file(run.folder / CONFIG, wanted.model_copy(update={"data": data}).to_toml())
        write_checksums(run.folder)
        with (run.folder / EDITS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"steps": steps, "changed": changed}, ensure_ascii=False) + "\n")
    for line in _notes(changed, steps):
        reporter.note(line)
    return Run.open(run.folder)


def _notes(changed: Mapping[str, tuple[Any, Any]], steps: Mapping[str, int]) -> list[str]:
    done = ", ".join(f"{count:,} of {name}" for name, count in steps.items()) or "none"
    listed = "; ".join(f"{key} = {old!r} is {new!r} now" for key, (old, new) in changed.items())
    return [f"the config has changed, for what comes after the steps done ({done}): {listed}"]


def _reason(key: str, old: Any, new: Any) -> str:
    """Why a key cannot have another value any more; "" where it can."""
    if key in REFUSED:
        return REFUSED[key]
    if key.startswith("data."):
        return "vocabularies and pairs were made of it"
    if key.startswith("model.") and key not in OBEYED_IN_MODEL:
        return "the weights have the other shape"
    if key in ONLY_ABOVE_ZERO and (old == 0.0) != (new == 0.0):
        return STATE
    return ""
