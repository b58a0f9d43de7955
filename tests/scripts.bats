# The smaller scripts: plots of runs, files that are written completely and replace nothing else, closed pipes.

load helper

setup() {
  unless_sanitized "a test of scripts, made with the build without sanitizers"
  cd "$BATS_TEST_TMPDIR" || return 1
  : > "$errors"
  scripts=$BATS_TEST_DIRNAME/../scripts
  MLPDIST=$(command -v "$MLPDIST")
  export MLPDIST
}

# script NAME ARGUMENT...: output gets both streams.
script() {
  local name=$1
  shift
  status=0
  output=$(timeout "$hang_after" "$scripts/$name" "$@" 2>&1) || status=$?
}

needs() { /usr/bin/python3 -c "import $1" 2> /dev/null || skip "no Python with $1"; }

# refused WORD...: the last script ended with status 1 and one line that holds the words.
refused() {
  [ "$status" = 1 ] || fail "expected status 1"
  [ "$(wc -l <<< "$output")" = 1 ] || fail "expected one line"
  says "$@"
}

# write_run FOLDER EPOCHS: metrics.csv of a run whose validation loss is lowest after epoch 2.
write_run() {
  mkdir -p "$1"
  echo epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric > "$1/metrics.csv"
  local epoch
  for ((epoch = 1; epoch <= $2; epoch++)); do
    echo "$epoch,$epoch,0.1,0.$((9 - epoch)),0.8,0.$(((epoch - 2) * (epoch - 2) + 1)),0.7"
  done >> "$1/metrics.csv"
}

# write_model FOLDER TASK LOSS SCALES [EPOCH]: what plot reads of a model.
write_model() {
  /usr/bin/python3 - "$@" << 'END_OF_MODEL'
import sys
import h5py
with h5py.File(sys.argv[1] + "/model.h5", "w") as f:
    f.attrs["task"], f.attrs["loss"], f.attrs["epoch"] = sys.argv[2], sys.argv[3], int(sys.argv[5]) if sys.argv[5:] else 2
    if sys.argv[4]:
        f["target/scale"] = [float(s) for s in sys.argv[4].split(",")]
END_OF_MODEL
}

# drawn TEXT...: the texts of out.svg hold these.
drawn() {
  output=$(grep -o '<!-- [^>]* -->' out.svg)
  says "$@"
}

@test "plot: the axes say what the metric is and in which unit, and the best epoch is marked" {
  needs matplotlib
  needs h5py
  write_run run 4
  write_model run regression mse 0.5
  script plot run --out out.svg
  succeeds
  drawn "RMSE in the unit of the target" "loss (mse), targets standardised" "saved: epoch 2, loss 0.1" "epoch"
  # The epoch with the least error was saved, which is not that of the lowest loss.
  write_model run regression mse 0.5 3
  script plot run --out out.svg
  drawn "saved: epoch 3, loss"
  # Several targets: their mean has no unit, and fractions are no accuracy.
  write_model run regression mse 0.5,2
  script plot run --out out.svg
  succeeds
  drawn "RMSE of 2 standardised targets"
  ! grep -q -i "accuracy\|unit of the target" <<< "$output" || fail "another unit"
  write_model run regression mse 1,1
  script plot run --out out.svg
  drawn "RMSE of 2 targets"
  write_model run classification cross-entropy ""
  script plot run/metrics.csv --out out.svg
  drawn "accuracy" "loss (cross-entropy)"
  # Without a model nothing is guessed.
  rm run/model.h5
  script plot run --out out.svg
  drawn "metric: accuracy of classes, RMSE of values" "lowest loss: epoch 2, loss 0.1"
}

@test "plot agrees with what the program writes" {
  needs matplotlib
  needs h5py
  alone train "${quick[@]}" --epochs 1 --quiet --out run
  succeeds
  script plot run --out out.svg
  succeeds
  drawn "accuracy" "loss (cross-entropy)"
}

@test "plot: one epoch is a whole number on the axis, and without validation the saved epoch is marked, too" {
  needs matplotlib
  needs h5py
  write_run run 1
  write_model run classification cross-entropy "" 1
  local ticks
  script plot run --out out.svg
  succeeds
  drawn "saved: epoch 1"
  ticks=$(sed -n '/id="xtick_/,/<!--/s/.*<!-- \(.*\) -->.*/\1/p' out.svg | sort -u)
  [ "$ticks" = 1 ] || fail "ticks of one epoch: $ticks"
  cut -d, -f 1-5 run/metrics.csv > cut.csv
  head -n 1 cut.csv | grep -q train_loss && ! head -n 1 cut.csv | grep -q valid_loss || fail "other columns: $(head -n 1 cut.csv)"
  mv cut.csv run/metrics.csv
  script plot run --out out.svg
  succeeds
  drawn "saved: epoch 1, training loss"
  [[ $output != *"<!-- validation -->"* ]] || fail "a legend of validation"
}

@test "plot: nine runs are told apart, each with its best epoch" {
  needs matplotlib
  local run
  for run in 1 2 3 4 5 6 7 8 9; do write_run "sweep/a-rather-long-name-of-a-run-number-$run" 3; done
  script plot sweep/* --out out.svg
  succeeds
  drawn "number-1" "number-9"
  [ "$(grep -c "lowest loss: epoch 2, loss 0.1" <<< "$output")" = 9 ] || fail "best epochs"
  # Nine colours in the legend.
  [ "$(grep -o 'stroke: #[0-9a-f]*; stroke-width: 2.5' out.svg | sort -u | wc -l)" = 9 ] || fail "colours"
}

@test "an output never replaces an input, a folder or another kind of file" {
  needs matplotlib
  needs h5py
  write_run run 3
  cp run/metrics.csv before
  ln run/metrics.csv other-name.png
  ln -s run/metrics.csv link.png
  for out in run/metrics.csv other-name.png link.png; do
    script plot run --out "$out"
    refused "$out: this file is also read (run/metrics.csv)"
  done
  cmp run/metrics.csv before || fail "replaced"
  script plot run --out run
  refused "run: is a folder"
  script plot run --out ""
  refused "is empty"
  script plot run --out nowhere/x.png
  refused "nowhere/x.png: no such folder"
  script plot run --out x.table
  refused "Format 'table' is not supported"
  echo "a,b" > table.csv
  script make-synthetic table.csv --rows 100
  refused "table.csv: already exists as another kind of file"
  [ "$(cat table.csv)" = a,b ] || fail "replaced"
  script make-synthetic . --rows 100
  refused ".: is a folder"
  script make-synthetic made.h5 --rows 100
  succeeds
  script make-synthetic made.h5 --rows 200
  succeeds
  awk 'BEGIN { for (i = 0; i < 1797; i++) { for (k = 0; k < 64; k++) printf "%d,", i == k ? 16 : i % 16; print i % 10 } }' > digits.csv
  ln -s digits.csv digits.h5
  script make-digits digits.csv digits.h5
  refused "digits.h5: this file is also read (digits.csv)"
  script make-digits digits.csv table.csv
  refused "table.csv: already exists"
  [ "$(wc -l < digits.csv)" = 1797 ] || fail "replaced"
  [ -z "$(find . -name '*.tmp')" ] || fail "temporary files: $(find . -name '*.tmp')"
}

@test "links are followed, pipes and devices written through, leftovers removed, the umask obeyed" {
  needs matplotlib
  write_run run 3
  mkdir elsewhere
  ln -s elsewhere/target.png link.png
  : > ".target.png.$(hostname)-999999999-00.tmp"
  mv .target.png.* elsewhere
  (umask 027 && "$scripts/plot" run --out link.png)
  [ -L link.png ] || fail "the link is gone"
  [ "$(stat -c %a elsewhere/target.png)" = 640 ] || fail "mode $(stat -c %a elsewhere/target.png)"
  [ "$(ls -A elsewhere)" = target.png ] || fail "left: $(ls -A elsewhere)"
  mkfifo pipe.png
  cat pipe.png > through.png &
  script plot run --out pipe.png
  wait
  succeeds
  [ -p pipe.png ] || fail "the pipe is gone"
  cmp <(tail -c 20 through.png) <(tail -c 20 elsewhere/target.png) || fail "not whole"
  "$scripts/plot" run --out - > out.png
  cmp out.png elsewhere/target.png || fail "another picture on standard output"
  script plot run --out /dev/full
  refused "/dev/full: No space left on device"
  [ -c /dev/full ] || fail "/dev/full is gone"
}

@test "every script answers --help: what it does, and its usage" {
  needs matplotlib
  local file output
  for file in "$scripts"/*; do
    [ -f "$file" ] && [ -x "$file" ] || continue
    output=$("$file" --help 2> told) || fail "$file: status $?: $(cat told)"
    [ ! -s told ] || fail "$file: $(cat told)"
    [[ ${output,,} == *usage*"${file##*/}"* ]] || fail "$file: $output"
    [ "$(grep -ci '^usage' <<< "$output")" = 1 ] || fail "$file: its usage twice"
    [ "$(wc -l <<< "$output")" -ge 2 ] || fail "$file: $output"
  done
}

@test "a script whose reader has gone ends without a traceback" {
  needs matplotlib
  write_run run 3
  local command
  for command in "plot --help" "plot run --out -" "make-synthetic --help" "compare-splits --help"; do
    # shellcheck disable=SC2086 # words are wanted
    "$scripts/"$command 2> told | true
    [ ! -s told ] || fail "$command: $(cat told)"
  done
  # On a full disk: one line.
  status=0
  output=$("$scripts/plot" run 2>&1 > /dev/full) || status=$?
  refused "plot: standard output: No space left on device"
}

@test "bench-tables: error and time of each set, the ratio to the first; a run that diverges counts as 10 times" {
  needs h5py
  script bench-tables --data nowhere --tables friedman-100,moons,protein --seeds 1 --set "small=--hidden 8 --epochs 30 --lr 0.05" \
    --set "same=--hidden 8 --epochs 30 --lr 0.05" --set "wild=--lr 1e6 --optimizer sgd"
  succeeds
  says "protein is left out: nowhere/protein/data.txt: no such file" "friedman-100, wild, seed 0: FAILED mlpdist: the"
  grep -qE '^moons +0\.[0-9]+ \([0-9.]+\) +0\.[0-9]+ \([0-9.]+\) +FAILED' <<< "$output" || fail "the line of moons"
  grep -qE '^mean ratio to first +1\.000 +1\.000 +10\.000$' <<< "$output" || fail "the means"
  mkdir -p tables/cal_housing
  awk 'BEGIN { for (i = 0; i < 100; i++) print i % 7 "," i % 5 ",9," 50 + i "," 10 + i % 3 ",90," 5 + i % 11 "," i % 13 "," 1e5 * (i % 13) }' \
    > tables/cal_housing/cal_housing.data
  script bench-tables --data tables --tables cal-housing-ratios --seeds 1 --set "small=--hidden 8 --epochs 2"
  succeeds
  grep -qE "cal-housing-ratios, small, seed 0: [0-9.]+,|scikit-learn is not installed" <<< "$output" || fail "the ratios"
  # The table of text: the error is that of the 8 rows of the test part, not of all 37.
  mkdir -p tables/adult
  awk 'BEGIN { print "a,b,class"; for (i = 0; i < 37; i++) print i * 7 % 11 "," i * i % 13 "," (i * i * i % 17 < 8 ? "low" : "high") }' \
    > tables/adult/adult.csv
  script bench-tables --data tables --tables adult --seeds 1 --set "small=--hidden 8 --epochs 2"
  succeeds
  grep -qE "adult, small, seed 0: (0|0.125|0.25|0.375|0.5|0.625|0.75|0.875|1)," <<< "$output" || fail "eighths"
  script bench-tables --tables nothing
  [ "$status" = 2 ] || fail "expected status 2"
  says "--tables nothing: no such table"
}

# By 25 validation rows: 30 epochs have 2.99 there, 50 have 2.79, which is chance, and 64 units 2.37, which is none.
@test "bench-tables --choose: a set is chosen for a validation error lower by more than chance" {
  needs h5py
  local sets=(--set "short=--hidden 8 --epochs 30 --lr 0.05" --set "long=--hidden 8 --epochs 50 --lr 0.05")
  script bench-tables --tables friedman-100 --seeds 1 --choose "${sets[@]}"
  succeeds
  [ "$(run_of chosen)" = "$(run_of short)" ] || fail "chance"
  awk -v a="$(valid_of short)" -v b="$(valid_of long)" 'BEGIN { exit !(b < a) }' || fail "the longer run is not better"
  script bench-tables --tables friedman-100 --seeds 1 --choose "${sets[@]}" --set "wide=--hidden 64 --epochs 60"
  succeeds
  [ "$(run_of chosen)" = "$(run_of wide)" ] || fail "not chosen"
  script bench-tables --tables friedman-100 --set chosen= --choose
  [ "$status" = 2 ] || fail "expected status 2"
  says "--set chosen: the name of what --choose adds"
}

# What bench-tables said of a set's run: its errors of test and validation.
run_of() { sed -n "s/.*, $1, seed 0: \([0-9.]*\), .* s, validation /\1 /p" <<< "$output"; }
valid_of() { run_of "$1" | cut -d ' ' -f 2; }

# Numbers with missing values, a category of 3 values and one of 12, and a class that follows from both.
mixed_table() {
  echo size,colour,shop,Salary
  awk 'BEGIN { for (i = 0; i < 300; i++) { c = i % 3; s = int(i / 3) % 12
    print (i % 17 == 0 ? "" : i % 29) "," substr("rgb", c + 1, 1) ",s" s "," (c == 1 || s > 8 ? "high" : "low") } }'
}

@test "bench-tables: peers get the same rows and columns; one that is not installed is left out" {
  needs sklearn
  mkdir -p tables/adult
  mixed_table > tables/adult/adult.csv
  # The class follows from the categories: whoever reads them makes few errors.
  script bench-tables --data tables --tables adult --seeds 1 --set "small=--hidden 8 --epochs 2" --peers trees,realmlp
  succeeds
  local error
  error=$(grep -oP 'adult, trees, seed 0: \K[0-9.e-]+' <<< "$output") || fail "trees"
  awk -v e="$error" 'BEGIN { exit !(e <= 0.1) }' || fail "trees: $error"
  if ! grep -q "realmlp is left out: PyTorch is not installed" <<< "$output"; then
    error=$(grep -oP 'adult, realmlp, seed 0: \K[0-9.e-]+' <<< "$output") || fail "realmlp"
    awk -v e="$error" 'BEGIN { exit !(e <= 0.1) }' || fail "realmlp: $error"
  fi
  # Guesses of the mean have an error of 4.9.
  script bench-tables --tables friedman-100 --seeds 1 --set "small=--hidden 8 --epochs 2" --peers mlp
  succeeds
  error=$(grep -oP 'friedman-100, mlp, seed 0: \K[0-9.]+' <<< "$output") || fail "mlp"
  awk -v e="$error" 'BEGIN { exit !(e < 3.5) }' || fail "mlp: $error"
  grep -qE '^mean ratio of times +1\.000 +[0-9.]+$' <<< "$output" || fail "the times"
  script bench-tables --tables iris --peers nobody
  [ "$status" = 2 ] || fail "expected status 2"
  says "--peers nobody: no such peer; there are mlp, trees, trees-1000, realmlp and all"
}

@test "run-tests skips the tests of the program with a bats that has no folder for each test" {
  mkdir system
  fake bats 'echo "Bats 1.2.1"'
  PATH=$PWD/system:$PATH MLPD_TEST_COUNTS=$PWD/counts script run-tests bats a.bats b.bats
  [ "$status" = 0 ] || fail
  says "need bats 1.4 or later, not Bats 1.2.1" "bats: 0 passed, 0 failed, 2 skipped"
  [ "$(cat counts)" = "0 0 2" ] || fail "not counted"
}

# They say so themselves: each waits for the other.
@test "run-tests runs as many tests at a time as there are processors, also with OMP_NUM_THREADS=1" {
  [ "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)" -ge 2 ] || skip "one processor"
  cat > first << 'END'
#!/bin/sh
touch "$0.here"
for _ in $(seq 600); do
  [ ! -e "$OTHER/second.here" ] || [ ! -e "$OTHER/first.here" ] || { echo 'ok 1 both are here'; exit 0; }
  sleep 0.05
done
echo 'not ok 1 alone'
exit 1
END
  cp first second
  chmod +x first second
  unset MLPD_TEST_COUNTS MLPD_TEST_FAILURES TEST_JOBS # of the run that this is part of
  export OTHER=$PWD OMP_NUM_THREADS=1
  script run-tests unit "$PWD/first" "$PWD/second"
  [ "$status" = 0 ] || fail "not both at a time"
  says "unit: 2 passed, 0 failed, 0 skipped"
}

# needing INSTALLED AVAILABLE UID SUDO: need of scripts/lib.sh for gcc, bats and groff-base, which the build can do without,
# on a system with the packages INSTALLED, where apt-get finds those AVAILABLE. SUDO: a command for sudo, or - without sudo.
needing() {
  rm -rf system
  mkdir system
  local tool
  for tool in sh sed grep tr basename env true find mkdir touch; do ln -s "$(type -P "$tool")" "system/$tool"; done
  fake dpkg-query "case ' $1 ' in *\" \$4 \"*) echo installed ;; esac"
  fake apt-cache "case ' $2 ' in *\" \$2 \"*) echo '  Candidate: 1' ;; *) echo '  Candidate: (none)' ;; esac"
  fake apt-get 'echo "ran apt-get $*"'
  fake id "echo $3"
  [ "$4" = - ] || fake sudo "$4"
  status=0
  # shellcheck disable=SC2016 # sh expands it
  output=$(PATH="$PWD/system" XDG_CACHE_HOME="$PWD/cache" SUDO_UID="${by_sudo:-}" sh -c 'set -eu; . "$1/lib.sh"; need "gcc | command gcc | a C compiler
bats | command bats | bats" "
groff-base | ? command groff | groff"' quickstart "$scripts" 2>&1) || status=$?
}
fake() {
  printf '#!/bin/sh\n%s\n' "$2" > "system/$1"
  chmod +x "system/$1"
}

@test "quickstart and test install what is missing as root and through sudo" {
  needing '' 'gcc bats groff-base' 0 -
  [ "$status" = 0 ] || fail
  says "about to install" "a C compiler (gcc)" "ran apt-get install -q -y --no-install-recommends gcc bats groff-base"
  needing gcc 'gcc bats groff-base' 1000 'echo "by sudo: $*"; "$@"'
  [ "$status" = 0 ] || fail
  says "by sudo: env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends bats groff-base" "ran apt-get install"
  needing 'gcc bats groff-base' '' 1000 -
  [ "$status" = 0 ] || fail
  [ -z "$output" ] || fail "nothing was missing"
}

@test "without root and sudo, quickstart and test name the command for root in one line" {
  local command="as root: apt-get update && apt-get install --no-install-recommends gcc bats groff-base"
  needing '' 'gcc bats groff-base' 1000 -
  [ "$status" = 1 ] || fail
  says "there is no sudo; $command"
  needing '' 'gcc bats groff-base' 1000 'exit 1'
  [ "$status" = 1 ] || fail
  says "sudo fails; $command"
  needing 'gcc bats' 'gcc bats groff-base' 1000 -
  [ "$status" = 0 ] || fail "the build can do without groff"
  says "not installed: groff-base"
}

@test "quickstart and test name the packages that apt-get does not find, and go on without those that they can do without" {
  needing '' gcc 0 -
  refused_after_update "apt-get finds no package bats: Debian has them in main, Ubuntu in universe"
  needing '' '' 1000 '"$@"'
  refused_after_update "apt-get finds no package gcc bats: "
  needing gcc 'gcc bats' 0 -
  [ "$status" = 0 ] || fail
  says "groff-base is not available here" "ran apt-get install -q -y --no-install-recommends bats"
}

@test "what can be done without and apt-get update does not find is not looked for again within a day" {
  needing 'gcc bats' 'gcc bats' 0 -
  [ "$status" = 0 ] || fail
  says "apt-get update: the package lists do not have groff-base" "ran apt-get update"
  needing 'gcc bats' 'gcc bats' 0 -
  [ "$status" = 0 ] || fail
  [ "$(grep -c "is not available here" <<< "$output")" = 1 ] || fail "expected one line"
  ! grep -q update <<< "$output" || fail "looked for again"
  touch -d '25 hours ago' cache/mlpdist/not-found/*/groff-base
  needing 'gcc bats' 'gcc bats' 0 -
  says "ran apt-get update"
  needing gcc 'gcc' 0 - # bats, though, is looked for each time
  [ "$status" = 1 ] || fail "expected status 1"
  says "apt-get update: the package lists do not have bats" "ran apt-get update" "apt-get finds no package bats"
}

@test "what apt-get does not find is looked for each time where that cannot be remembered: no room, another system, sudo" {
  mkdir -p cache/mlpdist/not-found/other-1
  touch cache/mlpdist/not-found/groff-base cache/mlpdist/not-found/other-1/groff-base # of other systems
  by_sudo=1000 needing 'gcc bats' 'gcc bats' 0 - # whose home may be that of another user
  says "ran apt-get update" "groff-base is not available here"
  [ "$(find cache -type f | wc -l)" = 2 ] || fail "root wrote: $(find cache)"
  rm -r cache/mlpdist
  ln -s /proc cache/mlpdist # in which not even root makes a folder
  needing gcc 'gcc bats' 0 -
  [ "$status" = 0 ] || fail "expected status 0"
  says "ran apt-get update" "groff-base is not available here" "ran apt-get install -q -y --no-install-recommends bats"
}

# What make prints for the goal "lint" with status $1, in a whole run of which nothing else is done.
whole_run() {
  rm -rf system
  mkdir system
  fake make "for goal; do :; done; [ \"\$goal\" != lint ] || { echo 'a finding'; exit $1; }"
  fake dpkg-query 'echo installed'
  fake apt-get 'exit 1'
  unset MLPD_TEST_COUNTS MLPD_TEST_FAILURES # of the run that this is part of
  PATH=$PWD/system:$PATH script test --all
}

@test "test --all: the lint counts as one of the tests, and its findings are printed" {
  whole_run 0
  [ "$status" = 0 ] || fail "expected status 0"
  says "a finding" "4 passed, 0 failed, 0 skipped" # clang's build, three files twice, and the lint: this make tests nothing
  whole_run 2
  [ "$status" = 1 ] || fail "expected status 1"
  says "a finding" "lint failed (status 2)" "3 passed, 1 failed, 0 skipped"
}

refused_after_update() {
  [ "$status" = 1 ] || fail "expected status 1"
  says "ran apt-get update" "$1"
  ! grep -q 'apt-get install' <<< "$output" || fail "expected no installation"
}
