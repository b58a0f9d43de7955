# Inputs that can be read only once: standard input, FIFOs, process substitutions.

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  awk 'BEGIN {
    print "id,size,age,kind"
    for (i = 0; i < 200; i++) printf "r%d,%d,%.1f,%s\n", i, 40 + (i * 37) % 120, (i * 13) % 90, i % 3 ? "flat" : "house"
  }' > t.csv
  gzip -k t.csv
}

# Have file.h5 and pipe.h5 the same training rows?
same_rows() {
  "$python" -c "import h5py; a, b = h5py.File('file.h5')['train'], h5py.File('pipe.h5')['train']
assert (a['x'][:] == b['x'][:]).all() and (a['y'][:] == b['y'][:]).all()"
}

small=(--label kind --ignore id --hidden 8 --epochs 2 --batch 32 --lanes 4 --checkpoint-every never)

@test "a table through a pipe trains, evaluates and predicts as the file does, on one rank and on two" {
  already_sanitized
  alone train --data t.csv "${small[@]}" --quiet --out file
  succeeds
  local want=$output
  alone train --data - "${small[@]}" --out pipe < <(zcat t.csv.gz)
  succeeds
  says "standard input: $(stat -c %s t.csv) bytes, stored in"
  alone train --data - "${small[@]}" --quiet --out packed < <(cat t.csv.gz)
  [ "$output" = "$want" ] || fail "gzip through a pipe: expected $want"
  alone train --data <(zcat t.csv.gz) "${small[@]}" --quiet --out substituted
  [ "$output" = "$want" ] || fail "a process substitution: expected $want"
  launch 2 train --data - "${small[@]}" --quiet --out two < <(zcat t.csv.gz)
  [ "$output" = "$want" ] || fail "two ranks: expected $want"

  local predict=(predict --model file/model.h5 --keep id,size)
  "$MLPDIST" "${predict[@]}" --data t.csv --out want.csv > /dev/null
  [ "$(wc -l < want.csv)" = 201 ] || fail "expected 200 predictions"
  "$MLPDIST" "${predict[@]}" --data - --out - < <(zcat t.csv.gz) 2> said.txt | cmp - want.csv || fail "other predictions"
  grep -q "predictions of 200 rows of standard input" said.txt || fail "said: $(cat said.txt)"
  mkfifo fifo
  zcat t.csv.gz > fifo &
  alone "${predict[@]}" --data fifo --out fifo.csv
  succeeds
  cmp fifo.csv want.csv || fail "a FIFO: other predictions"
  [ -p fifo ] || fail "the FIFO was replaced"
  alone eval --model file/model.h5 --data t.csv --json
  want=$(grep -v seconds <<< "$output")
  alone eval --model file/model.h5 --data - --json < <(zcat t.csv.gz)
  [ "$(grep -v seconds <<< "$output")" = "$want" ] || fail "other figures"
}

@test "convert reads pipes beside files, and arrays and archives from pipes; /dev is no word for validation" {
  need_h5py
  alone convert t.csv <(sed 's/^r/s/' t.csv) two.h5 --label kind
  succeeds
  says "t.csv: part of one table with the other files" "two.h5: 320 train, 40 valid, 40 test rows"
  alone convert --train t.csv --test <(sed 2,101d t.csv) two.h5 --label kind
  succeeds
  says "180 train, 20 valid, 100 test rows"
  "$python" -c "import numpy as n; x = n.arange(40.).reshape(20, 2); y = n.arange(20) % 2
n.savez('a.npz', x=x, y=y); n.save('x.npy', x); n.save('y.npy', y)"
  alone convert a.npz file.h5
  succeeds
  alone convert - pipe.h5 < <(cat a.npz)
  succeeds
  same_rows || fail "another archive"
  alone convert <(cat x.npy) <(cat y.npy) pipe.h5
  succeeds
  same_rows || fail "other arrays"
}

@test "what a pipe was converted to is used again for the same bytes only" {
  alone train --data - "${small[@]}" --out run < <(cat t.csv)
  succeeds
  alone train --data - "${small[@]}" --out run < <(cat t.csv)
  succeeds
  says "converted before: the inputs are unchanged"
  alone train --data - "${small[@]}" --out run < <(sed 's/r1,/r2,/' t.csv)
  succeeds
  ! grep -q "converted before" <<< "$output" || fail "other bytes were not read"
}

@test "streams that are empty, given twice, HDF5 or too large are refused; nothing is left in TMPDIR" {
  mkdir temporary
  export TMPDIR=$PWD/temporary
  alone convert - o.h5 < /dev/null
  fails_with 1 "standard input: is empty"
  alone convert /dev/null o.h5
  fails_with 1 "/dev/null: is empty"
  alone convert - - o.h5 < <(cat t.csv)
  fails_with 2 "standard input and standard input are the same input"
  alone convert - t.csv o.h5 < ./t.csv
  fails_with 2 "t.csv and standard input are the same input"
  alone convert t.csv set.h5 --label kind
  succeeds
  alone convert - o.h5 < <(cat set.h5)
  fails_with 1 "standard input: is an HDF5 file, which cannot be read from a pipe: save it as a file"
  (
    ulimit -f 1
    "$MLPDIST" convert - o.h5 < <(cat t.csv t.csv) 2> full.txt && exit 1
    [ "$(wc -l < full.txt)" = 1 ]
    grep -q "standard input: cannot be stored in $TMPDIR: File too large after 1024 bytes; TMPDIR names another folder" full.txt
  ) || fail "a full disk: $(cat full.txt)"
  [ -z "$(ls temporary)" ] || fail "left behind: $(ls temporary)"
  [ ! -e o.h5 ] || fail "a file was written"
}

@test "under mpirun a process substitution is refused with the cure" {
  launch 2 train --data <(cat t.csv) "${small[@]}" --out run
  fails_with 1 "/dev/fd/" "mpirun passes on no descriptors but the standard input: COMMAND | mpirun ... --data -"
}

@test "a signal ends the wait for a stream that nobody writes" {
  mkfifo fifo
  timeout "$hang_after" "$MLPDIST" train --data fifo "${small[@]}" --out run > out.txt 2> said.txt &
  local run=$!
  while [ ! -d run ] && kill -0 "$run" 2> /dev/null; do sleep 0.05; done
  kill -TERM "$run"
  status=0
  wait "$run" || status=$?
  cp said.txt "$BATS_TEST_TMPDIR/errors"
  fails_with 1 "fifo: a signal stopped the run while it was read"
  [ ! -e run/model.h5 ] || fail "a model was written"
}
