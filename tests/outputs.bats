# shellcheck disable=SC2154 # variables of helper.bash
# Outputs destroy nothing: which files may be replaced, which are written directly, which stay intact.

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cp "$MLPDIST_DATA_DIR/digits.h5" d.h5
}

# a_run: a small run in ./run.
a_run() {
  alone train "${quick[@]}" --data d.h5 --epochs 1 --hidden 8 --quiet --out run
  succeeds
}

# a_table FILE: 40 rows of two values and a class.
a_table() { awk 'BEGIN { for (i = 0; i < 40; i++) print i * 37 % 101 "," i * 0.5 "," i % 2 }' > "$1"; }

# unharmed FILE COPY [LEFT]: FILE is as COPY, and no temporary file lies about.
unharmed() {
  cmp "$1" "$2" || fail "$1 was harmed"
  [ -z "$(find . -name '*.tmp.*')" ] || fail "left behind: $(find . -name '*.tmp.*')"
}

@test "predict writes over neither its data nor its model, under any name" {
  a_run
  cp d.h5 copy.h5 && cp run/model.h5 model.copy
  ln d.h5 hard.h5 && ln -s d.h5 soft.h5 && ln -s run/model.h5 m.csv
  local name np
  for name in d.h5 ./d.h5 hard.h5 soft.h5; do
    alone predict --model run/model.h5 --data d.h5 --out "$name"
    fails_with 2 "$name" "--data"
  done
  for name in run/model.h5 m.csv; do
    launch 2 predict --model run/model.h5 --data d.h5 --out "$name"
    fails_with 2 "$name" "--model"
  done
  unharmed d.h5 copy.h5
  unharmed run/model.h5 model.copy
}

@test "a file that a standard stream was redirected to is no output over an input either" {
  printf 'a,b,k\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n' > d.csv
  "$MLPDIST" train --data d.csv --epochs 1 --hidden 4 --valid-fraction 0 --test-fraction 0 --out small > said 2>&1
  cp d.csv copy.csv && cp small/model.h5 model.copy
  status=0
  "$MLPDIST" predict --model small/model.h5 --data d.csv --out - >> d.csv 2> "$errors" || status=$?
  fails_with 2 "--out - is the file that --data reads"
  status=0
  "$MLPDIST" predict --model small/model.h5 --data d.csv --out - >> small/model.h5 2> "$errors" || status=$?
  fails_with 2 "--out - is the file that --model reads"
  alone predict --model small/model.h5 --data - --out d.csv < d.csv
  fails_with 2 "--out d.csv is the file that --data reads"
  alone train --data - --epochs 1 --hidden 4 --out other --trace d.csv < d.csv
  fails_with 2 "--trace d.csv is the file that --data reads"
  unharmed d.csv copy.csv
  unharmed small/model.h5 model.copy
  "$MLPDIST" predict --model small/model.h5 --data - --out - < d.csv > said 2> "$errors"
  [ "$(wc -l < said)" = 5 ] || fail "expected predictions"
}

@test "predict writes through to pipes and devices, follows links and refuses folders" {
  a_run
  alone predict --model run/model.h5 --data d.h5 --out plain.csv
  succeeds
  says "plain.csv: predictions of 269 rows of d.h5"
  touch target.csv && ln -s target.csv link && ln -s new.csv dangling && mkfifo fifo && mkdir folder
  alone predict --model run/model.h5 --data d.h5 --out link
  succeeds
  alone predict --model run/model.h5 --data d.h5 --out dangling
  succeeds
  [ -L link ] && [ -L dangling ] || fail "a link was replaced"
  unharmed target.csv plain.csv
  unharmed new.csv plain.csv
  timeout "$hang_after" cat fifo > read.csv &
  alone predict --model run/model.h5 --data d.h5 --out fifo
  succeeds
  wait $!
  [ -p fifo ] || fail "the pipe was replaced"
  unharmed read.csv plain.csv
  alone predict --model run/model.h5 --data d.h5 --out folder
  fails_with 1 "folder" "is a folder"
  alone predict --model run --data d.h5 --out new.csv
  fails_with 1 "run: is a folder, not an HDF5 file; its model is run/model.h5"
  ln -s fifo pipe.h5
  alone predict --model run/model.h5 --data d.h5 --out pipe.h5
  fails_with 1 "pipe.h5" "HDF5 cannot be written" "pipe"
  mknod null c 1 3 2> /dev/null || skip "no privilege to make a device"
  mknod full c 1 7
  for name in null full; do
    if "$MLPDIST" predict --model run/model.h5 --data d.h5 --out "$name" > said 2> "$errors"; then status=0; else status=$?; fi
    [ -c "$name" ] || fail "the device $name was replaced"
  done
  fails_with 1 "full" "No space left"
  ! "$MLPDIST" train "${quick[@]}" --data d.h5 --epochs 1 --hidden 8 --quiet --trace full --out r 2> "$errors" || fail "a full device"
  "$MLPDIST" train "${quick[@]}" --data d.h5 --epochs 1 --hidden 8 --quiet --trace null --out r || fail "no trace to a device"
  [ -c null ] && [ -c full ] || fail "a device was replaced"
  a_table t.csv
  alone convert t.csv null
  fails_with 1 "null" "HDF5 cannot be written"
  [ -c null ] || fail "the device was replaced"
}

@test "predict writes HDF5 or CSV by the name, in capitals too, and nothing under the name of another format" {
  a_run
  local name
  alone predict --model run/model.h5 --data d.h5 --out small.h5
  succeeds
  alone predict --model run/model.h5 --data d.h5 --out CAPITALS.H5
  succeeds
  cmp <(head -c 8 CAPITALS.H5) <(head -c 8 small.h5) || fail "expected HDF5"
  for name in p.npy p.parquet p.json p.xlsx p.csv.gz; do
    alone predict --model run/model.h5 --data d.h5 --out $name
    fails_with 2 "--out $name: predictions are written as HDF5 (.h5) or CSV"
    [ ! -e $name ] || fail "a file was written"
  done
}

@test "predict --out -: the rows and nothing else on standard output" {
  a_run
  alone predict --model run/model.h5 --data d.h5 --out plain.csv
  succeeds
  local name
  ln -s /proc/self/fd/1 stdout # not /dev/stdout: a program that replaced it would harm the machine
  for name in - ./stdout; do
    "$MLPDIST" predict --model run/model.h5 --data d.h5 --out "$name" 2> "$errors" | cat > piped.csv
    unharmed piped.csv plain.csv
    grep -q "^${name/#-/standard output}: predictions of 269 rows of d.h5" "$errors" || fail "no line on standard error"
    echo before > redirected.csv
    "$MLPDIST" predict --model run/model.h5 --data d.h5 --out "$name" >> redirected.csv 2> "$errors"
    cmp <(tail -n +2 redirected.csv) plain.csv || fail "$name"
    [ "$(head -n 1 redirected.csv)" = before ] || fail "the file of standard output was replaced"
  done
  [ ! -e - ] || fail "a file of that name"
  launch 2 predict --model run/model.h5 --data d.h5 --out -
  [ "$status" = 0 ] && cmp <(echo "$output") plain.csv || fail "two ranks"
  # mpirun of Open MPI 5.0.7 mixes what a rank writes to both.
  ! grep 'rows of' "$errors.all" || fail "told on standard error under mpirun"
  alone predict --model run/model.h5 --data d.h5 --out ./-
  succeeds
  unharmed ./- plain.csv
}

@test "a reader that leaves: no message, whole files; a full standard output: one line, status 1" {
  status=0
  { "$MLPDIST" train "${quick[@]}" --data d.h5 --epochs 30 --hidden 8 --out run 2> "$errors" || echo "$?" > failed; } | head -n 1 > read
  [ ! -s "$errors" ] && [ ! -e failed ] || fail "not quiet, or a status"
  [ "$(wc -l < run/metrics.csv)" = 31 ] || fail "not all epochs"
  alone info run/model.h5
  succeeds
  for command in "info run/model.h5" "eval --model run/model.h5 --data d.h5" "predict --model run/model.h5 --data d.h5 --out -" \
    "train --help" "explain"; do
    # shellcheck disable=SC2086
    { sleep 0.05; "$MLPDIST" $command 2> "$errors" || echo "$?" > failed; } | true
    ! grep -q '^mlpdist' "$errors" && [ ! -e failed ] || fail "$command: not quiet, or a status"
  done
  [ -w /dev/full ] || skip "no /dev/full here"
  "$MLPDIST" train "${quick[@]}" --data d.h5 --epochs 2 --hidden 8 --out full > /dev/full 2> "$errors" || status=$?
  fails_with 1 "standard output cannot be written"
  alone info full/model.h5
  succeeds
  [ "$(wc -l < full/metrics.csv)" = 3 ] || fail "not all epochs"
}

@test "convert replaces data sets of its own and nothing else" {
  a_table t.csv
  alone convert t.csv o.h5
  succeeds
  a_run
  cp d.h5 copy.h5 && cp o.h5 o.copy && cp t.csv t.copy && ln o.h5 hard.h5
  # OUT forgotten: the last input stands in its place.
  cp t.csv val.csv
  alone convert t.csv val.csv
  fails_with 2 "val.csv" "the last argument"
  unharmed val.csv t.copy
  alone convert t.csv t.csv
  fails_with 2 "t.csv" "input and output"
  ln -s t.csv soft
  alone convert t.csv soft
  fails_with 2 "soft" "input and output"
  unharmed t.csv t.copy
  # Also where no such file is there yet.
  alone convert t.csv absent.csv
  fails_with 2 "absent.csv" "the last argument"
  [ ! -e absent.csv ] || fail "a file was made"
  local foreign
  for foreign in d.h5 run/model.h5 run/config.ini; do
    cp "$foreign" foreign
    alone convert t.csv "$foreign"
    fails_with 2 "$foreign" "not a data set that convert made"
    unharmed "$foreign" foreign
  done
  # Its own, and an empty file such as mktemp makes.
  : > empty.h5
  for own in o.h5 empty.h5; do
    alone convert t.csv "$own" --seed 3
    succeeds
    alone info "$own"
    succeeds
  done
  unharmed hard.h5 o.copy # the former content, which another name has
}

@test "a limit to the size of files is an error message, and nothing half written is left" {
  a_table t.csv
  awk '{ for (i = 0; i < 50; i++) print }' t.csv > long.csv
  status=0
  (ulimit -f 4 && "$MLPDIST" convert long.csv o.h5) > said 2> "$errors.all" || status=$?
  grep -av '^mlpdist: note:' "$errors.all" > "$errors"
  fails_with 1 "o.h5" "File too large"
  [ ! -e o.h5 ] && [ -z "$(find . -name '*.tmp.*')" ] || fail "left behind: $(ls)"
  a_run
  local out
  for out in p.csv p.h5; do
    status=0
    (ulimit -f 4 && "$MLPDIST" predict --model run/model.h5 --data d.h5 --out "$out") > said 2> "$errors" || status=$?
    fails_with 1 "$out" "File too large"
    [ -z "$(find . -name 'p.*')" ] || fail "left behind: $(ls)"
  done
  status=0
  (ulimit -f 20 && "$MLPDIST" train "${quick[@]}" --data d.h5 --hidden 256 --epochs 2 --out f1 --quiet) > said 2> "$errors.all" || status=$?
  grep -av '^mlpdist: note:' "$errors.all" > "$errors"
  fails_with 1 "f1/model.h5" "File too large"
  (ulimit -f 0 && "$MLPDIST" train "${quick[@]}" --data d.h5 --out none/deep --quiet 2>&1 || true) | grep -a "run.lock: File too large" \
    || fail "no room for the lock"
  [ ! -e none ] || fail "left behind: $(find none)"
  # Neither the model nor the last rows of the metrics: the error is that of the model.
  status=0
  (ulimit -f 4 && "$MLPDIST" train "${quick[@]}" --data d.h5 --hidden 64 --epochs 60 --out f2 --quiet --checkpoint-every never) \
    > said 2> "$errors.all" || status=$?
  grep -q 'note: metrics.csv could not be written' "$errors.all" || fail "the metrics fit: $(cat "$errors.all")"
  grep -av '^mlpdist: note:' "$errors.all" > "$errors"
  fails_with 1 "f2/model.h5" "File too large"
  [ -z "$(find . -name '*.tmp.*')" ] || fail "left behind: $(find . -name '*.tmp.*')"
}

# The ranks alone have the limit: Open MPI's mpirun, which would have it too, can hang under it, deaf to SIGTERM.
@test "a limit to the size of files of two ranks: MPI starts, and one line names the file" {
  printf '#!/bin/sh\nulimit -f 20\nexec "%s" "$@"\n' "$(realpath "$(command -v "$MLPDIST")")" > limited
  chmod +x limited
  MLPDIST=./limited launch 2 train "${quick[@]}" --data d.h5 --hidden 256 --epochs 2 --out run --quiet
  fails_with 1 "run/model.h5" "File too large"
  [ -z "$(find . -name '*.tmp.*')" ] || fail "left behind: $(find . -name '*.tmp.*')"
}

@test "what killed outputs left is removed by the next one of the same name" {
  a_table t.csv
  a_run
  local dead
  sh -c 'exit 0' & dead=$!
  wait $dead || true
  touch "o.h5.tmp.$dead" "p.csv.tmp.$dead" "other.tmp.$dead" "run/trace.json.tmp.$dead"
  alone convert t.csv o.h5
  succeeds
  alone predict --model run/model.h5 --data d.h5 --out p.csv
  succeeds
  alone train "${quick[@]}" --data d.h5 --epochs 1 --hidden 8 --quiet --out run --trace run/trace.json
  succeeds
  [ "$(find . -name '*.tmp.*')" = "./other.tmp.$dead" ] || fail "left: $(find . -name '*.tmp.*')"
}
