//! Rows of the table, on the terminal and as JSON.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use tau_rnn::Hardware;
use tau_runs::{Provenance, write_atomically};

use crate::machine;

/// Everything that was timed in one run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) commit: String,
    /// On all threads.
    pub(crate) fma_peak_gflops: f64,
    rows: Vec<Row>,
    /// On a GPU: what its kernels take of an update.
    updates: Vec<Parts>,
    /// Where it is written.
    #[serde(skip)]
    path: Option<PathBuf>,
}

/// One update on a GPU, taken apart. Times are in milliseconds.
#[derive(Serialize)]
pub(crate) struct Parts {
    pub(crate) hidden: usize,
    pub(crate) n: usize,
    pub(crate) steps: usize,
    pub(crate) weights: &'static str,
    /// With CUDA graphs, as it is done.
    pub(crate) with_graphs_ms: f64,
    /// Each step a launch of its own.
    pub(crate) singly_ms: f64,
    /// The longest first; each was waited for.
    pub(crate) kernels: Vec<Kernel>,
}

/// All launches of a kernel in one update.
#[derive(Serialize)]
pub(crate) struct Kernel {
    pub(crate) kernel: &'static str,
    pub(crate) launches: u64,
    pub(crate) ms: f64,
    /// Of the peak of fused multiply-adds; `null` for a kernel that is no product.
    pub(crate) peak_share: Option<f64>,
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hidden, n, steps, weights, with_graphs_ms, singly_ms, .. } = self;
        writeln!(
            f,
            "\nH = {hidden}, N = {n}, {steps} steps, {weights}: {with_graphs_ms:.3} ms with CUDA \
             graphs, {singly_ms:.3} ms launch by launch; kernel by kernel, each waited for:"
        )?;
        for Kernel { kernel, launches, ms, peak_share } in &self.kernels {
            let share = peak_share.map_or("-".to_owned(), |share| format!("{share:.2}"));
            writeln!(f, "{kernel:18} {launches:5} launches {ms:10.3} ms {share:>6} of the peak")?;
        }
        Ok(())
    }
}

/// One thing that was timed. Times are in milliseconds.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) device: &'static str,
    pub(crate) threads: usize,
    pub(crate) hidden: usize,
    /// Trials.
    pub(crate) batch: usize,
    /// N; `null` for a simulation.
    pub(crate) n: Option<usize>,
    /// Steps of a sequence, or of the simulation.
    pub(crate) steps: usize,
    pub(crate) weights: &'static str,
    pub(crate) ours_ms: f64,
    /// Rounds; `null` for what was timed once, and so are the quartiles over rounds.
    pub(crate) rounds: Option<usize>,
    pub(crate) ours_quartiles_ms: Option<[f64; 2]>,
    pub(crate) peer: Option<String>,
    pub(crate) peer_ms: Option<f64>,
    pub(crate) peer_quartiles_ms: Option<[f64; 2]>,
    /// `peer_ms / ours_ms`.
    pub(crate) ratio: Option<f64>,
    /// Peak of fused multiply-adds on the same threads, measured before and after the row.
    pub(crate) peak_gflops: Option<[f64; 2]>,
    /// Share of the larger of them.
    pub(crate) peak_share: Option<f64>,
    pub(crate) peak_rss_mb: Option<f64>,
}

impl Report {
    /// Written at once if it has a path: before anything is timed for it.
    pub(crate) fn new(hardware: Hardware, threads: usize, path: Option<PathBuf>) -> Result<Self> {
        let Provenance { device, commit, .. } =
            Provenance::here(env!("CARGO_PKG_VERSION"), env!("TAU_COMMIT"), hardware, threads)?;
        let report = Self {
            machine: device,
            commit,
            fma_peak_gflops: machine::fma_peak_gflops(hardware, threads)?,
            rows: Vec::new(),
            updates: Vec::new(),
            path,
        };
        report.write()?;
        Ok(report)
    }

    /// Shows a row and writes all of them.
    pub(crate) fn keep(&mut self, row: Row) -> Result<()> {
        println!("{row}");
        self.rows.push(row);
        self.write()
    }

    /// [`Report::keep`] for an update taken apart.
    pub(crate) fn keep_parts(&mut self, parts: Parts) -> Result<()> {
        print!("{parts}");
        self.updates.push(parts);
        self.write()
    }

    fn write(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_string_pretty(self)?;
        Ok(write_atomically(path, (text + "\n").as_bytes())?)
    }
}

impl Row {
    pub(crate) const HEADER: &str = "what      threads     H     N  steps weights     ours ms   ±%  \
                                     \u{20}  peer ms   ±%  ratio   peak  memory MB";

    /// Half of the distance of the quartiles, in percent of the median.
    fn spread(median: f64, quartiles: Option<[f64; 2]>) -> Option<f64> {
        quartiles.map(|[low, high]| 50.0 * (high - low) / median)
    }

    /// Whether the machine did something else: the peak moved, or our times are far apart.
    fn is_disturbed(&self) -> bool {
        let moved = self.peak_gflops.is_some_and(|[a, b]| (a - b).abs() > 0.05 * a.max(b));
        moved || Self::spread(self.ours_ms, self.ours_quartiles_ms).is_some_and(|s| s > 5.0)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let percent = |value: Option<f64>| or_dash(value.map(|value| format!("{value:.1}")));
        write!(
            f,
            "{:9} {:7} {:5} {:>5} {:6} {:8} {:10.2} {:>4} {:>11} {:>4} {:>6} {:>6} {:>10}",
            self.what,
            self.threads,
            self.hidden,
            or_dash(self.n.map(|n| n.to_string())),
            self.steps,
            self.weights,
            self.ours_ms,
            percent(Self::spread(self.ours_ms, self.ours_quartiles_ms)),
            or_dash(self.peer_ms.map(|ms| format!("{ms:.2}"))),
            percent(self.peer_ms.and_then(|ms| Self::spread(ms, self.peer_quartiles_ms))),
            or_dash(self.ratio.map(|ratio| format!("{ratio:.2}"))),
            or_dash(self.peak_share.map(|share| format!("{share:.2}"))),
            or_dash(self.peak_rss_mb.map(|mb| format!("{mb:.0}"))),
        )?;
        match (self.is_disturbed(), self.peer.as_deref().filter(|_| self.device == "cuda")) {
            (true, _) => f.write_str("  disturbed: time it again"),
            (false, Some(peer)) => write!(f, "  {peer}"),
            (false, None) => Ok(()),
        }
    }
}

/// How long a row is timed.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) seconds: f64,
    /// Rounds, unless they take too long.
    pub(crate) wanted: usize,
}

/// Rounds of even the longest row.
const LEAST: usize = 3;
/// Seconds after which these must do.
const PATIENCE: f64 = 30.0;

/// Milliseconds of both sides, round by round.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) ours: Vec<f64>,
    pub(crate) peer: Vec<f64>,
}

impl Rounds {
    /// Lets both sides take turns until the time is over.
    pub(crate) fn run(
        self,
        mut ours: impl FnMut() -> Result<f64>,
        mut peer: impl FnMut() -> Result<Option<f64>>,
    ) -> Result<Times> {
        let (start, mut times) = (Instant::now(), Times::default());
        let goes_on = |rounds: usize, seconds: f64| {
            seconds < self.seconds || rounds < LEAST || (rounds < self.wanted && seconds < PATIENCE)
        };
        while goes_on(times.ours.len(), start.elapsed().as_secs_f64()) {
            times.ours.push(ours()?);
            if let Some(milliseconds) = peer()? {
                times.peer.push(milliseconds);
                // Its threads spin for a while before they sleep: that is not our time.
                std::thread::sleep(Duration::from_millis(300));
            }
        }
        Ok(times)
    }
}

/// Median and quartiles, between neighbours where they fall there; of nothing there are none.
pub(crate) fn quartiles(values: &[f64]) -> Option<[f64; 3]> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some([0.25, 0.5, 0.75].map(|share| {
        let place = last as f64 * share;
        let (low, rest) = (place.floor() as usize, place.fract());
        values[low] + rest * (values[(low + 1).min(last)] - values[low])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_values() {
        assert_eq!(quartiles(&[]), None);
        assert_eq!(quartiles(&[3.0]), Some([3.0, 3.0, 3.0]));
        assert_eq!(quartiles(&[2.0, 1.0]), Some([1.25, 1.5, 1.75]));
        assert_eq!(quartiles(&[5.0, 1.0, 4.0, 2.0, 3.0]), Some([2.0, 3.0, 4.0]));
    }

    #[test]
    fn both_sides_take_turns_at_least_so_often() -> Result<()> {
        let order = std::cell::RefCell::new(Vec::new());
        let rounds = Rounds { seconds: 0.0, wanted: 4 };
        let ours = || {
            order.borrow_mut().push("ours");
            Ok(1.0)
        };
        let peer = || {
            order.borrow_mut().push("peer");
            Ok(Some(2.0))
        };
        let times = rounds.run(ours, peer)?;
        assert_eq!((times.ours, times.peer), (vec![1.0; 4], vec![2.0; 4]));
        assert_eq!(order.into_inner(), ["ours", "peer"].repeat(4));
        Ok(())
    }

    #[test]
    fn a_row_without_a_peer_has_dashes() {
        let row = Row {
            what: "update",
            device: "cpu",
            threads: 2,
            hidden: 100,
            batch: 256,
            n: Some(5),
            steps: 14,
            weights: "fresh",
            ours_ms: 1.234,
            rounds: None,
            ours_quartiles_ms: None,
            peer: None,
            peer_ms: None,
            peer_quartiles_ms: None,
            ratio: None,
            peak_gflops: None,
            peak_share: Some(0.5),
            peak_rss_mb: None,
        };
        let text = row.to_string();
        let cells: Vec<_> = text.split_whitespace().collect();
        let expected =
            ["update", "2", "100", "5", "14", "fresh", "1.23", "-", "-", "-", "-", "0.50", "-"];
        assert_eq!(cells, expected);
        assert_eq!(text.chars().count(), Row::HEADER.chars().count());
    }
}
