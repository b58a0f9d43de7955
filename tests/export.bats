# shellcheck disable=SC2154 # variables of helper.bash
# mlpdist export: a model exported to ONNX, C, JSON or NumPy gives the same results as predict. Trains tiny networks.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# table CLASS|VALUE: 120 rows of 4 numbers with awkward names, and a target.
table() {
  awk -v what="$1" 'BEGIN {
    print "a \"b\",größe,c;d,\\n,y"
    for (i = 0; i < 120; i++) {
      a = i % 11; b = (i * 7 % 13) / 4; c = 1e5 + i % 5; d = (i * 3 % 17) - 8
      y = what == "VALUE" ? 1000 + 3 * a - d * b : (a + d > 5) ? "yes" : (a > b) ? "no, \"never\"" : "größer"
      printf "\"%g\",%g,%g,%g,%s\n", a, b, c, d, y
    }
  }' | sed '1s/a "b"/"a ""b"""/; 1s/c;d/"c;d"/; s/no, "never"/"no, ""never"""/' > table.csv
}

# trained OPTION...: a model of the table, and predict.csv of all its rows. rows.txt: the rows without the target.
trained() {
  "$MLPDIST" convert table.csv table.h5 --label y --valid-fraction 0 --test-fraction 0 --quiet || fail "convert"
  "$MLPDIST" train "${quick[@]}" --data table.h5 --epochs 2 --quiet --out run "$@" > /dev/null 2> told || fail "train $*: $(cat told)"
  "$MLPDIST" predict --model run/model.h5 --data table.h5 --part train --out predict.csv > /dev/null || fail "predict"
  tail -n +2 table.csv | sed -E 's/^"([^"]*)"/\1/' | cut -d, -f 1-4 | tr ',' ' ' > rows.txt
}

# In a build with sanitizers only what mlpdist does counts: what the exported files compute is compared without.
# same_in_c TOLERANCE: run/model.h5 as C, compiled without a warning, says what predict.csv says.
same_in_c() {
  rm -f net.c
  alone export run/model.h5 net.c
  succeeds
  ! is_sanitized || return 0
  {
    echo '#include "net.c"'
    echo '#include <stdio.h>'
    echo 'int main(void) { double x[4], y[net_OUTPUTS];'
    echo '  while (scanf("%lf %lf %lf %lf", x, x + 1, x + 2, x + 3) == 4) {'
    echo '    net_predict(x, y);'
    echo '    for (int j = 0; j < net_OUTPUTS; j++) printf(" %.9g", y[j]);'
    echo '    puts(""); } return 0; }'
  } > main.c
  gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -Wno-unused main.c -o main -lm || fail "gcc"
  ./main < rows.txt > c.txt
  [ "$(wc -l < c.txt)" = 120 ] || fail "not a line a row"
  python3 - "$1" << 'END' || fail "C and predict differ"
import csv, sys
rows = list(csv.reader(open("predict.csv")))[1:]
for said, row in zip(open("c.txt"), rows):
    values = [float(v) for v in said.split()]
    for a, b in zip(values, map(float, row[-len(values):])):
        assert abs(a - b) <= float(sys.argv[1]) * (1 + abs(b)), (a, b, row)
END
}

@test "export to C: values of a regression, classes and their names" {
  table VALUE
  trained --hidden 8,5 --lr 0.01 --clamp-predictions
  same_in_c 1e-6
  grep -q '"gr\\303\\266\\303\\237e"' net.c || fail "a name in UTF-8"
  table CLASS
  trained --hidden 8
  same_in_c 1e-6
  grep -q 'int net_class' net.c || fail "no class"
  grep -qF '"no, \042never\042"' net.c || fail "a name with quotes"
}

# to_onnx CASE: run/model.h5 as CASE.onnx, with the rows that predict wrote beside it, for same_in_onnx.
to_onnx() {
  alone export run/model.h5 "$1.onnx"
  succeeds
  cp predict.csv "$1.csv"
}

# A Python that can check ONNX files; PYTHON names one.
onnx_python() {
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    ! "$python" -c 'import numpy, onnx' 2> /dev/null || { echo "$python"; return; }
  done
  skip "no Python with NumPy and onnx (Debian: python3-onnx)"
}

# same_in_onnx TOLERANCE CASE...: valid ONNX, which by the standard's formulas says what predict said.
same_in_onnx() {
  ! is_sanitized || return 0
  "$(onnx_python)" "$BATS_TEST_DIRNAME/reference_onnx.py" "$1" rows.txt "${@:2}" > onnx.txt 2>&1 || fail "ONNX: $(tail -n 3 onnx.txt)"
  [ "$(grep -c . onnx.txt)" = $(($# - 1)) ] || fail "not all cases: $(cat onnx.txt)"
}

# same_in_opencv TOLERANCE CASE...: OpenCV, which knows nothing of us, says it, too.
same_in_opencv() {
  ! is_sanitized || return 0
  local tolerance=$1 case
  shift
  [ -f /usr/include/opencv4/opencv2/dnn.hpp ] || skip "no OpenCV (Debian: libopencv-dnn-dev g++)"
  g++ -I/usr/include/opencv4 "$BATS_TEST_DIRNAME/run_onnx.cpp" -o run_onnx -lopencv_dnn -lopencv_core || fail "g++"
  for case; do
    ./run_onnx "$case.onnx" 4 < rows.txt > opencv.txt 2> told || fail "OpenCV cannot run $case: $(cat told)"
    [ "$(wc -l < opencv.txt)" = 120 ] || fail "not a line a row"
    awk -v tolerance="$tolerance" '
      NR == FNR { for (j = 1; j <= NF; j++) said[NR, j] = $j; width = NF; next }
      FNR > 1 { n = split($0, value, ","); for (j = 1; j <= width; j++) {
        want = value[n - width + j]; size = want < 0 ? -want : want; if (size > largest[j]) largest[j] = size
        off = said[FNR - 1, j] - want; if (off < 0) off = -off; if (off > worst[j]) worst[j] = off } }
      END { for (j = 1; j <= width; j++) if (!(worst[j] <= tolerance * largest[j])) { print worst[j], largest[j]; exit 1 } }
    ' opencv.txt "$case.csv" || fail "OpenCV differs: $case"
  done
}

# folded OPTION...: batch norms and scales become part of the weights, in C, JSON and NumPy alike.
folded() {
  trained --lr 0.05 --epochs 9 "$@"
  same_in_c 3e-6
  alone export run/model.h5 net.json
  alone export run/model.h5 net.npz
  python3 - << 'END' || fail "JSON and predict differ: $*"
import csv, json, math, zipfile
net = json.load(open("net.json"))
assert [layer["kind"] for layer in net["layers"]] == ["dense"] * len(net["layers"]), net["layers"]
assert not any("gain" in name or "scale.npy" in name and "layer" in name for name in zipfile.ZipFile("net.npz").namelist())
a_of = {"relu": lambda z: max(z, 0), "tanh": math.tanh, "identity": lambda z: z}
for line, row in zip(open("rows.txt"), list(csv.reader(open("predict.csv")))[1:]):
    a = [(float(x) - shift) * scale for x, shift, scale in zip(line.split(), net["input"]["shift"], net["input"]["scale"])]
    a = [x / math.hypot(1, x / net["input"].get("clip", math.inf)) for x in a]
    for layer in net["layers"]:
        a = [sum(x * w[j] for x, w in zip(a, layer["weight"])) + layer["bias"][j] for j in range(layer["outputs"])]
        a = [a_of[layer["activation"]](z) for z in a]
    y, want = a[0] / net["output"]["scale"][0] + net["output"]["shift"][0], float(row[-1])
    assert abs(y - want) <= 3e-6 * (1 + abs(want)), (y, want)
END
  digest=$("$MLPDIST" info run/model.h5 | sed -n 's/^digest:* *//p')
  [ -n "$digest" ] || fail "no digest"
  grep -q "\"digest\": \"$digest\"" net.json || fail "another digest than $digest"
}

@test "export to C and ONNX: every activation, layer, rms and batch norm" {
  table VALUE
  local activation names="" known=""
  # Those that the program names, whatever they are.
  for activation in $("$MLPDIST" train --activation none 2>&1 | sed 's/.*the choices are //' | tr -d ',' | sed 's/ softmax//'); do
    names="$names $activation"
    trained --hidden 6 --lr 0.001 --activation "$activation"
    same_in_c 3e-6
    to_onnx "$activation"
  done
  [[ $names = *" relu leaky-relu "* && $names != *softmax* ]] || fail "activations: $names"
  trained --hidden 6,6 --norm layer
  same_in_c 3e-6
  to_onnx layer-norm
  alone export run/model.h5 net.json
  grep -q '"kind": "layer-norm"' net.json || fail "no layer norm"
  trained --hidden 6,6 --norm rms
  same_in_c 3e-6
  to_onnx rms-norm
  folded --hidden 6,5 --norm batch --batch 40
  to_onnx batch-norm
  folded --hidden 6,5 --norm batch --batch 40 --input-scale 6 --parametrization ntk --lr 0.4 --activation tanh
  trained --hidden 6,5 --norm batch --batch 40 --parametric-activation 3 --activation tanh,relu --lr 0.1 --epochs 9
  same_in_c 3e-6
  to_onnx parametric
  folded --hidden 6 --clip-inputs 1.5 --input-scale 60 --input-dropout 0.1 --dropout 0.1
  to_onnx clipped
  # OpenCV 4.6 knows neither the mean of a row nor a Clip of operator sets from 11 on.
  known=${names/ relu6/}
  # shellcheck disable=SC2086 # words are wanted
  same_in_onnx 1e-6 $names layer-norm rms-norm batch-norm parametric clipped
  # shellcheck disable=SC2086
  same_in_opencv 1e-6 $known batch-norm parametric clipped
}

# An ensemble is one network for each member: the rows that the layers share are multiplied by a member's scale at the
# fan-out, a member has heads of its own, and the prediction is the mean.
@test "export of an ensemble: C, JSON, NumPy and ONNX say the mean of the members" {
  table VALUE
  trained --hidden 6,5 --ensemble 3 --norm batch --batch 40 --input-scale 6 --lr 0.05 --epochs 3 --activation tanh
  alone predict --model run/model.h5 --data table.h5 --part train --out predict.csv --spread
  succeeds
  [ "$(head -1 predict.csv)" = row,y,y_spread ] || fail "$(head -1 predict.csv)"
  to_onnx values
  cut -d, -f1,2 predict.csv > values.csv
  cut -d, -f3 predict.csv | tail -n +2 > spread.txt
  cut -d, -f1,2 predict.csv > plain.csv
  mv plain.csv predict.csv
  same_in_c 3e-6
  alone export run/model.h5 net.json
  python3 - << 'END' || fail "JSON and predict differ"
import csv, json, math
net = json.load(open("net.json"))
assert [layer["kind"] for layer in net["layers"]] == ["scale", "fan-out", "dense", "dense", "heads"], net["layers"]
members = net["layers"][1]["members"]
assert members == 3
def dense(a, weight, bias, activation):
    z = [sum(x * w[j] for x, w in zip(a, weight)) + bias[j] for j in range(len(bias))]
    return [{"tanh": math.tanh, "identity": lambda v: v}[activation](v) for v in z]
for line, row, said in zip(open("rows.txt"), list(csv.reader(open("predict.csv")))[1:], open("spread.txt")):
    x = [(float(x) - shift) * scale for x, shift, scale in zip(line.split(), net["input"]["shift"], net["input"]["scale"])]
    scale, fan, first, second, heads = net["layers"]
    shared, of = [v * s for v, s in zip(x, scale["scale"])], []
    for m in range(members):
        a = [v * r for v, r in zip(shared, fan["scale"][m])]
        for layer in (first, second):
            a = dense(a, layer["weight"], layer["bias"], layer["activation"])
        of += dense(a, heads["weight"][5 * m:5 * m + 5], heads["bias"][m], heads["activation"])
    y, want = sum(of) / members / net["output"]["scale"][0] + net["output"]["shift"][0], float(row[-1])
    assert abs(y - want) <= 3e-6 * (1 + abs(want)), (y, want)
    spread = math.sqrt(sum((v - sum(of) / members)**2 for v in of) / (members - 1)) / net["output"]["scale"][0]
    assert abs(spread - float(said)) <= 1e-4 * spread + 1e-5, (spread, said)
END
  alone export run/model.h5 net.npz
  succeeds
  python3 - << 'END' || fail "NumPy and JSON differ"
import json, struct, zipfile
archive, layers = zipfile.ZipFile("net.npz"), json.load(open("net.json"))["layers"]
def same(name, rows):
    values = [struct.pack("<f", v) for row in rows for v in row]
    return archive.read(name + ".npy").endswith(b"".join(values))
assert same("layer_5_weight", layers[4]["weight"]) and same("layer_2_scale", layers[1]["scale"])
END
  table CLASS
  trained --hidden "" --ensemble 2
  same_in_c 1e-6
  to_onnx probabilities
  alone predict --model run/model.h5 --data table.h5 --part train --out spread.csv --spread
  succeeds
  same_in_onnx 1e-6 values probabilities
  [[ $(head -1 spread.csv) = 'row,class,größer,"no, ""never""",yes,größer_spread,"no, ""never""_spread",yes_spread' ]] ||
    fail "$(head -1 spread.csv)"
  launch 3 predict --model run/model.h5 --data table.h5 --part train --out spread-3.csv --spread
  succeeds
  cmp spread.csv spread-3.csv || fail "another spread on three ranks"
  unlike "$MLPDIST" predict --model run/model.h5 --data table.h5 --part train --out both.csv --spread -- \
    "$MLPDIST" predict --model run/model.h5 --data table.h5 --part train --out both.csv
  fails_with 2 "rank 1 of 2" "predict --spread"
  alone predict --model run/model.h5 --data table.h5 --part train --out spread.h5 --spread
  succeeds
  alone info spread.h5
  says "/probability" "/spread"
  trained --hidden 4
  alone predict --model run/model.h5 --data table.h5 --part train --out none.csv --spread
  fails_with 2 "--spread is over the members of an ensemble, and the model is a single network" "--ensemble 32"
}

# Members that share nothing begin with a fork, which copies a row or has an input scale for each member; above it each has
# embeddings of its own.
@test "export of members: C, JSON, NumPy and ONNX say their mean" {
  table VALUE
  trained --hidden 6,5 --members 3 --lr 0.05 --epochs 3 --activation tanh
  same_in_c 3e-6
  to_onnx plain
  alone export run/model.h5 net.json
  alone export run/model.h5 net.npz
  succeeds
  python3 - << 'END' || fail "JSON and NumPy"
import json, struct, zipfile
layers, archive = json.load(open("net.json"))["layers"], zipfile.ZipFile("net.npz")
assert [layer["kind"] for layer in layers] == ["fork", "heads", "heads", "heads"], layers
assert layers[0]["members"] == 3 and len(layers[1]["weight"]) == 3 * layers[1]["inputs"]
assert archive.read("layer_1_members.npy").endswith(struct.pack("<I", 3))
END
  trained --hidden 6 --members 2 --lr 0.05 --epochs 3 --activation tanh --input-scale 6 --parametric-activation 2
  same_in_c 3e-6
  to_onnx scaled
  trained --hidden 6 --members 3 --lr 0.05 --epochs 3 --embed-numbers piecewise --embed-bins 4 --embed-width 2 --input-scale 6
  same_in_c 3e-6
  to_onnx bins
  trained --hidden 6 --members 2 --lr 0.05 --epochs 3 --embed-numbers periodic
  same_in_c 3e-6
  to_onnx cosines
  same_in_onnx 1e-6 plain scaled bins cosines
  alone predict --model run/model.h5 --data table.h5 --part train --out predict.csv --spread
  succeeds
  [ "$(head -1 predict.csv)" = row,y,y_spread ] || fail "$(head -1 predict.csv)"
}

@test "export to JSON and NumPy: the same arrays, from which the predictions follow" {
  table CLASS
  trained --hidden 8,5 --clip-inputs 2
  alone export run/model.h5 net.json
  succeeds
  python3 - << 'END' || fail "JSON and predict differ"
import csv, json, math
net = json.load(open("net.json"))
assert net["input"]["names"] == ['a "b"', "größe", "c;d", "\\n"], net["input"]["names"]
assert sorted(net["output"]["classes"]) == ["größer", 'no, "never"', "yes"]
for line, row in zip(open("rows.txt"), list(csv.reader(open("predict.csv")))[1:]):
    a = [(float(x) - shift) * scale for x, shift, scale in zip(line.split(), net["input"]["shift"], net["input"]["scale"])]
    a = [x / math.hypot(1, x / net["input"]["clip"]) for x in a]
    for layer in net["layers"]:
        a = [sum(x * w[j] for x, w in zip(a, layer["weight"])) + layer["bias"][j] for j in range(layer["outputs"])]
        if layer["activation"] == "relu":
            a = [max(z, 0) for z in a]
    e = [math.exp(z - max(a)) for z in a]
    for k, b in enumerate(map(float, row[-3:])):
        assert abs(e[k] / sum(e) - b) < 1e-5
    assert row[1] == net["output"]["classes"][e.index(max(e))]
END
  alone export run/model.h5 net.npz
  succeeds
  python3 -c 'import zipfile; assert zipfile.ZipFile("net.npz").testzip() is None' || fail "a damaged archive"
  cp net.npz first.npz
  "$MLPDIST" export run/model.h5 net.npz
  cmp net.npz first.npz || fail "other bytes"
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do ! "$python" -c 'import numpy' 2> /dev/null || break; done
  "$python" -c 'import numpy' 2> /dev/null || skip "no Python with NumPy; PYTHON names one"
  "$python" - << 'END' || fail "NumPy and JSON differ"
import json, numpy
a, net = numpy.load("net.npz"), json.load(open("net.json"))
assert str(a["digest"]) == net["digest"] and list(a["input_names"]) == net["input"]["names"]
assert list(a["classes"]) == net["output"]["classes"] and str(a["layer_1_activation"]) == "relu"
assert numpy.array_equal(a["input_shift"], net["input"]["shift"]) and a["input_clip"] == net["input"]["clip"] == 2
for i, layer in enumerate(net["layers"], 1):
    assert a[f"layer_{i}_weight"].dtype == numpy.float32
    assert numpy.array_equal(a[f"layer_{i}_weight"], numpy.array(layer["weight"], "f4"))
    assert numpy.array_equal(a[f"layer_{i}_bias"], numpy.array(layer["bias"], "f4"))
END
}

# Raw columns: a number that may be missing, a category, of which the model does not know all, and a number.
columns_exported() {
  awk -v far="${far:-}" 'BEGIN { split("red green blue rot\303\266", color, " ")
    print "a,color,b,y"
    for (i = 0; i < 150; i++) printf "%s,%s,%g,%g\n", i % 7 == 3 ? "" : i % 11, i % 13 == 5 ? "" : color[i % 4 + 1], i == 77 && far ? far : i / 50, \
      (i % 11) * (i % 4 + 1) + i / 50 }' > raw.csv
  "$MLPDIST" train "${quick[@]}" --data raw.csv --label y --hidden 6 --epochs 3 --input-scale 6 --normalize robust \
    --clip-inputs 3 --quiet --out run "$@" > /dev/null 2> told ||
    fail "$(cat told)"
  sed '5s/,[a-z]*,/,violet,/' raw.csv > new.csv
  "$MLPDIST" predict --model run/model.h5 --data new.csv --out predict.csv > /dev/null 2> told || fail "$(cat told)"
  alone export run/model.h5 net.c
  succeeds
  cat > main.c << 'END'
#include "net.c"
#include <stdio.h>
#include <stdlib.h>
int main(void) { /* lines "a|color|b" */
  char line[99];
  while (fgets(line, sizeof line, stdin)) {
    char *color = strchr(line, '|') + 1, *b = strchr(color, '|') + 1;
    b[-1] = 0;
    double y[1], x[3] = {line[0] == '|' ? NAN : atof(line), *color ? net_category(1, color) : NAN, atof(b)};
    net_predict(x, y);
    printf("%.9g\n", y[0]);
  }
  double half[3] = {1, 0.5, 2}, unknown[3] = {1, -2, 2}, of_half[1], of_unknown[1]; /* 0.5 is no code */
  net_predict(half, of_half);
  net_predict(unknown, of_unknown);
  return of_half[0] != of_unknown[0];
}
END
  gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -Wno-unused main.c -o main -lm || fail "gcc"
  tail -n +2 new.csv | cut -d, -f 1-3 | tr , '|' | ./main > c.txt || fail "a number that is no code is taken for one"
  alone export run/model.h5 net.json
  succeeds
  alone export run/model.h5 net.npz
  succeeds
  python3 - << 'END' || fail "they differ"
import bisect, csv, json, math
net = json.load(open("net.json"))
said = [float(v) for v in open("c.txt")]
rows = list(csv.reader(open("predict.csv")))[1:]
assert len(said) == len(rows) == 150
assert [c["kind"] for c in net["input"]["columns"]] == ["number", "category", "number"]
assert [c["marked"] for c in net["input"]["columns"]] == [True, True, False]
def scored(x, curve):
    x = min(max(x, curve["x"][0]), curve["x"][-1])
    k = max(bisect.bisect(curve["x"], x) - 1, 0)
    if k + 1 == len(curve["x"]):
        return curve["z"][k]
    part = (x - curve["x"][k]) / (curve["x"][k + 1] - curve["x"][k])
    return curve["z"][k] + part * (curve["z"][k + 1] - curve["z"][k])
def inputs_of(raw):
    a = []
    for j, (text, column, shift, scale) in enumerate(zip(raw, net["input"]["columns"], net["input"]["shift"], net["input"]["scale"])):
        if column["kind"] == "category":
            codes = dict(column["categories"])
            if column.get("embedded"):
                a.append(codes.get(text, sum(k >= 0 for k in codes.values()) if text == "" and column["marked"] else -1))
                continue
            part = [0] * sum(k >= 0 for k in codes.values())
            if codes.get(text, -1) >= 0:
                part[codes[text]] = 1
        else:
            x = float(text) if text else column["fill"]
            bent = "curves" in net["input"] and net["input"]["curves"][j]["x"]
            x = scored(x, net["input"]["curves"][j]) if bent else (x - shift) * scale
            part = [x / math.hypot(1, x / net["input"]["clip"])]
        a += part + ([1 if text == "" else 0] if column["marked"] else [])
    return a
def of_member(layer, m, members):
    made = dict(layer)
    for name in {"table", "frequency", "phase", "edge", "weight", "bias", "scale"} & set(layer) if members > 1 else ():
        each = len(layer[name]) // members
        made[name] = layer[name][m * each:(m + 1) * each]
        if (layer["kind"], name) in (("heads", "bias"), ("scale", "scale")):
            made[name] = made[name][0]
    return made
def output_of(a, layers):
    for layer in layers:
        if layer["kind"] == "fork":
            continue
        if layer["kind"] == "embed":
            first, before, a = 0, a, []
            for x, size in zip(before, layer["sizes"]):
                a += [x] if size == 0 else layer["table"][first + x] if 0 <= x < size else [0] * layer["width"]
                first += size
            continue
        if layer["kind"] == "periodic":
            before, a, n = a, [], 0
            for x, size in zip(before, layer["sizes"]):
                if size:
                    c = [math.cos(2 * math.pi * f * x + p) for f, p in zip(layer["frequency"][n], layer["phase"][n])]
                    a += [sum(w * v for w, v in zip(layer["weight"][n][j * 16:], c)) + layer["bias"][n][j] for j in range(3)]
                n += size
                a.append(x)
            continue
        if layer["kind"] == "piecewise":
            before, a, n, width = a, [], 0, layer["width"] - 1
            for x, size in zip(before, layer["sizes"]):
                if size:
                    e, w = layer["edge"][n], layer["weight"][n]
                    c = [min(max((x - low) / (high - low), 0), 1) if low < high else 0 for low, high in zip(e, e[1:])]
                    a += [sum(part * w[t * width + j] for t, part in enumerate(c)) for j in range(width)]
                n += size
                a.append(x)
            continue
        if layer["kind"] == "scale":
            a = [x * s for x, s in zip(a, layer["scale"])]
            continue
        a = [sum(x * w[j] for x, w in zip(a, layer["weight"])) + layer["bias"][j] for j in range(layer["outputs"])]
        if layer["activation"] == "relu":
            a = [max(z, 0) for z in a]
    return a[0]
members = net["layers"][0].get("members", 1)
networks = [[of_member(layer, m, members) for layer in net["layers"]] for m in range(members)]
for value, raw, row in zip(said, list(csv.reader(open("new.csv")))[1:], rows):
    y = sum(output_of(inputs_of(raw), layers) for layers in networks) / members
    y = y / net["output"]["scale"][0] + net["output"]["shift"][0]
    want = float(row[-1])
    assert abs(value - want) <= 1e-6 * (1 + abs(want)), (value, want, raw)
    assert abs(y - want) <= 1e-5 * (1 + abs(want)), (y, want, raw)
END
}

# declares WORD...: the header of run/model.h5 (or $model) as C has these words, and is valid.
declares() {
  alone export "${model:-run/model.h5}" net.c
  succeeds
  local word
  for word; do grep -qF -- "$word" net.h || fail "no '$word': $(cat net.h)"; done
  is_sanitized || gcc -std=c99 -Wall -Wextra -pedantic -Werror -include ./net.h -fsyntax-only net.c || fail "gcc"
}

# A target far from 0 for its deviation, and outputs that are no plain values.
@test "export to ONNX: classes, one class, quantiles, deviations, few digits" {
  table CLASS
  trained --hidden 5
  to_onnx classes
  declares "y: a probability for each class." "The class, from 0, of the probabilities y" "net_classes[3]"
  sed -i 's/größer$/yes/; s/"no, ""never"""$/no/' table.csv
  trained --hidden 5 --loss binary-cross-entropy
  to_onnx binary
  alone import "$BATS_TEST_DIRNAME/foreign/skl_two.onnx" two.h5
  model=two.h5 declares "y: the probability of class 1." "The class, 0 or 1, of the probability y" "net_OUTPUTS 1"
  table VALUE
  trained --hidden 5 --lr 0.01 --loss quantile --clamp-predictions --quantiles 0.1,0.5
  to_onnx quantile
  declares "y: of each target, in its units, the quantiles 0.1, 0.5." "net_OUTPUTS 2" "net_targets[1]"
  trained --hidden 5 --lr 0.01 --loss gaussian --clamp-predictions
  to_onnx gaussian
  declares "y: mean and standard deviation of each target, in its units."
  same_in_onnx 1e-6 classes binary quantile gaussian
  awk -F, -v OFS=, -v CONVFMT=%.9g 'NR > 1 { $NF += 1e7 } 1' table.csv > far.csv
  mv far.csv table.csv
  trained --hidden 5 --lr 0.01
  to_onnx digits
  same_in_onnx 2e-9 digits # float would be off by 3e-8
  # Column c, which float holds exactly, about 4e-6, with steps of 1e-9: its mean is none of float, and the rest counts.
  table VALUE
  awk -F, -v OFS=, 'NR > 1 { $NF = 50 * (NR % 7); $3 = sprintf("%.17g", (4096 + NR % 7) / 2 ^ 30) } 1' table.csv > near.csv
  mv near.csv table.csv
  trained --hidden 5 --lr 0.05 --epochs 20 --normalize standard
  to_onnx near
  same_in_onnx 1e-6 near
  "$(onnx_python)" - << 'END' || fail "classes"
import onnx
net = onnx.load("classes.onnx")
assert [output.name for output in net.graph.output] == ["probability"]
assert {entry.key: entry.value for entry in net.metadata_props}["class_names"].startswith('["'), net.metadata_props
END
}

columns_in_onnx() {
  to_onnx net
  PYTHONPATH=$BATS_TEST_DIRNAME "$(onnx_python)" -B - << 'END' || fail "ONNX differs"
import csv, json
import numpy, onnx, reference_onnx
net = onnx.load("net.onnx")
onnx.checker.check_model(net, full_check=True)
about = {entry.key: entry.value for entry in net.metadata_props}
a, colors, b = json.loads(about["input_categories"])
assert a is None and b is None and set(colors) == {"red", "green", "blue", "rotö"}, about
assert json.loads(about["input_names"]) == ["a", "color", "b"] and json.loads(about["output_names"]) == ["y"], about
assert about["task"] == "regression" and about["digest"] == json.load(open("net.json"))["digest"], about
codes = {**{color: k for k, color in enumerate(colors)}, "": numpy.nan, "violet": 99}
x = [[float(a or "nan"), codes[color], float(b)] for a, color, b, _ in list(csv.reader(open("new.csv")))[1:]]
want = reference_onnx.read_predictions("net.csv", 1)
assert reference_onnx.difference(reference_onnx.evaluate(net, numpy.array(x)), want) <= 1e-6
x = [[a, -1 if numpy.isnan(color) else color, b] for a, color, b in x] # the other way to say missing
assert reference_onnx.difference(reference_onnx.evaluate(net, numpy.array(x)), want) <= 1e-6
END
}

@test "export to C, JSON and ONNX: categories and missing values" {
  already_sanitized
  columns_exported
  columns_in_onnx
}

@test "export to C, JSON and ONNX: numbers as cosines, beside categories and without" {
  already_sanitized
  columns_exported --embed-numbers periodic --embed-above 3 --embed-width 3
  columns_in_onnx
  grep -q '"kind": "periodic", "inputs": 6, "outputs": 12' net.json || fail "not periodic"
  columns_exported --embed-numbers periodic
  columns_in_onnx
}

@test "export to C, JSON and ONNX: numbers in bins, beside categories and without" {
  columns_exported --embed-numbers piecewise --embed-bins 5 --embed-above 3 --embed-width 3
  columns_in_onnx
  grep -q '"kind": "piecewise", "inputs": 6, "outputs": 12' net.json || fail "not in bins"
  columns_exported --embed-numbers piecewise
  columns_in_onnx
  awk 'BEGIN { for (i = 0; i <= 20; i++) { for (j = 0; j < 64; j++) printf "%s,", i ? i * j % 17 : "x" j; print i ? i : "y" } }' > wide.csv
  alone train "${quick[@]}" --data wide.csv --hidden 2 --epochs 1 --embed-numbers piecewise --embed-bins 1024 --embed-width 64 --quiet --out wide
  succeeds
  alone export wide/model.h5 wide.onnx
  fails_with 2 "layer 1, 64 numbers of 1024 bins each, is too large for ONNX; export .c, .json or .npz, or train with fewer --embed-bins"
}

@test "export to C: numbers that may be missing, and no categories" {
  table VALUE
  sed '2~9s/,[^,]*,/,,/' table.csv > gaps.csv
  "$MLPDIST" train "${quick[@]}" --data gaps.csv --hidden 3 --epochs 1 --quiet --out run > told 2>&1 || fail "$(cat told)"
  alone export run/model.h5 net.c
  succeeds
  gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -c net.c -o net.o || fail "gcc"
}

@test "export to C, JSON and ONNX: columns normalised by quantiles" {
  far=1e4 columns_exported --normalize auto
  columns_in_onnx
  [ "$(grep -c '"x": \[\]' net.json)" = 2 ] || fail "b alone has a value far out"
  columns_exported --normalize quantile
  columns_in_onnx
  grep -q '"curves"' net.json || fail "no curves"
  table VALUE
  trained --hidden 5 --lr 0.1 --normalize quantile --clip-inputs 3
  sed -i '5s/,[^,]*,/,-9e9,/; 6s/,[^,]*,/,9e9,/; 7s/^"[^"]*"/"3.25"/' table.csv # beyond all knots, and between two
  "$MLPDIST" predict --model run/model.h5 --data table.csv --out predict.csv > /dev/null 2>&1 || fail "predict"
  tail -n +2 table.csv | sed -E 's/^"([^"]*)"/\1/' | cut -d, -f 1-4 | tr ',' ' ' > rows.txt
  to_onnx scores
  same_in_onnx 1e-6 scores
  for python in "${PYTHON:-python3}" /usr/bin/python3; do ! "$python" -c 'import numpy' 2> /dev/null || break; done
  "$python" -c 'import numpy' 2> /dev/null || skip "no Python with NumPy; PYTHON names one"
  "$python" - << 'END' || fail "NumPy and JSON differ"
import json, numpy
a, curves = numpy.load("net.npz"), json.load(open("net.json"))["input"]["curves"]
first = a["input_curves_first"]
for j, curve in enumerate(curves):
    for name in "xz":
        assert curve[name] == a["input_curves_" + name][first[j]:first[j + 1]].tolist(), j
assert [len(c["x"]) > 1 for c in curves] == [True, False, True]
END
}

@test "export to C, JSON and ONNX: embedded categories" {
  already_sanitized
  columns_exported --embed-above 3 --embed-width 3
  columns_in_onnx
  grep -q '"kind": "embed", "inputs": 4, "outputs": 6' net.json || fail "not embedded"
  for python in "${PYTHON:-python3}" /usr/bin/python3; do ! "$python" -c 'import numpy' 2> /dev/null || break; done
  "$python" -c 'import numpy' 2> /dev/null || skip "no Python with NumPy; PYTHON names one"
  "$python" - << 'END' || fail "NumPy and JSON differ"
import json, numpy
a, net = numpy.load("net.npz"), json.load(open("net.json"))
assert a["layer_1_sizes"].tolist() == net["layers"][0]["sizes"] == [0, 0, 5, 0] and a["input_embedded"].tolist() == [0, 1, 0]
assert numpy.array_equal(a["layer_1_table"], numpy.array(net["layers"][0]["table"], "f4")) and a["layer_1_table"].shape == (5, 3)
END
}

@test "export to C, JSON and ONNX: embedded categories and bins of each member" {
  columns_exported --embed-above 3 --embed-width 3 --embed-numbers piecewise --embed-bins 4 --members 2
  columns_in_onnx
  tr -d ' \n' < net.json | grep -q '"kind":"fork".*"kind":"embed".*"kind":"piecewise".*"kind":"scale".*"kind":"heads"' || fail "other layers"
}

@test "export and import say what they wrote, with --quiet nothing" {
  table VALUE
  trained --hidden 6,5 --ensemble 3
  local name format bytes written
  # The fan-out has 12 factors, the hidden layers 5 x 6 and 7 x 5 weights and biases, three heads 6.
  for name in c json npz onnx; do
    written=
    case $name in c) format=C written="net.c and net.h" ;; json) format=JSON ;; npz) format=NumPy ;; onnx) format=ONNX ;; esac
    alone export run/model.h5 "net.$name"
    succeeds
    bytes=$(awk -v n="$(stat -c %s "net.$name")" 'BEGIN { printf "%.1f", n / 1000 }')
    [ "$output" = "${written:-net.$name}: $format, $bytes KB, network 4-6-5-1, 3 members, 95 parameters, 1 value" ] || fail "$output"
  done
  alone import net.onnx model.h5
  succeeds
  says "model.h5: made from ONNX, " " KB, network 4-6-5-1, 3 members, 95 parameters, 1 value"
  table CLASS
  trained --hidden 5
  alone export run/model.h5 net.c
  says ", network 4-5-3, 43 parameters, 3 classes"
  alone import "$BATS_TEST_DIRNAME/foreign/skl_two.onnx" model.h5
  says " parameters, 2 classes"
  alone export run/model.h5 net.c --quiet
  succeeds
  alone_said=$output
  alone import net.json model.h5 --quiet
  succeeds
  [ -z "$alone_said$output" ] || fail "$alone_said$output"
}

# As the header says: a program in C or C++ that includes it, net.c without it, and both against each other.
@test "export to C: the header declares what net.c has, for C and C++" {
  columns_exported
  ! is_sanitized || return 0
  grep -q 'categories the value is that of net_category()' net.h || fail "the contract of categories"
  printf '%s\n' '#include "net.h"' '#include "net.h"' '#include <math.h>' '#include <stdio.h>' '#include <string.h>' 'int main(void) {' \
    '  const double x[net_INPUTS] = {NAN, (double)net_category(1, "red"), 0.5};' '  double y[net_OUTPUTS];' '  net_predict(x, y);' \
    '  printf("%.9g %s %s %s\n", y[0], net_inputs[1], net_targets[0], net_DIGEST);' \
    '  return !(sizeof net_inputs / sizeof *net_inputs == net_INPUTS && net_category(1, "violet") == -2); }' > uses.c
  cp uses.c uses.cpp
  mkdir apart && cp net.c apart
  gcc -std=c99 -O2 -Wall -Wextra -pedantic -Wmissing-prototypes -Werror -c apart/net.c -o net.o || fail "net.c alone"
  gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror uses.c net.o -o in_c -lm || fail "C"
  ./in_c > c.txt || fail "$(cat c.txt)"
  grep -qE "^[0-9.]+ color y $("$MLPDIST" info run/model.h5 | sed -n "s/^digest:* *//p")\$" c.txt || fail "$(cat c.txt)"
  gcc -std=c99 -Wall -Wextra -pedantic -Werror -include ./net.h -fsyntax-only net.c || fail "net.h and net.c disagree"
  # Of a model of values, then of one of classes: another net.h than that of net.c is seen.
  cp net.h former.h
  table CLASS
  trained --hidden 3
  alone export run/model.h5 net.c
  succeeds
  gcc -std=c99 -Wall -Wextra -pedantic -Werror -include ./net.h -fsyntax-only net.c || fail "net.h and net.c disagree"
  grep -q 'int net_class(const double y\[net_OUTPUTS\]);' net.h || fail "no class"
  ! gcc -std=c99 -Werror -include ./former.h -fsyntax-only net.c 2> told || fail "a header of another model is not seen"
  grep -q 'net_DIGEST.* redefined' told || fail "$(cat told)"
  command -v g++ > /dev/null || skip "no g++: the header is not tried in C++"
  cp former.h net.h
  g++ -Wall -Wextra -pedantic -Werror -I. uses.cpp net.o -o in_cpp -lm || fail "C++"
  ./in_cpp > cpp.txt || fail "$(cat cpp.txt)"
  cmp c.txt cpp.txt || fail "C and C++ differ"
}

# untouched STATUS WORD...: export to net.c is refused, and no file is written, removed or left behind.
untouched() {
  local before now
  before=$(find . ! -name 'errors*' ! -type d -printf '%p %y %s %T@ %l\n' | sort)
  alone export run/model.h5 net.c
  fails_with "$@"
  now=$(find . ! -name 'errors*' ! -type d -printf '%p %y %s %T@ %l\n' | sort)
  [ "$now" = "$before" ] || fail "$(diff <(echo "$before") <(echo "$now"))"
}

@test "export to C replaces a header only if an export wrote it" {
  table VALUE
  trained --hidden 3
  local is_no="net.h exists and is not a header that export wrote, so it is not replaced; move it away, or export under another name"
  mkdir made && alone export run/model.h5 made/net.c
  succeeds
  # A program's own header, with the first lines of net.c in it, a link to one, net.c itself, the model, a folder, a pipe.
  head -3 made/net.c > net.h && echo 'void net_predict(const double x[4], double y[1]);' >> net.h
  cp net.h own.h
  untouched 1 "$is_no"
  ln -sf own.h net.h
  untouched 1 "$is_no"
  cp made/net.c net.c && ln -sf net.c net.h
  untouched 1 "$is_no"
  ln -sf run/model.h5 net.h
  untouched 1 "$is_no"
  rm net.h && mkdir net.h
  untouched 1 "$is_no"
  rmdir net.h && mkfifo net.h
  untouched 1 "$is_no"
  # net.c is another name of the header, which is there or not.
  rm net.c net.h && cp made/net.h . && ln -s net.h net.c
  untouched 2 "net.c and its header, net.h, are the same file; remove the link, or export under another name"
  rm net.h
  alone export run/model.h5 net.c
  fails_with 2 "net.c and its header, net.h, are the same file"
  [ ! -e net.h ] || fail "written"
  # One that an export wrote is replaced, of whatever model, through a link too; so is an empty file.
  rm net.c && sed 's/net_/old_/' made/net.h > far.h && ln -s far.h net.h
  alone export run/model.h5 net.c
  succeeds
  [ -L net.h ] && cmp far.h made/net.h || fail "not replaced"
  rm net.h && touch net.h
  alone export run/model.h5 net.c
  succeeds
  cmp net.h made/net.h && cmp net.c made/net.c || fail "not replaced"
  # Beside a pipe and the standard output there is none.
  rm net.c net.h && mkfifo net.c
  timeout "$hang_after" cat net.c > read.c &
  alone export run/model.h5 net.c
  succeeds
  wait $!
  cmp read.c made/net.c || fail "the pipe got something else"
  rm net.c && ln -s /dev/stdout net.c
  "$MLPDIST" export run/model.h5 net.c > read.c 2> told || fail "$(cat told)"
  cmp read.c made/net.c || fail "the standard output got something else"
  [ ! -e net.h ] && [[ $(cat told) = "net.c: C, "*" KB, network 4-3-1, "* ]] || fail "$(ls) $(cat told)"
  [ -z "$(find . -name '*.tmp.*')" ] || fail "left behind"
}

@test "export to C: what is there if the second file cannot be put in its place" {
  unless_sanitized "its runtime must be the first that is loaded"
  table VALUE
  trained --hidden 3
  # shellcheck disable=SC2016
  printf '%s\n' '#define _GNU_SOURCE' '#include <errno.h>' '#include <fcntl.h>' '#include <stdio.h>' '#include <string.h>' \
    'int rename(const char *from, const char *to) {' '  const char *const end = strrchr(to, 46);' \
    '  if (end != NULL && strcmp(end, getenv("NO_RENAME")) == 0) return errno = EIO, -1;' \
    '  return renameat(AT_FDCWD, from, AT_FDCWD, to); }' | sed '1a#include <stdlib.h>' > no_rename.c
  gcc -shared -fPIC no_rename.c -o no_rename.so || fail "gcc"
  status=0
  NO_RENAME=.c LD_PRELOAD=./no_rename.so "$MLPDIST" export run/model.h5 net.c > told 2> "$errors" || status=$?
  fails_with 1 "net.c: Input/output error"
  ! ls net.* ./*.tmp.* 2> /dev/null || fail "something is left"
  status=0
  NO_RENAME=.h LD_PRELOAD=./no_rename.so "$MLPDIST" export run/model.h5 net.c > told 2> "$errors" || status=$?
  fails_with 1 "net.h: Input/output error; net.c was written, its header was not"
  [ "$(ls net.* ./*.tmp.* 2> /dev/null)" = net.c ] || fail "$(ls)"
}

@test "export: what is refused" {
  table VALUE
  trained --hidden 3
  alone export run/model.h5 net.pt
  fails_with 2 "net.pt: unknown extension; export writes .onnx, .json, .npz (NumPy) and .c (C99)"
  alone export run/model.h5
  fails_with 2 "too few arguments"
  alone export table.h5 net.c
  fails_with 1 "table.h5"
  alone export run/model.h5 nowhere/net.onnx
  fails_with 1 "nowhere"
  cp run/model.h5 net.json
  alone export net.json net.json
  fails_with 2 "net.json is the model itself"
  cmp run/model.h5 net.json || fail "written over"
  ! ls net.c net.pt 2> /dev/null || fail "something is left"
}
