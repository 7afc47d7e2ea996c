//! The page is read back with an HTML parser, as a browser would.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use tau_analysis::Verdict;

use super::*;
use crate::test_paper::PAPER;
use crate::{Compat, Judged, Part};

const HEADER: &str =
    "figure,panel,series,source,statistic,network,x,y,y_low,y_high,unit,seed,preset,commit,device";
/// Two pictures that would share an id if they were elements of the page.
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><g id=\"a\"/></svg>";

fn figures() -> Vec<Shown> {
    let loaded = PAPER.load().unwrap();
    let shown = |ready: &crate::Ready| {
        let id = ready.figure.id;
        let mut csv = format!("{HEADER}\n");
        if id == "seed" {
            for (source, y, band) in [("ours", 1.5, "1.25,1.75"), ("published", 1.625, ",")] {
                csv +=
                    &format!("{id},seed,large,{source},mean,,30,{y},{band},number,,many,abc,cpu\n");
            }
        }
        Shown::new(ready, csv.as_bytes(), SVG).unwrap()
    };
    loaded.figures().iter().map(shown).collect()
}

fn judged(id: &str, verdict: Verdict, figure: &str) -> Judged {
    let part = |title: &str| Part {
        title: title.to_owned(),
        verdict,
        effect: Some(-0.25),
        interval: Some([-0.5, -0.125]),
        networks: 6,
        left_out: 2,
    };
    let parts = vec![part("slope of τ & more"), part("if x < 1")];
    Judged {
        id: id.to_owned(),
        title: "τ < 1 & <b>bold</b>".to_owned(),
        verdict,
        effect: parts[0].effect,
        interval: parts[0].interval,
        networks: 6,
        figure: figure.to_owned(),
        placebo: Some(0.015),
        kept: false,
        runs: Vec::new(),
        parts,
    }
}

fn report() -> Report {
    let runs = ["parity_multi-head_h64_seed400-abc", "parity_multi-head_h64_seed401-def"];
    Report {
        format: 1,
        paper: PAPER.id.to_owned(),
        preset: "few".to_owned(),
        compat: "clean".to_owned(),
        commit: "0123456789ab".to_owned(),
        device: "a \"device\" <x>".to_owned(),
        wall_s: 564.0,
        claims: vec![
            judged("1", Verdict::Supported, "seed"),
            judged("5", Verdict::Undecidable, "other"),
            judged("6", Verdict::Contradicted, "elsewhere"),
        ],
        runs: runs.map(str::to_owned).to_vec(),
        conditions: runs.map(|run| (run.to_owned(), "multi-head".to_owned())).into(),
        diverged: vec![runs[1].to_owned()],
    }
}

/// The page of a preset, with these figures.
fn page(preset: Preset, figures: &[Shown]) -> String {
    Page { paper: &PAPER, preset: &preset, report: &report(), figures }.render().unwrap()
}

fn preset(name: &str) -> Preset {
    PAPER.load().unwrap().preset(name, Compat::CLEAN).unwrap()
}

fn rendered(figures: &[Shown]) -> String {
    page(preset("few"), figures)
}

/// An element: its name and attributes.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// All elements, and all text but that of the style.
fn read(page: &str) -> (Vec<Element>, String) {
    let document: RcDom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let errors = document.errors.borrow();
    assert!(errors.is_empty(), "{errors:?}");
    let (mut elements, mut text) = (Vec::new(), String::new());
    visit(&document.document, &mut elements, &mut text);
    (elements, text)
}

fn visit(node: &Handle, elements: &mut Vec<Element>, text: &mut String) {
    if let NodeData::Text { contents } = &node.data {
        text.push_str(&contents.borrow());
    }
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let pair = |a: &html5ever::Attribute| (a.name.local.to_string(), a.value.to_string());
        let attributes = attrs.borrow().iter().map(pair).collect();
        elements.push(Element { name: name.local.to_string(), attributes });
        if &*name.local == "style" {
            return;
        }
    }
    node.children.borrow().iter().for_each(|child| visit(child, elements, text));
}

#[test]
fn ids_are_unique_and_every_link_has_its_target() {
    let (elements, _) = read(&rendered(&figures()));
    let mut ids = BTreeSet::new();
    for id in elements.iter().filter_map(|element| element.get("id")) {
        assert!(ids.insert(id), "{id} twice");
    }
    let labels = elements.iter().filter_map(|element| element.get("aria-labelledby"));
    let links = elements.iter().filter_map(|element| element.get("href")?.strip_prefix('#'));
    let (labels, links): (Vec<_>, Vec<_>) = (labels.collect(), links.collect());
    assert!(links.contains(&"figure-seed") && links.contains(&"divergences"), "{links:?}");
    for target in labels.into_iter().chain(links) {
        assert!(ids.contains(target), "no {target}");
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let (elements, _) = read(&rendered(&figures()));
    for element in &elements {
        assert!(!["script", "iframe", "object", "embed"].contains(&&*element.name));
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on"), "{name}");
            let citation = element.name == "a" && name == "href";
            let outside = value.contains("//") && !value.contains(";base64,");
            assert!(citation || !outside, "{name}: {value}");
        }
        if let Some(source) = element.get("src") {
            assert!(source.starts_with("data:image/svg+xml;base64,"), "{source}");
            assert!(element.get("alt").is_some_and(|text| text.contains(" against ")));
        }
    }
    let pictures = elements.iter().filter(|element| element.name == "img").count();
    assert_eq!(pictures, PAPER.figures.len());
    let lower = STYLE.to_lowercase();
    assert!(!["url(", "@import", "</"].iter().any(|word| lower.contains(word)));
}

#[test]
fn names_and_titles_are_text() {
    let (elements, text) = read(&rendered(&figures()));
    assert!(text.contains("τ < 1 & <b>bold</b>"));
    assert!(text.contains("a \"device\" <x>"));
    assert!(elements.iter().all(|element| element.name != "b" && element.name != "x"));
}

#[test]
fn verdicts_intervals_and_what_was_left_out_are_there() {
    let (_, text) = read(&rendered(&figures()));
    assert!(text.contains("1 supported, 1 not decidable at this scale, 1 contradicted"));
    assert!(text.contains("−0.250 [−0.500, −0.125]"));
    assert!(text.contains("elsewhere, not in this folder"));
    assert!(text.contains("9 min 24 s"));
    assert!(text.contains("2, of which 1 diverged"));
    assert!(text.contains("updates_per_epoch = 5"));
}

#[test]
fn published_values_stand_beside_ours_where_there_are_any() {
    let (elements, text) = read(&rendered(&figures()));
    assert!(text.contains("seed 301.6251.5 ± 0.25"), "the row at 30");
    let elsewhere = "Published values belong to networks of the published size and training";
    let none = "There are no published values";
    // The other figure has none; a figure that has some is not beside networks of another scale.
    assert_eq!((text.matches(elsewhere).count(), text.matches(none).count()), (0, 1));
    let empty = |ready| Shown::new(ready, HEADER.as_bytes(), SVG).unwrap();
    let loaded = PAPER.load().unwrap();
    let shown: Vec<Shown> = loaded.figures().iter().map(empty).collect();
    let (_, without) = read(&rendered(&shown));
    assert_eq!((without.matches(elsewhere).count(), without.matches(none).count()), (1, 1));
    let tables = elements.iter().filter(|element| element.name == "table").count();
    let captions = elements.iter().filter(|element| element.name == "caption").count();
    assert_eq!(tables, captions);
}

#[test]
fn the_table_can_be_saved_from_the_page_as_it_is() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (elements, _) = read(&rendered(&figures()));
    let saved = elements.iter().find(|element| element.get("download") == Some("seed.csv"));
    let (_, data) = saved.unwrap().get("href").unwrap().split_once(";base64,").unwrap();
    let csv = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.starts_with(HEADER));
}

#[test]
fn the_divergences_are_those_of_the_paper() {
    let (elements, text) = read(&rendered(&[]));
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert!(place("Divergences from the published code") < place("two steps"));
    place("Training: what differs, why, and what it changes");
    place("Beware.");
    place("Ours alone");
    assert!(!text.contains("|---|") && !text.contains("## "));
    // Links of the documentation would lead nowhere from here.
    let href = |element: &Element| element.get("href").map(str::to_owned);
    let links: Vec<String> = elements.iter().filter_map(href).collect();
    assert!(links.iter().all(|link| !link.ends_with(".md")), "{links:?}");
    assert!(links.iter().any(|link| link == "https://example.org/b"));
}

#[test]
fn a_paper_without_divergences_has_no_such_section() {
    let paper = Box::leak(Box::new(Paper { divergences: "", ..PAPER }));
    let page = Page { paper, preset: &preset("few"), report: &report(), figures: &[] };
    assert!(!read(&page.render().unwrap()).1.contains("Divergences"));
}

#[test]
fn the_page_names_the_paper_and_the_quirks() {
    let (elements, text) = read(&rendered(&[]));
    assert!(text.contains("Reproduction of A et al., Proceedings 2000, preset few"));
    assert!(text.contains("Sizes & <b>more</b> (A, B, C, Proceedings 2000, a journal)"));
    assert!(elements.iter().any(|one| one.get("href") == Some("https://example.org/sizes")));
    let odd = PAPER.load().unwrap().preset("few", PAPER.quirk("odd").unwrap()).unwrap();
    let (_, text) = read(&page(odd, &[]));
    assert!(text.contains("with the quirks of the published code (odd): large networks are small"));
}

/// One row per condition, with its facets and its own settings.
#[test]
fn conditions_stand_in_the_settings_with_their_facets() {
    let (_, text) = read(&rendered(&[]));
    assert!(text.contains("Conditionsizetask"), "one column for each facet");
    assert!(text.contains("large networkslargeparity4"), "{text}");
}

#[test]
fn what_a_scale_carries_is_said() {
    let said = |preset: Preset| read(&page(preset, &[])).1;
    let few = said(preset("few").with_seeds(2).unwrap());
    assert!(
        few.contains("2 networks of 8 or 16 neurons for each condition. Fewer than 3"),
        "{few}"
    );
    assert!(said(preset("few")).contains("3 to 4 networks"));
    assert!(said(preset("few")).contains("not the published size and training"));
    assert!(said(preset("many")).contains("the published size and training. Values can be"));
}

#[test]
fn equal_input_gives_equal_bytes() {
    assert_eq!(rendered(&figures()), rendered(&figures()));
}

/// A call for one figure shows the others that are in the folder, and no table that is not one.
#[test]
fn the_folder_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (id, csv) in [("seed", HEADER), ("other", "not a table")] {
        std::fs::write(folder.path().join(format!("{id}.csv")), csv).unwrap();
        std::fs::write(folder.path().join(format!("{id}.svg")), SVG).unwrap();
    }
    let loaded = PAPER.load().unwrap();
    let path = write(folder.path(), &loaded, &preset("few"), &report(), &[]).unwrap();
    let (elements, text) = read(&std::fs::read_to_string(path).unwrap());
    let shown: Vec<&str> = elements.iter().filter_map(|element| element.get("download")).collect();
    assert_eq!(shown, ["seed.csv"]);
    assert!(text.contains("other, not in this folder"));
}
