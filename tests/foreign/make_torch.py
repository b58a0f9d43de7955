#!/usr/bin/env python3
"""Makes torch*.onnx, torch.npz and torch*.csv here: small networks exported by PyTorch itself, rows, and its predictions.

The files in this folder are of PyTorch 1.13 (Debian: python3-torch python3-onnx). Tests read them without PyTorch.
"""

import sys
import warnings

import numpy as np
import torch
from torch import nn

ROWS = 12


def draw(net):
    """Numbers for what is 0 or 1 before training."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.2, 2)
        if isinstance(module, (nn.BatchNorm1d, nn.LayerNorm)) and module.elementwise_affine_:
            module.weight.data.normal_()
            module.bias.data.normal_()
        if isinstance(module, nn.PReLU):
            module.weight.data.uniform_(-0.5, 0.9)
    return net.eval()


nn.BatchNorm1d.elementwise_affine_ = property(lambda self: self.affine)
nn.LayerNorm.elementwise_affine_ = property(lambda self: self.elementwise_affine)


class Named(nn.Module):
    """As people write one: named layers, functions between."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.bn1 = nn.BatchNorm1d(6)
        self.fc2 = nn.Linear(6, 5)
        self.out = nn.Linear(5, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.fc2(torch.tanh(self.bn1(self.fc1(x))))))


def chain(*activations):
    """Linear layers with each of these after one."""
    width, layers = 4, []
    for k, activation in enumerate(activations):
        layers += [nn.Linear(width, 4 + k % 3), activation]
        width = 4 + k % 3
    return nn.Sequential(*layers, nn.Linear(width, 2))


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(5)
    x = torch.randn(ROWS, 4)
    np.savetxt("torch_rows.csv", x.numpy(), "%.9g", ",", header="a,b,c,d", comments="")
    networks = {
        # operator set: LayerNormalization is one operator since 17, and in parts before
        "slopes": (9, chain(nn.PReLU(4), nn.LeakyReLU(0.2), nn.PReLU(), nn.ReLU())),
        "scaled": (13, chain(nn.Hardsigmoid(), nn.LogSigmoid(), nn.CELU(0.7), nn.Softplus(2), nn.Hardtanh(-2, 1))),
        "usual": (17, chain(nn.SiLU(), nn.GELU(), nn.ELU(), nn.SELU(), nn.Mish(), nn.Hardswish(), nn.ReLU6())),
        "norms": (17, nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 6), nn.LayerNorm(6, elementwise_affine=False), nn.Tanh(),
                                    nn.Dropout(0.2), nn.Linear(6, 6, bias=False), nn.ReLU(), nn.BatchNorm1d(6),
                                    nn.Linear(6, 5), nn.LayerNorm(5, eps=1e-3), nn.Sigmoid(), nn.Linear(5, 3), nn.Softmax(1))),
        "parts": (9, nn.Sequential(nn.Flatten(), nn.LayerNorm(4), nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3),
                                   nn.LogSoftmax(1))),
        "named": (14, Named()),
    }
    for name, (version, net) in networks.items():
        draw(net)
        with torch.no_grad():
            y = net(x)
        last = list(net.children())[-1]
        np.savetxt(f"torch_{name}.csv", (y.exp() if isinstance(last, nn.LogSoftmax) else y).numpy(), "%.9g", ",")
        try:
            torch.onnx.export(net, x, f"torch_{name}.onnx", opset_version=version, input_names=["x"], output_names=["y"],
                              dynamic_axes={"x": {0: "rows"}, "y": {0: "rows"}})
        except torch.onnx.errors.CheckerError:  # written all the same: a LayerNormalization without a gain
            print(f"{name}: not valid, says the checker")
    np.savez("torch_named.npz", **{key: value.numpy() for key, value in networks["named"][1].state_dict().items()})
    print("PyTorch", torch.__version__)


if __name__ == "__main__":
    sys.exit(main())
