# Memory: told before it is allocated, and measured afterwards.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "a run that does not fit ends before it allocates: one line on any number of ranks" {
  local np
  for np in 1 2 3; do
    launch "$np" train --hidden 3000000,3000000 --out run
    fails_with 1 "not enough memory" "GB are available" "parameters and optimizer state" "smaller network"
    [ ! -e run/model.h5 ] || fail "a model is left"
  done
}

@test "the peak is what was expected" {
  unless_sanitized "the address sanitizer takes memory of its own"
  local np line peak expected
  for np in 1 2; do
    launch "$np" train --epochs 1 --hidden 1024,1024 --optimizer adam --batch 1024 --threads 1 --out "run-$np"
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
  says "memory for the rows, on each rank: " "on 8 ranks"
  alone train --quiet --epochs 1 --hidden 16 --optimizer adam --batch 128 --out run
  succeeds
  alone info run/model.h5
  succeeds
  says "memory to train it on one thread a rank, rows left aside (adam, batch 128)" "copy for checkpoints"
}
