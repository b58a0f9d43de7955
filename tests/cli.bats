# The command line: help, config files, usage errors. Trains nothing.

load helper

@test "lists have blanks between their items or none: the same run, which each form resumes" {
  cd "$BATS_TEST_TMPDIR" || return 1
  alone train "${quick[@]}" --hidden 6,3 --activation relu,tanh --dropout 0.1,0.2 --epochs 1 --out run --quiet
  succeeds
  local digest
  digest=$(last_line)
  alone train "${quick[@]}" --hidden " 6, 3 " --activation "relu, tanh" --dropout "0.1 ,0.2" --epochs 1 --out blanks
  succeeds
  says "network  64-6-3-10"
  [ "$(grep '^digest' <<< "$output")" = "$digest" ] || fail "another run than $digest"
  alone train "${quick[@]}" --hidden "6, 3" --activation "relu ,tanh" --dropout "0.1, 0.2" --epochs 2 --out run --resume auto --quiet
  succeeds
  alone explain --example xor --hidden "3 , 2" --steps 1
  succeeds
}

@test "train writes a folder: --out - is refused" {
  cd "$BATS_TEST_TMPDIR" || return 1
  launch 2 train --epochs 1 --out -
  fails_with 2 "--out -: a run writes a folder of files" "--out ./-"
  [ ! -e ./- ] || fail "a folder of that name"
}

@test "help of the program and of each command" {
  alone --help
  succeeds
  for command in $commands; do
    says "  $command"
  done
  for command in $commands; do
    alone "$command" --help
    succeeds
    says "Usage: mlpdist $command"
  done
  alone train -h
  succeeds
}

@test "mlpdist help: of a command, of itself, of nothing that is there" {
  alone help train
  succeeds
  says "Usage: mlpdist train" "--lr RATE"
  alone help
  succeeds
  says "Commands" "Exit status" "4   "
  alone help help
  says "Usage: mlpdist help"
  alone help trian
  fails_with 2 "did you mean train?"
  alone help train eval
  fails_with 2 '"eval"'
}

@test "an option without an effect is noted, a default is not" {
  alone train "${quick[@]}" --epochs 1 --quiet --out "$BATS_TEST_TMPDIR/run" --lr-gamma 0.5 --momentum 0.9 --beta1 0.8
  succeeds
  grep -qF "note: --lr-gamma has no effect without --schedule step" "$errors.all" || fail "expected a note about --lr-gamma"
  grep -qF "note: --beta1 has no effect without --optimizer adam, adamw, adamax, lion or lamb" "$errors.all" || fail "expected a note about --beta1"
  [ "$(grep -c "no effect" "$errors.all")" = 2 ] || fail "expected two notes"
  # The run's own config file holds every option: those that were changed are noted again.
  alone train --config "$BATS_TEST_TMPDIR/run/config.ini" --quiet
  succeeds
  [ "$(grep -c "note: config file: .* no effect" "$errors.all")" = 2 ] || fail "expected two notes"
}

@test "help says which option needs which" {
  alone train --help
  output=$(tr -s ' \n' '  ' <<< "$output")
  says "fraction of the velocity kept in each step; needs --optimizer momentum, nesterov or lars [0.9]" \
    "learning rate whenever it falls; needs --schedule step, exponential or plateau [0.1]" "needs --stream" "needs --trace" "not with --optimizer lbfgs [256]" "needs --loss auto, cross-entropy or binary-cross-entropy"
}

@test "help is at most 80 columns wide" {
  for command in $commands; do
    alone "$command" --help
    [ "$(wc -L <<< "$output")" -le 80 ] || fail "$command --help is too wide"
  done
}

@test "help wins over errors beside it" {
  alone train --epoch 3 --help
  succeeds
}

@test "--help on two ranks prints once" {
  launch 2 train --help
  succeeds
  [ "$(grep -c '^Usage' <<< "$output")" = 1 ] || fail "expected one help"
}

@test "every option of train's help is taken" {
  already_sanitized
  alone train --help
  local options option
  options=$(sed -n 's/^  --\([a-z0-9-]*\) [A-Z].*/\1/p' <<< "$output")
  [ "$(wc -w <<< "$options")" -gt 35 ] || fail "expected more options"
  for option in $options; do
    alone train "--$option"
    fails_with 2 "--$option needs a value"
  done
}

@test "version says how it was built" {
  local word
  for word in --version -V -v version "train --version"; do
    # shellcheck disable=SC2086
    alone $word
    succeeds
    says "mlpdist 0." MPI HDF5
  done
}

@test "usage errors: one line, status 2, a suggestion" {
  alone
  fails_with 2 --help
  alone trian
  fails_with 2 "did you mean train?"
  alone frobnicate
  fails_with 2 frobnicate convert
  alone train --epoch 3
  fails_with 2 "unknown option --epoch; did you mean --epochs?"
  alone eval --split test
  fails_with 2 "unknown option --split; did you mean --part?"
  alone train --hiden=3
  fails_with 2 "did you mean --hidden?"
  alone train --xyzzy
  fails_with 2 "unknown option --xyzzy" "train --help"
  alone train -e 3
  fails_with 2 "unknown option -e"
  alone train epochs 3
  fails_with 2 "did you mean --epochs?"
  alone train --quiet=maybe
  fails_with 2 '--quiet: "maybe" is neither yes nor no'
  alone train --stream=
  fails_with 2 "--stream= needs yes or no"
  alone train --data --lr 1
  fails_with 2 "--data needs a value, FILE: HDF5 data set"
  alone eval --jsn
  fails_with 2 "--json"
  alone info
  fails_with 2 FILE
  alone info a b
  fails_with 2 '"b"'
  alone convert a.csv
  fails_with 2 "OUT.h5"
  alone predict
  fails_with 2 "--out"
}

@test "values out of range or of another kind" {
  alone train --lr 1e9
  fails_with 2 "--lr: 1e9 is not in [0, 1e6]"
  alone train --lr nan
  fails_with 2 '--lr: "nan" is not a number'
  alone train --lr ""
  fails_with 2 '--lr: "" is not a number'
  alone train --epochs 0
  fails_with 2 "--epochs: 0 is not in [1, 1e9]"
  alone train --epochs -1
  fails_with 2 "--epochs: -1 is not in"
  alone train --epochs 1.5
  fails_with 2 "--epochs: 1.5 is not a whole number"
  alone train --epochs 99999999999999999999999
  fails_with 2 "is not in"
  alone train --memory 4GX --stream
  fails_with 2 '--memory: "4GX" is not a whole number, such as 4e9, 4GB or 4GiB'
  alone train --batch 1kB
  fails_with 2 '"1kB" is not a whole number'
  alone train --hidden "64 32"
  fails_with 2 'is not a list of widths such as 512,256'
  alone train --batch 3x
  fails_with 2 '"3x" is not a whole number'
  alone train --activation rleu
  fails_with 2 "did you mean relu?" softplus
  alone train --activation ReLU
  fails_with 2 "did you mean relu?"
  alone train --momentum 1
  fails_with 2 "--momentum: 1 is not in [0, 0.9999999]"
  alone train --output-activation atuo
  fails_with 2 "did you mean auto?"
  alone train --hidden 12,,3
  fails_with 2 "--hidden" "512,256"
  alone train --hidden 0
  fails_with 2 "--hidden"
  alone train --data ""
  fails_with 2 "the path is empty"
  alone train --out $'a\nb'
  fails_with 2 "control character"
}

@test "usage errors on 1, 2 and 3 ranks: one line, no hang" {
  for np in 1 2 3; do
    launch $np train --epoch 3
    fails_with 2 "did you mean --epochs?"
    launch $np eval --part tset
    fails_with 2 "did you mean test?"
    launch $np train --config "$BATS_TEST_TMPDIR/none.ini"
    fails_with 1 "none.ini: cannot be opened"
  done
}

@test "a printed config fed back prints itself" {
  alone train --print-config --preset none
  succeeds
  says "[network]" "hidden = 256,256,256" "threads = auto" "backend = auto" "epochs = auto"
  says "lr = 0.005" "weight-decay = 0.1" # what follows from the optimizer is settled
  printf '%s\n' "$output" > "$BATS_TEST_TMPDIR/a.ini"
  alone train --config "$BATS_TEST_TMPDIR/a.ini" --print-config
  succeeds
  cmp "$BATS_TEST_TMPDIR/a.ini" - <<< "$output"

  alone train --print-config --data some.h5 --x /a/b --hidden "" --lr 0.1234567890123456 --epochs 1e3 --seed 9007199254740991 \
    --output-activation softplus --classes 7 --threads 3 --weight-decay=1e-7 --valid-fraction 0.25 --out "a b; c"
  succeeds
  says "hidden =" "lr = 0.1234567890123456" "epochs = 1000" "seed = 9007199254740991" "out = a b; c" \
    "output-activation = softplus" "classes = 7" "threads = 3" "weight-decay = 1e-7" "x = /a/b"
  printf '%s\n' "$output" > "$BATS_TEST_TMPDIR/b.ini"
  alone train --config "$BATS_TEST_TMPDIR/b.ini" --print-config
  succeeds
  cmp "$BATS_TEST_TMPDIR/b.ini" - <<< "$output"
}

@test "the default rate and weight decay are those of the optimizer, and printed; what is given stays" {
  local optimizer values
  while read -r optimizer values; do
    alone train --print-config --optimizer "$optimizer"
    succeeds
    [ "$(sed -n 's/^\(lr\|weight-decay\) = //p' <<< "$output" | xargs)" = "$values" ] || fail "$optimizer"
  done << 'END'
adamw 0.005 0.1
adam 0.005 0
momentum 0.01 0
sgd 0.05 0
END
  alone train --print-config --optimizer momentum --lr 0.1
  succeeds
  says "lr = 0.1"
}

@test "the command line beats the config file, wherever it stands" {
  printf '[run]\nepochs = 7\nbatch = 32\n' > "$BATS_TEST_TMPDIR/run.ini"
  alone train --epochs 3 --config "$BATS_TEST_TMPDIR/run.ini" --print-config
  succeeds
  says "epochs = 3" "batch = 32"
}

@test "config files: comments, indentation, no sections" {
  printf '# note\n; note\nlr = 0.5 ; note\n  epochs: 4\n\n[network]\n  hidden = 8,4\n' > "$BATS_TEST_TMPDIR/run.ini"
  alone train --config "$BATS_TEST_TMPDIR/run.ini" --print-config
  succeeds
  says "lr = 0.5" "epochs = 4" "hidden = 8,4"
}

# config_fails TEXT WORD...
config_fails() {
  printf '%b' "$1" > "$BATS_TEST_TMPDIR/run.ini"
  shift
  alone train --config "$BATS_TEST_TMPDIR/run.ini"
  fails_with 2 "$@"
}

@test "errors in a config file name file and line" {
  config_fails '[run]\n\nepoch = 3\n' "run.ini:3: unknown key epoch; did you mean epochs?"
  config_fails '[run]\nepochs = many\n' "run.ini:2: epochs: \"many\" is not a whole number"
  config_fails '[rum]\nepochs = 3\n' "run.ini:1: unknown section [rum]; did you mean [run]?"
  config_fails '[run]\nlr = 3\n' "run.ini:2: lr stands in [run] but belongs in [optimizer]"
  config_fails '[run]\nepochs\n' "run.ini:2: neither"
  config_fails 'quiet = yes\n' "run.ini:1: unknown key quiet"
  config_fails 'epochs = 2\n[run]\nlanes = 2\nepochs = 3\n' "run.ini:4: epochs is given in line 1 already"
  config_fails '[run\n' "run.ini:1: neither"
  config_fails 'out = "a\n' 'run.ini:1: the closing " is missing'
  config_fails 'out = "a" b\n' 'run.ini:1: there is text after the closing "'
  config_fails 'lr = 0,1\n' 'run.ini:1: lr: "0,1" is not a number'
}

@test "a config file holds any path but one with a line end" {
  local long name
  long=$(printf 'd%.0s' {1..400})
  for name in "$long/digits.h5" 'my data ; v2 #3.h5' ' lead.h5' 'trail ' '"quoted".h5' 'a "b" ; c' 'back\slash\"' ';note' '#note' \
    'a = b: c' '[x]' 'ünï 日本 %s %n' "it's" 'auto' 'a;b' '"'; do
    alone train --data "$name" --out "$name" --print-config
    succeeds
    printf '%s\n' "$output" > "$BATS_TEST_TMPDIR/odd.ini"
    alone train --config "$BATS_TEST_TMPDIR/odd.ini" --print-config
    succeeds
    cmp "$BATS_TEST_TMPDIR/odd.ini" - <<< "$output"
  done
  alone train --data $'a\nb' --epochs 1
  fails_with 2 "control character"
}

@test "config files: quotes, notes, colons, a byte order mark, CR LF" {
  printf '\xef\xbb\xbf[data]\r\ndata = "a ; b" ; note\r\n[network]\nhidden = ""\n[run]\nout : c ; note\nseed=3' \
    > "$BATS_TEST_TMPDIR/run.ini"
  alone train --config "$BATS_TEST_TMPDIR/run.ini" --print-config
  succeeds
  says 'data = "a ; b"' "hidden =" "out = c" "seed = 3"
}

@test "a full disk is a failure" {
  [ -w /dev/full ] || skip "no /dev/full here"
  status=0
  "$MLPDIST" explain > /dev/full 2> "$errors" || status=$?
  fails_with 1 "standard output"
}

@test "a stack that is too small is one line" {
  unless_sanitized "the sanitizers need more stack themselves"
  status=0
  output=$(ulimit -s 64; "$MLPDIST" train --epochs 1 --quiet --out "$BATS_TEST_TMPDIR/run" 2> "$errors") || status=$?
  fails_with 1 "the limit of the stack is 64 kB" "ulimit -s 8192"
  [ ! -e "$BATS_TEST_TMPDIR/run" ]
}

@test "what --print-config prints, train accepts: both refuse the same, before any data is read" {
  local options printed
  while read -r options; do
    # shellcheck disable=SC2086
    alone train --print-config $options
    [ -z "$output" ] || fail "printed with $options"
    fails_with 2
    printed=$(cat "$errors")
    # shellcheck disable=SC2086
    alone train --data none.h5 $options
    fails_with 2 "$printed"
  done << 'EOF'
--checkpoint-every soon
--checkpoint-every 0
--window 3
--memory 1e9
--backend abacus
--activation softmax
--loss cross-entropy --output-activation sigmoid
--task classification --output-activation tanh
--hidden 8,x
--header perhaps
--delimiter 5
--thousands abc
--decimal dot
--strip 1
EOF
}

@test "options without an effect are noted, of the command line and of a config file" {
  cd "$BATS_TEST_TMPDIR"
  printf 'optimizer = adam\nschedule = constant\nmomentum = 0.8\nlr-gamma = 0.1\nepochs = 1\ncheckpoint-every = never\n' > run.ini
  alone train --config run.ini --beta1 0.9 --lr-min 0 --quiet
  succeeds
  [ "$(grep -c ' has no effect ' "$errors.all")" = 2 ] || fail "$(cat "$errors.all")"
  grep -q 'note: config file: momentum has no effect without --optimizer momentum' "$errors.all" || fail "no note of momentum"
  grep -q 'note: --lr-min has no effect without --schedule cosine' "$errors.all" || fail "no note of --lr-min"
}
