//! The twelve claims (docs/papers/khajehabdollahi-2024.md §7). A new claim is one file and one entry of
//! [`ALL`].

mod claim_1;
mod claim_10;
mod claim_11;
mod claim_12;
mod claim_2;
mod claim_3;
mod claim_4;
mod claim_5;
mod claim_6;
mod claim_7;
mod claim_8;
mod claim_9;

use tau_reproduce::Claim;

/// All of them, in the order of the report.
pub(crate) const ALL: &[Claim] = &[
    claim_1::CLAIM,
    claim_2::CLAIM,
    claim_3::CLAIM,
    claim_4::CLAIM,
    claim_5::CLAIM,
    claim_6::CLAIM,
    claim_7::CLAIM,
    claim_8::CLAIM,
    claim_9::CLAIM,
    claim_10::CLAIM,
    claim_11::CLAIM,
    claim_12::CLAIM,
];
