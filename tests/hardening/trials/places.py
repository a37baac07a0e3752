"""Clocks that are set, folders that are moved, names that are odd: right, or refused in one line."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unicodedata import normalize
from unittest import mock

from diptych.cli.application import _explain
from diptych.errors import DiptychError, RunError
from diptych.processes import environment
from diptych.runs.run import Run
from diptych.storage import lock
from trials.row import PLACE, Counts, Row
from trials.small_run import digests, leftovers, made_up_panel, make_config, make_run, train_quietly

YEARS = 365.25 * 24 * 3600
NAMES = {
    "spaces": " a  run with spaces ", "Hangul": "한국어 실행", "Hangul, decomposed": normalize("NFD", "한국어"),
    "250 characters": "a" * 250, "250 bytes of Hangul": "한" * 83, "too long": "a" * 256, "quotes": "it's \"a\" run",
    "a pattern": "[a-z]*?{b}", "a leading dash": "--run", "a leading dot": ".run", "a line feed": "a\nb",
    "an escape": "a\x1b[2Jb", "no UTF-8": "a\udcffb", "percent and braces": "%s{0}$HOME~", "a backslash": "a\\b",
    "a colon": "C:run", "an emoji": "\U0001f642",
}  # fmt: skip
STEPS = (1, 4, 7)

At = Callable[[Path], None]


def _clock(jump: Callable[[int], float]) -> Any:
    """While this lasts each look at the clock is so many seconds off."""

    @contextmanager
    def set_clock() -> Iterator[None]:
        real, looks = time.time, count()

        class Clock(datetime):
            @classmethod
            def now(cls, zone: Any = None) -> datetime:
                return datetime.fromtimestamp(time.time(), zone)

        def shown() -> float:
            return real() + jump(next(looks))

        with (
            mock.patch.object(time, "time", shown),
            mock.patch.object(lock, "datetime", Clock),
            mock.patch.object(environment, "datetime", Clock),
        ):
            yield

    return set_clock()


def _age(years: float, folder: Path) -> None:
    """Make every file as old as a clock that was set says."""
    then = time.time() + years * YEARS
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then), follow_symlinks=False)


@cache
def expected() -> dict[str, str]:
    """What a run leaves that nothing befalls."""
    with TemporaryDirectory(dir=PLACE) as folder, made_up_panel():
        run = make_run(Path(folder) / "run", precision="float64")
        train_quietly(run)
        return digests(run)


def _trained(folder: Path, config: Any, step: int, between: At = lambda _: None) -> Run:
    """Make a run, train it up to a step, let something happen, go on."""
    run = Run.create(config, folder)
    train_quietly(run, stop_at=step)
    between(folder)
    train_quietly(Run.open(folder), resume=True)
    return Run.open(folder)


def _happens(panel: SimpleNamespace, at: int, what: Callable[[], object]) -> None:
    """Have something happen while a step is done."""

    def result(step: int, loss: float, norm: float) -> tuple[float, float]:
        if step == at:
            what()
        return loss, norm

    panel.result = result


def _named(name: str, folder: Path, panel: SimpleNamespace, step: int) -> Run:
    return _trained(folder / name, make_config(folder / "text.tsv", precision="float64"), step)


def _text_named(name: str, folder: Path, panel: SimpleNamespace, step: int) -> Run:
    return _trained(folder / "run", make_config(folder / name, precision="float64"), step)


def _linked(folder: Path, panel: SimpleNamespace, step: int) -> Run:
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    return _trained(folder / "link" / "run", make_config(folder / "text.tsv", precision="float64"), step)


def _becomes_link(folder: Path, panel: SimpleNamespace, step: int) -> Run:
    def move(run: Path) -> None:
        run.rename(folder / "elsewhere")
        run.symlink_to("elsewhere")

    return _trained(folder / "run", make_config(folder / "text.tsv", precision="float64"), step, move)


def _link_within(folder: Path, panel: SimpleNamespace, step: int) -> Run:
    def move(run: Path) -> None:
        (run / "pytorch" / "checkpoints").rename(folder / "checkpoints")
        (run / "pytorch" / "checkpoints").symlink_to(folder / "checkpoints")

    return _trained(folder / "run", make_config(folder / "text.tsv", precision="float64"), step, move)


def _set(jump: Callable[[int], float], folder: Path, panel: SimpleNamespace, step: int) -> Run:
    with _clock(jump):
        return _trained(folder / "run", make_config(folder / "text.tsv", precision="float64"), step)


def _aged(years: float, folder: Path, panel: SimpleNamespace, step: int) -> Run:
    config = make_config(folder / "text.tsv", precision="float64")
    return _trained(folder / "run", config, step, lambda _: _age(years, folder))


def _during(what: str, folder: Path, panel: SimpleNamespace, step: int) -> Run:
    """Something happens to the folder while a step is done: training ends, and what was saved is whole."""
    run = make_run(folder / "run", precision="float64")
    train_quietly(run, stop_at=1)

    def happen() -> None:
        run.folder.rename(folder / "elsewhere")
        if what == "replaced":
            shutil.copytree(folder / "elsewhere", run.folder)
        elif what == "linked":
            run.folder.symlink_to("elsewhere")
        elif what == "removed":
            shutil.rmtree(folder / "elsewhere")

    _happens(panel, max(step, 2), happen)
    raised = None
    try:
        train_quietly(run, resume=True)
    except RunError as error:
        raised = error
    panel.result = lambda step, loss, norm: (loss, norm)
    if what == "linked":
        assert raised is None, raised
    else:
        assert raised is not None and "moved or removed" in str(raised), f"{what}: {raised}"
    if what == "removed":
        assert not run.folder.exists(), f"{what}: {list(run.folder.rglob('*'))}"
        return make_again(folder)
    train_quietly(folder / "elsewhere", resume=True)
    return Run.open(folder / "elsewhere")


def make_again(folder: Path) -> Run:
    """A run in the place of one that was removed."""
    run = make_run(folder / "run", precision="float64")
    train_quietly(run)
    return run


CASES: dict[str, Callable[[Path, SimpleNamespace, int], Run]] = {
    **{f"a run's name: {what}": partial(_named, name) for what, name in NAMES.items()},
    **{f"a text's name: {what}": partial(_text_named, f"{name}.tsv") for what, name in NAMES.items()},
    "a folder behind a link": _linked,
    "a run that becomes a link": _becomes_link,
    "checkpoints that become a link": _link_within,
    "a clock 30 years back": partial(_set, lambda _: -30 * YEARS),
    "a clock 30 years ahead": partial(_set, lambda _: 30 * YEARS),
    "a clock set at each look": partial(_set, lambda look: (-1) ** look * 20 * YEARS),
    "files 20 years old": partial(_aged, -20),
    "files 20 years from now": partial(_aged, 20),
    **{f"{what} while it is trained": partial(_during, what) for what in ("moved", "linked", "replaced", "removed")},
}


def trial(number: int, folder: Path) -> Counts:
    """One case, at one step."""
    name, step = list(CASES)[number % len(CASES)], STEPS[number // len(CASES)]
    with made_up_panel() as panel:
        try:
            run = CASES[name](folder, panel, step)
        except (DiptychError, OSError) as error:
            said = _explain(error)
            assert "too long" in name or "UTF-8" in name or "250" in name or "line feed" in name, f"{name}: {said}"
            assert "\n" not in said and "fault in Diptych" not in said, f"{name}: {said}"
            return Counter({"refused in a line": 1})
        except Exception as error:
            raise AssertionError(f"{name}, step {step}: {type(error).__name__}: {error}") from error
        wrong = [key for key, value in digests(run).items() if value != expected()[key]]
    assert not wrong, f"{name}, step {step}: {', '.join(wrong)} differ"
    assert not (left := leftovers(folder)), f"{name}, step {step}: left {left}"
    kind = "names" if ":" in name else "clocks" if "clock" in name or "years" in name else "folders"
    return Counter({"right": 1, f"right, {kind}": 1})


ROW = Row(
    "a clock set back or forward, a folder moved, replaced or removed while it is trained, symbolic links, names with "
    "spaces, Hangul, 250 characters and worse",
    "the same bits, or refused in one line",
    len(CASES) * len(STEPS),
    trial,
)
