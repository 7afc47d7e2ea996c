//! A declaration is checked at the door, and the error says what to write instead.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

use tau_figures::{Declaration, Error};

const GOOD: &str = r##"
id = "f"
title = "t"
width_mm = 85
height_mm = 60

[[panels]]
id = "p"
x = { label = "N", integer = true }
y = { label = "τ (steps)" }

[[series]]
name = "s"
label = "S"
colour = "#489174"
"##;

fn check(change: (&str, &str), message: &str) {
    assert!(GOOD.contains(change.0), "nothing to change: {}", change.0);
    let error = Declaration::parse(&GOOD.replace(change.0, change.1)).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn a_small_declaration_gets_print_defaults() {
    let figure = Declaration::parse(GOOD).unwrap();
    assert_eq!(figure.dpi(), 300.0);
    assert_eq!(figure.columns(), 1);
    assert_eq!(figure.published_label(), "published");
    assert_eq!(figure.series()[0].colour.as_str(), "#489174");
}

#[test]
fn unknown_fields_and_words_are_named() {
    check(("title = ", "titel = "), "titel");
    check(("integer = true", "log = true"), "log");
    check(("integer = true", "scale = \"ln\""), "ln");
    check(("height_mm = 60", "height_mm = 60\nlegend = \"inside\""), "inside");
}

#[test]
fn a_colour_is_six_hexadecimal_digits() {
    check(("#489174", "green"), "unknown colour: green; write #rrggbb");
    check(("#489174", "#48917"), "unknown colour: #48917; write #rrggbb");
    check(("#489174", "#48917g"), "unknown colour: #48917g; write #rrggbb");
}

#[test]
fn names_are_distinct() {
    let panel = "[[panels]]\nid = \"p\"\nx = { label = \"N\" }\ny = { label = \"y\" }\n[[series]]";
    check(("[[series]]", panel), "duplicate panel id: p");
    let series = "[[series]]\nname = \"s\"\nlabel = \"S\"\ncolour = \"#000000\"\n[[series]]";
    check(("[[series]]", series), "duplicate series name: s");
}

#[test]
fn sizes_have_ranges() {
    check(("width_mm = 85", "width_mm = 0"), "width_mm is out of range: 0; use 40 to 400");
    check(("width_mm = 85", "width_mm = nan"), "width_mm is out of range: NaN");
    check(("height_mm = 60", "height_mm = 1e9"), "height_mm is out of range");
    check(("height_mm = 60", "height_mm = 60\ndpi = 5"), "dpi is out of range: 5; use 72 to 1200");
    check(("height_mm = 60", "height_mm = 60\ncolumns = 0"), "columns is out of range: 0");
}

#[test]
fn limits_increase_and_every_declared_number_has_a_place_on_its_axis() {
    check(("integer = true", "limits = [3, 2]"), "limits of x do not increase: [3, 2]");
    check(("integer = true", "limits = [0, inf]"), "limits of x do not increase");
    check(("integer = true", "limits = [0, 1e200]"), "the axis cannot show 1");
    check(("integer = true", "limits = [0, nan]"), "limits of x do not increase");
    check(("integer = true", "limits = [0, 2], scale = \"log\""), "the axis cannot show 0");
    let nowhere = "\"τ (steps)\" }\nreference = { y = nan ";
    check(("\"τ (steps)\" ", nowhere), "the axis cannot show NaN");
    let outside = "\"τ (steps)\", limits = [1, 2] }\nreference = { y = 0.5 ";
    check(("\"τ (steps)\" ", outside), "the axis cannot show 0.5");
    let reference = "\"τ (steps)\", scale = \"log\" }\nreference = { y = 0 ";
    check(("\"τ (steps)\" ", reference), "the axis cannot show 0");
}

#[test]
fn nothing_may_be_empty() {
    check(("id = \"f\"", "id = \"\""), "id is empty");
    check(("label = \"S\"", "label = \"\""), "a series label is empty");
    check(("label = \"N\"", "label = \"\""), "an axis label is empty");
    let error = Declaration::parse(
        "id = \"f\"\ntitle = \"t\"\nwidth_mm = 85\nheight_mm = 60\npanels = []\nseries = []",
    );
    let expected = Error::Empty { figure: "f".to_owned(), field: "panels" };
    assert_eq!(error.unwrap_err(), expected);
}
