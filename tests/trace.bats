# train --trace: the timeline of a run.

load helper
quick+=(--valid-fraction 0)
load background

setup() {
  command -v python3 > /dev/null || skip "no python3 to read traces with"
  cd "$BATS_TEST_TMPDIR" || return 1
}

# check FILE RANKS THREADS STEPS PHASE...
check() {
  python3 -m json.tool "$1" > /dev/null || fail "$1 is no JSON"
  python3 "$BATS_TEST_DIRNAME/check_trace.py" "$@" || fail "$1 is not as it should be"
}

@test "--trace leaves a timeline that is whole, and the same digest" {
  already_sanitized
  alone train "${quick[@]}" --quiet --epochs 2 --hidden 256,16 --lanes 4 --threads 1 --out plain
  succeeds
  local digest
  digest=$(last_line)
  alone train "${quick[@]}" --quiet --epochs 2 --hidden 256,16 --lanes 4 --threads 1 --out traced --trace one.json
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "another digest than $digest"
  check one.json 1 1 10 step gather forward loss backward gradient optimizer validate "compare weights" \
    "checkpoint copy" "checkpoint write" "model write"
  [ "$(find . -name '*.json*' | wc -l)" = 1 ] || fail "a file was left behind"
  launch 2 train "${quick[@]}" --quiet --epochs 2 --hidden 256,16 --lanes 4 --threads 2 --out two --trace two.json
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "another digest on 2 ranks than $digest"
  check two.json 2 2 10 step gather forward loss backward gradient optimizer wait reduce validate "checkpoint copy" \
    "checkpoint write"
}

@test "--trace shows that ranks wait for each other's strips in memory they share" {
  launch 2 train "${quick[@]}" --quiet --epochs 1 --hidden 1024,1024 --lanes 4 --threads 1 --trace strips.json
  succeeds
  check strips.json 2 1 5 gradient optimizer wait
}

@test "--trace shows buckets that travel in messages, one by one" {
  launch 3 train "${quick[@]}" --quiet --epochs 1 --hidden 1024,1024 --lanes 4 --threads 1 --reduce allreduce --trace all.json
  succeeds
  check all.json 3 1 5 messages wait add reduce
  grep -q '"name":"reduce, bucket 0"' all.json && grep -q "reduce, bucket 1" all.json || fail "not two buckets"
}

@test "--trace-steps bounds the steps; what is between them is there to the end" {
  alone train "${quick[@]}" --quiet --epochs 3 --hidden 8 --threads 2 --trace some.json --trace-steps 7
  succeeds
  check some.json 1 2 7 step validate optimizer
  [ "$(grep -c '"name":"validate"' some.json)" = 3 ] || fail "not three validations"
}

@test "a run that goes on numbers its steps from where it is" {
  alone train "${quick[@]}" --quiet --epochs 1 --hidden 8 --threads 1
  alone train "${quick[@]}" --quiet --epochs 2 --hidden 8 --threads 1 --resume auto --trace more.json
  succeeds
  check more.json 1 1 5 step
  grep -q '"name":"step".*"args":{"step":6}' more.json || fail "no step 6"
  ! grep -q '"name":"step".*"args":{"step":5}' more.json || fail "there is a step 5"
}

@test "a run that diverges leaves its trace" {
  alone train "${quick[@]}" --epochs 2 --lr 1e6 --momentum 0.99 --hidden 64,64,64,64 --activation identity --threads 1 --trace diverged.json
  fails_with 1 "not a finite number at step"
  python3 -m json.tool diverged.json > json || fail "no JSON"
  grep -q '"backward, layer 4"' json || fail "no backward pass"
}

@test "so does one that is interrupted, and says so" {
  begin 2 train "${quick[@]}" --epochs 1000000 --hidden 8 --threads 1 --checkpoint-every 2epochs --trace cut.json --trace-steps 20
  until_true has_rows run/metrics.csv 3
  kill -USR2 "$(pid_of 1)"
  end
  fails_with 3 "stopped as asked after step"
  check cut.json 2 1 20 validate "checkpoint write"
}

@test "a trace that cannot be written is a note, and the run is whole" {
  already_sanitized
  mkdir absent
  begin 2 train "${quick[@]}" --epochs 300 --hidden 8 --threads 1 --trace absent/t.json --trace-steps 20
  until_true has_rows run/metrics.csv 2
  rmdir absent
  end
  fails_with 1 "trained, but the trace could not be written: absent/t.json"
  says "FAILED   the trace could not be written: absent/t.json" digest
  grep -q 'note: the trace could not be written: .*absent/t.json: its folder, absent: No such file' "$errors.all" || fail "no note"
  [ -s run/model.h5 ] || fail "no model"
}

@test "a trace whose folder is missing is refused before the training" {
  alone train "${quick[@]}" --epochs 1 --trace absent/t.json
  fails_with 1 "absent/t.json: its folder, absent: No such file"
  [ ! -e run ] || fail "a run was begun"
  alone train "${quick[@]}" --quiet --epochs 1 --hidden 8 --trace run/t.json
  succeeds
  [ -s run/t.json ] || fail "no trace in the folder of the run"
}

@test "ranks that are not all to trace are refused" {
  unlike "$MLPDIST" train "${quick[@]}" --threads 1 --trace t.json -- "$MLPDIST" train "${quick[@]}" --threads 1
  fails_with 2 "trace = no" "trace = yes"
}
