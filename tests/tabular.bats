# What --preset tabular is made of, each for itself: robust normalisation, clamped predictions; and the preset itself.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# outliers [COPIES]: numbers with far outliers, a rare flag, a constant, and a column with gaps; the target is a value.
outliers() {
  awk -v copies="${1:-1}" 'BEGIN {
    print "far,rare,same,gaps,y"
    for (i = 0; i < 101 * copies; i++) {
      u = (i * 37) % 101
      printf "%.10g,%d,3,%s,%d\n", (u % 2 ? -1 : 1) * int(8 * exp(u / 9)) / 8, i % 20 == 7, i % 5 == 3 ? "" : u * u, u + i % 3
    }
  }' > far.csv
}

# The shift and scale of each column, by the formula, from the rows of far.csv; then those of the model.
check_robust() {
  python3 - "$1" << 'END' || fail "not the quartiles of the rows"
import csv, json, sys
rows = list(csv.DictReader(open("far.csv")))
net = json.load(open(sys.argv[1]))["input"]
def quantile(values, f):
    place = f * (len(values) - 1)
    low = int(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])
for j, name in enumerate(("far", "rare", "same", "gaps")):
    x = sorted(float(r[name]) for r in rows if r[name])
    width = quantile(x, 0.75) - quantile(x, 0.25) or (x[-1] - x[0]) / 2
    for got, want in ((net["shift"][j], quantile(x, 0.5)), (net["scale"][j], 1 / width if width else 0)):
        assert abs(got - want) <= 1e-14 * abs(want), (name, got, want)
assert net["scale"][1] == 2 and net["scale"][2] == 0
END
}

@test "--normalize robust: medians and quartiles of the training rows, the same on any ranks, streamed or not" {
  already_sanitized
  local options=(--data far.csv --label y --test-fraction 0 --normalize robust --hidden 4 --lr 1e-6 --epochs 1 --batch 20 --lanes 3 --quiet) mode np want
  for copies in 1 9; do # of nine copies, values are counted, not gathered
    outliers $copies
    for mode in "" --stream; do
      want=""
      for np in 1 3; do
        launch "$np" train "${quick[@]}" "${options[@]}" --threads 1 --out "run$np$mode" $mode
        succeeds
        [ "$output" = "${want:=$output}" ] || fail "$np ranks $mode: expected $want"
        alone export "run$np$mode/model.h5" net.json
        check_robust net.json
      done
    done
  done
}

# check_scores MODEL.json ROWS.csv: the knots of each column, by the formula, from the rows; then those of the model.
check_scores() {
  python3 - "$@" << 'END' || fail "not the normal scores of the rows"
import csv, json, statistics, sys
rows = list(csv.DictReader(open(sys.argv[2])))
net = json.load(open(sys.argv[1]))["input"]
curves = net["curves"]
score = statistics.NormalDist().inv_cdf
for j, (name, curve) in enumerate(zip(("far", "rare", "same", "gaps"), curves)):
    x, count = sorted(float(r[name]) for r in rows if r[name]), len(rows)
    quantiles = []
    for i in range(count):
        place = i / (count - 1) * (len(x) - 1)
        low = int(place + 1e-9)
        quantiles.append(x[low] + (place - low if place - low > 1e-9 else 0) * (x[min(low + 1, len(x) - 1)] - x[low]))
    median = statistics.median(quantiles) # what a missing value counts as where none was missing
    assert abs(net["shift"][j] - median) < 1e-9 * (1 + abs(median)), (name, net["shift"][j], median)
    knots = dict(zip(curve["x"], curve["z"]))
    assert list(knots) == sorted(knots) and curve["z"] == sorted(curve["z"])
    for q in set(quantiles):
        among = [i for i, other in enumerate(quantiles) if abs(other - q) < 1e-9]
        want = score(min(max(sum(among) / len(among) / (count - 1), 1e-7), 1 - 1e-7)) if len(among) < count else 0
        near = min(knots, key=lambda k: abs(k - q))
        assert abs(near - q) < 1e-9 * (1 + abs(q)) and abs(knots[near] - want) < 1e-6, (name, q, near, knots[near], want)
assert len(curves[1]["x"]) == 2 and curves[2] == {"x": [3], "z": [0]}
END
}

@test "--normalize quantile: normal scores of the training rows, the same on any ranks, streamed, resumed; --init-from keeps them" {
  already_sanitized
  outliers
  local options=(--data far.csv --label y --test-fraction 0 --hidden 4 --lr 1e-3 --epochs 2 --batch 20 --lanes 3 --quiet --threads 1) mode np want
  for mode in --stream ""; do
    want=""
    for np in 1 3; do
      launch "$np" train "${quick[@]}" "${options[@]}" --normalize quantile --out "run$np$mode" --checkpoint-every 7 --keep 9 $mode
      succeeds
      [ "$output" = "${want:=$output}" ] || fail "$np ranks $mode: expected $want"
      alone export "run$np$mode/model.h5" "net$np$mode.json"
      sed -n '/curves/,/shift/p' "net$np$mode.json" > "curves$np$mode"
      cmp "curves$np$mode" curves1--stream || fail "other curves"
    done
  done
  check_scores net1.json far.csv
  launch 2 train "${quick[@]}" "${options[@]}" --normalize quantile --out run1 --resume run1/checkpoints/step-000000000007.h5
  succeeds
  [ "$output" = "$want" ] || fail "resumed: expected $want"
  head -n 61 far.csv > few.csv # 60 rows: an even number
  alone train "${quick[@]}" "${options[@]}" --data few.csv --init-from run1/model.h5 --out from
  succeeds
  alone train "${quick[@]}" "${options[@]}" --data few.csv --normalize quantile --out few
  succeeds
  alone export few/model.h5 few.json
  check_scores few.json few.csv
  alone export from/model.h5 from.json
  sed -n '/curves/,/shift/p' from.json | cmp - curves1 || fail "--init-from does not keep the curves"
}

@test "--normalize auto: columns with far values alone become normal scores, which train says; on any ranks, streamed, resumed" {
  awk 'BEGIN {
    print "near,far,gaps,color,y"
    for (i = 0; i < 300; i++)
      print i % 7 "," (i == 17 ? 1e6 : i % 11) "," (i % 5 == 3 ? "" : i == 40 ? -5e4 : i % 13 / 8) "," (i % 3 ? "red" : "blue") "," i % 7 + i % 11
  }' > far.csv
  local options=(--data far.csv --label y --test-fraction 0 --hidden 4 --lr 1e-3 --epochs 2 --batch 50 --lanes 3 --threads 1) mode np want
  for mode in --stream ""; do
    want=""
    for np in 1 3; do
      launch "$np" train "${quick[@]}" "${options[@]}" --quiet --out "run$np$mode" --checkpoint-every 7 --keep 9 $mode
      succeeds
      [ "$output" = "${want:=$output}" ] || fail "$np ranks $mode: expected $want"
    done
  done
  launch 2 train "${quick[@]}" "${options[@]}" --quiet --out run1 --resume run1/checkpoints/step-000000000007.h5
  succeeds
  [ "$output" = "$want" ] || fail "resumed: expected $want"
  alone train "${quick[@]}" "${options[@]}" --normalize mixed --out mixed
  succeeds
  says "table    'far', 'gaps': a value more than 10 deviations from the mean, so normal scores" "$want"
  alone train "${quick[@]}" "${options[@]}" --normalize standard --out standard
  succeeds
  ! grep -q "normal scores\|$want" <<< "$output" || fail "standard is not mixed"
  alone export standard/model.h5 standard.json
  alone export mixed/model.h5 mixed.json
  python3 - << 'END' || fail "not the far columns alone"
import json
mixed, standard = (json.load(open(name + ".json"))["input"] for name in ("mixed", "standard"))
assert [len(curve["x"]) > 1 for curve in mixed["curves"]] == [False, True, True, False], mixed["curves"]
assert (mixed["shift"][0], mixed["scale"][0]) == (standard["shift"][0], standard["scale"][0])
far = mixed["curves"][1]
assert far["x"][-1] == 1e6 and 5 < far["z"][-1] < 5.3 and far["z"][0] < 0
END
  sed 's/1000000/12/; s/-50000/1/' far.csv > near.csv
  alone train "${quick[@]}" "${options[@]}" --data near.csv --out near
  succeeds
  ! grep -q "normal scores" <<< "$output" || fail "no value is far"
  want=$(tail -n 1 <<< "$output")
  alone train "${quick[@]}" "${options[@]}" --data near.csv --normalize standard --out near
  [ "$(tail -n 1 <<< "$output")" = "$want" ] || fail "without far values it is standard"
}

@test "--normalize auto: 256 columns with far values become normal scores; with 257, as in sparse tables, none does" {
  local columns
  for columns in 256 257; do
    awk -v columns="$columns" 'BEGIN {
      for (j = 0; j < columns; j++) printf "x%d,", j
      print "y"
      for (i = 0; i < 160; i++) { for (j = 0; j < columns; j++) printf "%d,", i == 7 ? 99 + j : 0; print i % 9 }
    }' > sparse.csv
    alone train "${quick[@]}" --data sparse.csv --label y --task regression --test-fraction 0 --hidden 2 --epochs 1 --out "run$columns"
    succeeds
    if [ "$columns" = 256 ]; then says "'x0', 'x1', 'x2' and 253 more: a value more than 10 deviations"; fi
  done
  ! grep -q "normal scores" <<< "$output" || fail "257 columns"
}

# The edges of each column, by the formula, from the rows of a CSV file, as standard scaling makes them; then those of the model.
check_edges() {
  python3 - "$1" "$2" << 'END' || fail "not the quantiles of the rows"
import csv, json, sys
rows, net = list(csv.DictReader(open(sys.argv[1]))), json.load(open(sys.argv[2]))
layer, bins = net["layers"][0], 7
for column, (name, shift, scale) in enumerate(zip(("far", "rare", "same", "gaps"), net["input"]["shift"], net["input"]["scale"])):
    x, want = sorted(float(r[name]) for r in rows if r[name]), []
    for t in range(bins + 1):
        place = t / bins * (len(x) - 1)
        low = int(place + 1e-9)
        edge = (x[low] + (place - low) * (x[min(low + 1, len(x) - 1)] - x[low]) - shift) * scale
        want += [edge] if not want or edge > want[-1] + 1e-9 else []
    want += want[-1:] * (bins + 1 - len(want))
    assert all(abs(a - b) < 1e-5 * (1 + abs(b)) for a, b in zip(layer["edge"][column], want)), (name, layer["edge"][column], want)
assert any(layer["weight"][0]) and not any(layer["weight"][2]), "what is constant has no bins to learn from"
END
}

@test "--embed-numbers piecewise: edges are quantiles of the training rows, on any ranks, streamed; --init-from keeps them" {
  outliers
  local options=(--data far.csv --label y --test-fraction 0 --valid-fraction 0 --hidden 4 --lr 1e-2 --epochs 2 --batch 20 --lanes 3 --quiet --threads 1)
  local mode np want
  for mode in --stream ""; do
    want=""
    for np in 1 3; do
      launch "$np" train "${quick[@]}" "${options[@]}" --embed-numbers piecewise --embed-bins 7 --embed-width 2 --normalize standard --out "run$np$mode" $mode
      succeeds
      [ "$output" = "${want:=$output}" ] || fail "$np ranks $mode: expected $want"
      alone export "run$np$mode/model.h5" "net$np$mode.json"
      check_edges far.csv "net$np$mode.json"
    done
  done
  { echo new,gaps,rare,far,y; tail -n 60 far.csv | awk -F, '{ print NR % 9 "," $4 "," $2 "," $1 "," $5 }'; } > few.csv
  alone train "${quick[@]}" "${options[@]}" --data few.csv --init-from run1/model.h5 --out from
  succeeds
  alone export from/model.h5 from.json
  python3 - << 'END' || fail "--init-from does not keep the edges"
import json
was, now = (json.load(open(name))["layers"][0]["edge"] for name in ("net1.json", "from.json"))
assert now[1:] == [was[3], was[1], was[0]] and len(set(now[0])) == 8, now
END
  alone train "${quick[@]}" "${options[@]}" --data far.csv --init-from run1/model.h5 --embed-bins 5 --out never
  fails_with 2 "--init-from: edge of layer 1 is (4, 8) in the model, (4, 6) in this network" "--embed-bins"
}

@test "--clamp-predictions: no prediction leaves the range of the training targets, in files, figures and exports" {
  mkdir parts
  { echo x,y; awk 'BEGIN { for (i = 0; i < 60; i++) print i % 10 "," 3 * (i % 10) - 5 }'; } > parts/train.csv
  { echo x,y; awk 'BEGIN { for (i = -40; i < 40; i++) print i "," 3 * i - 5 }'; } > parts/valid.csv
  local options=(--data parts --label y --hidden 4 --batch 20 --lanes 3 --epochs 20 --lr 0.02 --quiet) np want=""
  for np in 1 3; do
    launch "$np" train "${quick[@]}" "${options[@]}" --clamp-predictions --threads 1 --out "run$np"
    succeeds
    [ "$output" = "${want:=$output}" ] || fail "$np ranks: expected $want"
  done
  alone predict --model run3/model.h5 --data parts/valid.csv --out clamped.csv
  alone eval --model run3/model.h5 --data parts/valid.csv --json
  succeeds
  echo "$output" > eval.json
  alone export run3/model.h5 net.json
  alone export run3/model.h5 net.c
  succeeds
  printf '#include "net.c"\n#include <stdio.h>\nint main(void) { for (double x = -40; x < 40; x++) { double y[1]; net_predict(&x, y); printf("%%.17g\\n", y[0]); } return 0; }\n' > main.c
  gcc -std=c99 -O2 -Wall -Wextra -Werror -Wno-unused main.c -o main -lm || fail "gcc"
  ./main > c.txt
  alone train "${quick[@]}" "${options[@]}" --out free
  alone predict --model free/model.h5 --data parts/valid.csv --out free.csv
  succeeds
  rmse=$(sed -n 's/^valid .*rmse \([^ ]*\) .*/\1/p' <<< "$want") python3 - << 'END' || fail "not the range of the targets, or not its figures"
import csv, json, os
net = json.load(open("net.json"))["output"]
assert net["minimum"] == [-5] and net["maximum"] == [22], net
value = lambda name: [float(row[-1]) for row in list(csv.reader(open(name)))[1:]]
clamped, free = value("clamped.csv"), value("free.csv")
assert min(clamped) == -5 and max(clamped) == 22, (min(clamped), max(clamped))
assert min(free) < -5 or max(free) > 22
for a, b in zip(map(float, open("c.txt")), clamped):
    assert abs(a - b) < 1e-5 * (1 + abs(b)), (a, b)
rmse = (sum((a - (3 * i - 5)) ** 2 for i, a in zip(range(-40, 40), clamped)) / 80) ** 0.5
assert abs(json.load(open("eval.json"))["rmse"] - rmse) < 1e-5 * rmse
assert abs(float(os.environ["rmse"]) - rmse) < 1e-5 * rmse, (os.environ["rmse"], rmse)
END
  need_h5py
  "$python" -c 'import h5py; h5py.File("run3/model.h5", "a")["target/minimum"][0] = 23'
  alone info run3/model.h5
  fails_with 1 "/target/minimum [0] is 23, above the maximum"
}

# lines NAMES: the lines of a config file in which these options stand.
lines() { grep -E "^($1) = " <<< "$output" | sort | paste -sd '|' | sed 's/ = /=/g'; }

@test "--preset tabular: what is given stays, wherever it stands; a config file repeats the run" {
  local names='lr|activation|label-smoothing|clamp-predictions|normalize|hidden|preset'
  alone train --task regression --print-config --hidden 8 --preset tabular --lr 0.005
  succeeds
  [ "$(lines "$names")" = "activation=mish|clamp-predictions=yes|hidden=8|label-smoothing=0|lr=0.005|normalize=robust|preset=tabular" ] ||
    fail "regression"
  alone train --task regression --print-config --preset tabular --clamp-predictions=no
  [ "$(lines clamp-predictions)" = clamp-predictions=no ] || fail "an option that is yes or no stays on"
  printf '[run]\nstream = yes\n' > stream.ini
  alone train --config stream.ini --stream=no --print-config
  [ "$(lines stream)" = stream=no ] || fail "the command line goes before the file"
  alone train --print-config --preset tabular --activation silu
  succeeds
  [ "$(lines "$names")" = "activation=silu|hidden=256,256,256|normalize=robust|preset=tabular" ] || fail "what the task decides is left out"
  printf '[run]\npreset = tabular\n[network]\nhidden = 8\n[optimizer]\nlr = 0.3\n' > some.ini
  alone train --config some.ini --task classification --print-config
  [ "$(lines "$names")" = "activation=selu|clamp-predictions=no|hidden=8|label-smoothing=0.1|lr=0.3|normalize=robust|preset=tabular" ] ||
    fail "a config file"
  alone train --config some.ini --task classification --preset tabular --lr 0.2 --print-config
  [ "$(lines "$names")" = "activation=selu|clamp-predictions=no|hidden=256,256,256|label-smoothing=0.1|lr=0.2|normalize=robust|preset=tabular" ] ||
    fail "a preset of the command line goes before the file"
  local want
  outliers
  alone train --data far.csv --label y --preset tabular --hidden 8 --epochs 6 --batch 20 --lanes 3 --checkpoint-every 14 --keep 9 --quiet --out whole
  succeeds
  want=$output
  [ ! -s "$errors" ] || fail "no note is expected"
  output=$(cat whole/config.ini)
  [ "$(lines "$names")" = "activation=mish|clamp-predictions=yes|hidden=8|label-smoothing=0|lr=0.07|normalize=robust|preset=tabular" ] ||
    fail "config.ini says what the task decided"
  alone train --config whole/config.ini --quiet --out again
  succeeds
  [ "$output" = "$want" ] || fail "repeated by its config file: expected $want"
  launch 3 train --data far.csv --label y --preset tabular --hidden 8 --epochs 6 --batch 20 --lanes 3 --quiet --threads 1 --out again \
    --resume whole/checkpoints/step-000000000014.h5
  succeeds
  [ "$output" = "$want" ] || fail "resumed on three ranks: expected $want"
  alone train --data far.csv --label y --preset tabular --hidden 8 --epochs 6 --batch 20 --lanes 3 --quiet --out again --lr 0.03 \
    --resume whole/checkpoints/step-000000000014.h5
  fails_with 2 "lr"
}

@test "--preset auto: tables as with tabular, on any ranks, resumed; images and own rates as with none; runs of before go on" {
  already_sanitized
  outliers
  local table=(--data far.csv --label y) run=(--hidden 8 --epochs 6 --batch 20 --lanes 3 --quiet --threads 1) tabular none option
  alone train "${table[@]}" "${run[@]}" --preset tabular --out named
  succeeds
  tabular=$output
  alone train "${table[@]}" "${run[@]}" --preset none --checkpoint-every 14 --keep 9 --out none
  succeeds
  none=$output
  [ "$none" != "$tabular" ] || fail "the preset changes nothing"
  alone train "${table[@]}" "${run[@]}" --checkpoint-every 14 --keep 9 --out whole
  succeeds
  [ "$output" = "$tabular" ] || fail "a table: expected $tabular"
  cmp named/config.ini <(sed 's/^out = .*/out = named/; s/^checkpoint-every = .*/checkpoint-every = 10min/; s/^keep = .*/keep = 2/' whole/config.ini) ||
    fail "config.ini is that of the preset"
  launch 3 train "${table[@]}" "${run[@]}" --out again --resume whole/checkpoints/step-000000000014.h5
  succeeds
  [ "$output" = "$tabular" ] || fail "resumed on three ranks: expected $tabular"
  for option in "--lr 0.005" "--optimizer adamw" "--parametrization standard" "--resume none/checkpoints/step-000000000014.h5"; do
    alone train "${table[@]}" "${run[@]}" $option --out plain
    succeeds
    [ "$output" = "$none" ] || fail "$option: expected $none"
  done
  alone train "${table[@]}" "${run[@]/--quiet/--patience=0}" --input-scale-decay 1 --out said
  succeeds
  ! grep -q "no effect" "$errors.all" || fail "the preset sets what the decay needs"
  says "preset   tabular, the default for tables" "adamw lr 0.07"
  alone train "${run[@]}" --epochs 1 --preset none --out image
  succeeds
  none=$output
  alone train "${run[@]}" --epochs 1 --out image
  succeeds
  [ "$output" = "$none" ] || fail "an image: expected $none"
}

@test "--preset auto: fewer epochs than tabular's where those are more than 8000 steps; config.ini has them" {
  outliers
  local table=(--data far.csv --label y --hidden 2 --batch 1 --lanes 1 --valid-fraction 0.5 --quiet --threads 1) auto epochs
  alone train "${table[@]}" --out auto
  succeeds
  auto=$output
  epochs=$(sed -n 's/^epochs = //p' auto/config.ini)
  grep -q '^preset = tabular$' auto/config.ini || fail "config.ini has the preset"
  [ "$epochs" -gt 10 ] && [ "$epochs" -lt 256 ] || fail "epochs $epochs"
  [ "$(wc -l < auto/metrics.csv)" = $((epochs + 1)) ] || fail "a row an epoch"
  alone train --config auto/config.ini --quiet --out again
  succeeds
  [ "$output" = "$auto" ] || fail "config.ini repeats the run: expected $auto"
  alone train "${table[@]}" --preset tabular --epochs "$epochs" --out given
  succeeds
  [ "$output" = "$auto" ] || fail "the preset with these epochs: expected $auto"
  alone train --print-config --preset tabular
  says "epochs = 256"
}

@test "--preset auto: --print-config names what the data decides, and reads it back" {
  alone train --print-config --beta2 0.9
  succeeds
  says "# lr: --preset auto decides by the data" "# activation: --preset auto" "beta2 = 0.9" "preset = auto" "hidden = 256,256,256"
  ! grep -qE "^(lr|activation|schedule|normalize) = " <<< "$output" || fail "what the data decides has no value yet"
  printf '%s\n' "$output" > some.ini
  local want=$output
  alone train --config some.ini --print-config
  [ "$output" = "$want" ] || fail "read back: $output"
  alone train --print-config --lr 0.1
  says "lr = 0.1" "activation = silu" "preset = none"
}

@test "--preset tabular-td: for values embedded numbers, dropout and decays; the same resumed on other ranks" {
  local names='embed-numbers|dropout|weight-decay|regularization-schedule|input-scale-decay|parametric-activation|optimizer|lr' want
  local run=(--data far.csv --label y --preset tabular-td --hidden 8 --epochs 6 --batch 20 --lanes 3 --quiet)
  alone train --task classification --print-config --preset tabular-td
  succeeds
  [ "$(lines "$names")" = "dropout=0|embed-numbers=none|input-scale-decay=0|lr=0.04|optimizer=adamw|parametric-activation=0|regularization-schedule=constant|weight-decay=0" ] ||
    fail "classes: $(lines "$names")"
  outliers
  alone train "${run[@]}" --checkpoint-every 14 --keep 9 --out whole
  succeeds
  want=$output
  output=$(cat whole/config.ini)
  [ "$(lines "$names")" = "dropout=0.15|embed-numbers=periodic|input-scale-decay=1|lr=0.2|optimizer=adamw|parametric-activation=0.1|regularization-schedule=flat-cosine|weight-decay=0.02" ] ||
    fail "values: $(lines "$names")"
  launch 3 train "${run[@]}" --threads 1 --out again --resume whole/checkpoints/step-000000000014.h5
  succeeds
  [ "$output" = "$want" ] || fail "resumed on three ranks: expected $want"
}
