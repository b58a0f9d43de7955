# Losses with parameters: what they are called, what they print and predict, and what they refuse.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# 600 rows of two columns; one of 15 is "rare", near the others but for noise.
rare_table() {
  awk 'BEGIN { srand(3); print "a,b,kind"
    for (i = 0; i < 600; i++) { r = i % 15 == 0; print rand() + r * 0.4 "," rand() + r * 0.4 "," (r ? "rare" : "usual") } }' > rare.csv
}

# fields of the last eval --json
value_of() { sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" <<< "$output" | head -n 1; }

train_rare() {
  alone train --quiet --data rare.csv --valid-fraction 0 --hidden 8 --epochs 20 --batch 64 --optimizer adam --lr 0.02 "$@"
}

@test "class weights: by name as in class order, and balanced finds the rare class" {
  rare_table
  local by_name recall
  train_rare --out run --class-weight rare=4,usual=0.5
  succeeds
  by_name=$(last_line)
  train_rare --out run --class-weight 4,0.5
  succeeds
  [ "$(last_line)" = "$by_name" ] || fail "by name: $by_name"
  train_rare --out run --class-weight rare=4
  [ "$(last_line)" != "$by_name" ] || fail "the weight of a class that is not named is not 1"
  train_rare --out plain
  train_rare --out run --class-weight balanced
  succeeds
  for model in plain run; do
    alone eval --model $model/model.h5 --data rare.csv --json
    succeeds
    recall=$(value_of recall) # of the first class, which is "rare"
    awk -v r="$recall" -v m=$model 'BEGIN { exit !(m == "plain" ? r < 0.5 : r > 0.7) }' || fail "$model: recall $recall"
  done
}

@test "class weights that are none are refused" {
  rare_table
  local text words
  while IFS='|' read -r text words; do
    train_rare --out run --class-weight "$text"
    fails_with 2 --class-weight "$words"
  done <<- 'END'
	1,2,3|3 weights, but there are 2 classes, 'rare', 'usual'
	rare=2,3|some weights are named and some are not
	common=2|no class is named 'common'; the classes are 'rare', 'usual'
	rare=-1|'-1' is no weight
	rare=x|'x' is no weight
	0,0|every class that has training rows has weight 0
	END
  awk 'BEGIN { print "a,b"; for (i = 0; i < 50; i++) print i "," i + 0.5 }' > values.csv
  alone train --quiet --data values.csv --class-weight balanced
  fails_with 2 "the targets are values"
  alone train --quiet --data values.csv --label-smoothing 0.1
  fails_with 2 "--label-smoothing is for the losses cross-entropy and binary-cross-entropy, but this run has mse"
}

@test "label smoothing and focal loss are part of the loss of eval, and of the model" {
  alone train --quiet --epochs 2 --hidden 8 --label-smoothing 0.2 --focal-gamma 1.5 --out run
  succeeds
  local test_loss
  test_loss=$(sed -n 's/^test *loss \([0-9.]*\).*/\1/p' <<< "$output")
  alone info run/model.h5
  says "loss cross-entropy, label smoothing 0.2, focal gamma 1.5"
  alone eval --model run/model.h5 --json
  succeeds
  [ "$(printf %.4f "$(value_of loss)")" = "$test_loss" ] || fail "train says $test_loss"
  says '"loss_text": "cross-entropy, label smoothing 0.2, focal gamma 1.5"'
}
