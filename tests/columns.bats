# Columns of raw tables: what becomes of them, and those that pass into predictions.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

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

@test "train and info say what became of each column, again where the table was converted before" {
  mixed
  local options=(--data mixed.csv --label price --categorical zip --epochs 1 --checkpoint-every never --out run)
  alone train "${quick[@]}" "${options[@]}"
  succeeds
  says "table    size: number, 2 inputs: the value (57 if missing), and 1 if missing"
  says "table    city: category, 8 inputs: city0, city1, city2, city3, city4, city5, ..., missing"
  says "table    zip: category, 4 inputs: 1000, 1001, 1002, 1003" "table    flag: yes/no, 1 input" "network  15-64-1"
  alone train "${quick[@]}" "${options[@]}"
  succeeds
  says "columns of categories: city (7), zip (4)" "12 of 600 rows left out"
  grep -q "note: mixed.csv: column id is left out" "$errors.all" || fail "the note is not repeated"
  alone info run/model.h5
  succeeds
  says "inputs of the network:" "  zip: category, 4 inputs: 1000, 1001, 1002, 1003"
  alone info run/converted.h5
  succeeds
  says "kinds of columns (values may be missing):" "  city: 7 categories: city0, city1" "  flag: yes/no"
}

# 17 shops, in some rows none; sales depend on the shop.
shops() {
  awk 'BEGIN {
    print "shop,size,open,sales"
    for (i = 0; i < 500; i++) {
      s = i * 7 % 17
      printf "%s,%g,%s,%g\n", i % 23 == 5 ? "" : "shop" s, i * 37 % 113 / 10, i % 3 ? "yes" : "no", s * s % 11 + i * 37 % 113 / 10
    }
  }' > shops.csv
}

@test "a note says where no feature differs between rows; one that is missing in some does" {
  local brief=(--hidden 4 --epochs 1 --quiet --threads 1 --out run) note="the same value in all training rows, so the network can learn only one prediction for all rows"
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print "3,5," i * 37 % 60 / 7 }' > same.csv
  launch 2 train --data same.csv "${brief[@]}"
  grep -qF "note: same.csv (converted): every feature has $note" "$errors.all" || fail "no note"
  [ "$(grep -cF "$note" "$errors.all")" = 1 ] || fail "more than one note"
  awk 'BEGIN { print "a,y"; for (i = 0; i < 60; i++) print "u," (i % 3 ? "no" : "yes") }' > one.csv
  alone train --data one.csv "${brief[@]}"
  grep -qF "note: one.csv (converted): the only feature has $note" "$errors.all" || fail "no note"
  sed -i '4s/^u/w/' one.csv
  sed -i '4s/^3//' same.csv
  for file in one.csv same.csv; do
    alone train --data $file --valid-fraction 0 --test-fraction 0 "${brief[@]}"
    [ "$status" = 0 ] && ! grep -qF "$note" "$errors.all" || fail "$file"
  done
}

@test "columns of many categories are embedded: the same bits on any ranks, resumed, and in every description" {
  shops
  local options=(--data shops.csv --label sales --hidden 12 --batch 32 --lanes 4 --epochs 6 --lr 0.02 --checkpoint-every 7 --keep 99) first split
  alone train "${quick[@]}" "${options[@]}" --threads 1 --out run
  succeeds
  says "table    shop: category, embedded in 8 numbers: shop0, shop1, shop10, shop11, shop12, shop13, ..., missing" \
    "table    size: number, 1 input" "table    open: yes/no, 1 input" "network  3-12-1"
  first=$(grep digest <<< "$output")
  for split in "3 1" "2 2"; do
    # shellcheck disable=SC2086
    set -- $split
    launch "$1" train "${quick[@]}" "${options[@]}" --threads "$2" --out other --quiet
    succeeds
    says "$first"
  done
  launch 2 train "${quick[@]}" "${options[@]}" --quiet --out resumed --resume run/checkpoints/step-000000000007.h5
  succeeds
  says "$first"
  alone train "${quick[@]}" "${options[@]}" --quiet --out resumed --resume run/checkpoints/step-000000000007.h5 --embed-width 4
  fails_with 2 "the checkpoint was made with 'embed-width = 8', this run has 'embed-width = 4'"
  alone info run/model.h5
  succeeds
  says "layer 1: embed, table (18, 8), identity" "layer 2: weight (10, 12)" "shop: category, embedded in 8 numbers: shop0" "289 parameters"
  alone train "${quick[@]}" "${options[@]}" --embed-above 16 --embed-width 3 --quiet --out other
  succeeds
  alone info other/model.h5
  says "table (18, 3)" "embed-width = 3"
  ! grep -q "no effect" "$errors.all" || fail "the width has an effect"
  alone train "${quick[@]}" "${options[@]}" --embed-above 17 --embed-width 3 --quiet --out other
  succeeds
  grep -q "note: --embed-width has no effect: no column has more than 17 categories" "$errors.all" || fail "no note on the width"
  alone train "${quick[@]}" "${options[@]}" --ignore size --embed-numbers periodic --quiet --out other
  succeeds
  grep -q "note: --embed-numbers has no effect: no column holds numbers" "$errors.all" || fail "no note on numbers"
  for split in 17 65536; do # not more than so many
    alone train "${quick[@]}" "${options[@]}" --embed-above "$split" --out other
    succeeds
    says "shop: category, 18 inputs: shop0" "network  20-12-1"
  done
}

@test "an embedded category that the model does not know counts as none, and is counted" {
  shops
  alone train "${quick[@]}" --data shops.csv --label sales --hidden 12 --batch 32 --epochs 2 --quiet --out run
  succeeds
  { head -1 shops.csv; printf 'shop3,1,yes,0\nNew York,1,yes,0\n,1,yes,0\nParis,1,yes,0\nshop16,1,yes,0\n'; } > new.csv
  launch 2 predict --model run/model.h5 --data new.csv --out new.out
  succeeds
  grep -q "note: new.csv: unknown categories, which count as none: shop (2)" "$errors.all" || fail "no note: $(cat "$errors.all")"
  [ "$(sed -n '3s/.*,//p' new.out)" = "$(sed -n '5s/.*,//p' new.out)" ] || fail "unknown ones differ"
  [ "$(cut -d, -f2 new.out | tail -n +2 | sort -u | wc -l)" = 4 ] || fail "known ones, a missing and an unknown one are not told apart"
  sed 's/,yes,/,3,/' new.csv > numbers.csv
  alone eval --model run/model.h5 --data numbers.csv
  succeeds
  grep -q "note: numbers.csv: column open holds numbers from 3 to 3, but is yes/no in training" "$errors.all" || fail "no note on 3"
}

@test "a column that is yes/no in training is so for the model, without categories and missing values too" {
  awk 'BEGIN { print "a,f,y"; for (i = 0; i < 60; i++) print i % 7 "," (i % 3 ? "yes" : "no") "," i % 2 }' > answers.csv
  alone train "${quick[@]}" --data answers.csv --epochs 1 --hidden 4 --quiet --out run
  succeeds
  local digest
  digest=$(last_line)
  sed 's/yes/1/; s/no/0/' answers.csv > bits.csv
  alone train "${quick[@]}" --data bits.csv --epochs 1 --hidden 4 --quiet --out bits
  [ "$(last_line)" = "$digest" ] || fail "yes and 1 train otherwise"
  alone predict --model run/model.h5 --data bits.csv --out p.csv
  succeeds
  [ ! -s "$errors.all" ] || fail "a note: $(cat "$errors.all")"
  sed '3s/,1,/,2,/' bits.csv > two.csv
  alone predict --model run/model.h5 --data two.csv --out p.csv
  succeeds
  grep -q "note: two.csv: column f holds numbers from 0 to 2, but is yes/no in training: 1 and 0 are right (1 row holds neither)" \
    "$errors.all" || fail "no note"
  sed '4s/yes/2/' answers.csv > mixed.csv
  alone eval --model run/model.h5 --data mixed.csv
  fails_with 1 "mixed.csv: column 2 (f): 59 cells hold yes, no or the like, but 1 holds a number" "write 1 and 0 in all"
  sed '4s/yes/maybe/' answers.csv > maybe.csv
  alone predict --model run/model.h5 --data maybe.csv --out p.csv
  fails_with 1 "maybe.csv:4: column 2 (f): 'maybe' is not a number"
}

@test "units, marks between thousands, spans and angles are inputs, and the model knows the unit" {
  awk 'BEGIN {
    print "size,price,lap,at,sales"
    for (i = 0; i < 60; i++)
      printf "%d.5 cm,\"$1,%03d\",%d:%02d.5,%d°30\047%s,%d.5\n", i % 9, 7 * i, i % 4, i, i % 50, i % 2 ? "N" : "S", i
  }' > sales.csv
  alone train "${quick[@]}" --data sales.csv --label sales --hidden 4 --epochs 1 --out run
  succeeds
  says "numbers with a unit, the same in all rows: size (cm), price (\$)" "spans of time become seconds: lap" "angles become degrees, south and west negative: at" "network  4-4-1"
  alone info run/model.h5
  says "columns: size (cm), price (\$), lap.duration, at.degrees"
  alone predict --model run/model.h5 --data sales.csv --out dressed.csv
  succeeds
  awk 'BEGIN { # the same numbers, plain, in another order
    print "lap.duration,price ($),size (cm),at.degrees"
    for (i = 0; i < 60; i++)
      printf "%.1f,%d,%d.5,%.1f\n", i % 4 * 60 + i + 0.5, 1000 + 7 * i, i % 9, (i % 50 + 0.5) * (i % 2 ? 1 : -1)
  }' > plain.csv
  launch 2 predict --model run/model.h5 --data plain.csv --out plain.out
  succeeds
  cmp <(cut -d, -f2 dressed.csv) <(cut -d, -f2 plain.out) || fail "other predictions"
  sed '4s/cm/m/' sales.csv > metres.csv
  alone predict --model run/model.h5 --data metres.csv --out p.csv
  fails_with 1 "metres.csv:4: column 1 (size): '2.5 m' is not a number with cm, unlike the cells of this column in training"
  { head -1 sales.csv; sed -n 2p sales.csv; } > one.csv
  alone predict --model run/model.h5 --data one.csv --out one.out
  succeeds
  cmp <(tail -1 one.out | cut -d, -f2) <(sed -n 2p dressed.csv | cut -d, -f2) || fail "a row depends on others"
}

@test "predict --keep passes columns into the predictions as they are" {
  mixed
  alone train "${quick[@]}" --data mixed.csv --label price --epochs 1 --quiet --out run
  succeeds
  sed -i '3s/^h001/"a ""b"", c"/; 4a ,,,,,' mixed.csv
  alone predict --model run/model.h5 --data mixed.csv --out plain.csv
  succeeds
  local np
  for np in 1 3; do
    launch "$np" predict --model run/model.h5 --data mixed.csv --keep id,price --out kept.csv
    succeeds
    [ "$(sed -n 1p kept.csv)" = "row,id,price (kept),price" ] || fail "another head"
    [ "$(sed -n 3p kept.csv | cut -d, -f1-4)" = '1,"a ""b"", c",67' ] || fail "another cell: $(sed -n 3p kept.csv)"
    [ "$(sed -n 601p kept.csv | cut -d, -f2)" = h599 ] || fail "other rows"
    cut -d, -f2 plain.csv | tail -n +5 | cmp - <(rev kept.csv | cut -d, -f1 | rev | tail -n +5) || fail "other predictions"
  done
  # No two columns have the same name, whatever classes and columns are called.
  awk 'BEGIN { print "row,class,u,k"; for (i = 0; i < 60; i++) print i % 7 "," i % 5 "," i % 3 "," (i % 2 ? "row" : "class") }' > clash.csv
  alone train "${quick[@]}" --data clash.csv --hidden 4 --epochs 1 --quiet --out clash
  alone predict --model clash/model.h5 --data clash.csv --keep row,class,u --out named.csv
  succeeds
  [ "$(sed -n 1p named.csv)" = "row,row (kept),class (kept),u,class,class (probability),row (probability)" ] || fail "$(head -1 named.csv)"
  head -3 mixed.csv > one.csv
  { head -1 mixed.csv; sed -n 6,7p mixed.csv; } > two.csv
  alone predict --model run/model.h5 --data one.csv,two.csv --keep id --out kept.csv
  succeeds
  [ "$(tail -n 2 kept.csv | cut -d, -f2 | tr '\n' ' ')" = "h003 h004 " ] || fail "$(cat kept.csv)"
  alone predict --model run/model.h5 --data mixed.csv --keep ID --out never.csv
  fails_with 2 "keep 'ID' is not a column; did you mean 'id'?"
  alone predict --model run/model.h5 --data run/converted.h5 --keep id --out never.csv
  fails_with 2 "--keep is for raw tables, but run/converted.h5 is a data set"
  launch 2 predict --model run/model.h5 --data absent.csv --keep id --out never.csv
  fails_with 1 "absent.csv: no such file"
  launch 2 predict --model run/model.h5 --data mixed.csv --keep id,price --out kept.h5
  succeeds
  launch 1 predict --model run/model.h5 --data mixed.csv --keep id,price --out kept.csv
  [ ! -e never.csv ] || fail "a file was written"
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do ! "$python" -c 'import h5py' 2> /dev/null || break; done
  "$python" -c 'import h5py' 2> /dev/null || skip "no Python with h5py (Debian: python3-h5py)"
  "$python" - << 'END' || fail "HDF5 and CSV keep other cells"
import csv, h5py
with h5py.File("kept.h5") as file, open("kept.csv", newline="") as table:
    names, kept, values = file["kept_names"].asstr()[:].tolist(), file["kept"].asstr()[:].tolist(), file["value"][:, 0].tolist()
    head, *rows = csv.reader(table)
assert head == ["row", "id", "price (kept)", "price"] and names == ["id", "price"] and kept == [row[1:3] for row in rows] and kept[1][0] == 'a "b", c', (head, kept[:3])
assert len(kept) >= 600 and all(abs(value - float(row[3])) <= 1e-6 * abs(value) for value, row in zip(values, rows))
END
}

@test "dates are learned and predicted by name, on any ranks" {
  already_sanitized
  awk 'BEGIN { print "shop,when,sales"
    for (i = 0; i < 400; i++) { m = i % 12 + 1; d = i * 7 % 28 + 1; printf "%d,%s,%.1f\n", i % 3, i % 40 == 7 ? "" : sprintf("%d-%02d-%02d", 2000 + int(i / 40), m, d), 30 * m + d + 5 * int(i / 40) } }' > sales.csv
  local options=(--data sales.csv --label sales --epochs 30 --batch 32 --lr 0.02 --lanes 4 --quiet --out run) want
  alone train "${quick[@]}" "${options[@]}"
  succeeds
  want=$output
  launch 3 train "${quick[@]}" "${options[@]}"
  succeeds
  [ "$output" = "$want" ] || fail "expected $want"
  alone info run/model.h5
  says "when.year: number, 2 inputs" "when.day_of_year: number" "when.weekday: number" "when.seconds: number"
  awk -F, -v OFS=, '{ print $2, $1 }' sales.csv > new.csv
  alone predict --model run/model.h5 --data sales.csv --out one.csv
  succeeds
  launch 2 predict --model run/model.h5 --data new.csv --out two.csv --keep when
  succeeds
  cut -d, -f2 one.csv | cmp - <(cut -d, -f3 two.csv | sed '1s/.*/sales/') || fail "other predictions"
  awk -F, 'NR == 1 || NR == 3 { print $2 }' one.csv > want
  { head -1 new.csv; sed -n 3p new.csv; } > few.csv
  alone predict --model run/model.h5 --data few.csv --out few.out
  succeeds
  cut -d, -f2 few.out | cmp - want || fail "a row depends on others"
  sed -i '2s/2000-/00-/' new.csv
  alone predict --model run/model.h5 --data new.csv --out none.csv
  fails_with 1 "new.csv:2: column 1 (when): '00-01-01' is not a date such as 2021-03-15"
  cut -d, -f2 new.csv > lacks.csv
  alone predict --model run/model.h5 --data lacks.csv --out none.csv
  fails_with 1 "lacks.csv: no columns when.year, when.day_of_year, when.weekday, when.seconds"
}

@test "data sets whose columns are damaged are refused by name, on all ranks" {
  local python
  for python in ${PYTHON:-python3 /usr/bin/python3} ""; do
    [ -n "$python" ] || skip "no Python with NumPy and h5py; PYTHON names one"
    ! "$python" -c 'import numpy, h5py' 2> /dev/null || break
  done
  "$python" - << 'EOF'
import h5py
import numpy as np

def make(name, kinds, counts, categories, x, missing=False):
    with h5py.File(name + ".h5", "w") as file:
        for part in "train", "test":
            file[part + "/x"], file[part + "/y"] = x, np.arange(40) * 0.5
        file["columns/kind"] = np.array(kinds, "S")
        if counts is not None:
            file["columns/category_counts"] = np.array(counts, "u8")
            file["columns/categories"] = np.array(categories, "S")
        if missing:
            file["columns"].attrs["missing_values"] = np.uint64(1)

x = np.column_stack([np.arange(40) % 3, np.arange(40) / 7]).astype("f4")
kinds = ["category", "number"]
make("good", kinds, [3, 0], ["a", "b", "c"], x)
make("many", kinds, [9, 0], ["a", "b", "c"], x)
make("few", kinds, [2, 0], ["a", "b", "c"], x)
make("kind", ["colour", "number"], [3, 0], ["a", "b", "c"], x)
make("number", ["number", "number"], [3, 0], ["a", "b", "c"], x)
make("none", kinds, None, None, x)
x[5, 0] = 0.5
make("half", kinds, [3, 0], ["a", "b", "c"], x)
x[5, 0] = 9
make("nine", kinds, [3, 0], ["a", "b", "c"], x)
x[5, 0] = 3
make("code", kinds, [3, 0], ["a", "b", "c"], x)
x[5, 0] = np.nan
make("nan", kinds, [3, 0], ["a", "b", "c"], x, True)
x[5] = 1, np.nan
make("refused", kinds, [3, 0], ["a", "b", "c"], x)
EOF
  launch 2 train "${quick[@]}" --data good.h5 --epochs 1 --quiet --out run
  succeeds
  for name in half nine; do # 0.5 is no code either
    alone predict --model run/model.h5 --data $name.h5 --out $name.csv
    succeeds
    grep -q "note: $name.h5: unknown categories, which count as none: column 0 (1)" "$errors.all" || fail "no note: $(cat "$errors.all")"
  done
  cmp half.csv nine.csv || fail "a number that is no code is taken for one"
  local name words
  while read -r name words; do
    launch 2 train "${quick[@]}" --data "$name.h5" --epochs 1 --quiet --out never
    fails_with 1 "$name.h5: $words"
  done << 'EOF'
many /columns/category_counts [0] is 9, which is not possible
few /columns/categories holds 3 texts, but 2 are counted
kind /columns/kind [0] is 'colour', which this version does not know
none 
code column 0 (from 0) holds 3, which is not a code of its 3 categories
nan column 0 (from 0) holds nan, which is not a code of its 3 categories
refused /train/x holds nan at row 5, column 1 (from 0)
EOF
  launch 2 train "${quick[@]}" --data number.h5 --epochs 1 --quiet --out other
  succeeds
  launch 2 eval --data code.h5 --model run/model.h5
  succeeds
}

@test "tables of text alone: the header is known by the names that options give, and no row is taken for units" {
  awk 'BEGIN { print "odor,cap,class"; for (i = 0; i < 60; i++) print substr("anp", i % 3 + 1, 1) "," substr("xyz", i % 7 % 3 + 1, 1) "," (i % 3 ? "p" : "e") }' > text.csv
  alone convert text.csv t.h5
  succeeds
  says "60 rows of 2 features" "target: column 'class', 2 classes: e, p"
  sed 's/n/b/g; s/y/w/g; 1s/.*/odor,cap,class/' text.csv > words.csv
  alone train "${quick[@]}" --data words.csv --label class --epochs 20 --batch 16 --quiet --out run
  succeeds
  says "accuracy 1.0000  (6 rows)"
  grep -q "class" run/config.ini || fail "no label"
  alone predict --model run/model.h5 --data words.csv --out all.csv
  succeeds
  [ "$(wc -l < all.csv)" = 61 ] || fail "the header is a row"
}

@test "no output is one of the tables that are read" {
  awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i % 7 "," i % 5 "," i * 0.5 }' > one.csv
  cp one.csv two.csv
  ln two.csv three.csv
  alone train "${quick[@]}" --data one.csv,two.csv --epochs 1 --quiet --out run
  succeeds
  local out
  for out in two.csv ./one.csv three.csv; do
    launch 2 predict --model run/model.h5 --data one.csv,two.csv --out "$out"
    fails_with 2 "--out $out is the file that --data reads"
    alone train "${quick[@]}" --data one.csv,two.csv --epochs 1 --quiet --out never --trace "$out"
    fails_with 2 "--trace $out is the file that --data reads"
  done
  cmp one.csv two.csv || fail "an input was replaced"
  [ ! -e never ] || fail "a folder was made"
}

@test "a model that knows no weekday and no hour of a date, as those until 2026-11-30, predicts with what it knows" {
  awk 'BEGIN { print "k,when,y" > "a.csv"; print "k,when.year,when.day_of_year,when.seconds,y" > "then.csv"
    for (i = 0; i < 60; i++) {
      day = i % 31 + 1; hour = i % 24; y = day * 3 + 2
      printf "%d,2021-01-%02d %02d:30,%d\n", i % 7, day, hour, y > "a.csv"
      printf "%d,2021,%d,%d,%d\n", i % 7, day, 1609459200 + 86400 * (day - 1) + 3600 * hour + 1800, y > "then.csv"
    } }'
  alone train "${quick[@]}" --data a.csv --label y --task regression --batch 16 --lr 0.01 --out now
  succeeds
  says "five features each: year, day of the year, weekday, hour, seconds since 1970: when"
  alone train "${quick[@]}" --data then.csv --label y --task regression --batch 16 --lr 0.01 --out then
  succeeds
  alone predict --model then/model.h5 --data then.csv --out want.csv
  succeeds
  alone predict --model then/model.h5 --data a.csv --out got.csv
  succeeds
  cmp want.csv got.csv || fail "other predictions"
  alone eval --model then/model.h5 --data a.csv --importance
  succeeds
  says "when  "
}

@test "dates keep the training's order of day and month in predictions, and count as one column of importance" {
  awk 'BEGIN { print "when,a,sales"
    for (i = 0; i < 100; i++) printf "%d/%d/%d %d:30 %s,%d,%.1f\n", i % 12 + 1, i % 28 + 1, 2015 + i / 12, i % 12 + 1,
      i % 2 ? "AM" : "PM", i % 7, (i % 28) + i / 10 }' > us.csv
  alone train "${quick[@]}" --data us.csv --label sales --batch 32 --lr 0.02 --lanes 4 --out run
  succeeds
  says "us.csv: dates, read with the month first (MM/DD/YYYY), become five features each"
  alone predict --model run/model.h5 --data us.csv --out all.csv
  succeeds
  awk -F'[/ ,]' 'NR == 1 { print; next } $2 <= 12' us.csv > few.csv # no row shows the order
  alone predict --model run/model.h5 --data few.csv --out few.out
  succeeds
  awk -F'[/ ,]' 'NR > 1 && $2 <= 12 { print NR }' us.csv > rows
  awk -F, 'NR == FNR { wanted[$1]; next } FNR in wanted { print $2 }' rows all.csv | cmp - <(sed 1d few.out | cut -d, -f2) \
    || fail "other predictions"
  sed 's,^\([0-9]*\)/\([0-9]*\)/,\2/\1/,' us.csv > europe.csv
  alone predict --model run/model.h5 --data europe.csv --out none.csv
  fails_with 1 "europe.csv:14: column 1 (when): '13/1/2016 1:30 PM' is not a date with the month first"
  alone eval --model run/model.h5 --importance
  succeeds
  says "when  "
  ! grep -q "mdy" <<< "$output" || fail "expected the name of the table's column"
  alone train "${quick[@]}" --data few.csv --label sales --batch 32 --lanes 4 --quiet --out few --dates day
  fails_with 2 "dates must be auto, dmy or mdy, not 'day'"
}
