//! A paper as data: its presets, conditions, measurements, figures and claims.

use serde::Serialize;
use tau_training::TrainingSpec;

use crate::{Claim, Entry, Error, Facets, Figure, Need};

/// A paper whose claims are judged. One crate per paper has one of these.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Name on the command line and in the folder for results.
    pub id: &'static str,
    /// What is reproduced.
    pub citation: Citation,
    /// Its dictionary in this repository: `docs/papers/{id}.md`.
    pub document: &'static str,
    /// Every preset as (name, TOML text).
    pub presets: &'static [(&'static str, &'static str)],
    /// Name of the preset that is used unless another one is asked for.
    pub default_preset: &'static str,
    /// Reads a condition of a preset.
    pub condition: fn(&Entry<'_>) -> Result<Meaning, Error>,
    /// The quirks of published code that can be switched on.
    pub quirks: &'static [Quirk],
    /// Everything that its figures and claims may need, in the order in which it is measured.
    pub measurements: &'static [Need],
    /// Its figures, in the order of the report.
    pub figures: &'static [Figure],
    /// Its claims, in the order of the report.
    pub claims: &'static [Claim],
    /// What differs from the published code, as Markdown that begins with a heading of the second
    /// level; empty if nothing is known.
    pub divergences: &'static str,
}

/// A publication.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Citation {
    /// Its title.
    pub title: &'static str,
    /// All authors, as the publication names them.
    pub authors: &'static str,
    /// The short form: `Elman`, `Elman et al.`.
    pub short: &'static str,
    /// Journal or conference.
    pub venue: &'static str,
    /// Year of publication.
    pub year: u16,
    /// Where it can be read: (words, address).
    pub link: (&'static str, &'static str),
}

/// What the published code does and the text of the paper does not say, as a whole that can be
/// switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quirk {
    /// Name on the command line and of the folder for results.
    pub id: &'static str,
    /// What it does, as a clause: `ablation leaves biases`.
    pub what: &'static str,
}

/// Whether measurements are clean (as the text of the paper has it, or better) or have the quirks of
/// published code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat(Option<&'static Quirk>);

impl Compat {
    /// Without quirks.
    pub const CLEAN: Self = Self(None);

    /// With these quirks.
    #[must_use]
    pub const fn with(quirk: &'static Quirk) -> Self {
        Self(Some(quirk))
    }

    /// Whether these quirks are switched on.
    #[must_use]
    pub fn has(self, quirk: &Quirk) -> bool {
        self.0 == Some(quirk)
    }

    /// The quirks, if some are switched on.
    #[must_use]
    pub fn quirk(self) -> Option<&'static Quirk> {
        self.0
    }

    /// Its name in file names and reports: `clean`, or that of the quirks.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.map_or("clean", |quirk| quirk.id)
    }
}

/// What the settings of a condition mean.
pub struct Meaning {
    /// What its networks are.
    pub facets: Facets,
    /// The training of the network with this seed.
    pub training: Box<dyn Fn(u64) -> TrainingSpec + Send + Sync>,
}

impl Paper {
    /// The quirks of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the known names.
    pub fn quirk(&'static self, id: &str) -> Result<Compat, Error> {
        let found = self.quirks.iter().find(|quirk| quirk.id == id);
        let known = || self.quirks.iter().map(|quirk| quirk.id);
        found.map(Compat::with).ok_or_else(|| Error::unknown("quirks", id, known()))
    }

    /// The figure of that id.
    #[must_use]
    pub fn figure(&self, id: &str) -> Option<&'static Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }

    /// Name and summary of each preset, for help texts: nothing else of them is read or checked.
    pub fn summaries(&self) -> impl Iterator<Item = (&'static str, String)> {
        #[derive(serde::Deserialize)]
        struct Summary {
            summary: String,
        }
        self.presets.iter().map(|(name, text)| {
            let read: Result<Summary, _> = toml::from_str(text);
            (*name, read.map(|preset| preset.summary).unwrap_or_default())
        })
    }

    /// `Elman, Cognitive Science 1990`.
    #[must_use]
    pub fn short_citation(&self) -> String {
        let Citation { short, venue, year, .. } = self.citation;
        format!("{short}, {venue} {year}")
    }
}
