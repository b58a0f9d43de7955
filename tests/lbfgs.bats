# L-BFGS: how far it comes, its bits on every split and through a resume, how it ends, and what it refuses.

load helper
load background

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

search=(--optimizer lbfgs --valid-fraction 0 --quiet)

# data PYTHON: writes data.h5 by NumPy and h5py; x, y in the text become its training part.
data() {
  local python
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    "$python" -c 'import numpy, h5py' 2> /dev/null || continue
    "$python" -c "import h5py, numpy as np
r = np.random.default_rng(3)
$1
f = h5py.File('data.h5', 'w')
f['train/x'], f['train/y'] = x, y" && reader=$python
    return
  done
  skip "no Python with NumPy and h5py; PYTHON names one"
}

@test "a linear regression ends by itself at the weights of NumPy's least squares" {
  data "x = r.normal(size=(200, 12)) * np.logspace(-0.3, 0.3, 12); y = x @ r.normal(size=(12, 2)) + 0.3 * r.normal(size=(200, 2)) + 1"
  alone train "${search[@]}" --data data.h5 --hidden "" --normalize none --normalize-targets none --out run
  succeeds
  grep -q "note: lbfgs finds no lower loss" "$errors.all" || fail "expected a note"
  [ "$(wc -l < run/metrics.csv)" -le 50 ] || fail "expected fewer steps"
  output=$("$reader" -c "import h5py, numpy as np
f, m = h5py.File('data.h5'), h5py.File('run/model.h5')
x = np.c_[f['train/x'][...], np.ones(200)]
best = np.linalg.lstsq(x, f['train/y'][...], rcond=None)[0]
ours = np.r_[m['network/layer_1/weight'][...], m['network/layer_1/bias'][...][None]]
print(abs(ours - best).max() / abs(best).max() < 1e-6, abs(ours - best).max() / abs(best).max())")
  says True
  # Quiet lines apart, a run that ended so says it, and a resumed one ends at once.
  rows=$(wc -l < run/metrics.csv)
  alone train "${search[@]:0:4}" --data data.h5 --hidden "" --normalize none --normalize-targets none --out run --resume auto
  succeeds
  says "no lower loss is found"
  [ "$(wc -l < run/metrics.csv)" = "$rows" ] || fail "expected no epoch more"
}

@test "xor is learned exactly; the rows of weight 0 do not count" {
  data "x = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, 1]], float); y = np.array([0., 1, 1, 0, 9])"
  "$reader" -c "import h5py; h5py.File('data.h5', 'a')['train/weight'] = [1., 1, 1, 1, 0]"
  alone train "${search[@]}" --data data.h5 --hidden 6 --activation tanh --normalize-targets none --out run --save last \
    --task regression
  succeeds
  awk -F, 'END { exit !($4 < 1e-8) }' run/metrics.csv || fail "loss $(tail -n 1 run/metrics.csv)"
}

@test "one digest and one metrics.csv on every split, and resumed at every epoch, on other ranks and with a full history" {
  local expected split epoch
  local options=("${search[@]}" --epochs 9 --hidden 5 --lanes 6 --lbfgs-history 3 --weight-decay 0.001 --ema 0.5)
  alone train "${options[@]}" --threads 1 --out whole
  succeeds
  expected=$(last_line)
  for split in "2 3" "3 1" "5 2"; do
    launch "${split% *}" train "${options[@]}" --threads "${split#* }" --out split --check-every 1
    succeeds
    [ "$(last_line)" = "$expected" ] || fail "$split: expected $expected"
    same_metrics whole split
  done
  # After the first epoch the history is short, after the fifth it is full; the search of the fourth needs the objective
  # that it begins with, which a resumed run evaluates anew.
  awk -F, 'NR == 5 { exit $3 == 1 }' whole/metrics.csv || fail "the fourth epoch takes the first step that it tries"
  for epoch in 1 3 5; do
    rm -rf run
    launch 2 train "${options[@]}" --threads 2 --out run --epochs $epoch
    succeeds
    alone train "${options[@]}" --threads 3 --out run --resume auto
    succeeds
    [ "$(last_line)" = "$expected" ] || fail "epoch $epoch: expected $expected"
    same_metrics whole run
  done
  # Epochs do not decide the weights before their end; another history does.
  alone train "${options[@]}" --epochs 10 --out more --resume whole/checkpoints/step-000000000009.h5
  succeeds
  alone train "${options[@]}" --lbfgs-history 4 --out more --resume whole/checkpoints/step-000000000009.h5
  fails_with 2 "lbfgs-history = 3" "lbfgs-history = 4"
  alone info whole/checkpoints/step-000000000009.h5
  says "6 of optimizer state"
  alone info whole/model.h5
  says "(lbfgs, of 256 rows in all)"
}

@test "stopped by a signal and resumed: the same end" {
  local expected options=(--optimizer lbfgs --valid-fraction 0 --quiet --epochs 60 --hidden 64)
  alone train "${options[@]}" --out whole
  succeeds
  expected=$(last_line)
  begin 2 train "${options[@]}" --out run --checkpoint-every 1epochs
  until_true has_rows run/metrics.csv 3
  kill -TERM "$(pid_of 1)"
  end
  [ "$status" = 0 ] || fails_with 3 "stopped as asked after step"
  alone train "${options[@]}" --out run --resume auto
  succeeds
  [ "$(last_line)" = "$expected" ] || fail "expected $expected"
  same_metrics whole run
}

@test "what makes the loss random, sets rates or takes batches is refused; what has no effect is noted" {
  local option
  for option in "dropout 0.1" "input-dropout 0.1" "input-noise 0.1" "norm batch" stream "input-scale 6" "parametric-activation 0.1" "parametrization ntk" \
    "decay decoupled --weight-decay 1"; do
    # shellcheck disable=SC2086
    launch 2 train "${search[@]}" --out run --$option
    fails_with 2 "--${option%% *}" "--optimizer lbfgs"
  done
  # The cures work for what a preset has chosen, too.
  alone train "${search[@]}" --preset tabular --epochs 1 --hidden 4 --out run
  fails_with 2 "give --input-scale 0"
  alone train "${search[@]}" --preset tabular --epochs 1 --hidden 4 --out run --input-scale 0
  fails_with 2 "give --parametrization standard"
  alone train "${search[@]}" --preset tabular --epochs 1 --hidden 4 --out run --input-scale 0 --parametrization standard
  succeeds
  alone train "${search[@]}" --epochs 1 --hidden 4 --out run --lr 1 --batch 10 --clip-norm 1 --clip-value 1 --schedule step --warmup-epochs 1
  succeeds
  for option in lr batch clip-norm clip-value schedule warmup-epochs; do
    grep -qF -- "--$option has no effect without an --optimizer other than lbfgs" "$errors.all" || fail "expected a note on $option"
  done
  # A run's own options give no notes, and the same run.
  local expected
  expected=$(last_line)
  alone train --config run/config.ini --batch 256 --clip-norm 0 --clip-value 0 --schedule cosine --warmup-epochs 0 --lr auto --out again
  succeeds
  [ "$(last_line)" = "$expected" ] || fail "expected $expected"
  alone train "${search[@]}" --epochs 2 --hidden 4 --out plain
  alone train --config plain/config.ini --quiet --out again
  [ ! -s "$errors.all" ] || fail "notes: $(cat "$errors.all")"
}

@test "a loss that is no number from the start is one line" {
  data "x = r.normal(size=(20, 2)) * 1e30; y = r.normal(size=20)"
  launch 2 train "${search[@]}" --data data.h5 --hidden 4 --normalize none --out run --lanes 2
  fails_with 1 "not a finite number at the weights that the run begins with" "--normalize standard"
}
