//! What does not fit together is refused before anything is trained, by name.

use crate::test_paper::{LARGE, OTHER, PAPER, QUIRK, SEED, SMALL, claim, larger};
use crate::{Claim, Compat, Error, Figure, Paper, Part, RISES, Sample, Selector};

fn refused(change: impl FnOnce(&mut Paper)) -> String {
    let mut paper = PAPER;
    change(&mut paper);
    Box::leak(Box::new(paper)).load().unwrap_err().to_string()
}

fn with_claim(claim: Claim) -> String {
    refused(|paper| paper.claims = vec![claim].leak())
}

fn with_figure(figure: Figure) -> String {
    refused(|paper| paper.figures = vec![figure, OTHER].leak())
}

fn with_preset(text: String) -> String {
    let few = ("few", &*text.leak());
    refused(|paper| paper.presets = vec![few, PAPER.presets[1]].leak())
}

#[test]
fn a_paper_that_fits_together_is_loaded() {
    let loaded = PAPER.load().unwrap();
    assert_eq!(
        loaded.presets().iter().map(|preset| &*preset.id).collect::<Vec<_>>(),
        ["few", "many"]
    );
    let few = loaded.preset("few", Compat::CLEAN).unwrap();
    let seeds: Vec<u64> = few.runs().map(|(_, _, spec)| spec.seed).collect();
    assert_eq!(seeds, [400, 401, 402, 400, 401, 402, 403]);
    assert_eq!(few.with_seeds(2).unwrap().runs().count(), 4);
}

#[test]
fn quirks_change_the_training_and_not_the_facets() {
    let loaded = PAPER.load().unwrap();
    let sizes = |compat| {
        let preset = loaded.preset("few", compat).unwrap();
        let last = preset.runs().last().unwrap();
        (last.2.network.hidden_size, last.0.facets.clone())
    };
    let (clean, odd) = (sizes(Compat::CLEAN), sizes(PAPER.quirk("odd").unwrap()));
    assert_eq!((clean.0, odd.0), (16, 8));
    assert_eq!(clean.1, odd.1);
    assert!(PAPER.quirk("odd").unwrap().has(&QUIRK) && !Compat::CLEAN.has(&QUIRK));
}

#[test]
fn names_that_are_none_are_answered_with_those_that_are() {
    let loaded = PAPER.load().unwrap();
    let check = |found: Result<(), Error>, message: &str| {
        let error = found.unwrap_err();
        assert!(error.is_usage());
        assert_eq!(error.to_string(), message);
    };
    let preset = |name| loaded.preset(name, Compat::CLEAN).map(drop);
    check(preset("huge"), "unknown preset: huge (known: few, many)");
    check(PAPER.quirk("even").map(drop), "unknown quirks: even (known: odd)");
    let seeds = |seeds| loaded.preset("few", Compat::CLEAN).unwrap().with_seeds(seeds).map(drop);
    check(seeds(0), "seeds: 0 (allowed: 1 to 1000)");
    check(seeds(1001), "seeds: 1001 (allowed: 1 to 1000)");
}

/// A typo in a facet used to give an empty sample and a calm "not decidable".
#[test]
fn a_misspelt_facet_of_a_claim_or_figure_is_an_error_that_names_it() {
    const LARGER: Selector = Selector::like(&LARGE, "large", &[("size", "larger")]);
    const KEY: Selector = Selector::like(&LARGE, "large", &[("sizes", "large")]);
    let nearest =
        "no condition of any preset has size = larger (did you mean large? known: large, small)";
    let networks = &[SMALL, LARGER];
    assert_eq!(
        with_claim(Claim { networks, ..claim("4", "seed") }),
        format!("paper sizes-2000: claim 4: {nearest}")
    );
    assert_eq!(
        with_figure(Figure { series: networks, ..SEED }),
        format!("paper sizes-2000: figure seed: {nearest}")
    );
    assert_eq!(
        with_claim(Claim { networks: &[KEY], ..claim("4", "seed") }),
        "paper sizes-2000: claim 4: no condition of any preset has the facet sizes (did you mean size? \
         known: size, task)"
    );
    assert_eq!(
        with_claim(Claim { exchanged: "siez", ..claim("4", "seed") }),
        "paper sizes-2000: claim 4: no condition of any preset has the facet siez (did you mean size? \
         known: size, task)"
    );
}

#[test]
fn a_selector_means_some_condition_of_every_preset_unless_it_is_optional() {
    let few = PAPER.presets[0].1.replace("size = \"large\"", "size = \"medium\"");
    assert_eq!(
        with_preset(few.clone()),
        "paper sizes-2000: figure seed: preset few has no condition with size = large, task = parity"
    );
    let figure = Figure { series: const { &[SMALL, LARGE.optional()] }, ..SEED };
    let judged = Claim { networks: const { &[SMALL, LARGE.optional()] }, ..claim("1", "seed") };
    let mut paper = PAPER;
    paper.presets = vec![("few", &*few.leak()), PAPER.presets[1]].leak();
    paper.figures = vec![figure, OTHER].leak();
    paper.claims = vec![judged].leak();
    Box::leak(Box::new(paper)).load().unwrap();
}

#[test]
fn a_claim_asks_for_the_networks_that_it_names_and_has_parts() {
    assert_eq!(
        with_claim(Claim { networks: &[SMALL], ..claim("4", "seed") }),
        "paper sizes-2000: claim 4: it does not name the networks size = large, task = parity"
    );
    assert_eq!(
        with_claim(Claim { parts: |_| Vec::new(), ..claim("4", "seed") }),
        "paper sizes-2000: claim 4: it has no part"
    );
    let message = with_claim(claim("4", "sed"));
    assert_eq!(
        message,
        "paper sizes-2000: claim 4: no such figure: sed (did you mean seed? known: seed, other)"
    );
}

#[test]
fn a_figure_declares_the_series_that_it_shows_and_each_network_is_in_one() {
    let message = with_figure(Figure { series: &[SMALL], ..SEED });
    assert_eq!(
        message,
        "figure seed: it declares the series [\"large\", \"small\"] and shows [\"small\"]"
    );
    const ALL: Selector = Selector::of("large", &[("task", "parity")]);
    let message = with_figure(Figure { series: &[SMALL, ALL], ..SEED });
    assert_eq!(message, "paper sizes-2000: figure seed: small networks is in two series");
    let published = "panel,series,x,y,unit\nsed,large,2,1.625,number\n";
    let message = with_figure(Figure { published, ..SEED });
    assert_eq!(message, "figure seed: published values: no such panel: sed");
}

#[test]
fn faults_of_a_preset_are_named() {
    let few = PAPER.presets[0].1;
    let check = |from: &str, to: &str, message: &str| {
        let found = with_preset(few.replace(from, to));
        assert!(found.contains(message), "{found}");
    };
    check("id = \"few\"", "id = \"fewer\"", "preset few: its id is fewer");
    check("decides = true", "decide = true", "unknown field `decide`");
    check("large networks", "small networks", "small networks: another one has the same name");
    check("size = \"large\"", "siez = \"large\"", "condition large networks: unknown field `siez`");
    check("updates_per_epoch = 5", "updates_per_epoch = 0", "updates_per_epoch: 0 (allowed:");
    check("[training]", "[measurements.odd]\n[training]", "no such measurement: odd");
    check("times = 2", "time = 2", "preset few: measurements.seeds: unknown field `time`");
    check("times = 2", "", "preset few: measurements.seeds: missing field `times`");
}

#[test]
fn two_of_one_name_are_refused() {
    let twice = vec![claim("1", "seed"), claim("1", "other")];
    let message = refused(|paper| paper.claims = twice.leak());
    assert_eq!(message, "paper sizes-2000: two claims have the name 1");
    let message = refused(|paper| paper.figures = vec![SEED, SEED].leak());
    assert_eq!(message, "paper sizes-2000: two figures have the name seed");
}

#[test]
fn the_parts_of_a_claim_are_asked_for_all_their_networks() {
    // What a claim asks for only where it found something is seen when it is judged.
    let late = |networks: &crate::Networks<'_>| {
        let mut parts = larger(networks);
        if parts[0].networks > 0 {
            let hidden = Sample::of(networks, &Selector::of("", &[]), |_| None);
            parts.push(Part::mean("", &hidden, RISES));
        }
        parts
    };
    let claim = Claim { parts: late, ..claim("4", "seed") };
    assert_eq!(super::check_claim(&claim), Ok(()));
    let networks = [crate::Network::new(
        "",
        crate::test_paper::facets(&[("task", "parity"), ("size", "small")]),
        0,
        0,
    )];
    let view = crate::Networks::new(&networks);
    (claim.parts)(&view);
    assert!(super::unnamed(&claim, &view).is_some());
}
