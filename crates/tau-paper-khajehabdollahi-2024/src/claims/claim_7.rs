//! Trained further on larger N, multi-head networks get further than single-head ones.
//!
//! All networks start from where they had solved the same N, and keep the head for that N alone.

use tau_reproduce::{Claim, Need, Networks, Part, RISES, Sample};

use crate::measurements::{Retrained, Retraining};
use crate::selectors::{MULTI, SINGLE};

pub(super) const CLAIM: Claim = Claim {
    id: "7",
    title: "trained further on larger N, multi-head networks degrade later",
    figure: "retraining",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Retraining>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    let part = |title: &str, which: fn(&Retrained) -> Option<f64>| {
        let left = |selector| Sample::of(networks, selector, |one| which(&Retrained::of(one)?));
        let [multi, single] = [&MULTI, &SINGLE].map(left);
        Part::difference(title, &multi, &single, RISES)
    };
    vec![
        part(
            "relative accuracy after it, mean over the larger N, multi-head minus single-head",
            Retrained::mean_after,
        ),
        part("the same for the largest N", Retrained::last_after),
    ]
}
