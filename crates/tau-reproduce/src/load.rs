//! Loading a paper: everything that it says is compared with everything else, before anything is
//! trained.

use std::collections::BTreeSet;

use crate::facets::{Known, suggestion};
use crate::figure::Ready;
use crate::{Claim, Compat, Error, Facets, Need, Networks, Paper, Preset, Selector};

/// A paper whose presets, figures, claims and selectors fit together. The only way to make one is
/// [`Paper::load`].
#[derive(Debug)]
pub struct Loaded {
    paper: &'static Paper,
    presets: Vec<Preset>,
    figures: Vec<Ready>,
}

/// A figure or a claim, as far as it selects networks.
struct Chooser {
    /// `figure tau-vs-n`, `claim 4`.
    name: String,
    selectors: Vec<Selector>,
    needs: &'static [Need],
}

impl Paper {
    /// Reads and checks all of it: presets, with and without quirks; declarations and published values of
    /// figures; claims; and that each selector of a figure or claim means some condition of every preset
    /// (or of some preset, if it is [optional](Selector::optional)).
    ///
    /// # Errors
    /// [`Error::Paper`], [`Error::Figures`] with what does not fit.
    pub fn load(&'static self) -> Result<Loaded, Error> {
        self.check_names().map_err(|reason| self.fault(&reason))?;
        let read = |compat| {
            let names = self.presets.iter().map(|(name, _)| *name);
            names.map(|name| Preset::read(self, name, compat)).collect::<Result<Vec<_>, _>>()
        };
        let presets = read(Compat::CLEAN)?;
        for quirk in self.quirks {
            read(Compat::with(quirk))?;
        }
        let figures = self.figures.iter().map(Ready::new).collect::<Result<Vec<_>, _>>()?;
        let loaded = Loaded { paper: self, presets, figures };
        loaded.check_measurements()?;
        loaded.check_selectors().map_err(|reason| self.fault(&reason))?;
        for claim in self.claims {
            check_claim(claim).map_err(|reason| self.fault(&reason))?;
        }
        Ok(loaded)
    }

    fn fault(&self, reason: &str) -> Error {
        Error::Paper(format!("paper {}: {reason}", self.id))
    }

    /// Whether names are distinct and those that refer to others are known.
    fn check_names(&self) -> Result<(), String> {
        let distinct = |what: &str, names: &[&str]| {
            let mut seen = BTreeSet::new();
            match names.iter().find(|name| !seen.insert(**name)) {
                Some(name) => Err(format!("two {what} have the name {name}")),
                None => Ok(()),
            }
        };
        let figures: Vec<&str> = self.figures.iter().map(|figure| figure.id).collect();
        let presets: Vec<&str> = self.presets.iter().map(|(name, _)| *name).collect();
        let ids = |needs: &[Need]| needs.iter().map(Need::id).collect::<Vec<_>>();
        distinct("presets", &presets)?;
        distinct("figures", &figures)?;
        distinct("claims", &self.claims.iter().map(|claim| claim.id).collect::<Vec<_>>())?;
        distinct("quirks", &self.quirks.iter().map(|quirk| quirk.id).collect::<Vec<_>>())?;
        distinct("measurements", &ids(self.measurements))?;
        let known = |who: String, what: &str, name: &str, names: &[&str]| {
            let words = || suggestion(name, names.iter().copied());
            let fault = || format!("{who}: no such {what}: {name} ({})", words());
            names.contains(&name).then_some(()).ok_or_else(fault)
        };
        known("default".to_owned(), "preset", self.default_preset, &presets)?;
        for claim in self.claims {
            known(format!("claim {}", claim.id), "figure", claim.figure, &figures)?;
        }
        for chooser in self.choosers() {
            for need in chooser.needs {
                known(chooser.name.clone(), "measurement", need.id(), &ids(self.measurements))?;
            }
        }
        Ok(())
    }

    fn choosers(&self) -> Vec<Chooser> {
        let figures = self.figures.iter().map(|figure| Chooser {
            name: format!("figure {}", figure.id),
            selectors: figure.series.to_vec(),
            needs: figure.needs,
        });
        let claims = self.claims.iter().map(|claim| Chooser {
            name: format!("claim {}", claim.id),
            selectors: claim.networks.to_vec(),
            needs: claim.needs,
        });
        figures.chain(claims).collect()
    }
}

impl Loaded {
    /// The paper.
    #[must_use]
    pub fn paper(&self) -> &'static Paper {
        self.paper
    }

    /// Its presets without quirks, in their order.
    #[must_use]
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// Its figures, in the order of the report.
    #[must_use]
    pub fn figures(&self) -> &[Ready] {
        &self.figures
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the known names.
    pub fn preset(&self, name: &str, compat: Compat) -> Result<Preset, Error> {
        Preset::read(self.paper, name, compat)
    }

    /// Whether every preset has settings for every measurement, and for no other.
    fn check_measurements(&self) -> Result<(), Error> {
        let known = || self.paper.measurements.iter().map(Need::id);
        for preset in &self.presets {
            for need in self.paper.measurements {
                need.check(preset)?;
            }
            if let Some(name) = preset.measured().find(|name| !known().any(|id| id == *name)) {
                let words = suggestion(name, known());
                let reason = format!("preset {}: no such measurement: {name} ({words})", preset.id);
                return Err(self.paper.fault(&reason));
            }
        }
        Ok(())
    }

    /// Whether every selector means something, and every figure shows a network once.
    fn check_selectors(&self) -> Result<(), String> {
        let all = self.presets.iter().flat_map(|preset| &preset.conditions);
        let known = Known::of(all.map(|condition| &condition.facets));
        for Chooser { name, selectors, .. } in self.paper.choosers() {
            for selector in selectors {
                if let Some(fault) = known.fault(&selector) {
                    return Err(format!("{name}: {fault}"));
                }
                let mut fitting = self.presets.iter().filter(|preset| has(preset, &selector));
                if selector.is_optional() {
                    fitting.next().ok_or_else(|| {
                        format!("{name}: no preset has a condition with {selector}")
                    })?;
                } else if let Some(preset) = self.presets.iter().find(|p| !has(p, &selector)) {
                    let id = &preset.id;
                    return Err(format!("{name}: preset {id} has no condition with {selector}"));
                }
            }
        }
        for claim in self.paper.claims {
            if let Some(fault) = known.key_fault(claim.exchanged) {
                return Err(format!("claim {}: {fault}", claim.id));
            }
        }
        for figure in self.paper.figures {
            let meant = |facets: &Facets| {
                figure.series.iter().filter(|selector| selector.matches(facets)).count()
            };
            let all = self.presets.iter().flat_map(|preset| &preset.conditions);
            if let Some(twice) = all.into_iter().find(|condition| meant(&condition.facets) > 1) {
                return Err(format!("figure {}: {} is in two series", figure.id, twice.name));
            }
        }
        Ok(())
    }
}

fn has(preset: &Preset, selector: &Selector) -> bool {
    preset.conditions.iter().any(|condition| selector.matches(&condition.facets))
}

/// Judged on no network, a claim has parts and asks for no networks but those that it names.
fn check_claim(claim: &Claim) -> Result<(), String> {
    let networks = Networks::new(&[]);
    if (claim.parts)(&networks).is_empty() {
        return Err(format!("claim {}: it has no part", claim.id));
    }
    unnamed(claim, &networks).map_or(Ok(()), Err)
}

/// What is wrong with a claim that asked for networks that it does not name.
pub(crate) fn unnamed(claim: &Claim, networks: &Networks<'_>) -> Option<String> {
    let asked = networks.asked();
    let unnamed = asked.iter().find(|selector| !claim.networks.contains(selector));
    unnamed.map(|selector| format!("claim {}: it does not name the networks {selector}", claim.id))
}

#[cfg(test)]
mod tests;
