# scripts/make-synthetic: the same file for any number of processes, in the schema, labelled by the named teacher.

load helper

setup() {
  unless_sanitized "a test of scripts, made with the build without sanitizers"
  cd "$BATS_TEST_TMPDIR" || return 1
  : > "$errors"
  /usr/bin/python3 -c 'import numpy, h5py' 2> /dev/null || skip "no Python with NumPy and h5py (package python3-h5py)"
}

make_synthetic() {
  status=0
  output=$(timeout "$hang_after" "$BATS_TEST_DIRNAME/../scripts/make-synthetic" "$@" 2>&1) || status=$?
}

@test "HIGGS's shape: the same bytes from 1 and 3 processes, others from another seed" {
  local jobs
  for jobs in 1 3; do
    make_synthetic "$jobs.h5" --rows 20000 --block-rows 1000 --jobs "$jobs"
    succeeds
    says "18000 train, 1000 valid, 1000 test rows of 28 values, 2 classes (at best accuracy 0.95)"
  done
  cmp 1.h5 3.h5 || fail "other bytes"
  make_synthetic other.h5 --rows 20000 --block-rows 1000 --seed 2
  ! cmp -s 1.h5 other.h5 || fail "the same bytes"
  alone info 1.h5
  succeeds
  says "train: 18000 rows, 28 features of float32, integer classes" "/valid/x" "/test/y"
}

@test "the stored teacher gives the classes, but for the noise" {
  make_synthetic bytes.h5 --rows 4000 --features 12 --classes 5 --dtype uint8 --noise 0.2 --block-rows 700
  succeeds
  make_synthetic clean.h5 --rows 4000 --targets 2 --features 12 --noise 0
  succeeds
  /usr/bin/python3 - << 'END' || fail "not the teacher's"
import h5py, numpy as np
def outputs(f, x):
    t = {name: f["teacher/" + name][()] for name in f["teacher"]}
    y = np.tanh(x @ t["hidden_weight"] + t["hidden_bias"]) @ t["output_weight"]
    return (y + t["output_shift"]) * t["output_scale"]
with h5py.File("bytes.h5") as f:
    assert f["train/x"].dtype == np.uint8 and f["train/x"].shape == (3600, 12)
    for part in ("train", "valid", "test"):
        y = outputs(f, (f[part + "/x"][()].astype("f8") - 128) / 32).argmax(axis=1)
        right = (y == f[part + "/y"][()]).mean()
        assert abs(right - 0.84) < 0.07, (part, right)  # 1 - 0.2 (1 - 1/5); of 200 rows within 2.7 deviations
    assert np.bincount(f["train/y"][()]).min() > 300  # no class is rare
    assert not (f["train/x"][:200] == f["valid/x"][()]).all(axis=1).any()  # parts are drawn apart
    x = f["train/x"][()]
    assert not (x[:700] == x[700:1400]).all(axis=1).any()  # and blocks
with h5py.File("clean.h5") as f:
    x, y = f["train/x"][()].astype("f8"), f["train/y"][()]
    assert y.shape == (3600, 2) and np.abs(outputs(f, x) - y).max() < 1e-5 and abs(y.std() - 1) < 0.1
END
}

@test "a student learns what the teacher knows" {
  make_synthetic d.h5 --rows 12000 --features 8 --noise 0
  succeeds
  says "(at best accuracy 1)"
  alone train "${quick[@]}" --data d.h5 --epochs 20 --hidden 32 --batch 128 --quiet
  succeeds
  awk '/^test/ { right = $5 } END { exit !(right > 0.9) }' <<< "$output" || fail "learned little"
}

@test "options that make no sense; a file that cannot be written leaves nothing" {
  local words
  for words in "--rows 0" "--classes 1" "--classes 2 --targets 1" "--noise 2" "--valid-fraction 0.6 --test-fraction 0.5"; do
    # shellcheck disable=SC2086 # words are wanted
    make_synthetic x.h5 $words
    [ "$status" = 2 ] || fail "expected status 2 of $words"
  done
  make_synthetic nowhere/x.h5 --rows 100
  [ "$status" = 1 ] || fail "expected status 1"
  says "make-synthetic: nowhere/x.h5: "
  local limit
  for limit in 0 8 17; do # nothing; not the last arrays; all but what HDF5 writes when the file is closed
    output=$(ulimit -f "$limit" && make_synthetic full.h5 --rows 100 && printf '%s' "$output")
    [ "$output" = "make-synthetic: full.h5: File too large" ] || fail "expected one line with $limit KiB: $output"
  done
  [ -z "$(ls -A . | grep -v '^errors')" ] || fail "files are left: $(ls -A)"
  make_synthetic large.h5 --rows 1000000000000000 --features 1 --block-rows 1000000000000000 --jobs 1
  [ "$status" = 1 ] || fail "expected status 1"
  says "MemoryError"
}
