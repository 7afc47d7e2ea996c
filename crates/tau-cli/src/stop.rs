//! Being asked to stop.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts;
use signal_hook::flag;

/// The exit code of who was stopped and can go on: "temporary failure", which Slurm and others take
/// for "put me into the queue again".
pub(crate) const AGAIN: u8 = 75;

/// Set as soon as someone asks: Ctrl-C, SIGTERM, and SIGUSR1 (Slurm's, some time before the end).
/// A second Ctrl-C ends the program at once: every file on the disk is whole even then.
pub(crate) fn when_asked() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    // In this order: the first one finds the flag not set yet.
    flag::register_conditional_shutdown(consts::SIGINT, AGAIN.into(), Arc::clone(&stop))?;
    let mut signals = vec![consts::SIGINT, consts::SIGTERM];
    #[cfg(unix)]
    signals.push(consts::SIGUSR1);
    for signal in signals {
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}
