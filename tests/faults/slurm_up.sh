#!/usr/bin/env bash
# slurm_up.sh DIR: start a Slurm cluster of one node, this machine, with two simulated GPUs. All files are
# written to the new folder DIR, except two links in /etc/slurm, which slurm_down.sh DIR removes.
#
# Requires root and Debian's packages, which it installs; no systemd, no database. If the cluster cannot or
# should not be started, the reason is printed and the exit status is 77.
set -euo pipefail

skip() {
    echo "$*"
    exit 77
}

dir=${1:?usage: slurm_up.sh DIR}
[ "$(id -u)" = 0 ] || skip "starting Slurm requires root"
command -v apt-get >/dev/null || skip "starting Slurm requires Debian's packages"
down=$(dirname "$0")/slurm_down.sh
for file in /etc/slurm/slurm.conf /etc/slurm/gres.conf; do
    old=$(dirname "$(readlink "$file")")
    if [ -e "$old/made-by-slurm_up" ]; then
        # Without its controller, every command of Slurm, and every start of Snakemake, waits for nine seconds.
        if [ "$(cat "/proc/$(cat "$old/slurmctld.pid" 2>/dev/null)/comm" 2>/dev/null)" = slurmctld ]; then
            skip "another cluster of these tests is running; if nothing uses it, end it with $down $old"
        fi
        "$down" "$old"
    elif [ -e "$file" ]; then
        skip "this machine already has a Slurm: $file"
    fi
done
if ! { command -v sbatch && command -v slurmctld && command -v munged; } >/dev/null; then
    {
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends slurm-wlm munge
    } >"$dir.apt.log" 2>&1 || skip "slurm-wlm and munge cannot be installed, see $dir.apt.log"
fi

mkdir -m 0755 "$dir"
dir=$(cd "$dir" && pwd)
touch "$dir/made-by-slurm_up"
mkdir "$dir/state" "$dir/spool"
# All users may use the socket, but only root may read the key.
mkdir -m 0711 "$dir/munge"
(umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")
# Slurm accepts only devices as GPUs, and takes the numbers in CUDA_VISIBLE_DEVICES from their names.
for i in 0 1; do
    mknod "$dir/nvidia$i" c 1 3 2>/dev/null || skip "devices cannot be created on this machine"
done
echo "Name=gpu File=$dir/nvidia[0-1]" >"$dir/gres.conf"

# - Eight CPUs and 64 GB are declared without a check, so that the small jobs run in parallel on any machine.
# - A job is requeued only when its credential has expired, by default after two minutes.
# - A finished job stays visible for an hour, since there is no database.
# - A job in `urgent` preempts one in `normal`, which is requeued at once if it allows that.
host=$(hostname -s)
cat >"$dir/slurm.conf" <<CONF
ClusterName=faults
SlurmctldHost=$host(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
JobRequeue=0
MinJobAge=3600
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=normal Nodes=$host Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=urgent Nodes=$host PriorityTier=10 PreemptMode=OFF
CONF
# Snakemake removes SLURM_CONF in its jobs, so that Slurm is found by the default path only.
ln -sf "$dir/slurm.conf" "$dir/gres.conf" /etc/slurm/

# --force, because DIR may be accessible to root only, but munged expects a socket accessible to all users.
munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/munged.pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
slurmctld
slurmd
for ((i = 0; i < 300; i++)); do
    [ "$(sinfo --noheader --partition normal --format %t 2>/dev/null)" = idle ] && exit 0
    sleep 0.2
done
echo "the node did not become idle within a minute:" >&2
tail -n 20 "$dir/slurmctld.log" "$dir/slurmd.log" >&2
exit 1
