//! Statistics of the trained time constants of one network.

use serde::Serialize;

use crate::Error;

/// Mean, spread and range of τ over the neurons of one network.
///
/// τ_raw is the trained parameter; the network runs with the effective τ = max(τ_raw, 1), in
/// steps (`docs/papers/khajehabdollahi-2024.md` §1). A neuron with τ_raw < 1 is clamped: its τ
/// acts as 1 and has no gradient any more. The published figures show the *raw* parameter.
///
/// Standard deviations are those of the population (divided by the number of neurons, as NumPy's
/// `std` and so the published figures do): the neurons of a network are all there are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TauStatistics {
    /// Number of neurons.
    pub neurons: usize,
    /// Mean effective τ, in steps, `[1, ∞)`.
    pub mean: f64,
    /// Population standard deviation of the effective τ, in steps.
    pub standard_deviation: f64,
    /// Smallest effective τ, in steps.
    pub min: f64,
    /// Median effective τ, in steps (mean of the middle two for an even number).
    pub median: f64,
    /// Largest effective τ, in steps.
    pub max: f64,
    /// Mean of τ_raw, in steps.
    pub raw_mean: f64,
    /// Population standard deviation of τ_raw, in steps.
    pub raw_standard_deviation: f64,
    /// Share of neurons with τ_raw < 1, `[0, 1]`.
    pub clamped_share: f64,
}

impl TauStatistics {
    /// Statistics of `tau_raw`, one value per neuron, in steps.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a neuron, [`Error::NotFinite`] for a τ that is NaN or infinite.
    pub fn new(tau_raw: impl IntoIterator<Item = impl Into<f64>>) -> Result<Self, Error> {
        let raw: Vec<f64> = tau_raw.into_iter().map(Into::into).collect();
        if raw.is_empty() {
            return Err(Error::TooFew { what: "statistics of tau", found: 0, needed: 1 });
        }
        if let Some(index) = raw.iter().position(|tau| !tau.is_finite()) {
            return Err(Error::NotFinite { what: "tau", index, value: raw[index] });
        }
        let mut effective: Vec<f64> = raw.iter().map(|tau| tau.max(1.0)).collect();
        effective.sort_by(f64::total_cmp);
        let (mean, standard_deviation) = moments(&effective);
        let (raw_mean, raw_standard_deviation) = moments(&raw);
        let neurons = raw.len();
        Ok(Self {
            neurons,
            mean,
            standard_deviation,
            min: effective[0],
            median: (effective[(neurons - 1) / 2] + effective[neurons / 2]) / 2.0,
            max: effective[neurons - 1],
            raw_mean,
            raw_standard_deviation,
            clamped_share: raw.iter().filter(|&&tau| tau < 1.0).count() as f64 / neurons as f64,
        })
    }
}

/// Mean and population standard deviation (divided by n) of what is given, in its unit; NaN of nothing.
/// Two passes, because the numbers may lie far from 0.
#[must_use]
pub fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_worked_by_hand() {
        // effective: 1, 1, 2, 4: mean 2, squares 1 + 1 + 0 + 4 = 6 over 4 neurons
        let found = TauStatistics::new([0.0, 1.0, 2.0, 4.0]).unwrap();
        let expected = TauStatistics {
            neurons: 4,
            mean: 2.0,
            standard_deviation: 1.5_f64.sqrt(),
            min: 1.0,
            median: 1.5,
            max: 4.0,
            raw_mean: 1.75,
            raw_standard_deviation: 2.1875_f64.sqrt(),
            clamped_share: 0.25,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_neuron_at_exactly_one_is_not_clamped() {
        assert_eq!(TauStatistics::new([1.0_f32]).unwrap().clamped_share, 0.0);
        assert_eq!(TauStatistics::new([1.0_f32.next_down()]).unwrap().clamped_share, 1.0);
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        assert_eq!(TauStatistics::new([9.0, 1.0, 3.0]).unwrap().median, 3.0);
    }

    #[test]
    fn spread_survives_a_large_mean() {
        let found = TauStatistics::new([1e9 - 1.0, 1e9 + 1.0]).unwrap();
        assert_eq!((found.mean, found.standard_deviation), (1e9, 1.0));
    }

    #[test]
    fn nothing_is_made_of_no_neurons_or_of_nan() {
        let none = TauStatistics::new(Vec::<f64>::new()).unwrap_err();
        assert!(matches!(none, Error::TooFew { found: 0, .. }), "{none}");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refused = TauStatistics::new([2.0, bad]).unwrap_err();
            assert!(matches!(refused, Error::NotFinite { index: 1, .. }), "{refused}");
        }
    }
}
