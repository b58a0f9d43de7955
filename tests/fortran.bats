# The Fortran module where its examples in include/README.md (readme.bats) do not reach: wrong orders and wrong shapes.

load helper

setup() {
  unless_sanitized "a test of the build without sanitizers, with which it compiles itself"
  top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  [ -e "$build/libmlpdist.so.0" ] || skip "no shared library beside the program"
  command -v "${FC:=gfortran}" > /dev/null || skip "no Fortran compiler (Debian: gfortran)"
  cd "$BATS_TEST_TMPDIR" || return 1
}

@test "objects freed twice or never made, shapes that do not fit: a status and a message, no memory that is not there" {
  echo end > any.f90
  "$FC" -fsanitize=address,undefined any.f90 -o any 2> /dev/null && ./any || skip "no sanitizers of $FC"
  "$FC" -std=f2018 -O1 -g -fopenmp -fsanitize=address,undefined -fno-sanitize-recover=all \
    "$top/include/mlpdist.f90" "$top/tests/test_fortran.f90" -o test "$build/libmlpdist.so.0" "-Wl,-rpath,$build" ||
    fail "compilation"
  output=$(LSAN_OPTIONS=suppressions=$top/tests/lsan.supp ./test 2>&1) || fail "the program ends with $?"
  [[ $output == *"checks "[1-9]* ]] || fail "no check was made"
}
