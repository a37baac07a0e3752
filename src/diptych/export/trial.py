"""What an export is asked to show that it computes the same: sentences of any tokens, read and said by force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.export.certificate import Check, check
from diptych.export.trained import Trained
from diptych.randomness import generator
from diptych.search import Hypothesis, Stepper, beam, greedy
from diptych.search.stepper import FIRST_CHOICE, Ids

Outputs = Mapping[str, npt.NDArray[np.floating]]
LENGTHS, STEPS = (11, 6, 3, 1), 8
SENTENCES, BEAM = 48, 5
LIMIT = 1e-4
"""In float32, relative to the largest number; a formula that is wrong is off by far more."""
LARGEST_INT8, USUAL_INT8 = 1.0, 0.1
"""In int8: of the largest gap, which one number of a model with a few large weights can have; and of the usual one,
which a formula that is wrong has, too."""


@dataclass(frozen=True)
class Trial:
    """B sentences to read, and T tokens for each that are said whatever the model thinks.

    Attributes:
        source: (B, S) int32, right-padded.
        lengths: (B,) int32.
        tokens: (B, T) int32.
    """

    source: Ids
    lengths: Ids
    tokens: Ids

    @classmethod
    def of(cls, trained: Trained) -> Trial:
        """Lengths 11, 6, 3 and 1; tokens of the whole vocabularies."""
        source = _sources(trained, LENGTHS, "export trial")
        random = generator(0, "export trial", "target")
        tokens = random.integers(EOS, trained.sizes[1], (len(LENGTHS), STEPS), np.int32)
        tokens[:, 0] = BOS
        return cls(source, np.array(LENGTHS, np.int32), tokens)

    def rows(self) -> list[Trial]:
        """Each sentence by itself, without padding."""
        return [
            Trial(self.source[[row], :length], self.lengths[[row]], self.tokens[[row]])
            for row, length in enumerate(self.lengths)
        ]


def outputs(stepper: Stepper, trial: Trial) -> Outputs:
    """The log-probabilities (B, T, V) and the attention (B, T, S) at each step."""
    state = stepper.start(trial.source, trial.lengths)
    tables, looks = [], []
    for step in range(trial.tokens.shape[1]):
        table, looked, state = stepper.step(state, np.ascontiguousarray(trial.tokens[:, step]))
        tables.append(table)
        looks.append(looked)
    return {"log_probabilities": np.stack(tables, axis=1), "attention": np.stack(looks, axis=1)}


def compare(who: str, found: Outputs, expected: Outputs, int8: bool = False) -> list[Check]:
    """What one who computed gave, beside the reference in float64: the largest gap; in int8 the usual one, too."""
    what = f"{who} and the reference in float64"
    largest = check(what, found, expected=expected, limit=LARGEST_INT8 if int8 else LIMIT)
    return [largest, usual_gap(what, found, expected)] if int8 else [largest]


def usual_gap(what: str, found: Outputs, expected: Outputs) -> Check:
    """The root mean square of the gaps of log-probabilities, relative to that of their distances from their mean.

    1 is what the mean alone would have, said of every word.
    """
    gaps, spreads = 0.0, 0.0
    for name, value in expected.items():
        if "log_probabilities" in name:
            gaps += float(np.square(found[name] - value).sum())
            spreads += float(np.square(value - value.mean(axis=-1, keepdims=True)).sum())
    gap = float(np.sqrt(gaps / spreads)) if spreads else float(gaps > 0.0)
    return Check(f"{what}, the usual gap of log-probabilities", gap, limit=USUAL_INT8, where="all steps")


def compare_searches(who: str, trained: Trained, stepper: Stepper, error: float) -> list[Check]:
    """Greedy search and a beam of 5, token for token: how many of the sentences differ but by a tie.

    Args:
        who: computes.
        trained: the model.
        stepper: what drives it there.
        error: the largest gap of its log-probabilities, in nats; two choices that are closer than both can be off are
            a tie.
    """
    random = generator(0, "export trial", "lengths")
    source = _sources(trained, tuple(random.integers(1, 13, SENTENCES).tolist()), "export searches")
    lengths = (source != 0).sum(axis=1).astype(np.int32)
    longest = np.minimum(trained.run.longest_translations(lengths), 40)
    checks = []
    for name, width in (("greedy search", 1), (f"a beam of {BEAM}", BEAM)):
        ours, theirs = (
            _search(each, source, lengths=lengths, longest=longest, width=width)
            for each in (stepper, trained.reference())
        )
        differ = [row for row in range(SENTENCES) if ours[row].tokens != theirs[row].tokens]
        ties = [
            row
            for row in differ
            if is_tie(
                trained,
                source[row, : lengths[row]].tolist(),
                ours=ours[row].tokens,
                theirs=theirs[row].tokens,
                error=error,
            )
        ]
        tied = f", {len(ties)} at a tie" if ties else ""
        what = f"{name} of {who} and of the reference: sentences of {SENTENCES} that differ{tied}"
        where = "" if len(differ) == len(ties) else f"sentence {next(row for row in differ if row not in ties)}"
        checks.append(Check(what, float(len(differ) - len(ties)), limit=0.0, where=where))
    return checks


def _search(stepper: Stepper, source: Ids, lengths: Ids, longest: Ids, width: int) -> list[Hypothesis]:
    if width == 1:
        return greedy(stepper, source, source_lengths=lengths, maximum_lengths=longest)
    return [best[0] for best in beam(stepper, source, source_lengths=lengths, maximum_lengths=longest, size=width)]


def is_tie(trained: Trained, source: Sequence[int], ours: Sequence[int], theirs: Sequence[int], error: float) -> bool:
    """Whether the reference finds two translations of a source equally good, up to what either may be off.

    Args:
        trained: the model.
        source: its ids.
        ours: the ids of one translation.
        theirs: those of the other.
        error: how far off a log-probability may be, in nats.
    """
    stepper, sums = trained.reference(), []
    for tokens in (ours, theirs):
        fed = np.array([[BOS, *tokens[:-1]]], np.int32)
        trial = Trial(np.array([source], np.int32), np.array([len(source)], np.int32), fed)
        sums.append(outputs(stepper, trial)["log_probabilities"][0][np.arange(len(tokens)), list(tokens)])
    first = next((t for t, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), None)
    if first is not None and abs(sums[0][first] - sums[1][first]) <= 2 * error:
        return True
    return bool(abs(sums[0].sum() - sums[1].sum()) <= 2 * max(len(ours), len(theirs)) * error)


def _sources(trained: Trained, lengths: tuple[int, ...], purpose: str) -> Ids:
    """Sentences of any tokens but the special ones, right-padded."""
    random = generator(0, purpose, "source")
    ids = random.integers(FIRST_CHOICE + 1, trained.sizes[0], (len(lengths), max(lengths)), np.int32)
    ids[np.arange(max(lengths)) >= np.array(lengths)[:, None]] = 0
    return ids
