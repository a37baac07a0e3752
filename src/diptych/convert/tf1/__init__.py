"""TensorFlow 1: frozen graphs read operator by operator, and run in NumPy to judge what was read."""
