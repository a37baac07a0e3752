"""Many trainings of one recipe: which they are, how they are done and taken up again, and what comes of them."""
