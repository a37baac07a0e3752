"""How good translations are: scores, their intervals, tests between systems, error rates, accuracy, unknown words."""

from diptych.evaluation.scores import TOKENIZERS, Scores, score

__all__ = ["TOKENIZERS", "Scores", "score"]
