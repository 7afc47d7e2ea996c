//! `metrics.csv`: one row for each epoch and head.

use serde::{Deserialize, Serialize};
use tau_training::{EpochReport, Milestone};

use crate::Error;

/// One row of `metrics.csv`: a head after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsRow {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Index of the readout, from 0.
    pub head: usize,
    /// Name of what the head answers, for instance `N=5` or `state`.
    pub label: String,
    /// The memory N that the head answers for; `None` for a task without N.
    pub n: Option<usize>,
    /// Loss of the head on the test batches (nats for classes, squared error for values); `None` if
    /// nothing is held out.
    pub test_loss: Option<f64>,
    /// Share of right answers on the test batches, in [0, 1]; `None` for values.
    pub accuracy: Option<f64>,
    /// Loss of the whole network, mean over the epoch's updates: the same for each head.
    pub training_loss: Option<f64>,
    /// Whether the epoch solved its stage: the same for each head.
    pub solved: bool,
    /// Milestones that the epoch reached, separated by spaces: the same for each head.
    pub milestones: String,
    /// Seconds of training so far, over all starts.
    pub wall_s: f64,
}

impl MetricsRow {
    /// The milestones that the epoch reached.
    pub fn reached(&self) -> impl Iterator<Item = Milestone> {
        self.milestones.split_whitespace().map(|name| Milestone(name.to_owned()))
    }
}

/// A milestone, and the epoch that reached it, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Its name.
    pub milestone: Milestone,
    /// The epoch.
    pub epoch: usize,
}

/// The milestones in the order in which they were reached: those with a checkpoint.
#[must_use]
pub fn milestones(rows: &[MetricsRow]) -> Vec<Reached> {
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| row.head == 0) {
        all.extend(row.reached().map(|milestone| Reached { milestone, epoch: row.epoch }));
    }
    all
}

/// The rows of an epoch.
pub(crate) fn rows_of(report: &EpochReport, wall_s: f64) -> Result<Vec<MetricsRow>, Error> {
    let task = report.stage.task.build().map_err(tau_training::Error::from)?;
    let names: Vec<&str> = report.milestones.iter().map(Milestone::as_str).collect();
    let heads = task.shape().heads.iter().enumerate();
    let rows = heads.map(|(head, shape)| {
        let score = report.heads.get(head);
        MetricsRow {
            epoch: report.epoch,
            head,
            label: shape.label.clone(),
            n: shape.memory,
            test_loss: score.map(|score| score.loss),
            accuracy: score.and_then(|score| score.accuracy),
            training_loss: report.training_loss,
            solved: report.solved,
            milestones: names.join(" "),
            wall_s: (wall_s * 1e3).round() / 1e3,
        }
    });
    Ok(rows.collect())
}

/// The table as text.
pub(crate) fn to_table(rows: &[MetricsRow]) -> Result<Vec<u8>, String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row).map_err(|error| error.to_string())?;
    }
    table.into_inner().map_err(|error| error.to_string())
}

/// The rows of a table.
pub(crate) fn from_table(bytes: &[u8]) -> Result<Vec<MetricsRow>, String> {
    let rows: Result<_, csv::Error> = csv::Reader::from_reader(bytes).into_deserialize().collect();
    rows.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_not_is_an_empty_cell() {
        let row = MetricsRow {
            epoch: 2,
            head: 0,
            label: "state".to_owned(),
            n: None,
            test_loss: Some(0.1 + 0.2),
            accuracy: None,
            training_loss: Some(f64::MIN_POSITIVE),
            solved: true,
            milestones: "solved final".to_owned(),
            wall_s: 1.5,
        };
        let table = to_table(std::slice::from_ref(&row)).unwrap();
        let text = String::from_utf8(table.clone()).unwrap();
        let mut lines = text.lines();
        let head = "epoch,head,label,n,test_loss,accuracy,training_loss,solved,milestones,wall_s";
        assert_eq!(lines.next(), Some(head));
        assert!(lines.next().unwrap().starts_with("2,0,state,,0.30000000000000004,,2.2"), "{text}");
        assert_eq!(from_table(&table).unwrap(), std::slice::from_ref(&row));
        let names: Vec<String> = row.reached().map(|milestone| milestone.to_string()).collect();
        assert_eq!(names, ["solved", "final"]);
        let rows = [MetricsRow { head: 1, ..row.clone() }, row];
        assert_eq!(milestones(&rows).len(), 2);
    }
}
