#!/usr/bin/env bash
# slurm_up.sh DIR: start a cluster of one node, this machine, with two GPUs that do not exist. Everything it
# writes lies in the new folder DIR, except two links in /etc/slurm, which slurm_down.sh DIR removes.
#
# Wants root and Debian's packages, which it installs; no systemd, no database. Where it cannot or should not
# work it says why and ends with 77.
set -euo pipefail

skip() {
    echo "$*"
    exit 77
}

dir=${1:?usage: slurm_up.sh DIR}
[ "$(id -u)" = 0 ] || skip "a Slurm of one's own takes root"
command -v apt-get >/dev/null || skip "a Slurm of one's own takes Debian's packages"
down=$(dirname "$0")/slurm_down.sh
for file in /etc/slurm/slurm.conf /etc/slurm/gres.conf; do
    old=$(dirname "$(readlink "$file")")
    if [ -e "$old/made-by-slurm_up" ]; then
        skip "there is another cluster of this kind; if nothing uses it, end it with $down $old"
    elif [ -e "$file" ]; then
        skip "this machine has a Slurm already: $file"
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
# The socket is for everyone, the key for nobody else.
mkdir -m 0711 "$dir/munge"
(umask 077 && head -c 1024 /dev/urandom >"$dir/munge/key")
# Slurm takes nothing but devices for GPUs, and numbers CUDA_VISIBLE_DEVICES after their names.
for i in 0 1; do
    mknod "$dir/nvidia$i" c 1 3 2>/dev/null || skip "this machine does not let devices be made"
done
echo "Name=gpu File=$dir/nvidia[0-1]" >"$dir/gres.conf"

# - Eight CPUs and 64 GB are claimed, not checked: the jobs are small, and should run beside each other anywhere.
# - A job is requeued only when its credential has expired, by default after two minutes.
# - A finished job stays visible for an hour, without a database.
# - A job in `urgent` takes the place of one in `normal`, which is requeued without grace if it wants that.
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
# What runs within a job finds Slurm by the default path alone: Snakemake removes SLURM_CONF there.
ln -sf "$dir/slurm.conf" "$dir/gres.conf" /etc/slurm/

# By force, since it wants a socket that every user can reach, and DIR may be one that only root can.
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
