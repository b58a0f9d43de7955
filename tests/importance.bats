# mlpdist eval --importance: permutation importance of columns.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# rows FIRST LAST VARIES: a class that kind and when decide; the column same is 3, or where VARIES is 1 it varies.
rows() {
  awk -v first="$1" -v last="$2" -v varies="$3" 'BEGIN { print "kind,when,noise,same,class"
    for (i = first; i < last; i++) { kind = substr("abc", i * 5 % 3 + 1, 1); month = i * 7 % 12 + 1
      when = i % 20 == 3 ? "" : sprintf("%d-%02d-%02d", 2001 + i % 4, month, i % 28 + 1)
      printf "%s,%s,%d,%g,%s\n", kind, when, i * i % 13, 3 + varies * (i % 9), (kind == "a") != (month > 6) ? "one" : "two" } }'
}

@test "eval --importance: columns of the table as one, the same on any ranks and threads; a column of no weight has 0" {
  rows 0 120 0 > train.csv
  rows 500 1200 1 > test.csv
  alone train "${quick[@]}" --valid-fraction 0 --data train.csv --label class --hidden 16 --epochs 20 --batch 20 --quiet --out run
  succeeds
  alone eval --model run/model.h5 --data test.csv --importance --threads 1
  succeeds
  says "rises when the values of a column are permuted" "mean and deviation of 5 repeats"
  local want names np more
  want=$(sed -n '/^importance/,$p' <<< "$output")
  names=$(sed '1,3d; s/ .*//' <<< "$want")
  [ "$(sort <<< "$names" | paste -sd' ')" = "kind noise same when" ] || fail "expected four columns, each once"
  [[ "$(head -n 2 <<< "$names" | sort | paste -sd' ')" == "kind when" ]] || fail "the columns that decide are not first"
  grep -qE '^same +0 +0$' <<< "$want" || fail "a column of weight 0 matters"
  for np in 2 3 "3 --threads 3"; do
    read -r np more <<< "$np"
    # shellcheck disable=SC2086 # an option and its value
    launch "$np" eval --model run/model.h5 --data test.csv --importance ${more:---threads 1}
    succeeds
    [ "$(sed -n '/^importance/,$p' <<< "$output")" = "$want" ] || fail "$np ranks, $more: expected $want"
  done
  alone eval --model run/model.h5 --data test.csv --importance --repeats 1 --seed 2 --json
  succeeds
  python3 - "$output" << 'END' || fail "not what the report says"
import json, sys
report = json.loads(sys.argv[1])
found = report["importance"]
assert abs(1 - report["accuracy"] - found["error"]) < 1e-12 and found["repeats"] == 1
for c in found["columns"]:
    assert c["rises"] == [c["mean"]] and c["deviation"] == 0, c
    assert (c["name"] == "same") <= (c["mean"] == 0), c
END
}

@test "eval --importance: the figures of a linear model as NumPy computes them with the same permutations" {
  already_sanitized
  for python in "${PYTHON:-python3}" /usr/bin/python3; do "$python" -c 'import numpy, h5py' 2> /dev/null && break; done
  "$python" -c 'import numpy, h5py' || skip "no Python with NumPy and h5py (Debian: python3-h5py)"
  cat > linear.py << 'END'
import json, sys, h5py, numpy as np
sys.path.insert(0, sys.argv[1])
from reference_rng import shuffled
PERMUTE, SEED, REPEATS = 11, 12345678901, 3
draw = np.random.RandomState(4)
x = draw.normal(size=(300, 3)) * (1, 10, 5)
w = np.array([[1.0, 2.0], [0, 0], [0.125, -0.25]])
y = x @ w + draw.normal(size=(300, 2))
if len(sys.argv) == 2:
    np.savez("net.npz", **{"net.weight": w.T.astype("f4"), "net.bias": np.zeros(2, "f4")})
    with h5py.File("data.h5", "w") as f:
        f["test/x"], f["test/y"] = x, y
    sys.exit()
def error(x):
    return np.sqrt(np.mean((x @ w - y) ** 2))
found = json.loads(sys.argv[2])["importance"]
assert abs(found["error"] / error(x) - 1) < 1e-6, found["error"]
assert [c["name"] for c in found["columns"]] == ["0", "2", "1"]
for c in found["columns"]:
    j, rises = int(c["name"]), []
    for r in range(REPEATS):
        z = x.copy()
        z[:, j] = x[shuffled(SEED, PERMUTE, j, r, len(x)), j]
        rises.append(error(z) - error(x))
    assert np.allclose(c["rises"], rises, rtol=0, atol=1e-5), (c, rises)
    assert abs(c["mean"] - np.mean(rises)) < 1e-5 and abs(c["deviation"] - np.std(rises)) < 1e-5, c
    assert j != 1 or c["rises"] == [0, 0, 0], c
END
  "$python" linear.py "$BATS_TEST_DIRNAME"
  alone import net.npz model.h5
  succeeds
  alone eval --model model.h5 --data data.h5 --importance --repeats 3 --seed 12345678901 --json
  succeeds
  "$python" linear.py "$BATS_TEST_DIRNAME" "$output" || fail "not NumPy's"
}

@test "eval --importance: what would do nothing, or cannot be done, is refused" {
  alone eval --repeats 3
  fails_with 2 "--repeats has no effect without --importance"
  alone eval --seed 3
  fails_with 2 "--seed has no effect without --importance"
  alone eval --importance --repeats 0
  fails_with 2 "--repeats: 0 is not in [1, 10000]"
  rows 0 40 0 > train.csv
  rows 0 1 0 > one.csv
  alone train "${quick[@]}" --valid-fraction 0 --data train.csv --label class --hidden 4 --epochs 1 --quiet --out run
  succeeds
  launch 2 eval --model run/model.h5 --data one.csv --importance
  fails_with 1 "one.csv: has 1 row, but permuting a column needs at least 2"
}
