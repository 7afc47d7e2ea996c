//! The verdicts of a reproduction, as a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tau_analysis::Verdict;
use tau_runs::{Provenance, read_if_there};

use crate::cache::check_format;
use crate::claim::{Part, conclude};
use crate::load::unnamed;
use crate::placebo::{LARGEST_SHARE, placebo};
use crate::{Claim, Error, Facets, Network, Networks, Paper, Preset};

/// Version of `verdicts.json`.
const FORMAT: u32 = 1;

/// Contents of `verdicts.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the file's format.
    pub format: u32,
    /// Id of the paper.
    pub paper: String,
    /// Name of the preset.
    pub preset: String,
    /// Whose quirks were switched on, or `clean`.
    pub compat: String,
    /// Commit of the program's source, or `unknown`.
    pub commit: String,
    /// Processor or accelerator.
    pub device: String,
    /// Seconds of training and measuring in this call.
    pub wall_s: f64,
    /// The verdicts, one for each claim.
    pub claims: Vec<Judged>,
    /// Folders of all runs that were judged.
    pub runs: Vec<String>,
    /// Name of the condition of each of these networks.
    pub conditions: BTreeMap<String, String>,
    /// Those among them that diverged: they count in no claim.
    pub diverged: Vec<String>,
}

/// A claim and its verdict. Effect, interval and networks are those of its first part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The claim's name.
    pub id: String,
    /// What it says.
    pub title: String,
    /// Supported, contradicted, or undecidable at this scale.
    pub verdict: Verdict,
    /// Effect of the first part.
    pub effect: Option<f64>,
    /// 95 % interval of the first part; `null` if there are too few networks for one.
    pub interval: Option<[f64; 2]>,
    /// Number of networks behind the first part.
    pub networks: usize,
    /// The figure that shows it.
    pub figure: String,
    /// How often, of 1, it is supported when the conditions of its networks are exchanged at random;
    /// `null` if there is nothing to exchange.
    pub placebo: Option<f64>,
    /// Folders of the runs that it is judged on, and of those that its figure shows.
    pub runs: Vec<String>,
    /// Whether an earlier call judged it.
    #[serde(skip)]
    pub kept: bool,
    /// All parts; the verdict is that of their conjunction.
    pub parts: Vec<Part>,
}

/// A run of the preset, whether this call needs it or not.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) condition: String,
    pub(crate) facets: Facets,
    pub(crate) folder: String,
}

impl Report {
    /// Judges the claims.
    pub(crate) fn new(
        paper: &Paper,
        preset: &Preset,
        provenance: &Provenance,
        wall_s: f64,
        claims: &[&Claim],
        networks: &[Network],
    ) -> Result<Self, Error> {
        let judge = |claim: &&Claim| Judged::new(paper, claim, networks, preset.decides);
        let name = |network: &Network| network.name.clone();
        let condition = |network: &Network| (network.name.clone(), network.condition.clone());
        let diverged = networks.iter().filter(|network| !network.is_sound());
        Ok(Self {
            format: FORMAT,
            paper: paper.id.to_owned(),
            preset: preset.id.clone(),
            compat: preset.compat.name().to_owned(),
            commit: provenance.commit.clone(),
            device: provenance.device.clone(),
            wall_s,
            claims: claims.iter().map(judge).collect::<Result<_, _>>()?,
            runs: networks.iter().map(name).collect(),
            conditions: networks.iter().map(condition).collect(),
            diverged: diverged.map(name).collect(),
        })
    }

    /// The report in a file; `None` without a file, or for one that is not ours.
    ///
    /// # Errors
    /// A file that cannot be read, or that a newer version wrote ([`Error::Format`]).
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let Some(bytes) = read_if_there(path)? else { return Ok(None) };
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return Ok(None) };
        check_format(path, &value, FORMAT)?;
        Ok(serde_json::from_value(value).ok())
    }

    /// The claims whose verdict differs from that in `other`: (in `other`, here).
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

    /// Whether verdicts can be compared or kept: those of one program on one preset of one paper.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let of =
            |report: &Self| (report.paper.clone(), report.preset.clone(), report.commit.clone());
        of(self) == of(other)
    }

    /// Puts in the claims of an earlier report that this one leaves out, so that a call for one figure
    /// does not replace the verdicts on the others: those on all networks that the preset has for them
    /// now, and on no other.
    pub(crate) fn keep_others(
        &mut self,
        path: &Path,
        paper: &Paper,
        known: &[Known],
    ) -> Result<(), Error> {
        let earlier = Self::read(path)?;
        let alike = |earlier: &Self| self.is_like(earlier) && earlier.compat == self.compat;
        let Some(earlier) = earlier.filter(alike) else { return Ok(()) };
        let missing = |judged: &Judged| self.claims.iter().all(|mine| mine.id != judged.id);
        let same = |judged: &Judged| {
            let claim = paper.claims.iter().find(|claim| claim.id == judged.id);
            let now = |claim| {
                let runs = known.iter().filter(|run| concerns(paper, claim, &run.facets));
                runs.map(|run| run.folder.clone()).collect::<Vec<_>>()
            };
            claim.is_some_and(|claim| judged.runs == now(claim))
        };
        let kept = earlier.claims.into_iter().filter(|claim| missing(claim) && same(claim));
        let others: Vec<Judged> = kept.map(|claim| Judged { kept: true, ..claim }).collect();
        self.claims.extend(others);
        let place = |judged: &Judged| paper.claims.iter().position(|claim| claim.id == judged.id);
        self.claims.sort_by_key(place);
        let judged = |run: &Known| {
            self.runs.contains(&run.folder)
                || self.claims.iter().any(|claim| claim.runs.contains(&run.folder))
        };
        let ours: Vec<&Known> = known.iter().filter(|run| judged(run)).collect();
        let runs: Vec<String> = ours.iter().map(|run| run.folder.clone()).collect();
        let diverged =
            |run: &&String| self.diverged.contains(run) || earlier.diverged.contains(run);
        self.diverged = runs.iter().filter(diverged).cloned().collect();
        let condition = |run: &&Known| (run.folder.clone(), run.condition.clone());
        self.conditions = ours.iter().map(condition).collect();
        self.runs = runs;
        Ok(())
    }
}

/// Whether networks with these facets are those of a claim, or shown beside it.
fn concerns(paper: &Paper, claim: &Claim, facets: &Facets) -> bool {
    claim.is_about(facets) || paper.figure(claim.figure).is_some_and(|figure| figure.shows(facets))
}

impl Judged {
    fn new(
        paper: &Paper,
        claim: &Claim,
        networks: &[Network],
        decides: bool,
    ) -> Result<Self, Error> {
        let view = Networks::new(networks);
        let parts = (claim.parts)(&view);
        if let Some(reason) = unnamed(claim, &view) {
            return Err(Error::Paper(format!("paper {}: {reason}", paper.id)));
        }
        let placebo = if decides { placebo(claim, networks) } else { None };
        let verdict = match conclude(&parts) {
            _ if !decides => Verdict::Undecidable,
            Verdict::Supported if placebo > Some(LARGEST_SHARE) => Verdict::Undecidable,
            verdict => verdict,
        };
        let first = parts.first();
        let concerned = networks.iter().filter(|one| concerns(paper, claim, &one.facets));
        Ok(Self {
            id: claim.id.to_owned(),
            title: claim.title.to_owned(),
            verdict,
            effect: first.and_then(|part| part.effect),
            interval: first.and_then(|part| part.interval),
            networks: first.map_or(0, |part| part.networks),
            figure: claim.figure.to_owned(),
            placebo,
            kept: false,
            runs: concerned.map(|network| network.name.clone()).collect(),
            parts,
        })
    }
}
