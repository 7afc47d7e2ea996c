//! Whatever is in a text, a spec and a sweep are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = tau_runs::read_spec(text, &[], &[]);
    // A grid may rightly be large: at most eight values in all, so at most sixteen runs or so.
    if text.matches(',').count() < 8 && !text.contains("seeds") {
        let _ = tau_runs::read_sweep(text, &[]);
    }
});
