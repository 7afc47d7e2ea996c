//! The range of an axis, its ticks and how they are written.

use std::sync::Arc;

use kuva::render::layout::TickFormat;

use crate::{Axis, Scale};

/// An axis with nothing left open.
pub(crate) struct Ruler {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Distance between ticks; a log axis ticks at 1, 2, 5 or at powers of ten.
    pub(crate) step: Option<f64>,
    pub(crate) format: TickFormat,
}

/// Free room on either side of the data, as a fraction of their range.
const MARGIN: f64 = 0.04;

impl Ruler {
    /// Fits the axis to its limits, or to the values; `ticks` is about how many fit.
    /// Without limits or values it has no numbers.
    pub(crate) fn fit(axis: &Axis, values: impl Iterator<Item = f64>, ticks: f64) -> Self {
        let data = values.fold(None, |range: Option<(f64, f64)>, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((low.min(value), high.max(value))),
        });
        let range = match (axis.limits, data) {
            (Some([low, high]), _) => Some((low, high)),
            (None, Some((low, high))) => {
                let (least, most) = padded(axis.scale, low, high);
                Some((axis.low.filter(|low| *low < most).unwrap_or(least), most))
            }
            (None, None) => None,
        };
        match (range, axis.scale) {
            // Less than a decade may hold none of 1, 2, 5: it ticks like a linear axis.
            (Some((low, high)), Scale::Log) if high >= 10.0 * low => {
                Self { low, high, step: None, format: power(low, high) }
            }
            (Some((low, high)), _) => {
                let step = round_step((high - low) / ticks, axis.integer);
                Self { low, high, step: Some(step), format: decimal(step) }
            }
            (None, _) => Self { low: 1.0, high: 2.0, step: Some(1.0), format: blank() },
        }
    }
}

/// How far off the axis a point may lie before it is moved closer: drawing libraries give
/// up on lines a million times longer than the page.
pub(crate) struct Reach {
    low: f64,
    high: f64,
}

impl Reach {
    /// A hundred lengths of the axis to either side, which no eye can tell from farther.
    pub(crate) fn of(scale: Scale, (low, high): (f64, f64)) -> Self {
        match scale {
            Scale::Linear => {
                let far = 100.0 * (high - low);
                Self { low: low - far, high: high + far }
            }
            Scale::Log => {
                let far = (high / low).powi(100);
                Self { low: low / far, high: high * far }
            }
        }
    }

    /// The value, or the farthest that is still drawn.
    pub(crate) fn hold(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }
}

/// Means of equal numbers differ by rounding: that is no range.
pub(crate) fn is_range(low: f64, high: f64) -> bool {
    high - low > 1e-9 * high.abs().max(low.abs())
}

fn padded(scale: Scale, low: f64, high: f64) -> (f64, f64) {
    match scale {
        Scale::Linear => {
            let pad = match is_range(low, high) {
                true => (high - low) * MARGIN,
                false => (low.abs() * 0.1).max(0.5),
            };
            // A quantity that is never negative must not seem to be.
            let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
            ((low - pad).max(floor), high + pad)
        }
        Scale::Log => {
            let pad = match is_range(low, high) {
                true => (high / low).powf(MARGIN),
                false => 2.0,
            };
            (low / pad, high * pad)
        }
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `wish`.
fn round_step(wish: f64, integer: bool) -> f64 {
    let power = 10f64.powf(wish.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(|step| *step >= wish);
    let step = step.unwrap_or(10.0 * power);
    if integer { step.max(1.0) } else { step }
}

fn decimal(step: f64) -> TickFormat {
    // The guard keeps 0.1, whose logarithm is a hair below -1, at one decimal.
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 100.0) as usize;
    TickFormat::Custom(Arc::new(move |value| minus(&format!("{value:.decimals$}"))))
}

/// Plain numbers if all of them are short, else powers of ten; the ticks at 2 and 5 between
/// powers then go without.
fn power(low: f64, high: f64) -> TickFormat {
    let plain = low >= 0.9e-3 && high < 1e5;
    TickFormat::Custom(Arc::new(move |value: f64| {
        let exponent = value.log10().round();
        if plain {
            let decimals = (-(value.log10() + 1e-9).floor()).max(0.0) as usize;
            format!("{value:.decimals$}")
        } else if (value / 10f64.powf(exponent) - 1.0).abs() < 1e-9 {
            format!("10{}", superscript(exponent as i32))
        } else {
            String::new()
        }
    }))
}

fn blank() -> TickFormat {
    TickFormat::Custom(Arc::new(|_| String::new()))
}

fn minus(number: &str) -> String {
    number.replace('-', "\u{2212}")
}

fn superscript(exponent: i32) -> String {
    let raised = |character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(digit),
    };
    exponent.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(integer: bool, scale: Scale, limits: Option<[f64; 2]>) -> Axis {
        Axis { label: "N".to_owned(), limits, low: None, scale, integer }
    }

    fn check_step(wish: f64, integer: bool, expected: f64) {
        assert!((round_step(wish, integer) - expected).abs() < 1e-12 * expected);
    }

    #[test]
    fn a_step_is_the_next_of_one_two_five() {
        check_step(0.013, false, 0.02);
        check_step(3.0, false, 5.0);
        check_step(6.0, false, 10.0);
        check_step(20.0, false, 20.0);
        check_step(0.1, false, 0.1);
    }

    #[test]
    fn whole_number_axes_never_step_below_one() {
        check_step(0.3, true, 1.0);
        check_step(1.5, true, 2.0);
    }

    fn check_label(format: TickFormat, value: f64, expected: &str) {
        assert_eq!(format.format(value), expected);
    }

    #[test]
    fn ticks_are_written_with_the_decimals_of_their_step() {
        check_label(decimal(0.1), 0.3, "0.3");
        check_label(decimal(0.05), 0.5, "0.50");
        check_label(decimal(20.0), 100.0, "100");
        check_label(decimal(1.0), -3.0, "\u{2212}3");
        check_label(decimal(0.001), 1.25, "1.250");
    }

    #[test]
    fn log_ticks_are_plain_numbers_near_one_and_powers_on_long_axes() {
        check_label(power(0.01, 300.0), 0.05, "0.05");
        check_label(power(0.01, 300.0), 0.1, "0.1");
        check_label(power(0.01, 300.0), 200.0, "200");
        check_label(power(1e-6, 1.0), 1e-4, "10⁻⁴");
        check_label(power(1e-6, 1.0), 1.0, "10⁰");
        check_label(power(1e3, 1e5), 2e4, "");
    }

    fn check_range(ruler: Ruler, low: f64, high: f64) {
        assert!((ruler.low - low).abs() < 1e-12, "low {}", ruler.low);
        assert!((ruler.high - high).abs() < 1e-12, "high {}", ruler.high);
    }

    #[test]
    fn the_range_is_the_data_with_a_margin_and_never_falls_below_zero() {
        let linear = axis(false, Scale::Linear, None);
        check_range(Ruler::fit(&linear, [2.0, 102.0].into_iter(), 5.0), 0.0, 106.0);
        check_range(Ruler::fit(&linear, [-1.0, 1.0].into_iter(), 5.0), -1.08, 1.08);
        check_range(Ruler::fit(&linear, [3.0].into_iter(), 5.0), 2.5, 3.5);
        let log = axis(false, Scale::Log, None);
        check_range(Ruler::fit(&log, [5.0].into_iter(), 5.0), 2.5, 10.0);
    }

    #[test]
    fn numbers_that_differ_by_rounding_only_do_not_make_a_range() {
        let linear = axis(false, Scale::Linear, None);
        check_range(Ruler::fit(&linear, [20.0, 20.0 + 1e-14].into_iter(), 5.0), 18.0, 22.0);
    }

    #[test]
    fn a_log_axis_of_less_than_a_decade_ticks_like_a_linear_one() {
        let log = axis(false, Scale::Log, Some([2.1, 4.9]));
        assert_eq!(Ruler::fit(&log, std::iter::empty(), 5.0).step, Some(1.0));
        let wide = axis(false, Scale::Log, Some([0.1, 10.0]));
        assert_eq!(Ruler::fit(&wide, std::iter::empty(), 5.0).step, None);
    }

    #[test]
    fn points_far_off_the_axis_are_held_at_a_hundred_lengths() {
        let linear = Reach::of(Scale::Linear, (0.0, 2.0));
        assert_eq!([1.0, 150.0, 1e50, -1e50].map(|y| linear.hold(y)), [1.0, 150.0, 202.0, -200.0]);
        let log = Reach::of(Scale::Log, (1.0, 10.0));
        assert!((log.hold(1e105) / 1e101 - 1.0).abs() < 1e-9);
        assert_eq!(log.hold(1e-10), 1e-10);
    }

    #[test]
    fn limits_are_kept_exactly() {
        let fixed = axis(false, Scale::Linear, Some([0.4, 1.0]));
        check_range(Ruler::fit(&fixed, [0.0, 7.0].into_iter(), 5.0), 0.4, 1.0);
    }

    #[test]
    fn an_axis_without_data_has_no_numbers_on_it() {
        let empty = Ruler::fit(&axis(false, Scale::Log, None), std::iter::empty(), 5.0);
        check_label(empty.format, 1.0, "");
    }
}
