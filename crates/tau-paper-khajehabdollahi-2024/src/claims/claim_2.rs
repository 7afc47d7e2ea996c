//! τ_net rises with N in both; in multi-head networks it rises while τ falls, other than in single-head
//! ones, whose τ rises with it once N is large.

use tau_reproduce::{Claim, FALLS, Need, Networks, Part, RISES};

use crate::measurements::{Tau, TauNet};
use crate::selectors::{MULTI, SINGLE};
use crate::slopes::{LARGEST, mean, of_ln, of_tau, of_tau_net};

pub(super) const CLAIM: Claim = Claim {
    id: "2",
    title: "τ_net rises with N in both; in multi-head networks it rises while τ falls",
    figure: "tau-net-vs-n",
    networks: &[SINGLE, MULTI],
    needs: &[Need::of::<Tau>(), Need::of::<TauNet>()],
    exchanged: "curriculum",
    parts,
};

fn parts(networks: &Networks<'_>) -> Vec<Part> {
    vec![
        Part::mean(
            "multi-head: slope of mean τ_net (steps per N)",
            &of_tau_net(networks, &MULTI),
            RISES,
        ),
        Part::mean(
            "single-head: slope of mean τ_net (steps per N)",
            &of_tau_net(networks, &SINGLE),
            RISES,
        ),
        Part::mean("multi-head: slope of mean τ (steps per N)", &of_tau(networks, &MULTI), FALLS),
        Part::difference(
            "relative slope of mean τ over the four largest solved N, multi-head minus single-head",
            &of_ln(networks, &MULTI, LARGEST, mean),
            &of_ln(networks, &SINGLE, LARGEST, mean),
            FALLS,
        ),
    ]
}
