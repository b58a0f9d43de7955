# early: it sleeps most of the time, and would keep cores idle at the end.
# shellcheck disable=SC2154 # variables of helper.bash and background.bash
# Several hosts (created by tests/hosts): the same bits as on one, and failures of hosts and network connections.

load helper
load background

hosts=$BATS_TEST_DIRNAME/hosts
options=(--quiet --hidden "256,64" --lanes 4 --batch 64 --seed 3 --threads 1)

setup_file() {
  load helper
  export HOSTS='' why='hosts and schedulers are tested with the build without sanitizers'
  ! is_sanitized || return 0
  why=$("$hosts" possible) || return 0
  HOSTS=mlpd$$
  # Keepalives: how soon mpirun takes a host that answers nothing for lost. It need not give ranks seconds to end.
  export TMPDIR=$BATS_FILE_TMPDIR OMPI_MCA_plm_rsh_agent=$hosts HWLOC_HIDE_ERRORS=2 \
    OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=5 \
    OMPI_MCA_odls_base_sigkill_timeout=0
  "$hosts" make "$HOSTS" 4
  # A run of some seconds on hosts, however fast they are: long enough to break something in its middle.
  local started milliseconds
  cd "$BATS_FILE_TMPDIR" || return 1
  launch_on node1:1,node2:1,node3:1 train --epochs 2 "${options[@]}" --out measured
  started=$(date +%s%N)
  launch_on node1:1,node2:1,node3:1 train --epochs 22 "${options[@]}" --out measured
  milliseconds=$((($(date +%s%N) - started) / 1000000))
  export EPOCHS=$((22 * 3000 / milliseconds + 20))
  alone train --epochs "$EPOCHS" "${options[@]}" --out whole
  last_line > digest
}

teardown_file() { [ -z "$HOSTS" ] || "$hosts" remove "$HOSTS"; }

setup() {
  [ -n "$HOSTS" ] || skip "$why"
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ -z "$HOSTS" ] || for node in node1 node2 node3 node4; do
    "$hosts" mend "$HOSTS" $node
    "$hosts" kill "$HOSTS" $node
  done
}

# mpirun_on HOST:RANKS,...: the words that start mpirun on node1.
mpirun_on() {
  local ranks=0 part
  for part in ${1//,/ }; do ranks=$((ranks + ${part#*:})); done
  launcher=("$hosts" run "$HOSTS" node1 mpirun --timeout "$hang_after" --bind-to none -np "$ranks" -H "$1")
}

# launch_on HOST:RANKS,... ARGUMENT...: as launch.
launch_on() {
  local launcher
  mpirun_on "$1"
  shift
  status=0
  output=$("${launcher[@]}" "$MLPDIST" "$@" 2> "$errors.all") || status=$?
  grep -a '^mlpdist:' "$errors.all" | grep -av '^mlpdist: note:' > "$errors" || true
}

# begin_on HOST:RANKS,... ARGUMENT...: a run of the measured length, as begin; returns when it has left a checkpoint.
begin_on() {
  local launcher
  mpirun_on "$1"
  shift
  rm -f printed told
  "${launcher[@]}" "$MLPDIST" train --epochs "$EPOCHS" "${options[@]}" --out run --checkpoint-every 40 --keep 1000 "$@" \
    > printed 2> told 3>&- &
  run=$!
  until_true has_checkpoint run
}

is_told() { grep -q "$1" told; }

has_digest() { [ "$(last_line)" = "$(cat "$BATS_FILE_TMPDIR/digest")" ] || fail "another digest than on one host"; }

# goes_on_from_checkpoint HOST:RANKS,...
goes_on_from_checkpoint() {
  launch_on "$1" train --epochs "$EPOCHS" "${options[@]}" --out run --resume auto
  succeeds
  has_digest
  [ "$(wc -l < run/metrics.csv)" = $((EPOCHS + 1)) ] || fail "epochs lack, or are there twice"
}

@test "ranks run on the hosts they are sent to, and see each other under their names" {
  local launcher
  mpirun_on node1:2,node2:1,node4:1
  [ "$("${launcher[@]}" hostname | sort | xargs)" = "node1 node1 node2 node4" ]
  launch_on node1:1,node2:1 train --data "$PWD/none.h5"
  fails_with 1 "on node1: $PWD/none.h5: no such file"
}

@test "2, 3 and 4 hosts, uneven shares, fast wires and slow ones: the digest of one host" {
  local where
  alone train "${options[@]}" --epochs 4
  succeeds
  local digest
  digest=$(last_line)
  for where in node1:1,node2:1 node1:2,node3:1 node1:1,node2:1,node3:1 node4:1,node1:2,node2:1 \
    node1:1,node2:1,node3:1,node4:1; do
    launch_on $where train "${options[@]}" --epochs 4
    succeeds
    [ "$(last_line)" = "$digest" ] || fail "$where: another digest than $digest"
  done
  "$hosts" slow "$HOSTS" 1gbit
  launch_on node1:1,node2:1,node3:1,node4:1 train "${options[@]}" --epochs 4
  succeeds
  digest=$(last_line)
  "$hosts" slow "$HOSTS" 10gbit
  alone train "${options[@]}" --epochs 4
  [ "$(last_line)" = "$digest" ] || fail "slow wires: another digest than $digest"
}

@test "ranks of one host killed: the run ends, and goes on elsewhere to the same end" {
  begin_on node1:1,node2:2
  "$hosts" kill "$HOSTS" node2 mlpdist
  end
  [ "$status" != 0 ] && [ "$status" != 3 ] || fail "as if nothing had been"
  grep -q "node2 exited on signal 9" told || fail "the host is not named"
  goes_on_from_checkpoint node1:1,node3:1,node4:1
}

@test "a host dies: the run ends, and goes on elsewhere to the same end" {
  begin_on node1:1,node2:1,node3:1
  "$hosts" kill "$HOSTS" node3
  end
  [ "$status" != 0 ] && [ "$status" != 3 ] || fail "as if nothing had been"
  grep -q "node3" told || fail "the host is not named"
  goes_on_from_checkpoint node1:1,node2:1
}

@test "a wire cut for seconds: rank and host are named, and the run goes on as if nothing had been" {
  OMPI_MCA_oob_tcp_keepalive_time=300 begin_on node1:1,node2:1,node3:1 --stall-timeout 1
  "$hosts" cut "$HOSTS" node3
  until_true is_told "note: rank 2 on node3: 2 other ranks have waited [0-9]* s for it at step"
  "$hosts" mend "$HOSTS" node3
  end
  succeeds
  is_told "note: all ranks respond again after .* s: the run continues" || fail "not told"
  has_digest
}

@test "a wire cut for good: the run ends here and there, and goes on without the host to the same end" {
  # mpirun misses the host after 5 to 8 s, before the ranks would end the run. Whether a note on the wait, as above, comes
  # before that depends on how busy the machine is.
  begin_on node1:1,node2:1,node3:1 --stall-abort 15
  "$hosts" cut "$HOSTS" node3
  end
  [ "$status" != 0 ] && [ "$status" != 3 ] || fail "as if nothing had been"
  is_told "lost communication with a remote daemon" || fail "mpirun does not say why"
  is_told "Remote daemon:.*node3" || fail "mpirun does not name the host"
  goes_on_from_checkpoint node1:1,node2:1
  # Where no word of it arrives the rank ends itself.
  local i
  for ((i = 0; i < 600; i++)); do
    [ -n "$("$hosts" processes "$HOSTS" node3 mlpdist)" ] || return 0
    sleep 0.1
  done
  fail "a rank is left on the host that was cut off"
}
