//! Whatever is in a file, a checkpoint is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tau_rnn::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(network) = Checkpoint::<f32>::from_bytes(bytes) {
        // What was read can be written, and is the same again.
        let written = network.to_bytes().expect("a network");
        let again = Checkpoint::<f32>::from_bytes(&written).expect("what was written");
        assert_eq!(again.to_bytes().expect("a network"), written);
    }
});
