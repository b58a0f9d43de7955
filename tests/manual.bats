# Manual pages and bash completion, which the program generates from its option tables.

load helper

@test "manual pages: every command, every option, no complaint of groff" {
  local command complaints=''
  # shellcheck disable=SC2154 # of helper.bash
  for command in "" $commands help; do
    # shellcheck disable=SC2086
    alone help $command --man
    succeeds
    says ".TH \"MLPDIST" ".SH NAME" ".SH SYNOPSIS"
    printf '%s\n' "$output" > "$BATS_TEST_TMPDIR/page.1"
    if [ -n "$command" ]; then
      alone "$command" --help
      local option
      # shellcheck disable=SC2013 # names are words
      for option in $(sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' <<< "$output"); do
        grep -qF "\\-\\-${option//-/\\-}\\fR" "$BATS_TEST_TMPDIR/page.1" || fail "mlpdist-$command(1) lacks --$option"
      done
      ! grep -E '\(([a-z0-9-]+),.* \1[,)]' <<< "$output" || fail "$command --help names a choice twice"
    fi
    ! command -v groff > /dev/null || complaints=$(groff -man -ww -Tutf8 -z "$BATS_TEST_TMPDIR/page.1" 2>&1)
    [ -z "$complaints" ] || fail "groff: $complaints"
    ! command -v mandoc > /dev/null || complaints=$(mandoc -Tlint -W warning "$BATS_TEST_TMPDIR/page.1" 2>&1 | grep -v 'missing date') || true
    [ -z "$complaints" ] || fail "mandoc: $complaints"
  done
  command -v groff > /dev/null || command -v mandoc > /dev/null || skip "neither groff (Debian: groff-base) nor mandoc here"
}

@test "the manual page of train explains choices, needs and defaults" {
  alone help train --man
  says "max(z, 0)" "needs \\-\\-optimizer momentum, nesterov or lars" "Default: 0.1." ".SH EXAMPLES" ".SH NOTES"
}

@test "lists in notes keep their lines" {
  alone help explain --man
  grep -qx '  biases L NUMBERS         one for each output; 0 where they are not given' <<< "$output" || fail "no line of a list"
  grep -qx '.nf' <<< "$output" || fail "lines are filled"
}

# completes WORD... -- WANTED...: the words up to the cursor, and what is offered, among others.
completes() {
  local words=() wanted
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  # shellcheck disable=SC2016
  output=$(bash --norc -c 'source "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) && _mlpdist && printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$BATS_TEST_TMPDIR/completion" "${words[@]}")
  for wanted; do grep -qxF -- "$wanted" <<< "$output" || fail "${words[*]}: expected '$wanted'"; done
}

@test "completion: commands, options, choices, files" {
  alone help --completion
  succeeds
  printf '%s\n' "$output" > "$BATS_TEST_TMPDIR/completion"
  bash -n "$BATS_TEST_TMPDIR/completion"
  ! command -v shellcheck > /dev/null || shellcheck -s bash "$BATS_TEST_TMPDIR/completion"
  cd "$BATS_TEST_TMPDIR"
  touch some.h5
  # shellcheck disable=SC2086
  completes mlpdist "" -- $commands help --version
  completes mlpdist tr -- train
  [ "$output" = train ] || fail "expected train alone"
  completes mlpdist train --lr -- --lr --lr-min --lr-scale
  ! grep -q -- --batch <<< "$output" || fail "--batch does not begin with --lr"
  completes mlpdist train --activation "" -- relu tanh
  completes mlpdist train --activation = re -- relu
  completes mlpdist train --output-activation = -- auto relu
  completes mlpdist train --backend "" -- auto plain
  completes mlpdist train --data so -- some.h5
  completes mlpdist info s -- some.h5
  completes mlpdist train --log csv, -- csv,json csv,csv
  completes mlpdist train --activation relu,ta -- relu,tanh
  [ "$output" = relu,tanh ] || fail "expected relu,tanh alone"
  completes mlpdist train --resume "" -- auto never some.h5
  completes mlpdist eval --part te -- test
  completes mlpdist help tr -- train
  completes mlpdist train --epochs ""  --
  [ -z "$output" ] || fail "a number has no completion"
}
