"""A worker without a framework: it speaks the protocol of `diptych.web.worker` and does what its sentence says."""

import json
import os
import signal
import sys
import time


def say(message):
    print(json.dumps(message), flush=True)


def translation(text):
    return {
        "text": text,
        "tokens": [*text.split(), "<eos>"],
        "score": -1.5,
        "log_probability": -1.5,
        "alternatives": [],
        "attention": None,
        "milliseconds": 1.0,
    }


def main(mode):
    if mode == "failed":
        say({"failed": {"kind": "CheckpointError", "message": "a damaged checkpoint"}})
        return 1
    if mode == "fault":
        say({"failed": {"kind": "ZeroDivisionError", "message": "ZeroDivisionError: by zero"}})
        return 1
    if mode == "silent":
        return 3
    if mode == "never ready":
        time.sleep(60)
    say({"ready": {"versions": {"fake": "1"}, "precision": "float32", "trained_in": "pytorch"}})
    for line in sys.stdin:
        job = json.loads(line)
        what, _, number = job["sentence"].partition(" ")
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "leave":
            os._exit(int(number))
        if what == "wait":
            time.sleep(float(number))
        if what == "overtime":
            say({"error": {"kind": "TimeLimitError", "message": ""}})
        else:
            say({"translation": translation(job["sentence"])})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
