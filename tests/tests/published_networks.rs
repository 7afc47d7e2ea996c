//! The networks that the authors published solve in this code what their names promise.
//!
//! The files are PyTorch checkpoints named `{curriculum}_{task}_{network}_N{largest N}.pt`; they
//! are not part of this repository. They are looked for in the folder that the environment
//! variable `TAU_REFERENCE_MODELS` names, or else in `shared/reference/models` beside the checkout;
//! without them the tests say so and pass.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::path::{Path, PathBuf};

use tau_random::{Key, Purpose};
use tau_rnn::{Backend, Batch, Config, Cpu, Initial, Params, thread_pool};
use tau_tasks::{Targets, TaskSpec};

const FOLDER: &str = "TAU_REFERENCE_MODELS";
const TRIALS: usize = 256;

/// What was computed from the files with NumPy 2.4.6 and PyTorch 2.8.0, without this code.
struct Known {
    file: &'static str,
    /// Mean and standard deviation (over n, not n − 1) of the 500 τ_raw.
    tau: [f64; 2],
    /// Mean accuracy over heads and 300 batches, in %.
    accuracy: f64,
    /// Four standard errors of the difference between that and our 100 batches, in %; for the
    /// networks that made no error, a few errors in ours.
    tolerance: f64,
}

const KNOWN: [Known; 4] = [
    Known {
        file: "cumulative_parity_1_N05",
        tau: [1.456_124_820_828_437_9, 0.302_535_998_747_843_3],
        accuracy: 100.0,
        tolerance: 0.05,
    },
    Known {
        file: "cumulative_parity_1_N09",
        tau: [1.404_950_511_574_745_2, 0.314_882_579_397_055_2],
        accuracy: 100.0,
        tolerance: 0.05,
    },
    Known {
        file: "single_parity_1_N05",
        tau: [1.472_468_920_469_284, 0.296_702_265_175_225_13],
        accuracy: 98.315,
        tolerance: 0.36,
    },
    Known {
        file: "single_parity_1_N09",
        tau: [1.448_032_675_147_056_5, 0.305_905_621_944_738_4],
        accuracy: 99.464,
        tolerance: 0.21,
    },
];

#[test]
fn a_published_network_solves_every_n_that_its_name_promises() {
    for network in published() {
        let memory = network.memory();
        let heads: Vec<usize> = (0..memory.len()).collect();
        let scores = network.scores(&memory, &heads, 100);
        for (n, score) in memory.iter().zip(&scores) {
            let accuracy = 100.0 * score;
            eprintln!("{}: N = {n}: {accuracy:.3} %", network.name);
            assert!(accuracy > 98.0, "{}: N = {n}: {accuracy} %", network.name);
        }
        if let Some(known) = network.known() {
            let mean = scores.iter().map(|score| 100.0 * score).sum::<f64>();
            let difference = mean / scores.len() as f64 - known.accuracy;
            assert!(
                difference.abs() < known.tolerance,
                "{}: {difference} % from PyTorch's",
                network.name
            );
        }
    }
}

/// Head i reads N = i + 2, and only the promised ones were trained. Always answering "even" is
/// right in 1/2 + 1/(2N + 2) of the trials for even N, at most 0.67: so 0.7 is no skill.
#[test]
fn the_head_behind_the_promised_ones_solves_nothing() {
    for network in published().into_iter().filter(Network::has_many_heads) {
        let n = network.largest + 1;
        let accuracy = network.scores(&[n], &[n - 2], 10)[0];
        assert!(accuracy < 0.7, "{}: N = {n}: {accuracy}", network.name);
    }
}

#[test]
fn the_published_time_constants_are_read_to_the_last_digit() {
    for network in published() {
        if let Some(known) = network.known() {
            let tau = network.params.tau.mapv(f64::from);
            for (found, expected) in [tau.mean().unwrap(), tau.std(0.0)].iter().zip(known.tau) {
                assert!((found - expected).abs() < 1e-12, "{}: {found}", network.name);
            }
        }
    }
}

/// A network and what its name says about it.
struct Network {
    name: String,
    curriculum: String,
    task: TaskSpec,
    largest: usize,
    params: Params<f32>,
}

impl Network {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('_').collect();
        let [curriculum, task, _, largest] = parts[..] else {
            panic!("{name}: not {{curriculum}}_{{task}}_{{network}}_N{{largest N}}");
        };
        Self {
            curriculum: curriculum.to_owned(),
            task: task.parse().unwrap(),
            largest: largest.strip_prefix('N').unwrap().parse().unwrap(),
            params: tau_exchange::read_pytorch(path).unwrap().params,
            name,
        }
    }

    /// `cumulative` is the authors' word for the multi-head curriculum.
    fn has_many_heads(&self) -> bool {
        match self.curriculum.as_str() {
            "cumulative" => true,
            "single" => false,
            other => panic!("{}: unknown curriculum: {other}", self.name),
        }
    }

    /// The N of head 0, 1, …
    fn memory(&self) -> Vec<usize> {
        if self.has_many_heads() { (2..=self.largest).collect() } else { vec![self.largest] }
    }

    fn known(&self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.file == self.name)
    }

    /// Mean accuracies over `batches` fresh batches, one for each N and the head that reads it.
    fn scores(&self, memory: &[usize], heads: &[usize], batches: u32) -> Vec<f64> {
        let task = self.task.with_memory(memory).unwrap().build().unwrap();
        let config = Config::leaky(self.params.hidden_size(), 1);
        let pool = thread_pool(None).unwrap();
        let mut cpu = Cpu::new(config, self.params.clone(), pool).unwrap();
        let mut means = vec![0.0; heads.len()];
        for k in 0..batches {
            let sample = task.batch(TRIALS, Key::new(0, Purpose::TestInputs).step(k)).unwrap();
            let Targets::Classes(labels) = &sample.targets else {
                panic!("{}: no classes", self.name);
            };
            let key = Key::new(0, Purpose::TestInitialState).step(k);
            let batch = Batch::classes(&sample.inputs, labels)
                .heads(heads)
                .starting(Initial::Uniform { scale: 0.1, key });
            for (mean, score) in means.iter_mut().zip(cpu.evaluate(&batch).unwrap().heads) {
                *mean += score.accuracy.unwrap() / f64::from(batches);
            }
        }
        means
    }
}

/// All networks in the folder, in the order of their names.
fn published() -> Vec<Network> {
    let named = std::env::var_os(FOLDER).map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/models");
    let folder = named.clone().unwrap_or(beside);
    let entries = std::fs::read_dir(&folder).into_iter().flatten();
    // A network before training (`…_init.pt`) promises no N.
    let promises = |path: &PathBuf| path.to_string_lossy().contains("_N");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pt"))
        .filter(promises)
        .collect();
    paths.sort();
    if paths.is_empty() {
        let message = format!("no published networks (*.pt) in {}", folder.display());
        // Whoever names a folder wants its networks tested.
        assert!(named.is_none(), "{message}: correct {FOLDER}");
        eprintln!("skipped: {message}; set {FOLDER} to a folder that has them");
    }
    paths.iter().map(|path| Network::read(path)).collect()
}
