"""The members of an ensemble: models of several runs, checkpoints and frameworks, each as a stepper."""

from diptych.members.ensemble import load_ensemble
from diptych.members.loading import Loaded, load_model
from diptych.members.member import Member, check_same_languages
from diptych.members.process import MemberProcess

__all__ = ["Loaded", "Member", "MemberProcess", "check_same_languages", "load_ensemble", "load_model"]
