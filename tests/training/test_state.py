"""Where a training stands: through JSON and back, which validation is better, and what a plateau leaves of the rate."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import TrainingConfig
from diptych.errors import CheckpointError
from diptych.training.schedule import Place
from diptych.training.state import TrainingState

BLEU = TrainingConfig(stop_metric="bleu")
LOSS = TrainingConfig()
# As versions before this one wrote it.
EARLIER = {
    "step": 12, "epoch": 1, "position": 2, "validated": True, "best_validation_loss": 0.75, "best_step": 10,
    "bad_validations": 1, "lineage": [["pytorch", 0]], "data": "abc", "choices": {"pytorch": {"kernel": "one"}},
}  # fmt: skip
NUMBERS = st.floats(0.0, 100.0)


@given(NUMBERS, NUMBERS, st.integers(0, 7), st.floats(0.0, 1.0))
def test_through_json_and_back_it_is_the_same(loss, score, count, plateau):
    state = TrainingState(
        Place(7, 1, 3), False, loss, 5, "chrf", score, loss, count, plateau, count, count, (("pytorch", 0),), "x", {}
    )
    assert TrainingState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_what_an_earlier_version_wrote_goes_on():
    state = TrainingState.from_json(EARLIER)
    assert (state.best_validation_loss, state.stop_metric, state.best_score, state.updates) == (0.75, "loss", None, 12)
    assert state.after_validation(0.8, {}, LOSS).bad_validations == 2
    assert state.after_validation(0.7, {}, LOSS).best_step == 12


@pytest.mark.parametrize("change", [{"later": 1}, {"step": None}])
def test_what_is_not_of_this_version_is_refused(change):
    with pytest.raises(CheckpointError, match="state.json is not of this version"):
        TrainingState.from_json(EARLIER | change)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8), st.sampled_from([LOSS, BLEU]))
def test_the_best_is_the_first_of_the_lowest_losses_or_of_the_highest_scores(validations, config):
    state = TrainingState()
    for step, (loss, bleu) in enumerate(validations, 1):
        state = TrainingState.from_json(state.to_json() | {"step": step})
        state = state.after_validation(loss, {"bleu": bleu}, config)
    keys = [-bleu if config is BLEU else loss for loss, bleu in validations]
    best = keys.index(min(keys))
    assert state.best_step == best + 1 and state.best_validation_loss == validations[best][0]
    assert state.best_score == (validations[best][1] if config is BLEU else None)
    assert state.bad_validations == len(validations) - 1 - best


def test_by_another_metric_what_was_best_before_is_no_rival():
    state = TrainingState().after_validation(0.5, {"bleu": 90.0, "chrf": 1.0}, BLEU)
    state = state.after_validation(0.6, {"bleu": 1.0, "chrf": 2.0}, TrainingConfig(stop_metric="chrf"))
    assert (state.best_score, state.bad_validations) == (2.0, 0)


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_a_plateau_lowers_the_rate_after_every_so_many_bad_validations(patience):
    config = TrainingConfig(schedule="plateau", plateau_patience=patience, plateau_factor=0.25)
    state = TrainingState().after_validation(1.0, {}, config)
    for bad in range(1, 7):
        state = state.after_validation(1.0, {}, config)
        assert state.plateau == 0.25 ** (bad // patience)
    better = state.after_validation(0.5, {}, config)
    assert better.plateau == state.plateau and better.bad_validations == 0  # it stays as low as it is
    assert TrainingState().after_validation(1.0, {}, LOSS).after_validation(1.0, {}, LOSS).plateau == 1.0
