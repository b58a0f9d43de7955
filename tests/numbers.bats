# early: it takes about a minute, and would keep one core busy at the end.
# Numbers of any size and offset: scaled without losing digits, or named.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# figure WORD: the number after it in the first line of output.
figure() { sed -n "1s/.*$1 \([0-9.e+-]*\).*/\1/p" <<< "$output"; }

# below A B: A < B, decimal fractions.
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 < b + 0) }'; }

@test "a large offset with a small spread trains as well as the spread alone, inputs and targets" {
  unless_sanitized "errors of training: compared in the build without sanitizers; test_normalize runs under them"
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(15)
spread = draw.uniform(0, 3600, 1500).round(1)
y = np.sin(spread / 3600 * 6.28)

def write(name, x, y):
    with h5py.File(name + ".h5", "w") as file:
        for part, rows in (("train", slice(0, 1200)), ("test", slice(1200, None))):
            file[part + "/x"] = x[rows, None]
            file[part + "/y"] = y[rows]

write("plain", spread, y)
write("float64", 1.6e9 + spread, y)
write("int64", (1.6e12 + 1e3 * spread).astype("i8"), y)
write("int32", (1.6e9 + spread).astype("i4"), y)
write("uint32", (4.2e9 + spread).astype("u4"), y)
write("julian", 2459000.5 + spread / 86400, y)
write("target", spread, 1.6e9 + 600 * y)
write("target32", spread, (1.6e9 + 600 * y).astype("i4"))
EOF
  local name rmse
  for name in plain float64 int64 int32 uint32 julian; do
    alone train "${quick[@]}" --data "$name.h5" --epochs 25 --batch 64 --lr 0.2 --quiet --activation tanh --threads 1 --out "$name"
    succeeds
    rmse=$(figure rmse)
    below "$rmse" 0.05 || fail "$name: rmse $rmse"
  done
  for name in target target32; do
    alone train "${quick[@]}" --data "$name.h5" --task regression --epochs 25 --batch 64 --lr 0.2 --quiet --activation tanh --threads 1 --out "$name"
    succeeds
    rmse=$(figure rmse)
    below "$rmse" 30 || fail "$name: rmse $rmse"
    alone eval --model "$name/model.h5" --data "$name.h5"
    succeeds
  done
  # The same in windows from the file, and predictions with the digits that the spread needs.
  local held
  alone train "${quick[@]}" --data target.h5 --epochs 1 --lr 0 --batch 64 --quiet --threads 1 --out held
  succeeds
  held=$(figure rmse)
  alone train "${quick[@]}" --data target.h5 --epochs 1 --lr 0 --batch 64 --quiet --threads 1 --stream --out streamed
  succeeds
  [ "$(figure rmse)" = "$held" ] || fail "streamed: not $held"
  alone predict --model target/model.h5 --data target.h5 --out p.csv
  succeeds
  alone predict --model target/model.h5 --data target.h5 --out p.h5
  succeeds
  "$python" - << 'EOF' || fail "predictions have lost digits"
import csv
import h5py
import numpy as np

read = np.array([float(row["value_0"] if "value_0" in row else list(row.values())[1]) for row in csv.DictReader(open("p.csv"))])
with h5py.File("p.h5") as p, h5py.File("target.h5") as file:
    value, y = p["value"][()].ravel(), file["test/y"][()]
assert value.dtype == np.float64
assert np.sqrt(np.mean((value - y) ** 2)) < 30
assert np.abs(read - value).max() < 1e-4
EOF
}

@test "columns of scale 1e-40, 3e38 or 1e100 train as those of scale 1" {
  unless_sanitized "errors of training: compared in the build without sanitizers; test_normalize runs under them"
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(2)
x = draw.standard_normal((900, 3))
y = (x.sum(1) > 0).astype("i4")
for name, size, kind in (("one", 1, "f8"), ("denormal", 1e-40, "f4"), ("huge", 5e37, "f4"), ("wide", 1e100, "f8"), ("narrow", 1e-200, "f8")):
    with h5py.File(name + ".h5", "w") as file:
        for part, rows in (("train", slice(0, 700)), ("test", slice(700, None))):
            file[part + "/x"] = (x[rows] * [size, 1, 1]).astype(kind)
            file[part + "/y"] = y[rows]
EOF
  local name accuracy
  for name in one denormal huge wide narrow; do
    alone train "${quick[@]}" --data "$name.h5" --epochs 15 --batch 32 --hidden 8 --quiet --threads 1 --out run
    succeeds
    accuracy=$(figure accuracy)
    below 0.93 "$accuracy" || fail "$name: accuracy $accuracy"
  done
}

@test "a table of bytes is scaled column by column, images by one range" {
  unless_sanitized "errors of training: compared in the build without sanitizers; test_normalize runs under them"
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(38)
n = 3000
flag, kids = draw.integers(0, 2, n), draw.integers(0, 6, n)
x = np.column_stack([draw.integers(18, 91, n), draw.integers(80, 201, n), flag, kids, draw.integers(0, 256, (n, 6))])
y = (3 * (flag - 0.5) + kids - 2.5 + draw.logistic(size=n) > 0).astype("i4")
np.save("x.npy", x.astype("u1"))
np.save("y.npy", y)
with open("table.csv", "w") as file:
    file.write("age,pressure,flag,kids,n0,n1,n2,n3,n4,n5,y\n")
    for row, k in zip(x, y):
        file.write(",".join(map(str, row)) + f",{k}\n")
with h5py.File("plain.h5", "w") as file:
    for part, rows in (("train", slice(0, 2400)), ("test", slice(2400, None))):
        file[part + "/x"] = x[rows].astype("u1")
        file[part + "/y"] = y[rows]
EOF
  alone convert table.csv csv.h5
  succeeds
  alone convert x.npy y.npy npy.h5
  succeeds
  local name mode accuracy
  for name in csv npy plain; do
    for mode in "" --stream; do
      alone train "${quick[@]}" --data "$name.h5" --epochs 10 --quiet --save last --threads 1 $mode --out "run-$name"
      succeeds
      accuracy=$(figure accuracy)
      below 0.74 "$accuracy" || fail "$name $mode: accuracy $accuracy"
      grep -q "^normalize = " "run-$name/config.ini" || fail "no normalize in config.ini"
    done
  done
  local digest
  alone train "${quick[@]}" --epochs 1 --quiet --out digits
  succeeds
  digest=$(last_line)
  alone train "${quick[@]}" --epochs 1 --quiet --normalize scale --out digits
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "the digits are no images"
}

@test "rows that overflow are named, and no class is" {
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(4)
x = draw.standard_normal((400, 3)).astype("f4")
x[:, 2] *= 1e-3
with h5py.File("data.h5", "w") as file:
    file["train/x"] = x
    file["train/y"] = (x[:, 0] > 0).astype("i4")
    x[123, 2] = 3e38
    file["test/x"] = x
    file["test/y"] = (x[:, 0] > 0).astype("i4")
with h5py.File("good.h5", "w") as file:
    file["train/x"] = x[:100]
    file["train/y"] = (x[:100, 0] > 0).astype("i4")
EOF
  alone train "${quick[@]}" --data good.h5 --epochs 2 --batch 32 --hidden 8 --quiet --out run
  succeeds
  local np
  for np in 1 2; do
    on "$np" eval --model run/model.h5 --data data.h5
    fails_with 1 "data.h5: row 123 (from 0) of the test part" "column 2 (from 0)"
    on "$np" predict --model run/model.h5 --data data.h5 --out p.csv
    fails_with 1 "data.h5: row 123 (from 0) of the test part"
    [ ! -e p.csv ] || fail "predictions are left"
  done
  # an infinite value is NaN behind the clip
  alone train "${quick[@]}" --preset tabular --data good.h5 --epochs 2 --batch 32 --hidden 8 --quiet --out clipped
  succeeds
  alone eval --model clipped/model.h5 --data data.h5
  fails_with 1 "data.h5: row 123 (from 0) of the test part" "column 2 (from 0)"
}

@test "weights count by their ratios: equal ones change nothing; none, negative ones and NaN are named" {
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(6)
x = draw.standard_normal((300, 3))
y = (x[:, 0] > 0).astype("i4")
some = draw.uniform(0.1, 1, 300)
bad = np.ones(300)
bad[17] = -2
nan = np.ones(300)
nan[290] = np.nan
for name, weight in (("none", None), ("tiny", 0 * some + 1e-30), ("huge", 0 * some + 3e38), ("some", some),
                     ("scaled", some * 2.0**100), ("zero", 0 * some), ("bad", bad), ("nan", nan)):
    with h5py.File(name + ".h5", "w") as file:
        for part, rows in (("train", slice(0, 300)), ("valid", slice(0, 60))):
            file[part + "/x"] = x[rows]
            file[part + "/y"] = y[rows]
            if weight is not None:
                file[part + "/weight"] = weight[rows]
EOF
  local name digest mode np
  for mode in "" --stream; do
    digest=
    for name in none tiny huge; do
      alone train "${quick[@]}" --data "$name.h5" --epochs 2 --batch 32 --hidden 4 --quiet --threads 1 $mode --out run
      succeeds
      : "${digest:=$output}"
      [ "$output" = "$digest" ] || fail "$name: not $digest"
    done
    digest=
    for name in some scaled; do
      alone train "${quick[@]}" --data "$name.h5" --epochs 2 --batch 32 --hidden 4 --quiet --threads 1 $mode --out run
      succeeds
      : "${digest:=$output}"
      [ "$output" = "$digest" ] || fail "$name: not $digest"
    done
    for np in 1 2; do
      on "$np" train "${quick[@]}" --data zero.h5 --epochs 2 --batch 32 --hidden 4 --quiet $mode --out run
      fails_with 1 "zero.h5: the weights in /train/weight are all 0"
      on "$np" train "${quick[@]}" --data bad.h5 --epochs 2 --batch 32 --hidden 4 --quiet $mode --out run
      fails_with 1 "bad.h5: /train/weight holds -2 at row 17"
      on "$np" train "${quick[@]}" --data nan.h5 --epochs 2 --batch 32 --hidden 4 --quiet $mode --out run
      fails_with 1 "nan.h5: /train/weight holds nan at row 290"
    done
  done
}

@test "losses and outputs that cannot fit their targets are refused, on all ranks; --patience without validation is noted" {
  need_h5py
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(9)
x = draw.standard_normal((200, 3))
for name, y in (("one", draw.random(200)), ("values", 5 * draw.standard_normal((200, 2))), ("shares", np.c_[x[:, 0] > 0, x[:, 0] <= 0]), ("parts", np.full((200, 2), (0.25, 0.5)))):
    with h5py.File(name + ".h5", "w") as file:
        file["train/x"] = x
        file["train/y"] = y.astype("f8")
EOF
  local np mode
  for np in 1 2; do
    for mode in "" --stream; do
      on "$np" train "${quick[@]}" --data one.h5 --task regression --loss cross-entropy --epochs 1 --quiet $mode --out run
      fails_with 1 "one.h5: one target column cannot be fitted" "--loss mse"
      on "$np" train "${quick[@]}" --data values.h5 --task regression --loss binary-cross-entropy --epochs 1 --quiet $mode --out run
      fails_with 1 "values.h5: target column 0 (from 0) holds" "0 to 1" "--loss mse"
      on "$np" train "${quick[@]}" --data values.h5 --task regression --output-activation tanh --epochs 1 --quiet $mode --out run
      fails_with 1 "values.h5: target column 0 (from 0) holds" "-1 to 1"
    done
  done
  alone train "${quick[@]}" --data shares.h5 --task regression --loss cross-entropy --epochs 1 --quiet --out run
  succeeds
  ! grep -q "on average" "$errors.all" || fail "shares sum to 1"
  for mode in "" --stream; do
    on 2 train "${quick[@]}" --data parts.h5 --task regression --loss cross-entropy --epochs 1 --quiet $mode --out run
    succeeds
    [ "$(grep -c "note: parts.h5: the 2 targets of a row sum to 0.75 on average" "$errors.all")" -eq 1 ] || fail "no note"
  done
  alone train "${quick[@]}" --data one.h5 --valid-fraction 0 --loss binary-cross-entropy --patience 2 --epochs 1 --quiet --out run
  succeeds
  grep -q "note: there is no validation part, so --patience is not used; --valid-fraction makes one" "$errors.all" ||
    fail "no note"
  alone train "${quick[@]}" --data one.h5 --valid-fraction 0.2 --patience 2 --epochs 1 --quiet --out run
  succeeds
  ! grep -q patience "$errors.all" || fail "a note too many"
}

@test "validation rows that were drawn with weight 0 alone are named" {
  need_h5py
  "$python" - "$BATS_TEST_TMPDIR/w.h5" << 'END'
import sys, h5py, numpy as np
r = np.random.default_rng(1)
with h5py.File(sys.argv[1], "w") as f:
    f["train/x"], f["train/y"] = r.normal(size=(40, 3)), r.normal(size=40)
    f["train/weight"] = np.array([1.0] * 3 + [0.0] * 37)
END
  for np in 1 2; do
    on "$np" train "${quick[@]}" --data "$BATS_TEST_TMPDIR/w.h5" --valid-fraction 0.1 --batch 8 --seed 3 --epochs 2 --quiet \
      --out "$BATS_TEST_TMPDIR/zero"
    fails_with 1 "all validation rows have weight 0" "--seed"
  done
}

@test "ranks whose models differ in their normalisation alone are refused" {
  local how
  for how in none standard; do
    alone train "${quick[@]}" --lr 0 --epochs 1 --normalize "$how" --quiet --out "$BATS_TEST_TMPDIR/$how"
    succeeds
    last_line
  done > "$BATS_TEST_TMPDIR/digests"
  [ "$(sort -u "$BATS_TEST_TMPDIR/digests" | wc -l)" = 1 ] || fail "the weights differ"
  unlike "$MLPDIST" eval --model "$BATS_TEST_TMPDIR/none/model.h5" -- "$MLPDIST" eval --model "$BATS_TEST_TMPDIR/standard/model.h5"
  fails_with 2 "rank 1 of 2" "checksum of its other parts"
}

@test "--normalize none leaves large targets standardised; --normalize-targets none does not" {
  awk -v OFS=, 'BEGIN { print "a,b,y"; for (i = 0; i < 80; i++) print i % 7 / 7, i % 5 / 5, 1e6 * (i % 7 + 2 * (i % 5)) }' > large.csv
  local how="--data large.csv --label y --task regression --hidden 8 --optimizer momentum --lr 0.1 --batch 16 --epochs 60 --quiet"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $how --normalize none --out standard
  succeeds
  local rmse
  rmse=$(sed -n 's/^valid .*rmse \([^ ]*\) .*/\1/p' <<< "$output")
  awk -v rmse="$rmse" 'BEGIN { exit !(rmse > 0 && rmse < 5e5) }' || fail "the targets deviate by 3.4e6"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $how --normalize-targets none --epochs 1 --lr 1e-12 --out none
  succeeds
  rmse=$(sed -n 's/^valid .*rmse \([^ ]*\) .*/\1/p' <<< "$output")
  awk -v rmse="$rmse" 'BEGIN { exit !(rmse > 5e6) }' || fail "the network begins near 0, the targets have mean 7e6"
}

@test "--normalize none: a number that float32 does not hold is named, and the learning rate is not blamed" {
  local stream
  awk -v OFS=, 'BEGIN { print "a,b,y"; for (i = 0; i < 80; i++) print i == 33 ? "1e60" : i % 7 "." i, i % 5, i % 3 }' > far.csv
  alone convert far.csv far.h5 --label y --task classification --test-fraction 0 --valid-fraction 0
  succeeds
  for stream in "" --stream; do
    # shellcheck disable=SC2086
    launch 2 train "${quick[@]}" --quiet --data far.h5 --normalize none --batch 16 --out run $stream
    fails_with 1 "far.h5: /train/x holds 1e+60 at row 33, column 0" "too large for 32-bit floats" "--normalize standard"
    # shellcheck disable=SC2086
    launch 2 train "${quick[@]}" --quiet --data far.h5 --batch 16 --epochs 1 --out run $stream
    succeeds
  done
}
