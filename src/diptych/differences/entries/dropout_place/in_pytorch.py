"""How much one PyTorch RNN layer with dropout=0.5 drops: as it is (result), with dropout before it (bridged)."""

import json
import warnings

import torch

torch.manual_seed(1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    layer = torch.nn.RNN(50, 50, nonlinearity="relu", bias=False, dropout=0.5, batch_first=True)
with torch.no_grad():
    layer.weight_ih_l0.copy_(torch.eye(50))


def dropped(inputs):
    return (layer(inputs)[0] == 0).double().mean().item()


inputs = torch.ones(200, 1, 50)
versions = {"torch": torch.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": dropped(inputs),
            "bridged": dropped(torch.nn.functional.dropout(inputs, 0.5)),
            "details": {"warning": str(caught[0].message)},
        }
    )
)
