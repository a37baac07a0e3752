"""A run's model as a SavedModel and as LiteRT files: the TensorFlow panel's own graphs under plain names."""
