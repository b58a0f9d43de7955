# The program under SimGrid's simulated MPI: the same bits as a real run.

load helper

@test "4 simulated ranks: the digest of a run alone, slower on a slower wire" {
  command -v smpirun > /dev/null || skip "no SimGrid (Debian: libsimgrid-dev)"
  export MLPDIST_SMPI="${MLPDIST_SMPI:-$BATS_TEST_DIRNAME/../build/smpi/mlpdist}"
  [ -x "$MLPDIST_SMPI" ] || skip "no program for simulation: make smpi"
  cd "$BATS_TEST_TMPDIR"
  alone train --quiet --batch 256 --lanes 4 --epochs 3
  succeeds
  local digest
  digest=$(last_line)
  status=0
  output=$(timeout 110 "$BATS_TEST_DIRNAME/../scripts/simulate" --ranks 4 --gbits 1,100 --compute none --batch 256 \
    --out sim.csv -- --data "$MLPDIST_DATA_DIR/digits.h5" 2> "$errors") || status=$?
  succeeds
  [ "$(grep -c " $digest\$" <<< "$output")" = 4 ] || fail "expected 4 runs with $digest"
  # Column 4: ranks, 9: seconds a step.
  awk -F, '$4 == 4 { s[++n] = $9 } END { exit !(n == 2 && s[1] > 2 * s[2]) }' sim.csv || fail "1 Gb/s is no slower than 100"
}
