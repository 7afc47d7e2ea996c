//! How τ and τ_net of a network change with N.
//!
//! "Large" N depends on the size of the network (ICLR 2024: from about 15 on with 500 neurons). It is
//! taken as the last [`LARGEST`] N that a network solved, which needs no look at its τ. Before mean τ
//! rises it falls, in the paper too: where networks did not get far enough a fall is no contradiction.

use tau_reproduce::{FALLS, Network, Networks, Part, RISES, Sample, Selector, slope};

use crate::measurements::{Moments, Tau, TauNet};
use crate::progress::solved_n;

/// How many of the solved N count as large.
pub(crate) const LARGEST: usize = 4;
/// All solved N.
pub(crate) const ALL: usize = usize::MAX;
/// From this N on mean τ of the paper's single-head networks rises (they have 500 neurons; smaller ones
/// rise earlier).
const FAR: usize = 20;

/// The part that mean τ rises over the last N, in networks that went through a curriculum with one head.
pub(crate) fn rise(networks: &Networks<'_>, selector: &Selector) -> Part {
    let far = networks.of(selector).all(|network| solved_n(network) >= FAR);
    let name = selector.name();
    let title =
        format!("{name}: relative slope of mean τ over the four largest solved N (1 per N)");
    Part::mean(&title, &of_ln(networks, selector, LARGEST, mean), RISES).contradicted_only_if(far)
}

/// The part that mean τ falls over all N.
pub(crate) fn fall(networks: &Networks<'_>, selector: &Selector, name: &str) -> Part {
    let title = format!("{name}: relative slope of mean τ over all solved N (1 per N)");
    Part::mean(&title, &of_ln(networks, selector, ALL, mean), FALLS)
}

/// Mean τ over neurons.
pub(crate) fn mean(tau: &Moments) -> f64 {
    tau.mean
}

/// Standard deviation of τ over neurons.
pub(crate) fn spread(tau: &Moments) -> f64 {
    tau.standard_deviation
}

/// In each network: the slope of the logarithm of a statistic of τ over the `last` N.
pub(crate) fn of_ln(
    networks: &Networks<'_>,
    selector: &Selector,
    last: usize,
    of: fn(&Moments) -> f64,
) -> Sample {
    Sample::of(networks, selector, |network| slope(logarithms(network, last, of)))
}

/// (N, ln of a statistic of τ) for the `last` N up to the largest solved one; where the statistic
/// is 0 (a fixed τ has no spread) there is none. Logarithms because a spread, and τ itself, is a
/// scale, and networks differ by factors.
fn logarithms(
    network: &Network,
    last: usize,
    of: fn(&Moments) -> f64,
) -> impl Iterator<Item = (f64, f64)> {
    let largest = solved_n(network);
    let tau = network.get::<Tau>().into_iter().flatten();
    let large = tau.filter(move |(n, _)| n.saturating_add(last) > largest);
    large
        .map(move |(n, tau)| (*n as f64, of(tau)))
        .filter(|(_, y)| *y > 0.0)
        .map(|(n, y)| (n, y.ln()))
}

/// In each network: the slope of mean τ, in steps per N.
pub(crate) fn of_tau(networks: &Networks<'_>, selector: &Selector) -> Sample {
    Sample::of(networks, selector, |network| {
        let tau = network.get::<Tau>()?;
        slope(tau.iter().map(|(n, tau)| (*n as f64, tau.mean)))
    })
}

/// In each network: the slope of mean τ_net, in steps per N.
pub(crate) fn of_tau_net(networks: &Networks<'_>, selector: &Selector) -> Sample {
    Sample::of(networks, selector, |network| {
        let found = network.all::<TauNet>().iter();
        slope(found.filter_map(|(at, summary)| Some((at.n() as f64, summary.mean?))))
    })
}
