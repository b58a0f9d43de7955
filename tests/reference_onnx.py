"""Evaluates graphs of ONNX with NumPy, operator by operator as the standard defines them (onnx.ai/onnx/operators), in
the graph's own types. Reads files by Debian's onnx package, whose checker looks at each file first.

Usage: reference_onnx.py TOLERANCE ROWS CASE...     CASE.onnx for each, CASE.csv from `mlpdist predict`

ROWS: lines of numbers, nan where one is missing. Differences are relative to the largest value of a column.
"""

import csv
import math
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def gemm(a, b, c=0, transB=0, alpha=1, beta=1):
    return np.float32(alpha) * (a @ (b.T if transB else b)) + np.float32(beta) * c


def numpy_type(code):
    """onnx before 1.13 has a table, later ones a function."""
    if hasattr(helper, "tensor_dtype_to_np_dtype"):
        return helper.tensor_dtype_to_np_dtype(code)
    return onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[code]


def cast(x, to):
    return x.astype(numpy_type(to))


OPERATORS = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "MatMul": lambda a, b: a @ b,
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b,
    "Equal": lambda a, b: a == b,
    "GreaterOrEqual": lambda a, b: a >= b,
    "Where": np.where,
    "IsNaN": np.isnan,
    "Cast": cast,
    "Gather": lambda x, indices, axis: np.take(x, indices, axis=axis),
    "Gemm": gemm,
    "Relu": lambda x: np.maximum(x, 0),
    "LeakyRelu": lambda x, alpha: np.where(x < 0, alpha * x, x),
    "Elu": lambda x, alpha: np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x),
    "Selu": lambda x, alpha, gamma: gamma * np.where(x <= 0, alpha * np.expm1(np.minimum(x, 0)), x),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "HardSigmoid": lambda x, alpha, beta: np.clip(alpha * x + beta, 0, 1),
    "Tanh": np.tanh,
    "Softplus": lambda x: np.logaddexp(x, 0),
    "Exp": np.exp,
    "Abs": np.abs,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Cos": np.cos,
    "Erf": np.vectorize(math.erf, otypes="f"),
    "Clip": np.clip,
    "Max": np.maximum,
    "Min": np.minimum,
    "Sqrt": np.sqrt,
    "Reshape": lambda x, shape: x.reshape(shape),
    "Concat": lambda *parts, axis: np.concatenate(parts, axis=axis),
    "Tile": np.tile,
    "ReduceMean": lambda x, axes, keepdims: x.mean(axis=tuple(axes), keepdims=bool(keepdims)),
    "Softmax": softmax,
}


def evaluate(model, x):
    """The output of the model's graph for rows x."""
    graph = model.graph
    values = {a.name: numpy_helper.to_array(a) for a in graph.initializer}
    values[graph.input[0].name] = cast(x, graph.input[0].type.tensor_type.elem_type)
    for node in graph.node:
        made = OPERATORS[node.op_type](*[values[name] for name in node.input], **attributes(node))
        values[node.output[0]] = made
    y = values[graph.output[0].name]
    assert y.dtype == numpy_type(graph.output[0].type.tensor_type.elem_type), y.dtype
    return y.astype(float)


def read_predictions(path, outputs):
    """The last columns of the table that predict wrote."""
    return np.array([[float(v) for v in row[-outputs:]] for row in list(csv.reader(open(path)))[1:]])


def difference(said, want):
    assert said.shape == want.shape, (said.shape, want.shape)
    return float((abs(said - want) / abs(want).max(axis=0)).max())


def main():
    tolerance, rows = float(sys.argv[1]), np.loadtxt(sys.argv[2], ndmin=2)
    for case in sys.argv[3:]:
        model = onnx.load(case + ".onnx")
        onnx.checker.check_model(model, full_check=True)
        with np.errstate(over="ignore"):
            said = evaluate(model, rows)
        off = difference(said, read_predictions(case + ".csv", said.shape[1]))
        print(case, off)
        assert off <= tolerance, (case, off)


if __name__ == "__main__":
    main()
