//! How rows become marks: breaks, lone points, missing panels, texts without room.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

use tau_figures::{Declaration, Drawing, Error, Table, draw};

const FIGURE: &str = r##"
id = "f"
title = "t"
width_mm = 85
height_mm = 60

[[panels]]
id = "p"
x = { label = "N", integer = true }
y = { label = "tau (steps)" }

[[series]]
name = "s"
label = "first series"
colour = "#489174"

[[series]]
name = "other"
label = "second series"
colour = "#d48a6a"
"##;

/// Rows are `panel,series,source,statistic,network,x,y,y_low,y_high`.
fn table(rows: &[&str]) -> Table {
    let header = tau_figures::COLUMNS.join(",");
    let rows: Vec<_> = rows.iter().map(|row| format!("f,{row},steps,0,paper,abc,cpu")).collect();
    Table::parse(&format!("{header}\n{}\n", rows.join("\n"))).unwrap()
}

fn drawn(figure: &str, rows: &[&str]) -> Result<Drawing, Error> {
    draw(&Declaration::parse(figure)?, &table(rows))
}

/// Curves of that colour; swatches of the legend are `<line>`, bands have no stroke.
fn curves(svg: &str, colour: &str) -> usize {
    let stroke = format!("stroke=\"{colour}\"");
    svg.lines().filter(|line| line.contains("<path") && line.contains(&stroke)).count()
}

fn check_curves(rows: &[&str], expected: usize) {
    assert_eq!(curves(&drawn(FIGURE, rows).unwrap().svg, "#489174"), expected);
}

#[test]
fn a_missing_value_breaks_the_line() {
    let whole = ["p,s,ours,mean,,1,1,,", "p,s,ours,mean,,2,2,,", "p,s,ours,mean,,3,3,,"];
    check_curves(&whole, 1);
    let broken = [
        "p,s,ours,mean,,1,1,,",
        "p,s,ours,mean,,2,2,,",
        "p,s,ours,mean,,3,,,",
        "p,s,ours,mean,,4,NaN,,",
        "p,s,ours,mean,,5,3,,",
        "p,s,ours,mean,,6,3,,",
    ];
    check_curves(&broken, 2);
}

#[test]
fn each_network_is_one_translucent_line() {
    let rows = [
        "p,s,ours,network,a,1,1,,",
        "p,s,ours,network,b,1,2,,",
        "p,s,ours,network,a,2,1,,",
        "p,s,ours,network,b,2,2,,",
    ];
    check_curves(&rows, 2);
    let svg = drawn(FIGURE, &rows).unwrap().svg;
    assert_eq!(svg.matches("stroke-opacity=\"0.45\"").count(), 2);
}

#[test]
fn a_point_without_neighbours_is_a_dot() {
    let svg = drawn(FIGURE, &["p,s,ours,mean,,5,1.5,,"]).unwrap().svg;
    assert_eq!(curves(&svg, "#489174"), 0);
    assert_eq!(svg.matches("<circle").count(), 1);
}

#[test]
fn published_lines_are_dashed_with_hollow_markers_and_no_band() {
    let rows = ["p,s,published,mean,,1,1,,", "p,s,published,mean,,2,2,,"];
    let svg = drawn(FIGURE, &rows).unwrap().svg;
    assert!(svg.contains(">published</text>"));
    // Two markers on the curve, one in the legend.
    assert_eq!(svg.matches("<circle").count(), 3);
    assert_eq!(svg.matches("fill=\"#ffffff\"").count(), 3);
    assert_eq!(svg.matches("stroke-dasharray=\"6 4\"").count(), 2);
    assert!(!svg.contains("fill-opacity"));
}

#[test]
fn a_band_is_drawn_where_both_edges_are_given() {
    let rows = ["p,s,ours,mean,,1,1,0.5,1.5", "p,s,ours,mean,,2,1,0.5,1.5", "p,s,ours,mean,,3,1,,"];
    let svg = drawn(FIGURE, &rows).unwrap().svg;
    // The band itself and its swatch in the legend.
    assert_eq!(svg.matches("fill-opacity=\"0.25\"").count(), 2);
}

#[test]
fn a_reference_line_lies_under_the_curves_and_is_named_in_the_legend() {
    let reference = "\"tau (steps)\" }\nreference = { y = 1, label = \"τ = 1\" ";
    let figure = FIGURE.replace("\"tau (steps)\" ", reference);
    let svg = drawn(&figure, &["p,s,ours,mean,,1,1,,", "p,s,ours,mean,,2,3,,"]).unwrap().svg;
    let dotted: Vec<_> = svg.match_indices("stroke-dasharray=\"2 3\"").collect();
    assert_eq!(dotted.len(), 2);
    assert!(svg.contains(">τ = 1</text>"));
    let curve = svg.rfind("stroke=\"#489174\"").unwrap();
    assert!(dotted[1].0 < curve);
    assert!(!drawn(&figure, &[]).unwrap().svg.contains(">τ = 1</text>"));
}

#[test]
fn a_series_without_rows_is_not_in_the_legend() {
    let svg = drawn(FIGURE, &["p,s,ours,mean,,1,1,,"]).unwrap().svg;
    assert!(svg.contains(">first series</text>") && !svg.contains(">second series</text>"));
}

#[test]
fn a_panel_without_rows_says_no_data_and_shows_no_numbers() {
    for rows in [&[][..], &["p,s,ours,mean,,1,,,"], &["p,s,ours,mean,,,3,,"]] {
        let svg = drawn(FIGURE, rows).unwrap().svg;
        assert!(svg.contains(">no data</text>"));
        assert!(svg.contains(">tau (steps)</text>") && !svg.contains(">0</text>"));
    }
}

#[test]
fn rows_of_other_figures_are_skipped() {
    let header = tau_figures::COLUMNS.join(",");
    let other = "g,unheard of,nor this,ours,mean,,1,1,,,steps,0,paper,abc,cpu";
    let table = Table::parse(&format!("{header}\n{other}\n")).unwrap();
    let drawing = draw(&Declaration::parse(FIGURE).unwrap(), &table).unwrap();
    assert!(drawing.svg.contains(">no data</text>"));
}

fn check_error(figure: &str, rows: &[&str], message: &str) {
    assert_eq!(drawn(figure, rows).unwrap_err().to_string(), message);
}

#[test]
fn undeclared_names_are_errors_with_their_line() {
    check_error(
        FIGURE,
        &["p,s,ours,mean,,1,1,,", "q,s,ours,mean,,1,1,,"],
        "line 3, column panel: not declared by figure f: q; it declares p",
    );
    check_error(
        FIGURE,
        &["p,S,ours,mean,,1,1,,"],
        "line 2, column series: not declared by figure f: S; it declares s, other",
    );
}

#[test]
fn numbers_a_log_axis_cannot_show_are_missing() {
    let log = FIGURE.replace("\"tau (steps)\"", "\"tau (steps)\", scale = \"log\"");
    let rows = [
        "p,s,ours,mean,,1,0.01,,",
        "p,s,ours,mean,,2,10,,",
        "p,s,ours,mean,,3,0,,",
        "p,s,ours,mean,,4,1,,",
        "p,s,ours,mean,,5,100,,",
    ];
    let svg = drawn(&log, &rows).unwrap().svg;
    assert_eq!(curves(&svg, "#489174"), 2);
    assert!(svg.contains(">0.01</text>") && svg.contains(">100</text>"));
}

#[test]
fn a_text_longer_than_its_room_is_an_error_not_a_clipped_label() {
    let rows = ["p,s,ours,mean,,1,1,,", "p,s,ours,mean,,2,1,,"];
    let long = "standard deviation over all neurons of the fitted network timescale (steps)";
    let room = "shorten it, or enlarge width_mm or height_mm";
    let message = format!("figure f: no room for: {long}; {room}");
    check_error(&FIGURE.replace("tau (steps)", long), &rows, &message);
    check_error(&FIGURE.replace("\"N\"", &format!("\"{long}\"")), &rows, &message);
    let title = format!("id = \"p\"\ntitle = \"{long}\"");
    check_error(&FIGURE.replace("id = \"p\"", &title), &rows, &message);
    check_error(&FIGURE.replace("first series", long), &rows, &message);
}

#[test]
fn panels_too_small_for_axes_are_an_error() {
    let flat = FIGURE.replace("height_mm = 60", "height_mm = 30\ncolumns = 1");
    let panel = "[[panels]]\nid = \"q\"\nx = { label = \"N\" }\ny = { label = \"y\" }\n";
    let two = flat.replacen("[[series]]", &format!("{panel}[[series]]"), 1);
    let error = drawn(&two, &[]).unwrap_err().to_string();
    assert!(error.starts_with("figure f: no room for: the axes of panel p"), "{error}");
}

#[test]
fn a_character_the_font_lacks_is_an_error() {
    let error = drawn(&FIGURE.replace("\"N\"", "\"漢\""), &[]).unwrap_err();
    assert_eq!(error, Error::NoGlyph { character: '漢', text: "漢".to_owned() });
}

/// Where the first legend text stands, in units from the left and the top.
fn legend_at(placement: &str) -> Option<(f64, f64)> {
    let placed = FIGURE.replace("width_mm", &format!("legend = \"{placement}\"\nwidth_mm"));
    let svg = drawn(&placed, &["p,s,ours,mean,,1,1,,", "p,s,ours,mean,,2,1,,"]).unwrap().svg;
    let line = svg.lines().find(|line| line.contains(">first series</text>"))?;
    let number = |name: &str| line.split_once(name)?.1.split('"').next()?.parse().ok();
    Some((number(" x=\"")?, number(" y=\"")?))
}

#[test]
fn the_legend_stands_where_it_is_declared() {
    // 85 mm by 60 mm are 482 by 340 units.
    let (top, bottom, right) = (legend_at("top"), legend_at("bottom"), legend_at("right"));
    assert!(matches!(top, Some((x, y)) if x < 60.0 && y < 30.0), "{top:?}");
    assert!(matches!(bottom, Some((x, y)) if x < 60.0 && y > 310.0), "{bottom:?}");
    assert!(matches!(right, Some((x, _)) if x > 300.0), "{right:?}");
    assert_eq!(legend_at("none"), None);
}

#[test]
fn markup_in_labels_stays_text() {
    let svg = drawn(&FIGURE.replace("\"N\"", "\"a < b & c\""), &[]).unwrap().svg;
    assert!(svg.contains(">a &lt; b &amp; c</text>"));
}
