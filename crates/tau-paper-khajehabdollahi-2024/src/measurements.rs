//! What is measured on trained networks. A new measurement is one file and one entry of [`ALL`].

mod damage;
mod forgetting;
mod retraining;
mod tau;
mod tau_net;
mod trained;

use tau_reproduce::Need;

pub(crate) use damage::Damage;
pub(crate) use forgetting::{Forgetting, Forgotten};
pub(crate) use retraining::{Retrained, Retraining};
pub(crate) use tau::{Moments, Tau};
pub(crate) use tau_net::TauNet;

#[cfg(test)]
pub(crate) use {damage::Damaged, retraining::Onto, tau::UpTo, tau_net::Summary, trained::Solved};

/// All of them.
pub(crate) const ALL: &[Need] = &[
    Need::of::<Tau>(),
    Need::of::<TauNet>(),
    Need::of::<Forgetting>(),
    Need::of::<Damage>(),
    Need::of::<Retraining>(),
];
