# Bins that end where the targets change (--embed-edges targets). --embed-numbers auto: two runs, without and with numbers in bins,
# and the choice between them.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

small=(--label y --hidden 16 --batch 32 --lanes 4 --epochs 20 --lr 0.02 --threads 1)

# A target that rises and falls along a column, which needs bins, and one that does not.
wave() { awk 'BEGIN { print "a,b,y"; for (i = 0; i < 300; i++) { u = i * 37 % 300 / 30; v = i * 91 % 300 / 300; print u "," v "," 4 * (int(u) % 2) + v } }' > wave.csv; }
line() { awk 'BEGIN { print "a,b,y"; for (i = 0; i < 300; i++) { u = i * 37 % 300 / 30; v = i * 91 % 300 / 300; print u "," v "," u + v + i % 7 / 3 } }' > line.csv; }

@test "--embed-numbers auto: takes bins where they help by more than chance, with the bits and files of a run alone" {
  wave
  line
  alone train "${small[@]}" --data wave.csv --embed-numbers auto --log json --out wave
  succeeds
  says "bins     run 1 of 2, without, in wave/without-bins" "bins     run 2 of 2, with, in wave/with-bins" \
    "bins     taken: validation rmse " " with them; standard error of the difference " "checkpoint in wave/with-bins/checkpoints"
  local taken
  taken=$(last_line)
  alone train "${small[@]}" --data wave.csv --embed-numbers piecewise --log json --out alone --quiet
  [ "$(last_line)" = "$taken" ] || fail "expected $taken"
  diff <(grep -v '^out = ' wave/config.ini) <(grep -v '^out = ' alone/config.ini) || fail "config.ini is not that of a run alone"
  [ "$(cut -d , -f 1-7 wave/metrics.csv)" = "$(cut -d , -f 1-7 alone/metrics.csv)" ] || fail "metrics.csv is not that of a run alone"
  cmp wave/metrics.jsonl wave/with-bins/metrics.jsonl || fail "metrics.jsonl is not that of the taken run"
  alone info wave/model.h5
  says "embed-numbers = piecewise" "out = wave"
  alone eval --model wave/model.h5
  succeeds
  alone train "${small[@]}" --data line.csv --embed-numbers auto --out line --quiet
  succeeds
  [[ $output == "bins     not taken: validation rmse "*" without, "*" with them; standard error of the difference "* ]] ||
    fail "the choice is not the first line"
  taken=$(last_line)
  alone train "${small[@]}" --data line.csv --out alone --quiet
  [ "$(last_line)" = "$taken" ] || fail "expected $taken"
}

@test "--embed-numbers auto: a run that was killed in either half goes on to the same model, on other ranks" {
  wave
  local options=("${small[@]}" --data - --embed-numbers auto --quiet --checkpoint-every 50 --keep 9) want at
  alone train "${options[@]}" --out run < wave.csv
  succeeds
  want=$output
  cp -r run whole
  at=run/with-bins # as if killed in the second run
  rm run/*.h5 run/*.csv run/config.ini $at/model.h5 $at/checkpoints/step-0000000001[6-9]*.h5
  launch 2 train "${options[@]}" --out run --resume auto < wave.csv
  succeeds
  [ "$output" = "$want" ] || fail "after a kill in the second run: expected $want"
  [ -e run/converted.h5 ] && cmp run/model.h5 run/with-bins/model.h5 || fail "the files of the taken run"
  rm -r run/*.h5 run/*.csv run/config.ini $at run/without-bins/model.h5 run/without-bins/checkpoints/step-0000000001*.h5
  alone train "${options[@]}" --out run --resume auto < wave.csv
  succeeds
  [ "$output" = "$want" ] || fail "after a kill in the first run: expected $want"
  [ "$(cut -d , -f 1-7 run/metrics.csv)" = "$(cut -d , -f 1-7 whole/metrics.csv)" ] || fail "metrics.csv"
}

@test "--embed-numbers auto: single runs and choices do not resume each other; a new run removes both" {
  wave
  alone train "${small[@]}" --data wave.csv --embed-numbers auto --out run --quiet
  alone train "${small[@]}" --data wave.csv --embed-numbers piecewise --out run --quiet --resume auto
  fails_with 2 "run: its checkpoints are of the two runs of --embed-numbers auto; give that option, another --out"
  alone train "${small[@]}" --data wave.csv --embed-numbers none --out run --quiet
  succeeds
  [ ! -e run/with-bins ] && [ ! -e run/without-bins ] || fail "the runs of the choice are left"
  alone train "${small[@]}" --data wave.csv --embed-numbers auto --out run --quiet --resume auto
  fails_with 2 "run: its checkpoints are of a single run, without --embed-numbers auto; give --embed-numbers as"
  unlike "$MLPDIST" train "${small[@]}" --data wave.csv --embed-numbers auto --out other -- \
    "$MLPDIST" train "${small[@]}" --data wave.csv --out other
  fails_with 2 "'embed-numbers = none' here, 'embed-numbers = auto' on rank 0"
}

@test "--embed-numbers auto: where the run with bins diverges the other is taken; one that diverges at once leaves no model" {
  wave
  local sgd=(--data wave.csv --label y --hidden 16 --activation identity --batch 32 --epochs 2 --optimizer sgd --schedule constant --quiet)
  alone train "${sgd[@]}" --lr 0.3 --embed-width 200 --embed-numbers auto --out run
  [ "$status" = 0 ] || fail "expected status 0"
  grep -qF "note: the run with bins failed, so --embed-numbers auto takes the one without: the loss is not a finite number" "$errors.all" ||
    fail "no note"
  [[ $output == "bins     not taken: validation rmse "*" without, no figure with them"* ]] || fail "the choice is not said"
  cmp run/model.h5 run/without-bins/model.h5 || fail "not the model without bins"
  alone train "${small[@]}" --data wave.csv --embed-numbers auto --out run --quiet
  succeeds
  alone train "${sgd[@]}" --lr 1e6 --embed-numbers auto --out run
  fails_with 1 "both runs of --embed-numbers auto failed; the one without bins: the loss is not a finite number at step 3"
  [ ! -e run/model.h5 ] && [ ! -e run/with-bins/model.h5 ] || fail "a model of the run before is left"
}

@test "--embed-numbers auto: where the run without bins diverges the one with them is taken, also after a kill in either run" {
  wave
  local ntk=(--data wave.csv --label y --hidden 16 --activation identity --batch 32 --epochs 3 --optimizer sgd --schedule constant
    --parametrization ntk --embed-width 200 --lr 4 --threads 1 --lanes 4 --out run --checkpoint-every 12 --keep 9) at=run/with-bins want
  alone train "${ntk[@]}" --embed-numbers piecewise --quiet
  succeeds
  want=$(last_line)
  alone train "${ntk[@]}" --embed-numbers auto --quiet
  [ "$status" = 0 ] && [ "$(last_line)" = "$want" ] || fail "expected $want"
  grep -qF "note: the run without bins failed, so --embed-numbers auto takes the one with them: the loss is not a finite number at step 11 (epoch 2)" "$errors.all" &&
    grep -qF "without-bins/model.h5 keeps the weights of epoch 1" "$errors.all" || fail "no note"
  [[ $output == "bins     taken: validation rmse "*" with them, no figure without"* ]] && cmp run/model.h5 $at/model.h5 || fail "the choice"
  rm run/*.h5 run/config.ini $at/model.h5 $at/checkpoints/step-000000000024.h5 # as if killed in the second run
  [ ! -e run/without-bins/checkpoints ] || [ -z "$(ls run/without-bins/checkpoints)" ] || fail "the first run has checkpoints"
  launch 2 train "${ntk[@]}" --embed-numbers auto --resume auto
  [ "$status" = 0 ] && [ "$(last_line)" = "$want" ] || fail "after a kill in the second run: expected $want"
  says "resumed  after step 12"
  rm -r run/*.h5 run/config.ini $at run/without-bins/model.h5
  alone train "${ntk[@]}" --checkpoint-every 5 --embed-numbers auto --quiet --resume auto
  [ "$status" = 0 ] && [ "$(last_line)" = "$want" ] || fail "after a kill in the first run: expected $want"
  alone train "${ntk[@]}" --embed-numbers auto --quiet --resume auto # from the checkpoints before it diverges
  [ "$status" = 0 ] && [ "$(last_line)" = "$want" ] || fail "after both runs: expected $want"
}

@test "--embed-numbers auto: what killed runs leave goes with the next run; a folder of no use is refused before training" {
  wave
  local brief=(--data wave.csv --label y --hidden 4 --batch 300 --lanes 4 --epochs 1 --lr 0.02 --threads 1 --quiet --out run) ended
  mkdir run
  : > run/with-bins
  alone train "${brief[@]}" --embed-numbers auto
  fails_with 1 "run/with-bins: is not a folder"
  [ ! -e run/without-bins ] || fail "the first run has begun"
  rm run/with-bins
  alone train "${brief[@]}" --embed-numbers auto
  [ "$(grep -c "is lowered to the 240 training rows" "$errors.all")" = 1 ] || fail "the second run repeats a note"
  alone train "${brief[@]}" --init-from run/with-bins/model.h5
  fails_with 2 "--init-from run/with-bins/model.h5 belongs to the run that this one replaces in --out run"
  [ -e run/with-bins/model.h5 ] || fail "the model is gone"
  ended=$(sh -c 'echo $$') # a process that has ended
  echo "mlpdist run on host here, process $ended, since then" | tee run/with-bins/run.lock > run/run.lock
  sed -i 's/then/then, taking over/' run/run.lock # killed while it removed the two runs
  : > "run/with-bins/model.h5.tmp.$ended"
  alone train "${brief[@]}" --resume auto
  [ "$status" = 0 ] || fail "expected status 0"
  [ ! -e run/without-bins ] && [ ! -e run/with-bins ] || fail "of the two runs is left: $(ls run/with*)"
}

@test "--embed-numbers auto: a model that cannot be copied is named, and resuming copies it; a used folder without both runs is noted" {
  wave
  local brief=(--data wave.csv --label y --hidden 4 --batch 64 --lanes 4 --epochs 1 --lr 0.02 --threads 1 --quiet --embed-numbers auto)
  alone train "${brief[@]}" --out run
  succeeds
  local want=$output
  rm -r run/with*-bins
  alone train "${brief[@]}" --out run --resume auto
  [ "$output" = "$want" ] || fail "expected $want"
  grep -qF "note: run: there is no checkpoint to go on from: the runs without and with bins are not in it; this run starts anew" "$errors.all" ||
    fail "no note"
  mkdir full
  ln -s missing/model.h5 full/model.h5
  alone train "${brief[@]}" --out full
  fails_with 1 "full/model.h5: its folder, full/missing: No such file or directory; the model is whole in full/with" "-bins: the same command with --resume auto copies it"
  mkdir full/missing
  alone train "${brief[@]}" --out full --resume auto
  succeeds
  [ "$output" = "$want" ] && [ -s full/missing/model.h5 ] || fail "no model"
}

@test "--embed-numbers auto: what it does not go with is refused; without numbers there is one run" {
  wave
  local options
  for options in "--select auc" "--select f1" "--select loss" "--class-weight balanced" "--trace t.json" "--resume step.h5" "--init-from run/model.h5"; do
    # shellcheck disable=SC2086
    alone train --data wave.csv --embed-numbers auto $options --print-config
    fails_with 2 "--embed-numbers auto" "${options%% *}"
  done
  alone train "${small[@]}" --data wave.csv --embed-numbers auto --valid-fraction 0 --out never
  fails_with 2 "wave.csv (converted): --embed-numbers auto chooses by validation rows, and there are none; use --valid-fraction 0.1 or --folds 8"
  [ ! -e never/model.h5 ] || fail "a model was written"
  alone explain --example xor --embed-numbers auto
  fails_with 2 '--embed-numbers: "auto" is unknown; the choices are none, periodic, piecewise'
  alone explain --help
  ! grep -qE "piecewise(, or|,) auto" <<< "$(tr -s ' \n' '  ' <<< "$output")" || fail "explain offers auto"
  awk 'BEGIN { print "a,y"; for (i = 0; i < 60; i++) print (i % 2 ? "x" : "z") "," i % 3 }' > words.csv
  alone train "${small[@]}" --data words.csv --embed-numbers auto --out run --quiet
  [ "$status" = 0 ] || fail "expected status 0"
  grep -qF "note: --embed-numbers auto: no column holds numbers, so there is one run, without bins" "$errors.all" || fail "no note"
  ! grep -q '^bins' <<< "$output" && [ -e run/model.h5 ] && [ ! -e run/with-bins ] || fail "more than one run"
}

@test "--embed-numbers auto: folds, classes, streams and presets; weighted validation rows are refused" {
  need_h5py
  wave
  awk -F, 'NR == 1 { print "a,b,c" } NR > 1 { print $1 "," $2 "," ($3 > 2 ? "up" : "down") }' wave.csv > classes.csv
  local taken
  alone train --data classes.csv --hidden 16 --batch 32 --epochs 16 --preset tabular --folds 3 --embed-numbers auto --out run --quiet
  succeeds
  says "bins     taken: validation error 0." "  (270 rows)"
  taken=$(last_line)
  alone train --data classes.csv --hidden 16 --batch 32 --epochs 16 --preset tabular --folds 3 --embed-numbers piecewise --out alone --quiet
  [ "$(last_line)" = "$taken" ] || fail "expected $taken"
  launch 2 train "${small[@]}" --data run/converted.h5 --stream --folds 3 --embed-numbers auto --out other --quiet
  succeeds
  says "bins     taken: validation error "
  "$python" - << 'END' || fail "no data set with weights"
import h5py, numpy as np
with h5py.File("weighted.h5", "w") as f:
    for part in ("train", "valid"):
        f[part + "/x"], f[part + "/y"], f[part + "/weight"] = np.random.rand(60, 2), np.random.rand(60), np.arange(60) + 1.0
END
  alone train --data weighted.h5 --hidden 4 --epochs 1 --embed-numbers auto --out never
  fails_with 2 "its validation rows have weights, and --embed-numbers auto needs an error that counts each row once"
}

# a: steps at 60 and 160, a few values missing; noise; few: 0, 1 and 4, which differs from the others, likewise. The row of number `odd` has
# a far target.
steps() {
  awk -v odd="$1" 'BEGIN {
    print "a,noise,few,y"
    for (i = 0; i < 240; i++) {
      a = i * 37 % 240; n = i * 91 % 240; f = i * i % 5
      print (i % 50 == 3 ? "" : a) "," n "," (i % 60 == 7 ? "" : f) "," (i == odd ? 40 : 2 * (a >= 60) + (a >= 160) + (f > 1) / 2 + i * 53 % 240 / 2400)
    }
  }'
}

# edges MODEL: those of each column of each member, in its units, rounded down, without repeats.
edges() {
  alone export "$1" edges.json
  python3 - << 'END'
import json
net = json.load(open("edges.json"))
layer, scales = next(l for l in net["layers"] if "edge" in l), list(zip(net["input"]["shift"], net["input"]["scale"]))
for k, row in enumerate(layer["edge"]):
    shift, scale = scales[k % len(scales)]
    print(*(int(e / scale + shift + 1e-3) for e in sorted(set(row))))
END
}

@test "--embed-edges targets: bins end where the target steps, on any ranks, streamed; a column of noise has one bin" {
  steps -1 > steps.csv
  local options=(--data steps.csv --label y --test-fraction 0 --valid-fraction 0 --hidden 4 --epochs 1 --batch 20 --lanes 3 --lr 0.01
    --normalize standard --quiet --threads 1 --embed-numbers piecewise --embed-edges targets --embed-bins 3 --embed-width 2)
  local np mode want=$'0 59 159 239\n0 239\n0 0 2 4'
  for mode in --stream ""; do
    for np in 1 3; do
      launch "$np" train "${options[@]}" --out "run$np$mode" $mode
      succeeds
      [ "$(edges "run$np$mode/model.h5")" = "$want" ] || fail "$np ranks $mode: $(edges "run$np$mode/model.h5")"
    done
  done
  alone train "${options[@]}" --embed-bins 2 --out two
  [ "$(edges two/model.h5)" = $'0 59 239\n0 239\n0 2 4' ] || fail "two bins: $(edges two/model.h5)"
}

@test "--embed-edges targets: no member of --folds knows the targets that it leaves out" {
  local odd k alike=0
  for odd in -1 7; do
    steps "$odd" > steps.csv
    alone train --data steps.csv --label y --test-fraction 0 --hidden 4 --epochs 1 --batch 20 --lanes 3 --lr 0.01 --normalize standard \
      --quiet --threads 1 --folds 3 --embed-numbers piecewise --embed-edges targets --embed-bins 7 --embed-width 2 --out "run$odd"
    succeeds
    edges "run$odd/model.h5" > "edges$odd"
  done
  for k in 1 4 7; do # the first line of each member
    cmp -s <(sed -n "$k,$((k + 2))p" edges-1) <(sed -n "$k,$((k + 2))p" edges7) && alike=$((alike + 1))
  done
  [ "$alike" = 1 ] || fail "edges of $alike members stay where one target changes: $(paste edges-1 edges7)"
}
