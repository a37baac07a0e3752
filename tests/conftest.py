"""What holds for every test process, before any framework is imported."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Read by the frameworks when they are imported. One thread each: tests run in several processes, their tensors are
# tiny, and one process may hold both frameworks.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")

# No deadline: on a busy machine, and at a framework's first call, one example may take seconds. The examples are the
# same in every run; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile(
    "tests", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
