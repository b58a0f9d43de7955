# mlpdist doctor, alone and under mpirun. Its measurements depend on the machine: the tests check what must hold on any.

load helper

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

# json EXPRESSION: true of the last output, d.
json() { python3 -c "import json, sys; d = json.load(sys.stdin); sys.exit(not ($1))" <<< "$output" || fail "not so: $1"; }

# OMP_NUM_THREADS counts for nproc too.
cores=$(env -u OMP_NUM_THREADS nproc)

# Measures no longer than a test needs.
short=(--seconds 0.2 --hidden 16,8 --features 32 --outputs 4)

@test "alone: a line for each thing it looks at, and status 0" {
  alone doctor "${short[@]}"
  succeeds
  says "machine " "1 rank x 1 thread" "peak " "memory " "denormals  flushed" "32-16-8-4" "products " "plain " \
    "of the peak" "wire       not measured" "predicted" "samples/s" "efficiency" "measured, on 1 rank" "step: threads share "
  ! grep -q '^data' <<< "$output" || fail "no data was given"
  alone doctor "${short[@]}" --ensemble 3 # scales, the shared layers, and heads
  succeeds
  says "32-16-8-4, ensemble of 3, 868 parameters" "measured, on 1 rank"
  alone doctor "${short[@]}" --members 3
  succeeds
  says "32-16-8-4, 3 members, 2100 parameters" "measured, on 1 rank"
  alone doctor "${short[@]}" --members 3 --ensemble 2
  fails_with 2 "give one of them"
}

@test "a data set is read, and gives inputs, outputs and the most rows of a batch" {
  alone doctor --seconds 0.2 --data "$MLPDIST_DATA_DIR/digits.h5" --hidden 16 --batch 5000
  succeeds
  says "data       $MLPDIST_DATA_DIR/digits.h5: " "M rows/s" "s to load" "64-16-10" "batch 1259"
}

@test "JSON: the parts of a step are its time, each back end has its place under the peak" {
  alone doctor "${short[@]}" --json --np 3 --latency 5 --bandwidth 1 --batch 256 --lanes 4
  succeeds
  json "[p['ranks'] for p in d['predictions']] == [1, 3]"
  json "all(abs(p['compute'] + p['input'] + p['imbalance'] + p['latency'] + p['bandwidth'] - p['step']) < 1e-6 * p['step'] for p in d['predictions'])"
  json "all(abs(256 / p['step'] / p['samples_per_second'] - 1) < 1e-6 for p in d['predictions'])"
  # 4 lanes on 3 ranks: 2, 1, 1. Small vectors travel whole, to two others.
  json "d['predictions'][1]['most_lanes'] == 2 and abs(d['predictions'][1]['latency'] - 2 * 5e-6) < 1e-12"
  json "abs(d['predictions'][1]['imbalance'] / d['predictions'][1]['compute'] - 0.5) < 1e-6"
  json "d['predictions'][0]['efficiency'] == 1 and d['predictions'][0]['wire_known']"
  json "d['backends'][-1]['name'] == 'plain' and sum(b['taken'] for b in d['backends']) == 1"
  # Unless our own loops, the one for the peak among them, are compiled without optimisation.
  is_sanitized || json "all(b['flops'] > 0 and 0 < b['fraction'] < 1.5 for b in d['backends'])"
  json "d['machine']['peak_one'] > 1e9 and d['machine']['memory_one'] > 1e8 and d['machine']['flushes_denormals']"
  json "d['wire']['latency'] == 5e-6 and d['wire']['bandwidth'] == 1e9 and d['wire']['sums'] == []"
  json "d['data'] is None and d['measured_step'] > 0"
}

@test "under mpirun the sum between the ranks is measured, and all of it told once" {
  launch 2 doctor "${short[@]}" --json --threads 1 --np 4 --data "$MLPDIST_DATA_DIR/digits.h5" --features 64 --outputs 10
  succeeds
  json "d['machine']['ranks'] == 2 and d['machine']['nodes'] == 1 and d['machine']['ranks_on_node'] == 2"
  json "[p['ranks'] for p in d['predictions']] == [2, 1, 4] and all(p['wire_known'] for p in d['predictions'])"
  json "len(d['wire']['sums']) >= 3 and all(s['seconds'] > 0 for s in d['wire']['sums'])"
  json "d['wire']['latency'] > 0 or d['wire']['bandwidth'] > 0"
  json "d['data']['rows'] == 1259 and d['data']['rows_per_second'] > 0"
}

@test "threads that share a core are found, by doctor and by train" {
  already_sanitized
  alone doctor "${short[@]}" --threads $((cores + 1))
  succeeds
  says "finding    $((cores + 1)) threads share $cores core" "--map-by slot:PE=$((cores + 1))"
  alone train --quiet --epochs 1 --hidden 4 --threads $((cores + 1))
  succeeds
  grep -q "^mlpdist: note: $((cores + 1)) threads share $cores core" "$errors.all" || fail "train does not say so"
}

@test "ranks that oversubscribe the cores are found, by doctor and by train" {
  local ranks
  ranks=$((cores + 1))
  [ "$ranks" -le 9 ] || skip "would need $ranks ranks"
  launch "$ranks" doctor "${short[@]}" --threads 1
  succeeds
  says "finding    $ranks ranks on " "run $ranks threads on $cores core"
  launch "$ranks" train --quiet --epochs 1 --hidden 4 --threads 1
  succeeds
  [ "$(grep -c "^mlpdist: note: $ranks ranks on .* run $ranks threads on $cores core" "$errors.all")" = 1 ] || fail "train"
}

@test "a BLAS with kernels of an old processor is found, and the better back end named" {
  unless_sanitized "our own kernels are compiled without optimisation"
  alone doctor "${short[@]}" --json
  json "True" # built at all
  python3 -c "import json, sys; sys.exit(not any(b['library'].startswith('OpenBLAS') for b in json.load(sys.stdin)['backends']))" \
    <<< "$output" || skip "built without OpenBLAS"
  [ "$(uname -m)" = x86_64 ] || skip "the kernels forced here are those of x86-64"
  grep -q avx2 /proc/cpuinfo || skip "the processor has no AVX2"
  export OPENBLAS_CORETYPE=Prescott
  alone doctor --seconds 0.5 --hidden 256 --backend cblas
  succeeds
  says "finding    cblas (OpenBLAS" "Prescott) reaches 0." "use --backend " "OPENBLAS_CORETYPE="
}

@test "what cannot be measured is status 1, a wrong option 2" {
  alone doctor --data nothere.h5
  fails_with 1 "nothere.h5"
  alone doctor --seconds 0
  fails_with 2 "--seconds"
  alone doctor --np 4,x
  fails_with 2 "--np"
  alone doctor --hidden 0
  fails_with 2 "--hidden"
  alone doctor --data "$MLPDIST_DATA_DIR/digits.h5" --features 3
  fails_with 2 "--features" "64 columns"
  launch 2 doctor --backend nosuch
  fails_with 2 "nosuch"
}
