#!/usr/bin/env python3
"""Makes skl_*.onnx and skl_*.csv here: pipelines of scikit-learn with its MLP, as skl2onnx's converters of StandardScaler,
MLPClassifier and MLPRegressor write them (skl2onnx/operator_converters/{scaler_op,multilayer_perceptron,zip_map}.py), and
what they predict for torch_rows.csv. skl2onnx itself is not in Debian; this needs python3-sklearn and python3-onnx.
"""

import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

OPERATORS = {"identity": "Identity", "tanh": "Tanh", "logistic": "Sigmoid", "relu": "Relu", "softmax": "Softmax"}


class Graph:
    """Nodes one after the other."""

    def __init__(self, double=False):
        self.nodes, self.arrays, self.value = [], [], "X"
        self.type = TensorProto.DOUBLE if double else TensorProto.FLOAT
        self.dtype = np.float64 if double else np.float32

    def add(self, op, *inputs, output=None, domain="", **attributes):
        self.value = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [self.value], domain=domain, **attributes))
        return self.value

    def array(self, name, values):
        self.arrays.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def scaler(self, scaler):
        """Scaler; in double two operators, as newer versions write it."""
        if self.type == TensorProto.FLOAT:
            self.add("Scaler", "X", domain="ai.onnx.ml", offset=scaler.mean_, scale=1 / scaler.scale_)
        else:
            self.add("Sub", "X", self.array("mean", scaler.mean_))
            self.add("Div", self.value, self.array("scale", scaler.scale_))

    def forward(self, mlp):
        self.add("Cast", self.value, to=self.type)
        for i, (w, b) in enumerate(zip(mlp.coefs_, mlp.intercepts_)):
            self.add("MatMul", self.value, self.array(f"coefficient{i}", w.astype(self.dtype)))
            self.add("Add", self.value, self.array(f"intercepts{i}", b.reshape(1, -1).astype(self.dtype)))
            last = i + 1 == len(mlp.coefs_)
            self.add(OPERATORS[mlp.out_activation_ if last else mlp.activation], self.value)

    def classes(self, mlp, zipmap):
        """Outputs output_label and output_probability."""
        probabilities, positive, texts = "probabilities" if zipmap else "output_probability", self.value, mlp.classes_.dtype.kind == "U"
        if len(mlp.classes_) == 2:
            negative = self.add("Sub", self.array("unity", self.dtype(1)), positive)
            self.add("Concat", negative, positive, output=probabilities, axis=1)
        else:
            self.add("Identity", positive, output=probabilities)
        names = [c.encode() for c in mlp.classes_] if texts else mlp.classes_
        kind = TensorProto.STRING if texts else TensorProto.INT32
        self.arrays.append(helper.make_tensor("classes", kind, [len(names)], names))
        self.add("ArgMax", probabilities, axis=1)
        self.add("ArrayFeatureExtractor", "classes", self.value, domain="ai.onnx.ml")
        self.add("Reshape", self.value, self.array("shape", np.array([-1])), output="output_label" if texts else None)
        if not texts:
            self.add("Cast", self.value, output="output_label", to=TensorProto.INT64)
        if zipmap:
            labels = {"classlabels_strings" if texts else "classlabels_int64s": list(names)}
            self.add("ZipMap", probabilities, output="output_probability", domain="ai.onnx.ml", **labels)

    def write(self, path, outputs):
        graph = helper.make_graph(self.nodes, "pipeline", [helper.make_tensor_value_info("X", self.type, [None, 4])], outputs, self.arrays)
        opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)]
        onnx.save(helper.make_model(graph, producer_name="skl2onnx", opset_imports=opsets), path)


def outputs_of(graph, mlp, zipmap):
    label = TensorProto.STRING if mlp.classes_.dtype.kind == "U" else TensorProto.INT64
    probability = helper.make_tensor_value_info("output_probability", graph.type, [None, len(mlp.classes_)])
    if zipmap:
        probability = onnx.ValueInfoProto(name="output_probability")
        entry = probability.type.sequence_type.elem_type.map_type
        entry.key_type = label
        entry.value_type.tensor_type.elem_type = TensorProto.FLOAT
    return [helper.make_tensor_value_info("output_label", label, [None]), probability]


def main():
    warnings.filterwarnings("ignore")
    x = np.loadtxt("torch_rows.csv", delimiter=",", skiprows=1)
    draw = np.random.RandomState(2)
    table = draw.normal(size=(200, 4)) * [1, 2, 0.5, 1] + [0.3, 0, 0, -1]
    scaler = StandardScaler().fit(table)
    scaled, score = scaler.transform(table), table[:, 0] - table[:, 1] * table[:, 3]

    def save(name, graph, outputs, predicted):
        graph.write(f"skl_{name}.onnx", outputs)
        np.savetxt(f"skl_{name}.csv", predicted, "%.9g", ",")

    three = MLPClassifier((6, 5), "tanh", max_iter=60, random_state=1).fit(scaled, np.array(["low", "größer", "top"])[np.digitize(score, [-1, 1])])
    for name, zipmap in (("maps", True), ("three", False)):
        graph = Graph()
        graph.scaler(scaler)
        graph.forward(three)
        graph.classes(three, zipmap)
        save(name, graph, outputs_of(graph, three, zipmap), three.predict_proba(scaler.transform(x)))

    two = MLPClassifier(6, "relu", max_iter=60, random_state=1).fit(scaled, np.where(score > 0, 7, -3))
    graph = Graph(double=True)
    graph.scaler(scaler)
    graph.forward(two)
    graph.classes(two, True)
    save("two", graph, outputs_of(graph, two, True), two.predict_proba(scaler.transform(x))[:, 1:])

    value = MLPRegressor((5,), "logistic", max_iter=60, random_state=1).fit(table, score)
    graph = Graph()
    graph.forward(value)
    graph.add("Reshape", graph.value, graph.array("shape", np.array([-1, 1])), output="variable")
    save("value", graph, [helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 1])], value.predict(x))

    # What is refused: several labels a row, and rows divided by their own length.
    many = MLPClassifier(4, "relu", max_iter=9, random_state=1).fit(table, np.stack([score > 0, score > 1], 1).astype(int))
    graph = Graph()
    graph.forward(many)
    graph.add("Binarizer", graph.value, domain="ai.onnx.ml", threshold=0.5)
    graph.add("Cast", graph.value, output="output_label", to=TensorProto.INT64)
    graph.write("skl_refused_many.onnx", [helper.make_tensor_value_info("output_label", TensorProto.INT64, [None, 2])])
    graph = Graph()
    graph.add("Normalizer", "X", domain="ai.onnx.ml", norm="L2")
    graph.forward(value)
    graph.write("skl_refused_rows.onnx", [helper.make_tensor_value_info(graph.value, TensorProto.FLOAT, [None, 1])])


if __name__ == "__main__":
    sys.exit(main())
