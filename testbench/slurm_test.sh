#!/usr/bin/env bash
# The deep test of `deltatwin explore --slurm`: starts Slurm on this machine alone (as root), sweeps 10
# million points in 4 shards, kills one task in the middle, and holds the merged result against that of
# a single run. Takes about two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
source testbench/setup.sh

install_packages slurmctld slurmd slurm-client munge sqlite3
build_release deltatwin

work=$(mktemp -d /tmp/deltatwin-slurm.XXXXXX)
chmod 711 "$work"
host=$(hostname -s)
stop_slurm() {
  for daemon in slurmd slurmctld munged; do
    [ -e "$work/$daemon.pid" ] && kill "$(cat "$work/$daemon.pid")" 2>/dev/null || true
  done
  sleep 1
  rm -rf "$work"
}
trap stop_slurm EXIT

step "starting Slurm in $work"
mkdir -m 711 "$work/munge"
mkdir "$work/state" "$work/spool"
dd if=/dev/urandom of="$work/munge/key" bs=1 count=1024 status=none
chmod 400 "$work/munge/key"
munged --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munge/log" --seed-file="$work/munge/seed"
cat >"$work/slurm.conf" <<EOF
ClusterName=deltatwin
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/munge/socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$work/slurm.conf
slurmctld -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF" -N "$host"
for _ in $(seq 30); do
  sinfo --noheader --format %T 2>/dev/null | grep -q idle && break
  sleep 1
done
sinfo

deltatwin=$PWD/build/release/deltatwin
space=$PWD/traces/spaces/ten_million.json
cd "$work"
step "a single run"
"$deltatwin" explore "$space" --out whole >whole.txt
step "4 shards by Slurm, of which one is killed"
"$deltatwin" explore "$space" --out parts --slurm 4 --threads 1 >parts.txt &
explorer=$!
victim=
for _ in $(seq 600); do
  # Past its first chunk: the journal grows from then on.
  if [ "$(stat -c %s parts.shard-2-of-4.sqlite-wal 2>/dev/null || echo 0)" -gt 200000 ]; then
    victim=$(pgrep -f -- 'deltatwin explore .*--shard 2/4' | head -1)
    kill -9 "$victim"
    while kill -0 "$victim" 2>/dev/null; do sleep 0.1; done
    break
  fi
  sleep 0.1
done
[ -n "$victim" ] || { echo "found no task to kill" >&2; exit 1; }
for suffix in "" -wal; do # a copy: recovering the original is up to deltatwin
  cp "parts.shard-2-of-4.sqlite$suffix" "killed.sqlite$suffix"
done
done_then=$(sqlite3 killed.sqlite 'select count(*) from chunks')
echo "killed process $victim of shard 2/4 after $done_then chunks"
wait "$explorer"

step "comparing"
for result in whole parts; do
  sqlite3 "$result.sqlite" .dump >"$result.sql"
done
cmp whole.sql parts.sql
cmp whole.csv parts.csv
test "$done_then" -gt 0
test "$done_then" -lt "$(sqlite3 parts.shard-2-of-4.sqlite 'select count(*) from chunks')"
echo "equal: $(sqlite3 whole.sqlite 'select count(*) from points') designs, $(sqlite3 whole.sqlite 'select count(*) from front') on the front"
