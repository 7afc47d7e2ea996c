//! Being asked to stop.

use std::sync::Arc;

use signal_hook::consts;
use signal_hook::flag;
use tau_runs::StopToken;

/// The exit code of a program that was stopped and can go on: "temporary failure", which Slurm and
/// others take for "put me into the queue again".
pub(crate) const AGAIN: u8 = 75;

/// Stopped as soon as someone asks: Ctrl-C, SIGTERM, SIGUSR1 (Slurm's, some time before the end), and
/// what other queues, a limit of processor time or a terminal that goes away send. A second Ctrl-C ends
/// the program at once: every file on the disk is whole even then.
pub(crate) fn when_asked() -> std::io::Result<StopToken> {
    let stop = StopToken::new();
    // In this order: the first one finds the flag not set yet.
    let asked = Arc::clone(stop.flag());
    flag::register_conditional_shutdown(consts::SIGINT, AGAIN.into(), asked)?;
    let mut signals = vec![consts::SIGINT, consts::SIGTERM];
    #[cfg(unix)]
    signals.extend([consts::SIGUSR1, consts::SIGUSR2, consts::SIGHUP, consts::SIGXCPU]);
    for signal in signals {
        flag::register(signal, Arc::clone(stop.flag()))?;
    }
    Ok(stop)
}
