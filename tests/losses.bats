# Losses with parameters: their names, their output, their predictions, and what they refuse.
# shellcheck disable=SC2030,SC2031 # output is set by the functions of helper.bash, in the shell of the test

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# 600 rows of two columns; one of 15 is "rare", near the others but for noise.
rare_table() {
  awk 'BEGIN { srand(3); print "a,b,kind"
    for (i = 0; i < 600; i++) { r = i % 15 == 0; print rand() + r * 0.4 "," rand() + r * 0.4 "," (r ? "rare" : "usual") } }' > rare.csv
}

# fields of the last eval --json
value_of() { sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" <<< "$output" | head -n 1; }

train_rare() {
  alone train "${quick[@]}" --quiet --data rare.csv --valid-fraction 0 --hidden 8 --epochs 20 --batch 64 --optimizer adam --lr 0.02 "$@"
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
  train_rare --out run --class-weight 4,1
  [ "$(last_line)" != "$by_name" ] || fail "the same weights"
  by_name=$(last_line)
  train_rare --out run --class-weight rare=4
  [ "$(last_line)" = "$by_name" ] || fail "the weight of a class that is not named is not 1"
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

@test "--select error: the epoch with the fewest errors is kept, the last of equal ones" {
  local kept least
  for select in error loss; do
    alone train "${quick[@]}" --epochs 30 --hidden 24 --optimizer adam --lr 0.02 --select $select --out $select
    succeeds
    # The last of the epochs with the highest valid_metric; the first with the lowest valid_loss.
    least=$(awk -F, -v s=$select 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
      { x = s == "error" ? -$c["valid_metric"] : $c["valid_loss"] }
      NR == 2 || x < best || (s == "error" && x == best) { best = x; epoch = $1 } END { print epoch }' $select/metrics.csv)
    says "best     epoch $least"
    alone info $select/model.h5
    says "epoch $least,"
  done
  [ "$(awk -F, 'NR > 1 { print $7 }' error/metrics.csv | sort -n | tail -n 2 | uniq | wc -l)" = 1 ] || fail "no two epochs are best"
}

@test "the rmse of several targets is the root of the mean of all their squares" {
  awk 'BEGIN { print "x,a,b,c"; for (i = 0; i < 200; i++) print i % 17 "," i % 17 / 9 "," i % 5 * 30 "," 1e3 - i % 7 }' > three.csv
  alone train "${quick[@]}" --data three.csv --label a,b,c --hidden 6 --epochs 3 --loss mse --quiet --out run
  succeeds
  # mse: half the sum over 3 targets, so 3/2 of the mean
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    function far(loss, rmse) { return !(loss > 0) || (loss / (1.5 * rmse * rmse) - 1) ^ 2 > 1e-10 }
    far($c["train_loss"], $c["train_metric"]) { bad = 1 }
    END { exit bad || NR != 4 }' run/metrics.csv || fail "$(cut -d, -f 1-7 run/metrics.csv)"
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
	rare=2,usual=1,rare=3|class 'rare' is named twice
	rare=-1|'-1' is not a weight
	rare=x|'x' is not a weight
	0,0|every class that has training rows has weight 0
	END
  awk 'BEGIN { print "a,b"; for (i = 0; i < 50; i++) print i "," i + 0.5 }' > values.csv
  alone train "${quick[@]}" --quiet --data values.csv --class-weight balanced
  fails_with 2 "the targets are values"
  alone train "${quick[@]}" --quiet --data values.csv --label-smoothing 0.1
  fails_with 2 "--label-smoothing is for the losses cross-entropy and binary-cross-entropy, but this run has mse"
}

@test "label smoothing and focal loss are part of the loss of eval, and of the model" {
  alone train "${quick[@]}" --quiet --epochs 2 --hidden 8 --label-smoothing 0.2 --focal-gamma 1.5 --out run
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

# 900 rows: y is normal with a mean and a deviation that depend on a and b; n is Poisson distributed.
uneven_table() {
  awk 'BEGIN { srand(7); print "a,b,y,n"
    for (i = 0; i < 900; i++) {
      a = rand(); b = rand(); s = -6; for (j = 0; j < 12; j++) s += rand()
      rate = exp(1 + 2 * a); n = 0; p = rand(); q = exp(-rate); c = q
      while (p > c && n < 200) { n++; q *= rate / n; c += q }
      printf "%f,%f,%f,%d\n", a, b, 100 * a + (5 + 20 * b) * s, n
    } }' > uneven.csv
}

train_uneven() {
  alone train "${quick[@]}" --quiet --data uneven.csv --valid-fraction 0 --hidden 12 --activation tanh --optimizer adam --lr 0.02 \
    --epochs 40 --batch 90 --out run "$@"
  succeeds
}

# below QUANTILE LEAST MOST: eval --json of run, in output, has so many targets below the quantile.
below() {
  local fraction
  fraction=$(grep -A1 "\"quantile\": 0*$1" <<< "$output" | sed -n 's/.*"below": \([0-9.]*\).*/\1/p')
  awk -v x="$fraction" -v least="$2" -v most="$3" 'BEGIN { exit !(x != "" && x >= least && x <= most) }' ||
    fail "quantile $1: '$fraction' of the targets are below"
}

# The model of run in C gives the first row of uneven.csv the values that predict gives it.
export_agrees() {
  alone predict --model run/model.h5 --data uneven.csv --out -
  local expected
  expected=$(sed -n '2s/^0,//p' <<< "$output")
  alone export run/model.h5 net.c
  succeeds
  cat > main.c <<- END
	#include <stdio.h>
	#include "net.c"
	int main(void) {
	  const double x[] = {$(sed -n 2p uneven.csv | cut -d, -f1,2)};
	  double y[net_OUTPUTS];
	  net_predict(x, y);
	  for (int j = 0; j < net_OUTPUTS; j++) printf("%s%.9g", j > 0 ? "," : "", y[j]);
	}
	END
  "${CC:-cc}" -o net main.c -lm
  paste -d, <(./net) - <<< "$expected" | awk -F, '{ k = NF / 2
    for (j = 1; j <= k; j++) { d = $j - $(j + k); if (d < 0) d = -d; if (d > 1e-4 * (1 + $j * $j)) exit 1 } }' ||
    fail "C gives $(./net), predict $expected"
}

@test "quantiles: of two targets, by name in predictions, and as many targets below as they say" {
  uneven_table
  train_uneven --label y,n --loss quantile --quantiles 0.125,0.5,0.875
  alone info run/model.h5
  says "loss quantile 0.125, 0.5, 0.875" "network: 2-12-6"
  alone eval --model run/model.h5 --data uneven.csv --json
  below 0.125 0.08 0.17
  below 0.5 0.44 0.56
  below 0.875 0.83 0.92
  [ "$(grep -c '"rmse"' <<< "$output")" = 3 ] || fail "not two targets and all"
  alone predict --model run/model.h5 --data uneven.csv --out -
  says "row,y_q0.125,y_q0.5,y_q0.875,n_q0.125,n_q0.5,n_q0.875"
  awk -F, 'NR > 1 { sum += $3 } END { exit !(sum / (NR - 1) > 45 && sum / (NR - 1) < 55) }' <<< "$output" ||
    fail "the medians of y are not about 50"
  export_agrees
  alone export run/model.h5 net.json
  grep -q '"columns": \["y_q0.125", "y_q0.5", "y_q0.875", "n_q0.125", "n_q0.5", "n_q0.875"\]' net.json || fail "no names in JSON"
}

@test "gaussian: mean and deviation in the units of the target, on two ranks and through a file" {
  uneven_table
  train_uneven --label y --ignore n --loss gaussian
  alone eval --model run/model.h5 --data uneven.csv --json
  below 0.05 0.02 0.08
  below 0.5 0.44 0.56
  below 0.95 0.92 0.98
  alone predict --model run/model.h5 --data uneven.csv --out one.csv
  succeeds
  [ "$(head -n 1 one.csv)" = "row,y,y_deviation" ] || fail "the columns: $(head -n 1 one.csv)"
  # Where b is small the deviation is about 5, where it is large 25.
  paste -d, uneven.csv one.csv | awk -F, 'NR > 1 { k = $2 > 0.5; sum[k] += $7; n[k]++ }
    END { exit !(sum[0] / n[0] > 7 && sum[0] / n[0] < 13 && sum[1] / n[1] > 16 && sum[1] / n[1] < 24) }' ||
    fail "the deviations"
  launch 2 predict --model run/model.h5 --data uneven.csv --out two.csv
  succeeds
  cmp one.csv two.csv || fail "two ranks"
  export_agrees
}

@test "poisson: whole numbers are counts, not classes; predictions are means; negative counts are refused" {
  uneven_table
  train_uneven --label n --ignore y --loss poisson
  alone info run/model.h5
  says "task: regression, loss poisson"
  alone predict --model run/model.h5 --data uneven.csv --out -
  paste -d, uneven.csv - <<< "$output" | awk -F, 'NR > 1 { n += $4; p += $6; bad += $6 <= 0 }
    END { exit !(bad == 0 && p / n > 0.93 && p / n < 1.07) }' || fail "the sum of the predictions is not that of the counts"
  export_agrees
  sed -i '5s/[0-9]*$/-3/' uneven.csv
  alone train "${quick[@]}" --quiet --data uneven.csv --label n --ignore y --loss poisson
  fails_with 1 "target column 0 (from 0) holds -3, but with loss poisson and output exp"
}

@test "losses for values refuse classes, and quantiles that are none" {
  rare_table
  alone train "${quick[@]}" --quiet --data rare.csv --loss gaussian
  [ "$status" != 0 ] || fail "classes were taken as values"
  alone train "${quick[@]}" --quiet --loss quantile --task classification
  fails_with 2 "loss quantile is for values"
  for list in 0.5,0.1 0,0.5 0.5,1 x ""; do
    alone train "${quick[@]}" --quiet --data uneven.csv --loss quantile --quantiles "$list"
    fails_with 2 "--quantiles $list: not a list of ascending numbers between 0 and 1"
  done
  alone train "${quick[@]}" --quiet --loss poisson --output-activation relu
  fails_with 2 "loss poisson needs output activation exp, not relu"
}

# best_by FIGURE TASK...: runs of 1, 2, ... epochs have the weights of these epochs; the one whose predictions of the
# validation rows have the best figure, computed in Python, is the one that a run with --select keeps.
best_by() {
  local figure="$1" epoch
  shift
  for epoch in 1 2 3 4 5 6 7 8; do
    alone train --quiet --save last --epochs $epoch --out "e$epoch" "$@"
    succeeds
    alone predict --model "e$epoch/model.h5" --data two.h5 --part valid --out "p$epoch.csv"
    succeeds
  done
  launch 3 train --epochs 8 --select "$figure" --out kept --trace kept.json "$@"
  succeeds
  [ "$(grep -o '"name":"validate"' kept.json | wc -l)" = 24 ] || fail "not one pass over the validation rows an epoch"
  kept=$(sed -n 's/^best *epoch \([0-9]*\).*/\1/p' <<< "$output")
  alone info kept/checkpoints/*.h5
  python3 - "$figure" "$kept" "$output" << 'END' || fail "--select $figure kept epoch $kept"
import csv, re, sys
figure, kept, info = sys.argv[1], int(sys.argv[2]), sys.argv[3]
y = [int(line) for line in open("valid.txt")]
def auc(p):
    first, second = ([v for v, c in zip(p, y) if c == k] for k in (0, 1))
    return sum((b > a) + 0.5 * (a == b) for a in first for b in second) / (len(first) * len(second))
def f1(p):
    each = []
    for k in (0, 1):
        said = [(v > 0.5) == (k == 1) for v in p]
        hit = sum(s and c == k for s, c in zip(said, y))
        each.append(2 * hit / (sum(said) + y.count(k)))
    return sum(each) / 2
values = []
for epoch in range(1, 9):
    rows = list(csv.reader(open(f"p{epoch}.csv")))
    values.append({"auc": auc, "f1": f1}[figure]([float(row[-1]) for row in rows[1:]]))
best = max(range(8), key=lambda e: (round(values[e], 9), e)) + 1
shown = float(re.search(f"best validation {figure} ([0-9.]+), epoch {best}\n", info)[1])
assert len(set(values)) > 3 and best == kept and abs(shown - values[best - 1]) < 2e-5, (values, best, kept, shown)
END
}

@test "--select auc, f1 and rmse: the epoch with the best figure is kept, on any ranks" {
  awk 'BEGIN { srand(7); for (i = 0; i < 400; i++) { a = rand(); b = rand(); c = rand()
    printf "%g,%g,%g,%d\n", a, b, c, (a * b + 0.6 * c * rand() > 0.55) } }' > two.csv
  awk -F, 'NR > 300 { print $4 }' two.csv > valid.txt
  head -300 two.csv > two-train.csv
  tail -100 two.csv > two-valid.csv
  alone convert --train two-train.csv --valid two-valid.csv --quiet two.h5
  succeeds
  local options="--data two.h5 --hidden 9 --activation tanh --optimizer momentum --lr 0.5 --schedule constant --batch 30 --lanes 3"
  # shellcheck disable=SC2086
  best_by auc $options
  # shellcheck disable=SC2086
  best_by f1 $options
  alone train --data two.h5 --select rmse
  fails_with 2 "--select rmse is for values, and the targets are classes: use --select error"
  { seq -f '%g.5,a' 40; printf '7,b\n8,b\n'; } > rare.csv
  launch 2 train --data rare.csv --select auc --out rare
  fails_with 1 "all validation rows are of class 'a', so --select auc cannot compare epochs"
  alone train --data rare.csv --hidden 4 --epochs 1 --quiet --select auc --save last --out rare
  [ "$status" = 0 ] || fail "with --save last the figure decides nothing"
  alone train --data rare.csv --hidden 4 --epochs 1 --quiet --select auc --save last --patience 1 --out rare
  fails_with 1 "so --select auc cannot compare epochs"
  alone train --data two.h5 --select auc --output-activation identity --loss mse
  fails_with 2 "--select auc needs probabilities: --output-activation softmax or sigmoid, not identity"
  alone train --select auc
  fails_with 2 "--select auc is for two classes, and there are 10: use --select f1"
  alone train --data two.h5 --task regression --select f1
  fails_with 2 "--select f1 is for classes, and the targets are values: use --select rmse"
  alone train --quiet --data two.h5 --task regression --hidden 9 --epochs 8 --select rmse --out a
  succeeds
  alone train --quiet --data two.h5 --task regression --hidden 9 --epochs 8 --select error --out b
  succeeds
  cmp <(cut -d, -f 1-7 a/metrics.csv) <(cut -d, -f 1-7 b/metrics.csv) || fail "rmse is the error of values"
  cmp <("$MLPDIST" info a/model.h5 | grep ^digest) <("$MLPDIST" info b/model.h5 | grep ^digest) || fail "other weights"
}
