# Runs the examples of the READMEs as they are shown: the library example, and sessions at a prompt with their output.

load helper

setup() {
  unless_sanitized "a test of texts, made with the build without sanitizers"
  top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir bin
  ln -s "$(command -v "$MLPDIST")" bin/mlpdist
  PATH=$PWD/bin:$PATH
}

# The digests are those of processors with AVX2 and FMA.
unless_plain() { grep -q avx2 /proc/cpuinfo || skip "a processor without AVX2"; }

# block FILE TEXT: the fenced block of a README that holds the text.
block() {
  awk -v text="$2" '/^```/ { if (inside && index(all, text)) { printf "%s", all; exit } inside = !inside; all = ""; next }
                    inside { all = all $0 "\n" }' "$top/$1" > block.txt
  [ -s block.txt ] || fail "$1 has no block with '$2'"
}

# session FILE TEXT: runs the commands behind the prompts of that block, and compares what they print with what stands
# there. Notes, which depend on the machine, are left out of both, and so are comments behind commands.
session() {
  block "$1" "$2"
  # A command goes on in lines that begin with "> ".
  # shellcheck disable=SC2154 # of helper.bash
  grep -E '^[$>] ' block.txt | cut -c3- | sed -E "s|mpirun( --oversubscribe --bind-to none)?|${mpi_launch[*]}|" > commands.sh
  grep -vE '^([$>] |mlpdist: note:)' block.txt | sed "s/node07/$(hostname)/" > expected.txt || true
  bash commands.sh 2>&1 | grep -vE '^mlpdist: note:' > printed.txt || true
  [ "${3:-}" != failures ] || sed -i '/^mlpdist: /!d' printed.txt # mpirun adds remarks of its own
  diff expected.txt printed.txt > differ.txt || {
    cat commands.sh differ.txt
    return 1
  }
}

# iris FILE: a table of the shape of the one in the READMEs.
iris() {
  echo "sepal_length,sepal_width,petal_length,petal_width,species"
  echo "5.1,3.5,1.4,0.2,setosa"
  awk 'BEGIN { for (i = 1; i < 150; i++) {
    k = int(i / 50); printf "%.1f,%.1f,%.1f,%.1f,%s\n", 5 + k + i % 7 / 10, 3 + i % 5 / 10, 1.4 + 2 * k + i % 3 / 10, 0.2 + k,
      k == 0 ? "setosa" : k == 1 ? "versicolor" : "virginica" } }'
}

@test "include/README.md: the examples are compiled and run, and print what stands there" {
  unless_plain
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/mlpdist-0.1" install-files > /dev/null || fail "install"
  block include/README.md "int main"
  cp block.txt mine.c
  HOME=$PWD session include/README.md 'gcc mine.c'
  block include/README.md mlpd_predictor_vjp
  cp block.txt ask.c
  export PKG_CONFIG_PATH=$PWD/mlpdist-0.1/lib/pkgconfig LD_LIBRARY_PATH=$PWD/mlpdist-0.1/lib
  session include/README.md 'gcc ask.c'
  block include/README.md mlpd_fit
  cp block.txt fit.c
  session include/README.md 'gcc fit.c'
  block include/README.md mlpd_trainer_step
  cp block.txt online.c
  session include/README.md 'gcc online.c'
}

@test "include/README.md: the Fortran example trains under mpirun, predicts from threads, and prints what stands there" {
  unless_plain
  command -v mpifort > /dev/null && mpifort --version > /dev/null 2>&1 || skip "no Fortran compiler (Debian: gfortran)"
  echo 'use mpi; end' > mpi.f90
  mpifort mpi.f90 -o mpi 2> /dev/null || skip "no Fortran module of MPI"
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/mlpdist-0.1" install-files > /dev/null || fail "install"
  export PKG_CONFIG_PATH=$PWD/mlpdist-0.1/lib/pkgconfig LD_LIBRARY_PATH=$PWD/mlpdist-0.1/lib OMP_NUM_THREADS=2
  block include/README.md 'program surrogate'
  cp block.txt surrogate.f90
  HOME=$PWD session include/README.md 'mpifort -fopenmp surrogate.f90'
  block include/README.md 'program online'
  cp block.txt online.f90
  HOME=$PWD session include/README.md 'mpifort online.f90'
}

@test "README.md: from a table to predictions" {
  iris > iris.csv
  session README.md 'mlpdist convert iris.csv'
  tail -n +2 iris.csv | cut -d, -f 1-4 | cat <(head -n 1 iris.csv | cut -d, -f 1-4) - > new.csv
  mlpdist convert new.csv new.h5 --label none > /dev/null 2>&1 || fail "convert new.csv"
  block README.md 'mlpdist predict --model iris/model.h5'
  output=$(bash -e block.txt 2>&1) || fail "$(cat block.txt)"
  says "predicted.csv" "64" "species"
  [ "$(wc -l < predicted.csv)" = 151 ] || fail "150 rows and a header"
}

@test "README.md, src/lanes/README.md: the digests of the same bits" {
  unless_plain
  session README.md 'for s in'
  session src/lanes/README.md 'for s in'
  session src/lanes/README.md '--quiet --lanes 5'
  session src/lanes/README.md 'cmp one.h5'
}

@test "src/program/README.md: a failure is one line" {
  session src/program/README.md '--normalize none --activation identity' failures
}

# recipe README TEXT: the files that the recipe with this beginning names in the first column of its table.
# shellcheck disable=SC2016 # backticks of Markdown
recipe() {
  awk -v text="$2" 'index($0, text) == 1 { on = 1 } on && /^[|] `/ { print } on && /^$/ && blank++ { exit }' "$top/$1" |
    grep -oE '^[|] `[^`]+`|`tests/[^`]+\.bats`' | tr -d '|` ' | sort -u
}

# The example may also be in the files that stand last, where a new one of its kind has no part.
@test "recipes name every file that their example is in" {
  local readme beginning words beside
  while IFS='|' read -r readme beginning words beside; do
    recipe "$readme" "$beginning" > named.txt
    [ -s named.txt ] || fail "no recipe $beginning"
    (cd "$top" && grep -rlEI --exclude='*.md' --exclude=readme.bats "${words// /|}" include src tests scripts) | sort > holding.txt
    comm -23 named.txt holding.txt > vain.txt
    [ ! -s vain.txt ] || fail "$beginning: the example is not in $(cat vain.txt)"
    comm -13 named.txt holding.txt | grep -vxF "$beside" > silent.txt || true
    [ ! -s silent.txt ] || fail "$beginning: the recipe does not name $(cat silent.txt)"
  done << 'END'
src/README.md|**An activation**|HARDSWISH hardswish
src/README.md|**A command**|command_info info_table
src/README.md|**A back end**|backend_cblas HAVE_CBLAS cblas.or.plain
src/README.md|**An option of training**|lr_flat lr-flat
src/network/README.md|**A layer kind**|rms.norm norm.rms NORM_RMS "rms"
src/loss/README.md|**A loss**|mse-mean MSE_MEAN|src/model/model_hash.c
src/network/README.md|**An optimizer**|adagrad ADAGRAD
src/network/README.md|**A schedule**|cosine-restarts cosine_restarts COSINE_RESTARTS|src/explain/explain_settings.c
END
}

# Kinds with an affine form are folded into the product beside them; those of training alone are in no model.
@test "each kind of layer is compared with its formula, exported and explained" {
  local kind file places
  sed -n '/KINDS\[\]/,/};/p' "$top/src/network/layer_kind.c" | grep -o 'layer_[a-z_]*' | grep -vx layer_kind > kinds.txt
  [ "$(wc -l < kinds.txt)" -ge 14 ] || fail "$(wc -l < kinds.txt) kinds only"
  while read -r kind; do
    file=$(cd "$top/src/network" && grep -l "^const layer_kind $kind =" -- *.c) || fail "$kind is nowhere"
    places=tests/test_layers.c
    grep -qE '[.](affine|training_only) =' "$top/src/network/$file" || places+=" src/export/export_c.c src/export/export_onnx.c"
    for file in $places; do
      grep -qw "$kind" "$top/$file" || fail "$file does not know $kind: src/network/README.md, a layer kind"
    done
    grep -qw "explain_${kind#layer_}" "$top/src/explain/explain_kind.c" || [ "$kind" = layer_parametric ] ||
      fail "src/explain/explain_kind.c does not know $kind: explain would crash"
  done < kinds.txt
}

# Those of data and tables decide the rows; --reduce allreduce is the one exception from the same bits. The reference reads
# all rows at once, and compares the weights of the last epoch, so some options are none of its own.
@test "options that decide the weights are drawn in compare-splits, and the NumPy reference has them" {
  awk '/^    [{]"/ { split($0, word, "\"") } /(^|[ ,])WEIGHTS[,}]/ && word[4] !~ /^(data|table)$/ { print word[2] }' \
    "$top/src/options/train_table.c" | grep -vx reduce > deciding.txt
  [ "$(wc -l < deciding.txt)" -ge 50 ] || fail "$(wc -l < deciding.txt) rows with WEIGHTS only"
  local name
  while read -r name; do
    grep -qE -- "--$name\"|\(\"${name#lr-}\", " "$top/scripts/compare-splits" || fail "scripts/compare-splits draws no --$name: src/README.md, an option of training"
    [[ $name =~ ^(stream|window|select)$ ]] || (cd "$top/tests" && cat reference*.bats reference*.py | grep -qE -- "(--|\")$name\b") ||
      fail "tests/reference*.py have no --$name: src/README.md, an option of training"
  done < deciding.txt
}

# anchors README: the names that GitHub gives its headings for links.
anchors() {
  awk '/^```/ { inside = !inside } !inside && /^#+ /' "$1" | sed -E 's/^#+ //; s/\]\([^)]*\)//g; s/[^A-Za-z0-9_ -]//g; s/ /-/g' |
    tr '[:upper:]' '[:lower:]'
}

@test "READMEs name files that exist, and their links lead somewhere" {
  local readme folder path anchor
  while IFS= read -r readme; do
    folder=$(dirname "$top/$readme")
    # shellcheck disable=SC2016 # backticks of Markdown
    for path in $(grep -oE '`(src|tests|scripts|include|datasets)/[A-Za-z0-9_./-]+`' "$top/$readme" | tr -d '`' | sort -u); do
      case $path in *NAME*) continue ;; esac
      [ -e "$top/$path" ] || echo "$readme: no $path" >> missing.txt
    done
    # shellcheck disable=SC2013
    for path in $(grep -oE '\]\([^)#]+' "$top/$readme" | cut -c3- | grep -v '^http' | sort -u); do
      [ -e "$folder/$path" ] || echo "$readme: a link to $path" >> missing.txt
    done
    while IFS='#' read -r path anchor; do
      anchors "$folder/${path:-README.md}" | grep -qxF -e "$anchor" || echo "$readme: a link to $path#$anchor" >> missing.txt
    done < <(grep -oE '\]\([^)# ]*#[^)]+' "$top/$readme" | cut -c3- | grep -v '^http')
  done < <(cd "$top" && find . -name README.md ! -path './build*')
  [ ! -e missing.txt ] || fail "$(cat missing.txt)"
}

@test "README.md has at most 250 lines" {
  [ "$(wc -l < "$top/README.md")" -le 250 ] || fail "$(wc -l < "$top/README.md") lines: move what has a folder there"
}
