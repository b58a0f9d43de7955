# mlpdist convert: what it prints, and its options for text tables. The tables themselves: test_convert_tables.c.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "convert prints its decisions, and with --quiet its result alone" {
  printf 'made by hand\n#,a,note,k\n1,1.5,x,yes\n2,?,y,no\n3,2.5,z,yes\n' > t.csv
  alone convert t.csv t.h5 --ignore note,0 --drop-missing --valid-fraction 0 --test-fraction 0
  succeeds
  says "t.csv: 4 columns separated by commas, header: #, a, note, k" "1 line above the table skipped, the first: 'made by hand'"
  says "columns left out: #, note" "1 of 3 rows left out, because a value is missing" "target: column 'k', 1 class: yes"
  [ "$(last_line)" = "t.h5: 2 train, 0 valid, 0 test rows of 1 value, 1 class" ] || fail "another last line"
  alone convert t.csv t.h5 --ignore note,0 --drop-missing --valid-fraction 0 --test-fraction 0 --quiet
  succeeds
  [ "$output" = "t.h5: 2 train, 0 valid, 0 test rows of 1 value, 1 class" ] || fail "more than the result"
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
  ! grep -q "binary" <<< "$output" || fail "3.5 is no answer"
  printf 'X1,X2,Y1,Y2\n1,2,1,0\n5,6,1,1\n3,2,0,0\n' > t.csv
  alone convert t.csv t.h5 --label Y1,Y2 --valid-fraction 0 --test-fraction 0
  succeeds
  says "target: 2 columns of values, Y1, Y2 (each 0 or 1; --loss binary-cross-entropy in training makes them probabilities)"
}

@test "delimiters go by name or as themselves" {
  printf 'a|b|k\n1|2|0\n3|4|1\n' > t.csv
  local delimiter
  for delimiter in '|' bar auto; do
    alone convert t.csv t.h5 --delimiter "$delimiter"
    succeeds
    says "3 columns separated by '|'"
  done
  tr '|' '\t' < t.csv > tab.csv
  alone convert tab.csv t.h5 --delimiter tab
  succeeds
  alone convert t.csv t.h5 --delimiter '||'
  fails_with 2 "--delimiter" "must be one character, or"
  printf 'a;k\n1.234,5;0\n2,5;1\n' > t.csv
  alone convert t.csv t.h5 --decimal comma --thousands .
  succeeds
}

@test "a model trains on dummies, a target of decimal commas is no set of classes" {
  awk 'BEGIN { print "age,red,green,bought"; for (i = 0; i < 60; i++) printf "%.1f,%s,%s,%d\n", i % 7, i % 3 ? "True" : "False", i % 3 == 1 ? "True" : "False", (i % 3 > 0) }' > t.csv
  alone convert t.csv t.h5
  succeeds
  says "2 of them yes/no (1 and 0)"
  alone train "${quick[@]}" --data t.h5 --epochs 30 --batch 16 --quiet --checkpoint-every never
  succeeds
  says "accuracy 1.0000"
  awk 'BEGIN { print "a;t"; for (i = 0; i < 60; i++) printf "%d.5;%d,25\n", i, i }' > t.csv
  alone convert t.csv u.h5
  fails_with 1 "t.csv:2: column 2 (t): '0,25' is not a number in this notation" "--decimal comma reads it"
}

@test "percent signs and currencies that are not in all rows are refused with the option that reads them, and read" {
  printf 'a,p,t\n1,5%%,"$1,000.50"\n2,-7%%,-$20\n4,12.5,$3\n' > t.csv
  alone convert t.csv t.h5
  fails_with 1 "t.csv:2: column 2 (p): '5%' is not a number in this notation" "--strip % reads it"
  alone convert t.csv t.h5 --strip %
  fails_with 1 "t.csv:2: column 3 (t): '\$1,000.50'" "--strip '\$' --thousands , reads it"
  alone convert t.csv t.h5 --strip '%,$' --thousands ,
  succeeds
  says "target: column 't', values from -20 to 1000.5" "3 rows of 2 features, stored as float32"
  printf 'a;t\n1;5,5 €\n2;7 EUR\n3;1.200,5 €\n' > t.csv
  alone convert t.csv t.h5 --strip €,EUR --decimal comma --thousands .
  succeeds
  says "values from 5.5 to 1200.5"
  alone convert t.csv t.h5 --strip 1
  fails_with 2 "strip: '1' may be part of a number"
}

@test "labels that are all the same, and classes that differ only in letter case, are noted" {
  awk 'BEGIN { print "a,t"; for (i = 0; i < 40; i++) print i % 7 ",yes" }' > t.csv
  alone convert t.csv t.h5
  grep -q "note: all labels are the same, 'yes'" "$errors.all" || fail "no note"
  awk 'BEGIN { print "a,t"; for (i = 0; i < 40; i++) print i % 7 ",0.5" }' > t.csv
  alone convert t.csv t.h5
  grep -q "note: all labels are the same, 0.5" "$errors.all" || fail "no note of values"
  awk 'BEGIN { print "a,t"; for (i = 0; i < 40; i++) print i % 7 "," (i % 3 == 0 ? "no" : i % 3 == 1 ? "Yes" : "yes") }' > t.csv
  alone convert t.csv t.h5
  grep -q "note: the classes 'Yes' and 'yes' differ only in letter case" "$errors.all" || fail "no note of cases"
}

@test "one-hot columns are classes with the names of the columns" {
  awk 'BEGIN { print "a,setosa,rare,virginica"; for (i = 0; i < 40; i++) print i % 7 "," (i % 2) ",0," (1 - i % 2) }' > t.csv
  alone convert t.csv t.h5 --label virginica,setosa,rare
  succeeds
  says "target: 2 classes: virginica, setosa (one-hot: each row has a single 1"
  alone info t.h5
  says "class names: virginica, setosa"
  alone convert t.csv t.h5 --label virginica,setosa,rare --task regression
  succeeds
  says "target: 3 columns of values, virginica, setosa, rare"
}

@test "whole numbers beyond 2^53 are noted, inputs and targets, in convert and in train" {
  awk 'BEGIN { print "id,a,t"; for (i = 0; i < 40; i++) printf "11529215046068%05d,%d,%.1f\n", 46976 + i * 999, i % 7, i / 2 }' > t.csv
  alone convert t.csv t.h5
  grep -q "note: t.csv: whole numbers beyond 2^53 = 9007199254740992 are rounded in id" "$errors.all" || fail "no note"
  alone train "${quick[@]}" --data t.h5 --epochs 1 --quiet
  grep -q "note: t.h5: 1 input column, first 0 (from 0), holds whole numbers beyond 2^53" "$errors.all" || fail "train says nothing"
  awk 'BEGIN { print "a,t"; for (i = 0; i < 40; i++) printf "%d,11529215046068%05d\n", i % 7, 46976 + i * 999 }' > t.csv
  alone convert t.csv t.h5
  grep -q "note: labels are whole numbers up to 1.15292e+18; beyond 2^53" "$errors.all" || fail "no note of labels"
}

@test "a text file among arrays is named" {
  printf '\000\000\010\001\000\000\000\001\005' > labels
  printf '\000\000\010\003\000\000\000\001\000\000\000\001\000\000\000\001\005' > images
  echo "What is in here" > README.txt
  alone convert README.txt images labels t.h5
  fails_with 2 "README.txt is text, but images is an array" "omit README.txt"
}

# array FILE 'DICTIONARY' DATA: an NPY file of version 1.
array() {
  local header="$2" bytes
  bytes=$((${#header} + 1))
  printf "\\x93NUMPY\\x01\\x00\\x$(printf %02x $((bytes & 255)))\\x$(printf %02x $((bytes >> 8)))%s\\n$3" "$header" > "$1"
}

@test "one array without labels: its last column, said; images need labels" {
  array x.npy "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3), }" '\x01\x02\x00\x03\x04\x01\x05\x06\x00\x07\x08\x01'
  alone convert x.npy o.h5
  succeeds
  says "target: column 2 (from 0) of x.npy, 2 classes: 0, 1"
  alone train "${quick[@]}" --data "x.npy , labels.npy" --quiet --epochs 1
  fails_with 1 "labels.npy: No such file"
  array labels.npy "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }" '\x01\x00\x01\x00'
  alone train "${quick[@]}" --data "x.npy , labels.npy" --quiet --epochs 1
  succeeds
  printf '\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x01\x02\x03\x04' > images
  printf '\x00\x00\x08\x01\x00\x00\x00\x02\x00\x01' > labels
  rm o.h5
  alone convert images o.h5
  fails_with 1 "images: holds images, but no labels" "--label none"
  [ ! -e o.h5 ] || fail "a file was written"
  alone convert images o.h5 --label none
  succeeds
  alone convert images labels o.h5
  succeeds
  cp images train-images
  cp labels test-labels
  alone convert train-images test-labels o.h5
  fails_with 2 "train-images: 1 array for the train part, but each x needs its y"
}

@test "arrays of an archive that are not read are named, and sparse matrices with a cure that works" {
  local python=${PYTHON:-/usr/bin/python3} command name
  "$python" - <<'PYTHON'
import zipfile, struct
def npy(descr, shape, data):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data
def archive(name, arrays):
    with zipfile.ZipFile(name, "w") as z:
        for key, value in arrays.items(): z.writestr(key + ".npy", value)
x, y = npy("|u1", (4, 2), bytes(range(8))), npy("|u1", (4,), bytes([0, 1, 0, 1]))
names = npy("|S1", (2,), b"pq")
wide, short, few = npy("|u1", (2, 2), bytes(4)), npy("|u1", (2,), bytes([1, 0])), npy("|u1", (3,), bytes(3))
def unnamed(name, *arrays): archive(name, {f"arr_{i}": array for i, array in enumerate(arrays)})
unnamed("xy.npz", x, y)
unnamed("yx.npz", y, x)
unnamed("xyxy.npz", x, y, wide, short)
unnamed("xxyy.npz", x, wide, y, short)
unnamed("xxyy2.npz", wide, x, y, short)
unnamed("xx.npz", x, x)
unnamed("yy.npz", y, y)
unnamed("xyy.npz", x, y, y)
unnamed("few.npz", x, few)
unnamed("six.npz", x, x, wide, y, y, short)
unnamed("eight.npz", *[x] * 8)
archive("ab.npz", {"a": x, "b": y})
archive("bunch.npz", {"data": x, "target": y, "feature_names": names, "frame": npy("|O", (), b"")})
archive("parts.npz", {"x_train": x, "y_train": y, "x_validation": x, "y_validation": y})
archive("joined.npz", {"trainX": x, "trainY": y, "valX": x, "valY": y})
archive("short.npz", {"X_tr": x, "y_tr": y, "Xdev": x, "Ydev": y})
archive("io.npz", {"input_train": x, "output_train": y, "inputVal": x, "outputVal": y})
archive("sparse.npz", {"indices": npy("<i4", (2,), struct.pack("<2i", 0, 1)), "data": npy("<f4", (2,), struct.pack("<2f", 5, 6)),
    "indptr": npy("<i4", (4,), struct.pack("<4i", 0, 1, 1, 2)), "format": npy("|S3", (), b"csr"), "shape": npy("<i8", (2,), struct.pack("<2q", 3, 2))})
PYTHON
  alone convert bunch.npz o.h5 --valid-fraction 0 --test-fraction 0
  succeeds
  says "bunch.npz: arrays left out: feature_names.npy, frame.npy" "o.h5: 4 train, 0 valid, 0 test rows of 2 values, 2 classes"
  for name in parts joined short io; do
    alone convert $name.npz o.h5
    succeeds
    says "o.h5: 4 train, 4 valid, 0 test rows"
    ! grep -q "left out" <<< "$output" || fail "nothing is left out"
  done
  for name in xy yx; do
    alone convert $name.npz o.h5 --valid-fraction 0 --test-fraction 0
    succeeds
    says "is y, by their shapes" "o.h5: 4 train, 0 valid, 0 test rows of 2 values, 2 classes"
  done
  for name in xyxy xxyy xxyy2; do
    alone convert $name.npz o.h5 --valid-fraction 0
    succeeds
    says "y of the part test, by their shapes"
    [ $name = xxyy2 ] || says "o.h5: 4 train, 0 valid, 2 test rows of 2 values, 2 classes"
  done
  says "arr_0.npy is x and arr_3.npy is y of the part train" "o.h5: 2 train, 0 valid, 4 test rows of 2 values, 2 classes"
  for name in xx yy xyy eight; do
    alone convert $name.npz o.h5
    fails_with 1 "$name.npz: holds arrays without names, arr_0 (4" "python3 -c" "=a['arr_0'], y"
  done
  alone convert few.npz o.h5
  fails_with 1 "arr_0.npy has 4 rows, but few.npz: arr_1.npy has 3"
  alone convert six.npz o.h5
  fails_with 1 "x_train=a['arr_0'], y_train=a['arr_3'], x_valid=a['arr_1'], y_valid=a['arr_4']"
  for name in six ab; do
    alone convert $name.npz o.h5
    command=$(sed -e 's/.*: python3/python3/' -e 's/ (in your order)//' -e "s|python3|$python|" "$errors")
    bash -c "$command" || fail "the cure fails: $command"
    alone convert $name-named.npz o.h5
    succeeds
  done
  alone convert sparse.npz o.h5
  fails_with 1 "sparse.npz: is a sparse SciPy matrix"
  "$python" -c "import scipy.sparse" 2> /dev/null || skip "no scipy (package python3-scipy): the cure was not tried"
  command=$(sed -e 's/.*full array: //' -e 's/ (needs scipy)//' -e "s|python3|$python|" "$errors")
  bash -c "$command" || fail "the cure fails: $command"
  alone convert sparse.npy o.h5 --label none
  succeeds
  says "o.h5: 0 train, 0 valid, 3 test rows of 2 values"
}
