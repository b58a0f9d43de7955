# early: it takes about a minute, and would keep one core busy at the end.
# scripts/scaling-study and scaling-report: which runs are made, refused and drawn; not how fast they are.

load helper

setup() {
  unless_sanitized "a test of scripts, made with the build without sanitizers"
  cd "$BATS_TEST_TMPDIR" || return 1
  : > "$errors"
  scripts=$BATS_TEST_DIRNAME/../scripts
  data=$BATS_TEST_DIRNAME/../datasets/digits.h5
  MLPDIST=$(command -v "$MLPDIST")
  export MLPDIST
  unset SLURM_JOB_NUM_NODES
  # Two seconds a study go into figures, so most studies find no Matplotlib.
  mkdir without-pages
  echo 'raise ImportError("none here")' > without-pages/matplotlib.py
  export PYTHONPATH=$PWD/without-pages
}

# drawn COMMAND...: with Matplotlib, if there is one.
drawn() { PYTHONPATH='' "$@"; }

# report FOLDER: scaling-report; output gets both streams.
report() {
  status=0
  output=$(timeout "$hang_after" "$scripts/scaling-report" "$1" 2>&1) || status=$?
}

# study ARGUMENT...: two epochs of digits, one counted, in the folder `study`; 64 hidden units, unless options of train follow.
study() {
  local network=(-- --hidden 64)
  [[ " $* " != *" -- "* ]] || network=()
  status=0
  output=$(timeout "$hang_after" "$scripts/scaling-study" --data "$data" --epochs 1 "$@" "${network[@]}" 2>&1) || status=$?
}

# column NAME: its cells in study/runs.csv, one a line.
column() {
  /usr/bin/python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[2])): print(row[sys.argv[1]])' "$1" "${2:-study/runs.csv}"
}

has_matplotlib() { drawn /usr/bin/python3 -c 'import matplotlib' 2> /dev/null; }

@test "a strong sweep: a row a run, one digest, and it goes on where it was interrupted" {
  study --splits 1x1,2x1 --batch 128 --repeat 3 --oversubscribe
  succeeds
  [ "$(column digest | sort -u | wc -l)" = 1 ] || fail "not one digest"
  [ "$(column ranks | sort | uniq -c | tr -s ' \n' ' ')" = " 3 1 3 2 " ] || fail "not three runs each"
  says "strong  " "efficiency"
  # Eleven steps an epoch, one epoch counted; phases of the ranks in order, none longer than the whole.
  /usr/bin/python3 - << 'END' || fail "rows that cannot be"
import csv
rows = list(csv.DictReader(open("study/runs.csv")))
for r in rows:
    f = {k: float(v) for k, v in r.items() if k.endswith(("_min", "_mean", "_max")) or k in ("seconds", "samples_per_second")}
    assert r["steps"] == "10" and r["epochs"] == "1" and r["batch"] == "128" and r["network"] == "64-64-10", r
    assert abs(f["samples_per_second"] * f["seconds"] - 1259) < 1, r
    for p in ("compute", "reduce", "data"):
        assert 0 <= f[p + "_min"] <= 1.001 * f[p + "_mean"] + 1e-8 <= 1.002 * f[p + "_max"] + 3e-8 <= 1.02 * f["seconds"] + 1e-6, r
    assert (f["reduce_min"] > 0) == (r["ranks"] == "2") and f["compute_min"] > 0, r
    assert r["hosts"].endswith(":" + r["ranks"]) and float(r["memory_mb"]) > 1 and r["version"].startswith("mlpdist "), r
base = sorted(float(r["efficiency"]) for r in rows if r["ranks"] == "1")
assert abs(base[1] - 1) < 1e-4, base
END
  column started > before
  column repeat > order
  head -n 4 study/runs.csv > cut && mv cut study/runs.csv
  drawn study --splits 1x1,2x1 --batch 128 --repeat 3 --oversubscribe
  succeeds
  says "3 runs are done, 3 remain"
  cmp <(column started | head -n 3) <(head -n 3 before) || fail "done again"
  cmp <(column repeat) order || fail "another order"
  ! has_matplotlib || [ -s study/index.html ] || fail "no page"
}

@test "the order is drawn by the seed, round by round" {
  local seed
  for seed in 1 2; do
    study --splits 1x1,1x2,2x1 --batch 128 --repeat 2 --oversubscribe --seed $seed --out "s$seed"
    succeeds
    paste <(column repeat "s$seed/runs.csv") <(column ranks "s$seed/runs.csv") <(column threads "s$seed/runs.csv") > "order$seed"
  done
  [ "$(cut -f1 order1 | tr '\n' ' ')" = "1 1 1 2 2 2 " ] || fail "not round by round"
  ! cmp -s order1 order2 || fail "the same order"
}

@test "the warm-up does not count" {
  cat > slow << END
#!/bin/sh
"$MLPDIST" "\$@" || exit
while [ \$# -gt 1 ]; do [ "\$1" != --out ] || out=\$2; shift; done
[ -z "\$out" ] || awk -F, -v OFS=, 'NR == 2 { \$8 = 1; \$9 = \$12 = \$15 = 999 } { print }' "\$out/metrics.csv" > "\$out/m" &&
  mv "\$out/m" "\$out/metrics.csv"
END
  chmod +x slow
  MLPDIST=$PWD/slow study --splits 1x1 --batch 128 --repeat 1 --epochs 2
  succeeds
  awk "BEGIN { exit !($(column seconds) < 900 && $(column compute_max) < 900) }" || fail "the first epoch counts"
  [ "$(column steps)" = 20 ] || fail "steps"
}

@test "a weak sweep: a batch and a digest for each number of ranks" {
  study --mode weak --splits 1x1,1x2,2x1 --batch-per-rank 128 --repeat 1 --oversubscribe
  succeeds
  [ "$(paste <(column ranks) <(column batch) <(column lanes) | sort -u | tr '\t\n' '-,')" = "1-128-2,2-256-4," ] || fail "batches"
  [ "$(paste <(column ranks) <(column digest) | sort -u | wc -l)" = 2 ] || fail "digests"
  [ "$(column digest | sort -u | wc -l)" = 2 ] || fail "digests"
}

@test "mixed digests are refused, and not kept" {
  cat > wrong << END
#!/bin/sh
[ "\${OMPI_COMM_WORLD_SIZE:-1}" = 1 ] || set -- "\$@" --seed 7
exec "$MLPDIST" "\$@"
END
  chmod +x wrong
  MLPDIST=$PWD/wrong study --splits 1x1,2x1 --batch 128 --repeat 1 --oversubscribe
  [ "$status" = 1 ] || fail "expected status 1"
  says "do not give the same weights" "-np 1 " "-np 2 "
  [ "$(column digest | wc -l)" = 1 ] || fail "kept"
  # Nor are rows that came to differ in the file.
  study --splits 1x1,2x1 --batch 128 --repeat 1 --oversubscribe --out other
  succeeds
  sed -i "3s/$(column digest other/runs.csv | tail -n 1)/0123456789abcdef/" other/runs.csv
  study --splits 1x1,2x1 --batch 128 --repeat 1 --oversubscribe --out other
  [ "$status" = 1 ] || fail "expected status 1"
  says "do not give the same weights" "digest 0123456789abcdef"
}

@test "another study in the folder, splits that do not fit, options of the study's own: refused before a run" {
  study --splits 1x1 --batch 128 --repeat 1
  succeeds
  study --splits 1x1 --batch 64 --repeat 1
  [ "$status" = 2 ] || fail "expected status 2"
  says "study holds a study with batch = 128, not 64"
  study --splits 1x1 --batch 128 --repeat 2
  succeeds
  study --splits 999x99 --out none
  [ "$status" = 2 ] || fail "expected status 2"
  says "999 ranks x 99 threads do not fit on 1 x" "--oversubscribe"
  study --splits 1x1 --out none -- --batch 7
  [ "$status" = 2 ] || fail "expected status 2"
  says "--batch is not for train here"
  study --splits 1x1,2 --out none
  [ "$status" = 2 ] || fail "expected status 2"
  says "'1x1,2' is not a list of RANKSxTHREADS"
  [ ! -e none ] || fail "a folder is left"
}

@test "a run that fails ends the study with its message and its command" {
  study --splits 1x1 --repeat 1 -- --hidden 0
  [ "$status" = 1 ] || fail "expected status 1"
  says "status 2: mpirun -np 1 --map-by slot:PE=1 --bind-to core $MLPDIST train" "mlpdist: --hidden"
  [ ! -e study/runs.csv ] || fail "a row"
  [ -z "$(find study -name 'run-*')" ] || fail "a run folder is left"
}

@test "how ranks are placed on hosts of a file and in a Slurm allocation" {
  mkdir bin
  printf '#!/bin/sh\n[ "$1" != --version ] || { echo "mpirun 0"; exit 0; }\necho no host >&2\nexit 9\n' > bin/mpirun
  chmod +x bin/mpirun
  printf '# two hosts\nnode1 slots=8\nnode2 slots=6\n\n' > hosts
  PATH=$PWD/bin:$PATH study --splits 5x2 --hostfile hosts
  [ "$status" = 1 ] || fail "expected status 1"
  says "status 9: mpirun --hostfile $PWD/hosts -np 5 --map-by ppr:3:node:PE=2 --bind-to core $MLPDIST train" "no host"
  PATH=$PWD/bin:$PATH study --splits 7x2 --hostfile hosts --out none
  [ "$status" = 2 ] || fail "expected status 2"
  says "do not fit on 2 x 6 cores (hosts of a file)"
  export SLURM_JOB_NUM_NODES=3 SLURM_JOB_CPUS_PER_NODE='32(x2),16'
  PATH=$PWD/bin:$PATH study --splits 12x4
  [ "$status" = 1 ] || fail "expected status 1"
  says "status 9: mpirun -np 12 --map-by ppr:4:node:PE=4 --bind-to core $MLPDIST train"
  PATH=$PWD/bin:$PATH study --splits 12x4 --per-node 3
  [ "$status" = 2 ] || fail "expected status 2"
  says "do not fit on 3 x 16 cores (Slurm allocation)"
}

# Hosts and a cluster that this test makes (tests/hosts, tests/slurm), taken down whatever comes.
teardown() {
  [ ! -e cluster ] || "$BATS_TEST_DIRNAME/slurm" stop "$PWD/cluster" "mlpc$$"
  [ ! -e made ] || "$BATS_TEST_DIRNAME/hosts" remove "mlpc$$"
}

@test "on two hosts of a file: ranks fill one after the other, one digest" {
  local hosts=$BATS_TEST_DIRNAME/hosts why
  why=$("$hosts" possible 2>&1) || skip "$why"
  touch made
  "$hosts" make "mlpc$$" 2
  printf 'node1 slots=1\nnode2 slots=1\n' > list
  status=0
  output=$(OMPI_MCA_plm_rsh_agent=$hosts TMPDIR=$PWD timeout "$hang_after" "$hosts" run "mlpc$$" node1 "$scripts/scaling-study" \
    --data "$data" --epochs 1 --splits 1x1,2x1 --batch 128 --repeat 1 --hostfile list 2>&1) || status=$?
  succeeds
  [ "$(column hosts | sort | tr '\n' ',')" = "node1:1,node1:1 node2:1," ] || fail "hosts: $(column hosts)"
  # Where a host has one core, its rank is not bound.
  ! column bindings | grep -q N/A || fail "bindings: $(column bindings)"
  [ "$(column digest | sort -u | wc -l)" = 1 ] || fail "digests"
}

@test "in a Slurm allocation of two nodes: mpirun takes them, one digest" {
  local slurm=$BATS_TEST_DIRNAME/slurm why
  why=$("$slurm" possible 2>&1) || skip "$why"
  export SLURM_CONF=$PWD/cluster/slurm.conf TMPDIR=$PWD
  "$slurm" start "$PWD/cluster" "mlpc$$"
  status=0
  output=$(timeout "$hang_after" "$BATS_TEST_DIRNAME/hosts" run "mlpc$$" node1 salloc --nodes=2 --ntasks-per-node=2 --cpus-per-task=1 \
    "$scripts/scaling-study" --data "$data" --epochs 1 --splits 1x1,3x1 --batch 128 --repeat 1 2>&1) || status=$?
  succeeds
  grep -q "2 (Slurm allocation), 2 cores each" study/study.json || fail "another place"
  [ "$(column hosts | sort | tr '\n' ',')" = "node1:1,node1:2 node2:1," ] || fail "hosts: $(column hosts)"
  [ "$(column digest | sort -u | wc -l)" = 1 ] || fail "digests"
}

# A report of doctor: steps of 1 and 2 ms on ranks 1 and 3; on 3 ranks latency takes most.
write_report() {
  cat > report.json << END
{"machine": {"threads": 1, "cpu_share": ${2:-1.0}}, "wire": {"latency": 2e-6, "bandwidth": 8e9}, "network": {"widths": "$1", "batch": 128, "lanes": 3},
 "predictions": [
  {"ranks": 1, "lanes": 3, "most_lanes": 3, "step": 1e-3, "compute": 9e-4, "input": 1e-4, "imbalance": 0, "latency": 0,
   "bandwidth": 0, "samples_per_second": 128e3, "wire_known": true},
  {"ranks": 3, "lanes": 3, "most_lanes": 1, "step": 2e-3, "compute": 3e-4, "input": 1e-4, "imbalance": 0, "latency": 15e-4,
   "bandwidth": 1e-4, "samples_per_second": 64e3, "wire_known": true}]}
END
}

@test "predictions from doctor's reports: what limits and what to change" {
  write_report 64-64-10
  study --splits 1x1 --batch 128 --lanes 3 --repeat 1 --predict-splits 3x1,9x1 --doctor report.json
  succeeds
  says "no prediction for strong 9x1" \
    "strong 3 x 1: efficiency 0.17; lost most to sum: latency, 75 % of the step: a batch of about 4600 would make the sum a tenth"
  [ "$(column step study/predictions.csv | tr '\n' ' ')" = "0.001 0.002 " ] || fail "steps"
  says "2 us, 8 GB/s"
  # Of two reports the quicker; ranks without a wire are named.
  sed 's/1e-3, "compute": 9e-4/0.8e-3, "compute": 7e-4/; s/true}]/false}]/; s/2e-3/1.9e-3/' report.json > quick.json
  study --splits 1x1 --batch 128 --lanes 3 --repeat 1 --predict-splits 3x1,9x1 --doctor report.json --doctor quick.json
  succeeds
  [ "$(column step study/predictions.csv | tr '\n' ' ')" = "0.0008 0.0019 " ] || fail "not the quickest"
  says "no sum between ranks was measured; it counts as 0 s in strong 3x1"
  write_report 64-64-10 0.41
  study --splits 1x1 --batch 128 --lanes 3 --repeat 1 --predict-splits 3x1,9x1 --doctor report.json
  succeeds
  says "41 % of their cores' time"
  write_report 64-32-10
  study --splits 1x1 --batch 128 --lanes 3 --repeat 1 --predict-splits 3x1,9x1 --doctor report.json
  [ "$status" = 2 ] || fail "expected status 2"
  says "predicts 64-32-10, not 64-64-10"
}

@test "predictions by doctor itself" {
  "$MLPDIST" doctor --help > /dev/null 2>&1 || skip "this mlpdist has no doctor"
  ! grep -q __asan_init "$MLPDIST" || skip "a sanitizer measures itself"
  study --mode both --splits 2x1 --batch 128 --batch-per-rank 64 --repeat 1 --oversubscribe --predict \
    --predict-splits 8x1 --doctor-seconds 0.2 --doctor-calls 1 -- --members 2 # of train's default widths
  succeeds
  [ "$(paste -d- <(column mode study/predictions.csv) <(column ranks study/predictions.csv) <(column batch study/predictions.csv) |
    tr '\n' ' ')" = "strong-2-128 strong-8-128 weak-2-128 weak-8-512 " ] || fail "other predictions"
  # What is to be said of several splits alike is one line for all of them.
  grep -Eq '^strong .*8 x 1: efficiency' <<< "$output" || fail "no line about strong scaling on 8 ranks"
  grep -Eq '^weak .*8 x 1: efficiency' <<< "$output" || fail "no line about weak scaling on 8 ranks"
}

@test "imbalance is named, with the lanes that cure it" {
  study --splits 1x1 --batch 128 --lanes 4 --repeat 1
  succeeds
  cat > study/predictions.csv << END
mode,threads,batch,ranks,lanes,most_lanes,step,compute,input,imbalance,latency,bandwidth,samples_per_second,wire_known,source
strong,1,128,1,4,4,0.003,0.003,0,0,0,0,42667,True,x
strong,1,128,3,4,2,0.0015,0.001,0,0.0005,0,0,85333,True,x
END
  report study
  succeeds
  says "strong 3 x 1: efficiency 0.67; lost most to waiting for others, 33 % of the step: 4 lanes do not divide by 3 ranks: --lanes 6"
}

@test "the page stands alone and a browser draws it" {
  has_matplotlib || skip "no Matplotlib (package python3-matplotlib)"
  local browser
  browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium (package chromium)"
  write_report 64-64-10
  drawn study --mode both --splits 1x1,2x1 --batch 128 --lanes 3 --batch-per-rank 64 --repeat 2 --oversubscribe --predict-splits 3x1 \
    --doctor report.json
  succeeds
  ! grep -Eq '(src|href)=.?(http|/|file)|@import|url\((http|/)' study/index.html || fail "it needs other files"
  # What the browser made of it: pictures with a size and text, tables, nothing wider than the window.
  sed 's|</body>|<script>document.title = JSON.stringify({\
    pictures: [...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 200).length,\
    words: document.querySelectorAll("svg text").length > 40, rows: document.querySelectorAll("tbody tr").length,\
    limits: document.querySelectorAll(".limits li").length, fits: document.body.scrollWidth <= innerWidth,\
    cut: [...document.querySelectorAll("svg, table, pre, p, .scroll")].filter(e =>\
      Math.max(e.getBoundingClientRect().right - innerWidth + 10, e.scrollWidth - e.clientWidth - 1) > 0).map(e => e.tagName),\
    fonts: [...new Set([...document.querySelectorAll("svg text")].map(t => getComputedStyle(t).fontSize))].length})</script></body>|' \
    study/index.html > probe.html
  timeout "$hang_after" "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" --window-size=1200,1000 --dump-dom \
    "file://$PWD/probe.html" > dom.html 2> browser.log || skip "the browser does not run here: $(tail -n 1 browser.log)"
  output=$(grep -o '<title>[^<]*' dom.html | head -n 1)
  # Strong and weak, two pictures each; 4 measured splits in three tables, 2 predictions; 2 + 1 judgements. At 1200 pixels
  # nothing is cut, and figures have one size of letters.
  says '"pictures":4' '"words":true' '"rows":14' '"limits":3' '"fits":true' '"cut":[]' '"fonts":1'
  output=$(cat dom.html)
  says "scripts/scaling-study --data" "-np 2 " "processor" "parallel efficiency" "speed-up" "cores"
  # The parts of a step and the curves are named in one order.
  order=$(grep -oE '>(computing|gathering rows|waiting for others|sum: latency|sum over ranks|model)<' dom.html | head -n 4 | tr -d '<>\n')
  [ "$order" = "computinggathering rowswaiting for otherssum: latency" ] || fail "order $order"
  for name in scaling-strong step-strong scaling-weak step-weak; do
    [ "$(head -c 5 "study/$name.pdf")" = %PDF- ] || fail "no $name.pdf"
  done
}

@test "without Matplotlib: the tables, and a word about the page" {
  study --splits 1x1 --batch 128 --repeat 1
  succeeds
  says "strong  " "no page: Python's matplotlib is not installed"
  [ ! -e study/index.html ] || fail "a page"
}

@test "a folder that is no study is refused with what it lacks" {
  mkdir none
  report none
  [ "$status" = 1 ] || fail "status $status"
  says "none: not a study (study.json: No such file or directory)"
  printf 'a\n1\n' > none/runs.csv
  echo '{}' > none/study.json
  report none
  [ "$status" = 1 ] || fail "status $status"
  says "none: not a study (its files: no '"
}

@test "the studies that are kept beside the scripts can be read, and one of each kind drawn" {
  for kept in "$scripts"/scaling/seen/*; do
    cp -r "$kept" .
    report "${kept##*/}"
    succeeds
    says "efficiency" "no page: Python's matplotlib is not installed"
  done
  has_matplotlib || skip "no Matplotlib"
  # The next test draws one-machine-weak. Drawing takes two seconds a study.
  for kept in one-machine simulated-strong-fat-tree-1024-lanes simulated-weak-dragonfly two-hosts-overlap; do
    drawn report $kept
    succeeds
    grep -q "<svg" $kept/index.html || fail "$kept: no plot"
    ls $kept/*.pdf > /dev/null || fail "$kept: no PDF"
  done
}

@test "efficiency refers to one core, threads and ranks alike; with a batch a rank, 1 x n is strong scaling" {
  cp -r "$scripts/scaling/seen/one-machine-weak" kept
  drawn report kept
  succeeds
  # 45755 samples/s on two cores, 26229 on one.
  says "weak            1 x 2    512      8     5      45755      1.74       0.872" "weak 1 x 2: efficiency 0.87; lost most to computing"
  ! has_matplotlib || ls kept/*.pdf > /dev/null || fail "no PDF"
  ! has_matplotlib || grep -q "one rank, more threads (strong scaling, batch 512)" kept/index.html || fail "drawn as weak scaling"
  # So does the column that a study writes.
  study --mode weak --splits 1x1,1x2 --batch-per-rank 128 --repeat 1 --oversubscribe
  succeeds
  /usr/bin/python3 -c 'import csv
rows = {r["threads"]: r for r in csv.DictReader(open("study/runs.csv"))}
want = float(rows["2"]["samples_per_second"]) / float(rows["1"]["samples_per_second"]) / 2
assert abs(float(rows["2"]["efficiency"]) - want) < 1e-3, want' || fail "another base"
}

# write_runs RANKSxTHREADS:SAMPLES/S,...: a study of batch 256 whose steps take as long, in the folder study.
write_runs() {
  mkdir -p study
  /usr/bin/python3 - "$1" << 'END_OF_RUNS'
import csv, json, sys
rows, seen = [], {}
for word in sys.argv[1].split(","):
    split, speed = word.split(":")
    ranks, threads = split.split("x")
    seen[split] = seen.get(split, 0) + 1
    seconds = 256 / float(speed)
    phases = {f"{p}_{of}": seconds * share for p, share in (("compute", .9), ("reduce", 0 if ranks == "1" else .05), ("data", .05))
              for of in ("min", "mean", "max")}
    rows.append({"mode": "strong", "ranks": ranks, "threads": threads, "repeat": seen[split], "started": "2026-01-01T00:00:00", "batch": 256,
                 "lanes": 4, "network": "8-8-2", "backend": "native", "epochs": 1, "steps": 1, "nodes": 1, "hosts": "a:1", "bindings": "",
                 "version": "mlpdist", "samples_per_second": speed, "seconds": seconds, **phases, "efficiency": "", "digest": "0",
                 "memory_mb": 1, "command": "mpirun"})
with open("study/runs.csv", "w", newline="") as f:
    writer = csv.DictWriter(f, rows[0])
    writer.writeheader()
    writer.writerows(rows)
json.dump({"asked": {"data": "x.h5"}, "command": "scripts/scaling-study", "machine": {}}, open("study/study.json", "w"))
END_OF_RUNS
}

@test "each run is drawn, one far from the others is noted, splits with as many cores lie side by side" {
  write_runs 1x1:1000,1x1:1010,1x1:990,1x4:3800,1x4:3810,1x4:3100,2x2:3800,2x2:3790,2x2:3805,4x1:3800,4x1:3795,4x1:3805
  drawn report study
  succeeds
  says "run 3 of strong 1 x 4 is apart from the others: 3100 samples/s, -18 % against the median 3800"
  [ "$(grep -c "is apart" <<< "$output")" = 1 ] || fail "others are apart"
  has_matplotlib || return 0
  drawn /usr/bin/python3 -B - "$scripts" << 'END_OF_CHECK' || fail "points hide each other"
import sys
sys.path.insert(0, sys.argv[1])
from scaling.draw import places_of
from scaling.figures import Split
splits = [Split("strong", r, t, "") for r, t in ((1, 1), (1, 4), (2, 2), (4, 1))]
places = places_of(splits)
four = sorted(places[s] for s in splits[1:])
assert places[splits[0]] == 1 and all(b / a > 1.05 for a, b in zip(four, four[1:])) and four[1] == 4, places
END_OF_CHECK
  grep -q "a run apart from the others" study/index.html || fail "no ring"
}

@test "one line for splits of which the same is to be said; a closed pipe leaves the page whole; a page of others stays" {
  write_runs 1x1:1000,1x2:1990,2x1:1980,1x4:3900
  report study
  succeeds
  says "strong 1 x 2, 2 x 1, 1 x 4: efficiency 0.97 to 0.99; little to gain"
  drawn "$scripts/scaling-report" study 2> told | true
  [ ! -s told ] || fail "$(cat told)"
  ! has_matplotlib || grep -q "</html>" study/index.html || fail "no page"
  has_matplotlib || return 0
  echo "<html>my home page</html>" > study/index.html
  drawn report study
  [ "$status" = 1 ] || fail "expected status 1"
  says "study/index.html: already exists as another kind of file"
  grep -q "my home page" study/index.html || fail "replaced"
}
