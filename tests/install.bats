# Building and installing: libraries found by prefix and by flags, as on clusters without root; building in another
# folder; installation and its removal.

load helper

setup() {
  unless_sanitized "a test of scripts, made with the build without sanitizers"
  top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
  build=$(cd "$(dirname "$(command -v "$MLPDIST")")" && pwd)
  cd "$BATS_TEST_TMPDIR" || return 1
  : > "$errors"
  unset MAKEFLAGS MAKELEVEL MFLAGS MLPDIST CPATH C_INCLUDE_PATH LIBRARY_PATH CPPFLAGS CFLAGS LDFLAGS
}

# configured ASSIGNMENT...: scripts/configure with these variables and without pkg-config; leaves b/.
configured() {
  status=0
  rm -rf b
  output=$(env PKG_CONFIG=false PATH="$PWD/hidden:$PATH" CC=gcc "$@" "$top/scripts/configure" b 2>&1) || status=$?
}

# has WORD...: b/config.mk holds the words.
has() {
  output=$(cat b/config.mk)
  says "$@"
}

# make_prefix FOLDER: HDF5 and Jansson as one installs them without root.
make_prefix() {
  mkdir -p "$1/include" "$1/lib"
  local flags folder
  flags=$(pkg-config --cflags --libs-only-L hdf5) || skip "no pkg-config that knows HDF5 here, to make a prefix of"
  for folder in $(grep -Eo -e '-I[^ ]+' <<< "$flags" | cut -c3-); do ln -s "$folder"/*.h "$1/include"; done
  for folder in $(grep -Eo -e '-L[^ ]+' <<< "$flags" | cut -c3-); do ln -s "$folder"/libhdf5.* "$1/lib"; done
  ln -s "$(pkg-config --variable=includedir jansson)"/jansson*.h "$1/include"
  ln -s "$(pkg-config --variable=libdir jansson)"/libjansson.so* "$1/lib"
  mkdir hidden # an h5cc that finds nothing
  printf '#!/bin/sh\nexit 1\n' > hidden/h5cc
  chmod +x hidden/h5cc
}

@test "libraries below prefixes, without pkg-config; programs find them when they run" {
  make_prefix own
  configured HDF5_DIR=own JANSSON_ROOT="$PWD/own"
  succeeds
  has "-isystem $PWD/own/include" "-L$PWD/own/lib -Wl,-rpath,$PWD/own/lib -lhdf5" "-rpath,$PWD/own/lib -ljansson"
  # What was said once holds for later calls of make.
  grep -qx "HDF5_DIR ?= $PWD/own" b/settings.mk || fail "not remembered"
  make -s -f "$top/Makefile" -n BUILD="$PWD/b" PKG_CONFIG=false CC=gcc > plan || fail "make has forgotten it"
  grep -q -e "-isystem $PWD/own/include" plan || fail "make takes another HDF5"
}

@test "a prefix without the library is named; nothing else is taken in its place" {
  make_prefix own
  rm own/lib/libhdf5.*
  configured HDF5_DIR="$PWD/own" JANSSON_DIR=/nowhere MPICC=no-such-mpicc
  [ "$status" = 1 ] || fail "expected status 1"
  says "HDF5 (serial) with its headers, which are not in HDF5_DIR = $PWD/own" "Jansson, which is not in JANSSON_DIR = /nowhere" \
    "by no-such-mpicc" "make HDF5_DIR=\$HOME/hdf5"
  [ ! -e b/config.mk ] || fail "a configuration"
  configured DNNL_DIR="$PWD/own" HDF5_DIR=/nowhere
  ! grep -q DNNL_DIR <<< "$output" || fail "necessary libraries come first"
}

@test "libraries by flags and by the compiler's own paths, by h5cc, MPI by the compiler" {
  make_prefix own
  local flags
  for flags in "CPPFLAGS=-I$PWD/own/include LDFLAGS=-L$PWD/own/lib" "CFLAGS=-I$PWD/own/include LIBRARY_PATH=$PWD/own/lib" \
    "CPATH=$PWD/own/include LIBRARY_PATH=$PWD/own/lib" "C_INCLUDE_PATH=$PWD/own/include LDFLAGS=-L$PWD/own/lib"; do
    # shellcheck disable=SC2086 # words are wanted
    configured $flags
    succeeds
    has "DEPS_LIBS := -lhdf5 "
  done
  configured CC=gcc
  [ "$status" = 1 ] || fail "HDF5 is found without all of this"
  printf '#!/bin/sh\necho "gcc -I%s -L%s -lhdf5 -Wl,-rpath -Wl,%s"\n' "$PWD/own/include" "$PWD/own/lib" "$PWD/own/lib" > hidden/h5cc
  configured CC=mpicc
  succeeds
  has "DEPS_LIBS := -L$PWD/own/lib -lhdf5 -Wl,-rpath -Wl,$PWD/own/lib "
  ! grep -q -e "-lmpi" b/config.mk || fail "CC=mpicc needs no flags of MPI"
}

@test "make from another folder builds there; make check is make test; clean removes builds alone" {
  mkdir elsewhere
  cd elsewhere || return 1
  output=$(make -f "$top/Makefile" help) || fail "make -f"
  says "in $PWD/build/ (default)"
  output=$(make -f "$top/Makefile" BUILD=other CC=gcc -n check) || fail "make -f check"
  says "scripts/run-tests unit" "run-tests bats" "$PWD/other/tests/"
  [ -f other/config.mk ] || fail "not in the folder it was called from"
  mkdir "with blank"
  ! (cd "with blank" && make -f "$top/Makefile" help 2> ../told) || fail "no refusal"
  grep -q "make cannot work in folders with a blank in their names: $PWD/with blank" told || fail "$(cat told)"
  mkdir mine
  touch mine/thesis.tex
  ! make -f "$top/Makefile" BUILD=mine clean 2> /dev/null || fail "no refusal"
  [ -f mine/thesis.tex ] || fail "removed"
  make -f "$top/Makefile" BUILD=other clean
  [ ! -e other ] || fail "not removed"
}

@test "installed scripts work where they are; uninstall leaves nothing" {
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/own prefix" install-files > /dev/null || fail "install"
  local scripts="own prefix/share/mlpdist/scripts" name
  for name in README.md scripts/scaling/README.md LICENSE; do
    cmp "$top/$name" "own prefix/share/doc/mlpdist/$name" || fail "no $name"
  done
  # Every script that the READMEs name is there, but for those that work on the sources.
  for name in $(grep -ohE '\bscripts/(slurm/)?[a-z][a-z-]+(\.sbatch)?\b' "$top"/README.md "$top"/*/README.md "$top"/*/*/README.md | sort -u); do
    [ -f "$top/$name" ] || continue
    case ${name#scripts/} in
      test | quickstart | configure | count-instructions | simulate | soak | fuzz | valgrind | bench | bench-peer | lint | check-layers | check-circles | check-unused) ;;
      *) [ -f "$scripts/${name#scripts/}" ] || fail "$name is not installed" ;;
    esac
  done
  output=$("own prefix/bin/mlpdist" --version) && status=0 || status=$?
  says "mlpdist "
  for name in plot get-dataset make-synthetic scaling-study scaling-report bench-tables compare-splits compare-sklearn make-digits; do
    output=$("$scripts/$name" --help 2>&1) && status=0 || status=$?
    [[ $status = 0 || $output = *"python3-"* || $output = *sage:* ]] || fail "$name"
  done
  # They find the program below the same prefix.
  if /usr/bin/python3 -c 'import h5py' 2> /dev/null; then
    output=$("$scripts/scaling-study" --data "own prefix/share/mlpdist/digits.h5" --splits 1x1 --batch 128 --repeat 1 --epochs 1 \
      --oversubscribe 2>&1) && status=0 || status=$?
    succeeds
    grep -q "own prefix/bin/mlpdist" study/runs.csv || fail "another program"
  fi
  make -s -C "$top" BUILD="$build" PREFIX="$PWD/own prefix" uninstall || fail "uninstall"
  [ -z "$(find "own prefix" ! -type d 2> /dev/null)" ] || fail "left: $(find "own prefix" ! -type d)"
  ! make -s -C "$top" BUILD="$build" PREFIX=own install-files 2> told || fail "a relative prefix"
  grep -q "PREFIX must begin with /, not 'own'" told || fail "$(cat told)"
  # Below a system's prefix our own folders go, and the others stay.
  make -s -C "$top" BUILD="$build" DESTDIR="$PWD/stage" install-files > /dev/null || fail "install"
  touch stage/usr/local/share/mlpdist/theirs
  make -s -C "$top" BUILD="$build" DESTDIR="$PWD/stage" uninstall || fail "uninstall"
  [ "$(find stage ! -type d)" = stage/usr/local/share/mlpdist/theirs ] || fail "left: $(find stage ! -type d)"
  [ -z "$(find stage -path '*/doc/mlpdist*' -o -path '*/mlpdist/scripts*')" ] || fail "folders are left"
}

@test "make dist: the sources alone, the same bytes again, and make needs no git in them" {
  git -C "$top" rev-parse --git-dir > /dev/null 2>&1 || skip "no git checkout"
  local once
  for once in 1 2; do
    make -s -C "$top" BUILD="$PWD/b$once" dist > /dev/null || fail "make dist"
  done
  cmp b1/*.tar.gz b2/*.tar.gz || fail "other bytes"
  tar xf b1/*.tar.gz
  [ "$(ls -d mlpdist-*/)" = "$(basename b1/*.tar.gz .tar.gz)/" ] || fail "unpacks elsewhere"
  [ -z "$(find mlpdist-* -name .git -o -name build)" ] || fail "more than the sources"
  printf '#!/bin/sh\nexit 1\n' > git
  chmod +x git
  PATH=$PWD:$PATH make -s -C mlpdist-* CC=gcc -n all > plan || fail "no build without git"
  grep -q "src/program/main.c" plan || fail "no plan"
}

# dh_missing refuses to make packages where one is in none.
@test "each file that make install installs is in one of Debian's packages" {
  make -s -C "$top" BUILD="$build" DESTDIR="$PWD/root" PREFIX=/usr LIBDIR=/usr/lib/any install-files > said || fail "install"
  cat "$top"/scripts/packaging/debian/*.install > patterns.txt
  (cd root && find . ! -type d) | cut -c3- | while read -r name; do
    while read -r pattern; do
      # shellcheck disable=SC2053 # it is a pattern
      [[ $name != $pattern && $name != $pattern/* ]] || continue 2
    done < patterns.txt
    echo "$name"
  done > left.txt
  [ -e root/usr/bin/mlpdist ] || fail "nothing is installed"
  [ ! -s left.txt ] || fail "in no package: $(cat left.txt)"
}
