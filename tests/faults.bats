# early: it sleeps for seconds, and would keep cores idle at the end.
# shellcheck disable=SC2154 # variables of helper.bash and background.bash
# Faults: ranks that die, files that shrink, bits that flip.

load helper
load background

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "a rank that is killed ends the run, with a status that says so" {
  already_sanitized
  local rank
  for rank in 0 1 2; do
    begin 3 train "${quick[@]}" --quiet --out run --hidden 16 --lanes 4 --epochs 1000000 --checkpoint-every 50
    until_true has_checkpoint run
    kill -9 "$(pid_of $rank)"
    end
    [ "$status" != 0 ] && [ "$status" != 3 ] || fail "rank $rank killed"
    alone info "$(checkpoints run | head -n 1)"
    succeeds
    rm -r run
  done
}

@test "ranks killed at random, also while they write checkpoints: the same end" {
  unless_sanitized "digests after many kills: compared in the build without sanitizers"
  MLPDIST=$(realpath "$MLPDIST") timeout 240 "$BATS_TEST_DIRNAME/../scripts/soak" 5 "${SOAK_SEED:-5}"
}

# spoilt NP HOW N: trains on data.h5, which rank NP - 1 finds spoilt (tests/spoil_file.c) from its Nth read of rows on.
spoilt() {
  local np=$1 how=$2 at=$3
  cp good.h5 data.h5
  cat > spoilt << END
#!/bin/sh
[ "\${OMPI_COMM_WORLD_RANK:-0}" != $((np - 1)) ] || export SPOIL_FILE=$PWD/data.h5 SPOIL_HOW=$how SPOIL_AT=$at LD_PRELOAD=$PWD/spoil.so
exec "$(command -v "$MLPDIST")" "\$@"
END
  chmod +x spoilt
  if [ "$np" = 1 ]; then
    MLPDIST=$PWD/spoilt alone train "${quick[@]}" --quiet --data data.h5 --epochs 1 --out run
  else
    MLPDIST=$PWD/spoilt launch "$np" train "${quick[@]}" --quiet --data data.h5 --epochs 1 --out run
  fi
}

@test "a data file that shrinks, or whose disk breaks, while it is read: one line, no hang, no run" {
  # Preloaded before the sanitizer, which wants to be the first.
  export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
  "${CC:-cc}" -shared -fPIC -o spoil.so "$BATS_TEST_DIRNAME/spoil_file.c" -ldl
  # 30000 rows of 50 values: one rank reads x at once, then y; one of several, pieces of both.
  awk 'BEGIN { for (i = 0; i < 30000; i++) { for (j = 0; j < 50; j++) printf "%d,", (i * 7 + j * 13) % 101; print i % 3 } }' > rows.csv
  alone convert rows.csv good.h5 --test-fraction 0 --valid-fraction 0
  succeeds
  local split np at
  for split in "1 1" "1 2" "3 2"; do
    read -r np at <<< "$split"
    spoilt "$np" cut "$at"
    fails_with 1 "data.h5" "became shorter while rows"
    spoilt "$np" break "$at"
    fails_with 1 "data.h5" "cannot be read at rows" "Input/output error"
    [ ! -e run/model.h5 ] || fail "a model is left"
  done
  # The loader reads on where nothing is wrong.
  spoilt 3 break 1000000
  succeeds
}

@test "a model that another takes the place of while it is opened: the one or the other, whole" {
  "${CC:-cc}" -shared -fPIC -o replace.so "$BATS_TEST_DIRNAME/replace_file.c" -ldl
  local width at
  for width in 4 200; do
    alone train "${quick[@]}" --hidden $width --epochs 1 --quiet --out w$width
    succeeds
  done
  for width in "4 200" "200 4"; do
    for at in 1 2; do # the program looks at the file, and then opens it
      cp "w${width% *}/model.h5" model.h5
      cp "w${width#* }/model.h5" other.h5
      ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$PWD/replace.so REPLACE_FILE=model.h5 REPLACE_BY=other.h5 REPLACE_AT=$at alone export model.h5 net.json
      succeeds
      [ ! -e other.h5 ] || fail "the program opens the file fewer than $at times"
      says "network 64-${width#* }-10"
    done
  done
}

# The program, but with the one object that flips a bit where MLPD_FAULT_FLIP says: it comes before the archive that has
# the usual one.
build_with_faults() {
  local built faulty=$PWD/faulty libraries
  built=$(dirname "$(command -v "$MLPDIST")")
  make -s -C "$BATS_TEST_DIRNAME/.." BUILD="$faulty" CPPFLAGS=-DMLPD_FAULT_INJECTION "$faulty/src/step/stepper.o" > build.log 2>&1 ||
    { cat build.log && return 1; }
  read -ra libraries <<< "$(sed -n 's/^DEPS_LIBS := //p' "$faulty/config.mk")"
  "${CC:-cc}" -fopenmp -o "$faulty/mlpdist" "$built"/src/{cli,explain,program}/*.o "$faulty/src/step/stepper.o" "$built/internal.a" "${libraries[@]}"
  MLPDIST=$faulty/mlpdist
}

@test "a flipped bit stops the run before a checkpoint, and names the rank" {
  unless_sanitized "it makes a build of its own, without sanitizers"
  build_with_faults
  local options="--quiet --hidden 16 --batch 64 --lanes 4 --epochs 5 --backend plain" rank
  # Without a fault the ranks agree.
  # shellcheck disable=SC2086
  launch 3 train "${quick[@]}" --out good $options --check-every 1
  succeeds
  for rank in 0 2; do # rank 1: below
    # Before step 30: 40 is the next checkpoint after 20, and the comparisons in between see it. An epoch has 20 steps.
    export MLPD_FAULT_FLIP=$rank:30
    # shellcheck disable=SC2086
    launch 3 train "${quick[@]}" --out "run-$rank" $options --check-every 10 --checkpoint-every 20
    fails_with 1 "rank $rank of 3" "weights" "stops before it writes a checkpoint"
    # shellcheck disable=SC2086
    launch 3 train "${quick[@]}" --out "late-$rank" $options --check-every 0 --checkpoint-every 39
    fails_with 1 "rank $rank of 3"
    [ -z "$(find "late-$rank/checkpoints" -type f 2> /dev/null)" ] || fail "a checkpoint of wrong weights"
  done
  # The optimizer's state carries the flip into the weights of the next step, and not before.
  export MLPD_FAULT_FLIP=1:30 MLPD_FAULT_STATE=1
  # shellcheck disable=SC2086
  launch 3 train "${quick[@]}" --out state $options --check-every 1
  fails_with 1 "rank 1 of 3" "optimizer state" "stops before it writes a checkpoint"
  # shellcheck disable=SC2086
  launch 3 train "${quick[@]}" --out still $options --lr 0 --check-every 1
  fails_with 1 "rank 1 of 3" "optimizer state"
  unset MLPD_FAULT_STATE
  # The step just after one that a checkpoint holds, and the one it is held for.
  for step in 18 19 20 21; do
    export MLPD_FAULT_FLIP=0:$step
    # shellcheck disable=SC2086
    launch 3 train "${quick[@]}" --out "at-$step" $options --check-every 0 --checkpoint-every 10 --keep 100
    fails_with 1 "rank 0 of 3"
    for file in $(checkpoints "at-$step"); do
      unset MLPD_FAULT_FLIP
      # shellcheck disable=SC2086
      launch 2 train "${quick[@]}" --out again --resume "$file" --checkpoint-every never $options
      succeeds
      same_metrics good again
    done
  done
}

# Three allocations of the start, each of another kind: the communicator, its lists, its watch. All at once, because mpirun
# sleeps after a failure.
@test "a rank without memory for the start: one line, of that rank, and no hang" {
  unless_sanitized "it preloads posix_memalign, which the sanitizer replaces"
  "${CC:-cc}" -shared -fPIC -o no_memory.so "$BATS_TEST_DIRNAME/no_memory.c" -ldl
  printf '#!/bin/sh\nexport LD_PRELOAD=%s/no_memory.so NO_MEMORY_RANK=1\nexec "%s" "$@"\n' "$PWD" "$(realpath "$(command -v "$MLPDIST")")" > short
  chmod +x short
  local at
  for at in 1 4 7; do
    { NO_MEMORY_AT=$at MLPDIST=$PWD/short errors=errors.$at launch 2 train "${quick[@]}" --epochs 1 --quiet --out run
      echo "$status" > status.$at; } &
  done
  wait
  for at in 1 4 7; do
    status=$(cat status.$at)
    errors=errors.$at fails_with 1 "rank 1 of 2 on $(hostname): " ": out of memory"
  done
}
