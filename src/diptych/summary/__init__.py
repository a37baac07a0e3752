"""`diptych summary`: every weight of a model and every tensor of a step, as each framework has them."""
