# shellcheck disable=SC2154 # variables of helper.bash
# train --init-from: a run that starts from a model. Matching by name in memory: tests/test_init_from.c.

load helper

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  # Two tables of one target, whose columns, categories and order differ.
  local i
  echo a,city,b,y > first.csv
  echo b,a,city,y > second.csv
  for i in {1..60}; do
    echo "$((i * 7 % 13)).5,$([ $((i % 3)) = 0 ] && echo Rome || echo Oslo),$((i * 5 % 11)),$((i * 7 % 13 + i * 5 % 11)).25" >> first.csv
    echo "$((i * 3 % 11)),$((i * 4 % 13)).5,$([ $((i % 4)) = 0 ] && echo Bonn || echo Rome),$((i * 4 % 13 + i * 3 % 11)).25" >> second.csv
  done
  "$MLPDIST" train --hidden 12,8 --activation tanh --epochs 2 --quiet --threads 1 --out model > /dev/null
  "$MLPDIST" train --data first.csv --hidden 8 --epochs 3 --batch 16 --quiet --threads 1 --out table > /dev/null
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

digest_of() { sed -n 's/^digest //p' <<< "$1"; }

# from MODEL ARGUMENT...: one rank and one thread.
from() { alone train --init-from "$@" --threads 1 --checkpoint-every never; }

# cmp_values A.csv B.csv ROWS: the last columns hold the same numbers.
cmp_values() {
  python3 - "$@" << 'END' || fail "$1 and $2 differ"
import csv, sys
a, b = ([float(row[-1]) for row in list(csv.reader(open(name)))[1:]] for name in sys.argv[1:3])
assert len(a) == int(sys.argv[3]) and max(a) - min(a) > 1, a
assert max(abs(p - q) for p, q in zip(a, b)) < 1e-4 * max(map(abs, a)), list(zip(a, b))[:3]
END
}

@test "without a step the model stays what it was, also where columns and categories lie elsewhere" {
  from model/model.h5 --epochs 1 --lr 0 --out same
  succeeds
  says "network  64-12-8-10, tanh" "weights  of model/model.h5" "digest $(digest_of "$("$MLPDIST" info model/model.h5 | sed 's/^ *//')")"
  # What the model decides goes before a preset, but not before what is given, and --print-config leaves it open.
  from model/model.h5 --preset tabular --epochs 1 --lr 0 --out same
  succeeds
  says "network  64-12-8-10, tanh" "digest $(digest_of "$("$MLPDIST" info model/model.h5 | sed 's/^ *//')")"
  from model/model.h5 --preset tabular --print-config
  succeeds
  ! grep -E '^(hidden|activation|clip-inputs|normalize) =' <<< "$output" || fail "the model decides these"
  from model/model.h5 --hidden 256,256,256 --out never
  fails_with 2 "weight of layer 1 is (64, 12) in the model, (64, 256) in this network"
  from table/model.h5 --data second.csv --epochs 1 --lr 0 --out moved --quiet
  succeeds
  "$MLPDIST" predict --model table/model.h5 --data second.csv --out a.csv
  "$MLPDIST" predict --model moved/model.h5 --data second.csv --out b.csv
  cmp_values a.csv b.csv 60
}

@test "activations that learn are the model's, with what they learned" {
  alone train --hidden 8,6 --activation tanh --parametric-activation 3 --epochs 2 --batch 200 --lr 0.05 --quiet --out bends
  succeeds
  from bends/model.h5 --preset tabular-td --epochs 1 --lr 0 --weight-decay 0 --out bent
  succeeds
  says "digest $(digest_of "$("$MLPDIST" info bends/model.h5 | sed 's/^ *//')")"
  from bends/model.h5 --parametric-activation 0 --out never
  fails_with 2 "64-8-8 (parametric)-6-6 (parametric)-10, this one is 64-8-6-10; leave out"
}

@test "an option that needs another one, which the model gives, has an effect" {
  alone train --hidden 8 --input-scale 6 --epochs 1 --quiet --out scaled
  succeeds
  from scaled/model.h5 --input-scale-decay 1 --epochs 1 --quiet --out next
  succeeds
  ! grep "no effect" "$errors.all" || fail "the model has an input scale"
  from model/model.h5 --input-scale 0 --input-scale-decay 1 --epochs 1 --quiet --out next
  grep -q "note: --input-scale-decay has no effect without --input-scale" "$errors.all" || fail "no note"
}

# A model must not forget what the new table lacks: here cities, one-hot or embedded, and missing values.
@test "categories and missing values that the new table lacks stay known" {
  awk 'BEGIN { print "town,size,b,city,y"; for (i = 0; i < 120; i++) print (i % 3 ? "t" i % 4 : "") "," (i % 10 ? i % 7 : "") "," i % 11 ",c" i * 5 % 13 "," i % 7 + i * 5 % 13 ".25" }' > old.csv
  awk 'BEGIN { print "city,town,b,size,y"; for (i = 0; i < 60; i++) print "c" i % 4 * 3 ",t" i % 2 + 3 "," i % 3 "," i % 5 "," i ".25" }' > few.csv
  "$MLPDIST" train --data old.csv --hidden 8 --epochs 4 --batch 16 --embed-width 3 --quiet --threads 1 --out old > /dev/null
  launch 2 train --init-from old/model.h5 --data few.csv --epochs 1 --lr 0 --threads 1 --out few
  succeeds
  says "town: category, 6 inputs: t3, t4, t0, t1, t2, missing" "size: number, 2 inputs" "embedded in 3 numbers: c0, c3, c6, c9,"
  "$MLPDIST" predict --model old/model.h5 --data old.csv --out a.csv
  "$MLPDIST" predict --model few/model.h5 --data old.csv --out b.csv
  cmp_values a.csv b.csv 120
}

# The new table has fewer cities, one of which the model does not know, and other columns before them.
@test "embedded categories keep their rows, and columns stay embedded" {
  awk 'BEGIN { print "town,size,city,y"; for (i = 0; i < 120; i++) print (i % 3 ? "t" i % 11 : "") ",", i % 7 ",c" i * 5 % 13 "," i % 7 + i * 5 % 13 ".25" }' > wide.csv
  awk 'BEGIN { print "city,town,size,y"; for (i = 0; i < 60; i++) print (i % 9 ? "c" i % 4 * 3 : "Bonn") ",t" i % 12 "," i % 5 "," i ".25" }' > narrow.csv
  "$MLPDIST" train --data wide.csv --hidden 8 --epochs 4 --batch 16 --embed-width 3 --quiet --threads 1 --out wide > /dev/null
  from wide/model.h5 --data narrow.csv --epochs 1 --lr 0 --out narrow
  succeeds
  says "table    city: category, embedded in 3 numbers: Bonn, c0, c3, c6, c9" "town: category, embedded in 3 numbers: t0"
  "$MLPDIST" predict --model wide/model.h5 --data narrow.csv --out a.csv
  "$MLPDIST" predict --model narrow/model.h5 --data narrow.csv --out b.csv
  cmp_values a.csv b.csv 60
  from wide/model.h5 --data narrow.csv --epochs 1 --embed-width 4 --out never
  fails_with 2 "--init-from: table of layer 1 is (" ", 3) in the model, (" ", 4) in this network"
}

# b is a number in the one table and yes or no in the other, and columns have other places: what both know stays.
@test "bins of numbers are found anew if the normalisation is" {
  local name
  "$MLPDIST" train --data first.csv --hidden 4 --epochs 1 --quiet --threads 1 --embed-numbers piecewise --embed-bins 4 --normalize standard \
    --out bins > /dev/null
  "$MLPDIST" train --data first.csv --hidden 4 --epochs 1 --quiet --threads 1 --embed-numbers piecewise --embed-bins 4 --normalize robust \
    --out robust > /dev/null
  from bins/model.h5 --data first.csv --epochs 1 --quiet --normalize robust --out anew
  succeeds
  for name in bins robust anew; do "$MLPDIST" export "$name/model.h5" "$name.json" > /dev/null; done
  edges() { python3 -c 'import json, sys; print([l["edge"] for l in json.load(open(sys.argv[1]))["layers"] if "edge" in l])' "$1.json"; }
  [ "$(edges anew)" = "$(edges robust)" ] || fail "edges $(edges anew), not $(edges robust)"
  [ "$(edges anew)" != "$(edges bins)" ] || fail "the edges do not depend on the normalisation"
}

@test "numbers as cosines go with their columns; a number that becomes yes or no keeps its value alone" {
  awk 'BEGIN { print "a,city,b,size,y"; for (i = 0; i < 120; i++) print i % 3 ",c" i * 5 % 13 "," i % 2 "," i % 7 "," i % 7 + i * 5 % 13 ".25" }' > numbers.csv
  awk 'BEGIN { print "city,size,b,a,y"; for (i = 0; i < 60; i++) print "c" i % 4 * 3 "," i % 5 "," (i % 2 ? "yes" : "no") "," i % 3 "," i ".25" }' > moved.csv
  sed 's/no/0/; s/yes/1/' moved.csv > same.csv
  local options=(--epochs 1 --lr 0 --weight-decay 0 --batch 16 --quiet --threads 1)
  "$MLPDIST" train --data numbers.csv --hidden 8 --epochs 9 --lr 0.02 --batch 16 --embed-numbers periodic --embed-width 3 --quiet \
    --threads 1 --out numbers > /dev/null
  from numbers/model.h5 --data same.csv "${options[@]}" --out same
  succeeds
  "$MLPDIST" predict --model numbers/model.h5 --data same.csv --out a.csv
  "$MLPDIST" predict --model same/model.h5 --data same.csv --out b.csv
  cmp_values a.csv b.csv 60
  from numbers/model.h5 --data moved.csv "${options[@]}" --out moved
  succeeds
  alone info moved/model.h5
  succeeds
  says "layer 2: periodic, frequency (2, 16)" "embed-numbers = periodic"
  from numbers/model.h5 --data same.csv "${options[@]}" --embed-numbers none --out never
  fails_with 2 "--embed-numbers, --embed-bins and --folds to use the model's"
}

@test "the same weights on any split, and after a resume; a checkpoint knows its start" {
  local options=(--init-from model/model.h5 --lr 0.003 --schedule constant --lanes 4 --threads 1 --quiet)
  alone train "${options[@]}" --epochs 3 --out whole
  succeeds
  local expected
  expected=$(last_line)
  launch 3 train "${options[@]}" --epochs 1 --out part
  succeeds
  alone train "${options[@]}" --epochs 3 --out part --resume auto --threads 2
  succeeds
  [ "$(last_line)" = "$expected" ] || fail "expected $expected"
  alone train "${options[@]:2}" --hidden 12,8 --activation tanh --epochs 4 --out part --resume auto
  fails_with 2 "the checkpoint was made with 'init-from = " "this run has 'init-from = '"
  alone train "${options[@]}" --init-from whole/model.h5 --epochs 4 --out part --resume auto
  fails_with 2 "the checkpoint was made with 'init-from = "
  grep -q '^init-from = model/model.h5' part/config.ini || fail "config.ini does not name the model"
}

@test "ranks with different models are refused" {
  unlike "$MLPDIST" train --init-from model/model.h5 --out x -- "$MLPDIST" train --init-from table/model.h5 --out x
  fails_with 2 "rank 1 of 2"
}

@test "what does not fit is refused; another last layer starts anew" {
  from model/model.h5 --hidden 12,9 --out x
  fails_with 2 "weight of layer 2 is (12, 8) in the model, (12, 9) in this network" "leave out --hidden"
  from model/model.h5 --norm layer --out x
  fails_with 2 "the model's network is 64-12-8-10, this one is 64-12-12 (layer-norm)-8-8 (layer-norm)-10"
  from table/model.h5 --out x
  fails_with 1 "64 columns, but the model expects 3"
  from absent.h5 --out x
  fails_with 1 "--init-from absent.h5"
  from model/model.h5 --out model
  fails_with 2 "--init-from model/model.h5 is a file that the run itself writes" "another --out"
  cut -d, -f1,3,4 first.csv > fewer.csv
  from table/model.h5 --data fewer.csv --out x
  fails_with 1 "2 columns, but the model expects 3; the model needs 'city'"
  from model/model.h5 --epochs 1 --lr 0 --classes 11 --quiet --out x
  succeeds
  grep -q "note: --init-from: the last layer starts anew: it has another number of outputs (11 here, 10 in the model)" \
    "$errors.all" || fail "no note of the last layer"
  # A layer of logarithms is none of values, whose scale and shift would make counts negative.
  from table/model.h5 --data first.csv --loss poisson --epochs 1 --batch 16 --quiet --out x
  succeeds
  grep -q "the last layer starts anew: it has another activation (exp here, identity in the model)" "$errors.all" || fail "no note of the activation"
  awk -F, 'NR == 2 { exit !($4 > -1) }' x/metrics.csv || fail "a Poisson loss of counts below 0"
  sed 's/^a,/a2,/' first.csv > renamed.csv
  from table/model.h5 --data renamed.csv --epochs 1 --batch 16 --quiet --out x
  succeeds
  grep -q "does not know 'a2'; it gets the weights of its 'a', and is normalised anew" "$errors.all" || fail "no note"
}

@test "a column of numbers in the model and of categories in the table, or the other way, is refused" {
  awk 'BEGIN { print "city,y"; for (i = 0; i < 40; i++) print "c" i % 3 "," i / 3 }' > names.csv
  awk 'BEGIN { print "city,y"; for (i = 0; i < 40; i++) print i % 30 "," i / 3 }' > numbers.csv
  local one
  for one in names numbers; do
    alone train --data $one.csv --epochs 1 --hidden 4 --quiet --out $one
    succeeds
  done
  from numbers/model.h5 --data names.csv --epochs 1
  fails_with 1 "column 'city' of names.csv (converted) holds categories, but numbers in the data of the model; give the numbers"
  from names/model.h5 --data numbers.csv --epochs 1
  fails_with 1 "holds numbers, but categories in the data of the model; --categorical makes categories of numbers"
  from names/model.h5 --data numbers.csv --epochs 1 --categorical city
  succeeds
}
