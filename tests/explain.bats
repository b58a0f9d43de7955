# mlpdist explain: the textbooks' numbers, networks of the user, and bad files. Trains nothing.

load helper

narrow() { [ "$(wc -L <<< "$output")" -le 80 ] || fail "wider than 80 columns"; }

# row PATTERN: the last output has a line that matches.
row() { grep -qE -- "$1" <<< "$output" || fail "no line matches $1"; }

# lesson LINE...: explains a network of these lines
lesson() {
  printf '%s\n' "$@" > "$BATS_TEST_TMPDIR/mine.txt"
  alone explain --network "$BATS_TEST_TMPDIR/mine.txt"
}

@test "explain prints the textbook's numbers" {
  alone explain
  succeeds
  says "0.332" "0.525" "0.474" "-0.105" "a4 = A(-0.700) = 0.332" "a5 = A(0.100) = 0.525" "a6 = A(-0.105) = 0.474" \
    "0.1311" "= -0.0065" "= -0.0087"
  # name, old value, formula, gradient, new value
  row '^  b6 +0\.100 .* 0\.218 '
  row '^  w46 +-0\.300 .* -0\.261 '
  row '^  w56 +-0\.200 .* -0\.138 '
  row '^  w14 +0\.200 .* 0\.192 '
  row '^  w35 +0\.200 .* 0\.194 '
  row '^  b4 +-0\.400 .* -0\.408 '
  narrow
  [ "$(cksum <<< "$output")" = "1130186664 2702" ] || fail "the text has changed"
}

@test "explain --example relu: errors pass where units are on" {
  alone explain --example relu
  succeeds
  # By hand: delta_h of sample 1 is (-0.09 0.5 + 0.16 (-0.3), -0.09 0.2 + 0.16 0.9).
  says "[  -0.0930   0.1260  ]" "[  -0.1250   0.0000  ]" "[  -0.6730   0.1120  ]" "[  -0.0270   0.0480  ]" \
    "[   0.5673  -0.3112  ]" "[   0.1293   0.7874  ]"
  narrow
  [ "$(cksum <<< "$output")" = "2462093931 3492" ] || fail "the text has changed"
  alone explain --example rleu
  fails_with 2 "did you mean relu?"
}

@test "explain --example mazur: the published figures" {
  alone explain --example mazur
  succeeds
  narrow
  # Published in double precision: 0.298371109, w5 0.35891648, w6 0.408666186, w1 0.149780716, outputs 0.75136507 and
  # 0.772928465; after 10000 steps about 0.0000351 is left. float32 holds 7 digits.
  says "C = 0.2983711" "[   0.7513651   0.7729285  ]" "W2 <- W2 - eta dC/dW2                  (2, 2)  [   0.3589165 "
  row '^ +\[   0\.4086662 '
  row '^  W1 <- W1 .* \[   0\.1497807 '
  row '^ +10000 +0\.0000351 +0\.01591'
  ! grep -q '^  B1 <-' <<< "$output" || fail "biases are updated"
  says "Yhat - Y" "Y - Yhat" "the biases are not updated"
}

@test "explain --example xor: the cost falls step after step" {
  alone explain --example xor
  succeeds
  narrow
  says "2-3-1; weights drawn with seed 1" "5. Step after step"
  row '^ +0 +3\.0243 +0\.5000 '
  row '^ +200 +0\.0[0-9]+ +0\.0[0-9]+ +0\.9[0-9]+ +0\.9[0-9]+ +0\.0[0-9]+$'
  alone explain --example xor --steps 1 --hidden 4 --seed 2 --digits 2
  succeeds
  says "2-4-1; weights drawn with seed 2" "(2, 4)"
  ! grep -q "Step after step" <<< "$output" || fail "a table of one step"
}

@test "explain --network: the printed examples come back, with the numbers of the textbooks" {
  local name
  for name in sigmoid relu xor mazur; do
    "$MLPDIST" explain --example "$name" --print-network > "$BATS_TEST_TMPDIR/$name.txt"
    alone explain --network "$BATS_TEST_TMPDIR/$name.txt"
    succeeds
    narrow
  done
  alone explain --network - < "$BATS_TEST_TMPDIR/relu.txt"
  succeeds
  says "[  -0.0930   0.1260  ]" "[  -0.1250   0.0000  ]" "[  -0.6730   0.1120  ]" "[  -0.0270   0.0480  ]" \
    "[   0.5673  -0.3112  ]" "[   0.1293   0.7874  ]" "delta1 = (delta2 W2^T) o relu'(Z1)"
  alone explain --network "$BATS_TEST_TMPDIR/sigmoid.txt"
  succeeds
  says "[   0.1921  -0.3059  ]" "[  -0.2608  ]" # 0.192 and -0.261 unit by unit
}

@test "explain --network: activations of each layer, a softmax output, several steps" {
  lesson "hidden 2, 3" "activation relu, tanh" "loss = cross-entropy" "lr=0.5" "digits 3" "steps 2" \
    "weights 1 0.5 -0.25" "weights 2" "1 0 -1" "0 1 0.5" "biases 2 0.1 0 -0.1" "weights 3 1 0 0 1 0.5 -0.5" \
    "sample 2 -> 0 1 # one-hot" "sample -1 -> 1 0"
  succeeds
  narrow
  # By hand: H1 = relu(2 (0.5, -0.25)) = (1, 0); Z2 = (1.1, 0, -1.1); H2 = tanh(Z2) = (0.800, 0, -0.800);
  # Z3 = (0.800 - 0.400, 0.400); softmax of equal values is 1/2 each, delta3 = (0.5, -0.5).
  row '^  H1 = relu\(Z1\) +\(2, 2\) +\[    1\.000    0\.000  \]'
  row '^  H2 = tanh\(Z2\) +\(2, 3\) +\[    0\.800    0\.000   -0\.800  \]'
  row '^  Yhat = softmax\(Z3\) +\(2, 2\) +\[    0\.500    0\.500  \]'
  row '^  delta3 = Yhat - Y +\(2, 2\) +\[    0\.500   -0\.500  \]'
  row '^ +2 +[0-9.]+ '
}

@test "explain --network: a norm and a scale of the inputs, with numbers of their own" {
  lesson "hidden 2" "activation identity" "norm layer" "input-scale 2" "scale 2 0.5" "weights 1" "1 -1" "1 1" \
    "gain 1 2 3" "shift 1 0.5 -1" "weights 2 1 1" "sample 1 4 -> 0.5" "momentum 0.5"
  succeeds
  grep -qF "note: $BATS_TEST_TMPDIR/mine.txt:13: momentum has no effect without --optimizer momentum, nesterov or lars" \
    "$errors.all" || fail "no note on momentum"
  # By hand: Xs = (2, 2); U = (4, 0), mean and deviation 2; Z = (2 + 0.5, -3 - 1); Yhat - Y = -1.5 - 0.5.
  row '^  Xs = X o S, row by row +\(1, 2\) +\[   2\.0000   2\.0000  \]'
  row '^  mu1 = row means of U1 +\(1, 1\) +\[   2\.0000  \]'
  row '^  Z1 = gain1 o Uhat1 \+ shift1 +\(1, 2\) +\[   2\.5000  -4\.0000  \]'
  row '^  delta2 = \(Yhat - Y\) o identity.\(Z2\) +\(1, 1\) +\[  -2\.0000  \]'
  row '^  G1 = delta1 o gain1 +\(1, 2\) +\[  -4\.0000  -6\.0000  \]'
  row '^  shift1 <- shift1 - eta dC/dshift1 +\(1, 2\) +\[   0\.7000  -0\.8000  \]'
  row '^  S <- S - 2 eta dC/dS '
}

@test "explain: layers, losses and optimizers of every kind agree with NumPy, derivatives with differences" {
  local python found=
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    "$python" -c 'import numpy' 2> /dev/null && found=$python && break
  done
  [ -n "$found" ] || skip "no Python with NumPy; PYTHON names one"
  status=0
  output=$("$found" "$BATS_TEST_DIRNAME/reference_explain.py" "$MLPDIST" 2>&1) || status=$?
  [ "$status" = 0 ] || fail "a number differs from the reference's"
}

@test "explain --embed-numbers: numbers in bins by hand, pages 80 columns wide" {
  lesson "hidden 1" "embed-numbers piecewise" "embed-bins 2" "embed-width 1" "activation identity" "show-step 2" \
    "lr 1" "weights 1 1 1" "weights 2 1" "sample 0 -> 0" "sample 4 -> 4" "sample 1 -> 3"
  succeeds
  narrow
  # By hand: edges 0, 1, 4. At first We = 0, so Yhat = X and dC/dXe = (0, 0, -2): of sample 3 alone, which fills the
  # first bin; the step makes that bin's weight 2. W1 grows by 2 x 1 of x, W2 by 2 x 1, both biases by 2.
  row '^  e   edges of the bins, .* \(1, 3\)'
  row '^ +\[   0\.0000   1\.0000   4\.0000  \]'
  row '^  We  weights of the bins, 2 rows of 1 for each number \(1, 2\)'
  row '^ +\[   2\.0000   0\.0000  \]'
  row '^  W1  weights of layer 1 +\(2, 1\) +\[   1\.0000  \]'
  row '^  B2  biases +\(1, 1\) +\[   2\.0000  \]'
  row '^  Xe = \[c We, x\] of each number x +\(3, 2\) +\[   0\.0000   0\.0000  \]'
  row '^ +\[   2\.0000   4\.0000  \]'
  row '^ +\[   2\.0000   1\.0000  \]'
  local how
  for how in periodic piecewise; do
    alone explain --example xor --embed-numbers "$how" --embed-width 7 --embed-bins 9 --input-dropout 0.25 \
      --input-scale 2 --optimizer lamb --weight-decay 0.125 --show-step 2 --ema 0.9 --digits 6
    succeeds
    narrow
  done
  alone explain --example xor --embed-bins 3
  succeeds
  grep -qF "note: --embed-bins has no effect without" "$errors.all" || fail "no note on embed-bins"
  alone explain --example mazur --embed-numbers periodic --steps 1
  succeeds # the weights of the example are dropped: those of layer 1 have other rows
  says "weights drawn with seed 1" "We <- We - 0.1 eta dC/dWe"
  lesson "embed-numbers periodic" "sample 1 0 -> 1" "weights 1 1 2"
  fails_with 2 ":3: weights 1: the layer needs 8 rows (inputs) x 1 columns (outputs), 8 numbers; here are 2"
}

@test "explain --categories: one-hot and embedded inputs by hand" {
  lesson "categories 0 2 3" "embed-above 2" "embed-width 1" "loss mae" "lr 1" "weights 1 1 2 3 -1" \
    "sample 0.5 1 2 -> 100" "sample 1 0 1 -> 100" "sample 2 1 2 -> 100"
  succeeds
  narrow
  row '^Codes +input 2: one of 2 categories, one-hot in X from column 2$'
  row '^ +input 3: one of 3 categories, embedded, in X column 4$'
  row '^ +\[   2\.0000   0\.0000   1\.0000   2\.0000  \]'
  # By hand: delta is -1 in each sample, dC/dXc of the last column 1, which two samples of category 2 add to 2. The
  # weights of the first three columns grow by the column sums of X: 3.5, 1, 2.
  row '^ +\[  -1\.0000  -2\.0000  -3\.0000   1\.0000  \]'
  [ "$(grep -A3 '^  dC/dEc = ' <<< "$output" | tr -d ' \n' | sed 's/.*(3,1)//')" = "[0.0000][1.0000][2.0000]" ] ||
    fail "other gradients of the embeddings"
  grep -A3 '^  W1 <- ' <<< "$output" | tr -d ' \n' | grep -qF '[4.5000][3.0000][5.0000]' || fail "other new weights"
  alone explain --example xor --categories 2,2 --embed-above 0 --embed-numbers periodic --steps 1 --ema 0.9
  succeeds
  grep -qF "note: --embed-numbers has no effect: all inputs are categories" "$errors.all" || fail "no note on embed-numbers"
  narrow
  says "Ec <- Ec - eta dC/dEc" "weights drawn with seed 1"
  alone explain --example xor --embed-above 3
  succeeds
  grep -qF "note: --embed-above has no effect without --categories" "$errors.all" || fail "no note on embed-above"
  alone explain --example xor --embed-width 3
  grep -qF "note: --embed-width has no effect without --embed-numbers piecewise or --categories" "$errors.all" ||
    fail "no note on embed-width"
}

@test "explain --members: two networks by hand; --ensemble: pages 80 columns wide" {
  lesson "members 2" "input-scale 0.5" "scale 1 2" "lr 1" "weights 1 1 3" "biases 1 0 -1" "sample 1 -> 0" "sample 2 -> 1" \
    "update weights" "steps 2"
  succeeds
  narrow
  # By hand: Xk = 1, 2 | 2, 4; Yhat = 1, 2 | 5, 11 and its mean 3, 6.5; delta = 1, 1 | 5, 10; each member has its own
  # gradient: W 1 + 2 | 10 + 40, Sk (1 + 2) 1 | (5 + 20) 3. C = ((1 + 1) + (25 + 100)) / 2 / 2.
  row '^  Xk = X o Sk\[k\], row by row +\(4, 1\) +\[   1\.0000  \]'
  row '^  Z1 = Xk\[k\] W1\[k\] \+ B1\[k\] +\(4, 1\)'
  row '^  mean of Yhat over the members +\(2, 1\) +\[   3\.0000  \]'
  row '^ +\[   6\.5000  \]'
  row '^  C = 31\.7500'
  row '^  dC/dSk = column sums of dC/dXk\[k\] o X +\(2, 1\) +\[   3\.0000  \]'
  row '^ +\[  75\.0000  \]'
  row '^  Sk <- Sk - 0\.5 eta dC/dSk +\(2, 1\) +\[  -0\.5000  \]'
  row '^ +\[ -47\.0000  \]'
  row '^ +0 +31\.7500 +3\.0000 +6\.5000$'
  ! grep -q '^  B1 <-' <<< "$output" || fail "biases are updated"
  # Sk -0.5 | -35.5 and W -2 | -47 as above; the biases are 0 | -1 still: of sample 1 1 | 1667.5.
  row '^ +1 +[0-9.e+]+ +834\.2500 '
  local members
  for members in "--ensemble 3 --norm batch" "--members 3 --embed-numbers periodic"; do
    alone explain --example xor $members --input-scale 2 --optimizer lars --weight-decay 0.125 --steps 2 --ema 0.5
    succeeds
    narrow
    says "the mean of the 3 members"
  done
  alone explain --example xor --ensemble 2 --members 2
  fails_with 2 "--ensemble 2 makes members that share layers, --members 2 some that share none"
  lesson "members 2" "hidden 2" "sample 1 -> 1" "weights 1 1 2"
  fails_with 2 ":4: weights 1: the layer needs 2 rows (inputs) x 2 columns (outputs), 4 numbers; here are 2"
  lesson "ensemble 2" "sample 1 -> 1" "weights 1 1 2" "biases 1 1"
  fails_with 2 ":4: biases 1: the layer needs a number for each output of each member, 2; here are 1"
  lesson "embed-numbers periodic" "input-scale 1" "sample 1 -> 1" "scale 1"
  fails_with 2 ":4: scale needs a number for each value of the inputs, 4; here are 1"
  lesson "members 2" "input-scale 1" "sample 1 -> 1" "scale 1"
  fails_with 2 ":4: scale needs a number for each value of each member, 2; here are 1"
}

@test "explain: dropout and noise are drawn anew in each step, the same for a seed" {
  alone explain --example xor --dropout 0.5 --input-noise 1 --steps 3 --lr 0
  succeeds
  narrow
  says "Draws     with seed 1, other numbers in each step" "(with the draws of the next)"
  local drawn=$output
  [ "$(grep -cE '^ +[0-3] +[0-9.]+ ' <<< "$output")" = 4 ] || fail "no table of 4 rows"
  [ "$(grep -E '^ +[0-3] +[0-9.]+ ' <<< "$output" | awk '{ print $2 }' | sort -u | wc -l)" = 4 ] ||
    fail "the cost of some steps is equal, at a learning rate of 0"
  alone explain --example xor --dropout 0.5 --input-noise 1 --steps 3 --lr 0
  [ "$output" = "$drawn" ] || fail "the draws of a seed differ"
}

@test "explain --show-step: the step of the textbooks, and the table that leads to it" {
  alone explain --example mazur --show-step 10000
  succeeds
  narrow
  says "Step      t = 10000, after 9999 that are not written out" # published: about 0.0000351 is left
  row '^ +10000 +0\.0000351 '
  row '^The step took the cost C from 0\.000035[0-9]+ to 0\.0000351'
  alone explain --example xor --show-step 3 --steps 1 --lr 1e6 --activation identity --loss mse --output-activation identity
  fails_with 1 "after step" "the cost is not a finite number"
}

@test "explain: schedules and averages of the weights, a column each in the table of steps" {
  local schedule
  for schedule in constant step exponential polynomial cosine cosine-restarts flat-cosine one-cycle coslog4 plateau invscaling; do
    alone explain --example xor --schedule "$schedule" --warmup-epochs 1 --ema 0.9 --steps 9 --show-step 2
    succeeds
    narrow
  done
  alone explain --example xor --schedule cosine --warmup-epochs 2 --swa-start 2 --steps 8 --show-step 3
  succeeds
  narrow
  says "cosine: eta = lr-min + (lr - lr-min) (1 + cos(pi s/T)) / 2" "s = 0 steps before this one and after the warm-up, T = 6" \
    "r = 1 / (t - 1) = 1/2: the mean of W after steps 2 to 3"
  row '^  avg\(W2\)  before the step '
  # lr 0.5: 1/2 of it, all of it twice, then half a cosine over 6 steps; no average before step 2, then that of one W.
  row '^ +0 +- +3\.0243 +-$'
  row '^ +1 +0\.2500 +2\.8448 +-$'
  row '^ +2 +0\.5000 +([0-9.]+) +\1$'
  row '^ +3 +0\.5000 '
  row '^ +6 +0\.2500 '
  alone explain --example xor --swa-start 5 --steps 4
  fails_with 2 "--swa-start: 5 is after the last step, 4; take more steps, as in: steps 5"
  alone explain --example xor --swa-start 1 --ema 0.5
  fails_with 2 "--swa-start: ema is another average of the same weights"
  lesson "lr-rise 0.2" "schedule cosine" "steps 2" "sample 1 -> 1"
  succeeds
  grep -qF "mine.txt:1: lr-rise has no effect without" "$errors.all" || fail "no note on lr-rise"
}

@test "explain --norm batch on an example: its biases are the shifts" {
  alone explain --example sigmoid --norm batch
  succeeds
  grep -q 'note: the biases of hidden layers are the shifts' "$errors.all" || fail "no note"
  row '^  shift1 +\(1, 2\) +\[  -0\.4000   0\.2000  \]'
  row '^  U1 = X W1  '
  row '^  B2  biases +\(1, 1\) +\[   0\.1000  \]'
}

@test "explain: pages of every optimizer and loss are 80 columns wide" {
  local optimizer loss
  for optimizer in sgd momentum nesterov adam adamw adamax rmsprop adagrad lion lars lamb; do
    alone explain --example xor --norm batch --input-scale 6 --optimizer "$optimizer" --weight-decay 0.125
    succeeds
    narrow
  done
  for loss in mse mse-mean mae huber log-cosh quantile gaussian; do
    alone explain --example xor --output-activation identity --loss "$loss" --lr 0.01 --steps 2
    succeeds
    narrow
  done
  alone explain --example xor --label-smoothing 0.1 --focal-gamma 2.5 --class-weight 1,2.5
  succeeds
  narrow
}

@test "explain --network: a large network shows its first rows and columns" {
  lesson "hidden 100" "seed 3" "sample $(seq -s ' ' 40) -> 1"
  succeeds
  narrow
  says "(40, 100)" "shown: 12 of 40 rows, 8 of 100 columns"
  [ "$(wc -l <<< "$output")" -lt 160 ] || fail "too long"
}

@test "explain --network: bad files are refused with the line and a cure" {
  local mine="$BATS_TEST_TMPDIR/mine.txt" line words
  while IFS='|' read -r line words; do
    printf '%b\n' "$line" > "$mine"
    alone explain --network "$mine"
    fails_with 2 "$mine" "$words"
  done << 'END'
# nothing|there is no sample; add a line such as
weihgts 1 2 3|:1: "weihgts" is unknown; did you mean weights?
sample 1 0 -> 1\nfoo 1|:2: "foo" is unknown; a line begins with title
0.5 0.5|:1: numbers belong below
sample 1 0 -> 1\nweights 1 0.5|:2: weights 1: the layer needs 2 rows (inputs) x 1 columns (outputs), 2 numbers; here are 1
sample 1 0 -> 1\nweights 1\n0.5\n0.5 x|:4: number: "x" is not a number
sample 1 0 -> 1\nweights 0 1|:2: weights needs the number of a layer
sample 1 0 -> 1\nweights|:2: weights needs the number of a layer
sample 1 0 -> 1\nbiases 17 1|:2: biases needs the number of a layer, from 1 to 16
sample 1 0 -> 1\nweights 2 1 2|:2: weights 2: the network has 1 layer
hidden 2\nsample 1 0 -> 1\nweights 1 1 2 3 4|weights 2 is missing
sample 1 0 -> 1\nweights 1 1 2\nbiases 1 1 2|:3: biases 1: the layer needs a number for each output, 1; here are 2
sample 1 0 -> 1\nweights 1 1 2\nweights 1 1 2|:3: weights 1 stands in line 2 already
sample 1 0 -> 1\nsample 1 -> 1|:2: the number of inputs is 1, and 2 in the sample of line 1
sample 1 0 -> 1\nsample 1 0 -> 1 2|:2: the number of targets is 2
sample 1 0 1|:1: inputs and targets of a sample have -> between them
sample -> 1|:1: a sample has from 1 to 1024 inputs
sample 1 ->|:1: a sample has from 1 to 1024 targets
sample 1 nan -> 1|:1: input: "nan" is not a number
sample 1 -> 1e39|:1: target: 1e39 is not in
activation rleu\nsample 1 -> 1|:1: activation: "rleu" is unknown; did you mean relu?
hidden 2\nactivation relu,tanh\nsample 1 -> 1|:2: activation: names: 2, hidden layers: 1
hidden 2\nactivation softmax\nsample 1 -> 1|:2: activation: softmax is for the output layer only
loss cross-entropy\noutput-activation relu\nsample 1 -> 1|:1: loss: loss cross-entropy needs output activation softmax
lr -1\nsample 1 -> 1|:1: lr: -1 is not in [0, 1e6]
steps 0\nsample 1 -> 1|:1: steps: 0 is not in
hidden 2-3\nsample 1 -> 1|:1: hidden: "2-3" is not a list of widths
norm lyer\nsample 1 -> 1|:1: norm: "lyer" is unknown; did you mean layer?
sample 1 0 -> 1\ngain 1 1|:2: gain 1: the layer has no norm; norm layer adds one
hidden 2\nnorm layer\nsample 1 -> 1\ngain 1 1 2 3|:4: gain 1: the layer needs a number for each output, 2; here are 3
hidden 2\nnorm layer\nsample 1 -> 1\nshift 2 1|:4: shift 2: the layer has no norm
hidden 2\nnorm rms\nsample 1 -> 1\nshift 1 1 1|:4: shift 1: an rms norm has none
hidden 2\nnorm layer\nsample 1 -> 1\nshift 3 1|:4: shift 3: the network has 2 layers
hidden 2\nnorm batch\nsample 1 -> 1\nbiases 1 1 2|:4: biases 1: before a batch norm there are no biases; shift
sample 1 -> 1\nscale 2|:2: scale: the inputs have none; input-scale 1 adds it
input-scale 1\nsample 1 0 -> 1\nscale 2|:3: scale needs a number for each input, 2; here are 1
input-scale 1\nsample 1 -> 1\nscale 2\nscale 3|:4: scale stands in line 3 already
hidden 2\ndropout 0.1 0.2\nsample 1 -> 1|:2: dropout: probabilities: 2, hidden layers: 1; give one for all layers
dropout 1\nsample 1 -> 1|:1: dropout: 1 is not in
label-smoothing 0.1\nsample 1 -> 1|:1: label-smoothing is for the losses cross-entropy
loss quantile\nquantiles 0.9 0.1\nsample 1 -> 1|:2: quantiles 0.9,0.1: not a list of ascending numbers
optimizer adm\nsample 1 -> 1|:1: optimizer: "adm" is unknown; did you mean adam?
class-weight 1,2,3\nsample 1 -> 1|:1: class-weight: weights: 3, classes of the targets: 2
class-weight 1,x\nsample 1 -> 1|:1: class-weight: "x" is not none, balanced, or weights
class-weight balanced\nsample 1 -> 1\nsample 1 -> 0.5|:1: class-weight: sample 2 is not of one class
class-weight 1,1\nsample 1 -> 1 1|:1: class-weight: sample 1 is not of one class
loss poisson\nclass-weight 1,1\nsample 1 -> 1|:2: class-weight: the loss is for values
categories 3 0\nsample 1 -> 1|:1: categories: numbers: 2, inputs of a sample: 1; give one for each
categories 2\nsample 2 -> 1|:1: categories: input 1 of sample 1 is 2; the code of one of 2 categories is a whole number from 0 to 1
categories 0 2\nsample 2 0.5 -> 1|:1: categories: input 2 of sample 1 is 0.5; the code
categories 2.5\nsample 1 -> 1|:1: categories: 2.5 is not a number of categories
categories 2,x\nsample 1 1 -> 1|:1: categories: "x" is not a number
categories 900 900\nembed-above 65536\nsample 1 1 -> 1|:1: categories: explain shows at most 1024 inputs
hidden 2048\nsample 1 -> 1|:1: hidden: 2048: explain shows at most
sample\t1 ->\a1|:1: this is not a text
\0211HDF\r\n|:1: this is not a text
END
  alone explain --network "$BATS_TEST_TMPDIR"
  fails_with 1 "cannot be read"
  alone explain --network /nowhere/mine.txt
  fails_with 1 "/nowhere/mine.txt: cannot be opened"
}

@test "explain: options that do not fit, and steps that are too long" {
  alone explain --network mine.txt --example xor
  fails_with 2 "--network and --example"
  alone explain --example xor --norm layer --print-network
  succeeds
  [ "$(sed -n 2p <<< "$output")" = "hidden 3" ] || fail "not the example"
  grep -q "note: --norm does not change what --print-network prints" "$errors.all" || fail "no note"
  alone explain --network mine.txt --print-network
  fails_with 2 "--network and --print-network"
  alone explain --example xor --activation relu,tanh
  fails_with 2 "--activation: names: 2, hidden layers: 1"
  alone explain --example xor --loss cross-entropy
  fails_with 2 "--loss: loss cross-entropy needs output activation softmax"
  lesson "hidden 3" "activation relu" "lr 1e6" "steps 9" "sample 1000 -> 1"
  fails_with 1 "the cost is not a finite number; try a smaller lr"
}
