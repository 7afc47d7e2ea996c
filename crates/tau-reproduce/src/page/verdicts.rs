//! The verdicts: one row per claim, its parts below.

use std::collections::BTreeSet;

use maud::{Markup, html};
use tau_analysis::Verdict;

use super::{Page, count, scroll};
use crate::{EXCHANGES, FEWEST, Judged, Part};

impl Page<'_> {
    pub(super) fn verdicts(&self) -> Markup {
        html! {
            h2 #verdicts { "Verdicts" }
            p.summary { (self.summary()) }
            p { (self.scale()) }
            // The roles keep it a table for screen readers where the style makes it a list of cards.
            table.verdicts role="table" {
                caption {
                    "One row per claim. Effect, 95 % interval and networks are those of its first part; "
                    "a claim is supported if all its parts are, and contradicted if one is. Bars show the \
                     interval, each on its own scale; the thin stroke is 0."
                }
                thead role="rowgroup" {
                    tr role="row" {
                        @for name in ["No.", "Claim", "Verdict", "Effect", "Networks", "Figure"] {
                            th scope="col" role="columnheader" { (name) }
                        }
                    }
                }
                @for claim in &self.report.claims { (self.claim(claim)) }
            }
        }
    }

    fn claim(&self, claim: &Judged) -> Markup {
        let id = format!("claim-{}", claim.id);
        html! {
            tbody #(id) role="rowgroup" {
                tr role="row" {
                    th.number scope="row" role="rowheader" { span.label { "Claim " } (claim.id) }
                    td.says role="cell" {
                        (claim.title)
                        @if let Some(first) = claim.parts.first() {
                            span.headline { (first.title) }
                        }
                    }
                    td.verdict role="cell" { (badge(claim.verdict)) }
                    td.effect role="cell" {
                        span.label { "Effect " }
                        (effect(claim.effect)) " "
                        span.interval { (interval(claim.effect, claim.interval)) }
                        @if let (Some(effect), Some(interval)) = (claim.effect, claim.interval) {
                            (drawn(effect, interval))
                        }
                    }
                    td.networks role="cell" { span.label { "Networks " } (claim.networks) }
                    td.figure role="cell" {
                        span.label { "Figure " }
                        @if self.figures.iter().any(|figure| figure.id() == claim.figure) {
                            a href={ "#figure-" (claim.figure) } { (claim.figure) }
                        } @else {
                            (claim.figure) ", not in this folder"
                        }
                    }
                }
                tr.parts role="row" {
                    td colspan="6" role="cell" {
                        details {
                            summary { (count(claim.parts.len(), "part")) " of claim " (claim.id) }
                            (scroll(&format!("Parts of claim {}", claim.id), &parts(&claim.parts)))
                            @if let Some(share) = claim.placebo { p.note { (placebo(share)) } }
                        }
                    }
                }
            }
        }
    }

    /// `5 supported, 2 not decidable at this scale, 0 contradicted`.
    fn summary(&self) -> Markup {
        let all = [Verdict::Supported, Verdict::Undecidable, Verdict::Contradicted];
        html! {
            @for (place, verdict) in all.into_iter().enumerate() {
                @let claims = self.report.claims.iter().filter(|claim| claim.verdict == verdict);
                @if place > 0 { ", " }
                strong { (claims.count()) } " " (words(verdict))
            }
        }
    }

    /// What this many networks of this size can carry.
    fn scale(&self) -> String {
        let seeds = || self.preset.conditions.iter().map(|condition| condition.seeds);
        let (fewest, most) = (seeds().min().unwrap_or(0), seeds().max().unwrap_or(0));
        let each = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
        let sizes: BTreeSet<usize> =
            self.preset.runs().map(|(_, _, spec)| spec.network.hidden_size).collect();
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let size = format!("{each} networks of {} neurons for each condition", sizes.join(" or "));
        if (fewest as usize) < FEWEST {
            format!(
                "Scale: {size}. Fewer than {FEWEST} of a condition decide nothing: this page shows that \
                 everything works, and none of its effects is evidence."
            )
        } else if self.preset.published_scale {
            format!(
                "Scale: {size}, the published size and training. Values can be compared with the published \
                 ones; intervals tell how far this number of networks carries."
            )
        } else {
            format!(
                "Scale: {size}, not the published size and training. It can carry the direction of an \
                 effect, over networks; neither its published size nor what only larger networks or \
                 longer training would show."
            )
        }
    }
}

fn parts(parts: &[Part]) -> Markup {
    html! {
        table {
            caption {
                "Networks are the unit of the intervals. Left out: networks without a value, mostly because "
                "their training did not get far enough."
            }
            thead {
                tr {
                    th scope="col" { "Part" }
                    th scope="col" { "Verdict" }
                    th.value scope="col" { "Effect" }
                    th.value scope="col" { "95 % interval" }
                    th.value scope="col" { "Networks" }
                    th.value scope="col" { "Left out" }
                }
            }
            tbody {
                @for part in parts {
                    tr {
                        th scope="row" { (part.title) }
                        td { (badge(part.verdict)) }
                        td.value { (effect(part.effect)) }
                        td.value { (interval(part.effect, part.interval)) }
                        td.value { (part.networks) }
                        td.value { (part.left_out) }
                    }
                }
            }
        }
    }
}

fn placebo(share: f64) -> String {
    format!(
        "Placebo: with the conditions of these networks exchanged at random this claim is supported in \
         {:.1} % of {EXCHANGES} exchanges.",
        100.0 * share
    )
}

/// A verdict in colour, sign and words: none of them alone.
fn badge(verdict: Verdict) -> Markup {
    let (class, sign) = match verdict {
        Verdict::Supported => ("supported", "✓"),
        Verdict::Contradicted => ("contradicted", "✗"),
        Verdict::Undecidable => ("undecidable", "?"),
    };
    html! {
        span.badge.(class) { span aria-hidden="true" { (sign) } " " (words(verdict)) }
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "supported",
        Verdict::Contradicted => "contradicted",
        Verdict::Undecidable => "not decidable at this scale",
    }
}

fn effect(effect: Option<f64>) -> String {
    effect.map_or_else(|| "not measured".to_owned(), signed)
}

fn interval(effect: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (effect, interval) {
        (_, Some([low, high])) => format!("[{}, {}]", signed(low), signed(high)),
        (Some(_), None) => "too few networks for an interval".to_owned(),
        (None, None) => String::new(),
    }
}

/// The interval as a bar with the effect as a dot, 0 in the middle, each on a scale of its own: whether it
/// lies on one side of 0 is seen at once. The numbers beside it say it to those who do not see it.
fn drawn(effect: f64, [low, high]: [f64; 2]) -> Markup {
    let largest = low.abs().max(high.abs());
    let place = |value: f64| {
        let share = if largest > 0.0 { value / largest } else { 0.0 };
        format!("{:.1}", 46.0 * share)
    };
    html! {
        svg.bar viewBox="-50 -6 100 12" width="100" height="12" aria-hidden="true" {
            path.zero d="M-50 0H50M0-6V6" {}
            path d={ "M" (place(low)) " 0H" (place(high)) } {}
            circle cx=(place(effect)) r="3" {}
        }
    }
}

/// As the terminal shows it, with the typographic minus.
fn signed(value: f64) -> String {
    format!("{value:+.3}").replace('-', "−")
}
