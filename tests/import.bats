# mlpdist import: networks that others trained, as models. Trains tiny networks, and makes graphs as PyTorch and Keras
# export them.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# A Python that can make ONNX files; PYTHON names one.
onnx_python() {
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    ! "$python" -c 'import numpy, onnx' 2> /dev/null || { echo "$python"; return; }
  done
  skip "no Python with NumPy and onnx (Debian: python3-onnx)"
}

# table LAST: 60 rows of three numbers, and a target that the expression LAST of awk gives.
table() {
  awk "BEGIN { print \"a,b,größe,y\"; for (i = 0; i < 60; i++) { a = i % 11; b = i * 7 % 13 / 4; c = 1e5 + i % 5
    printf \"%g,%g,%g,%s\\n\", a, b, c, $1 } }" > table.csv
  "$MLPDIST" convert table.csv table.h5 --label y --valid-fraction 0 --test-fraction 0 --quiet || fail "convert"
}

# comes_back OPTION...: a trained model, exported and imported, predicts the same, under the same names.
comes_back() {
  "$MLPDIST" train "${quick[@]}" --data table.h5 --hidden 6,5 --epochs 2 --lr 0.01 --quiet --out run "$@" > /dev/null 2> told ||
    fail "train $*: $(cat told)"
  alone export run/model.h5 net.onnx
  alone import net.onnx model.h5
  succeeds
  "$MLPDIST" predict --model run/model.h5 --data table.h5 --part train --out want.csv > /dev/null || fail "predict"
  "$MLPDIST" predict --model model.h5 --data table.h5 --part train --out got.csv > /dev/null || fail "predict with what was imported"
  python3 - << 'END' || fail "other predictions: $*"
import csv
want, got = (list(csv.reader(open(name))) for name in ("want.csv", "got.csv"))
assert want[0] == got[0] and len(want) == len(got) == 61, (want[0], got[0])
numbers = [k for k, text in enumerate(want[1]) if text.replace(".", "").replace("-", "").replace("e", "").isdigit()]
for k in numbers:
    largest = max(abs(float(row[k])) for row in want[1:])
    off = max(abs(float(a[k]) - float(b[k])) for a, b in zip(want[1:], got[1:]))
    assert off <= 1e-6 * largest, (want[0][k], off, largest)
END
}

@test "import: a model that was exported comes back, whatever its activation" {
  already_sanitized
  local activation
  table '1000 + 3 * a - b'
  for activation in $("$MLPDIST" train --activation none 2>&1 | sed 's/.*the choices are //' | tr -d ',' | sed 's/ softmax//'); do
    comes_back --lr 0.0001 --activation "$activation"
  done
  comes_back --norm batch --batch 20 --loss mae
  "$MLPDIST" info model.h5 | grep -q 'mae' || fail "the loss is lost"
  comes_back --loss quantile --quantiles 0.1,0.5 --clamp-predictions
  comes_back --norm layer --input-scale 6 --lr 0.05 --activation gelu,tanh
  "$MLPDIST" info model.h5 | grep -q 'layer-norm' || fail "the norms are lost"
  comes_back --norm rms --activation tanh
  "$MLPDIST" info model.h5 | grep -q 'rms-norm' || fail "the norms are lost"
  comes_back --norm layer --clip-inputs 1.5 --lr 0.05 --clamp-predictions
  alone train --data table.h5 --init-from model.h5 --epochs 1 --valid-fraction 0 --quiet --out next
  succeeds
  "$MLPDIST" info next/model.h5 | grep -q 'layer-norm' || fail "init-from: no norms"
  table '(a > b ? "größer" : a > 1 ? "kleiner" : "nie")'
  comes_back
  table '(a > b ? "ja" : "nein")'
  comes_back --loss binary-cross-entropy
  # What an import made is a model like others: it is exported and evaluated.
  alone export model.h5 again.onnx
  succeeds
  alone eval --model model.h5 --data table.h5 --part train
  succeeds
}

# digest_of MODEL
digest_of() { "$MLPDIST" info "$1" | sed -n 's/^digest //p'; }

# comes_back_whole FORMAT OPTION...: a model of mixed.csv, exported and imported, predicts the same of the raw table. SAME:
# its weights are the same, too. AGAIN: train goes on from it.
comes_back_whole() {
  "$MLPDIST" train "${quick[@]}" --data mixed.csv --label "$label" --ignore id --hidden 6,5 --epochs 2 --quiet --out run "${@:2}" > /dev/null 2> told ||
    fail "train $*: $(cat told)"
  alone export run/model.h5 "net.$1"
  alone import "net.$1" model.h5
  succeeds
  [ "$SAME" = no ] || [ "$(digest_of run/model.h5)" = "$(digest_of model.h5)" ] || fail "other weights: $*"
  "$MLPDIST" predict --model run/model.h5 --data mixed.csv --out want.csv > /dev/null || fail "predict"
  "$MLPDIST" predict --model model.h5 --data mixed.csv --out got.csv > /dev/null || fail "predict with what was imported"
  if [ "$SAME" = yes ]; then cmp want.csv got.csv; else agrees; fi || fail "other predictions: $*"
  [ "$AGAIN" = yes ] || return 0
  "$MLPDIST" train --data mixed.csv --label "$label" --ignore id --init-from model.h5 --epochs 1 --quiet --out next > told 2>&1 ||
    fail "init-from: $(cat told)"
  ! grep -q 'starts anew\|takes the place' told || fail "$(cat told)"
}

# Numbers of got.csv are those of want.csv to 1e-6 of the largest of their column.
agrees() {
  awk -F, 'NR == FNR { for (j = 1; j <= NF; j++) { want[FNR, j] = $j; if ($j * $j > most[j]) most[j] = $j * $j } rows = FNR; next }
    { for (j = 1; j <= NF; j++) { off = $j - want[FNR, j]
      if (FNR > 1 && !(off * off <= 1e-12 * most[j])) { print FNR, $j, want[FNR, j]; bad = 1; exit } } }
    END { exit bad || !(rows == 161 && FNR == rows) }' want.csv got.csv
}

@test "import: whatever model was exported comes back whole, from ONNX and JSON, and train goes on from it" {
  local label=y SAME=yes AGAIN=yes python
  awk 'BEGIN { print "id,a,b,c,colour,city,y"; split("red,gr\"ün,blau,", colours, ",")
    for (i = 0; i < 160; i++) { a = i * 7 % 23 / 3; b = i == 7 ? 1e6 : i * 13 % 17; c = i % 9 == 4 ? "" : i * 5 % 19
      printf "%d,%g,%g,%s,%s,city %d,%g\n", i, a, b, c, i % 10 == 3 ? "" : colours[i % 3 + 1], i * 11 % 31, a * 2 - i % 3 } }' > mixed.csv
  comes_back_whole onnx
  "$MLPDIST" info model.h5 | grep -q 'city: category, embedded in 8 numbers: city 0' || fail "no embedding: $("$MLPDIST" info model.h5)"
  ! "$MLPDIST" info model.h5 | grep -q '^  data = \|^  out = ' || fail "names of files are in the export"
  # A file that the library of ONNX saved again is the same; other weights in it are taken, another graph is not.
  "$MLPDIST" import net.onnx before.h5
  python=$(onnx_python) || python=
  if [ -n "$python" ]; then
    "$python" - << 'END' || fail "onnx"
import numpy, onnx
from onnx import numpy_helper
net = onnx.load("net.onnx")
onnx.save(net, "saved.onnx")
onnx.save(onnx.load("net.onnx"), "beside.onnx", save_as_external_data=True, location="beside.data", size_threshold=0)
(bias,) = (a for a in net.graph.initializer if a.name == "layer_4_bias")
bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + numpy.float32(0.5), bias.name))
onnx.save(net, "changed.onnx")
net.graph.node[-1].op_type = "Sub"
onnx.save(net, "other.onnx")
END
    alone import saved.onnx saved.h5
    succeeds
    cmp saved.h5 before.h5 || fail "another model"
    alone import beside.onnx beside.h5 # its numbers lie in another file
    succeeds
    cmp beside.h5 before.h5 || fail "another model"
    alone import changed.onnx changed.h5
    succeeds
    [ "$(digest_of changed.h5)" != "$(digest_of before.h5)" ] || fail "the weights in the file do not count"
    alone import other.onnx other.h5
    fails_with 1 "other.onnx: mlpdist exported this file from a model with categories or missing values, normalisation by quantiles," \
      "and that does not fit the graph"
  fi
  alone import net.onnx refused.h5 --activation relu
  fails_with 2 "the file names its activations"
  comes_back_whole json --embed-numbers piecewise --parametric-activation 0.2 --members 2 --clamp-predictions --input-scale 2
  alone import net.json refused.h5 --task classification
  fails_with 2 "mlpdist exported this file, and says that its task is regression: leave out --task"
  SAME=no
  comes_back_whole onnx --norm batch --dropout 0.1 --input-scale 2 --normalize quantile
  AGAIN=no SAME=yes
  comes_back_whole onnx --embed-numbers periodic --ensemble 3 --norm layer --clip-inputs 2 --embed-above 99 --loss gaussian
  "$MLPDIST" info model.h5 | grep -q 'task: regression, loss gaussian' || fail "the loss is lost"
  label=colour
  comes_back_whole onnx --label-smoothing 0.1 --focal-gamma 1.3
  "$MLPDIST" info model.h5 | grep -q 'cross-entropy, label smoothing 0.1, focal gamma 1.3' || fail "the loss is lost"
  label=y
  comes_back_whole json --loss quantile --quantiles 0.1,0.3333333,0.9
  # What is no description, or not possible.
  told_of() { # SED-SCRIPT WORD...
    sed "$1" net.json > odd.json
    alone import odd.json odd.h5
    fails_with 1 "mlpdist: odd.json: " "${@:2}"
  }
  told_of 's/mlpdist model 1/model/' 'its "format" is not "mlpdist model 1": it is not a model that export wrote'
  told_of 's/"quantiles": \[/"quantiles": [0.95, /' "quantiles: missing in the description of the model, or not possible"
  told_of 's/"kind": "dense"/"kind": "conv"/' "its layer 2 is of kind 'conv', which this version does not know"
  told_of 's/"inputs": 16/"inputs": 15/' "inputs of a layer"
  told_of 's/"outputs": 6/"outputs": 1000000000/; s/"inputs": 6/"inputs": 1000000000/' "it describes larger layers than it holds"
  told_of 's/"marked": true/"marked": false/' "/input/shift makes 7 inputs, but the network expects 9"
  told_of 's/"bias": \[/"bias": [1, /' "bias: missing"
  told_of 20q "is no JSON"
}

# Graphs of others, evaluated in NumPy by the standard's formulas (reference_onnx.py), and imported.
@test "import: graphs as PyTorch and Keras export them, and what is refused" {
  local python name
  python=$(onnx_python)
  PYTHONPATH=$BATS_TEST_DIRNAME "$python" -B - << 'END' || fail "the graphs cannot be made"
import os, numpy as np, onnx, reference_onnx
from onnx import helper, numpy_helper, TensorProto

draw = np.random.default_rng(7)
x = draw.normal(size=(40, 4)).astype("f")
np.save("x.npy", x)

class Graph:
    """A chain of nodes; constants are arrays of the graph."""
    def __init__(self):
        self.nodes, self.arrays, self.value, self.made = [], [], "x", 0
    def constant(self, values, dtype="f"):
        self.arrays.append(numpy_helper.from_array(np.asarray(values, dtype), f"c{len(self.arrays)}"))
        return self.arrays[-1].name
    def op(self, op, *inputs, **attributes):
        self.made += 1
        self.nodes.append(helper.make_node(op, list(inputs), [f"v{self.made}"], **attributes))
        self.value = f"v{self.made}"
        return self
    def on(self, op, *others, **attributes):
        return self.op(op, self.value, *others, **attributes)
    def save(self, name, opset=13, shape=("n", 4), check=True):
        self.nodes[-1].output[0] = "y"
        graph = helper.make_graph(self.nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        onnx.save(model, name + ".onnx")
        if check:
            np.savetxt(name + ".want", reference_onnx.evaluate(model, x))

def matrix(*shape):
    return draw.normal(size=shape) * 0.7

reference_onnx.OPERATORS.update({
    "MatMul": lambda a, b: a @ b, "Flatten": lambda a, axis=1: a.reshape(len(a), -1), "Dropout": lambda a: a,
    "Transpose": lambda a, perm=None: a.transpose(perm), "Cast": reference_onnx.cast, "Identity": lambda a: a, "LogSoftmax": reference_onnx.softmax, # what predict says
    "Pow": lambda a, b: a ** b,
    "LayerNormalization": lambda a, g, b, axis, epsilon: (a - a.mean(axis, keepdims=True)) / np.sqrt(a.var(axis, keepdims=True) + np.float32(epsilon)) * g + b,
    "RMSNormalization": lambda a, g, axis, epsilon: a / np.sqrt((a**2).mean(axis, keepdims=True) + np.float32(epsilon)) * g,
    "Reciprocal": lambda a: 1 / a,
    "BatchNormalization": lambda a, g, b, m, v, epsilon=1e-5: (a - m) / np.sqrt(v + np.float32(epsilon)) * g + b})

reference_onnx.OPERATORS.update({
    "Constant": lambda value=None, value_float=None, value_floats=None, value_int=None, value_ints=None:
        numpy_helper.to_array(value) if value is not None else np.float32(value_float) if value_float is not None else
        np.float32(value_floats) if value_floats is not None else np.int64(value_int if value_int is not None else value_ints),
    "Squeeze": np.squeeze, "Shape": lambda a, start=0, end=None: np.array(a.shape[start:end]), "Concat": lambda *a, axis: np.concatenate(a, axis),
    "Unsqueeze": lambda a, axes: np.expand_dims(a, tuple(axes)), "Slice": lambda a, begin, end: a[begin[0]:end[0]]})

# torch.nn: Linear, GELU in parts, BatchNorm1d, Linear without a bias, ReLU, Linear: values.
g = Graph().on("Flatten", axis=1)
g.on("Gemm", g.constant(matrix(6, 4)), g.constant(matrix(6)), transB=1)
z = g.value
g.on("Div", g.constant(np.sqrt(2))).on("Erf").on("Add", g.constant(1)).op("Mul", z, g.value).on("Mul", g.constant(0.5))
g.on("BatchNormalization", g.constant(matrix(6)), g.constant(matrix(6)), g.constant(matrix(6)), g.constant(abs(matrix(6)) + 0.1), epsilon=1e-3)
g.on("MatMul", g.constant(matrix(6, 5))).on("Relu").on("Dropout")
g.on("Gemm", g.constant(matrix(5, 2)), g.constant(matrix(1, 2)), alpha=0.5, beta=2.0)
g.save("torch")

# Keras by tf2onnx: MatMul and Add, swish of their sum in parts, weights transposed or in a node of their own; logits.
g = Graph()
weight = g.constant(matrix(6, 4))
g.op("Transpose", weight, perm=[1, 0]).op("MatMul", "x", g.value).on("Add", g.constant(matrix(6)))
z = g.value
g.on("Sigmoid").op("Mul", z, g.value)
g.op("Constant", value=numpy_helper.from_array(matrix(6, 3).astype("f"))).op("MatMul", g.nodes[-2].output[0], g.value)
g.op("Add", g.constant(matrix(3)), g.value)
g.save("logits")
g.nodes[-1].output[0] = g.value = "v9"
g.made = 9
g.on("LogSoftmax", axis=-1).save("classes")
g.nodes[-1].output[0] = g.value = "v10"
g.made = 10
g.on("Mul", g.constant(2)).save("logarithms", check=False)
g.nodes.pop()
g.value = "v10"
g.on("Gemm", g.constant(matrix(3, 2))).save("inner", check=False)

# Forged: a wide value again and again, and more operators than can be followed.
g = Graph().on("Gemm", "wide")
g.arrays = [numpy_helper.from_array(np.zeros((4, 20000), "e"), "wide")]
for i in range(1000):
    g.on("Identity")
g.save("wide", check=False)
# The same in data files, one of them under two names: each file counts once.
model = onnx.load("wide.onnx")
model.graph.initializer.extend(numpy_helper.from_array(np.zeros(500 + i, "f"), f"more{i}") for i in range(2))
onnx.save(model, "files.onnx", save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
model = onnx.load("files.onnx", load_external_data=False)
os.link("more1", "same")
model.graph.initializer.append(model.graph.initializer[-1])
(location,) = (entry for entry in model.graph.initializer[-1].external_data if entry.key == "location")
location.value = "same"
with open("files.onnx", "wb") as file:
    file.write(model.SerializeToString())
with open("files.bytes", "w") as file:
    print(model.graph.ByteSize() + 4 * 20000 * 2 + (500 + 501) * 4, file=file)
g = Graph().on("Gemm", "few")
g.arrays = [numpy_helper.from_array(np.zeros((4, 1), "f"), "few")]
g.save("many", check=False)
node = helper.make_node("Identity", ["y"], ["y"]).SerializeToString()
nodes = (b"\n" + bytes([len(node)]) + node) * 20000
with open("many.onnx", "ab") as file:
    file.write(b":" + bytes([len(nodes) & 127 | 128, len(nodes) >> 7 & 127 | 128, len(nodes) >> 14]) + nodes)

# Normalisation, a negative unit of the output; a column that counts for nothing.
g = Graph()
g.on("Sub", g.constant([[1, -2, 3, 0.5]])).on("Div", g.constant([2, 3, 4, 5])).on("Mul", g.constant([1, 1, 0, 1]))
g.on("Gemm", g.constant(matrix(4, 3))).on("Tanh").on("Gemm", g.constant(matrix(3, 2)), g.constant(matrix(2)))
g.on("Mul", g.constant([-3, 2])).on("Add", g.constant([1, 7]))
g.save("scaled", shape=("n", "d"))
g.nodes[-2].input[1] = g.constant([3, 2])
g.save("units")

# A Transpose that leaves its matrix as it is; casts between floating-point types.
g = Graph()
g.op("Transpose", g.constant(matrix(4, 4)), perm=[0, 1]).op("MatMul", "x", g.value)
g.on("Cast", to=TensorProto.DOUBLE).on("Cast", to=TensorProto.FLOAT).save("kept")

# Layer norms: as one operator with another epsilon, and after an activation in the parts that PyTorch writes, with Pow.
def torch_norm(g, epsilon=1e-5):
    z = g.value
    g.on("ReduceMean", axes=[-1], keepdims=1).op("Sub", z, g.value)
    centred = g.value
    g.on("Pow", g.constant(2)).on("ReduceMean", axes=[-1], keepdims=1).on("Add", g.constant(epsilon)).on("Sqrt")
    return g.op("Div", centred, g.value)
g = Graph()
g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6)))
g.on("LayerNormalization", g.constant(matrix(6)), g.constant(matrix(6)), axis=-1, epsilon=1e-1).on("Relu")
g.on("Mul", g.constant(abs(matrix(6)))).on("Add", g.constant(matrix(6))) # the shift is the next layer's
g.on("MatMul", g.constant(matrix(6, 5))).on("Tanh")
torch_norm(g).on("Mul", g.constant(matrix(5))).on("Add", g.constant(matrix(5))).on("Gemm", g.constant(matrix(5, 2)))
g.save("norms")
g = Graph(); torch_norm(g.on("Gemm", g.constant(matrix(4, 5))).on("Relu"), 1e-2).on("Gemm", g.constant(matrix(5, 2))).save("scaled_norm")

# RMS norms: the operator with another epsilon; 1 / root by Div, as PyTorch writes it, and by Reciprocal, in both orders;
# and a quotient with a shift before a product.
def root(g, epsilon, square):
    z = g.value
    (g.on("Pow", g.constant(2)) if square else g.on("Mul", z)).on("ReduceMean", axes=[-1], keepdims=1)
    return z, g.on("Add", g.constant(epsilon)).on("Sqrt")
g = Graph()
g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).on("RMSNormalization", g.constant(matrix(6)), axis=-1, epsilon=1e-2)
g.on("Relu").on("MatMul", g.constant(matrix(6, 5)))
z, _ = root(g, 1e-5, True)
g.op("Div", g.constant(1), g.value).op("Mul", z, g.value).op("Mul", g.constant(matrix(5)), g.value).on("Tanh").on("MatMul", g.constant(matrix(5, 4)))
z, _ = root(g, 1.2e-7, True)
g.on("Reciprocal").on("Mul", z).on("Tanh").on("Gemm", g.constant(matrix(4, 5)), g.constant(matrix(5)))
z, _ = root(g, 1e-5, False)
g.op("Div", z, g.value).on("Mul", g.constant(matrix(5))).on("Add", g.constant(matrix(5))).on("Gemm", g.constant(matrix(5, 2))).save("rms")

# Hardtanh, bounds below and above alone, and values that are clamped.
g = Graph()
g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).on("Clip", g.constant(-1), g.constant(1))
g.on("MatMul", g.constant(matrix(6, 5))).on("Max", g.constant(matrix(5)))
g.on("Gemm", g.constant(matrix(5, 5)), g.constant(matrix(5))).op("Min", g.constant(0.25), g.value)
g.on("Gemm", g.constant(matrix(5, 2))).on("Mul", g.constant([3, 2])).on("Clip", g.constant(-0.5), g.constant(0.75))
g.save("bounds")

# Squareplus as frameworks write it, its square by Pow, and with the sum turned around.
g = Graph()
def squareplus(g, turned):
    z = g.value
    g.on("Pow", g.constant(2)).on("Add", g.constant(4)).on("Sqrt")
    return (g.on("Add", z) if turned else g.op("Add", z, g.value)).on("Div", g.constant(2))
squareplus(g.on("MatMul", g.constant(matrix(4, 6))).on("Add", g.constant(matrix(6))), False)
squareplus(g.on("Gemm", g.constant(matrix(6, 5)), g.constant(matrix(5))), True)
g.on("Gemm", g.constant(matrix(5, 5)), g.constant(matrix(5))).on("LeakyRelu", alpha=0.0102) # near 0.01, not it
g.on("Gemm", g.constant(matrix(5, 2)))
g.save("squareplus")

# Softsign: in the parts that PyTorch writes, of a multiple of z, and as one operator.
g = Graph()
z = g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).value
g.on("Abs").on("Add", g.constant(1)).op("Div", z, g.value)
z = g.on("MatMul", g.constant(matrix(6, 5))).on("Mul", g.constant(-2)).value
g.on("Abs").on("Add", g.constant(1)).op("Div", z, g.value)
g.on("Gemm", g.constant(matrix(5, 5)), g.constant(matrix(5))).on("Softsign").on("Gemm", g.constant(matrix(5, 2)))
g.save("softsigns")

# GELU with tanh as PyTorch writes it, as others do, with Pow and turned around, and as one operator (set 20).
g = Graph()
def gelu_tanh(g, z, cube):
    t = g.op("Mul", g.constant(0.044715), cube).op("Add", z, g.value).op("Mul", g.constant(np.sqrt(2 / np.pi)), g.value).on("Tanh")
    return t.op("Add", g.constant(1), g.value).op("Mul", z, g.value)
z = g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).value
gelu_tanh(g, z, g.op("Mul", z, z).op("Mul", z, g.value).value).op("Mul", g.constant(0.5), g.value)
z = g.on("MatMul", g.constant(matrix(6, 5))).on("Add", g.constant(matrix(5))).value
gelu_tanh(g, z, g.on("Pow", g.constant(3)).value).on("Mul", g.constant(0.5))
g.on("Gemm", g.constant(matrix(5, 2))).save("gelu_tanh")
def approximate(x, approximate="none"):
    assert approximate == b"tanh"
    return 0.5 * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)))
reference_onnx.OPERATORS["Gelu"] = approximate
g = Graph()
g.on("Gemm", g.constant(matrix(4, 6))).on("Gelu", approximate="tanh").on("Gemm", g.constant(matrix(6, 2))).save("gelu_operator")

# GELU as Megatron writes it, sqrt(2 / pi) z (1 + 0.044715 z^2), and with the factor last and a square; swish with a beta
# of its own, as CLIP's; hardswish in parts, whose relu6 is Relu and Clip in PyTorch.
g = Graph()
z = g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).value
a = g.on("Mul", g.constant(np.sqrt(2 / np.pi))).value
g.op("Mul", g.constant(0.044715), z).on("Mul", z).op("Add", g.constant(1), g.value).op("Mul", a, g.value).on("Tanh")
a = g.op("Add", g.constant(1), g.value).value
g.op("Mul", g.constant(0.5), z).op("Mul", g.value, a)
z = g.on("MatMul", g.constant(matrix(6, 5))).on("Add", g.constant(matrix(5))).value
g.on("Pow", g.constant(2)).on("Mul", g.constant(0.044715)).on("Add", g.constant(1)).op("Mul", z, g.value)
g.on("Mul", g.constant(np.sqrt(2 / np.pi))).on("Tanh").on("Add", g.constant(1)).op("Mul", z, g.value).on("Div", g.constant(2))
g.on("Gemm", g.constant(matrix(5, 2))).save("gelu_product")
g = Graph()
z = g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).value
g.on("Mul", g.constant(1.702)).on("Sigmoid").op("Mul", z, g.value)
z = g.on("Gemm", g.constant(matrix(6, 5)), g.constant(matrix(5))).value
g.on("Add", g.constant(3)).on("Relu").on("Clip", g.constant(0), g.constant(6)).op("Mul", z, g.value).on("Div", g.constant(6))
g.on("Gemm", g.constant(matrix(5, 5)), g.constant(matrix(5))).on("Relu").on("Clip", g.constant(0), g.constant(0.5))
g.on("Gemm", g.constant(matrix(5, 2))).save("scaled_swish")

# x.view(x.size(0), -1) of PyTorch with a batch of any size, the same by Slice, as Keras does; numbers that Constants list.
g = Graph()
z = g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).value
zero, axes, rest = g.op("Constant", value_int=0).value, g.op("Constant", value_ints=[0]).value, g.op("Constant", value_ints=[-1]).value
g.op("Shape", z).on("Gather", zero, axis=0).on("Unsqueeze", axes).on("Concat", rest, axis=0).op("Reshape", z, g.value)
a = g.value
z = g.op("Mul", a, g.op("Constant", value_floats=[1.0, 2, 3, -1, 0.5, 2]).value).on("Relu").value
z = g.op("Mul", z, g.op("Constant", value_float=1.5).value).value
g.op("Shape", z).on("Slice", axes, g.constant([1], "i8")).on("Concat", g.constant([6], "i8"), axis=0).op("Reshape", z, g.value)
z = g.on("Gemm", g.constant(matrix(6, 6))).value
g.op("Shape", z, start=0, end=1).on("Squeeze").on("Reshape", rest).on("Concat", rest, axis=0).op("Reshape", z, g.value)
g.on("Gemm", g.constant(matrix(6, 2))).save("viewed", opset=15)

# Weights as half floats, as bits in a list or raw; as bfloat16; a layer norm of operator set 18, whose axes are an input.
g = Graph()
half = matrix(4, 6).astype("f2")
g.arrays.append(helper.make_tensor("halves", TensorProto.FLOAT16, [4, 6], half.reshape(-1)))
z = g.on("MatMul", "halves").value
axes = g.constant([-1], "i8")
g.on("ReduceMean", axes, keepdims=1).op("Sub", z, g.value)
centred = g.value
g.on("Mul", centred).on("ReduceMean", axes, keepdims=1).on("Add", g.constant(1e-5)).on("Sqrt").op("Div", centred, g.value)
g.on("Relu").on("MatMul", g.constant(matrix(6, 3), "f2"))
g.arrays.append(helper.make_tensor("short", TensorProto.BFLOAT16, [3, 2], np.array([1, -2, 0.5, 3, 1, 0.25])))
g.on("MatMul", "short").save("halves", opset=18, check=False)
a = x @ half
a = np.maximum((a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5), 0)
np.savetxt("halves.want", a @ numpy_helper.to_array(g.arrays[-2]) @ np.array([[1, -2], [0.5, 3], [1, 0.25]]))

# A graph for a fixed number of rows, whose Reshape names it; values that are negated; CastLike.
reference_onnx.OPERATORS.update({"Reshape": lambda a, shape: a.reshape(len(a), -1), "Neg": np.negative, "CastLike": lambda a, like: a.astype(like.dtype)})
g = Graph().on("Reshape", "shape")
g.arrays = [numpy_helper.from_array(np.array([2, 4]), "shape"), numpy_helper.from_array(np.array([2, -1]), "rest")]
g.on("Sub", g.constant([1, -2, 3, 0.5])).on("Neg").on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))).on("Relu").on("Neg").on("Reshape", "rest").on("CastLike", "x")
z, half = g.value, g.op("CastLike", g.constant(0.5, "d"), "x").value
g.op("Mul", z, half)
g.on("Gemm", g.constant(matrix(6, 2)), g.constant(matrix(2))).on("Neg").save("single", shape=(2, 2, 2))
g.nodes[0].input[0] = "x"
g.save("several", shape=("n", 2, 2), check=False)

# PyTorch since 2.5 (dynamo): a softplus that is cut at 20, with beta and without; selu as an Elu, elu of a Selu; log(1 + exp z);
# large weights in a file beside the model.
reference_onnx.OPERATORS.update({"Greater": lambda a, b: a > b, "Log": np.log})
def softplus(g, beta, *, scaled=True, least=20):
    z = g.value
    s = g.on("Mul", g.constant(beta)).value if scaled else z
    g.op("Softplus", s)
    part = g.on("Div", g.constant(beta)).value if scaled else g.value
    return g.op("Greater", s, g.constant(least)).op("Where", g.value, z, part)
g = Graph()
softplus(g.on("Gemm", g.constant(matrix(4, 6)), g.constant(matrix(6))), 2)
softplus(g.on("MatMul", g.constant(9 * matrix(6, 5))).on("Add", g.constant(matrix(5))), 1, scaled=False)
g.on("Gemm", g.constant(matrix(5, 2))).save("cuts", opset=18)
g = Graph()
g.on("Gemm", g.constant(matrix(4, 5))).on("Selu", alpha=1.0, gamma=2.0).on("Gemm", g.constant(matrix(5, 5))).on("Exp").on("Add", g.constant(1))
g.on("Log").on("Gemm", g.constant(matrix(5, 2))).save("logs", opset=18)
g = Graph()
softplus(g.on("Gemm", g.constant(matrix(4, 5)), g.constant(matrix(5))), 1)
g.on("Gemm", g.constant(matrix(5, 5))).on("Elu", alpha=1.6732632423543772).on("Mul", g.constant(1.0507009873554805))
g.on("Gemm", g.constant(matrix(5, 2)))
g.save("dynamo", opset=18)
dynamo = onnx.load("dynamo.onnx")
for name, one_file in ("external", True), ("scattered", False):
    onnx.save(dynamo, name + ".onnx", save_as_external_data=True, all_tensors_to_one_file=one_file, location="external.onnx.data",
              size_threshold=40 if one_file else 0)
    dynamo = onnx.load("dynamo.onnx")
def moved(name, location, **entries):
    model = onnx.load("external.onnx", load_external_data=False)
    for array in model.graph.initializer:
        for entry in array.external_data:
            entry.value = {"location": location, **entries}.get(entry.key, entry.value)
    with open(name + ".onnx", "wb") as file:
        file.write(model.SerializeToString())
os.mkdir("below")
os.symlink("../external.onnx.data", "below/link"), os.symlink("below", "aside"), os.mkfifo("pipe")
os.link("external.onnx.data", "below/same"), open("short", "wb").write(b"7" * 99)
for name, location in (("inside", "below//same"), ("up", "below/../external.onnx.data"), ("absolute", os.path.abspath("external.onnx.data")),
                       ("link", "below/link"), ("aside_", "aside/same"), ("through", "short/same"), ("pipe_", "pipe"), ("folder", "below"), ("gone", "weights.bin"),
                       ("cut_", "short"), ("nameless", "")):
    moved(name, location)
moved("offset", "external.onnx.data", offset="-4")
moved("length", "external.onnx.data", length="96000000")
moved("behind", "external.onnx.data", offset="9" * 18)

# ---- Refused
g = Graph(); softplus(g.on("Gemm", g.constant(matrix(4, 2))), 1, least=5).on("Gemm", g.constant(matrix(2, 2))).save("early_cut", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 2))).value; a = g.on("Softplus").value
g.op("Greater", z, g.constant(20)).op("Where", g.value, a, z).save("swapped", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 2))).value; a = g.on("Softplus").value; w = g.op("Mul", z, g.constant(2)).value
g.op("Greater", z, g.constant(20)).op("Where", g.value, w, a).save("bent", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Elu", alpha=1.5).save("alpha", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Shrink").save("shrunk", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 2))).value
g.on("Abs").on("Add", g.constant(2)).op("Div", z, g.value).save("other_size", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Abs").save("size", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Abs").on("Gemm", g.constant(matrix(2, 2))).save("inner_size", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 2))).value; g.on("Tanh").op("Sub", z, g.value).save("shrink", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Relu", domain="pkg.onnxscript.torch_lib").save("function", check=False)
model = onnx.load("function.onnx")
model.functions.append(helper.make_function("pkg.onnxscript.torch_lib", "Relu", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 18)]))
onnx.save(model, "function.onnx")
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Relu", domain="mine").save("domain", check=False)
g = Graph(); z, _ = root(g.on("Gemm", g.constant(matrix(4, 2))), 1e-5, True)
g.op("Div", z, g.value).on("Add", g.constant([1, 2])).on("Relu").on("Gemm", g.constant(matrix(2, 2))).save("shifted", check=False)
g = Graph(); z, _ = root(g.on("Gemm", g.constant(matrix(4, 2))), 1e-5, True)
g.op("Div", g.constant(2), g.value).op("Mul", z, g.value).save("twofold", check=False)
g = Graph(); torch_norm(g.on("Gemm", g.constant(matrix(4, 2))).on("Sigmoid"), 1e-3).on("Gemm", g.constant(matrix(2, 2))).save("scarce", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))); a = g.value; g.on("Sqrt").op("Div", a, g.value).save("root", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Max", g.constant([0, np.nan])).on("Gemm", g.constant(matrix(2, 2))).save("some", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("LayerNormalization", g.constant([1, 1]), epsilon=0.0).save("flat", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Sigmoid").on("Mul", g.constant([1, -1])).save("falls", check=False)
g = Graph(); g.on("Conv", g.constant(matrix(2, 1, 3, 3))).on("Gemm", g.constant(matrix(4, 2))).save("conv", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Relu").on("Tanh").save("twice", check=False)
g = Graph(); g.on("Relu").on("Gemm", g.constant(matrix(4, 2))).save("early", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(5, 2))).save("width", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 4))); a = g.value; g.on("Relu").op("Add", a, g.value).save("skip", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 4))); a = g.value
g.on("Mul", a).on("Add", g.constant(3)).on("Sqrt").op("Add", a, g.value).save("plus3", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))); a = g.value
g.on("Mul", a).op("Mul", a, g.value).on("Tanh").save("cube", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))); a = g.value
g.on("Mul", g.constant([1, 2])).on("Add", g.constant(1)).on("Sigmoid").op("Mul", a, g.value).save("moved", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 4))); a = g.value; g.on("Relu"); z = g.value
g.op("Mul", a, z).on("Gemm", g.constant(matrix(4, 2))).save("gated", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 6))).value
g.op("Shape", z).on("Gather", g.constant(1, "i8"), axis=0).on("Unsqueeze", g.constant([0], "i8")).on("Concat", g.constant([-1], "i8"), axis=0)
g.op("Reshape", z, g.value).on("Gemm", g.constant(matrix(6, 2))).save("turned", check=False)
g = Graph(); z = g.on("Gemm", g.constant(matrix(4, 6))).value
g.op("Shape", z, start=1).on("Gather", g.constant([0], "i8"), axis=0).on("Concat", g.constant([-1], "i8"), axis=0)
g.op("Reshape", z, g.value).on("Gemm", g.constant(matrix(6, 2))).save("turned_too", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 6))).on("Gather", g.constant([0, 1], "i8"), axis=1).on("Gemm", g.constant(matrix(2, 2))).save("picked", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Gelu", approximate="other").save("other", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("LeakyRelu", alpha=0.2).save("slope", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2) * 9 + 99, "u1")).save("half", check=False)
g = Graph(); g.on("Relu").save("none", check=False)
g = Graph(); g.on("Gemm", g.constant(np.zeros((1 << 20, 0)))).save("empty", shape=("n", "d"), check=False)
g = Graph(); g.on("Mul", g.constant([np.nan, 1, 1, 1])).on("Gemm", g.constant(matrix(4, 2))).save("nan", check=False)
g = Graph(); g.on("Gemm", g.constant(matrix(4, 2))).on("Cast", to=TensorProto.INT64).save("whole", check=False)
g = Graph(); g.op("Transpose", g.constant(matrix(1, 1, 4))); a = g.value
g.op("Add", "x", a).on("Gemm", g.constant(matrix(4, 2))).save("deep", check=False)
END
  "$python" -c 'import h5py, numpy
with h5py.File("x.h5", "w") as file: file["test/x"] = numpy.load("x.npy")' || fail "h5py"
  # predicts_as NAME: NAME.h5 predicts what NAME.want says, in its last columns.
  predicts_as() {
    succeeds
    "$MLPDIST" predict --model "$1.h5" --data x.h5 --part test --out got.csv > /dev/null || fail "predict"
    awk '
      NR == FNR { for (j = 1; j <= NF; j++) want[NR, j] = $j; width = NF; rows = NR; next }
      FNR > 1 { n = split($0, value, ","); for (j = 1; j <= width; j++) { off = value[n - width + j] - want[FNR - 1, j]
        if (!(off * off <= 1e-11 * (1 + want[FNR - 1, j] ^ 2))) { print FNR, $0, want[FNR - 1, j]; bad = 1; exit } } }
      END { exit bad || !(rows == 40 && FNR == 41) }
    ' "$1.want" got.csv || fail "other predictions: $1"
  }
  for name in torch logits classes scaled units kept norms scaled_norm rms halves bounds squareplus softsigns gelu_tanh gelu_operator \
    gelu_product scaled_swish viewed single cuts logs dynamo; do
    alone import "$name.onnx" "$name.h5"
    predicts_as "$name"
  done
  "$MLPDIST" info scaled.h5 | grep -q identity || fail "info"
  alone import logits.onnx classes.h5 --task classification
  predicts_as classes
  for name in external scattered inside; do
    alone import "$name.onnx" "$name.h5"
    succeeds
    [ "$("$MLPDIST" info "$name.h5" | grep digest)" = "$("$MLPDIST" info dynamo.h5 | grep digest)" ] || fail "other weights: $name"
  done
  (mkdir elsewhere && cd elsewhere && "$MLPDIST" import ../external.onnx x.h5) || fail "the data file is beside the model"
  refused() { # NAME WORD...
    alone import "$1.onnx" refused.h5
    fails_with 1 "$1.onnx: " "${@:2}"
  }
  local whole='onnx.save(onnx.load("net.onnx"), "whole.onnx")'
  refused several "operator Reshape" "changes the width of rows"
  refused up "its weights are in \"below/../external.onnx.data\", which is not in the folder of the model: save all in one file" "$whole"
  refused absolute "external.onnx.data\", which is not in the folder of the model" "$whole"
  refused link "its weights are in below/link, which is a link: copy the file there" "$whole"
  refused aside_ "its weights are in aside/same, which is a link: copy the file there" "$whole"
  refused through "its weights are in the file short/same, which cannot be opened: Not a directory; put it beside the model"
  refused pipe_ "its weights are in pipe, which is no regular file" "$whole"
  refused folder "its weights are in below, which is no regular file" "$whole"
  refused gone "its weights are in the file weights.bin, which cannot be opened: No such file or directory; put it beside the model"
  refused cut_ "its weights are in short, which is too short: it has 99 bytes, and an array lies at"
  refused nameless "its weights are in \"\", which is not in the folder of the model"
  refused offset "the file is damaged: it does not say where in which file its weights are"
  refused length "the file is damaged: an array of 80 bytes has 96000000 in another file"
  refused behind "its weights are in external.onnx.data, which is too short"
  refused early_cut "operator Where, which makes v6, chooses between values in a way that is not a known activation"
  refused swapped "chooses between values in a way that is not a known activation"
  refused bent "chooses between values in a way that is not a known activation"
  refused alpha "has an alpha other than 1" "train the network again with an alpha of 1, or with Celu"
  refused other_size "divides by the size of values in a way that is not a softsign"
  refused size "it ends in a part of an incomplete activation"
  refused inner_size "operator Gemm" "follows |z|, an activation that mlpdist does not have: train the network again with another"
  refused shrunk "operator Shrink" "is an activation that mlpdist does not have: train the network again with another"
  refused shrink "operator Sub" "subtracts values in a way that is not a known activation"
  refused function "operator Relu, which makes y, is a function of the file" "onnx.inliner.inline_local_functions"
  refused domain "operator Relu, which makes y, is of the domain mine, which import does not know"
  refused conv "operator Conv, which makes v1, is not known here"
  refused twice "activation tanh follows no dense layer"
  refused early "activation relu follows no dense layer"
  refused width "its input has 4 values per row, but its first dense layer expects 5"
  refused skip "operator Add" "takes two values"
  refused plus3 "operator Add" "takes two values in a way that is not a known activation"
  refused cube "operator Tanh" "is of something that is no part of a gelu"
  refused moved "operator Mul" "multiplies values in a way that is not a known activation"
  refused gated "operator Mul" "multiplies values in a way that is not a known activation"
  refused turned "operator Reshape" "changes the width of rows"
  refused turned_too "operator Reshape" "changes the width of rows"
  refused picked "operator Gather" "changes the shape of rows"
  refused other "operator Gelu" "approximates gelu in a way that is not known; none and tanh are"
  refused slope "its last layer has a relu with a slope below 0, which hidden layers alone can have"
  refused half "an array is of ONNX type 2; import takes float, double, half, bfloat16, int32, int64 and bool"
  refused none "no dense layer"
  refused empty "no dense layer (Gemm, MatMul) with weights inside"
  refused nan "not a finite number"
  refused whole "operator Cast" "casts to another type"
  refused shifted "layer 2 adds a constant to an RMS norm before its activation, which none has here"
  refused twofold "operator Mul" "multiplies values in a way that is not a known activation or norm"
  refused scarce "a norm follows an activation with constants in between, or with an epsilon that is not 1e-5"
  refused root "operator Div" "divides values in a way that is not a known norm"
  refused some "bounds of values are empty, or of some values alone"
  refused flat "operator LayerNormalization" "has no epsilon above 0"
  refused falls "its outputs are scaled by -1 after an activation: a model holds only factors above 0"
  alone import bounds.onnx refused.h5 --task classification
  fails_with 1 "its outputs are clamped after the last layer"
  refused logarithms "operator Mul" "takes labels, the probabilities of two classes, or the logarithm of a softmax"
  refused inner "operator Gemm" "takes the logarithm of a softmax, which only ends a network"
  refused wide "operators would need" "MiB for weights of"
  refused files "operators would need" "MiB for weights of $(cat files.bytes) bytes"
  refused many "the graph has more than 20000 operators"
  refused deep "transposes a constant of more than two dimensions"
  alone import units.onnx refused.h5 --task classification
  fails_with 1 "its outputs are scaled after the last layer"
  alone import torch.pt refused.h5
  fails_with 2 "torch.pt is a file of PyTorch"
  alone import nothing.onnx refused.h5
  fails_with 1 "nothing.onnx: cannot be opened"
  alone import torch.onnx nowhere/model.h5
  fails_with 1 "nowhere"
  # Damaged files end in a message, wherever they are cut or changed.
  local bytes cut
  bytes=$(wc -c < torch.onnx)
  for cut in 0 1 7 40 $((bytes / 5)) $((bytes / 2)) $((bytes - 90)) $((bytes - 1)); do
    head -c "$cut" torch.onnx > cut.onnx
    refused cut
    { head -c "$cut" torch.onnx; printf '\377\377\377\377\377'; tail -c +$((cut + 6)) torch.onnx; } > cut.onnx
    alone import cut.onnx changed.h5
    [ "$status" -le 1 ] || fail "changed at $cut"
  done
  ! ls refused.h5 2> /dev/null || fail "something is left"
}

# predicts_as_wanted MODEL FILE: the predictions of the model for x.h5 are the numbers in the file.
predicts_as_wanted() {
  "$MLPDIST" predict --model "$1" --data x.h5 --out got.csv > /dev/null || fail "predict with $1"
  tail -n +2 got.csv > got.txt
  "$python" - "$2" << 'END' || fail "other predictions: $1"
import sys, numpy as np
want, got = np.loadtxt(sys.argv[1], ndmin=2), np.genfromtxt("got.txt", delimiter=",")
got = got.reshape(len(want), -1)[:, -want.shape[1]:]
assert np.abs(want - got).max() < 2e-6 * np.abs(want).max(), (want[:2], got[:2])
END
}

@test "import: a Keras 2 file and a PyTorch state dict predict what their formulas say, and train goes on from them" {
  for python in "${PYTHON:-python3}" /usr/bin/python3; do "$python" -c 'import numpy, h5py' 2> /dev/null && break; done
  "$python" -c 'import numpy, h5py' || skip "no Python with NumPy and h5py (Debian: python3-h5py)"
  "$python" - << 'END'
import json, h5py, numpy as np
draw = np.random.RandomState(3)
sizes = [5, 7, 6, 3]
w = [draw.normal(size=s).astype("f4") for s in zip(sizes, sizes[1:])]
b = [draw.normal(size=n).astype("f4") for n in sizes[1:]]
x = draw.normal(size=(40, 5))
def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)
def run(first, second, last):
    return last(second(first(x @ w[0] + b[0]) @ w[1] + b[1]) @ w[2] + b[2])
relu = lambda z: np.maximum(z, 0)
swish = lambda z: z / (1 + np.exp(-z))
np.savetxt("keras.txt", run(relu, swish, softmax))
np.savetxt("torch.txt", run(relu, np.tanh, lambda z: z))
with h5py.File("x.h5", "w") as f:
    f["test/x"] = x
with h5py.File("xy.h5", "w") as f:
    f["train/x"], f["train/y"] = x, run(relu, np.tanh, lambda z: z)
def keras(name, change=lambda layers: None, functional=False):
    layers = [{"class_name": "InputLayer", "config": {"name": "in"}},
              {"class_name": "Dense", "config": {"name": "first", "activation": "relu"}},
              {"class_name": "Dropout", "config": {"name": "drop"}},
              {"class_name": "Dense", "config": {"name": "second", "activation": "linear"}},
              {"class_name": "Activation", "config": {"name": "act", "activation": "swish"}},
              {"class_name": "Dense", "config": {"name": "third", "activation": "softmax"}}]
    if functional:
        for before, layer in zip(layers, layers[1:]):
            layer["inbound_nodes"] = [[[before["config"]["name"], 0, 0, {}]]]
    change(layers)
    with h5py.File(name, "w") as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Functional" if functional else "Sequential",
                                              "config": {"layers": layers}}).encode()
        for k, layer in enumerate(("first", "second", "third")):
            at = f"model_weights/{layer}/{'model/' if functional else ''}{layer}/"
            f[at + "kernel:0"], f[at + "bias:0"] = w[k], b[k]
keras("net.h5")
keras("net.hdf5", functional=True)
keras("norm.h5", lambda l: l[2].update(class_name="BatchNormalization"))
# Normalization, Dense, BatchNormalization, relu, LayerNormalization with an epsilon that relu passes on, Dense with tanh,
# BatchNormalization after it, Dense, Rescaling: values.
def vector(n, least=-9):
    return np.maximum(draw.normal(size=n), least).astype("f4")
def normed(name, last, change=lambda layers: None):
    layers = [("Normalization", "adapt", {}), ("Dense", "first", {"activation": "linear"}),
              ("BatchNormalization", "bn", {"epsilon": 0.01}), ("ReLU", "act", {"max_value": None}),
              ("LayerNormalization", "ln", {"epsilon": 0.001, "axis": [1]}), ("Dense", "second", {"activation": "tanh"}),
              ("BatchNormalization", "late", {"scale": False}), ("Dense", "third", {"activation": "linear"})] + last
    change(layers)
    with h5py.File(name, "w") as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [
            {"class_name": kind, "config": {"name": layer, **config}} for kind, layer, config in layers]}})
        for layer, values in held.items():
            for key, value in values.items():
                f[f"model_weights/{layer}/{layer}/{key}:0"] = value
held = {"adapt": {"mean": vector(5), "variance": vector(5, 0.1), "count": np.int64(3)}, "first": {"kernel": w[0], "bias": b[0]},
        "bn": {"gamma": vector(7), "beta": vector(7), "moving_mean": vector(7), "moving_variance": vector(7, 0.1)},
        "ln": {"gamma": vector(7), "beta": vector(7)}, "second": {"kernel": w[1], "bias": b[1]},
        "late": {"beta": vector(6), "moving_mean": vector(6), "moving_variance": vector(6, 0.1)}, "third": {"kernel": w[2], "bias": b[2]}}
def batch_of(z, p, epsilon):
    return (z - p["moving_mean"]) / np.sqrt(p["moving_variance"] + epsilon) * p.get("gamma", 1) + p["beta"]
a = (x - held["adapt"]["mean"]) / np.sqrt(held["adapt"]["variance"]) @ w[0] + b[0]
a = relu(batch_of(a, held["bn"], 0.01))
a = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 0.001) * held["ln"]["gamma"] + held["ln"]["beta"]
a = batch_of(np.tanh(a @ w[1] + b[1]), held["late"], 1e-3) @ w[2] + b[2]
np.savetxt("normed.txt", 3 * a - 1)
normed("normed.h5", [("Rescaling", "out", {"scale": 3, "offset": -1})])
np.savetxt("bounded.txt", 3 / (1 + np.exp(-a)) - 1)
normed("bounded.h5", [("Activation", "end", {"activation": "sigmoid"}), ("Rescaling", "out", {"scale": 3, "offset": -1})])
normed("falls.h5", [("Activation", "end", {"activation": "sigmoid"}), ("Rescaling", "out", {"scale": -3})])
normed("scarce.h5", [], lambda l: l.__setitem__(3, ("Activation", "act", {"activation": "tanh"})))
normed("again.h5", [], lambda l: l.__setitem__(7, ("Activation", "again", {"activation": "tanh"})))
keras("unfit.h5", lambda l: l[2].update(class_name="Rescaling", config={"name": "drop", "scale": [1, 2], "offset": 0}))
keras("branch.h5", lambda l: l[3].update(inbound_nodes=[[["in", 0, 0, {}]]]), functional=True)
keras("odd.h5", lambda l: l[1]["config"].update(activation="sparse_sigmoid"))
keras("object.h5", lambda l: l[1]["config"].update(activation={"class_name": "Custom", "config": 3}))
keras("damaged.h5")
with h5py.File("damaged.h5", "a") as f:
    del f["model_weights/second/second/bias:0"]
np.savez("one.npz", weight=w[0].T, bias=b[0])
state = {}
for k in range(3):
    state[f"net.{2 * k}.weight"], state[f"net.{2 * k}.bias"] = w[k].T, b[k]
np.savez("net.npz", **state)
np.savez("more.npz", **state, **{"norm.running_mean": b[0]})
np.savez("counted.npz", **state, **{"norm.num_batches_tracked": np.int64(3)})
np.savez("normed.npz", **state, **{"norm.weight": b[0][:2]})
np.savez("other.npz", **state, **{"mean": b[0]})
# BatchNorm1d before all layers and after an activation, LayerNorm before one: Sequential(BatchNorm1d, Linear, LayerNorm,
# Tanh, Linear, ReLU, BatchNorm1d, Dropout..., Linear); and by names alone, norms before activations.
def norm(name, n):
    return {name + ".weight": draw.normal(size=n).astype("f4"), name + ".bias": draw.normal(size=n).astype("f4"),
            name + ".running_mean": draw.normal(size=n).astype("f4"), name + ".running_var": (draw.random_sample(n) + 0.1).astype("f4"),
            name + ".num_batches_tracked": np.int64(3)}
def linear(name, k):
    return {name + ".weight": w[k].T, name + ".bias": b[k]}
def batch(z, p, name):
    return (z - p[name + ".running_mean"]) / np.sqrt(p[name + ".running_var"] + 1e-5) * p[name + ".weight"] + p[name + ".bias"]
def layer(z, p, name):
    z = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    return z * p[name + ".weight"] + p[name + ".bias"]
p = {**norm("0", 5), **linear("1", 0), "2.weight": norm("n", 7)["n.weight"], "2.bias": b[0], **linear("4", 1), **norm("6", 6), **linear("7", 2)}
np.savez("sequential.npz", **p)
a = np.tanh(layer(batch(x, p, "0") @ w[0] + b[0], p, "2"))
np.savetxt("sequential.txt", batch(relu(a @ w[1] + b[1]), p, "6") @ w[2] + b[2])
p = {**linear("fc1", 0), **norm("bn1", 7), **linear("fc2", 1), "ln.weight": b[1], "ln.bias": b[1], **linear("fc3", 2)}
np.savez("named.npz", **p)
a = np.tanh(batch(x @ w[0] + b[0], p, "bn1"))
np.savetxt("named.txt", relu(layer(a @ w[1] + b[1], p, "ln")) @ w[2] + b[2])
p = {**linear("fc1", 0), "RMSNorm_0.weight": b[0], **linear("fc2", 1), **linear("fc3", 2)}
np.savez("rms.npz", **p)
a = x @ w[0] + b[0]
np.savetxt("rms.txt", relu(np.tanh(a / np.sqrt((a**2).mean(1, keepdims=True) + 1e-5) * b[0]) @ w[1] + b[1]) @ w[2] + b[2])
np.savez("alone.npz", **linear("fc1", 0), **{"norm.weight": b[0]}, **linear("fc2", 1))
np.savez("end.npz", **{**linear("0", 0), **linear("2", 1), "3.weight": b[1], "3.bias": b[1]})
a = layer(np.tanh(x @ w[0] + b[0]) @ w[1] + b[1], {"3.weight": b[1], "3.bias": b[1]}, "3")
np.savetxt("end.txt", a)
np.savetxt("softmax.txt", softmax(a))
np.savez("unclear.npz", **linear("0", 0), **norm("2", 7), **linear("4", 1))
np.savez("wide.npz", **linear("0", 0), **norm("1", 6), **linear("3", 1))
np.savez("last.npz", **linear("0", 0), **norm("2", 7))
# As a newcomer saves it: prefixes of wrappers, other types of numbers, without biases, transposed, sorted, of scikit-learn.
np.savez("wrapped.npz", **{f"module._orig_mod.{key}": value.astype("f2" if "0" in key else "f8") for key, value in state.items()})
np.savetxt("wrapped.txt", np.tanh(relu(x @ w[0].astype("f2").astype("f8") + b[0].astype("f2").astype("f8")) @ w[1] + b[1]) @ w[2] + b[2])
np.savez("bare.npz", **{key: value for key, value in state.items() if key.endswith("weight")})
np.savetxt("bare.txt", np.tanh(relu(x @ w[0]) @ w[1]) @ w[2])
np.savez("turned.npz", **{key: value.T for key, value in state.items()})
np.savez("bare_turned.npz", **{f"{k}.weight": w[k] for k in range(3)})
np.savez("mixed.npz", **{key: state[key] for key in ("net.4.bias", "net.4.weight", "net.0.weight", "net.0.bias")})
np.savez("shuffled.npz", **{"c.weight": w[2].T, "a.weight": w[0].T})
np.savez("sklearn.npz", coefs_0=w[0], intercepts_0=b[0])
# Of Flax, whose weights are (inputs, outputs), sorted by name as JAX does; the same of scikit-learn, renamed.
flax = {f"params/Dense_{n}/{part}": values[k] for k, n in enumerate((2, 9, 10)) for part, values in (("kernel", w), ("bias", b))}
np.savez("flax.npz", **dict(sorted(flax.items())))
np.savez("renamed.npz", **{f"{k}.{part}": values[k] for part, values in (("kernel", w), ("bias", b)) for k in range(3)})
np.savez("both.npz", **{"0.kernel": w[0], "0.weight": w[0].T, "0.bias": b[0]})
np.savez("conv.npz", **{"params.Conv_0.kernel": np.ones((3, 4, 5)), "params.Conv_0.bias": b[0]})
np.savez("bias.npz", **{"params.Dense_0.kernel": w[0], "params.Dense_0.bias": b[1]})
END
  for file in net.h5 net.hdf5; do
    alone import "$file" keras-model.h5
    succeeds
    predicts_as_wanted keras-model.h5 keras.txt
  done
  alone import net.npz torch.h5 --activation relu,tanh
  succeeds
  predicts_as_wanted torch.h5 torch.txt
  # The first loss of a run that starts from it is that of the network which made the targets.
  alone train --data xy.h5 --init-from torch.h5 --epochs 1 --lr 0 --valid-fraction 0 --normalize-targets none --out run
  succeeds
  says "network  5-7-6-3, relu,tanh"
  grep -qE 'train loss [0-9.]+e-1[0-9]' <<< "$output" || fail "a loss that is not 0"
  alone import net.npz x.out.h5
  fails_with 2 "net.npz: the file does not name the activations of its 2 hidden layers: give --activation"
  alone import net.npz x.out.h5 --activation relu,tanh,relu
  fails_with 2 '"relu,tanh,relu" has 3 values, but there are 2 hidden layers'
  alone import net.h5 x.out.h5 --activation relu
  fails_with 2 "the file names its activations"
  for name in sequential named rms; do
    alone import "$name.npz" "$name.h5" --activation tanh,relu
    succeeds
    predicts_as_wanted "$name.h5" "$name.txt"
  done
  # A norm is the output.
  for name in end softmax; do
    alone import end.npz end.h5 --activation tanh --output-activation "$(echo "$name" | sed s/end/identity/)"
    succeeds
    predicts_as_wanted end.h5 "$name.txt"
    "$MLPDIST" export end.h5 end.onnx --quiet
    alone import end.onnx back.h5
    predicts_as_wanted back.h5 "$name.txt"
  done
  for name in wrapped bare; do
    alone import "$name.npz" torch.h5 --activation relu,tanh
    succeeds
    predicts_as_wanted torch.h5 "$name.txt"
  done
  cp net.npz NET.NPZ
  alone import NET.NPZ torch.h5 --activation relu,tanh
  succeeds
  for name in flax renamed; do
    alone import "$name.npz" torch.h5 --activation relu,tanh
    succeeds
    predicts_as_wanted torch.h5 torch.txt
  done
  for file in 'net.pth is a file of PyTorch: save the weights by numpy.savez("net.npz", **{k: v.numpy() for k, v in' \
    'net.pkl is a file of pickled Python objects: of scikit-learn' 'net.pb is a file of TensorFlow: save the network by tf2onnx' 'net.msgpack is a file of Flax: save the weights by numpy.savez' \
    'net.onnx.data is a file of weights beside a model: import the .onnx file' 'net.onnx_data is a file of weights beside' 'NET.PTH is a file of PyTorch' 'elsewhere is a folder; one of TensorFlow'; do
    mkdir -p elsewhere
    alone import "${file%% *}" x.out.h5
    fails_with 2 "$file"
  done
  refused() { # NAME WORD...
    alone import "$1.npz" x.out.h5 --activation relu
    fails_with 1 "mlpdist: $1.npz: " "${@:2}"
  }
  refused turned "net.0.bias has 7 values, but net.0.weight has 5 outputs; NAME.weight is (outputs, inputs), as in PyTorch, NAME.kernel (inputs, outputs), as in NumPy"
  refused bare_turned "layer 2 expects 6 values, but the layer before it gives 5; NAME.weight is (outputs, inputs), as in PyTorch, NAME.kernel (inputs, outputs), as in NumPy"
  refused mixed "net.0 comes after net.4: the arrays must come in the order of the network, as state_dict() gives them"
  refused shuffled "layer 2 expects 5 values, but the layer before it gives 3; the arrays must come in the order of the layers"
  refused sklearn "coefs_0 is of scikit-learn: name the coefs_ 0.kernel"
  refused both "0.weight and 0.kernel are both the weights of one layer, as (outputs, inputs) and as (inputs, outputs): leave one out"
  refused conv "params.Conv_0.kernel (rank 3) is not of a dense layer: it has no (inputs, outputs)"
  refused bias "params.Dense_0.bias has 6 values, but params.Dense_0.kernel has 7 outputs"
  refused other "mean is neither a weight nor a bias; a state dict of linear layers, BatchNorm1d and LayerNorm is read"
  refused more "norm: this module lacks running_mean or running_var"
  refused counted "norm: this module lacks running_mean or running_var"
  refused alone "norm.weight is of a LayerNorm without a bias or of an RMSNorm, and the archive does not say which: add norm.bias"
  refused normed "norm is a norm of another width than the values that it gets"
  refused unclear "2 is a norm between other modules, and the archive does not say which of these is an activation"
  refused wide "1 is a norm of another width"
  refused last "a batch norm after an activation is followed by no linear layer"
  alone import norm.h5 x.out.h5
  fails_with 1 "layer drop has no /model_weights/LAYER/.../moving_mean"
  for name in normed bounded; do
    alone import "$name.h5" keras-model.h5
    succeeds
    predicts_as_wanted keras-model.h5 "$name.txt"
  done
  alone import falls.h5 x.out.h5
  fails_with 1 "layer out scales the outputs by -3: a model holds only factors above 0"
  alone import scarce.h5 x.out.h5
  fails_with 1 "layer ln follows an activation with an epsilon of 0.001 or a constant in between"
  alone import again.h5 x.out.h5
  fails_with 1 "layer again is an activation that follows no dense layer"
  alone import unfit.h5 x.out.h5
  fails_with 1 "layer drop rescales by a list of numbers: give the network rows that are scaled already"
  alone import branch.h5 x.out.h5
  fails_with 1 "layer second has other inputs than layer drop: the network is not a chain"
  alone import odd.h5 x.out.h5
  fails_with 1 "layer first has activation 'sparse_sigmoid', which mlpdist does not have"
  alone import object.h5 x.out.h5
  fails_with 1 "layer first has activation '(an object)', which mlpdist does not have"
  alone import damaged.h5 x.out.h5
  fails_with 1 "layer second has no /model_weights/LAYER/.../bias"
  alone import one.npz x.out.h5 --activation relu
  fails_with 2 '--activation: "relu" has 1 value, but there are 0 hidden layers'
  cp net.h5 copy.h5
  ln -s copy.h5 link.h5
  alone import copy.h5 link.h5
  fails_with 2 "link.h5 is the file to import: writing the model there would destroy it"
  cmp net.h5 copy.h5 || fail "the file to import is gone"
  # Of what exists, only a model that an import made is replaced.
  table '3 * a - b'
  "$MLPDIST" train "${quick[@]}" --data table.h5 --hidden 2 --embed-numbers periodic --epochs 1 --quiet --out kept > told || fail "train"
  cp table.csv made.h5
  for file in kept/model.h5 kept/checkpoints/*.h5 table.h5 made.h5; do
    cp "$file" before
    alone import one.npz "$file"
    fails_with 2 "$file exists and is not a model that an import made"
    cmp "$file" before || fail "$file was written"
  done
  rm made.h5
  alone import one.npz made.h5
  succeeds
  alone import net.h5 made.h5
  succeeds
  alone import net.h5 nowhere/made.h5
  fails_with 1 "nowhere/made.h5: its folder, nowhere: No such file"
  # What mlpdist exported and import cannot rebuild: the message says so.
  alone export kept/model.h5 kept.npz
  alone import kept.npz x.out.h5
  fails_with 1 "kept.npz: mlpdist exported this file for NumPy" "import its .onnx or .json, or use the model.h5"
  alone export kept/model.h5 kept.onnx
  sed 's/mlpdist model 1/mlpdist model 9/' kept.onnx > other.onnx
  alone import other.onnx x.out.h5
  fails_with 1 "other.onnx: mlpdist exported this file from a model with numbers as cosines, which import reads from the description" \
    "and that does not fit the graph: use the model.h5 that it came from (its input has 3 values per row"
  for file in none.h5 none.npz; do
    alone import "$file" x.out.h5
    fails_with 1 "mlpdist: $file: "
    ! grep -qF "$file: $file" "$errors" || fail "the file is named twice: $(cat "$errors")"
  done
  alone import run/model.h5 x.out.h5
  fails_with 1 "needs no import"
  alone import x.h5 x.out.h5
  fails_with 1 "has no attribute model_config"
  [ ! -e x.out.h5 ] || fail "a file is left"
}
