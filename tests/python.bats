# The Python package: the classes of tests/test_python.py, the session of its README, and how it is installed.

load helper

setup() {
  unless_sanitized "Python loads the library of the build without sanitizers"
  top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  export MLPDIST_LIBRARY=$build/libmlpdist.so.0 MLPDIST PYTHONDONTWRITEBYTECODE=1
  [ -e "$MLPDIST_LIBRARY" ] || skip "no shared library beside the program"
  cd "$BATS_TEST_TMPDIR" || return 1
}

# needs MODULE...: python is the first Python that has them all, scikit-learn 1.2 or later.
needs() {
  for python in "${PYTHON:-python3}" /usr/bin/python3; do
    "$python" - "$@" 2> /dev/null << 'PY' && return
import importlib, sys
for name in sys.argv[1:]:
    version = importlib.import_module(name).__version__
    assert name != "sklearn" or tuple(map(int, version.split(".")[:2])) >= (1, 2)
PY
  done
  skip "no Python with all of: ${*/sklearn/scikit-learn 1.2 or later}; PYTHON names one"
}

# passes COMMAND...: tests of Python ran, and none failed or was skipped.
passes() {
  status=0
  output=$("$@" 2>&1) || status=$?
  [ "$status" = 0 ] || fail "$*"
  grep -qE '^Ran [1-9]' <<< "$output" || fail "no test ran"
  ! grep -q skipped <<< "$output" || fail "some were skipped"
}

@test "arrays of all layouts, predictions, derivatives, pickle, errors; with NumPy alone" {
  needs numpy
  alone train "${quick[@]}" --hidden 7 --epochs 2 --optimizer adam --lr 0.01 --quiet --out run
  MLPDIST_MODEL=run/model.h5 passes "$python" "$top/tests/test_python.py" Library
}

@test "training under way, with NumPy alone" {
  needs numpy
  passes "$python" "$top/tests/test_python.py" Steps
}

@test "an older scikit-learn is refused in one line" {
  needs numpy
  mkdir sklearn
  echo '__version__ = "0.23.2"' > sklearn/__init__.py
  output=$(PYTHONPATH=$PWD:$top/src/python "$python" -c "import mlpdist; mlpdist.Trainer; mlpdist.MLPRegressor" 2>&1) && fail "it was taken"
  [[ $(last_line) = "ImportError: mlpdist's estimators need scikit-learn 1.2 or later, not 0.23.2; "* ]] || fail
}

@test "the estimators: learning, stopping, weights, options, pipelines" {
  needs numpy sklearn
  passes "$python" "$top/tests/test_python.py" Estimators
}

@test "scikit-learn's check_estimator" {
  needs numpy sklearn
  passes "$python" "$top/tests/test_python.py" Checks
}

@test "frames with names, text, categories and missing values" {
  needs numpy sklearn pandas
  passes "$python" "$top/tests/test_python.py" Frames
}

@test "under mpirun each rank gives its rows" {
  needs numpy sklearn mpi4py
  passes timeout "$hang_after" "${mpi_launch[@]}" -np 3 "$python" "$top/tests/test_python.py" Ranks
}

@test "src/python/README.md: the session prints what stands there" {
  needs numpy sklearn pandas
  output=$(PYTHONPATH=$top/src/python "$python" -W ignore -c "
import doctest
failed, tried = doctest.testfile('$top/src/python/README.md', module_relative=False)
print(tried, 'lines')
raise SystemExit(failed > 0 or tried < 10)") || fail "the session differs"
}

@test "make install puts it where PYTHONPATH finds it with its library; another version is refused" {
  needs numpy
  unset MAKEFLAGS MAKELEVEL MFLAGS MLPDIST_LIBRARY
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/own" install-files > said || fail "install"
  grep -q "PYTHONPATH=$PWD/own/lib/python3/dist-packages" said || fail "$(cat said)"
  export PYTHONPATH=$PWD/own/lib/python3/dist-packages
  "$python" -c "
import mlpdist
maps = open('/proc/self/maps').read()
assert '$PWD/own/lib/libmlpdist.so' in maps and mlpdist.__file__.startswith('$PWD/own/'), maps" || fail "not the installed library"
  sed -i 's/^__version__ = .*/__version__ = "7.7"/' own/lib/python3/dist-packages/mlpdist/_library.py
  ! "$python" -c 'import mlpdist' 2> "$errors" || fail "a library of another version"
  grep -q 'belongs to mlpdist 7.7' "$errors" || fail "expected the version"
  ! MLPDIST_LIBRARY=/no/such.so "$python" -c 'import mlpdist' 2> "$errors" || fail "no library"
  grep -q 'MLPDIST_LIBRARY=/path' "$errors" || fail "expected a cure"
  mkdir -p own/lib/python3/dist-packages/mlpdist/__pycache__
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/own" uninstall
  [ ! -e own ] || fail "left: $(find own)"
}
