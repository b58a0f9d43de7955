# --stream: rows are read when they are needed. The same bits on any number of ranks and threads and through a resume, and
# memory that does not grow with the file.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# make_file FILE ROWS COLUMNS TYPE CHUNK: CHUNK 0 for contiguous, else rows of a deflated chunk. TYPE uint8, float32.
make_file() {
  "$python" - "$@" << 'EOF'
import sys
import h5py
import numpy as np

path, rows, columns, kind, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
draw = np.random.default_rng(7)
packed = {"chunks": (chunk, columns), "compression": "gzip", "compression_opts": 1} if chunk else {}
with h5py.File(path, "w") as file:
    for part, n in (("train", rows), ("valid", rows // 10), ("test", rows // 10)):
        x = file.create_dataset(f"{part}/x", (n, columns), dtype=kind, **packed)
        y = file.create_dataset(f"{part}/y", (n,), dtype="int32")
        for begin in range(0, n, 65536):
            end = min(n, begin + 65536)
            if kind == "uint8":
                block = draw.integers(0, 256, (end - begin, columns), dtype=np.uint8)
                y[begin:end] = block[:, :4].sum(1, dtype=np.int64) > 510
            else:
                block = draw.standard_normal((end - begin, columns), dtype=np.float32)
                y[begin:end] = block[:, :4].sum(1) > 0
            x[begin:end] = block
EOF
}

# on_splits ARGUMENT...: the digest is the same on 1, 2 and 3 ranks with 1 and 2 threads; digest gets it.
on_splits() {
  local np threads here
  digest=
  for np in 1 2 3; do
    for threads in 1 2; do
      [ "$np$threads" != 32 ] || continue
      launch "$np" train "${quick[@]}" --quiet --threads "$threads" "$@" --out "run-$np-$threads"
      succeeds
      here=$(last_line)
      : "${digest:=$here}"
      [ "$here" = "$digest" ] || fail "$np ranks x $threads threads: $here, not $digest"
    done
  done
}

@test "the same bits on any number of ranks and threads, and others than of rows in memory" {
  already_sanitized
  on_splits --stream --window 130 --epochs 3
  alone train "${quick[@]}" --quiet --epochs 3 --out memory
  succeeds
  [ "$(last_line)" != "$digest" ] || fail "nothing was streamed"
}

@test "so are they with deflated chunks, regression, weights, a validation part taken from the rows" {
  need_h5py
  make_file packed.h5 5003 12 uint8 64
  on_splits --data packed.h5 --stream --batch 300 --epochs 2
  "$python" - << 'EOF'
import h5py
import numpy as np

draw = np.random.default_rng(3)
with h5py.File("values.h5", "w") as file:
    x = draw.standard_normal((4001, 7))
    file["train/x"] = x
    file["train/y"] = np.stack([x[:, 0] * 2 + 5, x[:, 1] - x[:, 2]], 1)
    file["train/weight"] = 1 + draw.random(4001)
EOF
  on_splits --data values.h5 --stream --valid-fraction 0.2 --window 300 --batch 200 --lanes 4 --epochs 3
}

@test "fewer rows in a batch than lanes: ranks whose lanes have no rows in a step do not wait for themselves" {
  local digest np
  for batch in 1 3; do
    digest=
    for np in 1 2 4; do
      launch "$np" train "${quick[@]}" --quiet --stream --lanes 4 --batch "$batch" --epochs 1 --hidden 8 --threads 1 --out run
      succeeds
      : "${digest:=$(last_line)}"
      [ "$(last_line)" = "$digest" ] || fail "$np ranks, batch $batch: not $digest"
    done
  done
}

@test "normalisation and validation are those of rows in memory, to the bit" {
  already_sanitized
  need_h5py
  make_file float.h5 3001 9 float32 50
  local mode
  for mode in "" --stream; do
    # No learning: what is left is the initial network, and data as they are normalised.
    alone train "${quick[@]}" --data float.h5 --quiet --lr 0 --epochs 1 --batch 200 $mode --out "run$mode"
    succeeds
    "$python" - "run$mode" << 'EOF' > "losses$mode"
import csv, sys
with open(f"{sys.argv[1]}/metrics.csv") as file:
    for row in csv.DictReader(file):
        print([value for key, value in row.items() if "valid" in key])
EOF
    "$python" - "run$mode/model.h5" << 'EOF' >> "losses$mode"
import sys, h5py
with h5py.File(sys.argv[1]) as file:
    def tell(name, thing):
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind == "f":
            print(name, thing[()].tobytes().hex())
    file.visititems(tell)
EOF
    tail -n 2 <<< "$output" | head -n 1 >> "losses$mode"
  done
  grep -q "input" losses || fail "no normalisation in $(cut -c 1-60 losses)"
  cmp losses losses--stream
}

@test "a run goes on in the middle of an epoch, on another number of ranks" {
  already_sanitized
  local whole np
  alone train "${quick[@]}" --quiet --stream --window 100 --batch 32 --lanes 4 --epochs 4 --out whole
  succeeds
  whole=$(last_line)
  for np in 1 3; do
    rm -rf part
    # 40 steps an epoch. Only the first checkpoint is written at the step that is asked for however slow the disk is: later
    # ones wait until it is written.
    alone train "${quick[@]}" --quiet --stream --window 100 --batch 32 --lanes 4 --epochs 4 --checkpoint-every 110 --out part
    succeeds
    rm part/checkpoints/step-000000000160.h5
    launch "$np" train "${quick[@]}" --stream --window 100 --batch 32 --lanes 4 --epochs 4 --resume auto --out part
    succeeds
    says "resumed  after step 110"
    [ "$(last_line)" = "$whole" ] || fail "$np ranks: not $whole"
  done
}

@test "another window, or none, does not go on from a checkpoint; options that need --stream say so" {
  alone train "${quick[@]}" --quiet --stream --window 100 --epochs 1 --out run
  succeeds
  digest=$(last_line)
  alone train "${quick[@]}" --quiet --stream --window 120 --epochs 2 --resume auto --out run
  fails_with 2 "window = 100" "window = 120"
  alone train "${quick[@]}" --quiet --epochs 2 --resume auto --out run
  fails_with 2 "stream = yes" "stream = no"
  alone train "${quick[@]}" --window 100 --out run
  fails_with 2 "--window needs --stream"
  alone train "${quick[@]}" --memory 1e9 --out run
  fails_with 2 "--memory needs --stream"
  alone train --quiet --config run/config.ini --epochs 1 --out again
  succeeds
  grep -q "^stream = yes" again/config.ini || fail "not streamed again"
  [ "$(last_line)" = "$digest" ] || fail "config.ini does not repeat the run"
}

@test "the memory of a rank is bounded by --memory, with a file four times as large" {
  need_h5py
  unless_sanitized "the address sanitizer takes memory of its own"
  local np peak limit
  make_file large.h5 330000 200 float32 0 # 264 MB, and 53 MB for validation and test
  beyond_base
  limit=$((80 + more_base))
  for np in 1 2; do
    launch "$np" train "${quick[@]}" --data large.h5 --stream --window 1024 --memory "${limit}e6" --hidden 16 --epochs 1 --threads 1 --out run
    succeeds
    peak=$(sed -n 's/^memory *\([0-9]*\)\.[0-9]* MB at most on a rank.*/\1/p' <<< "$output")
    [ -n "$peak" ] && [ "$peak" -lt "$limit" ] || fail "$peak MB"
  done
  digest=$(last_line)
  alone train "${quick[@]}" --data large.h5 --stream --window 1024 --memory 2e9 --hidden 16 --epochs 1 --threads 1 --out run
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "the digest depends on --memory"
  [ "$(sed -n 's/^test //p' <<< "$output")" != "" ] || fail "no test line"
  alone train "${quick[@]}" --data large.h5 --stream --window 1024 --memory 30e6 --hidden 16 --epochs 1 --threads 1 --out run
  fails_with 1 "--memory 30000000 is too little: this rank needs" "bytes at least" "a smaller --window"
  # What it calls the least is enough.
  peak=$(sed 's/.*needs \([0-9]*\) bytes.*/\1/' "$errors")
  alone train "${quick[@]}" --data large.h5 --stream --window 1024 --memory $((peak + 1000000)) --hidden 16 --epochs 1 --threads 1 \
    --out run
  succeeds
}

@test "a file that becomes shorter ends the run on all ranks: one line with file and rows" {
  need_h5py
  local np pid
  make_file shrinks.h5 60000 50 float32 0
  for np in 1 2; do
    cp shrinks.h5 data.h5
    : > output # not that of the run before, which the background may replace later than the loop reads it
    timeout "$hang_after" mpirun --oversubscribe --bind-to none -np "$np" "$MLPDIST" train "${quick[@]}" --data data.h5 --stream --window 600 \
      --hidden 8 --epochs 100000 --out run > output 2> "$errors.all" &
    pid=$!
    while ! grep -q '^epoch' output && kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    truncate -s 3000000 data.h5
    status=0
    wait "$pid" || status=$?
    grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
    fails_with 1 "data.h5: became shorter while rows"
  done
}
