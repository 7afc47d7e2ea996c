//! τ_net rises with N in both; in multi-head networks it rises while τ falls.

use super::{Claim, FALLS, Part, RISES, of, slopes};
use crate::evidence::Network;
use tau_analysis::Estimate;

pub(super) const CLAIM: Claim = Claim {
    id: "2",
    title: "τ_net rises with N in both; in multi-head networks it rises while τ falls",
    figure: "tau-net-vs-n",
    parts,
};

fn parts(networks: &[Network]) -> Vec<Part> {
    let tau_net = |network: &Network| {
        let values = network.tau_net.iter().map(|summary| (summary.n, summary.mean));
        values.filter_map(|(n, mean)| mean.map(|mean| (n, mean))).collect::<Vec<_>>()
    };
    let tau = |network: &Network| network.tau.iter().map(|(n, tau)| (*n, tau.mean)).collect();
    let all = |_: usize, _: usize| true;
    let single = slopes(of(networks, "single-head"), tau_net, all);
    let multi = slopes(of(networks, "multi-head"), tau_net, all);
    let multi_tau = slopes(of(networks, "multi-head"), tau, all);
    let part = |title, slopes: &[f64], prediction| {
        Part::new(title, Estimate::mean(slopes), prediction).with_at_least(slopes.len())
    };
    vec![
        part("multi-head: slope of mean τ_net (steps per N)", &multi, RISES),
        part("single-head: slope of mean τ_net (steps per N)", &single, RISES),
        part("multi-head: slope of mean τ (steps per N)", &multi_tau, FALLS),
    ]
}
