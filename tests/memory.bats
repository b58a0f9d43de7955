# Memory: the estimate before it is allocated, and the use measured afterwards.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "a run that does not fit ends before it allocates: one line on any number of ranks" {
  local np
  for np in 1 2 3; do
    launch "$np" train "${quick[@]}" --hidden 3000000,3000000 --out run
    fails_with 1 "not enough memory" "GB are available" "parameters and optimizer state" "smaller network"
    [ ! -e run/model.h5 ] || fail "a model is left"
  done
}

@test "the peak is what was expected" {
  unless_sanitized "the address sanitizer takes memory of its own"
  local np line peak expected
  for np in 1 2; do
    launch "$np" train "${quick[@]}" --epochs 1 --hidden 1024,1024 --optimizer adam --batch 1024 --threads 1 --out "run-$np"
    succeeds
    line=$(grep '^memory ' <<< "$output") || fail "no line"
    read -r peak expected <<< "$(sed -n 's/^memory *\([0-9]*\)\.[0-9]* MB at most on a rank, \([0-9]*\)\.[0-9]* MB expected.*/\1 \2/p' <<< "$line")"
    # Other libraries and systems differ by more than the tenth that is the aim.
    [ $((peak * 100)) -gt $((expected * 75)) ] && [ $((peak * 100)) -lt $((expected * 130)) ] || fail "$line"
  done
}

@test "info tells what the rows and the network will take" {
  alone info "$MLPDIST_DATA_DIR/digits.h5"
  succeeds
  # 1797 rows of 64 bytes and a class of 4, and the order of the 1259 training rows, 4 bytes each.
  says "memory for the rows, on each rank: 127.2 KB on 1 rank, " ", 15.9 KB on 8 ranks"
  alone train "${quick[@]}" --quiet --epochs 1 --hidden 16 --optimizer adam --batch 128 --out run
  succeeds
  alone info run/model.h5
  succeeds
  says "memory to train it with one thread per rank, without the rows (adam, batch 128)" " MB on 1 rank, " "gradients 4.9 KB" "copy for checkpoints"
}

# take_peak: measured gets the MB of the peak, expected those of the estimate.
take_peak() {
  read -r measured expected <<< "$(sed -n 's/^memory *\([0-9]*\)\.[0-9]* MB at most on a rank, \([0-9]*\)\.[0-9]* MB expected.*/\1 \2/p' <<< "$output")"
  [ -n "$measured" ] || fail "no line about memory"
}

@test "--memory holds for wide targets, wide rows and tiny files" {
  need_h5py
  unless_sanitized "the address sanitizer takes memory of its own"
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(5)
for name, rows, columns, targets in (("targets.h5", 3000, 4, 1000), ("rows.h5", 600, 5000, 1), ("tiny.h5", 40, 1, 1)):
    with h5py.File(name, "w") as file:
        for part, n in (("train", rows), ("valid", rows // 2), ("test", rows // 2)):
            file[part + "/x"] = draw.integers(0, 200, (n, columns), dtype="u1")
            file[part + "/y"] = draw.standard_normal((n, targets)).astype("f4")
with h5py.File("real.h5", "w") as file:
    for part, n in (("train", 300), ("valid", 50), ("test", 50)):
        file[part + "/x"] = draw.standard_normal((n, 1000)).astype("f4")
        file[part + "/y"] = draw.standard_normal((n, 1)).astype("f4")
EOF
  local file limit threads how more
  beyond_base
  while read -r file limit threads how more; do
    limit=$((limit + more_base))
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --data "$file.h5" --stream --window 64 --memory "${limit}e6" --hidden 4 --epochs 1 --batch 32 \
      --threads "$threads" --normalize "$how" --checkpoint-every never --out run $more
    succeeds
    take_peak
    [ "$measured" -le "$limit" ] || fail "$file on $threads threads: $measured MB, not $limit"
    [ $((measured * 100)) -gt $((expected * 40)) ] || fail "$file on $threads threads: $measured MB, $expected expected"
    [ $((measured * 100)) -le $((expected * 115)) ] || fail "$file, --normalize $how: $measured MB, only $expected expected"
  done << 'EOF'
targets 70 1 auto
targets 100 4 auto
rows 70 1 auto
rows 70 1 robust
real 90 1 quantile
real 65 1 standard --embed-numbers piecewise --embed-width 2
tiny 40 1 auto
tiny 40 4 quantile
EOF
  alone train "${quick[@]}" --data real.h5 --stream --window 64 --memory 50e6 --hidden 4 --epochs 1 --batch 32 --threads 1 \
    --normalize quantile --out run
  fails_with 1 "--memory 50000000 is too little" "MB for quantiles of columns" "--normalize standard"
  alone train "${quick[@]}" --data real.h5 --stream --window 64 --memory 40e6 --hidden 4 --epochs 1 --batch 32 --threads 1 \
    --normalize standard --embed-numbers piecewise --embed-width 2 --out run
  fails_with 1 "--memory 40000000 is too little" "MB for quantiles of columns" "fewer --embed-bins"
}
