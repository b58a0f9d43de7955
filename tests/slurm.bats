# early: it sleeps most of the time, and would keep cores idle at the end.
# shellcheck disable=SC2154 # variables of helper.bash
# Under a real Slurm of two nodes (tests/slurm starts it): scripts/slurm/train.sbatch and srun.

load helper

hosts=$BATS_TEST_DIRNAME/hosts
slurm=$BATS_TEST_DIRNAME/slurm
script=$BATS_TEST_DIRNAME/../scripts/slurm/train.sbatch
options=(--hidden 64 --schedule constant --lanes 4 --batch 64 --seed 3 --checkpoint-every 20 --keep 1000)
one_core=(--ntasks-per-node=1 --cpus-per-task=1)

setup_file() {
  load helper
  export HOSTS='' why='hosts and schedulers are tested with the build without sanitizers'
  ! is_sanitized || return 0
  why=$("$slurm" possible) || return 0
  HOSTS=mlps$$
  export MLPDIST TMPDIR=$BATS_FILE_TMPDIR HWLOC_HIDE_ERRORS=2 SLURM_CONF=$BATS_FILE_TMPDIR/cluster/slurm.conf
  "$slurm" start "$BATS_FILE_TMPDIR/cluster" "$HOSTS"
}

teardown_file() { [ -z "$HOSTS" ] || "$slurm" stop "$BATS_FILE_TMPDIR/cluster" "$HOSTS"; }

setup() {
  [ -n "$HOSTS" ] || skip "$why"
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ -z "$HOSTS" ] || on_node scancel --user=root
}

on_node() { timeout "$hang_after" "$hosts" run "$HOSTS" node1 "$@"; }

# Like launch, but for any command of Slurm.
slurm_runs() {
  status=0
  output=$(on_node "$@" 2> "$errors.all") || status=$?
  grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
}

# wait_for WHAT COMMAND...: until the command succeeds, or fails after a minute and a half.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 450); do
    ! "$@" || return 0
    sleep 0.2
  done
  tail -n 30 job.log "$BATS_FILE_TMPDIR"/cluster/*.log
  fail "$what did not come: $*"
}

logged() { grep -q -- "$1" job.log 2> /dev/null; }
over() { [ -z "$(on_node squeue -h -j "$1" -t PENDING,RUNNING,COMPLETING 2> /dev/null)" ]; }
epochs_done() { [ "$(wc -l < run/metrics.csv)" -gt "$1" ]; } 2> /dev/null

# submit OPTION OF SBATCH...: a job whose run would not end; its wires are slow, so that it takes few steps.
submit() {
  "$hosts" slow "$HOSTS" 20mbit
  echo "epochs = 1000000" > run.ini
  slurm_runs sbatch --parsable "${one_core[@]}" --output=job.log "$@" "$script" --config "$PWD/run.ini" \
    "${options[@]}" --out "$PWD/run"
  succeeds
  job=$output
}

# ends_as_uninterrupted EPOCHS: the job is to start a second time; it goes on, and ends after these as a run left alone.
ends_as_uninterrupted() {
  local epochs=$1
  echo "epochs = $epochs" > run.ini
  "$hosts" slow "$HOSTS" 10gbit
  wait_for "the second start" logged "job $job, start 2,"
  wait_for "the end" over "$job"
  logged "^resumed  after step" || fail "not resumed: $(cat job.log)"
  [ "$(wc -l < run/metrics.csv)" = $((epochs + 1)) ] || fail "epochs lack, or are there twice"
  alone train --quiet --epochs "$epochs" "${options[@]}" --out whole
  succeeds
  [ "$(grep '^digest' job.log)" = "$(last_line)" ] || fail "another digest: $(cat job.log)"
}

# The first, because slurmctld looks at time limits every 30 seconds from its start.
@test "train.sbatch with mpirun: the time limit nears, it leaves a checkpoint, queues again and ends as if left alone" {
  local job
  submit --time=1 --signal=B:USR2@20
  wait_for "the end of the first start" logged "ends with status 3 .* queues again"
  logged "stopped as asked after step" || fail "for another reason: $(cat job.log)"
  ends_as_uninterrupted $(($(wc -l < run/metrics.csv) + 9))
  logged "mpirun -np 2" || fail "not by mpirun"
}

@test "srun --mpi=pmix on two nodes: the digest of one process; without PMIx no rank trains by itself" {
  alone train --quiet --epochs 2 "${options[@]}"
  succeeds
  local digest
  digest=$(last_line)
  slurm_runs srun --nodes=2 --ntasks=2 "$MLPDIST" train --quiet --epochs 2 "${options[@]}" --out none
  [ "$status" != 0 ] && [ ! -e none ] || fail "two runs in one folder"
  on_node srun --mpi=list 2>&1 | grep -q pmix || skip "this Slurm has no PMIx"
  slurm_runs srun --mpi=pmix --nodes=2 --ntasks=3 "$MLPDIST" train --quiet --epochs 2 "${options[@]}"
  succeeds
  [ "$(last_line)" = "$digest" ] || fail "another digest than $digest"
  slurm_runs srun --mpi=pmix --nodes=2 --ntasks=2 "$MLPDIST" train --data none.h5
  fails_with 1 "on node1: none.h5: no such file"
}

@test "train.sbatch with srun: ranks are killed, it queues again and ends as if left alone" {
  on_node srun --mpi=list 2>&1 | grep -q pmix || skip "this Slurm has no PMIx"
  local job
  MLPDIST_LAUNCHER=srun MLPDIST_RETRY_SECONDS=0 submit
  wait_for "two epochs" epochs_done 2
  "$hosts" kill "$HOSTS" node2 mlpdist
  wait_for "the end of the first start" logged "ends with status 137 .* queues again"
  ends_as_uninterrupted $(($(wc -l < run/metrics.csv) + 9))
}

@test "srun passes SIGUSR2 on: a checkpoint, status 3" {
  on_node srun --mpi=list 2>&1 | grep -q pmix || skip "this Slurm has no PMIx"
  "$hosts" run "$HOSTS" node1 srun --mpi=pmix --nodes=2 --ntasks=2 "$MLPDIST" train --epochs 1000000 "${options[@]}" \
    > job.log 2> "$errors.all" 3>&- &
  local srun=$!
  wait_for "an epoch" epochs_done 1
  kill -USR2 "$srun"
  status=0
  wait "$srun" || status=$?
  grep -a '^mlpdist:' "$errors.all" > "$errors"
  fails_with 3 "stopped as asked after step" "--resume auto goes on from here"
}

@test "train.sbatch: what goes wrong is not queued again" {
  local job
  OMPI_MCA_odls_base_sigkill_timeout=0 \
    slurm_runs sbatch --parsable "${one_core[@]}" --output=job.log "$script" --data "$PWD/none.h5" --out "$PWD/run"
  job=$output
  wait_for "the end" over "$job"
  logged "none.h5: no such file" || fail "no message: $(cat job.log)"
  on_node scontrol show job "$job" | grep -q "JobState=FAILED .*" || fail "not failed"
  on_node scontrol show job "$job" | grep -q "Restarts=0" || fail "queued again"
  MLPDIST_LAUNCHER=ssh slurm_runs sbatch --parsable "${one_core[@]}" --output=job.log "$script"
  wait_for "the end" over "$output"
  logged "mpirun or srun, not ssh" || fail "no message: $(cat job.log)"
}
