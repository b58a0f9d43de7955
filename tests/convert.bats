# mlpdist convert: what it prints, and its options for text tables. The tables themselves: test_convert_tables.c.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "convert prints its decisions, and with --quiet its result alone" {
  printf 'made by hand\n#,a,note,k\n1,1.5,x,yes\n2,?,y,no\n3,2.5,z,yes\n' > t.csv
  alone convert t.csv t.h5 --ignore note,0 --drop-missing --valid-fraction 0 --test-fraction 0
  succeeds
  says "t.csv: 4 columns between commas, header #, a, note, k" "1 line above the table passed over, the first: 'made by hand'"
  says "columns left out: #, note" "1 of 3 rows left out, which have missing values" "target: column 'k', 1 class: yes"
  [ "$(last_line)" = "t.h5: 2 train, 0 valid, 0 test rows of 1 values, 1 class" ] || fail "another last line"
  alone convert t.csv t.h5 --ignore note,0 --drop-missing --valid-fraction 0 --test-fraction 0 --quiet
  succeeds
  [ "$output" = "t.h5: 2 train, 0 valid, 0 test rows of 1 values, 1 class" ] || fail "more than the result"
}

@test "several targets are one list; a list given twice is refused" {
  printf 'X1,X2,Y1,Y2\n1,2,3.5,4.5\n5,6,7.5,8.5\n' > t.csv
  alone convert t.csv t.h5 --label Y1 --label Y2
  fails_with 2 "--label is given 2 times" "--label A,B"
  [ ! -e t.h5 ] || fail "a file was written"
  alone convert t.csv t.h5 --label y1
  fails_with 2 "did you mean 'Y1'?"
  alone convert t.csv t.h5 --label Y1,Y2 --valid-fraction 0 --test-fraction 0
  succeeds
  says "target: 2 columns of values, Y1, Y2"
}

@test "delimiters go by name or as themselves" {
  printf 'a|b|k\n1|2|0\n3|4|1\n' > t.csv
  local delimiter
  for delimiter in '|' bar auto; do
    alone convert t.csv t.h5 --delimiter "$delimiter"
    succeeds
    says "3 columns between '|'"
  done
  tr '|' '\t' < t.csv > tab.csv
  alone convert tab.csv t.h5 --delimiter tab
  succeeds
  alone convert t.csv t.h5 --delimiter '||'
  fails_with 2 "--delimiter" "neither one character nor"
  printf 'a;k\n1.234,5;0\n2,5;1\n' > t.csv
  alone convert t.csv t.h5 --decimal comma --thousands .
  succeeds
}

@test "a model trains on dummies, a target of decimal commas is no set of classes" {
  awk 'BEGIN { print "age,red,green,bought"; for (i = 0; i < 60; i++) printf "%.1f,%s,%s,%d\n", i % 7, i % 3 ? "True" : "False", i % 3 == 1 ? "True" : "False", (i % 3 > 0) }' > t.csv
  alone convert t.csv t.h5
  succeeds
  says "2 of them yes/no (1 and 0)"
  alone train --data t.h5 --epochs 30 --batch 16 --quiet --checkpoint-every never
  succeeds
  says "accuracy 1.0000"
  awk 'BEGIN { print "a;t"; for (i = 0; i < 60; i++) printf "%d.5;%d,25\n", i, i }' > t.csv
  alone convert t.csv u.h5
  fails_with 1 "t.csv:2: column 2 (t): '0,25' is no number as it is written" "--decimal comma reads it"
}
