//! What runs will need, before they begin.

mod outline;
mod probe;

use std::collections::{BTreeMap, HashMap};

use tau_rnn::{Cell, Rule, thread_pool};
use tau_training::{Data, TrainingSpec};

use crate::{Error, Run, State};
use outline::Outline;
use probe::seconds_per_step;

/// Memory, disk, time of some runs, and how best to share out the threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Memory of the runs in flight, those with the most, in bytes: networks, work space, the bytes of
    /// a state while it is written, fixed data sets.
    pub memory_bytes: usize,
    /// Files of all runs at their end, in bytes.
    pub disk_bytes: usize,
    /// Seconds of training if every run used all its epochs, in equal parts for each of its stages.
    pub about_s: f64,
    /// Runs side by side that take the least time in all.
    pub jobs: usize,
}

/// Sizes that are timed, at most.
const MOST_PROBES: usize = 8;
/// Bytes of a number.
const NUMBER: usize = size_of::<f32>();

impl Forecast {
    /// Times a few updates, for `probe_s` seconds or so, of one unfinished run of each size, alone on a
    /// thread and on all of them, and scales by the work of all.
    ///
    /// # Errors
    /// The errors of the core and of the task; a run without a device.
    pub fn of(runs: &[&Run], threads: usize, probe_s: f64) -> Result<Self, Error> {
        let mut outlines = Outlines::default();
        let mut unfinished = Vec::new();
        for run in runs.iter().filter(|run| is_unfinished(run)) {
            unfinished.push((*run, outlines.of(run.spec())?));
        }
        let side_by_side = threads.min(unfinished.len()).max(1);
        let (jobs, about_s) = time(&unfinished, threads, side_by_side, probe_s)?;
        let mut memory = Vec::new();
        for (run, outline) in &unfinished {
            memory.push(memory_of(run, outline)?);
        }
        memory.sort_unstable_by(|a, b| b.cmp(a));
        let disk = unfinished.iter().map(|(run, outline)| disk_of(run.spec(), outline));
        Ok(Self {
            memory_bytes: memory.iter().take(jobs).sum(),
            disk_bytes: disk.sum(),
            about_s,
            jobs,
        })
    }
}

fn is_unfinished(run: &Run) -> bool {
    let status = run.status().ok().flatten();
    status.is_none_or(|status| status.state == State::Unfinished)
}

/// The outlines of stages: many runs have the same ones.
#[derive(Default)]
struct Outlines(HashMap<String, Outline>);

impl Outlines {
    fn of(&mut self, spec: &TrainingSpec) -> Result<Outline, Error> {
        let name = format!("{:?} {:?}", spec.task, spec.schedule);
        if let Some(outline) = self.0.get(&name) {
            return Ok(outline.clone());
        }
        let outline = Outline::of(spec)?;
        self.0.insert(name, outline.clone());
        Ok(outline)
    }
}

/// Runs side by side, and the seconds of all runs.
fn time(
    unfinished: &[(&Run, Outline)],
    threads: usize,
    side_by_side: usize,
    probe_s: f64,
) -> Result<(usize, f64), Error> {
    // The largest work first: it decides how the threads are shared out.
    let mut sizes: BTreeMap<String, (f64, &(&Run, Outline))> = BTreeMap::new();
    for one in unfinished {
        let spec = one.0.spec();
        let work = step_count(spec, &one.1) * per_step(spec);
        sizes.entry(size_of_work(spec)).or_insert((0.0, one)).0 += work;
    }
    let mut sizes: Vec<(f64, &(&Run, Outline))> = sizes.into_values().collect();
    sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Some((_, (first, outline))) = sizes.first() else { return Ok((1, 0.0)) };
    let probe_s = probe_s / (2 * sizes.len().min(MOST_PROBES)) as f64;
    let share = thread_pool(Some((threads / side_by_side).max(1)))?;
    let all = thread_pool(Some(threads))?;
    let mut jobs = side_by_side;
    let mut seconds = seconds_per_step(first, outline, &share, probe_s)? / side_by_side as f64;
    if side_by_side > 1 {
        let together = seconds_per_step(first, outline, &all, probe_s)?;
        // Side by side unless it is clearly slower: who waits for nobody wins in the long run.
        if together < 0.9 * seconds {
            (jobs, seconds) = (1, together);
        }
    }
    let pool = if jobs == 1 { &all } else { &share };
    // Seconds by unit of work; a size that is not timed is taken for one like the last that was.
    let mut pace = seconds / per_step(first.spec());
    let mut about_s = 0.0;
    for (index, (work, (run, outline))) in sizes.iter().enumerate() {
        if (1..MOST_PROBES).contains(&index) {
            let seconds = seconds_per_step(run, outline, pool, probe_s)? / jobs as f64;
            pace = seconds / per_step(run.spec());
        }
        about_s += work * pace;
    }
    Ok((jobs, about_s))
}

/// Runs of one size take the same time for a step.
fn size_of_work(spec: &TrainingSpec) -> String {
    let (network, task) = (&spec.network, spec.task.name());
    format!("{} {} {} {task}", network.cell, network.hidden_size, spec.batch_size)
}

/// Work of a time step of an update, in multiplications of W.
fn per_step(spec: &TrainingSpec) -> f64 {
    let network = &spec.network;
    // Besides W a neuron costs as much as some ten more connections.
    spec.batch_size as f64 * network.gate_rows() as f64 * (network.hidden_size as f64 + 10.0)
}

/// Time steps of all updates of a run whose epochs are shared out evenly among its stages, at every k
/// of it; a test batch costs a third of an update.
fn step_count(spec: &TrainingSpec, outline: &Outline) -> f64 {
    let tests = spec.data.test_batches(spec.batch_size) as f64;
    let updates = spec.updates_per_epoch() as f64 + tests / 3.0;
    let held: f64 = spec.time_steps().into_iter().map(f64::from).sum();
    spec.max_epochs as f64 * updates * held * outline.mean_steps
}

/// Numbers of a network with so many outputs in all.
fn numbers(spec: &TrainingSpec, outputs: usize) -> usize {
    let network = &spec.network;
    let (rows, hidden) = (network.gate_rows(), network.hidden_size);
    let tau = if matches!(network.cell, Cell::Leaky(_)) { hidden } else { 0 };
    // W, the input weights, two biases.
    tau + rows * (hidden + network.input_size + 2) + outputs * (hidden + 1)
}

/// Copies of the numbers that an optimiser keeps besides them.
fn memories(spec: &TrainingSpec) -> usize {
    if matches!(spec.optimiser.rule, Rule::Adam { .. }) { 2 } else { 1 }
}

/// Copies of a state while it is written: as numbers, as arrays of bytes, as the file (which grows by
/// doubling). Peaks of memory were measured for networks of 2000 to 4096 neurons of every cell.
const STATES: usize = 4;

/// Bytes of memory of a run in training: work space, parameters, gradient, the optimiser's memory; a
/// state while it is written; a fixed data set, twice while it is drawn; a batch.
fn memory_of(run: &Run, outline: &Outline) -> Result<usize, Error> {
    let spec = run.spec();
    let held = spec.time_steps().into_iter().max().unwrap_or(1) as usize;
    let steps = held * outline.most_steps;
    let space = run.known_hardware()?.workspace_bytes(
        &spec.network,
        steps,
        spec.batch_size,
        outline.outputs,
        outline.every_step,
    );
    let state = NUMBER * numbers(spec, outline.outputs) * (1 + memories(spec));
    let network = state + NUMBER * numbers(spec, outline.outputs);
    let values = if outline.every_step { outline.outputs } else { 0 };
    let step = NUMBER * spec.batch_size * (spec.network.input_size + values);
    let data = match spec.data {
        Data::Fresh { .. } => 0,
        Data::Fixed { .. } => 2 * outline.data_bytes(spec),
    };
    Ok(space + network + STATES * state + 2 * steps * step + data)
}

/// Bytes on the disk: a checkpoint for each stage, for each epoch that is kept and for the last one, two
/// states with the optimiser's memory, a table.
fn disk_of(spec: &TrainingSpec, outline: &Outline) -> usize {
    let cell = numbers(spec, 0);
    let head = spec.network.hidden_size + 1;
    let largest = cell + outline.outputs * head;
    let kept = spec.keep_every.map_or(0, |every| spec.max_epochs / every.max(1)) + 1;
    let stages = outline.stages as f64 * cell as f64 + outline.all_outputs * head as f64;
    let states = 2 * (1 + memories(spec)) * largest;
    let rows = spec.max_epochs as f64 * outline.mean_heads;
    NUMBER * (stages as usize + kept * largest + states) + 90 * rows as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_rnn::{Cell, Config, Hardware, Optimiser};
    use tau_tasks::TaskSpec;

    fn forecast(spec: TrainingSpec) -> Forecast {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::open(folder.path(), spec, Hardware::Cpu).unwrap();
        Forecast::of(&[&run], 1, 0.01).unwrap()
    }

    fn plain(neurons: usize) -> TrainingSpec {
        TrainingSpec {
            batch_size: 4,
            ..TrainingSpec::plain(TaskSpec::parity(&[2]), neurons, 0).unwrap()
        }
    }

    /// Parameters, gradient, the optimiser's memory, and the bytes of a state while it is written: a
    /// task of a cluster was killed at its first checkpoint when only the work space was counted.
    #[test]
    fn memory_counts_every_copy_of_the_network() {
        for (network, optimiser, least) in [
            (Config::leaky(1000, 1), Optimiser::nesterov(), 3 + 3 * 2),
            (Config::leaky(1000, 1), Optimiser::adam(), 4 + 3 * 3),
            (Config::new(Cell::Lstm, 500, 1), Optimiser::adam(), 4 + 3 * 3),
        ] {
            let matrix = 4 * network.gate_rows() * network.hidden_size;
            let (network, optimiser) = (network.clone(), optimiser);
            let found = forecast(TrainingSpec { network, optimiser, ..plain(8) }).memory_bytes;
            assert!(found > least * matrix && found < 2 * least * matrix, "{found} of {matrix}");
        }
    }

    #[test]
    fn memory_counts_a_fixed_data_set() {
        let spec = TrainingSpec::plain("flip-flop".parse().unwrap(), 8, 0).unwrap();
        let fresh = forecast(spec.clone()).memory_bytes;
        let set = 5000 * 1010 * 3 * 4;
        let fixed = forecast(spec.with_fixed_data(5000, 8, 1)).memory_bytes;
        assert!(fixed > fresh + set, "{fixed} {fresh}");
    }

    #[test]
    fn disk_counts_every_checkpoint() {
        let kept = TrainingSpec { keep_every: Some(1), ..plain(100) };
        let (few, many) = (forecast(plain(100)).disk_bytes, forecast(kept).disk_bytes);
        // 100 epochs, a network of 10 000 weights each.
        assert!(many > few + 100 * 4 * 10_000 && few > 6 * 4 * 10_000, "{few} {many}");
    }
}
