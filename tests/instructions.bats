# Guards the speed by counting instructions: see scripts/count-instructions.

load helper

@test "training steps take within 3 % of the instructions that are stored" {
  status=0
  output=$("$BATS_TEST_DIRNAME/../scripts/count-instructions" "$MLPDIST" 2>&1) || status=$?
  [ "$status" != 77 ] || skip "$(sed -n 's/^skipped: //p' <<< "$output")"
  errors=/dev/null
  [ "$status" = 0 ] || fail "more, or fewer: if that is meant, scripts/count-instructions --store"
}
