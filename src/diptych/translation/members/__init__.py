"""The members of an ensemble: models of several runs, checkpoints and frameworks, each as a stepper."""

from diptych.translation.members.ensemble import load_ensemble, load_models
from diptych.translation.members.loading import Loaded, load_model, whose_weights
from diptych.translation.members.member import Member, check_same_languages
from diptych.translation.members.remote import MemberProcess
from diptych.translation.members.shared import SharedModel

__all__ = [
    "Loaded",
    "Member",
    "MemberProcess",
    "SharedModel",
    "check_same_languages",
    "load_ensemble",
    "load_model",
    "load_models",
    "whose_weights",
]
