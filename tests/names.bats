# Names of columns and classes: from a table into a model, and matched when the model is used with another table.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# notes_say WORD...: the last run's notes contain the words.
notes_say() {
  local word
  for word; do grep '^mlpdist: note: ' "$errors.all" | grep -qF -- "$word" || fail "expected a note '$word', not: $(cat "$errors.all")"; done
}

# flowers N FIRST NAME...: a table of N rows, columns u, v, kind: classes FIRST, FIRST + 1, ... lie apart by u and v and
# have the names.
flowers() {
  awk -v n="$1" -v first="$2" -v names="${*:3}" 'BEGIN {
    count = split(names, name, " ")
    print "u,v,kind"
    for (i = 0; i < n; i++) {
      k = i % count
      a = sin(i * 12.9898) * 43758.5453; b = sin(i * 78.233) * 12345.678
      printf "%.3f,%.3f,%s\n", 4 * (first + k) + 2 * (a - int(a)), -3 * (first + k) + 2 * (b - int(b)), name[k + 1]
    }
  }'
}

# model NAME...: model.h5 of such a table.
model() {
  flowers 300 0 "$@" > train.csv
  alone convert train.csv train.h5
  succeeds
  alone train "${quick[@]}" --data train.h5 --epochs 15 --batch 32 --quiet --checkpoint-every never
  succeeds
}

# test_set FILE: FILE.h5 of FILE.csv, all of it test rows.
test_set() {
  alone convert --test "$1.csv" "$1.h5"
  succeeds
}

accuracy() { sed -n 's/^accuracy  *//p' <<< "$output"; }

@test "classes meet by name, whatever their numbers: a test set that lacks one" {
  local names numbers
  for names in "setosa versicolor virginica" "1 2 3" "0 1 2"; do
    read -ra numbers <<< "$names"
    model "${numbers[@]}"
    flowers 90 1 "${numbers[@]:1}" > lacks.csv
    test_set lacks
    alone eval --data lacks.h5
    succeeds
    says "${numbers[0]} "
    notes_say "matched by name"
    awk -v a="$(accuracy)" 'BEGIN { exit !(a > 0.9) }' || fail "expected an accuracy above 0.9"
    # The class without rows is shown, and is no 0 in the means.
    says "mean of 2 of 3 classes"
    awk '$NF == 45 { sum += $(NF - 2) } /^mean of/ { exit !(sum > 1.8 && ($(NF - 2) - sum / 2) ^ 2 < 1e-7) }' <<< "$output" ||
      fail "expected the mean recall of two classes"
  done
}

@test "a class that the model does not know is refused by name" {
  model ant bee cat
  flowers 90 0 ant bee cat > new.csv
  echo "9,9,aloe" >> new.csv
  test_set new
  alone eval --data new.h5
  fails_with 1 "class 'aloe'" "it knows 'ant', 'bee', 'cat'"
  launch 2 eval --data new.h5
  fails_with 1 "class 'aloe'"
  alone predict --data new.h5 --part test --out p.csv # which looks at no class
  succeeds
}

@test "columns meet by name: another order, the same bits" {
  model ant bee cat
  flowers 90 0 ant bee cat > same.csv
  awk -F, '{ print $3 "," $2 "," $1 }' same.csv > other.csv
  test_set same
  alone convert --test other.csv other.h5 --label kind
  succeeds
  alone eval --data same.h5 --json
  succeeds
  grep -v seconds <<< "$output" > same.json
  launch 2 eval --data other.h5 --json
  succeeds
  notes_say "the columns are in a different order"
  grep -v seconds <<< "$output" | cmp - same.json
  alone predict --data same.h5 --part test --out same.out
  succeeds
  launch 2 predict --data other.h5 --part test --out other.out
  succeeds
  notes_say "the columns are in a different order"
  cmp same.out other.out
}

@test "columns that are missing or unknown are refused by name" {
  model ant bee cat
  flowers 90 0 ant bee cat | sed 's/^u,v/u,w/' > renamed.csv
  test_set renamed
  alone eval --data renamed.h5
  fails_with 1 "no column 'v'" "'w'"
  launch 2 predict --data renamed.h5 --part test --out p.csv
  fails_with 1 "no column 'v'" "'w'"
  [ ! -e p.csv ] || fail "expected no output"
}

@test "predict leaves out the model's target, where the table has it" {
  model 1 2 3
  flowers 90 0 1 2 3 > whole.csv
  cut -d , -f 1,2 whole.csv > bare.csv
  alone convert whole.csv whole.h5 --label none
  succeeds
  alone convert bare.csv bare.h5 --label none
  succeeds
  alone predict --data bare.h5 --part test --out bare.out
  succeeds
  alone predict --data whole.h5 --part test --out whole.out
  succeeds
  notes_say "is ignored: 'kind'"
  cmp bare.out whole.out
  flowers 90 0 1 2 3 | sed 's/kind/sort/' > more.csv
  alone convert more.csv more.h5 --label none
  alone predict --data more.h5 --part test --out more.out
  fails_with 1 "column 'sort', which the model does not know"
}

@test "columns that training did not have are left out with a note, those that it left out without" {
  already_sanitized
  flowers 60 0 ant bee | sed '1s/^/id,text,/; 2,$s/^/7,x,/' | awk -F, -v OFS=, 'NR > 1 { $1 = NR; $2 = "a text " NR } 1' > train.csv
  alone train "${quick[@]}" --data train.csv --ignore id --epochs 2 --quiet --out run
  succeeds
  alone info run/model.h5
  says "columns left out of the table: id, text"
  awk -F, -v OFS=, '{ print $0, (NR == 1 ? "more" : 5) }' train.csv > wide.csv
  local command out=
  for command in eval predict; do
    [ $command = eval ] || out="--out p.csv"
    # shellcheck disable=SC2086
    launch 2 $command --model run/model.h5 --data train.csv $out
    succeeds
    ! grep -q "left out" "$errors.all" || fail "$command: $(cat "$errors.all")"
    # shellcheck disable=SC2086
    launch 2 $command --model run/model.h5 --data wide.csv $out
    succeeds
    notes_say "wide.csv: columns that the model was not trained with are left out: more"
    [ "$(grep -c "left out" "$errors.all")" = 1 ] || fail "$command: $(cat "$errors.all")"
  done
  alone predict --model run/model.h5 --data wide.csv --keep more --out p.csv
  ! grep -q "left out" "$errors.all" || fail "it is in the output"
}

@test "predictions of values have the target's name" {
  flowers 60 0 1.5 2.5 3.5 > values.csv
  alone convert values.csv values.h5
  succeeds
  alone train "${quick[@]}" --data values.h5 --epochs 2 --batch 16 --quiet --checkpoint-every never
  succeeds
  alone predict --data values.h5 --part test --out p.csv
  succeeds
  [ "$(head -n 1 p.csv)" = "row,kind" ] || fail "expected the name in $(head -n 1 p.csv)"
  alone predict --data values.h5 --part test --out p.h5
  succeeds
  alone info p.h5
  says /targets/name
  alone eval --data values.h5 --json
  says '"name": "kind"'
}

@test "names do not steer a terminal, and JSON is UTF-8" {
  model $'a\e[31m' $'b\x9b\xff\xe9\xe8' $'c\u202e'
  flowers 90 1 $'b\x9b\xff\xe9\xe8' $'c\u202e' > lacks.csv
  test_set lacks
  local arguments
  for arguments in "eval --data lacks.h5" "info lacks.h5" "info run/model.h5" "eval --data lacks.h5 --json"; do
    # shellcheck disable=SC2086 # words
    alone $arguments
    succeeds
    if LC_ALL=C grep -q $'\e\|\x9b\|\xff\|\u202e' <<< "$output$(cat "$errors.all")" && [[ $arguments != *json ]]; then
      fail "$arguments: expected no control characters"
    fi
  done
  python3 -c 'import json, sys; print(len(json.load(sys.stdin)["classes"]))' <<< "$output" | grep -qx 3
  # the file of predictions, too, where it is a terminal; python3 makes one
  python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$MLPDIST" predict --data lacks.h5 --out - > shown < /dev/null
  grep -q "^row,class,a?\[31m" shown || fail "expected predictions in $(cat -v shown)"
  ! LC_ALL=C grep -q $'\e\|\x9b\|\xff\|\u202e' shown || fail "control characters in $(cat -v shown)"
  alone predict --data lacks.h5 --out p.csv
  succeeds
  head -n 1 p.csv | grep -q $'^row,class,a\e' || fail "expected the names as they are in $(head -n 1 p.csv | cat -v)"
  echo $'9,9,z\e[2J' >> lacks.csv
  test_set lacks
  alone eval --data lacks.h5
  fails_with 1 "class 'z?[2J'"
}

@test "convert says what each file became, and notes classes that training lacks" {
  flowers 90 0 ant bee cat > train.csv
  flowers 30 0 ant. bee. cat. > dotted.csv
  alone convert train.csv dotted.csv both.h5
  succeeds
  says "train.csv: train part" "dotted.csv: test part"
  notes_say "classes 'ant.', 'bee.', 'cat.' are in the validation or test part, but not in the training part"
  alone convert --quiet train.csv dotted.csv both.h5
  succeeds
  [ "$output" = "both.h5: 81 train, 9 valid, 30 test rows of 2 values, 6 classes" ] || fail "expected one line"
}

@test "inputs by the part they are for, whatever their names" {
  flowers 60 0 ant bee > jan.csv
  flowers 40 0 ant bee > feb.csv
  flowers 20 0 ant bee > train.csv
  alone convert --train jan.csv --train=feb.csv --test train.csv all.h5
  succeeds
  says "train.csv: test part" "all.h5: 90 train, 10 valid, 20 test rows"
  alone convert --test jan.csv only.h5
  succeeds
  says "only.h5: 0 train, 0 valid, 60 test rows"
  alone convert jan.csv feb.csv all.h5 --test-fraction 0.2
  succeeds
  says "jan.csv: part of one table" "70 train, 10 valid, 20 test rows"
  alone convert train.csv jan.csv feb.csv none.h5
  fails_with 2 "feb.csv" "--train FILE --valid FILE --test FILE"
  alone convert jan.csv --test feb.csv none.h5
  fails_with 2 "jan.csv"
  alone convert --train jan.csv --test ./jan.csv none.h5
  fails_with 2 "same file"
  alone convert --test none.h5
  fails_with 2 "too few arguments"
  alone convert none.h5
  fails_with 2 "name the inputs"
  [ ! -e none.h5 ] || fail "expected no file"
}

@test "a drawn split takes its share of each class" {
  {
    flowers 200 0 common usual
    for k in 0 0 1 1 2 2 3 3; do echo "9,9,rare$k"; done
  } > rare.csv
  alone convert rare.csv rare.h5
  succeeds
  says "rare.h5: 166 train, 21 valid, 21 test rows"
  alone info rare.h5
  succeeds
  says "rows of each class: 80 1 1 2 2 80" "rows of each class: 10 1 0 0 0 10" "rows of each class: 10 0 1 0 0 10"
}

@test "train notes the classes that validation or test have and training lacks" {
  already_sanitized
  flowers 60 0 ant bee > train.csv
  {
    flowers 30 0 ant bee
    echo "9,9,cat"
  } > test.csv
  alone convert train.csv test.csv all.h5 --valid-fraction 0 --quiet
  succeeds
  local arguments
  for arguments in "" "--stream" "--valid-fraction 0.2"; do
    # shellcheck disable=SC2086 # words
    launch 2 train "${quick[@]}" --data all.h5 --epochs 1 --batch 16 --quiet --checkpoint-every never $arguments
    succeeds
    notes_say "class 'cat' is in the validation or test part, but not in the training part" "class 'cat' has a single row"
    [ "$(grep -c "'cat'" "$errors.all")" = 2 ] || fail "expected each note once"
  done
  # Of a table, which the run converts first, too.
  launch 2 train "${quick[@]}" --data train.csv,test.csv --epochs 1 --batch 16 --quiet --checkpoint-every never
  succeeds
  notes_say "class 'cat' is in the validation or test part, but not in the training part" "class 'cat' has a single row"
  [ "$(grep -c "'cat'" "$errors.all")" = 2 ] || fail "expected each note once"
  # Few rows of a class, which the tenth for validation lacks.
  {
    flowers 60 0 ant bee
    printf '9,9,cat\n9,8,cat\n'
  } > few.csv
  launch 2 train "${quick[@]}" --data few.csv --epochs 1 --batch 16 --quiet --checkpoint-every never
  succeeds
  notes_say "class 'cat' has no row in the validation part"
  # One row to evaluate is not a class with a single row.
  head -n 2 train.csv > one.csv
  alone eval --data one.csv
  succeeds
  [[ $(< "$errors") != *single* ]] || fail "a note on the training data: $(< "$errors")"
}

@test "--valid-fraction takes its share of each class, on any number of ranks, streamed or not" {
  already_sanitized
  {
    flowers 200 0 common usual
    for k in 0 1 2 3; do for i in 1 2 3 4 5; do echo "$k,9,rare$k"; done; done
  } > rare.csv
  alone convert --train rare.csv rare.h5 --valid-fraction 0
  succeeds
  local arguments np
  for arguments in "" "--stream"; do
    for np in 1 2 3; do
      # shellcheck disable=SC2086 # words
      launch "$np" train "${quick[@]}" --data rare.h5 --valid-fraction 0.2 --epochs 2 --batch 16 --lanes 4 --threads 1 --quiet \
        --checkpoint-every never --out "run$np" $arguments
      succeeds
      ! grep -q "training part" "$errors.all" || fail "expected each class in the training part"
      [ "$np" = 1 ] || cmp <(cut -d , -f 1-6 run1/metrics.csv) <(cut -d , -f 1-6 "run$np/metrics.csv")
      echo "$(last_line)" >> "digests$arguments"
    done
    [ "$(sort -u "digests$arguments" | wc -l)" = 1 ] || fail "expected one digest"
  done
}

@test "many files of one table: all rows, few lines" {
  local i
  for i in $(seq 1 40); do flowers 10 0 ant bee > "part$i.csv"; done
  alone convert part*.csv all.h5
  succeeds
  says "40 files that are parts of one table" "all.h5: 320 train, 40 valid, 40 test rows"
  [ "$(wc -l <<< "$output")" -lt 40 ] || fail "expected fewer lines"
}
