//! Facets say what the networks of a condition are; selectors say whose networks are meant.
//!
//! Names of conditions are for people. Figures and claims never read them: they select by facets, and
//! every selector is compared with the facets of all presets when a paper is loaded, so that a
//! misspelt facet is an error and not an empty sample.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a condition is, as data: `task = parity`, `cell = gru`.
pub type Facets = BTreeMap<String, String>;

/// The networks of all conditions that have these facets, whatever their other facets are, under the
/// name that figures and claims give them.
#[derive(Clone, Copy, Debug)]
pub struct Selector {
    name: &'static str,
    like: Option<&'static Self>,
    terms: &'static [(&'static str, &'static str)],
    optional: bool,
}

impl Selector {
    /// Conditions with these facets.
    ///
    /// ```
    /// use tau_reproduce::Selector;
    /// const LEAKY: Selector = Selector::of("leaky", &[("task", "parity"), ("cell", "leaky")]);
    /// const GATED: Selector = Selector::like(&LEAKY, "gated", &[("cell", "gru")]);
    /// assert_eq!(GATED.to_string(), "cell = gru, task = parity");
    /// ```
    #[must_use]
    pub const fn of(name: &'static str, terms: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, like: None, terms, optional: false }
    }

    /// Conditions with the facets of `like`, but for those that `terms` has in their place.
    #[must_use]
    pub const fn like(
        like: &'static Self,
        name: &'static str,
        terms: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, like: Some(like), terms, optional: false }
    }

    /// The name of its networks: of a series of a figure, in titles of claims.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The same selector, which a preset may leave without a condition.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Whether a preset may have no such condition.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The facets that are asked for.
    #[must_use]
    pub fn facets(&self) -> BTreeMap<&'static str, &'static str> {
        let mut facets = self.like.map(Self::facets).unwrap_or_default();
        facets.extend(self.terms.iter().copied());
        facets
    }

    /// Whether a condition with these facets is meant.
    #[must_use]
    pub fn matches(&self, facets: &Facets) -> bool {
        let has = |(key, value): (&str, &str)| facets.get(key).is_some_and(|own| own == value);
        self.facets().into_iter().all(has)
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.facets() == other.facets()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(&self.facets()))
    }
}

/// `cell = gru, task = parity`.
pub(crate) fn words<K: fmt::Display, V: fmt::Display>(facets: &BTreeMap<K, V>) -> String {
    let each = facets.iter().map(|(key, value)| format!("{key} = {value}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Every value that each facet has in some condition.
pub(crate) struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    pub(crate) fn of<'a>(conditions: impl IntoIterator<Item = &'a Facets>) -> Self {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, value) in conditions.into_iter().flatten() {
            known.entry(key.clone()).or_default().insert(value.clone());
        }
        Self(known)
    }

    /// What is wrong with a selector whose facets no condition has; `None` if nothing is.
    pub(crate) fn fault(&self, selector: &Selector) -> Option<String> {
        selector.facets().into_iter().find_map(|(key, value)| match self.0.get(key) {
            None => Some(format!(
                "no condition of any preset has the facet {key} ({})",
                suggestion(key, self.0.keys().map(String::as_str))
            )),
            Some(values) if !values.contains(value) => Some(format!(
                "no condition of any preset has {key} = {value} ({})",
                suggestion(value, values.iter().map(String::as_str))
            )),
            Some(_) => None,
        })
    }

    /// What is wrong with the name of a facet; `None` if nothing is.
    pub(crate) fn key_fault(&self, key: &str) -> Option<String> {
        let keys = || self.0.keys().map(String::as_str);
        let fault = || {
            format!("no condition of any preset has the facet {key} ({})", suggestion(key, keys()))
        };
        (!self.0.contains_key(key)).then(fault)
    }
}

/// `did you mean parity? known: dms, parity`, the nearest of the known names first.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let likeness =
        |other: &&&str| (1e6 * strsim::normalized_damerau_levenshtein(name, other)) as u64;
    let all = known.join(", ");
    match known.iter().max_by_key(likeness) {
        Some(nearest) => format!("did you mean {nearest}? known: {all}"),
        None => "there is none at all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: Selector = Selector::of("main", &[("task", "parity"), ("tau", "trained")]);
    const FIXED: Selector =
        Selector::like(&MAIN, "fixed", &[("tau", "1"), ("curriculum", "single-head")]);

    fn facets(pairs: &[(&str, &str)]) -> Facets {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_selector_asks_for_its_own_facets_and_for_no_other() {
        let fixed = facets(&[("task", "parity"), ("tau", "1"), ("curriculum", "single-head")]);
        assert!(FIXED.matches(&fixed) && !MAIN.matches(&fixed));
        let gated = facets(&[("task", "parity"), ("tau", "trained"), ("cell", "gru")]);
        assert!(MAIN.matches(&gated) && !FIXED.matches(&gated));
        assert!(!MAIN.matches(&Facets::new()));
        assert_eq!(FIXED.to_string(), "curriculum = single-head, task = parity, tau = 1");
    }

    #[test]
    fn equal_facets_are_equal_selectors() {
        let again = Selector::of(
            "again",
            &[("curriculum", "single-head"), ("tau", "1"), ("task", "parity")],
        );
        assert!(FIXED == again && FIXED != MAIN);
        assert!(again.optional() == again && again.optional().is_optional());
    }

    #[test]
    fn a_misspelt_facet_is_answered_with_the_nearest_known_one() {
        let conditions = [
            facets(&[("curriculum", "single-head"), ("task", "parity"), ("tau", "1")]),
            facets(&[("curriculum", "multi-head"), ("task", "dms"), ("tau", "trained")]),
        ];
        let known = Known::of(&conditions);
        let check = |terms: &'static [(&'static str, &'static str)], fault: Option<&str>| {
            assert_eq!(known.fault(&Selector::of("", terms)).as_deref(), fault);
        };
        check(&[("task", "parity"), ("tau", "1")], None);
        check(
            &[("curriculum", "singel-head")],
            Some(
                "no condition of any preset has curriculum = singel-head (did you mean \
                 single-head? known: multi-head, single-head)",
            ),
        );
        check(
            &[("curiculum", "single-head")],
            Some(
                "no condition of any preset has the facet curiculum (did you mean curriculum? \
                 known: curriculum, task, tau)",
            ),
        );
        assert!(known.key_fault("tau").is_none());
        assert!(known.key_fault("cell").is_some_and(|fault| fault.contains("the facet cell")));
    }
}
