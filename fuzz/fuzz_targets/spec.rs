//! Whatever is in a text, a spec and a sweep are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = tau_runs::read_spec(text, &[]);
    // A grid may rightly be large: a short text only.
    if text.len() < 200 {
        let _ = tau_runs::read_sweep(text);
    }
});
