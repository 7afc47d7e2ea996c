//! The page is read back with an HTML parser, as a browser would.

use std::collections::BTreeSet;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use tau_analysis::Verdict;
use tau_figures::{DECLARATIONS, declaration};

use super::*;
use crate::Judged;
use crate::claims::Part;

const HEADER: &str =
    "figure,panel,series,source,statistic,network,x,y,y_low,y_high,unit,seed,preset,commit,device";
/// Two pictures that would share an id if they were elements of the page.
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><g id=\"a\"/></svg>";

fn figures() -> Vec<Shown> {
    let shown = |(id, _): &(&str, &str)| {
        let mut csv = format!("{HEADER}\n");
        if *id == "tau-vs-n" {
            for (source, y, band) in [("ours", 1.5, "1.25,1.75"), ("published", 1.625, ",")] {
                csv += &format!(
                    "{id},mean,multi-head,{source},mean,,30,{y},{band},steps,,paper,abc,cpu\n"
                );
            }
        }
        Shown::new(declaration(id).unwrap(), csv.as_bytes(), SVG).unwrap()
    };
    DECLARATIONS.iter().map(shown).collect()
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
        preset: "laptop".to_owned(),
        compat: crate::Compat::Clean,
        commit: "0123456789ab".to_owned(),
        device: "a \"device\" <x>".to_owned(),
        wall_s: 564.0,
        claims: vec![
            judged("1", Verdict::Supported, "tau-vs-n"),
            judged("5", Verdict::Undecidable, "ablation"),
            judged("6", Verdict::Contradicted, "elsewhere"),
        ],
        runs: runs.map(str::to_owned).to_vec(),
        conditions: runs.map(|run| (run.to_owned(), "multi-head".to_owned())).into(),
        diverged: vec![runs[1].to_owned()],
    }
}

fn rendered(figures: &[Shown]) -> String {
    let preset = Preset::named("laptop").unwrap();
    Page { preset: &preset, report: &report(), figures }.render().unwrap()
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
    assert!(links.contains(&"figure-tau-vs-n") && links.contains(&"divergences"), "{links:?}");
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
    assert_eq!(pictures, DECLARATIONS.len());
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
    assert!(text.contains("hidden_size = 64"));
}

#[test]
fn published_values_stand_beside_ours_where_there_are_any() {
    let (elements, text) = read(&rendered(&figures()));
    assert!(text.contains("N 301.6251.5 ± 0.25"), "the row of N = 30");
    let elsewhere = text.matches("Published values belong to networks of another scale").count();
    let none = text.matches("There are no published values").count();
    let published = FIGURES.iter().filter(|figure| !(figure.published)().is_empty()).count();
    // tau-vs-n has its table.
    assert_eq!((elsewhere, none), (published - 1, FIGURES.len() - published));
    let tables = elements.iter().filter(|element| element.name == "table").count();
    let captions = elements.iter().filter(|element| element.name == "caption").count();
    assert_eq!(tables, captions);
}

#[test]
fn the_table_can_be_saved_from_the_page_as_it_is() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (elements, _) = read(&rendered(&figures()));
    let saved = elements.iter().find(|element| element.get("download") == Some("tau-vs-n.csv"));
    let (_, data) = saved.unwrap().get("href").unwrap().split_once(";base64,").unwrap();
    let csv = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.starts_with(HEADER));
}

#[test]
fn the_divergences_are_those_of_the_documentation() {
    let (elements, text) = read(&rendered(&[]));
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert!(place("Training") < place("a head is created when a stage needs it"));
    place("Beware of the AIC.");
    place("Ours alone");
    assert!(!text.contains("|---|") && !text.contains("## "));
    // Nor what stands around the section.
    assert!(!text.contains("dictionary and divergences") && !text.contains("7. Claims"));
    // Links of the documentation would lead nowhere from here.
    let href = |element: &Element| element.get("href").map(str::to_owned);
    assert!(elements.iter().filter_map(href).all(|link| !link.ends_with(".md")));
}

#[test]
fn what_a_scale_carries_is_said() {
    for (name, words) in [
        ("smoke", "Fewer than 3 of a condition decide nothing"),
        ("laptop", "smaller than the published ones"),
        ("paper", "the published size and training"),
    ] {
        let preset = Preset::named(name).unwrap();
        let page = Page { preset: &preset, report: &report(), figures: &[] }.render().unwrap();
        assert!(read(&page).1.contains(words), "{name}");
    }
}

#[test]
fn equal_input_gives_equal_bytes() {
    assert_eq!(rendered(&figures()), rendered(&figures()));
}

/// A call for one figure shows the others that are in the folder, and no table that is not one.
#[test]
fn the_folder_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (id, csv) in [("tau-vs-n", HEADER), ("ablation", "not a table"), ("forgetting", HEADER)] {
        std::fs::write(folder.path().join(format!("{id}.csv")), csv).unwrap();
        std::fs::write(folder.path().join(format!("{id}.svg")), SVG).unwrap();
    }
    let preset = Preset::named("laptop").unwrap();
    let path = write(folder.path(), &preset, &report(), &[]).unwrap();
    let (elements, text) = read(&std::fs::read_to_string(path).unwrap());
    let shown: Vec<&str> = elements.iter().filter_map(|element| element.get("download")).collect();
    assert_eq!(shown, ["tau-vs-n.csv"]);
    assert!(text.contains("ablation, not in this folder"));
}
