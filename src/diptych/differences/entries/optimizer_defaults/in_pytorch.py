"""The defaults of PyTorch's optimizers."""

import json

import torch


def defaults(name, *keys):
    options = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))]).defaults
    if "betas" in options:
        options["beta1"], options["beta2"] = options["betas"]
    options["initial"] = options.get("initial_accumulator_value")
    return {key: float(f"{options[key]:.6g}") for key in keys}


result = {
    "SGD": defaults("SGD", "lr", "momentum"),
    "Adam": defaults("Adam", "lr", "beta1", "beta2", "eps"),
    "AdamW": defaults("AdamW", "lr", "eps", "weight_decay"),
    "RMSprop": defaults("RMSprop", "lr", "alpha", "eps"),
    "Adagrad": defaults("Adagrad", "lr", "initial", "eps"),
}
versions = {"torch": torch.__version__}
print(json.dumps({"versions": versions, "result": result}))
