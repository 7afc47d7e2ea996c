//! Whatever is in a file, a PyTorch archive is read or refused.
#![no_main]

use std::cell::LazyCell;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;

thread_local! {
    /// In memory where there is such a folder.
    static FILE: LazyCell<PathBuf> = LazyCell::new(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        folder.join(format!("tau-fuzz-{}.pt", std::process::id()))
    });
}

fuzz_target!(|bytes: &[u8]| {
    FILE.with(|file| {
        std::fs::write(&**file, bytes).expect("a file");
        if let Ok(network) = tau_exchange::read_pytorch(file) {
            network.to_bytes().expect("a network");
        }
    });
});
