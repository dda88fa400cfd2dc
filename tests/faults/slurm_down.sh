#!/usr/bin/env bash
# slurm_down.sh DIR: stop the cluster that slurm_up.sh DIR started, and remove its links in /etc/slurm.
set -uo pipefail

dir=$(cd "${1:?usage: slurm_down.sh DIR}" && pwd) || exit

# Terminate the process of a PID file, and wait until it has ended.
end() {
    local name=$1 pid
    pid=$(cat "$2" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || return 0
    kill "$pid"
    for ((i = 0; i < 100; i++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid"
}

if [ "$(readlink /etc/slurm/slurm.conf)" = "$dir/slurm.conf" ]; then
    scancel --user=root --full --signal=KILL 2>/dev/null
    scancel --user=root 2>/dev/null
    for ((i = 0; i < 100; i++)); do
        [ -z "$(squeue --noheader --states=running,completing,suspended 2>/dev/null)" ] && break
        sleep 0.1
    done
fi
end slurmd "$dir/slurmd.pid"
end slurmctld "$dir/slurmctld.pid"
end munged "$dir/munge/munged.pid"
for name in slurm.conf gres.conf; do
    if [ "$(readlink "/etc/slurm/$name")" = "$dir/$name" ]; then rm "/etc/slurm/$name"; fi
done
