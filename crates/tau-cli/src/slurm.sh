#!/bin/bash
# Written by tau submit. One task of the array is one shard of the sweep; a task that Slurm stops keeps
# its runs (SIGUSR1, exit code 75) and goes back into the queue.
#SBATCH --job-name={name}
#SBATCH --array={array}
#SBATCH --time={time}
#SBATCH --cpus-per-task={cpus}
#SBATCH --mem={memory}M
#SBATCH --signal=B:USR1@{notice}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={logs}/%A_%a.log
{options}
# Before there is a task to tell: a signal must find someone who knows what it means.
task= told= cancelled= signalled=
trap 'signalled=1 told=1; [ -z "$task" ] || kill -USR1 $task' USR1
trap 'signalled=1 cancelled=1; [ -z "$task" ] || kill -TERM $task' TERM
{tau} run {sweep} --out {out} --shard "$SLURM_ARRAY_TASK_ID/{shards}" --threads {cpus} \
    --device {device}{every} &
task=$!
[ -z "$told" ] || kill -USR1 $task
# A signal ends a wait, not the task; 127 is what a wait says of a task that it has spoken of before.
code=1
while :; do
    signalled=
    wait $task
    now=$?
    [ $now -eq 127 ] || code=$now
    [ -n "$signalled" ] || break
done
# Whom its time or another process stopped goes on; who was cancelled is not wanted back.
if [ -z "$cancelled" ] && { [ $code -eq 75 ] || { [ -n "$told" ] && [ $code -ne 0 ]; }; }; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ||
        echo "tau: kept, but not put back into the queue (scontrol failed): tau submit again goes on" >&2
fi
exit $code
