//! The verdicts of a reproduction, as a file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tau_analysis::Verdict;
use tau_runs::{Provenance, State, read_if_there};

use crate::claims::{CLAIMS, Part, conclude};
use crate::evidence::Network;
use crate::{Error, Preset};

/// Contents of `verdicts.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the preset.
    pub preset: String,
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
        figures: &[&str],
        networks: &[Network],
    ) -> Self {
        let shown = CLAIMS.iter().filter(|claim| figures.contains(&claim.figure));
        let claims = shown.map(|claim| {
            let parts = (claim.parts)(networks);
            let first = parts.first();
            Judged {
                id: claim.id.to_owned(),
                title: claim.title.to_owned(),
                verdict: conclude(&parts),
                effect: first.and_then(|part| part.effect),
                interval: first.and_then(|part| part.interval),
                networks: first.map_or(0, |part| part.networks),
                figure: claim.figure.to_owned(),
                parts,
            }
        });
        let names = |networks: &mut dyn Iterator<Item = &Network>| {
            networks.map(|network| network.name.clone()).collect()
        };
        Self {
            preset: preset.id.clone(),
            commit: provenance.commit.clone(),
            device: provenance.device.clone(),
            wall_s,
            claims: claims.collect(),
            runs: names(&mut networks.iter()),
            diverged: names(&mut networks.iter().filter(|n| n.state == State::Diverged)),
        }
    }

    /// Puts in the claims of an earlier report on the same networks that this one leaves out, so
    /// that a call for one figure does not replace the verdicts on the others.
    ///
    /// # Errors
    /// A file that cannot be read; one that is not ours counts as none.
    pub fn keep_others(&mut self, path: &Path) -> Result<(), Error> {
        let Some(bytes) = read_if_there(path)? else { return Ok(()) };
        let Ok(earlier) = serde_json::from_slice::<Self>(&bytes) else { return Ok(()) };
        if (&earlier.preset, &earlier.commit, &earlier.runs)
            == (&self.preset, &self.commit, &self.runs)
        {
            let missing = |claim: &Judged| self.claims.iter().all(|mine| mine.id != claim.id);
            let others: Vec<Judged> = earlier.claims.into_iter().filter(missing).collect();
            self.claims.extend(others);
            let place = |claim: &Judged| CLAIMS.iter().position(|known| known.id == claim.id);
            self.claims.sort_by_key(place);
        }
        Ok(())
    }
}
