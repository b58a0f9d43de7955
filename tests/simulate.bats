# The program under SimGrid's simulated MPI: the same bits as a real run; and steps whose computation is charged.

load helper

setup() {
  command -v smpirun > /dev/null || skip "no SimGrid (Debian: libsimgrid-dev)"
  export MLPDIST_SMPI="${MLPDIST_SMPI:-$BATS_TEST_DIRNAME/../build/smpi/mlpdist}"
  [ -x "$MLPDIST_SMPI" ] || skip "no program for simulation: make smpi"
  steps=$(dirname "$MLPDIST_SMPI")/tests/simulated_steps
  cd "$BATS_TEST_TMPDIR" || return 1
  : > "$errors"
}

simulate() {
  status=0
  output=$(timeout "$hang_after" "$BATS_TEST_DIRNAME/../scripts/simulate" "$@" 2> "$errors") || status=$?
}

# holds CONDITION: of the rows r of sim/runs.csv, of those of ranks n as by[n, cluster], and predictions p.
holds() {
  /usr/bin/python3 - "$1" << 'END' || fail "not so: $1"
import csv, os, sys
r = list(csv.DictReader(open("sim/runs.csv")))
p = list(csv.DictReader(open("sim/predictions.csv"))) if os.path.exists("sim/predictions.csv") else []
by = {(int(row["ranks"]), row["cluster"]): float(row["seconds"]) / int(row["steps"]) for row in r}
sys.exit(not eval(sys.argv[1]))
END
}

@test "4 simulated ranks: the digest of a run alone, slower on a slower wire" {
  alone train --hidden 64 --quiet --batch 256 --lanes 4 --epochs 3
  succeeds
  local digest
  digest=$(last_line)
  simulate --ranks 4 --gbits 1,100 --compute none --batch 256 --lanes 4 -- --data "$MLPDIST_DATA_DIR/digits.h5" --hidden 64
  succeeds
  [ "$(grep -c "a step .*  $digest\$" <<< "$output")" = 2 ] || fail "expected 2 runs with $digest"
  holds 'by[4, "fat-tree 1 Gb/s"] > 2 * by[4, "fat-tree 100 Gb/s"] > 0'
}

# write_costs SECONDS NAME: of a unit of any work.
write_costs() {
  mkdir -p costs
  local kind
  for kind in 0 1 2 3 4 5 6 7 8 9 10; do echo "$kind 1 1 1 1 $1"; done > "costs/$2.txt"
}

@test "the modelled way without computation takes the time of the program without it" {
  write_costs 1e-15 64-256-256-10-momentum-relu-64x1
  simulate --ranks 2,4 --mode weak --batch-per-rank 64 --compute modelled --widths 64-256-256-10 --costs costs
  succeeds
  mv sim modelled
  simulate --ranks 2,4 --mode weak --batch-per-rank 64 --compute none -- --data "$MLPDIST_DATA_DIR/digits.h5" --hidden 256,256 \
    --activation relu --optimizer momentum
  succeeds
  /usr/bin/python3 - << 'END' || fail "other times"
import csv
def steps(folder):
    return {r["ranks"]: float(r["seconds"]) / int(r["steps"]) for r in csv.DictReader(open(folder + "/runs.csv"))}
real, modelled = steps("sim"), steps("modelled")
for ranks in "24":
    assert abs(modelled[ranks] / real[ranks] - 1) < 0.1, (ranks, real, modelled)
END
}

@test "modelled: measured pieces, many ranks, predictions, and a page" {
  simulate --ranks 4,32 --mode weak --batch-per-rank 64 --compute modelled --widths 64-256-256-10 --costs costs \
    --topology fat-tree,dragonfly -- --optimizer adam
  succeeds
  says "weak fat-tree 100 Gb/s" "32 x 1" "predicted"
  [ -s costs/64-256-256-10-adam-relu-64x1.txt ] || fail "no costs are kept"
  holds 'len(r) == 6 and all(row["digest"] == "" for row in r) and len(p) == 6'
  holds 'all(float(row["compute_min"]) > 0 and (float(row["reduce_min"]) > 0) == (row["ranks"] != "1") for row in r)'
  holds 'all(abs(float(q["step"]) / by[int(q["ranks"]), q["cluster"]] - 1) < 0.3 for q in p)'
  # The same costs, the same times.
  cp sim/runs.csv before
  simulate --ranks 4,32 --mode weak --batch-per-rank 64 --compute modelled --widths 64-256-256-10 --costs costs \
    --topology fat-tree,dragonfly -- --optimizer adam
  succeeds
  /usr/bin/python3 -c 'import csv
a, b = ([(r["cluster"], r["ranks"], r["seconds"]) for r in csv.DictReader(open(n))] for n in ("before", "sim/runs.csv"))
assert a == b, (a, b)' || fail "other times from the same costs"
}

@test "charged work adds up, and what is asked wrongly is refused" {
  write_costs 1e-15 64-256-10-momentum-relu-64x1
  # Forward: 64 rows x (64 x 256 + 256 x 10), a nanosecond each.
  sed -i '/^1 /s/ 1e-15$/ 1e-9/' costs/64-256-10-momentum-relu-64x1.txt
  simulate --ranks 1 --mode weak --batch-per-rank 64 --compute modelled --widths 64-256-10 --costs costs
  succeeds
  holds 'abs(by[1, "fat-tree 100 Gb/s"] - 64 * (64 * 256 + 256 * 10) * 1e-9) < 1e-6'
  simulate --compute modelled
  [ "$status" = 2 ] || fail "expected status 2"
  grep -q "wants --widths" "$errors" || fail "no reason"
  simulate --compute modelled --widths 64-10 -- --hidden 3
  [ "$status" = 2 ] || fail "expected status 2"
  grep -q "takes after -- only" "$errors" || fail "no reason"
}
