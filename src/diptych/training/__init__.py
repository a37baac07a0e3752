"""The training loop, and what it is made of: schedule, learner, validation, checkpoints, journal, report."""
