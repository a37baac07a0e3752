"""Several processes that do one thing: which of them this is, what they tell each other, who starts and ends them."""
