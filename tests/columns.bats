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
  alone train "${options[@]}"
  succeeds
  says "table    size: number, 2 inputs: the value (57 where it is missing), missing"
  says "table    city: category, 8 inputs: city0, city1, city2, city3, city4, city5, ..., missing"
  says "table    zip: category, 4 inputs: 1000, 1001, 1002, 1003" "table    flag: yes/no, 1 input" "network  15-64-1"
  alone train "${options[@]}"
  succeeds
  says "columns of categories: city (7), zip (4)" "12 of 600 rows left out, whose target is missing"
  grep -q "note: mixed.csv: column id is left out" "$errors.all" || fail "the note is not repeated"
  alone info run/model.h5
  succeeds
  says "inputs of the network:" "  zip: category, 4 inputs: 1000, 1001, 1002, 1003"
  alone info run/converted.h5
  succeeds
  says "kinds of columns (values may be missing):" "  city: 7 categories: city0, city1" "  flag: yes/no"
}

@test "predict --keep passes columns into the predictions as they are" {
  mixed
  alone train --data mixed.csv --label price --epochs 1 --quiet --out run
  succeeds
  sed -i '3s/^h001/"a ""b"", c"/; 4a ,,,,,' mixed.csv
  alone predict --model run/model.h5 --data mixed.csv --out plain.csv
  succeeds
  local np
  for np in 1 3; do
    launch "$np" predict --model run/model.h5 --data mixed.csv --keep id,price --out kept.csv
    succeeds
    [ "$(sed -n 1p kept.csv)" = "row,id,price,price" ] || fail "another head"
    [ "$(sed -n 3p kept.csv | cut -d, -f1-4)" = '1,"a ""b"", c",67' ] || fail "another cell: $(sed -n 3p kept.csv)"
    [ "$(sed -n 601p kept.csv | cut -d, -f2)" = h599 ] || fail "other rows"
    cut -d, -f2 plain.csv | tail -n +5 | cmp - <(rev kept.csv | cut -d, -f1 | rev | tail -n +5) || fail "other predictions"
  done
  head -3 mixed.csv > one.csv
  { head -1 mixed.csv; sed -n 6,7p mixed.csv; } > two.csv
  alone predict --model run/model.h5 --data one.csv,two.csv --keep id --out kept.csv
  succeeds
  [ "$(tail -n 2 kept.csv | cut -d, -f2 | tr '\n' ' ')" = "h003 h004 " ] || fail "$(cat kept.csv)"
  alone predict --model run/model.h5 --data mixed.csv --keep ID --out never.csv
  fails_with 2 "keep 'ID' is no column; did you mean 'id'?"
  alone predict --model run/model.h5 --data run/converted.h5 --keep id --out never.csv
  fails_with 2 "--keep takes columns of raw tables"
  alone predict --model run/model.h5 --data mixed.csv --keep id --out never.h5
  fails_with 2 "--out never.h5 is HDF5"
  [ ! -e never.csv ] && [ ! -e never.h5 ] || fail "a file was written"
}
