# Layers other than dense ones: the same bits on all splits and through a resume, and no randomness outside of training.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# same_everywhere ARGUMENT...: one digest and one metrics.csv on several splits, and going on from the middle of an epoch;
# first gets what the run printed.
same_everywhere() {
  local split
  alone train "${quick[@]}" --quiet --out run-1 --threads 1 --checkpoint-every 7 --keep 99 "$@"
  succeeds
  first=$output
  for split in "1 3" "3 1" "4 2"; do
    # shellcheck disable=SC2086
    set -- $split "$@"
    launch "$1" train "${quick[@]}" --quiet --out run-n --threads "$2" "${@:3}"
    succeeds
    [ "$output" = "$first" ] || fail "$1 ranks x $2 threads: not $first"
    cmp <(cut -d, -f1-7 run-1/metrics.csv) <(cut -d, -f1-7 run-n/metrics.csv) || fail "metrics differ"
    shift 2
  done
  launch 2 train "${quick[@]}" --quiet --out run-r --threads 1 --resume run-1/checkpoints/step-000000000007.h5 "$@"
  succeeds
  [ "$output" = "$first" ] || fail "resumed: not $first"
}

# evaluated_alike: eval gives the loss of the validation rows that the run gave: what is at random is off in both.
evaluated_alike() {
  local loss
  loss=$(sed -n 's/^valid  *loss \([0-9.]*\).*/\1/p' <<< "$first")
  alone eval --model run-1/model.h5 --part valid
  succeeds
  [ "$(awk '/^loss/ { printf "%.4f", $2 }' <<< "$output")" = "$loss" ] || fail "train says $loss"
}

small="--hidden 40,16 --batch 100 --lanes 5 --epochs 2"

@test "dropout and noise: one digest on every split and through a resume; off in evaluation" {
  # shellcheck disable=SC2086
  same_everywhere $small --dropout 0.3,0.1 --input-dropout 0.1 --input-noise 0.2
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "layer 2: weight (40, 16), bias (16), relu" "dropout = 0.3,0.1"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" --quiet --out plain --threads 1 $small
  succeeds
  [ "$output" != "$first" ] || fail "nothing was dropped"
}

@test "layer norm: one digest on every split and through a resume, the model file has it" {
  # shellcheck disable=SC2086
  same_everywhere $small --norm layer --hidden 140,16 --clip-norm 1 --optimizer adam --lr 0.01
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-140-16-10" "layer 2: layer-norm, gain (140), shift (140), relu"
}

@test "rms norm: one digest on every split and through a resume, the model file has it" {
  # shellcheck disable=SC2086
  same_everywhere $small --norm rms --hidden 140,16 --dropout 0.1 --clip-norm 1
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-140-16-10" "layer 2: rms-norm, gain (140), relu" "norm = rms"
}

@test "batch norm: one digest on every split and through a resume, running means in the model file" {
  # shellcheck disable=SC2086
  same_everywhere $small --norm batch --hidden 140,16 --dropout 0.1 --weight-decay 0.01
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "layer 1: weight (64, 140), identity" "layer 2: batch-norm, gain (140), shift (140), mean (140), variance (140), relu"
  # shellcheck disable=SC2086
  same_everywhere $small --norm batch --clip-norm 0.5 --backend plain --stream --window 30
  evaluated_alike
}

@test "batch norm learns more than its mean where lanes have rows, and is refused where they have not" {
  alone train "${quick[@]}" --norm batch --batch 8 --lanes 8
  fails_with 2 "--norm batch computes means over the rows of a lane, but --batch 8 over 8 lanes leaves less than 2 rows each"
  alone train "${quick[@]}" --quiet --out run --norm batch --batch 16 --lanes 8 --epochs 2
  succeeds
  awk '/^test/ { exit !($5 > 0.5) }' <<< "$output" || fail "it has not learned"
}

@test "a learned scale of the inputs: one digest on every split and through a resume, six times the rate" {
  # shellcheck disable=SC2086
  same_everywhere $small --input-scale 6 --input-dropout 0.1 --weight-decay 0.01
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-40-16-10, 3490 parameters" "layer 1: scale, scale (64), identity" "layer 2: weight (64, 40)"
}

@test "activations that learn how far they bend: one digest on every split and through a resume" {
  # shellcheck disable=SC2086
  same_everywhere $small --activation relu,tanh --parametric-activation 3 --norm batch --dropout 0.1 --optimizer adamw --weight-decay 0.1
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-40-16-10" "layer 3: parametric, alpha (1, 40), relu" "layer 6: parametric, alpha (1, 16), tanh"
  # shellcheck disable=SC2086
  same_everywhere $small --activation mish --parametric-activation 1 --members 3 --optimizer adam --lr 0.01
  evaluated_alike
  alone info run-1/model.h5
  says "layer 3: parametric, alpha (3, 40), mish"
}

# The first layer learns from deltas of whole rows, and decays.
@test "numbers as cosines: one digest on every split and through a resume; other numbers than the checkpoint's are refused" {
  # shellcheck disable=SC2086
  same_everywhere $small --hidden 20 --embed-numbers periodic --input-dropout 0.1 --optimizer adamw --weight-decay 0.1
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "layer 1: periodic, frequency (64, 16), phase (64, 16), weight (64, 48), bias (64, 3), identity" \
    "layer 2: weight (256, 20)" "embed-numbers = periodic"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $small --hidden 20 --input-dropout 0.1 --optimizer adamw --weight-decay 0.1 --out run-1 --resume auto
  fails_with 2 "the checkpoint was made with 'embed-numbers = periodic', this run has 'embed-numbers = none'"
}

# Bins are quantiles of all ranks' rows, and do not learn.
@test "numbers in bins: one digest on every split and through a resume; other bins than the checkpoint's are refused" {
  # shellcheck disable=SC2086
  same_everywhere $small --hidden 20 --embed-numbers piecewise --embed-bins 6 --embed-width 3 --norm batch --optimizer adamw \
    --weight-decay 0.1 --ema 0.9
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-20-10" "6522 parameters" "layer 1: piecewise, edge (64, 7), weight (64, 18), identity" "layer 2: weight (256, 20)" \
    "embed-numbers = piecewise" "embed-bins = 6"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $small --hidden 20 --embed-numbers piecewise --embed-bins 7 --embed-width 3 --norm batch --optimizer adamw \
    --weight-decay 0.1 --ema 0.9 --out run-1 --resume auto
  fails_with 2 "the checkpoint was made with 'embed-bins = 6', this run has 'embed-bins = 7'"
}

@test "train says what numbers become" {
  alone train "${quick[@]}" --hidden 5 --epochs 1 --embed-numbers periodic --out run-1
  says "network  64-5-10, relu, numbers as cosines"
  alone train "${quick[@]}" --hidden 5 --epochs 1 --embed-numbers piecewise --embed-bins 3 --ensemble 2 --out run-1
  says "network  64-5-10, relu, numbers in bins, ensemble of 2"
}

@test "neural-tangent parametrisation: one digest on every split and through a resume" {
  # shellcheck disable=SC2086
  same_everywhere $small --parametrization ntk --optimizer adamw --lr 0.04 --weight-decay 0.1 --input-scale 6 --embed-numbers piecewise \
    --embed-bins 6 --embed-width 3 --embed-edges targets
  evaluated_alike
}

# Heads of 16 x 10 weights a member lie in one strip of the arena with their biases; batch norm takes the members' rows.
@test "an ensemble: one digest on every split and through a resume, its members in the model file, which eval reads" {
  # shellcheck disable=SC2086
  same_everywhere $small --ensemble 3 --dropout 0.1 --input-scale 6 --optimizer adamw --lr 0.01 --ema 0.9
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-40-16-10, ensemble of 3, 4022 parameters" "layer 2: fan-out, scale (3, 64), identity" \
    "layer 5: heads, weight (48, 10), bias (3, 10), softmax" "ensemble = 3"
  # shellcheck disable=SC2086
  same_everywhere $small --hidden 5 --norm batch --ensemble 2 --clip-norm 0.5 --backend plain --stream --window 30
  evaluated_alike
  # shellcheck disable=SC2086
  alone train $small --hidden 5 --ensemble 2 --epochs 1 --threads 1 --out said
  succeeds
  says "network  64-5-10, silu, ensemble of 2"
  alone train --ensemble 0
  fails_with 2 "--ensemble: 0 is not in"
}

# weights_of_member_0 SINGLE MEMBERS: the first member of one run has the weights of the other, as JSON has them.
weights_of_member_0() {
  alone export "$1" single.json
  alone export "$2" members.json
  python3 - << 'END' || fail "member 0 is not the single network"
import json
single, members = (json.load(open(name + ".json"))["layers"] for name in ("single", "members"))
kinds = [layer["kind"] for layer in members]
assert kinds == ["fork"] + [{"dense": "heads"}.get(layer["kind"], layer["kind"]) for layer in single], kinds
for one, all in zip(single, members[1:]):
    for name in {"weight", "bias", "frequency", "phase"} & set(one):
        first, rows = one[name] if isinstance(one[name][0], list) else [one[name]], all[name]
        assert first == rows[:len(first)], (one["kind"], name)
        assert first != rows[len(first):2 * len(first)], (one["kind"], name)
END
}

# With a decay, a rate of its own for each tensor, weights of rows and a rate that depends on the size of gradients.
@test "members: one digest on every split and through a resume; each is the network that it would be alone" {
  # shellcheck disable=SC2086
  same_everywhere $small --members 3 --dropout 0.1 --input-scale 6 --optimizer adamw --lr 0.01 --swa-start 1
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "network: 64-40-16-10, 3 members, 10470 parameters" "layer 1: fork, scale (3, 64), identity" \
    "layer 2: heads, weight (192, 40), bias (3, 40), relu" "layer 4: heads, weight (48, 10), bias (3, 10), softmax" \
    "members = 3"
  # shellcheck disable=SC2086
  same_everywhere $small --members 2 --hidden 5 --embed-numbers piecewise --embed-bins 3 --embed-width 2 --input-noise 0.1 \
    --clip-norm 0.5 --backend plain --stream --window 30
  evaluated_alike
  settings="$small --epochs 1 --threads 2 --quiet --save last --optimizer momentum --lr 0.1 --weight-decay 0.01"
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $settings --out single
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $settings --out three --members 3
  weights_of_member_0 single/model.h5 three/model.h5
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $settings --embed-numbers periodic --hidden 7 --out bent
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $settings --embed-numbers periodic --hidden 7 --out bent-three --members 3
  weights_of_member_0 bent/model.h5 bent-three/model.h5
  alone info three/model.h5
  says "layer 1: fork, identity"
  # shellcheck disable=SC2086
  alone train $small --hidden 5 --members 2 --epochs 1 --threads 1 --out said
  succeeds
  says "network  64-5-10, silu, 2 members"
}

@test "members: what would join them is refused, with another way" {
  alone train "${quick[@]}" --members 4 --ensemble 8
  fails_with 2 "--ensemble 8 makes members that share layers, --members 4 some that share none: give one of them"
  alone train "${quick[@]}" --members 4 --norm batch
  fails_with 2 "--norm batch would join the members" "use --ensemble 4"
  alone train "${quick[@]}" --members 4 --optimizer lbfgs --lr 1 --schedule constant
  fails_with 2 "--optimizer lbfgs searches along one line for all members" "use --optimizer adamw, or --ensemble 4"
  alone train --members 0
  fails_with 2 "--members: 0 is not in"
}

# A table of 200 rows and three classes; 180 train, 20 are for the test.
rows_to_fold() {
  awk 'BEGIN {
    srand(3); print "a,b,c,name"
    for (i = 0; i < 200; i++) {
      a = rand(); b = rand()
      print a "," b "," a * b + rand() / 9 "," (a + b > 1.3 ? "ant" : a > b ? "bee" : "cat")
    }
  }' > rows.csv
}

@test "folds: one digest on every split and through a resume, in memory and streamed; all rows train and validate" {
  rows_to_fold
  local folds="--data rows.csv --folds 3 --hidden 16,8 --batch 20 --lanes 5 --epochs 2 --valid-fraction auto"
  # shellcheck disable=SC2086
  same_everywhere $folds --optimizer adamw --lr 0.01 --select error --swa-start 1
  [[ $first == *"(180 rows)"*"(20 rows)"* ]] || fail "not all rows validate: $first"
  alone info run-1/model.h5
  succeeds
  says ", 3 members, " "folds = 3"
  # shellcheck disable=SC2086
  same_everywhere $folds --label c --ignore name --clip-norm 0.5 --patience 1 --stream --window 15
  # shellcheck disable=SC2086
  alone train "${quick[@]}" $folds --label c --ignore name --clip-norm 0.5 --patience 1 --stream --window 15 --out other \
    --folds 1 --members 3 --resume run-1/checkpoints/step-000000000007.h5
  fails_with 2 "folds = 3" "folds = 1"
  alone train "${quick[@]}" $folds --label c --ignore name --clip-norm 0.5 --patience 1 --stream --window 15 --out other \
    --folds 4 --resume run-1/checkpoints/step-000000000007.h5
  fails_with 2 "folds = 3" "folds = 4"
}

@test "folds: what they do not go with is refused, with another way" {
  alone train "${quick[@]}" --folds 4
  fails_with 2 "datasets/digits.h5 has a validation part" "use --members 4, which that part validates"
  alone train "${quick[@]}" --folds 4 --members 3
  fails_with 2 "--folds 4 makes as many members: leave out --members 3"
  alone train "${quick[@]}" --folds 4 --valid-fraction 0.2
  fails_with 2 "validates by the rows that its members leave out: leave out --valid-fraction 0.2"
  alone train "${quick[@]}" --folds 4 --ensemble 8
  fails_with 2 "--folds 4 some that share none: give one of them"
  alone train "${quick[@]}" --folds 4 --norm batch
  fails_with 2 "--norm batch would join the members, which share nothing with --folds"
  printf 'a,b\n1,2\n2,3\n3,5\n4,1\n5,2\n' > few.csv
  alone train "${quick[@]}" --data few.csv --test-fraction 0 --folds 6 --task regression
  fails_with 2 "--folds 6 of 5 rows leaves folds without a row"
}

@test "a list of activations, one for each hidden layer" {
  # shellcheck disable=SC2086
  same_everywhere $small --activation gelu,tanh
  evaluated_alike
  alone info run-1/model.h5
  succeeds
  says "layer 1: weight (64, 40), bias (40), gelu" "layer 2: weight (40, 16), bias (16), tanh"
  alone train "${quick[@]}" --hidden 8,8,8 --activation gelu,tanh
  fails_with 2 '--activation: "gelu,tanh" has 2 values, but there are 3 hidden layers; give one for each, or one for all'
  alone train "${quick[@]}" --hidden 8,8 --activation gelu,relo
  fails_with 2 '"relo" is unknown; did you mean relu?'
  alone train "${quick[@]}" --hidden 8,8 --activation gelu,softmax
  fails_with 2 "softmax is for the output layer only"
}

@test "norm and dropout of hidden layers that are not there: a note" {
  alone train "${quick[@]}" --quiet --out run --hidden "" --dropout 0.5 --norm layer --epochs 1
  succeeds
  grep -q "note: .*--dropout.*--hidden" "$errors.all" || fail "no note on --dropout"
  grep -q "note: .*--norm.*--hidden" "$errors.all" || fail "no note on --norm"
}

@test "probabilities that do not fit the layers are refused" {
  alone train "${quick[@]}" --hidden 8,8 --dropout 0.1,0.2,0.3
  fails_with 2 '--dropout: "0.1,0.2,0.3" has 3 values, but there are 2 hidden layers'
  alone train "${quick[@]}" --dropout 1
  fails_with 2 "--dropout: 1 is not in"
  alone train "${quick[@]}" --dropout 0.1,
  fails_with 2 "is not a list of values separated by commas"
  alone train "${quick[@]}" --dropout half
  fails_with 2 '"half" is not a number'
}
