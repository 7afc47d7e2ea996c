//! How long a run, and all of them, will still take.

use tau_runs::{State, Status};
use tau_training::{EpochReport, Milestone, TrainingSpec};

/// What is known of one run's speed.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    max_epochs: usize,
    epochs: usize,
    /// How far a curriculum over N is; `None` where there is none.
    ladder: Option<Ladder>,
    /// Seconds of training, over all starts.
    wall_s: f64,
    /// Seconds of the last epoch.
    epoch_s: f64,
    ended: bool,
}

/// How far a curriculum over N is.
#[derive(Clone, Copy, Debug)]
struct Ladder {
    /// The first N that is learned.
    start: usize,
    /// The last one.
    end: usize,
    /// The one that is learned now.
    n: usize,
}

impl Pace {
    /// `status` is where the run stood before this call.
    pub(crate) fn new(spec: &TrainingSpec, status: Option<&Status>) -> Self {
        let epochs = status.map_or(0, |status| status.epochs);
        let wall_s = status.map_or(0.0, |status| status.wall_s);
        let reached = status.and_then(|status| Milestone(status.reached.clone()?).memory());
        let ladder = spec.schedule.range().map(|(start, end)| {
            let n = reached.map_or(start, |n| (n + 1).max(start));
            Ladder { start, end, n }
        });
        Self {
            max_epochs: spec.max_epochs,
            epochs,
            ladder,
            wall_s,
            // The mean so far, until an epoch of this call says better.
            epoch_s: wall_s / epochs.max(1) as f64,
            ended: status.is_some_and(|status| status.state != State::Unfinished),
        }
    }

    pub(crate) fn epoch_ended(&mut self, report: &EpochReport, wall_s: f64) {
        self.epoch_s = wall_s - self.wall_s;
        self.wall_s = wall_s;
        self.epochs = report.epoch;
        if let (Some(ladder), Some(n)) = (&mut self.ladder, report.stage.n_max()) {
            ladder.n = n + usize::from(report.solved);
        }
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn epochs(&self) -> usize {
        self.epochs
    }

    /// Seconds to the end: of all epochs that are left, or until the last N is solved, if N grows on as
    /// it did and an epoch's time with it; `None` before the first epoch.
    pub(crate) fn left_s(&self) -> Option<f64> {
        if self.ended {
            return Some(0.0);
        }
        if self.epochs == 0 {
            return None;
        }
        let budget = self.max_epochs.saturating_sub(self.epochs) as f64;
        let Some(Ladder { start, end, n }) = self.ladder else {
            return Some(budget * self.epoch_s);
        };
        let rate = n.saturating_sub(start) as f64 / self.epochs as f64;
        let to_end = (end + 1).saturating_sub(n) as f64 / rate;
        let epochs = budget.min(to_end);
        // Time is in proportion to the steps of a sequence, these to N: take the middle of the way.
        let growth = 1.0 + rate * epochs / (2.0 * n as f64);
        Some(epochs * self.epoch_s * growth)
    }

    /// Seconds of the whole run, by the same estimate.
    fn whole_s(&self) -> Option<f64> {
        Some(self.wall_s + self.left_s()?)
    }
}

/// Seconds until all runs have ended: those not begun are taken as the mean of those that are.
/// `side_by_side` runs are in flight, each at the pace that leaves it.
pub(crate) fn all_left_s(runs: &[Pace], side_by_side: usize) -> Option<f64> {
    let known: Vec<f64> = runs.iter().filter_map(Pace::whole_s).collect();
    if known.is_empty() {
        return None;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let left = runs.iter().map(|run| run.left_s().unwrap_or(mean));
    Some(left.sum::<f64>() / side_by_side.max(1) as f64)
}

/// `1 h 02 min`, `3 min 05 s`, `12 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {:02} s", seconds % 60),
        (1..48, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{} days", hours / 24),
    }
}

/// `about 3 min 05 s`, or `a few seconds`.
pub(crate) fn about(seconds: f64) -> String {
    if seconds < 5.0 { "a few seconds".to_owned() } else { format!("about {}", duration(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tau_curricula::{Schedule, SingleHead};
    use tau_tasks::TaskSpec;
    use tau_training::Stop;

    #[test]
    fn durations_are_short_and_exact_enough() {
        check(0.4, "0 s");
        check(59.0, "59 s");
        check(185.0, "3 min 05 s");
        check(3_720.0, "1 h 02 min");
        check(86_400.0 * 3.5, "3 days");
        fn check(seconds: f64, expected: &str) {
            assert_eq!(duration(seconds), expected);
        }
    }

    /// Ten epochs of two seconds each, on the way from N = 2 to N = 16.
    fn pace(n: usize, max_epochs: usize) -> Pace {
        let ladder = Some(Ladder { start: 2, end: 16, n });
        Pace { max_epochs, epochs: 10, ladder, wall_s: 20.0, epoch_s: 2.0, ended: false }
    }

    #[test]
    fn a_run_that_grows_evenly_is_forecast() {
        // N from 2 to 7: half an N per epoch, 20 to reach 17.
        let pace = pace(7, 100);
        let expected = 20.0 * 2.0 * (1.0 + 10.0 / 14.0);
        assert!((pace.left_s().unwrap() - expected).abs() < 1e-9);
        let begun_and_not = [pace.clone(), Pace { epochs: 0, wall_s: 0.0, ..pace.clone() }];
        let all = all_left_s(&begun_and_not, 2).unwrap();
        assert!((all - (expected + 20.0 + expected) / 2.0).abs() < 1e-9);
        let mut ended = pace;
        ended.end();
        assert_eq!(all_left_s(&[ended], 1), Some(0.0));
    }

    #[test]
    fn a_resumed_run_is_forecast_by_what_it_took_before() {
        let spec = TrainingSpec {
            max_epochs: 30,
            schedule: Schedule::SingleHead(SingleHead::default()),
            stop: Some(Stop::AccuracyAbove(0.98)),
            ..TrainingSpec::plain(TaskSpec::parity(&[]), 8, 0).unwrap()
        };
        let status = |state, epochs, reached: Option<&str>| {
            let reached = reached.map(str::to_owned);
            Status { state, epochs, reached, wall_s: 20.0, reason: None }
        };
        let begun = Pace::new(&spec, Some(&status(State::Unfinished, 10, None)));
        assert_eq!(begun.left_s(), Some(40.0));
        let further = Pace::new(&spec, Some(&status(State::Unfinished, 10, Some("N006"))));
        assert_eq!(further.ladder.unwrap().n, 7);
        let ended = Pace::new(&spec, Some(&status(State::OutOfEpochs, 30, None)));
        assert_eq!((ended.ended(), ended.left_s()), (true, Some(0.0)));
        assert_eq!(Pace::new(&spec, None).left_s(), None);
    }

    #[test]
    fn a_run_that_never_solves_takes_its_budget() {
        assert_eq!(pace(2, 30).left_s(), Some(40.0));
    }

    #[test]
    fn a_run_without_n_takes_the_epochs_that_are_left() {
        assert_eq!(Pace { ladder: None, ..pace(2, 25) }.left_s(), Some(30.0));
        let spec = TrainingSpec::plain("pulse".parse().unwrap(), 8, 0).unwrap();
        assert!(Pace::new(&spec, None).ladder.is_none());
    }
}
