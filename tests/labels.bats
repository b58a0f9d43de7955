# Labels in HDF5 files of other programs: texts, booleans, -1 and +1, 1 to k, numbers beyond 32 bits, floats, one-hot rows,
# outliers.

load helper

python=${PYTHON:-/usr/bin/python3}

setup_file() {
  "$python" -c "import h5py" 2> /dev/null || return 0
  cd "$BATS_FILE_TMPDIR"
  "$python" - <<'EOF'
import h5py, numpy as np
r = np.random.default_rng(16); n = 600
x = r.normal(size=(n, 4)).astype("f4"); y = (x[:, 0] + x[:, 1] > 0).astype(int)
def write(name, labels, **more):
    with h5py.File(name + ".h5", "w") as f:
        for part, a, b in (("train", 0, 400), ("valid", 400, 500), ("test", 500, n)):
            f[part + "/x"] = x[a:b]
            f.create_dataset(part + "/y", data=labels[a:b], **more)
names = np.array(["no", "yes"])[y]
write("plain", y)
write("text", names.astype("S3"))
write("varying", names.astype(object), dtype=h5py.string_dtype())
write("packed", names.astype("S3"), chunks=(50,), compression="gzip")
t = h5py.h5t.C_S1.copy(); t.set_size(4); t.set_strpad(h5py.h5t.STR_SPACEPAD)
write("blanks", y)
with h5py.File("blanks.h5", "a") as f: # as Fortran writes it
    for part, a, b in (("train", 0, 400), ("valid", 400, 500), ("test", 500, n)):
        del f[part + "/y"]
        d = h5py.h5d.create(f[part].id, b"y", t, h5py.h5s.create_simple((b - a,)))
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"no  ", b"yes "])[y[a:b]], mtype=t)
write("bool", y.astype(bool))
write("named", y, dtype=h5py.enum_dtype({"low": 0, "high": 1}, "i2"))
write("column", y[:, None])
write("big", y.astype("i8") + 2**31)
write("ids", y.astype("i8") * 4000000000)
write("from1", y + 1)
write("signs", 2 * y - 1)
write("floats", y.astype("f8"))
write("signfloats", (2 * y - 1).astype("f4"))
write("onehot", np.eye(2)[y].astype("u1"))
write("onehotf", np.eye(2, dtype="f4")[y])
def with_one(value, row, dtype="i8"):
    s = y.astype(dtype); s[row] = value
    return s
write("stray", with_one(999999, 77))
write("straytest", with_one(999999, 555))
write("huge", with_one(2**40, 77))
write("minus", np.where(np.arange(n) == 77, -1, r.integers(0, 9, n)))
write("void", with_one(255, 77, "u1"))
write("empty", np.where(np.arange(n) == 77, b"", names.astype("S3")))
write("alldifferent", np.array([b"row %d" % i for i in range(n)]))
write("many", r.permutation(n) * 17)
write("counts", r.integers(0, 5, n).astype("f4"))
write("manyclasses", np.concatenate([np.arange(300), np.arange(300)]) + 1000)
write("digits", np.array([b"%d" % (2 * v + 9) for v in y]))
s = with_one(0, 0).astype("f4"); s[5] = 0.5
write("fraction", s)
o = np.eye(3)[r.integers(0, 3, n)]; o[77] = (0.5, 0.5, 0)
write("soft", o)
EOF
}

setup() {
  "$python" -c "import h5py" 2> /dev/null || skip "no h5py (package python3-h5py)"
  cd "$BATS_FILE_TMPDIR"
}

train() { # NAME OPTION...
  alone train "${quick[@]}" --data "$1.h5" --epochs 2 --batch 50 --quiet --out "$BATS_TEST_TMPDIR/$1" "${@:2}"
}

digest() { sed -n 's/^digest //p' <<< "$output"; }

@test "labels of every spelling are the same classes and give the same weights" {
  train plain
  succeeds
  local want name
  want=$(digest)
  for name in text varying packed blanks bool named column big ids from1 signs floats signfloats onehot onehotf digits; do
    train $name
    succeeds
    [ "$(digest)" = "$want" ] || fail "$name: expected digest $want"
    says "accuracy 0.9"
  done
}

@test "labels that are not 0, 1, 2, ... are noted, and name the classes" {
  local name words
  while read -r name words; do
    train "$name"
    grep -qF -- "$words" "$errors.all" || fail "$name: expected a note of '$words'"
  done <<'EOF'
from1 the labels 1 and 2 of /train/y are read as 2 classes
signs the labels -1 and 1 of /train/y are read as 2 classes
big the labels 2147483648 and 2147483649 of
floats holds only 0 and 1: read as classes; --task regression
signfloats holds only -1 and 1: read as classes
onehot holds one-hot rows: read as 2 classes
counts holds only the whole numbers 0, 1, 2, ..., 4: read as values
many different whole numbers in 600 rows: read as values; --task classification
EOF
  train signs
  alone eval --data signs.h5 --model "$BATS_TEST_TMPDIR/signs/model.h5"
  succeeds
  says "-1 "
  train plain
  ! grep -q note "$errors.all" || fail "expected no note"
}

@test "text, named and numbered labels are matched by name, whatever the file" {
  train text
  local model="$BATS_TEST_TMPDIR/text/model.h5"
  "$python" - <<'EOF'
import h5py, numpy as np
with h5py.File("text.h5") as a, h5py.File("one.h5", "w") as b, h5py.File("other.h5", "w") as c:
    keep = a["test/y"][()] == b"yes"
    b["test/x"] = a["test/x"][()][keep]; b["test/y"] = a["test/y"][()][keep]
    c["test/x"] = a["test/x"][()]; c["test/y"] = np.where(np.arange(100) == 3, b"maybe", a["test/y"][()])
with h5py.File("from1.h5") as a, h5py.File("twos.h5", "w") as b, h5py.File("threes.h5", "w") as c:
    keep = a["test/y"][()] == 2
    b["test/x"] = a["test/x"][()][keep]; b["test/y"] = a["test/y"][()][keep]
    c["test/x"] = a["test/x"][()]; c["test/y"] = a["test/y"][()] + 1
EOF
  alone eval --data one.h5 --model "$model"
  succeeds
  says "accuracy  0.9" "yes                        1.0000"
  alone eval --data other.h5 --model "$model"
  fails_with 1 "/test/y holds 'maybe' at row 3"
  alone eval --data bool.h5 --model "$model"
  succeeds
  train from1
  alone eval --data twos.h5 --model "$BATS_TEST_TMPDIR/from1/model.h5"
  succeeds
  says "accuracy  0.9"
  alone eval --data threes.h5 --model "$BATS_TEST_TMPDIR/from1/model.h5"
  fails_with 1 "/test/y holds 3 at row" "not a class of the model"
  alone predict --data text.h5 --model "$model" --out "$BATS_TEST_TMPDIR/p.csv"
  succeeds
  [ "$(cut -d, -f1 "$BATS_TEST_TMPDIR/p.csv" | tail -n +2 | sort -u | tr '\n' ' ')" != "0 1 " ] || fail "expected names"
  grep -q yes "$BATS_TEST_TMPDIR/p.csv" || fail "expected names"
}

@test "labels that are none are refused with the row and a cure" {
  train stray
  fails_with 1 "stray.h5: /train/y holds 999999 at row 77" "--classes 1000000" "--task regression"
  train straytest
  fails_with 1 "y of the test part holds 999999 at row 55"
  train huge
  fails_with 1 "holds 1099511627776 at row 77" "drop the row"
  train minus
  fails_with 1 "/train/y holds -1 at row 77"
  train void
  fails_with 1 "holds 255 at row 77" "--classes 256"
  train void --classes 256
  succeeds
  train empty
  fails_with 1 "holds an empty text at row 77"
  train alldifferent
  fails_with 1 "600 different texts in 600 rows"
  train text --task regression
  fails_with 1 "/train/y holds text, but a regression needs numbers"
  train fraction --task classification
  fails_with 1 "holds 0.5 at row 5"
  train soft --task classification
  fails_with 1 "3 columns, but classes are one column, or one-hot rows"
  train soft
  succeeds
  says rmse
  train counts --task classification
  succeeds
  says accuracy
}

@test "hundreds of classes that begin far from 0 are as many classes, not as many as the largest label" {
  alone train "${quick[@]}" --data manyclasses.h5 --epochs 1 --batch 50 --out "$BATS_TEST_TMPDIR/manyclasses"
  succeeds
  says "4 values, 300 classes"
}

@test "classes of texts do not depend on ranks, streaming or a split drawn from the rows" {
  already_sanitized
  local want options
  launch 3 train "${quick[@]}" --data varying.h5 --epochs 2 --batch 50 --quiet --lanes 4 --stream --out "$BATS_TEST_TMPDIR/v3"
  succeeds
  want=$(digest)
  train varying --lanes 4 --stream
  succeeds
  [ "$(digest)" = "$want" ] || fail "expected digest $want"
  "$python" -c '
import h5py
with h5py.File("varying.h5") as a, h5py.File("alone.h5", "w") as b:
    for n in "xy": b.create_dataset("train/" + n, data=a["train/" + n][()], dtype=a["train/" + n].dtype)'
  for options in "" "--stream"; do
    train alone --lanes 4 --valid-fraction 0.2 $options
    succeeds
    want=$(digest)
    launch 2 train "${quick[@]}" --data alone.h5 --epochs 2 --batch 50 --quiet --out "$BATS_TEST_TMPDIR/a2" --lanes 4 --valid-fraction 0.2 $options
    succeeds
    [ "$(digest)" = "$want" ] || fail "expected digest $want"
  done
}

@test "info counts labels of every kind" {
  alone info text.h5
  succeeds
  says "targets of text" "'no': " "text of 3 bytes"
  alone info onehot.h5
  succeeds
  says "one-hot rows of 2 classes"
  alone info signs.h5
  succeeds
  says "rows of each label: -1: " ", 1: "
  alone info stray.h5
  succeeds
  says "label 999999 at row 77 is far from the others"
}

@test "names that stand twice, or are too few, and labels beyond 2^63 are refused with their places" {
  "$python" - <<'PYTHON'
import h5py, numpy as np
def write(name, classes, columns, y=np.arange(60) % 3):
    with h5py.File(name + ".h5", "w") as f:
        f["train/x"] = np.arange(180.0).reshape(60, 3) % 7
        f["train/y"] = y
        if classes: f["class_names"] = np.array(classes, "S")
        if columns: f["columns/name"] = np.array(columns, "S")
write("fewclasses", ["u", "v"], None)
write("whole", None, None)
write("more", None, None, np.arange(60) % 4)
write("parts", None, None, np.arange(60) % 4 / 2)
write("twiceclass", ["u", "v", "v"], None)
write("twicecolumn", None, ["a", "b", "a"])
write("fewcolumns", None, ["a", "b"])
write("unsigned", None, None, (np.arange(60) % 3).astype("u8") + np.uint64(2**63))
PYTHON
  alone train "${quick[@]}" --data fewclasses.h5 --epochs 1
  fails_with 1 "fewclasses.h5: /train/y holds class 2 at row 2 (from 0), but /class_names or --classes has 2"
  alone train "${quick[@]}" --data whole.h5 --classes 3 --epochs 1 --out run --quiet
  launch 2 eval --model run/model.h5 --data more.h5 --part train
  fails_with 1 "more.h5: /train/y holds class 3 at row 3 (from 0), but the model knows 3 classes, from 0 to 2"
  alone eval --model run/model.h5 --data parts.h5 --part train
  fails_with 1 "holds 0.5 at row 1 (from 0), which is not a class; the model predicts classes"
  launch 2 train "${quick[@]}" --data twiceclass.h5 --epochs 1 --lanes 2
  fails_with 1 "twiceclass.h5: /class_names holds 'v' at 1 and 2 (from 0): names must differ"
  alone train "${quick[@]}" --data twicecolumn.h5 --epochs 1
  fails_with 1 "twicecolumn.h5: /columns/name holds 'a' at 0 and 2 (from 0)"
  alone train "${quick[@]}" --data fewcolumns.h5 --epochs 1
  fails_with 1 "fewcolumns.h5: /columns/name holds 2 names, but /train/x has 3 columns"
  launch 2 train "${quick[@]}" --data unsigned.h5 --epochs 1 --lanes 2
  fails_with 1 "unsigned.h5: /train/y holds a whole number of 2^63 - 1 or more at row"
}
