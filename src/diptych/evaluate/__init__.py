"""How good translations are: scores, their intervals, tests between systems, error rates, accuracy, unknown words."""

from diptych.evaluate.scores import TOKENIZERS, Scores, score

__all__ = ["TOKENIZERS", "Scores", "score"]
