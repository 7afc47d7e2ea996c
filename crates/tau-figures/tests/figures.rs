//! Figures drawn from synthetic tables: what must be in the three files.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

mod common;

use common::{FIGURES, declaration};
use tau_figures::{Drawing, Table, draw};

fn drawn(id: &str) -> Drawing {
    draw(&declaration(id), &common::table(id)).unwrap()
}

/// `(width, height, rgb)`.
fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width, info.height, rgb)
}

fn count(rgb: &[u8], wanted: [u8; 3]) -> usize {
    rgb.chunks_exact(3).filter(|pixel| *pixel == wanted).count()
}

fn check_texts(id: &str, expected: &[&str]) {
    let svg = drawn(id).svg;
    for text in expected {
        assert!(svg.contains(&format!(">{text}</text>")), "{id} lacks: {text}");
    }
}

#[test]
fn the_svg_has_labels_with_units_ticks_letters_and_legend_as_text() {
    check_texts("two-panels", &["slow networks", "fast networks", "published", "τ = 1"]);
    check_texts("two-panels", &["a", "b", "size", "mean τ (steps)", "20", "1.4"]);
    check_texts("two-panels", &["standard deviation of τ (steps)"]);
    check_texts("one-panel", &["ε", "noise on W", "accuracy (fraction)", "chance", "0.1", "0.6"]);
}

#[test]
fn the_svg_has_the_size_in_millimetres_and_carries_its_own_glyphs() {
    let svg = drawn("two-panels").svg;
    assert!(svg.contains(r#"width="180mm" height="70mm""#));
    assert_eq!(svg.matches("@font-face").count(), 2);
    assert!(svg.len() < 150_000, "{} bytes", svg.len());
    assert!(svg.contains("<title>Time constants against size</title>"));
}

fn check_png(id: &str, width: u32, height: u32) {
    let (w, h, rgb) = pixels(&drawn(id).png);
    assert_eq!((w, h), (width, height), "{id}");
    assert_eq!(rgb[..3], [255, 255, 255], "{id} is not white behind");
    let ink = 1.0 - count(&rgb, [255, 255, 255]) as f64 / f64::from(w * h);
    assert!((0.02..0.4).contains(&ink), "{id} is {ink} ink");
    // Every series draws a line of its full colour: #D48A6A and #489174.
    assert!(count(&rgb, [0xd4, 0x8a, 0x6a]) > 1000, "{id} lacks the first series");
    assert!(count(&rgb, [0x48, 0x91, 0x74]) > 1000, "{id} lacks the second series");
    assert!(count(&rgb, [0, 0, 0]) > 1000, "{id} lacks black text and axes");
}

#[test]
fn the_png_has_three_hundred_dots_per_inch_and_shows_every_series() {
    // 85 mm = 3.346 in = 1004 px, 65 mm = 768 px, 180 mm = 2126 px, 70 mm = 827 px.
    check_png("one-panel", 1004, 768);
    check_png("two-panels", 2126, 827);
    let png = drawn("one-panel").png;
    let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    // 300 / 0.0254 = 11811 dots per metre.
    assert_eq!(reader.info().pixel_dims.unwrap().xppu, 11811);
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn the_pdf_embeds_its_fonts_and_has_the_page_size_and_no_date() {
    let pdf = drawn("two-panels").pdf;
    assert!(pdf.starts_with(b"%PDF"));
    assert!(holds(&pdf, "+DejaVuSans/") && holds(&pdf, "+DejaVuSans-Bold/"));
    assert!(holds(&pdf, "/FontFile2"));
    // 180 mm = 510.24 pt.
    assert!(holds(&pdf, "/MediaBox[0 0 510.23") && !holds(&pdf, "Date"));
}

#[test]
fn the_same_input_gives_the_same_bytes_in_all_three_formats() {
    for id in FIGURES {
        assert!(drawn(id) == drawn(id), "{id} differs from itself");
    }
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let (declaration, table) = (declaration("two-panels"), common::table("two-panels"));
    let reversed = Table::new(table.rows().iter().rev().cloned().collect()).unwrap();
    assert!(draw(&declaration, &table).unwrap() == draw(&declaration, &reversed).unwrap());
}

#[test]
fn the_png_is_the_svg_set_in_the_built_in_faces_and_no_other() {
    use resvg::tiny_skia::{Pixmap, Transform};
    use resvg::usvg::{Options, Tree, fontdb::Database};
    let drawing = drawn("two-panels");
    let mut faces = Database::new();
    faces.load_font_data(dejavu::sans::regular().to_vec());
    faces.load_font_data(dejavu::sans::bold().to_vec());
    let options = Options { fontdb: faces.into(), ..Options::default() };
    let tree = Tree::from_str(&drawing.svg, &options).unwrap();
    let (width, height, rgb) = pixels(&drawing.png);
    let mut picture = Pixmap::new(width, height).unwrap();
    let scale = (width as f32 / tree.size().width(), height as f32 / tree.size().height());
    resvg::render(&tree, Transform::from_scale(scale.0, scale.1), &mut picture.as_mut());
    let expected: Vec<u8> =
        picture.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    assert!(rgb == expected);
}
