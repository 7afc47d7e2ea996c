//! Errors of estimators.

/// Why an estimator refuses its input. Nothing is estimated from part of an input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A list of numbers has too few entries.
    #[error("too few values for {what}: {found} (at least {needed} are needed)")]
    TooFew {
        /// Quantity that was to be estimated.
        what: &'static str,
        /// Number of values given.
        found: usize,
        /// Smallest number that will do.
        needed: usize,
    },
    /// A number is NaN or infinite.
    #[error("{what} is not finite: {value} at index {index} (remove or repair the network)")]
    NotFinite {
        /// The quantity.
        what: &'static str,
        /// Position in the input.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// A unit's activity is NaN or infinite: the network diverged.
    #[error("activity is not finite: {value} of unit {unit} at step {step} of trial {trial}")]
    Activity {
        /// The unit (column of the activity).
        unit: usize,
        /// Step since the start of the trial.
        step: usize,
        /// Trial, counted from 0.
        trial: usize,
        /// The value found.
        value: f32,
    },
    /// The first scored step would have no label.
    #[error(
        "warm_up: {warm_up} steps (at least {needed}: the first scored step needs N bits before it)"
    )]
    WarmUp {
        /// The value given.
        warm_up: usize,
        /// Smallest value allowed.
        needed: usize,
    },
    /// A network has fewer heads than are asked.
    #[error("head: {head} (the network has {heads}, counted from 0)")]
    Head {
        /// The head asked for.
        head: usize,
        /// Heads of the network.
        heads: usize,
    },
    /// More neurons are to be ablated at each end than the network has.
    #[error(
        "neurons to ablate at each end: {value} (allowed: 1 to {neurons}, half of the network)"
    )]
    Ablated {
        /// The value given.
        value: usize,
        /// Largest value allowed.
        neurons: usize,
    },
    /// τ is asked for of neurons that have none.
    #[error("tau: none (the cell is {cell}; allowed: leaky, which alone has time constants)")]
    NoTau {
        /// The cell.
        cell: tau_rnn::Cell,
    },
    /// A perturbation is negative or not finite.
    #[error("epsilon: {value} (allowed: 0 or more, finite)")]
    Epsilon {
        /// The value given.
        value: f64,
    },
    /// Two lists that belong together differ in length.
    #[error("lengths differ: {left} and {right} (give one value of each per observation)")]
    Lengths {
        /// Length of the first list.
        left: usize,
        /// Length of the second list.
        right: usize,
    },
    /// A slope is asked for, but x never changes.
    #[error("x is constant: {value} (a slope needs at least two different x)")]
    ConstantX {
        /// The only value of x.
        value: f64,
    },
    /// No unit to analyse.
    #[error("number of units: 0 (at least 1)")]
    NoUnits,
    /// The largest lag of an autocorrelation is out of range.
    #[error("max_lag: {max_lag} (allowed: 1..={limit})")]
    MaxLag {
        /// The value given.
        max_lag: usize,
        /// Largest value allowed.
        limit: usize,
    },
    /// A chunk of activity has a different number of units than the stream was made for.
    #[error("units in the chunk: {found} (the stream was made for {expected})")]
    Units {
        /// Columns of the chunk.
        found: usize,
        /// Units of the stream.
        expected: usize,
    },
    /// A trial is not longer than the largest lag.
    #[error("steps in the trial: {steps} (more than max_lag = {max_lag} are needed)")]
    ShortTrial {
        /// Steps pushed.
        steps: usize,
        /// Largest lag of the stream.
        max_lag: usize,
    },
    /// Results are asked for while a trial is open.
    #[error("the last trial is still open after {steps} steps (call end_trial first)")]
    OpenTrial {
        /// Steps pushed since the last end of a trial.
        steps: usize,
    },
    /// Results are asked for before any trial has ended.
    #[error("number of trials: 0 (push activity and end at least 1 trial)")]
    NoTrial,
    /// The lags to fit do not suffice for two exponentials, or were not computed.
    #[error("lags to fit: 0..={lags} (the last must lie in {least}..={max_lag})")]
    FitLags {
        /// Last lag to fit.
        lags: usize,
        /// Smallest number of lags that determines the four parameters.
        least: usize,
        /// Largest lag of the autocorrelation.
        max_lag: usize,
    },
    /// A time constant to simulate is out of range.
    #[error("tau to simulate: {tau} steps (allowed: finite and above 0)")]
    Tau {
        /// The value given.
        tau: f64,
    },
    /// Weights of the components of a simulated process are out of range.
    #[error("weights of the components sum to {sum} (each must lie in [0, 1], their sum be 1)")]
    Weights {
        /// Sum of the weights.
        sum: f64,
    },
    /// Trials are asked for one by one, but the stream has only kept their sum.
    #[error(
        "trials were not kept apart (make the stream by AutocorrelationStream::keeping_trials)"
    )]
    TrialsNotKept,
    /// The number of resamplings or of simulated recordings is too small for an interval.
    #[error("{what}: {value} (allowed: {least} or more)")]
    Repetitions {
        /// Thing that is repeated.
        what: &'static str,
        /// The value given.
        value: usize,
        /// Smallest value allowed.
        least: usize,
    },
    /// The probability with which an interval covers is out of range.
    #[error("level: {level} (allowed: above 0 and below 1; 0.95 is usual)")]
    Level {
        /// The value given.
        level: f64,
    },
    /// The factor of Sokal's window is out of range.
    #[error("window: {window} autocorrelation times (allowed: finite and 1 or more; 5 is usual)")]
    Window {
        /// The value given.
        window: f64,
    },
    /// A share of the variance is out of range.
    #[error("share of the variance: {share} (allowed: above 0, at most 1)")]
    Share {
        /// The value given.
        share: f64,
    },
    /// No variance to be explained: every unit is constant.
    #[error("variance: 0 in all {units} units (components need activity that changes)")]
    NoVariance {
        /// Units of the stream.
        units: usize,
    },
    /// A matrix whose eigenvalues are asked for is not square.
    #[error("matrix: {rows} rows and {columns} columns (eigenvalues are those of a square one)")]
    NotSquare {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// The iteration for eigenvalues did not end.
    #[error(
        "eigenvalues of the {size} x {size} matrix were not found (scale or perturb it slightly)"
    )]
    Eigenvalues {
        /// Rows of the matrix.
        size: usize,
    },
    /// More Lyapunov exponents are asked for than the network has neurons, or none.
    #[error("number of exponents: {value} (allowed: 1 to {neurons}, one for each neuron)")]
    Exponents {
        /// The value given.
        value: usize,
        /// Neurons of the network.
        neurons: usize,
    },
    /// Tangent vectors would never be made orthogonal.
    #[error("steps between orthonormalisations: 0 (allowed: 1 or more; 1 is safest)")]
    Orthonormalisation,
    /// The input has a different number of channels than the network.
    #[error("channels of the input: {found} (the network has {expected})")]
    Channels {
        /// Channels given.
        found: usize,
        /// Channels of the network.
        expected: usize,
    },
    /// New heads need labels.
    #[error("task: {task} has a target at every step (allowed: tasks whose heads have labels)")]
    SeriesTask {
        /// Name of the task.
        task: &'static str,
    },
    /// Asked to stop before the measurement was complete; there is no partial result.
    #[error("stopped before the measurement was complete")]
    Stopped,
    /// Error of the network that is driven.
    #[error(transparent)]
    Network(#[from] tau_rnn::Error),
    /// Error of the task that drives it.
    #[error(transparent)]
    Task(#[from] tau_tasks::Error),
}
