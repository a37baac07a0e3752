"""`compare`: train a run in both frameworks, one process each, and put side by side what came of it."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from diptych.comparison.elsewhere import WEIGHTS_OF, decode_elsewhere
from diptych.comparison.examples import choose_examples, fixed_examples
from diptych.comparison.page import write_page
from diptych.comparison.pictures import draw_pictures
from diptych.comparison.report import REPORT, build_report, shown_from, translation_entries, write_report
from diptych.comparison.signature import signature
from diptych.comparison.table import agreement_lines, columns, headline
from diptych.errors import BackendError, RunError
from diptych.exported.folder import ONNX_RUNTIME
from diptych.ladder.ladder import climb, whole_run
from diptych.ladder.whole_runs import compare_runs
from diptych.panel import BACKENDS, NAMES, is_installed
from diptych.processes.call import call
from diptych.processes.environment import environment
from diptych.runs.creation import ConfigLike, as_config
from diptych.runs.progress import make_reporter
from diptych.runs.run import Run
from diptych.training.evidence import REMAINDERS
from diptych.training.launch import Crew, train_together
from diptych.training.shards import check_workers
from diptych.training.tensorboard import check_installed

EXAMPLES = 3
# Optimizer steps of the parity ladder at the end; `diptych parity RUN` takes more.
PARITY_STEPS = 10


@dataclass(frozen=True)
class Comparison:
    """A run trained in both frameworks.

    Attributes:
        folder: the run's.
        report: what report.json holds.
        files: the names of the files in the folder that show it.
        example: a sentence to try.
    """

    folder: Path
    report: dict[str, Any]
    files: tuple[str, ...]
    example: str

    def _repr_html_(self) -> str:
        """How a notebook shows it: the headline, what says how far they agree, and one sentence in both."""
        from diptych.plots.notebook import paragraph, picture, table

        example = self.report["examples"][0]
        head = ["", *(f"{NAMES[name]} {values['version']}" for name, values in columns(self.report).items())]
        rows = [(name, *cells) for name, cells in headline(self.report)]
        said = [example["outputs"].get(name, "") for name in columns(self.report)]
        rows.append((example["source"], *said))
        maps = {backend: (example["tokens"][backend], weights) for backend, weights in example["attention"].items()}
        lines = Markup("").join(map(paragraph, agreement_lines(self.report)))
        return str(table(rows, head) + lines + picture(example["source_tokens"], maps))


def compare(
    what: ConfigLike | Run,
    folder: str | Path | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    device: str = "auto",
    tokenize: str = "13a",
    quiet: bool = False,
    tensorboard: bool = False,
    quick: bool = False,
    workers: int = 1,
) -> Comparison:
    """Train a run in TensorFlow and in PyTorch, translate its test part in both, climb a short parity ladder.

    A report and pictures are written into the run's folder.

    Each backend has a process of its own, one after the other, with the same number of threads. Both have the same
    initial weights, batches and dropout masks.

    Args:
        what: a run that is not trained yet, or its folder; or a config, as `Run.create` takes it.
        folder: of a config's run; None for runs/NAME.
        overwrite: remove a run that is there.
        threads: how many each backend uses; None for all the processors there are.
        device: "auto", "cpu" or "cuda".
        tokenize: how BLEU cuts a text, see `diptych.evaluation`.
        quiet: whether to show no progress.
        tensorboard: also write losses and attention maps for TensorBoard, into the run's folder.
        quick: measure speeds only once, and of the parity ladder's rungs only the last, the whole run.
        workers: so many processes of each backend train together, and share the threads.

    Raises:
        BackendError: a framework is not installed, or its process failed.
        UsageError: TensorBoard's package is not installed, and was asked for; or there are more workers than shards.
        RunError: the folder holds a run that is trained already, or is of another config, or is no run.
        ConfigError: the config cannot be read, or a value does not fit.
        DataError: the corpus cannot be read.
    """
    _check_installed()
    if tensorboard:
        check_installed()
    if isinstance(what, Run) or (isinstance(what, (str, Path)) and Path(what).is_dir()):
        run = Run.of(what)
    else:
        config = as_config(what)
        check_workers(config.training, workers)
        run = Run.create(config, folder or Path("runs") / config.name, overwrite)
    if run.trained_backends():
        raise RunError(
            f"{run.folder} is trained already with {' and '.join(run.trained_backends())}: "
            f"give another --run folder, or --overwrite to remove it and begin anew"
        )
    circumstances = environment()
    threads = threads or int(circumstances["usable_processors"])
    check_workers(run.config.training, workers)
    corpus = run.corpus()
    fixed = fixed_examples(run.config, corpus)
    results = {
        backend: call(
            backend,
            "diptych.comparison.participant:train_and_translate",
            arguments={
                "folder": str(run.folder),
                "backend": backend,
                "sentences": [source for source, _ in corpus.test],
                "examples": [source for source, _ in fixed],
                "threads": threads,
                "device": device,
                "quiet": quiet,
                "tensorboard": tensorboard,
                "quick": quick,
                "trained": _trained(
                    run, backend, workers=workers, threads=threads, device=device, quiet=quiet, tensorboard=tensorboard
                ),
                "started": time.time(),
            },
            threads=threads,
            device=device,
        )
        for backend in BACKENDS
    }
    said = [each["tokens"] for each in results[WEIGHTS_OF]["translations"]]
    elsewhere = decode_elsewhere(
        run, [source for source, _ in corpus.test], said=said, threads=threads, device=device, quick=quick
    )
    report = build_report(
        run, corpus, trained=results, tokenize=tokenize, elsewhere={ONNX_RUNTIME: elsewhere} if elsewhere else {}
    )
    exactness = compare_runs(run.record(BACKENDS[0]), run.record(BACKENDS[1]), run.config.training)
    shutil.rmtree(run.folder / BACKENDS[0] / REMAINDERS, ignore_errors=True)
    levels = whole_run(run) if quick else climb(run, steps=PARITY_STEPS, threads=max(1, threads // len(BACKENDS)))
    report |= {
        "signature": signature(run, circumstances, threads=threads, device=device, tokenize=tokenize),
        "environment": circumstances | {"threads": threads, "device": device},
        "exactness": exactness.to_json(),
        "parity": {"steps": PARITY_STEPS, "levels": [level.to_json() for level in levels]},
    }
    shown = translation_entries(fixed, {backend: values["examples"] for backend, values in results.items()})
    report["examples"] = shown + choose_examples(report["translations"], EXAMPLES - len(shown))
    return show(write_report(report, run.folder), run.folder)


def _trained(
    run: Run, backend: str, workers: int, threads: int, device: str, quiet: bool, tensorboard: bool
) -> dict[str, Any] | None:
    """The report of several workers that share the training; None where there is one, which trains and translates."""
    if workers == 1:
        return None
    crew = Crew(backend, size=workers, threads=max(1, threads // workers), device=device)
    options = {"quiet": quiet, "tensorboard": tensorboard, "measure_gaps": True}
    return asdict(train_together(run, crew, make_reporter(quiet), **options))


def show(report: dict[str, Any], folder: Path) -> Comparison:
    """Write the page and the pictures of what report.json holds.

    Raises:
        RunError: the report is of another version of Diptych, or damaged.
    """
    with shown_from(folder):
        page = write_page(report, folder)
        files = (page, REPORT, *draw_pictures(report, folder))
        return Comparison(folder, report, files, example=str(report["examples"][0]["source"]))


def _check_installed() -> None:
    missing = [backend for backend in BACKENDS if not is_installed(backend)]
    if missing:
        what = "all" if len(missing) > 1 else missing[0]
        raise BackendError(
            f"a comparison needs both frameworks, and {' and '.join(missing)} is not installed here: "
            f"pip install 'diptych[{what}]'"
        )
