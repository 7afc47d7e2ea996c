//! A device in double precision beside the float64 model: the shipped program has no such kernels.

use std::time::Instant;

use anyhow::{Result, ensure};
use tau_rnn::Hardware;
use tau_rnn::check::Case;

/// Looks at the gradients of many networks, and at a few updates of some; an error names the first that
/// is too far from the model.
pub(crate) fn check(device: Hardware) -> Result<()> {
    let start = Instant::now();
    let (mut largest, mut count) = (0.0, 0);
    let all: Vec<Case> = Case::all().into_iter().chain((1..=30).map(Case::random)).collect();
    let gradients = all.iter().map(|case| (case, case.examine::<f64>(device)));
    let few = Case::few();
    // The processor beside itself would prove nothing.
    let trained = few.iter().filter(|_| device != Hardware::Cpu);
    let updates = trained.map(|case| (case, case.examine_updates::<f64>(device)));
    for (case, finding) in gradients.chain(updates) {
        let finding = finding?;
        let allowed = case.tolerance::<f64>();
        ensure!(finding.distance <= allowed, "{case:?}: {finding:?} (allowed: {allowed:e})");
        ensure!(finding.repeatable, "{case:?}: another call gave different bits");
        largest = f64::max(largest, finding.distance);
        count += 1;
    }
    println!(
        "{device}, f64: {count} gradients and trainings are those of the float64 model, at most {largest:.0e} \
         off, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
