# early: it takes about a minute, and would keep one core busy at the end.
# The program end to end on small data: train, eval, predict, info, convert, and how each fails.

load helper

# One trained model for all tests of this file, and the data sets with a fault.
setup_file() {
  load helper
  shared=$BATS_FILE_TMPDIR
  # shellcheck disable=SC2046 # several flags
  "${CC:-cc}" -o "$shared/make_bad_data" "$BATS_TEST_DIRNAME/make_bad_data.c" \
    $(pkg-config --cflags --libs hdf5 2> /dev/null || pkg-config --cflags --libs hdf5-serial) -lm
  "$shared/make_bad_data" "$shared"
  "$MLPDIST" train "${quick[@]}" --quiet --epochs 4 --hidden 32 --lr 0.05 --batch 64 --out "$shared/run" > "$shared/train.out"
}

setup() {
  shared=$BATS_FILE_TMPDIR
  cd "$BATS_TEST_TMPDIR" || return 1
}

@test "train ends with the digest that info prints, and leaves its files" {
  output=$(cat "$shared/train.out")
  [[ "$(last_line)" =~ ^digest\ [0-9a-f]{16}$ ]] || fail "no digest line"
  local digest
  digest=$(last_line)
  for file in config.ini metrics.csv model.h5; do
    [ -s "$shared/run/$file" ] || fail "no $file"
  done
  [ "$(find "$shared/run/checkpoints" -name 'step-*.h5' | wc -l)" = 1 ] || fail "not one checkpoint, of the end"
  [ "$(find "$shared/run" -type f | wc -l)" = 4 ] || fail "more files than four"
  alone info "$shared/run/model.h5"
  succeeds
  says "$digest" "64-32-10" "hidden = 32"
}

@test "train says what it does: data, network, run, an epoch a line, where the time went" {
  alone train "${quick[@]}" --epochs 3 --hidden 8 --threads 1
  succeeds
  says "digits.h5" "64 values, 10 classes" "64-8-10" "1 rank x 1 thread" "lane" "compute" "files    run/config.ini" "test "
  [ "$(grep -c '^epoch [1-3]/3  train loss .* valid loss .* accuracy .* lr .* samples/s' <<< "$output")" = 3 ] || fail "epoch lines"
}

@test "no progress bar and no escape codes without a terminal" {
  alone train "${quick[@]}" --epochs 1 --hidden 4
  succeeds
  ! grep -q $'[\r\033]' "$errors.all" - <<< "$output" || fail "control characters"
}

@test "the same digest for any number of ranks and threads" {
  already_sanitized
  local first="" split np threads
  for split in "1 1" "1 2" "2 1" "3 1" "4 2"; do
    read -r np threads <<< "$split"
    launch "$np" train "${quick[@]}" --quiet --epochs 2 --hidden 16,8 --batch 256 --lanes 4 --threads "$threads" --out "run-$np-$threads"
    succeeds
    first=${first:-$(last_line)}
    [ "$(last_line)" = "$first" ] || fail "np $np x $threads gives another digest than $first"
  done
  [[ "$first" =~ ^digest\ [0-9a-f]{16}$ ]] || fail "no digest"
}

@test "the config file in the run folder repeats the run" {
  alone train --config "$shared/run/config.ini" --quiet --out again
  succeeds
  [ "$(last_line)" = "$(tail -n 1 "$shared/train.out")" ] || fail "another digest"
}

@test "another seed gives another digest" {
  alone train --config "$shared/run/config.ini" --quiet --out again --seed 2
  succeeds
  [ "$(last_line)" != "$(tail -n 1 "$shared/train.out")" ] || fail "the same digest"
}

@test "eval: text and JSON, the same on 1 and 3 ranks" {
  alone eval --model "$shared/run/model.h5"
  succeeds
  says "accuracy" "precision" "confusion" "cross-entropy"
  local accuracy
  accuracy=$(sed -n 's/^accuracy  //p' <<< "$output")
  awk -v a="$accuracy" 'BEGIN { exit !(a > 0.7 && a <= 1) }' || fail "accuracy $accuracy"
  alone eval --model "$shared/run/model.h5" --json
  succeeds
  says '"task": "classification"' '"accuracy": 0.' '"support": 27' '"rows": 269'
  local alone_json
  alone_json=$(grep -v '"seconds"' <<< "$output")
  launch 3 eval --model "$shared/run/model.h5" --json
  succeeds
  [ "$(grep -v '"seconds"' <<< "$output")" = "$alone_json" ] || fail "three ranks count otherwise"
}

@test "the accuracy that eval finds is the share of right predictions" {
  # The class of row i in good.h5 is i modulo 3.
  alone train "${quick[@]}" --data "$shared/good.h5" --epochs 3 --batch 16 --lr 0.02 --hidden 6 --quiet
  succeeds
  alone eval --data "$shared/good.h5" --part train
  succeeds
  local accuracy
  accuracy=$(sed -n 's/^accuracy  //p' <<< "$output")
  alone predict --data "$shared/good.h5" --part train --out p.csv
  succeeds
  [ "$(wc -l < p.csv)" = 41 ] || fail "expected a header and 40 rows"
  # Rows in order, and probabilities that add up to 1.
  awk -F, 'NR > 1 { s = $3 + $4 + $5; if ($1 != NR - 2 || NF != 5 || s < 0.999 || s > 1.001) exit 1 }' p.csv ||
    fail "rows out of order or probabilities that do not add up"
  [ "$(awk -F, 'NR > 1 { right += $2 == $1 % 3 } END { printf "%.4f", right / 40 }' p.csv)" = "$accuracy" ] ||
    fail "accuracy $accuracy is not that of p.csv"
}

@test "predict writes the same file on 1, 2 and 3 ranks, CSV and HDF5" {
  alone predict --model "$shared/run/model.h5" --out a.csv
  succeeds
  for np in 2 3; do
    launch $np predict --model "$shared/run/model.h5" --out b.csv
    succeeds
    cmp a.csv b.csv
  done
  launch 2 predict --model "$shared/run/model.h5" --out b.h5
  succeeds
  alone info b.h5
  succeeds
  says "/class" "/probability"
}

@test "regression: targets in their own units" {
  alone train "${quick[@]}" --data "$shared/values.h5" --quiet --epochs 200 --batch 16 --hidden 16 --optimizer adam --lr 0.01
  succeeds
  says "rmse"
  alone eval --data "$shared/values.h5"
  succeeds
  says RMSE MAE R2
  awk '$1 == "0" && NF == 4 { exit !($2 > 0.01 && $2 < 50 && $4 > 0.5) }' <<< "$output" || fail "not learned, or not in units"
  alone eval --data "$shared/values.h5" --json
  says '"outputs"' '"r2"'
}

@test "other people's paths: --x and --y" {
  alone train "${quick[@]}" --data "$shared/good.h5" --x /test/x --y /test/y --test-x /train/x --test-y /train/y --epochs 1 --quiet
  succeeds
  alone eval --data "$shared/good.h5" --x /train/x --y /train/y --part test
  succeeds
}

@test "columns of unlike ranges: wide integers are normalised column by column" {
  # The class is in b alone, whose range is a thousandth of that of a.
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 600; i++) print (i * 7919) % 20000 - 10000 "," i % 20 - 10 "," (i % 20 >= 10) }' > wide.csv
  alone convert wide.csv wide.h5
  succeeds
  alone train "${quick[@]}" --data wide.h5 --hidden 8 --batch 64 --epochs 10 --threads 1 --quiet
  succeeds
  local accuracy
  accuracy=$(sed -n 's/^valid .*accuracy \([0-9.]*\).*/\1/p' <<< "$output")
  awk "BEGIN { exit !($accuracy > 0.95) }" || fail "$output"
}

@test "convert a CSV, train on it, predict" {
  {
    echo "length,width,kind"
    for i in $(seq 1 60); do echo "$((i % 7)).5,$((i % 3 * 10)),kind-$((i % 3))"; done
  } > a.csv
  alone convert a.csv a.h5 --label kind --test-fraction 0.25 --valid-fraction 0
  succeeds
  says "45 train" "15 test" "3 classes"
  alone train "${quick[@]}" --data a.h5 --epochs 30 --batch 16 --lr 0.05 --quiet
  succeeds
  alone eval --data a.h5
  succeeds
  says "kind-0" "kind-2"
  alone train "${quick[@]}" --data a.h5 --epochs 1 --batch 256 --out lowered
  succeeds
  says "native, batch 40, "
  grep -qF -- "--batch 256 is lowered to the 40 training rows" "$errors.all" || fail "no note"
  printf '1,2\n3,oops\n' > bad.csv
  alone convert bad.csv bad.h5 --label none --header no
  fails_with 1 "bad.csv"
  [ ! -e bad.h5 ] || fail "a half-written file is left"
}

# train_fails STATUS WORDS -- ARGUMENT...: on 1 and 2 ranks, one line, no hang, and no run folder.
train_fails() {
  local expected=$1 words=$2 np
  shift 3
  for np in 1 2; do
    on $np train "${quick[@]}" --epochs 2 --out bad-run "$@"
    fails_with "$expected" "$words"
    [ ! -e bad-run/model.h5 ] || fail "a model is left"
    [ -z "$(find bad-run -type f 2> /dev/null)" ] || fail "files are left: $(find bad-run -type f)"
  done
}

@test "no file" {
  train_fails 1 "none.h5" -- --data none.h5
  alone train "${quick[@]}" --data none.csv --label y
  fails_with 1 "none.csv: no such file"
  ! grep note "$errors.all" || fail "a note on data that is not there"
}
@test "not HDF5" {
  echo "a,b" > a.csv
  train_fails 1 "a.csv: has a header, but no rows" -- --data a.csv # a raw table
  cp a.csv a.h5
  train_fails 1 "a.h5: not an HDF5 file" -- --data a.h5
}
@test "wrong path in the file" { train_fails 1 "/nothing/x" -- --data "$shared/good.h5" --x /nothing/x; }
@test "numbers of rows differ" { train_fails 1 "/test/y" -- --y /test/y; }
@test "no rows" { train_fails 1 "/train/x" -- --data "$shared/no-rows.h5"; }
@test "not a number: which row, which column" { train_fails 1 "row 31, column 1" -- --data "$shared/nan.h5"; }
@test "infinity: which row, which column" { train_fails 1 "row 5, column 2" -- --data "$shared/infinity.h5"; }
@test "a class below 0" { train_fails 1 "-4" -- --data "$shared/negative-class.h5"; }
@test "a class that --classes does not allow" { train_fails 1 "class" -- --classes 5; }
@test "an unknown back end" { train_fails 2 "plain" -- --backend magma; }
@test "a loss that does not fit the output" { train_fails 2 "softmax" -- --loss cross-entropy --output-activation tanh; }

@test "the options that were defaults until 2026-11-28 give the digests of then" {
  already_sanitized
  grep -q avx2 /proc/cpuinfo || skip "a processor without AVX2"
  alone train "${quick[@]}" --quiet --out former
  succeeds
  says "digest cf737b1ac48906bb"
  launch 2 train "${quick[@]}" --hidden 128 --epochs 30 --quiet --out former
  succeeds
  says "digest 0702b9e89f92b147"
}

@test "defaults: a tenth of the rows is drawn for validation, epochs go by the steps, and a run resumes with both" {
  awk -v OFS=, 'BEGIN { print "a,b,y"; for (i = 0; i < 400; i++) print i % 7, i % 5, i % 7 + 2 * (i % 5) + i % 3 / 10 }' > t.csv
  alone convert t.csv t.h5 --label y --task regression --test-fraction 0 --valid-fraction 0
  succeeds
  alone train --data t.h5 --hidden 4 --batch 8 --out whole
  succeeds
  says "360 train, 40 valid rows" "adamw lr 0.07" "epoch 178/178"
  grep -qx 'lr = 0.07' whole/config.ini || fail "the rate in config.ini"
  alone train --data t.h5 --hidden 4 --batch 1 --epochs 1 --valid-fraction 0 --out none
  succeeds
  says "400 train, 0 valid rows"
  # What an older version began without validation rows goes on without: the checkpoint's value stands for auto.
  alone train --data t.h5 --hidden 4 --batch 1 --epochs 1 --out none --resume auto
  succeeds
  says "400 train, 0 valid rows" "resumed"
  head -n 8 t.csv > few.csv
  alone convert few.csv few.h5 --label y --task regression --test-fraction 0 --valid-fraction 0
  alone train --data few.h5 --hidden 4 --epochs 1 --out few
  succeeds
  says "7 train, 0 valid rows"
}

@test "an output folder that cannot be made" {
  touch file
  for np in 1 2 3; do
    on $np train "${quick[@]}" --epochs 1 --out file/run
    fails_with 1 "file/run"
  done
  launch 2 predict --model "$shared/run/model.h5" --out nowhere/p.csv
  fails_with 1 "nowhere/p.csv"
}

@test "a loss that is no number stops the run and says where" {
  for np in 1 2; do
    on $np train "${quick[@]}" --data "$shared/values.h5" --batch 8 --lr 1e6 --epochs 50 --out wild
    fails_with 1 "step"
  done
}

@test "eval and predict: no model, no data, another width" {
  for np in 1 2; do
    on $np eval --model none.h5
    fails_with 1 "none.h5"
    on $np eval --model "$shared/good.h5"
    fails_with 1 "good.h5"
    on $np eval --model "$shared/run/model.h5" --data "$shared/good.h5"
    fails_with 1 "64"
    on $np predict --model "$shared/run/model.h5" --data "$shared/good.h5" --out p.h5
    fails_with 1 "64"
    [ ! -e p.h5 ] || fail "a half-written file is left"
  done
}

@test "MLPDIST_DEBUG=1 adds the place" {
  export MLPDIST_DEBUG=1
  alone info none.h5
  fails_with 1 "none.h5" ".c:"
}

@test "MLPDIST_DEBUG=1: train says how threads and ranks share a step" {
  alone train "${quick[@]}" --epochs 1 --threads 1 --quiet
  succeeds
  ! grep -q "threads share" "$errors.all"
  export MLPDIST_DEBUG=1
  alone train "${quick[@]}" --epochs 1 --threads 1 --quiet
  grep -q "note: threads share whole lanes; a block of weights is updated as soon as its gradient is summed" "$errors.all"
  launch 2 train "${quick[@]}" --epochs 1 --threads 1 --quiet
  grep -q "note: threads share whole lanes; the whole gradient is summed, then each rank updates all" "$errors.all"
}

@test "the default data set: MLPDIST_DATA_DIR comes first" {
  cp "$MLPDIST_DATA_DIR/digits.h5" .
  MLPDIST_DATA_DIR=$BATS_TEST_TMPDIR alone train --print-config
  succeeds
  says "data = $BATS_TEST_TMPDIR/digits.h5"
}

# mpirun calls itself "Open MPI", and mpirun.openmpi "OpenRTE".
is_open_mpi() { "${mpi_launch[@]}" --version | grep -Eq "Open MPI|OpenRTE"; }

@test "ranks of one machine do not look for networks, unless told to" {
  is_open_mpi || skip "not Open MPI"
  [ -z "${OMPI_MCA_pml-}" ] || skip "OMPI_MCA_pml is set"
  choice() { OMPI_MCA_pml_base_verbose=20 "${mpi_launch[@]}" -np 2 "$MLPDIST" train "${quick[@]}" --quiet --epochs 1 --out run 2>&1; }
  output=$(choice) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  grep -q "component ob1 selected" <<< "$output" || fail "not chosen"
  ! grep -q "component cm" <<< "$output" || fail "looked further"
  output=$(OMPI_MCA_pml=^v choice) && status=0 || status=$?
  grep -q "component cm" <<< "$output" || fail "what the user set was overridden"
}

@test "two ranks on one machine start without a word of Open MPI's" {
  launch 2 train "${quick[@]}" --quiet --epochs 1 --threads 1 --out quiet
  succeeds
  ! grep -av '^mlpdist: note:' "$errors.all" || fail "words on standard error"
}

@test "a process without mpirun makes no session folder of Open MPI, which another that ends could remove" {
  is_open_mpi || skip "not Open MPI"
  touch file
  export OMPI_MCA_orte_tmpdir_base=$PWD/file # no folder, so none can be made in it
  alone eval --model "$shared/run/model.h5"
  succeeds
  OMPI_MCA_orte_create_session_dirs=1 alone eval --model "$shared/run/model.h5" # as the user wants it
  [ "$status" != 0 ] || "${mpi_launch[@]}" --version | grep -Eq "(Open MPI\)?|OpenRTE\)?) [1-4]\." || skip "Open MPI 5 makes no such folder"
  [ "$status" != 0 ] || fail "the test sees no folder"
}

@test "a rank other than the first opens the data file once and reads no metadata of it" {
  unless_sanitized "the sanitizer wants to be preloaded first"
  "${CC:-cc}" -shared -fPIC -o count.so "$BATS_TEST_DIRNAME/count_opens.c" -ldl
  cp "$MLPDIST_DATA_DIR/digits.h5" data.h5
  cat > counting << END
#!/bin/sh
[ "\${OMPI_COMM_WORLD_RANK:-\${PMI_RANK:-0}}" = 0 ] || export COUNT_FILE=data.h5 COUNT_TO=$PWD/opens LD_PRELOAD=$PWD/count.so
exec "$(command -v "$MLPDIST")" "\$@"
END
  chmod +x counting
  touch -d 2020-01-01 data.h5 # a file of this moment could change unseen
  MLPDIST=$PWD/counting launch 4 train "${quick[@]}" --quiet --data data.h5 --epochs 1 --out run
  succeeds
  [ "$(sort opens | uniq -c | awk '{ print $1, $2 }' | tr '\n' ' ')" = "1 open 1 open 1 open " ] || fail "$(sort opens | uniq -c)"
  sed -i 's/= 0 \]/= none ]/' counting # with the first: there the marks are seen
  MLPDIST=$PWD/counting launch 2 train "${quick[@]}" --quiet --data data.h5 --epochs 1 --out run
  grep -q metadata opens || fail "the first rank's reading is not seen"
}
