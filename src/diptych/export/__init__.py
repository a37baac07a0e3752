"""A run for other runtimes: written, opened again there, certified, and put in place."""
