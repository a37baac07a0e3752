"""One run's folder: its config, its encoded corpus, and what training leaves in it."""
