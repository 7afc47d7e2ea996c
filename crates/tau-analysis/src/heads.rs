//! The heads of a network that answer for the heads of a task.

use tau_rnn::Readout;
use tau_tasks::Task;

use crate::Error;
use crate::error::refuse;

/// Checks that `heads` names, for each head of the task, a head of the network with as many outputs.
///
/// # Errors
/// [`Error::Value`].
pub(crate) fn check(
    task: &dyn Task,
    heads: &[usize],
    readouts: &[Readout<f32>],
) -> Result<(), Error> {
    let asked = &task.shape().heads;
    if heads.len() != asked.len() {
        let allowed = format!("{}, one for each head of the task {}", asked.len(), task.name());
        return refuse("number of heads", heads.len(), allowed);
    }
    for (asked, &head) in asked.iter().zip(heads) {
        let Some(readout) = readouts.get(head) else {
            let allowed = format!("below {}, the number of heads of the network", readouts.len());
            return refuse("head", head, allowed);
        };
        if readout.outputs() != asked.size {
            let value = format!("{} of head {head}", readout.outputs());
            let allowed = format!("{}, as {} of the task {}", asked.size, asked.label, task.name());
            return refuse("outputs", value, allowed);
        }
    }
    Ok(())
}
