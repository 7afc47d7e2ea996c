//! The verdicts of a reproduction, as a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tau_analysis::Verdict;
use tau_runs::{Provenance, read_if_there};

use crate::claims::placebo::{LARGEST_SHARE, placebo};
use crate::claims::{CLAIMS, Claim, Part, conclude};
use crate::evidence::Network;
use crate::figures::Figure;
use crate::{Compat, Error, Preset};

/// Contents of `verdicts.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the preset.
    pub preset: String,
    /// Whose quirks were switched on.
    pub compat: Compat,
    /// Commit of the program's source, or `unknown`.
    pub commit: String,
    /// Processor or accelerator.
    pub device: String,
    /// Seconds of training and measuring in this call.
    pub wall_s: f64,
    /// One for each claim.
    pub claims: Vec<Judged>,
    /// Folders of all runs that were judged.
    pub runs: Vec<String>,
    /// What each of these networks is: the series of its condition.
    pub conditions: BTreeMap<String, String>,
    /// Those among them that diverged: they count in no claim.
    pub diverged: Vec<String>,
}

/// A claim and its verdict. Effect, interval and networks are those of its first part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its number among the twelve.
    pub id: String,
    /// What it says.
    pub title: String,
    /// Supported, contradicted, or undecidable at this scale.
    pub verdict: Verdict,
    /// Of the first part.
    pub effect: Option<f64>,
    /// 95 % interval of the first part; `null` if there are too few networks for one.
    pub interval: Option<[f64; 2]>,
    /// Networks behind the first part.
    pub networks: usize,
    /// The figure that shows it.
    pub figure: String,
    /// How often, of 1, it is supported when the conditions of its networks are exchanged at random;
    /// `null` if there is nothing to exchange.
    pub placebo: Option<f64>,
    /// Folders of the runs that its figure shows.
    pub runs: Vec<String>,
    /// Whether an earlier call judged it.
    #[serde(skip)]
    pub kept: bool,
    /// All parts; the verdict is that of their conjunction.
    pub parts: Vec<Part>,
}

impl Report {
    /// Judges the claims that these figures show.
    #[must_use]
    pub fn new(
        preset: &Preset,
        provenance: &Provenance,
        wall_s: f64,
        figures: &[&Figure],
        networks: &[Network],
    ) -> Self {
        let mut claims = Vec::new();
        for figure in figures {
            for claim in CLAIMS.iter().filter(|claim| claim.figure == figure.id) {
                claims.push(Judged::new(claim, figure, networks, preset.decides));
            }
        }
        claims.sort_by_key(Judged::place);
        let names = |networks: &mut dyn Iterator<Item = &Network>| {
            networks.map(|network| network.name.clone()).collect()
        };
        Self {
            preset: preset.id.clone(),
            compat: preset.compat,
            commit: provenance.commit.clone(),
            device: provenance.device.clone(),
            wall_s,
            claims,
            runs: names(&mut networks.iter()),
            conditions: networks.iter().map(|n| (n.name.clone(), n.series.clone())).collect(),
            diverged: names(&mut networks.iter().filter(|network| !network.is_sound())),
        }
    }

    /// The report in a file; `None` without a file, or for one that is not ours.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = read_if_there(path)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// The claims whose verdict is another one than in `other`: (in `other`, here).
    pub fn changed_from<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a Judged, &'a Judged)> {
        let pair = |mine: &'a Judged| {
            let other = other.claims.iter().find(|other| other.id == mine.id)?;
            (other.verdict != mine.verdict).then_some((other, mine))
        };
        self.claims.iter().filter_map(pair)
    }

    /// Puts in the claims of an earlier report that this one leaves out, so that a call for one figure
    /// does not replace the verdicts on the others: those on all networks that this preset `plans` for
    /// their figures, as (series, folder), and on no other.
    ///
    /// # Errors
    /// A file that cannot be read; one that is not ours counts as none.
    pub fn keep_others(&mut self, path: &Path, plans: &[(String, String)]) -> Result<(), Error> {
        let Some(earlier) = Self::read(path)? else { return Ok(()) };
        let mine = (&self.preset, self.compat, &self.commit);
        if (&earlier.preset, earlier.compat, &earlier.commit) == mine {
            let missing = |claim: &Judged| self.claims.iter().all(|mine| mine.id != claim.id);
            let same = |claim: &Judged| {
                Figure::named(&claim.figure)
                    .is_some_and(|figure| claim.runs == planned(plans, figure))
            };
            let kept = earlier.claims.into_iter().filter(|claim| missing(claim) && same(claim));
            let others: Vec<Judged> = kept.map(|claim| Judged { kept: true, ..claim }).collect();
            self.claims.extend(others);
            self.claims.sort_by_key(Judged::place);
            let judged = |run: &&String| self.claims.iter().any(|claim| claim.runs.contains(run));
            let names = plans.iter().map(|(_, run)| run);
            let ours = names.filter(|run| self.runs.contains(run) || judged(run));
            let runs: Vec<String> = ours.cloned().collect();
            let diverged =
                |run: &&String| self.diverged.contains(run) || earlier.diverged.contains(run);
            self.diverged = runs.iter().filter(diverged).cloned().collect();
            let condition = |(series, run): &(String, String)| (run.clone(), series.clone());
            self.conditions =
                plans.iter().filter(|(_, run)| runs.contains(run)).map(condition).collect();
            self.runs = runs;
        }
        Ok(())
    }
}

/// The folders of the runs that a figure shows.
fn planned(plans: &[(String, String)], figure: &Figure) -> Vec<String> {
    let shown = plans.iter().filter(|(series, _)| figure.shows(series));
    shown.map(|(_, run)| run.clone()).collect()
}

impl Judged {
    fn new(claim: &Claim, figure: &Figure, networks: &[Network], decides: bool) -> Self {
        let parts = (claim.parts)(networks);
        let first = parts.first();
        let shown = networks.iter().filter(|network| figure.shows(&network.series));
        let placebo = if decides { placebo(claim, networks) } else { None };
        let verdict = match conclude(&parts) {
            _ if !decides => Verdict::Undecidable,
            Verdict::Supported if placebo > Some(LARGEST_SHARE) => Verdict::Undecidable,
            verdict => verdict,
        };
        Self {
            id: claim.id.to_owned(),
            title: claim.title.to_owned(),
            verdict,
            effect: first.and_then(|part| part.effect),
            interval: first.and_then(|part| part.interval),
            networks: first.map_or(0, |part| part.networks),
            figure: claim.figure.to_owned(),
            placebo,
            kept: false,
            runs: shown.map(|network| network.name.clone()).collect(),
            parts,
        }
    }

    /// Its place among the twelve.
    fn place(&self) -> Option<usize> {
        CLAIMS.iter().position(|known| known.id == self.id)
    }
}
