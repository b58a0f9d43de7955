# early: it takes about a minute, and would keep one core busy at the end.
# shellcheck disable=SC2154 # variables of helper.bash and background.bash
# Checkpoints, resuming and signals: a run that is interrupted and continued elsewhere ends like one that is not.

load helper
load background

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# Long enough to be interrupted: 79 steps an epoch, a second or more alone.
long="--hidden 64 --batch 16 --lanes 4 --epochs 200"

# interrupted NP SIGNAL TARGET ARGUMENT...: a run gets a signal in its first epochs after a start; TARGET is a rank.
# It must end with a checkpoint.
interrupted() {
  local np=$1 signal=$2 target=$3 rows=0
  shift 3
  [ ! -e run/metrics.csv ] || rows=$(($(wc -l < run/metrics.csv) - 1))
  rm -f run/metrics.csv
  begin "$np" train "${quick[@]}" --out run --resume auto "$@"
  until_true has_rows run/metrics.csv $((rows + 1))
  if [ "$np" = 0 ]; then target=$run; else target=$(pid_of "$target"); fi
  kill -"$signal" "$target"
  end
  has_checkpoint run || fail "no checkpoint"
  fails_with 3 "stopped as asked after step" "--resume auto goes on from here"
}

# goes_on_as_whole ARGUMENT...: the run uninterrupted, and in five pieces on other ranks and threads.
goes_on_as_whole() {
  alone train "${quick[@]}" --out whole --checkpoint-every never "$@"
  succeeds
  local expected
  expected=$(digest_of "$output")
  interrupted 3 TERM 1 --threads 1 "$@"
  interrupted 0 INT alone --threads 2 "$@"
  interrupted 2 TERM 0 --threads 2 --checkpoint-every 1 "$@"
  interrupted 4 INT 0 --threads 1 --checkpoint-every 2epochs --keep 1 "$@"
  # The rest on one thread: on two ranks it took half of the time of this test.
  alone train "${quick[@]}" --out run --resume auto --threads 1 "$@"
  succeeds
  says "resumed  after step" "digest $expected"
  same_metrics whole run
}

@test "interrupted four times and resumed on other ranks and threads: momentum, cosine, clipping, dropout, noise" {
  already_sanitized
  # shellcheck disable=SC2086
  goes_on_as_whole $long --optimizer momentum --lr 0.002 --schedule cosine --warmup-epochs 3 --clip-norm 0.5 --clip-value 0.02 --dropout 0.1 \
    --input-noise 0.05
}

@test "interrupted four times and resumed on other ranks and threads: adam, early stopping" {
  unless_sanitized "digests: compared in the build without sanitizers; test_trainer resumes under them"
  # shellcheck disable=SC2086
  goes_on_as_whole $long --optimizer adam --lr 0.0005 --patience 40 --min-delta 0.001
  says "stopped  after epoch"
}

@test "interrupted four times and resumed on other ranks and threads: ranks that divide the update" {
  unless_sanitized "a network of this size takes minutes there; test_stepper divides the update in the same ways"
  # More than 1 MiB of weights: no rank has the whole state of the optimizer but for a checkpoint.
  goes_on_as_whole --hidden 512,480 --batch 160 --lanes 4 --epochs 40 --optimizer adam --lr 0.0002
  launch 3 train "${quick[@]}" --out each --update each --threads 1 --checkpoint-every never --hidden 512,480 --batch 160 --lanes 4 \
    --epochs 40 --optimizer adam --lr 0.0002
  succeeds
  same_metrics whole each
}

# The fold of a row is drawn again at each start. Few steps, of many rows: messages are slow on a busy machine.
@test "folds: interrupted, and resumed on other ranks" {
  awk 'BEGIN { srand(5); print "a,b,y"; for (i = 0; i < 400; i++) { a = rand(); b = rand(); print a "," b "," a * b + rand() / 9 } }' > rows.csv
  local folds="--data rows.csv --test-fraction 0 --folds 3 --hidden 96,96 --batch 100 --lanes 4 --epochs 120"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $folds --lr 0.01 --out whole --checkpoint-every never
  succeeds
  local expected
  expected=$(digest_of "$output")
  # shellcheck disable=SC2086
  interrupted 3 TERM 1 --threads 1 $folds --lr 0.01
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run --resume auto --threads 1 $folds --lr 0.01
  succeeds
  says "resumed  after step" "digest $expected" "(400 rows)"
  same_metrics whole run
}

@test "every checkpoint of a run leads to its end, those on the last steps of epochs too" {
  unless_sanitized "digests: compared in the build without sanitizers; test_trainer resumes under them"
  # 4 steps an epoch. A checkpoint that falls due while another is being written is left out.
  local options="--hidden 256 --batch 320 --lanes 4 --epochs 12 --optimizer adam --lr 0.001 --quiet" expected file every
  for every in 1 3 4; do
    rm -rf whole
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --out whole --checkpoint-every $every --keep 1000 $options
    succeeds
    expected=$(digest_of "$output")
    [ "$(checkpoints whole | wc -l)" -ge 2 ] || fail "too few checkpoints"
    for file in $(checkpoints whole); do
      # shellcheck disable=SC2086
      alone train "${quick[@]}" --out run --resume "$file" --checkpoint-every never $options
      succeeds
      [ "$(digest_of "$output")" = "$expected" ] || fail "$file: expected $expected"
      same_metrics whole run
    done
  done
}

@test "resumed in the middle of each schedule" {
  unless_sanitized "digests: compared in the build without sanitizers; test_trainer resumes under them"
  local options="--hidden 4 --batch 320 --lanes 4 --epochs 6 --quiet --lr 0.05 --lr-step-epochs 1.5 --lr-patience 1
    --lr-gamma 0.6 --min-delta 9 --lr-min 0.001 --lr-power 2 --power-t 0.2 --save last" schedule expected
  for schedule in constant step cosine exponential polynomial one-cycle cosine-restarts flat-cosine coslog4 plateau invscaling; do
    rm -rf whole run
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --out whole --checkpoint-every 14 --schedule $schedule $options
    succeeds
    expected=$(digest_of "$output")
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 --schedule $schedule $options
    succeeds
    [ "$(digest_of "$output")" = "$expected" ] || fail "$schedule: expected $expected"
    same_metrics whole run
    # Each changes the weights, so that a schedule which has no effect would show.
    ! grep -qs "$expected" digests || fail "$schedule: the same weights as another schedule"
    echo "$expected" >> digests
  done
  # Step 14 of 24: dropout and weight decay have begun to fall.
  rm -rf whole run
  options+=" --dropout 0.3 --weight-decay 0.5 --regularization-schedule flat-cosine"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out whole --checkpoint-every 14 $options
  succeeds
  expected=$(digest_of "$output")
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "regularization-schedule: expected $expected"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 $options --epochs 9
  fails_with 2 "epochs"
}

@test "resumed in the middle of each optimizer, choosing by the error" {
  unless_sanitized "digests: compared in the build without sanitizers; test_trainer resumes under them"
  local options="--hidden 4 --batch 320 --lanes 4 --epochs 6 --quiet --lr 0.002 --select error" optimizer expected
  for optimizer in adamax rmsprop adagrad lion lars lamb; do
    rm -rf whole run
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --out whole --checkpoint-every 14 --optimizer $optimizer $options
    succeeds
    expected=$(digest_of "$output")
    # shellcheck disable=SC2086
    launch 2 train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 --optimizer $optimizer $options
    succeeds
    [ "$(digest_of "$output")" = "$expected" ] || fail "$optimizer: expected $expected"
    same_metrics whole run
  done
}

@test "averages of the weights: the same on any split, resumed before and after they begin" {
  local options="--hidden 4 --batch 320 --lanes 4 --epochs 6 --quiet --lr 0.02 --norm batch" average expected
  for average in "--ema 0.95" "--swa-start 2" "--swa-start 5 --save last"; do # step 14 is in epoch 4
    rm -rf whole run
    # shellcheck disable=SC2086
    alone train "${quick[@]}" --out whole --checkpoint-every 14 $options $average
    succeeds
    expected=$(digest_of "$output")
    # shellcheck disable=SC2086
    launch 3 train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 --threads 2 $options $average
    succeeds
    [ "$(digest_of "$output")" = "$expected" ] || fail "$average: expected $expected"
    same_metrics whole run
  done
  # The average is what has been validated.
  alone eval --model whole/model.h5 --part valid
  succeeds
  grep -qF "loss      $(tail -n 1 whole/metrics.csv | cut -d, -f6 | cut -c1-6)" <<< "$output" ||
    fail "expected the loss of $(tail -n 1 whole/metrics.csv)"
  # The option decides the weights.
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --resume whole/checkpoints/step-000000000014.h5 $options --save last
  fails_with 2 "swa-start = 5" "swa-start = 0"
  # Ranks that divide the update have all weights to average, too.
  # shellcheck disable=SC2086
  for average in 1 2; do
    launch $average train "${quick[@]}" --hidden 600,600 --epochs 1 --batch 320 --lanes 4 --quiet --ema 0.9 --out run
    succeeds
    [ "$average" = 1 ] && expected=$(digest_of "$output")
    [ "$(digest_of "$output")" = "$expected" ] || fail "$average ranks: expected $expected"
  done
  alone train "${quick[@]}" --ema 0.9 --swa-start 2 --out run
  fails_with 2 "give one of them"
  alone train "${quick[@]}" --swa-start 3 --epochs 2 --out run
  fails_with 2 "--swa-start 3" "2 epochs"
  alone train --hidden 4 --epochs auto --swa-start 200 --out run # 256 epochs, known with the data
  succeeds
  alone train --hidden 4 --epochs auto --swa-start 300 --out run
  fails_with 2 "--swa-start 300" "256 epochs"
}

@test "SIGUSR1 on a rank: a checkpoint, and the run goes on to the same end" {
  unless_sanitized "digests: compared in the build without sanitizers; the next test sends the signal under them"
  local options=${long/epochs 200/epochs 120}
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out whole --checkpoint-every never $options
  succeeds
  local expected pid
  expected=$(digest_of "$output")
  # shellcheck disable=SC2086
  begin 2 train "${quick[@]}" --out run --checkpoint-every 1000000 $options
  until_true has_rows run/metrics.csv 2
  ! has_checkpoint run || fail "a checkpoint before it was asked for"
  pid=$(pid_of 1)
  kill -USR1 "$pid"
  until_true has_checkpoint run
  is_running "$run" || fail "the run is over already"
  local step
  step=$(basename "$(checkpoints run)" .h5)
  end
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  # The one asked for, and the one at the end.
  [ "$(checkpoints run | wc -l)" = 2 ] || fail "expected two checkpoints"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out again --resume "run/checkpoints/$step.h5" $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
}

@test "SIGUSR1 on mpirun reaches the ranks, which go on; SIGUSR2 stops them: a checkpoint each, one line, status 3" {
  begin 2 train "${quick[@]}" --quiet --out run --hidden 16 --epochs 1000000 --checkpoint-every 100000000 --keep 2
  until_true has_rows run/metrics.csv 1
  ! has_checkpoint run || fail "a checkpoint before it was asked for"
  kill -USR1 "$run"
  until_true has_checkpoint run
  until_true has_rows run/metrics.csv $(($(wc -l < run/metrics.csv) + 1))
  kill -USR2 "$run"
  end
  fails_with 3 "stopped as asked after step" "--resume auto goes on from here"
  [ "$(checkpoints run | wc -l)" = 2 ] || fail "not two checkpoints"
}

@test "SIGTERM on mpirun, or SIGHUP, under nohup too: a checkpoint, for mpirun sends SIGTERM a second before it kills" {
  # And has a status of its own. --mca odls_base_sigkill_timeout gives longer steps more time. Meanwhile mpirun reads
  # nothing, so a run that prints more than a pipe holds would wait.
  local signal
  trap '' HUP # as nohup
  for signal in TERM HUP; do
    begin 2 train "${quick[@]}" --quiet --out run --hidden 16 --epochs 1000000 --checkpoint-every 100000000
    until_true has_rows run/metrics.csv 1
    ! has_checkpoint run || fail "a checkpoint before it was asked for"
    kill -"$signal" "$run"
    end
    [ "$status" != 0 ] || fail "expected another status"
    has_checkpoint run || fail "no checkpoint"
    alone info "$(checkpoints run)"
    succeeds
    rm -rf run
  done
}

@test "SIGHUP of a terminal that is closed: a checkpoint, status 3; under nohup the run goes on" {
  begin 2 train "${quick[@]}" --quiet --out run --hidden 16 --epochs 1000000 --checkpoint-every 100000000
  until_true has_rows run/metrics.csv 1
  kill -HUP "$(pid_of 1)"
  end
  fails_with 3 "stopped as asked after step" "--resume auto goes on from here"
  has_checkpoint run || fail "no checkpoint"
  (trap '' HUP; exec "$MLPDIST" train "${quick[@]}" --quiet --out other --epochs 1000000 --checkpoint-every 100000000 2> hangup) &
  run=$!
  until_true has_rows other/metrics.csv 1
  kill -HUP "$run"
  until_true has_rows other/metrics.csv $(($(wc -l < other/metrics.csv) + 2))
  kill -USR2 "$run"
  status=0
  wait "$run" || status=$?
  [ "$status" = 3 ] || fail "status $status"
}

@test "a second SIGINT leaves at once" {
  # The first cannot be followed, for rank 1 does not come along.
  begin 2 train "${quick[@]}" --out run --hidden 8 --epochs 1000000
  until_true has_rows run/metrics.csv 1
  local rank0 rank1 i
  rank0=$(pid_of 0) rank1=$(pid_of 1)
  kill -STOP "$rank1"
  for ((i = 0; i < 50; i++)); do
    kill -INT "$rank0" 2> /dev/null || break
    sleep 0.2
  done
  ((i > 1)) || fail "the first SIGINT was enough"
  kill -CONT "$rank1" 2> /dev/null || true
  end
  [ "$status" != 0 ] && [ "$status" != 3 ] || fail "expected another status"
}

@test "--epochs may grow, and may not fall below what is done" {
  local options="--hidden 16 --batch 320 --quiet"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out whole --epochs 9 $options
  succeeds
  local expected
  expected=$(digest_of "$output")
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --epochs 4 $options
  succeeds
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --epochs 9 --resume auto $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  same_metrics whole run
  # Done already: the same end again.
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --epochs 9 --resume auto $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --epochs 5 --resume auto $options
  fails_with 2 "epoch 9" "--epochs 5"
  # The default schedule ends with the epochs.
  alone train --hidden 4 --epochs 2 --quiet --out cosine
  succeeds
  alone train --hidden 4 --epochs 3 --quiet --out cosine --resume auto
  fails_with 2 "'epochs = 2'" "'epochs = 3'" "(constant leaves the end open)"
}

@test "options that change the weights are refused with the difference shown, others are free" {
  already_sanitized
  local options="--hidden 16 --batch 320 --lanes 3 --lr 0.05 --epochs 5 --quiet" expected change
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run $options
  succeeds
  expected=$(digest_of "$output")
  cp run/metrics.csv before.csv
  for change in "lr = 0.05|lr = 0.06|--lr 0.06" "hidden = 16|hidden = 16,8|--hidden 16,8" "seed = 1|seed = 2|--seed 2" \
    "lanes = 3|lanes = 6|--lanes 6" "batch = 320|batch = 32|--batch 32" "reduce = canonical|reduce = allreduce|--reduce allreduce"; do
    # shellcheck disable=SC2086
    launch 2 train "${quick[@]}" --out run --resume auto $options ${change##*|}
    fails_with 2 "'${change%%|*}'" "$(cut -d'|' -f2 <<< "$change")"
    cmp run/metrics.csv before.csv
  done
  # shellcheck disable=SC2086
  launch 3 train "${quick[@]}" --out elsewhere --resume "$(checkpoints run)" --threads 2 --checkpoint-every 3 --keep 4 --check-every 7 $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
}

@test "more ranks than lanes are refused with one line" {
  alone train "${quick[@]}" --out run --hidden 16 --batch 64 --epochs 2 --quiet
  succeeds
  launch 3 train "${quick[@]}" --out run --hidden 16 --batch 64 --epochs 4 --quiet --resume auto
  fails_with 2 "--lanes 1, so at most that many ranks" "not 3"
}

@test "other data is refused" {
  printf 'a,b,kind\n' > a.csv
  for i in $(seq 1 60); do echo "$((i % 7)).5,$((i % 3 * 10)),kind-$((i % 3))"; done >> a.csv
  sed '7s/^[0-9]/9/' a.csv > b.csv
  alone convert a.csv a.h5 --label kind --test-fraction 0 --valid-fraction 0
  alone convert b.csv b.h5 --label kind --test-fraction 0 --valid-fraction 0
  alone train "${quick[@]}" --data a.h5 --out run --epochs 3 --batch 16 --lanes 2 --quiet
  succeeds
  launch 2 train "${quick[@]}" --data b.h5 --out run --epochs 4 --batch 16 --resume auto --quiet
  fails_with 1 "b.h5" "data"
  cp a.h5 same.h5 # elsewhere, but the same
  launch 2 train "${quick[@]}" --data same.h5 --out run --epochs 4 --batch 16 --resume auto --quiet
  succeeds
}

@test "data with other names is refused: a column, target, class or category was renamed" {
  local i np change
  echo "a,b,colour,kind" > a.csv
  for i in $(seq 1 60); do echo "$((i % 7)).5,$((i % 3 * 10)),c$((i % 4)),kind-$((i % 3))"; done >> a.csv
  local options="--epochs 3 --batch 16 --lanes 2 --quiet"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --data a.csv --out run $options
  succeeds
  np=2
  for change in "s/^a,b/a,width/|column 1 (from 0) is 'width' here, but 'b' in" "s/^a,b,/b,a,/|column 0 (from 0) is 'b' here, but 'a' in" \
    "s/kind-1$/kind-1x/|class 1 (from 0) is 'kind-1x' here, but 'kind-1' in" "s/c3/c9/|category 3 (from 0) is 'c9 of colour' here, but 'c3 of colour' in" \
    "s/,kind$/,sort/|target 0 (from 0) is 'sort' here, but 'kind' in"; do
    sed "${change%%|*}" a.csv > b.csv
    # shellcheck disable=SC2086
    launch $np train "${quick[@]}" --data b.csv --out run $options --epochs 4 --resume auto
    fails_with 1 "b.csv: ${change##*|} the data that the checkpoint was made with" "--resume never"
    np=$((3 - np))
  done
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --data a.csv --out run $options --epochs 4 --resume auto
  succeeds
  [ "$(wc -l < run/metrics.csv)" = 5 ] || fail "not four epochs"
}

@test "--resume auto in an empty folder starts; a file that is not there, and no checkpoint, are told" {
  launch 2 train "${quick[@]}" --out run --hidden 8 --epochs 2 --resume auto --lanes 4 --batch 320 --quiet
  succeeds
  local first
  first=$(digest_of "$output")
  launch 2 train "${quick[@]}" --out other --hidden 8 --epochs 2 --lanes 4 --batch 320 --quiet
  succeeds
  [ "$(digest_of "$output")" = "$first" ] || fail "expected $first"
  launch 2 train "${quick[@]}" --out run --resume none.h5
  fails_with 1 "none.h5: no such file"
  launch 2 train "${quick[@]}" --out run --resume yes
  fails_with 2 '"yes" is neither auto nor never nor the file of a checkpoint'
  alone train "${quick[@]}" --out run --resume run
  fails_with 2 "--resume run: is a folder; --resume auto with --out FOLDER"
  launch 2 train "${quick[@]}" --out run --resume run/model.h5
  fails_with 1 "run/model.h5" "not a checkpoint"
}

@test "without --resume a run begins anew and its checkpoints replace the other's" {
  alone train "${quick[@]}" --out run --hidden 8 --epochs 20 --batch 320 --quiet
  succeeds
  [ "$(checkpoints run)" = run/checkpoints/step-000000000080.h5 ] || fail "left: $(checkpoints run)"
  alone train "${quick[@]}" --out run --hidden 8 --epochs 2 --batch 320 --seed 5 --keep 3 --quiet
  succeeds
  [ "$(checkpoints run)" = run/checkpoints/step-000000000008.h5 ] || fail "left: $(checkpoints run)"
}

@test "what a killed run left half written is removed when the next one starts" {
  alone train "${quick[@]}" --quiet --epochs 1 --out run
  succeeds
  touch run/model.h5.tmp.999999999 run/config.ini.tmp.999999999 run/model.h5.tmp.$$ run/checkpoints/step-000000000001.h5.tmp.999999999
  alone train "${quick[@]}" --quiet --epochs 1 --out run
  succeeds
  [ "$(find run -name '*.tmp.*')" = "run/model.h5.tmp.$$" ] || fail "left: $(find run -name '*.tmp.*')"
}

@test "a damaged newest checkpoint is passed over with a note for the one before" {
  local options="--hidden 16 --batch 320 --lanes 4 --epochs 6 --optimizer adam --lr 0.01 --quiet" expected newest size
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --checkpoint-every 1epochs --keep 3 $options
  succeeds
  expected=$(digest_of "$output")
  newest=$(checkpoints run | tail -n 1)
  size=$(stat -c %s "$newest")
  printf '\377\376' | dd of="$newest" bs=1 seek=$((size - 3000)) conv=notrunc 2> /dev/null
  alone info "$newest"
  fails_with 1 "$newest" "damaged"
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run --resume auto $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  grep -q "^mlpdist: note: skipped a damaged checkpoint: .*$newest" "$errors.all" || fail "no note"
  alone info "$newest"
  succeeds
  # Where all are damaged, the run starts anew, and the note says why.
  cp -r run all-damaged
  truncate -s 3000 all-damaged/checkpoints/*.h5
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out all-damaged --resume auto $options
  succeeds
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  grep -q "note: all-damaged: there is no checkpoint to go on from: all are damaged; this run starts anew" "$errors.all" || fail "no note"
  # A named one is that or nothing.
  truncate -s 5000 "$newest"
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run --resume "$newest" $options
  fails_with 1 "$newest"
}

@test "checkpoints of former formats go on, to the same end" {
  local options="--quiet --hidden 2 --epochs 3 --batch 64 --lanes 2 --optimizer sgd" expected
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $options --out whole
  succeeds
  expected=$(last_line)
  local format
  for format in 1 2 3; do
    # shellcheck disable=SC2086
    launch 2 train "${quick[@]}" $options --resume "$BATS_TEST_DIRNAME/old/checkpoint-format-$format.h5" --out run
    succeeds
    [ "$(last_line)" = "$expected" ] || fail "format $format: expected $expected"
  done
}

@test "a checkpoint of the former format, of a regression: the rule has changed, and the message does not blame the data" {
  local i
  echo "a,b,y" > t.csv
  for i in $(seq 1 60); do echo "$((i % 7)).5,$((i % 3 * 10)),$((i % 5 * 7 + i)).25"; done >> t.csv
  alone convert t.csv t.h5 --label y --test-fraction 0 --valid-fraction 0
  succeeds
  launch 2 train "${quick[@]}" --data t.h5 --quiet --hidden 2 --epochs 3 --batch 16 --lanes 2 --optimizer sgd --lr 0.01 \
    --resume "$BATS_TEST_DIRNAME/old/checkpoint-format-1-regression.h5" --out run
  fails_with 1 "older version (format 1)" "targets of a regression" "version that began it" "--resume never"
  [ ! -e run ] || fail "a folder without a run"
}

@test "a checkpoint whose first bytes are gone is passed over, kept under another name, and in nobody's way" {
  local options="--hidden 16 --batch 320 --lanes 4 --epochs 6 --optimizer adam --lr 0.01 --quiet --checkpoint-every 1epochs" expected newest
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run --keep 3 $options
  succeeds
  expected=$(digest_of "$output")
  newest=$(checkpoints run | tail -n 1)
  dd if=/dev/zero of="$newest" bs=4096 count=1 conv=notrunc 2> /dev/null
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run --resume auto $options
  succeeds # the last step's checkpoint could be written
  [ "$(digest_of "$output")" = "$expected" ] || fail "expected $expected"
  grep -q "^mlpdist: note: skipped a damaged checkpoint: .*$newest.*; it is kept as $newest.damaged" "$errors.all" || fail "$(cat "$errors.all")"
  [ -s "$newest.damaged" ] || fail "it was not kept"
  alone info "$newest"
  succeeds
}

@test "info describes a checkpoint" {
  alone train "${quick[@]}" --out run --hidden 16 --epochs 2 --batch 320 --optimizer adam --lr 0.01 --quiet
  succeeds
  alone info "$(checkpoints run)"
  succeeds
  says "checkpoint after step 8: epoch 3, 0 steps of it done; whole" "2 of optimizer state" "hidden = 16" "fingerprint"
}

# failing_checkpoints_told FOLDER: the last run trained to its end, and says that its checkpoints failed.
failing_checkpoints_told() {
  fails_with 1 "checkpoints could not be written"
  grep -q "^mlpdist: note: a checkpoint could not be written: .*$1" "$errors.all" || fail "no note with the cause"
  says "FAILED  "
  [[ "$(last_line)" =~ ^digest\ [0-9a-f]{16}$ ]] || fail "no digest"
  local digest
  digest=$(last_line)
  alone info "$1/model.h5"
  succeeds
  says "$digest"
  [ -z "$(find "$1" -name '*.tmp.*')" ] || fail "left behind: $(find "$1" -name '*.tmp.*')"
}

@test "checkpoints that cannot be written: notes, a whole model, FAILED, status 1" {
  local options="--hidden 16 --batch 320 --lanes 4 --epochs 8 --checkpoint-every 2epochs"
  mkdir run
  echo "in the way" > run/checkpoints
  # shellcheck disable=SC2086
  launch 2 train "${quick[@]}" --out run $options
  failing_checkpoints_told run
  [ "$(cat run/checkpoints)" = "in the way" ] || fail "the file was harmed"
  has_rows run/metrics.csv 8 || fail "not all epochs"
}

@test "a full disk (a limit to the size of files): the good checkpoint stays, notes, a whole model, status 1" {
  local options="--hidden 128 --batch 320 --optimizer adam --lr 0.001"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run $options --epochs 2
  succeeds
  cp "$(checkpoints run)" good.h5
  ulimit -f 80 # KiB: model.h5 fits, checkpoints with their four arrays do not
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --out run $options --epochs 6 --checkpoint-every 2epochs --resume auto
  failing_checkpoints_told run
  cmp good.h5 "$(checkpoints run)"
  [ "$(checkpoints run | wc -l)" = 1 ] || fail "left: $(checkpoints run)"
}

@test "a full disk (a small file system)" {
  mkdir -p run/checkpoints
  mount -t tmpfs -o size=96k tmpfs run/checkpoints 2> /dev/null || skip "no privilege to mount a file system"
  launch 2 train "${quick[@]}" --out run --hidden 128 --batch 320 --optimizer adam --epochs 6 --checkpoint-every 2epochs
  local left
  left=$(find run/checkpoints -type f)
  umount run/checkpoints
  failing_checkpoints_told run
  [ -z "$left" ] || fail "left behind: $left"
}
