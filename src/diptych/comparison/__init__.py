"""One run trained in both frameworks, each in a process of its own: what came of it, side by side."""
