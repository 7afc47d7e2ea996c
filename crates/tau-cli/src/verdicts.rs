//! What a reproduction says at its end: verdicts with their effects, on standard output.

use std::io::Write;

use tau_analysis::Verdict;
use tau_reproduce::{EXCHANGES, Judged, Part, Report};

use crate::eta::duration;

/// Prints every claim that was judged, part by part.
pub(crate) fn print_report(report: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out)?;
    for claim in report.claims.iter().filter(|claim| !claim.kept) {
        let verdict = words(claim.verdict);
        writeln!(out, "claim {}: {}", claim.id, claim.title)?;
        writeln!(out, "  {verdict} (figure {})", claim.figure)?;
        if let Some(share) = claim.placebo.filter(|_| claim.verdict == Verdict::Supported) {
            let percent = 100.0 * share;
            writeln!(
                out,
                "  (with conditions exchanged at random: in {percent:.1} % of {EXCHANGES})"
            )?;
        }
        for part in &claim.parts {
            writeln!(out, "  {:>24}  {}", estimate(part), part.title)?;
            if part.left_out > 0 {
                let (left_out, all) = (part.left_out, part.networks + part.left_out);
                writeln!(out, "{:>28}{left_out} of {all} networks have no value for it", "")?;
            }
        }
    }
    let kept = report.claims.iter().filter(|claim| claim.kept).count();
    if kept > 0 {
        writeln!(out, "{kept} verdicts of earlier calls are kept in verdicts.json and index.html")?;
    }
    for run in &report.diverged {
        writeln!(out, "warning: {run} diverged and counts in no claim")?;
    }
    writeln!(
        out,
        "preset {}, commit {}, {}, {}",
        report.preset,
        report.commit,
        report.device,
        duration(report.wall_s)
    )?;
    out.flush()
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "SUPPORTED",
        Verdict::Contradicted => "CONTRADICTED",
        Verdict::Undecidable => "not decidable at this scale",
    }
}

/// The verdicts that change with the quirks of a publication, of those that both reports have.
pub(crate) fn print_changes(clean: &Report, compat: &Report) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let name = &compat.compat;
    let changed: Vec<(&Judged, &Judged)> = compat.changed_from(clean).collect();
    let has = |claim: &&Judged| clean.claims.iter().any(|other| other.id == claim.id);
    let both = compat.claims.iter().filter(has).count();
    let changes = if changed.len() == 1 { "changes" } else { "change" };
    let changed_count = changed.len();
    writeln!(out, "{changed_count} of {both} verdicts {changes} with the {name} quirks")?;
    for (clean, compat) in changed {
        let (before, after) = (words(clean.verdict), words(compat.verdict));
        writeln!(out, "  claim {:>2}: {before} -> {after}", clean.id)?;
    }
    out.flush()
}

/// `+0.031 [+0.012, +0.050]`, or what is known of it.
fn estimate(part: &Part) -> String {
    match (part.effect, part.interval) {
        (Some(effect), Some([low, high])) => format!("{effect:+.3} [{low:+.3}, {high:+.3}]"),
        (Some(effect), None) => format!("{effect:+.3} [too few networks]"),
        (None, _) => "not measured".to_owned(),
    }
}
