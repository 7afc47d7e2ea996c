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
{tau} run {sweep} --out {out} --shard "$SLURM_ARRAY_TASK_ID/{shards}" --threads {cpus} \
    --device {device} &
task=$!
trap 'kill -USR1 $task' USR1
trap 'kill -TERM $task' TERM
# A signal ends a wait, not the task.
while kill -0 $task 2>/dev/null; do
    wait $task
    code=$?
done
if [ $code -eq 75 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
