# bench_step and scripts/bench: that they measure what they claim, not how fast.

load helper

setup() {
  ! grep -q __asan_init "$MLPDIST" || skip "a sanitizer measures itself"
  cd "$BATS_TEST_TMPDIR" || return 1
  build=$(dirname "$MLPDIST")
  errors=/dev/null
}

@test "bench_step: a line a round, its figures agree with each other" {
  output=$("$build/tests/bench_step" --csv --threads 1 2 784-30-10-b1200) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  awk -F, '
    function near(a, b) { return a > 0.99 * b && a < 1.01 * b }
    NF != 12 || $1 != "784-30-10-b1200-sgd" || $2 != 1 || $3 != 1 || $4 != "canonical" { bad = 1 }
    # 4 x 784 x 30 + 6 x 30 x 10 operations a sample; whole epochs of 12000; no phase is longer than the whole
    !near($6, $5 * 95880e-9) || !near($8, $6 / $7) || $10 + $11 + $12 > 1.01 * $9 || $10 <= 0 { bad = 1 }
    END { exit bad || NR != 2 }' <<< "$output" || fail "$output"
}

@test "bench_step on two ranks: plain allreduce is another sum" {
  output=$(timeout "$hang_after" mpirun --oversubscribe --bind-to none -np 2 "$build/tests/bench_step" --csv --reduce allreduce 1 \
    32-64-64-1-b256-momentum) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  awk -F, '$2 != 2 || $3 != 1 || $4 != "allreduce" || $11 <= 0 { bad = 1 } END { exit bad || NR != 1 }' <<< "$output" ||
    fail "$output"
}

@test "bench_step --phases: phases beside floors that follow from shapes, peak and bandwidth" {
  output=$("$build/tests/bench_step" --phases --csv --threads 1 1 784-30-10-b1200) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  awk -F, '
    function near(a, b) { return a > 0.999 * b && a < 1.001 * b }
    NF != 10 || $1 != "784-30-10-b1200-sgd" || $2 != 1 || $3 != 1 || $4 != "canonical" { bad = 1 }
    { seconds[$5] = $6; operations[$5] = $8; bytes[$5] = $9; all += $8 }
    $8 > 0 && !near($7, $8 / ($10 * 1e9)) { bad = 1 }
    $9 > 0 && ($9 / $7 < 1e9 || $9 / $7 > 1e13) { bad = 1 }
    END {
      # bytes become floats; weights are read, written, and their gradient read, all with the gaps of the arena
      if (!near(bytes["gather"], 1200 * 784 * 5) || bytes["optimizer"] < 12 * 23860 || bytes["optimizer"] > 12 * 24000) bad = 1
      if (!near(all, 95880 * 1200) || !near(operations["deltas"], 2 * 1200 * 300)) bad = 1
      for (phase in seconds) if (phase != "reduction" && phase != "rest" && seconds[phase] <= 0) bad = 1
      exit bad || NR != 8 || seconds["reduction"] != 0
    }' <<< "$output" || fail "$output"
  output=$("$build/tests/bench_step" --phases --threads 2 1 32-64-64-1-b256-mom) && status=0 || status=$?
  grep -Eq '^step +[0-9.]+ +1.000 +[0-9.]+ +[0-9.]+  0\.[0-9]+ of the peak is the most here' <<< "$output" || fail "no sum"
}

@test "scripts/bench alone: tables, bars, CSV files" {
  output=$(timeout "$hang_after" "$BATS_TEST_DIRNAME/../scripts/bench" --build "$build" --no-peers --rounds 1 --markdown \
    --cases 32-64-64-1-b256-momentum) && status=0 || status=$?
  [ "$status" = 0 ] || fail "status"
  grep -Eq '^\| 32-64-64-1-b256-momentum \| mlpdist 1 x 1 \| 1 \| [0-9]+ ' <<< "$output" || fail "no row"
  grep -q '^32-64-64-1-b256-momentum,1,mlpdist 1 x 1,' "$build/bench/summary.csv" || fail "no summary"
  [ "$(grep -c '^mlpdist 1 x 1,32-64-64-1-b256-momentum,1.0,1.0,canonical,' "$build/bench/phases.csv")" = 8 ] || fail "no phases"
  grep -Eq '^\| case \| who \| step \| gather \| forward \| .* \| fraction \| the most \|$' <<< "$output" || fail "no phases"
  grep -Eq '^  mlpdist 1 x n +(█)+ +0\.[0-9]{2}' <<< "$output" || fail "no bars"
}

# fake_peers SECONDS: PyTorch and scikit-learn that take so long for a step, on a BLAS of 5 GF/s.
fake_peers() {
  mkdir -p python/sklearn python/torch
  echo '__version__ = "0 (a fake)"' | tee python/sklearn/__init__.py > python/torch/__init__.py
  cat > peer << END
#!/bin/sh
[ "\$1" != blas ] || { echo 5 && exit; }
echo ready 0
while read -r steps; do
  seconds=\$(awk "BEGIN { print \$steps * $1 }")
  sleep "\$seconds"
  echo "\$seconds"
done
END
  chmod +x peer
  export PYTHONPATH=$PWD/python MLPDIST_BENCH_PEER=$PWD/peer
}

# bench_one ARGUMENT...: a round of one case, results in a folder of its own.
bench_one() {
  ln -sfn "$build/tests" tests
  ln -sf "$build/mlpdist" mlpdist
  status=0
  output=$(timeout "$hang_after" "$BATS_TEST_DIRNAME/../scripts/bench" --build "$PWD" --rounds 1 --cases 32-64-64-1-b256-momentum "$@" 2>&1) ||
    status=$?
  [ "$status" = 0 ] || fail "status"
}

@test "scripts/bench: a peer on the reference BLAS is named and gets no ratio; slow steps are few" {
  fake_peers 0.2
  bench_one
  says "scikit-learn forced multiplies matrices with the reference BLAS, or one as slow: 5 GF/s a core" \
    "apt-get install libopenblas0-pthread"
  [ "$(grep -c "scikit-learn forced multiplies" <<< "$output")" = 1 ] || fail "said again"
  grep -Eq '^32-64-64-1-b256-momentum +scikit-learn forced \(reference BLAS\) +1 +[0-9]+ .* - +-$' <<< "$output" || fail "a ratio"
  ! sed -n '/^fraction of the FMA peak/,$p' <<< "$output" | grep -q "scikit-learn" || fail "a bar"
  grep -q 'mlpdist 1 x n' <<< "$output" || fail "no bar of mlpdist"
  # 256 rows in 0.2 s: a step is enough, no epoch of 12000 rows.
  awk -F, '/scikit-learn/ { if ($4 < 1200 || $4 > 1300) bad = 1; seen = 1 } END { exit bad || !seen }' bench/summary.csv || fail "speed"
}

@test "scripts/bench: a peer whose step does not end is left out" {
  fake_peers 60
  bench_one --peer-seconds 0.3
  says "scikit-learn forced takes more than 0.3 s for 1 step of 32-64-64-1-b256-momentum: left out"
  ! grep -q '^32-64.*scikit-learn' <<< "$output" || fail "in the table"
}
