"""The parts of training: its schedule, its state, a session of it and the report on it."""
