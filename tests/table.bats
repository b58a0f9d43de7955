# Raw tables in train, eval and predict: converted into the run folder, by name where there are names.

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  awk 'BEGIN {
    print "size,rooms,age,price"
    for (i = 0; i < 300; i++) {
      size = 40 + (i * 37) % 120; rooms = 1 + (i * 7) % 5; age = (i * 13) % 90
      printf "%d,%d,%.1f,%.1f\n", size, rooms, age, 3 * size + 10 * rooms - age
    }
  }' > houses.csv
}

small=(--epochs 3 --batch 32 --lr 0.02 --lanes 4 --quiet --checkpoint-every never)

@test "a raw table trains as what convert makes of it, on any number of ranks, and is converted once" {
  alone convert houses.csv houses.h5 --label price
  succeeds
  alone train "${quick[@]}" --data houses.h5 "${small[@]}" --out set
  succeeds
  local want=$output
  alone train "${quick[@]}" --data houses.csv --label price "${small[@]}" --out raw
  succeeds
  [ "$output" = "$want" ] || fail "expected $want"
  local made
  made=$(stat -c %i raw/converted.h5)
  launch 3 train "${quick[@]}" --data houses.csv --label price "${small[@]}" --out raw
  succeeds
  [ "$output" = "$want" ] || fail "3 ranks: expected $want"
  [ "$(stat -c %i raw/converted.h5)" = "$made" ] || fail "converted again"
  grep -q '^label = price$' raw/config.ini || fail "config.ini lacks the label"
  alone train "${quick[@]}" --data houses.csv --label size "${small[@]}" --out raw
  succeeds
  [ "$(stat -c %i raw/converted.h5)" != "$made" ] || fail "another label, the same table"
  sed -i '2s/^40/41/' houses.csv
  made=$(stat -c %i raw/converted.h5)
  alone train --config raw/config.ini "${small[@]}" --out raw
  succeeds
  [ "$(stat -c %i raw/converted.h5)" != "$made" ] || fail "another table, the same file"
}

@test "train says how it reads a raw table; a fraction of 0 draws nothing" {
  alone train "${quick[@]}" --data houses.csv --label price --epochs 1 --out run --checkpoint-every never
  succeeds
  says "table    houses.csv: 4 columns separated by commas, header: size, rooms, age, price" "table    target: column 'price'"
  says "data     houses.csv: 240 train, 30 valid rows of 3 values, 1 target"
  alone train "${quick[@]}" --data houses.csv --label price --epochs 1 --out run --checkpoint-every never
  says "table    run/converted.h5, converted before: the inputs are unchanged"
  alone train "${quick[@]}" --data houses.csv --epochs 1 --out run --checkpoint-every never --valid-fraction 0 --test-fraction 0.5
  succeeds
  says "150 train, 0 valid rows"
  ! grep -q '^mlpdist: note: ' "$errors.all" || grep -q 'batch' "$errors.all" || fail "an odd note"
}

@test "a run that goes on has the same table and options" {
  alone train "${quick[@]}" --data houses.csv --label price "${small[@]}" --checkpoint-every 1epochs --out run
  succeeds
  alone train "${quick[@]}" --data houses.csv --label price "${small[@]}" --epochs 6 --out whole
  succeeds
  local want=$output
  alone train "${quick[@]}" --data houses.csv --label age "${small[@]}" --checkpoint-every 1epochs --out run --resume auto
  fails_with 2 "label = price" "label = age"
  launch 2 train "${quick[@]}" --data houses.csv --label price "${small[@]}" --epochs 6 --out run --resume auto
  succeeds
  [ "$output" = "$want" ] || fail "expected $want"
}

@test "predict takes raw rows by name, in any order, with or without target, each by itself" {
  alone train "${quick[@]}" --data houses.csv --label price "${small[@]}" --out run
  succeeds
  alone predict --model run/model.h5 --data houses.csv --out all.csv
  succeeds
  [ "$(head -1 all.csv)" = "row,price" ] || fail "no name of the target"
  awk -F, -v OFS=, 'NR == 1 || (NR > 40 && NR < 60) { print $3, (NR == 1 ? "id" : "n" NR), $1, $2 }' houses.csv > some.csv
  awk -F, 'NR == 1 || (NR > 40 && NR < 60) { print $2 }' all.csv > want
  local np
  for np in 1 3; do
    launch "$np" predict --model run/model.h5 --data some.csv --out some.out
    succeeds
    cut -d, -f2 some.out | cmp - want || fail "$np ranks: other predictions"
  done
  alone predict --model run/model.h5 --data some.csv --out -
  [ "$status" = 0 ] || fail "expected status 0"
  diff <(head -20 <<< "$output" | cut -d, -f2) want || fail "other predictions on the standard output"
  [ -z "$(find . -name '*mlpdist-table*')" ] || fail "a file is left"
  cut -d, -f1-3 some.csv > lacks.csv
  alone predict --model run/model.h5 --data lacks.csv --out none.csv
  fails_with 1 "lacks.csv: no column rooms, which the model needs"
  [ ! -e none.csv ] || fail "a file was written"
}

@test "predict takes raw rows for a model that was trained with --class-names, with or without target" {
  awk -F, -v OFS=, 'NR == 1 { print "a,b,y" } NR > 1 { print NR % 7, NR % 5, NR % 2 }' houses.csv > odd.csv
  cut -d, -f1,2 odd.csv > rows.csv
  alone train "${quick[@]}" --data odd.csv --class-names even,odd "${small[@]}" --out run
  succeeds
  alone predict --model run/model.h5 --data odd.csv --out with.csv
  succeeds
  alone predict --model run/model.h5 --data rows.csv --out without.csv
  succeeds
  cmp with.csv without.csv || fail "the target changed the predictions"
  [ "$(head -n 1 with.csv)" = row,class,even,odd ] || fail "$(head -n 1 with.csv)"
  printf 'a,b,y\n1,2,0\n3,4,2\n' > strange.csv
  alone eval --model run/model.h5 --data strange.csv
  fails_with 1 "strange.csv: column y holds class '2' at row 1 (from 0), which the model does not know"
  # A table that has some of the labels, their names, or labels that are not 0, 1, ...
  local kind
  for kind in 0 even; do
    printf 'a,b,y\n1,2,%s\n' "$kind" > one.csv
    alone eval --model run/model.h5 --data one.csv
    succeeds
    grep -q "^even .* 1$" <<< "$output" || fail "$kind is not even"
  done
  awk -F, -v OFS=, 'NR > 1 { $3 = $3 * 2 + 1 } { print }' odd.csv > ones.csv
  alone train "${quick[@]}" --data ones.csv --class-names even,odd "${small[@]}" --out ones
  succeeds
  printf 'a,b,y\n1,2,3\n' > one.csv
  alone eval --model ones/model.h5 --data one.csv
  succeeds
  grep -q "^odd .* 1$" <<< "$output" || fail "3 is not odd"
  alone info ones/model.h5
  says "class names: even, odd" "class labels in the table: 1, 3"
  awk -F, -v OFS=, 'NR == 1 { print "a,b,n,p" } NR > 1 { print $1, $2, 1 - $3, $3 }' odd.csv > hot.csv # one-hot
  alone train "${quick[@]}" --data hot.csv --label n,p --class-names even,odd "${small[@]}" --out hot
  succeeds
  head -n 9 hot.csv > few.csv
  alone eval --model hot/model.h5 --data few.csv
  succeeds
  says "rows      8,"
}

@test "eval of a raw table counts all its rows, and without --data the test part of the training's" {
  alone train "${quick[@]}" --data houses.csv --label price --delimiter comma "${small[@]}" --out run
  succeeds
  local rmse
  rmse=$(sed -n 's/^test .*rmse \([^ ]*\) .*/\1/p' <<< "$output")
  alone eval --model run/model.h5
  succeeds
  says "data      run/converted.h5, test part" "rows      30," "$rmse"
  ! grep -q 'trained on' "$errors.all" || fail "an odd note"
  alone eval --model run/model.h5 --data houses.csv --json
  succeeds
  says '"rows": 300'
  grep -q "note: houses.csv holds the rows that the model was trained on" "$errors.all" || fail "no note"
  cp houses.csv other.csv # for all that the program knows, of other rows
  alone eval --model run/model.h5 --data other.csv
  succeeds
  ! grep -q 'trained on' "$errors.all" || fail "an odd note"
  local command option
  for command in "eval" "predict --out never.csv"; do
    for option in "--part valid" "--x /x"; do
      alone $command --model run/model.h5 --data houses.csv $option
      fails_with 2 "${option% *} names rows of a data set, but houses.csv is a raw table: all its rows are used"
    done
    alone $command --model run/model.h5 --data run/converted.h5 --ignore price
    fails_with 2 "--ignore is for raw tables, but run/converted.h5 is a data set"
    alone $command --model run/model.h5 --label price
    fails_with 2 "--label is for raw tables, but the data of the model is a data set"
  done
  [ ! -e never.csv ] || fail "never.csv was written"
  sed -i '1s/price/cost/' houses.csv
  launch 2 eval --model run/model.h5 --data houses.csv
  fails_with 1 "houses.csv: no column price, which the model predicts"
}

@test "tables without a header go by position, with the target or without" {
  tail -n +2 houses.csv > plain.csv
  alone train "${quick[@]}" --data plain.csv --label 0 "${small[@]}" --out run
  succeeds
  alone predict --model run/model.h5 --data plain.csv --out with.csv
  succeeds
  cut -d, -f2- plain.csv > features.csv
  alone predict --model run/model.h5 --data features.csv --out without.csv
  succeeds
  cmp with.csv without.csv || fail "other predictions"
  cut -d, -f3- plain.csv > few.csv
  alone predict --model run/model.h5 --data few.csv --out few.out
  fails_with 1 "few.csv: has 2 columns, but the model expects 3"
  # A date of a table with a header is four inputs, which have names; here it has none.
  awk -F, '{ printf "%s,2021-03-%02d,%s\n", $2, 1 + NR % 28, $1 }' plain.csv > dates.csv
  { echo rooms,day,size; cat dates.csv; } > named.csv
  alone train "${quick[@]}" --data named.csv "${small[@]}" --out run
  succeeds
  alone predict --model run/model.h5 --data dates.csv --out dates.out
  fails_with 1 "dates.csv: has 3 columns, but the model expects 5; if some are dates"
  "$MLPDIST" convert dates.csv dates.h5 --test-fraction 0 --valid-fraction 0 --quiet || fail "convert"
  alone predict --model run/model.h5 --data dates.h5 --part train --out dates.out
  succeeds
  alone eval --model run/model.h5 --data dates.h5
  fails_with 1 "dates.h5: has no test part; --part names another"
}

@test "tables without a header may hold dates, spans, units and texts that training left out: places are names" {
  awk -F, 'NR > 1 { printf "id-%d-%d,%s cm,%dh %02dm,2021-03-%02d,%s,%s\n", NR, NR * NR, $1, NR / 60, NR % 60, 1 + NR % 28, $2, $4 }' \
    houses.csv > plain.csv
  { echo who,size,span,day,rooms,price; cat plain.csv; } > named.csv
  for table in plain named; do
    alone train "${quick[@]}" --data $table.csv "${small[@]}" --out $table.run
    succeeds
    alone predict --model $table.run/model.h5 --data $table.csv --out $table.out
    succeeds
  done
  diff <(tail -n +2 plain.out) <(tail -n +2 named.out) || fail "other predictions than with a header"
  [ "$(head -n 1 plain.out)" = "row,column 5" ] || fail "header: $(head -n 1 plain.out)"
  alone eval --model plain.run/model.h5 --data plain.csv
  succeeds
  [ ! -s "$errors" ] || fail "notes: $(cat "$errors")"
  tail -n 1 plain.csv | cut -d, -f1-5 > one.csv # a row alone, without the target
  alone predict --model plain.run/model.h5 --data one.csv --out one.out
  succeeds
  [ "$(tail -n 1 one.out | cut -d, -f2)" = "$(tail -n 1 plain.out | cut -d, -f2)" ] || fail "$(cat one.out)"
  alone predict --model plain.run/model.h5 --data named.csv --out one.out
  fails_with 1 "named.csv: the table of the model's training had no header, and its columns are found by their places; read this one likewise: --header no --skip-lines 1"
  alone predict --model plain.run/model.h5 --data named.csv --header no --skip-lines 1 --out one.out
  succeeds
  cmp one.out plain.out || fail "the cure reads other columns"
}

@test "arrays for a model: with the targets as training had them, in a column or a file, and without" {
  /usr/bin/python3 -c '
import numpy
x = numpy.random.default_rng(1).normal(size=(200, 3)).astype("f4")
y = numpy.array(["cat", "dog"])[(x[:, 0] > 0).astype(int)]
numpy.save("x.npy", x)
numpy.save("y.npy", y)
numpy.save("first.npy", numpy.column_stack([x[:, 0] > 0, x]))
numpy.savez("first.npz", numpy.column_stack([x[:, 0] > 0, x]))'
  alone train "${quick[@]}" --data x.npy,y.npy "${small[@]}" --out run
  succeeds
  for data in x.npy x.npy,y.npy; do
    alone predict --model run/model.h5 --data $data --out $data.csv
    succeeds
  done
  cmp x.npy.csv x.npy,y.npy.csv || fail "other predictions"
  alone predict --model run/model.h5 --data y.npy --out y.csv
  fails_with 1 "y.npy: holds text; features must be numbers"
  alone train "${quick[@]}" --data first.npy --label 0 "${small[@]}" --out first
  succeeds
  for data in x.npy first.npy first.npz; do
    alone predict --model first/model.h5 --data $data --out first.$data.csv
    succeeds
    cmp first.x.npy.csv first.$data.csv || fail "other predictions from $data"
  done
}

@test "several files and folders: parts by their names, rows of one table else" {
  mkdir parts
  { head -1 houses.csv; sed -n 2,201p houses.csv; } > parts/train.csv
  { head -1 houses.csv; sed -n '202,301p' houses.csv; } > parts/test.csv
  echo "What this is" > parts/README.md
  printf "id,k\n1,0\n" > parts/sample_submission.csv
  alone train "${quick[@]}" --data parts --label price --epochs 1 --out run --checkpoint-every never
  succeeds
  says "parts/test.csv: test part" "180 train, 20 valid rows" "(100 rows)"
  alone train "${quick[@]}" --data parts/train.csv,parts/test.csv --label price --epochs 1 --out run --checkpoint-every never
  succeeds
  says "parts/test.csv: test part" "180 train, 20 valid rows"
  mkdir empty
  alone train "${quick[@]}" --data empty
  fails_with 2 "--data empty: the folder holds no files"
}

@test "a table in another encoding: train, eval, predict and --keep read it alike, and as its UTF-8" {
  sed -e '1s/.*/尺寸,房間,年齡,城市/' -e '2,$s/,[^,]*$//' -e '2~2s/$/,臺北/' -e '3~2s/$/,高雄/' houses.csv > utf8.csv
  iconv -f UTF-8 -t BIG5 utf8.csv > big5.csv
  launch 2 train "${quick[@]}" --data big5.csv "${small[@]}" --out run
  fails_with 1 "big5.csv: its text is neither UTF-8 nor Windows-1252; name its encoding: --encoding Big5 if '尺寸' is right"
  alone train "${quick[@]}" --data utf8.csv "${small[@]}" --out utf8
  succeeds
  local digest
  digest=$(last_line)
  launch 2 train "${quick[@]}" --data big5.csv --encoding Big5 "${small[@]}" --out run
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "other weights: $(last_line)"
  alone predict --model run/model.h5 --data big5.csv --keep 城市 --out kept.csv # as in training
  succeeds
  [ "$(sed -n 1,2p kept.csv | cut -d, -f1,2 | tr '\n' ' ')" = "row,城市 0,臺北 " ] || fail "$(head -n 2 kept.csv)"
  alone eval --model run/model.h5 --data utf8.csv --encoding UTF-8
  succeeds
  says 高雄
}

@test "a table that cannot be read ends all ranks with one line, and leaves no folder" {
  sed '7s/,[0-9]*,/,x,/' houses.csv > bad.csv
  launch 3 train "${quick[@]}" --data bad.csv --label price --out never
  fails_with 1 "bad.csv:7: column 2 (rooms): 'x' is not a number"
  [ ! -e never ] || fail "a folder was made"
  alone train "${quick[@]}" --data houses.csv --label prise --out never
  fails_with 2 "did you mean 'price'?"
  cp houses.csv houses-test.csv
  launch 2 train "${quick[@]}" --data houses-test.csv --label price --out never
  fails_with 2 "houses-test.csv: its name says that it is not the training part" "mlpdist convert --train FILE DATA.h5"
  [ ! -e never ] || fail "a folder was made"
  mkdir mine
  alone convert houses.csv mine/converted.h5
  alone train "${quick[@]}" --data houses.csv --label price --out mine
  fails_with 1 "mine/converted.h5 exists, no run of mlpdist wrote it"
  alone train "${quick[@]}" --label price --epochs 1 --quiet --out run
  succeeds
  grep -q "note: --label has no effect: it is for raw tables" "$errors.all" || fail "no note"
}

@test "ranks that wait for a long conversion report no stall" {
  local rows=16000000
  ! is_sanitized || rows=2000000 # which takes as long
  { echo a,b,c; yes 1,2,3 | head -n $rows; echo 1,oops,3; } > long.csv
  launch 2 train "${quick[@]}" --data long.csv --stall-timeout 0.4 --out never
  fails_with 1 "long.csv:$((rows + 2)): column 2 (b): 'oops' is not a number"
  ! grep -q "wait" "$errors.all" || fail "a false alarm"
}

# A table with missing values, categories, an identifier and a flag. Its target depends on the categories alone where
# the size is missing.
mixed() {
  awk 'BEGIN {
    print "id,size,city,zip,flag,price"
    for (i = 0; i < 600; i++) {
      c = i % 7; z = int(i / 7) % 4; size = (i * 37) % 120
      printf "h%03d,%s,%s,%d,%s,%s\n", i, i % 11 == 3 ? "NA" : size, i % 13 == 5 ? "" : "city" c, 1000 + z,
        i % 3 ? "yes" : "no", i % 50 == 7 ? "?" : (i % 11 == 3 ? 0 : size) + (i % 13 == 5 ? 0 : 30 * c) + 50 * z
    }
  }' > mixed.csv
}

@test "missing values and categories are learned, and give the same bits on any ranks, streamed or not, resumed or not" {
  already_sanitized
  mixed
  local options=(--data mixed.csv --label price --categorical zip --epochs 40 --batch 32 --lr 0.02 --lanes 4 --quiet) mode np want
  for mode in "" --stream; do
    alone train "${quick[@]}" "${options[@]}" --out "one$mode" $mode
    succeeds
    grep -q "note: mixed.csv: column id is left out: its texts are nearly all different, as if they identified rows, as '[^']*'; --categorical 'id' keeps it" "$errors.all" || [ -n "$mode" ] || fail "no note"
    want=$output
    awk -v rmse="$(sed -n 's/^valid .*rmse \([^ ]*\).*/\1/p' <<< "$output")" 'BEGIN { exit !(rmse < 12) }' || fail "it did not learn"
    for np in 2 3; do
      launch "$np" train "${quick[@]}" "${options[@]}" --out "many$mode" $mode
      succeeds
      [ "$output" = "$want" ] || fail "$mode on $np ranks: expected $want"
    done
    alone train "${quick[@]}" "${options[@]}" --epochs 15 --out "two$mode" $mode
    launch 2 train "${quick[@]}" "${options[@]}" --out "two$mode" $mode --resume auto
    succeeds
    [ "$output" = "$want" ] || fail "$mode resumed: expected $want"
  done
  alone train "${quick[@]}" "${options[@]}" --out drawn --valid-fraction 0 --test-fraction 0
  alone train "${quick[@]}" --data drawn/converted.h5 --epochs 2 --valid-fraction 0.3 --lanes 4 --quiet --out part
  succeeds
  want=$(last_line)
  launch 3 train "${quick[@]}" --data drawn/converted.h5 --epochs 2 --valid-fraction 0.3 --lanes 4 --quiet --out part
  [ "$(last_line)" = "$want" ] || fail "a part drawn for validation: expected $want"
}

@test "predictions know categories by name; others, and values that training never missed, are counted in a note" {
  mixed
  alone train "${quick[@]}" --data mixed.csv --label price --categorical zip --epochs 20 --batch 32 --lr 0.02 --lanes 4 --quiet --out run
  succeeds
  alone predict --model run/model.h5 --data mixed.csv --out all.csv
  succeeds
  [ "$(wc -l < all.csv)" = 601 ] || fail "not a line for each row"
  # By name, whatever else the file holds: zip alone, and cities in another order.
  { head -1 mixed.csv; grep -E '^h(101|009|004)' mixed.csv; } > few.csv
  alone predict --model run/model.h5 --data few.csv --out few.out
  succeeds
  awk -F, '$1 == 4 || $1 == 9 || $1 == 101 { print $2 }' all.csv | cmp - <(tail -n +2 few.out | cut -d, -f2) || fail "other predictions"
  # As pandas writes whole numbers of a column with missing values: 1001.0.
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "zip") zip = i }
           NR > 1 && $zip ~ /^[0-9]+$/ { $zip = $zip ".0" } { print }' OFS=, few.csv > floats.csv
  cmp -s few.csv floats.csv && fail "no zip was rewritten"
  alone predict --model run/model.h5 --data floats.csv --out floats.out
  succeeds
  cmp few.out floats.out || fail "1001.0 is another category than 1001"
  printf 'size,city,zip,flag\n50,Paris,1001,\n50,Rome,7,no\n50,city1,1001,no\n' > new.csv
  launch 2 predict --model run/model.h5 --data new.csv --out new.out
  succeeds
  grep -q "note: new.csv: unknown categories, which count as none: city (2), zip (1)" "$errors.all" || fail "no note of unknown categories"
  grep -q "note: new.csv: missing values where the training rows have all, which count as their mean: flag (1)" "$errors.all" || fail "no note of missing values"
  sed 's/1001/here/' new.csv > text.csv
  alone predict --model run/model.h5 --data text.csv --out text.out
  succeeds
  sed 's/^50/small/' new.csv > text.csv
  alone predict --model run/model.h5 --data text.csv --out text.out
  fails_with 1 "text.csv:2: column 1 (size): 'small' is not a number"
  alone eval --model run/model.h5 --data mixed.csv
  succeeds
  says "rows      588,"
}

@test "a data set of numbers where the model expects categories is refused by name" {
  mixed
  alone train "${quick[@]}" --data mixed.csv --label price --categorical zip --epochs 1 --quiet --out run
  succeeds
  alone convert mixed.csv numbers.h5 --label price
  succeeds
  launch 2 eval --model run/model.h5 --data numbers.h5
  fails_with 1 "numbers.h5: column 'zip' holds numbers, but the model expects categories there" "--categorical"
  alone convert mixed.csv same.h5 --label price --categorical zip --test-fraction 0.5
  alone eval --model run/model.h5 --data same.h5
  succeeds
}

@test "rows for a model: columns without a value, constant targets, and cures that eval and predict accept" {
  awk 'BEGIN { print "a,city,y"; for (i = 0; i < 60; i++) print i % 7 "," substr("xyz", i % 3 + 1, 1) "," i * 0.5 }' > t.csv
  alone train "${quick[@]}" --data t.csv --epochs 1 --quiet --out run
  succeeds
  printf 'a,city,y\n,,1\n,,1\n' > empty.csv
  alone predict --model run/model.h5 --data empty.csv --out e.csv
  succeeds
  [ "$(wc -l < e.csv)" -eq 3 ] || fail "expected two rows"
  ! grep -q "beyond 2^53" "$errors.all" || fail "no number is so large"
  launch 2 eval --model run/model.h5 --data empty.csv
  succeeds
  ! grep -q "nothing to learn" "$errors.all" || fail "nothing is learned here"
  printf 'a,city,y\n1,x,1\noops,y,2\n' > odd.csv
  alone predict --model run/model.h5 --data odd.csv --out p.csv
  fails_with 1 "odd.csv:3: column 1 (a): 'oops' is not a number; correct it, or use --missing 'oops' to treat it as a missing value"
  ! grep -q "categorical" "$errors" || fail "the model says what is a category"
  alone predict --model run/model.h5 --data odd.csv --out p.csv --missing oops
  succeeds
}

@test "a table that cannot be converted for want of room: the file that is written is named, not the table alone" {
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 400; i++) print i % 7 "," i % 11 "," i * 0.5 }' > t.csv
  alone train "${quick[@]}" --data t.csv --epochs 1 --quiet --out run
  succeeds
  local status=0
  (ulimit -f 8 && "$MLPDIST" predict --model run/model.h5 --data t.csv --out p.csv) > said 2> "$errors" || status=$?
  [ "$status" = 1 ] || fail "expected status 1"
  grep -Eq "^mlpdist: t.csv, converted to ./mlpdist-table.tmp.*: File too large" "$errors" || fail "no such message"
  [ -z "$(find . -name '*.tmp.*')" ] || fail "a temporary file is left"
}

@test "a folder of data: copies and the files of a run in it are no tables; rows without the target are named" {
  mkdir data
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i % 7 "," i % 11 "," i * 0.5 }' > data/train.csv
  local want name
  alone train "${quick[@]}" --data data --epochs 1 --quiet --out first
  succeeds
  want=$(last_line)
  for name in train.csv~ train.csv.bak train.csv.part .train.csv.swp; do cp data/train.csv "data/$name"; done
  for name in first second data data; do # the folder of the data as that of the run, too
    alone train "${quick[@]}" --data data --epochs 1 --quiet --out $name
    succeeds
    [ "$(last_line)" = "$want" ] || fail "$name: expected $want"
  done
  alone train "${quick[@]}" --data second --epochs 1 --quiet --out third
  fails_with 2 "--data second: a run folder without tables"
  cut -d, -f1,2 data/train.csv > test.csv
  launch 2 train "${quick[@]}" --data data/train.csv,test.csv --lanes 2
  fails_with 1 "test.csv: no target 'y', which data/train.csv has; leave the file out"
}

@test "a model is not evaluated on the shipped data set unless it was trained on it" {
  printf 'a,b,y\n' > t.csv
  local i
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo "$i,$((i * i % 7)),$((i % 3)).5" >> t.csv; done
  alone train "${quick[@]}" --data t.csv --label y --epochs 1 --quiet --lr 0.01
  succeeds
  alone eval
  succeeds
  rm run/converted.h5
  alone eval
  fails_with 2 "run/model.h5 was trained on t.csv; name the data to use: --data FILE"
  launch 2 predict --out p.csv
  fails_with 2 "run/model.h5 was trained on t.csv"
  # The file counts, not its name: a copy of the shipped one, and another of the same shape.
  cp "$MLPDIST_DATA_DIR/digits.h5" copy.h5
  alone train "${quick[@]}" --data copy.h5 --epochs 1 --quiet
  succeeds
  alone eval
  succeeds
  says "digits.h5, test part"
  mkdir mine
  cp copy.h5 mine/digits.h5
  alone train "${quick[@]}" --data mine/digits.h5 --epochs 1 --quiet
  succeeds
  printf 'x' | dd of=mine/digits.h5 bs=1 seek="$(($(stat -c %s copy.h5) - 1))" conv=notrunc status=none
  alone eval
  fails_with 2 "run/model.h5 was trained on mine/digits.h5; name the data to use"
  rm mine/digits.h5
  launch 2 eval
  fails_with 2 "run/model.h5 was trained on mine/digits.h5; name the data to use"
  alone train "${quick[@]}" --epochs 1 --quiet
  succeeds
  alone eval
  succeeds
}

@test "a run that does not begin names the table that the user gave; a message during the run, the converted one" {
  on 2 train "${quick[@]}" --data houses.csv --label price "${small[@]}" --loss cross-entropy --task regression
  fails_with 1 " houses.csv (converted): one target column cannot be fitted"
  (head -n 1 houses.csv && tail -n 30 houses.csv && echo 50,3e38,30,50) > valid.csv
  alone train "${quick[@]}" --data houses.csv,valid.csv --label price "${small[@]}"
  fails_with 1 "run/converted.h5: "
}

@test "a note on the data names the table that the user gave, converted now or before" {
  awk 'BEGIN { print "id,size,price"; for (i = 0; i < 60; i++) printf "115292150460%07d,%d,%d\n", 998 * i, i % 7, i % 11 }' > t.csv
  for np in 2 1; do
    on "$np" train "${quick[@]}" --data t.csv --label price --task regression --epochs 1 --quiet --out run
    succeeds
    grep -q "note: t.csv (converted): 1 input column, first 0 (from 0), holds whole numbers beyond 2^53" "$errors.all" ||
      fail "$np ranks: no note"
  done
  on 1 train "${quick[@]}" --data t.csv --label price --task regression --loss cross-entropy --epochs 1 --quiet --out run
  fails_with 1 " t.csv (converted): one target column cannot be fitted"
}

@test "the converted table beside a model is that model's, whatever runs fail or follow" {
  local small=(--label price --epochs 2 --quiet --checkpoint-every never) before kept
  alone train "${quick[@]}" --data houses.csv "${small[@]}"
  succeeds
  alone eval
  before=$(grep -v '^rows' <<< "$output")
  cp run/converted.h5 former.h5
  kept=$(stat -c %i run/converted.h5)
  # A run that fails leaves the folder as it was, but for what it converted, which the next one uses.
  launch 2 train "${quick[@]}" --data houses.csv "${small[@]}" --split-seed 5 --task classification --class-weight 1,2
  fails_with 2 "--class-weight 1,2"
  [ "$(stat -c %i run/converted.h5)" = "$kept" ] || fail "the table of the model is gone"
  alone eval
  [ "$(grep -v '^rows' <<< "$output")" = "$before" ] || fail "another figure than $before"
  kept=$(stat -c %i run/converted.next.h5)
  launch 2 train "${quick[@]}" --data houses.csv "${small[@]}" --split-seed 5 --task classification
  succeeds
  [ "$(stat -c %i run/converted.h5)" = "$kept" ] || fail "not the one that was converted"
  [ ! -e run/converted.next.h5 ] || fail "it is left"
  alone eval
  succeeds
  launch 2 train "${quick[@]}" --data houses.csv "${small[@]}" --split-seed 6 --checkpoint-every 1 --epochs 1
  succeeds
  launch 2 train "${quick[@]}" --data houses.csv "${small[@]}" --split-seed 7 --resume auto
  fails_with 2 "the checkpoint was made with"
  [ ! -e run/converted.next.h5 ] || fail "a refused resume leaves a table"
  launch 2 train "${quick[@]}" --data houses.csv "${small[@]}" --split-seed 5 --task classification
  succeeds
  mv run/converted.h5 kept.h5
  cp former.h5 run/converted.h5
  launch 2 eval
  fails_with 2 "run/converted.h5 is not the table that run/model.h5 was trained on (houses.csv)"
  mv kept.h5 run/converted.h5
  # A run on a data set leaves none, unless it reads it; a user's own stays.
  cp run/converted.h5 set.h5
  alone train "${quick[@]}" --data run/converted.h5 --epochs 2 --quiet
  succeeds
  [ -e run/converted.h5 ] || fail "the data of the run was removed"
  alone train "${quick[@]}" --data set.h5 --epochs 2 --quiet
  succeeds
  [ ! -e run/converted.h5 ] || fail "a table of another run beside the model"
  alone convert houses.csv run/converted.h5
  alone train "${quick[@]}" --data set.h5 --epochs 2 --quiet
  succeeds
  [ -e run/converted.h5 ] || fail "a file that no run made was removed"
  alone eval
  fails_with 2 "run/converted.h5 is not the table that run/model.h5 was trained on (set.h5)"
}

@test "eval notes rows without a target, whose figures are missing, and refuses a table that has no other" {
  alone train "${quick[@]}" --data houses.csv --label price "${small[@]}" --out run
  succeeds
  awk -F, -v OFS=, 'NR > 1 && NR % 3 == 0 { $4 = "" } 1' houses.csv > some.csv
  alone eval --model run/model.h5 --data some.csv
  succeeds
  says "rows      200,"
  grep -q "note: some.csv: 100 of 300 rows left out, because the target is missing" "$errors.all" || fail "no note"
  awk -F, -v OFS=, 'NR > 1 { $4 = "" } 1' houses.csv > none.csv
  alone eval --model run/model.h5 --data none.csv
  fails_with 1 "none.csv: each of its 300 rows has a missing target, so no row is left"
  ! grep -q -- "--label" "$errors" || fail "the model knows its target"
}
