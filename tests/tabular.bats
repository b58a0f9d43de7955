# What --preset tabular is made of, each for itself: robust normalisation.

load helper
quick+=(--valid-fraction 0)

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# Numbers with far outliers, a rare flag, a constant, and a column with gaps; the target is a value.
outliers() {
  awk 'BEGIN {
    print "far,rare,same,gaps,y"
    for (i = 0; i < 101; i++) {
      u = (i * 37) % 101
      printf "%.10g,%d,3,%s,%d\n", (u % 2 ? -1 : 1) * int(8 * exp(u / 9)) / 8, i % 20 == 7, i % 5 == 3 ? "" : u * u, u + i % 3
    }
  }' > far.csv
}

# The shift and scale of each column, by the formula, from the rows of far.csv; then those of the model.
check_robust() {
  python3 - "$1" << 'END' || fail "not the quartiles of the rows"
import csv, json, sys
rows = list(csv.DictReader(open("far.csv")))
net = json.load(open(sys.argv[1]))["input"]
def quantile(values, f):
    place = f * (len(values) - 1)
    low = int(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])
for j, name in enumerate(("far", "rare", "same", "gaps")):
    x = sorted(float(r[name]) for r in rows if r[name])
    width = quantile(x, 0.75) - quantile(x, 0.25) or (x[-1] - x[0]) / 2
    for got, want in ((net["shift"][j], quantile(x, 0.5)), (net["scale"][j], 1 / width if width else 0)):
        assert abs(got - want) <= 1e-14 * abs(want), (name, got, want)
assert net["scale"][1] == 2 and net["scale"][2] == 0
END
}

@test "--normalize robust: medians and quartiles of the training rows, the same on any ranks, streamed or not" {
  outliers
  local options=(--data far.csv --label y --test-fraction 0 --normalize robust --hidden 4 --lr 1e-6 --epochs 1 --batch 20 --lanes 3 --quiet) mode np want
  for mode in "" --stream; do
    want=""
    for np in 1 3; do
      launch "$np" train "${quick[@]}" "${options[@]}" --threads 1 --out "run$np$mode" $mode
      succeeds
      [ "$output" = "${want:=$output}" ] || fail "$np ranks $mode: expected $want"
      alone export "run$np$mode/model.h5" net.json
      check_robust net.json
    done
  done
}
