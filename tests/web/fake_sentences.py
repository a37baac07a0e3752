"""What `diptych.web.bounded` offers, without a framework: it does what its sentence says."""

import os
import signal
import time

from diptych.errors import CheckpointError


class Sentences:
    """Answers each sentence with itself, or dies, or sleeps."""

    def __init__(self, mode="good"):
        if mode == "failed":
            raise CheckpointError("a damaged checkpoint")
        if mode == "fault":
            raise ZeroDivisionError("by zero")
        if mode == "silent":
            os._exit(3)
        if mode == "never ready":
            time.sleep(60)

    def facts(self):
        return {"versions": {"fake": "1"}, "precision": "float32", "trained_in": "pytorch"}

    def translate(self, sentence, row, search, seconds):
        what, _, number = sentence.partition(" ")
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "leave":
            os._exit(int(number))
        if what == "wait":
            time.sleep(float(number))
        if what == "overtime":
            return {}
        if what == "fail":
            return 1 / 0
        return {
            "text": sentence,
            "tokens": [*sentence.split(), "<eos>"],
            "score": -1.5,
            "log_probability": -1.5,
            "alternatives": [],
            "attention": None,
            "milliseconds": 1.0,
        }
