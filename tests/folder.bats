# shellcheck disable=SC2154 # variables of helper.bash and background.bash
# The run folder: one run at a time, and only the files of that run.

load helper
load background

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cp "$MLPDIST_DATA_DIR/digits.h5" d.h5
}

small="--data d.h5 --hidden 8 --batch 320 --quiet"

# notes WORD...: the last run gave a note that holds the words.
notes() {
  local word
  for word; do grep -q "^mlpdist: note: .*$word" "$errors.all" || fail "no note of '$word'"; done
}

# snapshot FOLDER: names and sums of its files.
snapshot() { find "$1" -type f -exec md5sum {} + | sort; }

# shellcheck disable=SC2086
@test "a second run in one folder is refused at once, and names host and process of the first" {
  already_sanitized
  local np
  for np in 0 2; do
    begin "$np" train "${quick[@]}" $small --epochs 1000000 --out run
    until_true has_rows run/metrics.csv 2
    local first before
    first=$run
    [ "$np" = 0 ] || first=$(pid_of 0)
    before=$(cat run/config.ini)
    alone train "${quick[@]}" $small --epochs 1 --out run
    fails_with 1 "run: another run is writing into this folder" "host $(hostname)," "process $first,"
    ln -sfn run link
    launch 2 train "${quick[@]}" $small --epochs 1 --out link --resume auto
    fails_with 1 "another run" "process $first,"
    [ "$before" = "$(cat run/config.ini)" ] || fail "the config of the first run was replaced"
    alone train "${quick[@]}" $small --epochs 1 --out other
    succeeds
    kill -USR2 "$first"
    end
    [ "$status" = 3 ] || fail "the first run did not stop as asked"
    [ ! -e run/run.lock ] || fail "the lock is left"
    rm -r run
  done
}

# shellcheck disable=SC2086
@test "a run that was killed blocks nobody: the next one goes on from its checkpoint, with a note" {
  already_sanitized
  alone train "${quick[@]}" $small --epochs 400 --out whole
  succeeds
  local digest
  digest=$(last_line)
  begin 2 train "${quick[@]}" $small --epochs 400 --out run --checkpoint-every 4 --keep 5
  until_true has_checkpoint run
  kill -9 "$(pid_of 0)" 2> /dev/null || true
  end
  [ -e run/run.lock ] || fail "the run ended too soon"
  alone train "${quick[@]}" $small --epochs 400 --out run --resume auto
  succeeds
  notes "did not finish (host $(hostname), process"
  [ "$(last_line)" = "$digest" ] || fail "expected $digest"
  [ ! -e run/run.lock ] || fail "the lock is left"
}

# shellcheck disable=SC2086
@test "a new run that is killed before its first checkpoint has the folder to itself; --resume auto starts anew" {
  alone train "${quick[@]}" $small --epochs 2 --out run --checkpoint-every 4
  succeeds
  begin 0 train "${quick[@]}" $small --epochs 1000000 --seed 5 --out run
  until_true has_rows run/metrics.csv 3
  kill -9 "$run"
  end
  [ "$(find run -type f | sort | tr '\n' ' ')" = "run/config.ini run/metrics.csv run/run.lock " ] || fail "$(find run)"
  grep -qx 'seed = 5' run/config.ini || fail "the config of another run"
  # Whichever of the two is wanted now.
  alone train "${quick[@]}" $small --epochs 2 --out run --resume auto
  succeeds
  notes "did not finish" "no checkpoint to go on from"
  alone train "${quick[@]}" $small --epochs 2 --out new --resume auto
  succeeds
  ! grep -q note "$errors.all" || fail "a note without a cause"
}

# shellcheck disable=SC2086
@test "a run killed while it takes a folder over has given up what is left there" {
  alone train "${quick[@]}" $small --epochs 2 --out run --checkpoint-every 4
  succeeds
  echo "mlpdist run on host $(hostname), process 999999999, since yesterday, taking over" > run/run.lock
  alone train "${quick[@]}" $small --epochs 2 --seed 5 --out run --resume auto
  succeeds
  notes "process 999999999" "starts anew"
  grep -qx 'seed = 5' run/config.ini || fail "the config of another run"
}

# shellcheck disable=SC2086
@test "a run that fails at its start leaves the former one untouched; one that diverges leaves none of it" {
  alone train "${quick[@]}" $small --epochs 2 --out run --checkpoint-every 4
  succeeds
  local before
  before=$(snapshot run)
  alone train "${quick[@]}" --quiet --data none.h5 --out run
  fails_with 1 "none.h5"
  alone train "${quick[@]}" $small --hidden 8,x --out run
  fails_with 2 "--hidden"
  launch 2 train "${quick[@]}" $small --seed 3 --out run --resume auto
  fails_with 2 "the checkpoint was made with"
  alone train "${quick[@]}" $small --out run --resume none.h5
  fails_with 1 "none.h5"
  [ "$before" = "$(snapshot run)" ] || fail "the former run was touched"
  alone train "${quick[@]}" --quiet --data none.h5 --out new/run
  [ ! -e new ] || fail "a folder without a run"
  alone train "${quick[@]}" $small --out run --optimizer sgd --lr 123456 --normalize none --activation identity
  fails_with 1 "not a finite number" "try --lr 1.2e+04," "no model was written"
  [ "$(find run -type f | sort | tr '\n' ' ')" = "run/config.ini run/metrics.csv " ] || fail "$(find run)"
  grep -qx 'normalize = none' run/config.ini || fail "the config of another run"
}

# shellcheck disable=SC2086
@test "other people's files in a run folder are neither replaced nor removed" {
  mkdir -p mine/checkpoints
  echo precious > mine/checkpoints/notes.txt
  echo b > mine/checkpoints/step-000000000005.h5
  echo c > mine/checkpoints/best.h5
  echo x > mine/weights.h5
  echo y > mine/metrics.csv.bak
  local before file np
  before=$(snapshot mine)
  for np in 1 2; do
    on "$np" train "${quick[@]}" $small --epochs 2 --out mine --checkpoint-every 4
    succeeds
    [ -s mine/model.h5 ] && [ -s mine/config.ini ] && [ -s mine/metrics.csv ] || fail "a file is missing"
    [ "$(comm -23 <(echo "$before") <(snapshot mine) | wc -l)" = 0 ] || fail "a file was harmed"
  done
  # Under a name that the run itself writes.
  np=2 # the first; one rank alone looks at the files
  for file in model.h5 config.ini metrics.csv; do
    mkdir -p "of-$file"
    echo precious > "of-$file/$file"
    on "$np" train "${quick[@]}" $small --epochs 1 --out "of-$file"
    fails_with 1 "of-$file/$file exists, no run of mlpdist wrote it"
    [ "$(cat "of-$file/$file")" = precious ] && [ "$(ls "of-$file")" = "$file" ] || fail "harmed: $(ls "of-$file")"
    np=1
  done
  cp d.h5 of-model.h5/model.h5
  alone train "${quick[@]}" --quiet --data of-model.h5/model.h5 --epochs 1 --out of-model.h5
  fails_with 2 "--data of-model.h5/model.h5"
  cmp d.h5 of-model.h5/model.h5
  alone train "${quick[@]}" $small --epochs 1 --out of-model.h5
  fails_with 1 "no run of mlpdist wrote it"
  # As a checkpoint: told, and the run is whole.
  echo mine > mine/checkpoints/step-000000000008.h5
  alone train "${quick[@]}" $small --epochs 2 --out mine --checkpoint-every 4
  fails_with 1 "checkpoints could not be written"
  [ "$(cat mine/checkpoints/step-000000000008.h5)" = mine ] || fail "harmed"
}

# shellcheck disable=SC2086
@test "a trace replaces no input and no file of its run" {
  alone train "${quick[@]}" $small --epochs 1 --out run --checkpoint-every 4
  succeeds
  cp run/config.ini c.ini
  cp "$(checkpoints run)" k.h5
  local before
  before=$(snapshot run && md5sum d.h5 c.ini k.h5)
  launch 2 train "${quick[@]}" $small --epochs 1 --out other --trace d.h5
  fails_with 2 "--trace d.h5 is the file that --data reads"
  alone train --config c.ini --out other --trace c.ini
  fails_with 2 "--trace c.ini is the file that --config reads"
  alone train "${quick[@]}" $small --epochs 1 --out other --resume k.h5 --trace k.h5
  fails_with 2 "--trace k.h5 is the file that --resume reads"
  alone train "${quick[@]}" $small --epochs 1 --out run --trace ./run/model.h5
  fails_with 2 "--trace ./run/model.h5 is a file that the run itself writes"
  alone train "${quick[@]}" $small --epochs 1 --out run --trace "$(checkpoints run)"
  fails_with 2 "is the checkpoint of a training run"
  alone train "${quick[@]}" $small --epochs 1 --out fresh --trace fresh/metrics.csv
  fails_with 2 "--trace fresh/metrics.csv is a file that the run itself writes"
  [ "$before" = "$(snapshot run && md5sum d.h5 c.ini k.h5)" ] || fail "a file was harmed"
}

# shellcheck disable=SC2086
@test "predictions and convert replace no file of a run" {
  alone train "${quick[@]}" $small --epochs 1 --out run --checkpoint-every 4
  succeeds
  alone train "${quick[@]}" $small --epochs 1 --out other
  succeeds
  printf 'a,y\n1,0\n2,1\n3,0\n4,1\n' > t.csv
  alone train "${quick[@]}" --data t.csv --label y --epochs 1 --quiet --out table
  succeeds
  local before file np=2 # the first
  before=$(snapshot run && snapshot other && snapshot table)
  for file in run/metrics.csv run/config.ini other/model.h5 "$(checkpoints run)" table/converted.h5; do
    on "$np" predict --model run/model.h5 --data d.h5 --out "$file"
    fails_with 2 "--out $file is the" "of a training run"
    np=1
  done
  alone convert t.csv table/converted.h5
  fails_with 2 "table/converted.h5 exists and is not a data set that convert made"
  [ "$before" = "$(snapshot run && snapshot other && snapshot table)" ] || fail "a file was harmed"
}

# shellcheck disable=SC2086
@test "a run that goes on in another folder replaces what was there" {
  alone train "${quick[@]}" $small --epochs 2 --out a --checkpoint-every 4 --keep 5
  succeeds
  local digest
  digest=$(last_line)
  alone train "${quick[@]}" $small --epochs 3 --seed 5 --out b --checkpoint-every 4 --keep 5
  succeeds
  alone train "${quick[@]}" $small --epochs 2 --out b --resume a/checkpoints/step-000000000004.h5
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "expected $digest"
  [ "$(checkpoints b)" = b/checkpoints/step-000000000008.h5 ] || fail "left of the other run: $(checkpoints b)"
  same_metrics a b
  [ "$(checkpoints a | wc -l)" = 2 ] || fail "the checkpoints that it came from are gone"
}

@test "a run folder that is removed or renamed under way: the run stops with one line, status 1, not made anew" {
  local how every
  for how in removed renamed; do
    # rm takes one file after the other: a checkpoint under way may lose its own while the folder is still there, and say so.
    every=never
    [ "$how" = removed ] || every=1epochs
    begin 2 train "${quick[@]}" $small --epochs 1000000 --out run --checkpoint-every $every
    until_true has_rows run/metrics.csv 2
    if [ "$how" = removed ]; then until_true rm -r run; else mv run elsewhere; fi
    end # by itself
    [ "$status" = 1 ] || fail "$how: expected status 1"
    [ ! -e run ] || fail "$how: made anew: $(find run)"
    grep -q "^mlpdist: rank 0 of 2 .*: run: the run folder was removed or renamed during the run" told || fail "$how: $(cat told)"
    ! grep -q "could not be written" told || fail "$how: said twice"
  done
  [ ! -e elsewhere/run.lock ] || fail "the lock is left"
}

# limit PID BYTES: the size that its files may have, as a disk with little room.
limit() { prlimit --pid "$1" --fsize="$2":unlimited; }

# shellcheck disable=SC2086
@test "a disk that is full for a moment: metrics.csv is whole at the end" {
  command -v prlimit > /dev/null || fail "no prlimit here: util-linux"
  begin 0 train "${quick[@]}" $small --epochs 1000000 --out run --checkpoint-every never
  until_true has_rows run/metrics.csv 2
  limit "$run" "$(($(stat -c %s run/metrics.csv) + 50))"
  until_true grep -q "note: metrics.csv could not be written.*\(File too large\|No space left\)" told
  ! tail -c 1 run/metrics.csv | grep -q . || fail "a row in part: $(tail -n 1 run/metrics.csv)"
  sleep 0.2
  limit "$run" unlimited
  until_true grep -q "note: metrics.csv could be written again" told
  kill -USR2 "$run"
  end
  [ "$status" = 3 ] || fail "expected status 3"
  [ "$(grep -c "metrics.csv could not" told)" = 1 ] || fail "not said once"
  awk -F, 'NR > 1 && ($1 != NR - 1 || NF != 17) { exit 1 }' run/metrics.csv || fail "rows are missing or torn"
  # One that stays full to the end: said, and again at the end. Of files of at most so many KiB.
  printf '#!/bin/bash\nulimit -f "$ROOM"\nexec "%s" "$@"\n' "$(command -v "$MLPDIST")" > limited
  chmod +x limited
  ROOM=60 MLPDIST=$PWD/limited alone train "${quick[@]}" $small --epochs 1000 --out full --checkpoint-every never
  fails_with 1 "trained, but full/metrics.csv could not be written whole"
  says "FAILED   full/metrics.csv lacks rows"
  alone info full/model.h5
  succeeds
  # Without room for the model, too: both are said.
  ROOM=4 MLPDIST=$PWD/limited alone train "${quick[@]}" $small --epochs 1000 --out none --checkpoint-every never
  fails_with 1 "none/model.h5: cannot be written"
  says "FAILED   none/metrics.csv lacks rows"
}
