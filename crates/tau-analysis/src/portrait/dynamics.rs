//! Dimensions of activity, eigenvalues of the step, Lyapunov exponents.

use ndarray::s;
use tau_random::{Key, Purpose};

use super::{ModeRow, Portrait, PortraitConfig};
use crate::spectrum::mode_timescale;
use crate::{Activity, Dimensionality, Error, Lyapunov, Subject, eigenvalues, linearised_step};

/// Principal components and Lyapunov exponents that have a column.
const COLUMNS: usize = 3;

/// Share of the variance that counted components explain.
const SHARE: f64 = 0.9;

/// Steps over which exponents are averaged, at most: their errors are then some thousandths.
const EXPONENT_STEPS: usize = 5000;

impl Portrait {
    /// Principal components of activity; none if it is constant.
    pub(super) fn components(&mut self, activity: &Activity) -> Result<(), Error> {
        let (covariance, steps) = (&activity.covariance, activity.steps);
        let (found, loadings) = match Dimensionality::with_loadings(covariance, steps, COLUMNS) {
            Err(Error::NoVariance { .. }) => return Ok(()),
            found => found?,
        };
        self.network.dimensionality = Some(found.components(SHARE)?);
        self.network.participation_ratio = Some(found.participation_ratio);
        for (row, loadings) in self.neurons.iter_mut().zip(loadings.rows()) {
            let loading = |component| loadings.get(component).copied();
            (row.pca_1, row.pca_2, row.pca_3) = (loading(0), loading(1), loading(2));
        }
        Ok(())
    }

    /// Eigenvalues of the step where φ has slope 1.
    pub(super) fn step(&mut self, subject: &Subject<'_>) -> Result<(), Error> {
        let mut params = subject.params.cast::<f64>();
        params.apply_constraints(subject.config);
        let small = f64::from(subject.config.steps_per_unit());
        let step = linearised_step(&(params.tau_eff() * small), &params.w_rec)?;
        let (milestone, n) = (&self.network.milestone, self.network.n);
        let mode = |(index, value)| {
            let timescale = mode_timescale(value);
            ModeRow {
                milestone: milestone.clone(),
                n,
                index,
                real: value.re,
                imaginary: value.im,
                modulus: value.re.hypot(value.im),
                timescale: Some(timescale).filter(|tau| (0.0..f64::INFINITY).contains(tau)),
            }
        };
        self.modes = eigenvalues(&step)?.into_iter().enumerate().map(mode).collect();
        self.network.spectral_radius = self.modes.first().map(|mode| mode.modulus);
        Ok(())
    }

    /// Lyapunov exponents along the input of the first trial.
    pub(super) fn exponents(
        &mut self,
        subject: &Subject<'_>,
        how: &PortraitConfig,
    ) -> Result<(), Error> {
        let exponents = COLUMNS.min(subject.config.hidden_size);
        let (burn_in, seed, initial_state) = (how.burn_in, how.seed, how.initial_state);
        let lyapunov = Lyapunov { exponents, burn_in, every: 1, initial_state, seed };
        let steps = how.burn_in + how.steps.min(EXPONENT_STEPS);
        let inputs = subject.task.drive(steps, 1, Key::new(how.seed, Purpose::DriveInputs))?;
        let params = subject.params.cast();
        let found = lyapunov.measure(subject.config, &params, inputs.slice(s![.., 0, ..]))?;
        let exponent = |i: usize| found.exponents.get(i).copied();
        let network = &mut self.network;
        (network.lyapunov_1, network.lyapunov_2, network.lyapunov_3) =
            (exponent(0), exponent(1), exponent(2));
        network.lyapunov_1_error =
            found.standard_errors.first().copied().filter(|error| error.is_finite());
        Ok(())
    }
}
