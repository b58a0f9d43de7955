# Compares training with a second implementation in double precision and another language: reference_epoch.py.

load helper
quick+=(--valid-fraction 0)

setup() {
  local status=0
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    status=0
    "$python" -c 'import numpy, h5py' 2> /dev/null && return
  done
  skip "no Python with NumPy and h5py; PYTHON names one"
}

# alike OPTION...: a run on $ranks ranks with these options ends at the reference's weights.
alike() {
  local folder="$BATS_TEST_TMPDIR/run"
  if [ "${ranks:-1}" = 1 ]; then
    alone train "${quick[@]}" --quiet --save last --out "$folder" "$@"
  else
    launch "$ranks" train "${quick[@]}" --quiet --save last --out "$folder" "$@"
  fi
  succeeds
  status=0
  output=$("$python" "$BATS_TEST_DIRNAME/reference_epoch.py" compare "$folder" 2>&1) || status=$?
  [ "$status" = 0 ] || fail "the weights differ from the reference's"
}

regression() { "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-regression "$BATS_TEST_TMPDIR/table.h5"; }

@test "digits: one epoch of momentum, two relu layers" {
  alike --epochs 1 --hidden 64,32 --optimizer momentum --lr 0.05
}

@test "digits: one epoch of adam, a tanh layer" {
  alike --epochs 1 --hidden 64 --activation tanh --optimizer adam --lr 0.001
}

@test "digits: ten epochs, lanes and a last batch that do not come out even" {
  alike --epochs 10 --hidden 40 --batch 100 --lanes 7 --seed 12345678901
}

@test "digits: no hidden layer, sgd, weight decay and clipping" {
  alike --epochs 3 --hidden "" --optimizer sgd --lr 0.2 --weight-decay 0.01 --clip-norm 0.4
  alike --epochs 2 --hidden 16 --optimizer momentum --lr 0.2 --clip-norm 0.8 --clip-value 0.01
}

@test "values with sample weights: nesterov" {
  regression
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 16,8 --activation tanh --optimizer nesterov --lr 0.05 \
    --batch 50 --lanes 3
}

@test "values, robust normalisation: adam" {
  regression
  ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 16 --optimizer adam --lr 0.01 --batch 50 --lanes 3 \
    --normalize robust --clip-inputs 1.5
}

@test "normal scores, with ties, far ends, and rows between the knots: adam" {
  "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-scores "$BATS_TEST_TMPDIR/scores.h5"
  ranks=2 alike --data "$BATS_TEST_TMPDIR/scores.h5" --epochs 2 --hidden 16 --activation tanh --optimizer adam --lr 0.01 --batch 100 \
    --lanes 3 --normalize quantile
  alike --data "$BATS_TEST_TMPDIR/scores.h5" --epochs 1 --hidden 16 --activation tanh --optimizer adam --lr 0.01 --batch 100 \
    --lanes 3
  ranks=2 alike --data "$BATS_TEST_TMPDIR/scores.h5" --epochs 2 --hidden 16 --activation tanh --optimizer adam --lr 0.01 --batch 100 \
    --lanes 3 --normalize standard --embed-numbers piecewise --embed-bins 9
}

@test "bins that trees on the targets cut, of values and of classes; with folds, each member's of the rows it learns from" {
  "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-scores "$BATS_TEST_TMPDIR/scores.h5"
  regression
  "$python" - "$BATS_TEST_TMPDIR" "$BATS_TEST_DIRNAME/../datasets/digits.h5" << 'END'
import sys
import h5py

with h5py.File(sys.argv[2]) as digits, h5py.File(sys.argv[1] + "/classes.h5", "w") as file:
    file["/train/x"], file["/train/y"] = digits["/train/x"][:301, 18:24], digits["/train/y"][:301]
END
  local trees=(--embed-numbers piecewise --embed-edges targets --hidden 9 --activation tanh --optimizer momentum --lr 0.05 --epochs 2)
  ranks=2 alike --data "$BATS_TEST_TMPDIR/scores.h5" --batch 100 --lanes 3 --normalize standard --embed-bins 9 "${trees[@]}"
  ranks=3 alike --data "$BATS_TEST_TMPDIR/table.h5" --folds 3 --batch 50 --lanes 3 --embed-bins 5 --embed-width 3 "${trees[@]}"
  alike --data "$BATS_TEST_TMPDIR/classes.h5" --folds 2 --batch 64 --lanes 2 --normalize standard --embed-bins 4 "${trees[@]}"
}

@test "values on three ranks: adamw, cosine with warm-up, validation rows taken out" {
  regression
  ranks=3 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 16,8 --activation silu --optimizer adamw \
    --lr 0.01 --weight-decay 0.1 --clip-norm 0.5 --schedule cosine --warmup-epochs 1 --valid-fraction 0.2 --batch 50 \
    --lanes 5 --normalize none
}

@test "activations that no run above uses" {
  local activation used=" identity relu elu gelu silu sigmoid tanh softplus exp softmax " # exp: of outputs, with loss poisson
  for activation in $("$MLPDIST" train --activation none 2>&1 | sed 's/.*the choices are //' | tr -d ','); do
    [[ $used != *" $activation "* ]] || continue
    alike --epochs 1 --hidden 16,8 --activation "$activation" --optimizer adam --lr 0.003 --batch 100
  done
}

@test "digits: label smoothing, focal loss, class weights" {
  alike --epochs 2 --hidden 16 --lr 0.05 --label-smoothing 0.2 --class-weight balanced
  alike --epochs 2 --hidden 16 --lr 0.05 --focal-gamma 2 --class-weight 1,2,3,4,5,1,2,0.5,0,1
  alike --epochs 2 --hidden 16 --lr 0.05 --focal-gamma 1.5 --label-smoothing 0.1
}

@test "quantiles, Gaussian and Poisson likelihoods" {
  regression
  ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 8 --activation tanh --lr 0.05 --batch 50 --lanes 3 \
    --loss quantile --quantiles 0.1,0.35,0.9
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 8 --activation tanh --lr 0.05 --batch 50 --loss gaussian
  "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-counts "$BATS_TEST_TMPDIR/counts.h5"
  alike --data "$BATS_TEST_TMPDIR/counts.h5" --epochs 3 --hidden 8 --activation tanh --lr 0.02 --batch 50 --loss poisson
}

@test "optimizers of later versions" {
  local optimizer
  regression
  for optimizer in adamax rmsprop adagrad; do # a sign, as lion takes it, may differ between precisions
    alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 8 --activation tanh --lr 0.01 --batch 50 \
      --optimizer "$optimizer" --weight-decay 0.01 --beta2 0.9 --epsilon 1e-4
  done
  for optimizer in lars lamb; do # with trust ratios, which ranks and threads must not change
    ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 8 --activation tanh --lr 0.05 --batch 50 \
      --lanes 3 --optimizer "$optimizer" --weight-decay 0.01 --epsilon 1e-4 --trust-coefficient 0.1
  done
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 8 --activation tanh --lr 0.05 --batch 50 \
    --optimizer nesterov --weight-decay 0.1 --decay decoupled
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 8 --activation tanh --lr 0.01 --batch 50 \
    --optimizer adamw --epsilon 1e-4 --weight-decay 0.1 --decay coupled
}

@test "L-BFGS: the first steps, by the same line search, with weight decay and a history that is full" {
  regression
  ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 8 --hidden 8 --activation tanh --optimizer lbfgs \
    --lbfgs-history 2 --weight-decay 0.01 --lanes 3
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 6 --hidden 8,6 --activation silu,tanh --optimizer lbfgs \
    --valid-fraction 0.2
}

@test "averages of the weights" {
  regression
  ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 8 --activation tanh --lr 0.05 --batch 50 --ema 0.9 \
    --lanes 3
  alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 4 --hidden 8 --activation tanh --lr 0.05 --batch 50 --swa-start 2
}

@test "categories, one-hot and embedded" {
  "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-categories "$BATS_TEST_TMPDIR/categories.h5"
  local run=(--data "$BATS_TEST_TMPDIR/categories.h5" --hidden 9 --activation tanh --batch 40 --lanes 3 --epochs 3 --lr 0.02 --epsilon 1e-3)
  alike "${run[@]}"
  ranks=2 alike "${run[@]}" --embed-above 2 --embed-width 3 --optimizer adamw --weight-decay 0.1 --input-scale 6 --input-noise 0.1 \
    --input-dropout 0.1
  alike "${run[@]}" --embed-above 12
  ranks=2 alike "${run[@]}" --embed-numbers periodic --embed-above 2 --embed-width 3 --optimizer adamw --weight-decay 0.1 \
    --input-scale 6 --input-scale-decay 2 --input-noise 0.1 --input-dropout 0.1
  alike "${run[@]}" --embed-numbers periodic --embed-above 12 --ensemble 2
  ranks=2 alike "${run[@]}" --embed-numbers piecewise --embed-bins 7 --embed-above 2 --embed-width 3 --optimizer adamw \
    --weight-decay 0.1 --input-scale 6 --input-noise 0.1 --normalize robust --clip-inputs 3
  alike "${run[@]}" --embed-numbers piecewise --embed-width 9 --embed-above 12 --ensemble 2 --normalize quantile \
    --parametrization ntk --optimizer adamw --weight-decay 0.1
  alike "${run[@]}" --members 2 --input-scale 6 --input-scale-decay 1 --optimizer adamw --weight-decay 0.1
  alike "${run[@]}" --members 3 --input-scale 6 --input-noise 0.1 --embed-numbers periodic --embed-above 2 --embed-width 2
}

@test "folds: of values with weights, of classes in their shares, with embedded categories of each member" {
  regression
  ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --folds 3 --epochs 3 --hidden 9,7 --activation tanh --batch 50 --lanes 3 \
    --optimizer nesterov --lr 0.05
  "$python" "$BATS_TEST_DIRNAME/reference_epoch.py" make-categories "$BATS_TEST_TMPDIR/values.h5"
  "$python" - "$BATS_TEST_TMPDIR" "$BATS_TEST_DIRNAME/../datasets/digits.h5" << 'END'
import sys
import h5py

with h5py.File(sys.argv[1] + "/values.h5", "a") as file:
    del file["valid"]
with h5py.File(sys.argv[2]) as digits, h5py.File(sys.argv[1] + "/classes.h5", "w") as file:
    for name in "xy":
        file["/train/" + name] = digits["/train/" + name][:301]
END
  alike --data "$BATS_TEST_TMPDIR/values.h5" --folds 2 --epochs 3 --hidden 9 --activation tanh --batch 50 --lanes 2 --lr 0.02 \
    --embed-above 2 --embed-width 3 --embed-numbers piecewise --embed-bins 5 --optimizer adamw --weight-decay 0.1 --input-scale 6
  alike --data "$BATS_TEST_TMPDIR/classes.h5" --folds 4 --epochs 2 --hidden 12 --activation tanh --batch 64 --lanes 2
}

@test "activations that learn how far they bend" {
  regression
  local run=(--data "$BATS_TEST_TMPDIR/table.h5" --epochs 2 --hidden 9,7 --batch 50 --lanes 2 --lr 0.02)
  ranks=2 alike "${run[@]}" --activation mish,tanh --parametric-activation 2 --optimizer adamw --weight-decay 0.3
  alike "${run[@]}" --activation selu --parametric-activation 0.5 --norm layer --ensemble 2 --dropout 0.2
  alike "${run[@]}" --activation silu,identity --parametric-activation 0.5 --members 3 --norm none
  alike "${run[@]}" --activation tanh --norm rms --ensemble 2 --weight-decay 0.1
}

@test "schedules of later versions, of the rate and of dropout and weight decay" {
  local schedule optimizer
  regression
  for schedule in exponential polynomial one-cycle flat-cosine coslog4 cosine-restarts invscaling; do
    alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 8 --lr 0.05 --batch 50 --schedule "$schedule" \
      --lr-step-epochs 0.5 --lr-restart-factor 2 --lr-power 2 --lr-rise 0.4 --lr-flat 0.6 --lr-gamma 0.6 --lr-min 0.001 --power-t 0.1
  done
  for optimizer in adamw lars; do # dropout and weight decay fall
    ranks=2 alike --data "$BATS_TEST_TMPDIR/table.h5" --epochs 3 --hidden 8 --batch 50 --lanes 2 --dropout 0.4 --input-dropout 0.2 \
      --optimizer $optimizer --lr 0.05 --weight-decay 0.5 --regularization-schedule flat-cosine
  done
}

@test "networks of random layers, losses, optimizers and schedules" {
  local status=0
  output=$(OMP_NUM_THREADS=1 "$python" "$BATS_TEST_DIRNAME/reference_configs.py" "$MLPDIST" "$BATS_TEST_TMPDIR" 2>&1) || status=$?
  [ "$status" = 0 ] || fail "a network differs from the reference's"
  says "23: alike"
}

@test "the comparison sees a learning rate one per cent off" {
  alike --epochs 1 --lr 0.1
  sed -i 's/^lr = .*/lr = 0.101/' "$BATS_TEST_TMPDIR/run/config.ini"
  status=0
  output=$("$python" "$BATS_TEST_DIRNAME/reference_epoch.py" compare "$BATS_TEST_TMPDIR/run" 2>&1) || status=$?
  [ "$status" = 1 ] || fail "expected a difference"
  says DIFFERENT
}
