//! Where things stand on the page: panels in a grid, letters and titles above them, the
//! legend at one side.

use kuva::render::render::{Primitive, Scene};

use crate::curve::Content;
use crate::font::{FAMILY, Face};
use crate::legend::Legend;
use crate::panel;
use crate::style::{Area, LABEL, text};
use crate::{Declaration, Error, LegendPlacement};

/// Units per millimetre: a unit is half a typographic point, because kuva sets text in
/// whole units and 7, 7.5, 8 pt must all be possible.
const PER_MM: f64 = 144.0 / 25.4;
/// 9 pt.
const LETTER: u32 = 18;
/// Height of the line with the panel's letter and title.
const HEADER: f64 = 30.0;
const GAP: f64 = 10.0;
/// Free border of the page.
const EDGE: f64 = 5.0;

/// Lays the figure out.
pub(crate) fn compose(figure: &Declaration, contents: Vec<Content>) -> Result<Scene, Error> {
    let (width, height) = figure.size_mm();
    let mut scene = Scene::new(width * PER_MM, height * PER_MM);
    scene.font_family = Some(FAMILY.to_owned());
    scene.text_color = Some("black".to_owned());
    let page = Area { x: 0.0, y: 0.0, width: scene.width, height: scene.height };
    let legend = Legend::of(figure, &contents)?;
    let rest = place_legend(&mut scene, figure, &legend, page)?;
    for (index, content) in contents.into_iter().enumerate() {
        let area = cell(figure, index, rest);
        let header = header(&mut scene, figure, index, area)?;
        panel::draw(&mut scene, figure, content, area, header)?;
    }
    Ok(scene)
}

fn place_legend(
    scene: &mut Scene,
    figure: &Declaration,
    legend: &Legend,
    page: Area,
) -> Result<Area, Error> {
    let (inner, mut rest) = (page.width - 2.0 * EDGE, page);
    match figure.legend() {
        LegendPlacement::None => {}
        LegendPlacement::Top => {
            let used = legend.draw(scene, figure, EDGE, EDGE, inner)?;
            rest.y += used;
            rest.height -= used;
        }
        LegendPlacement::Bottom => {
            let used = legend.height(inner);
            legend.draw(scene, figure, EDGE, page.height - used, inner)?;
            rest.height -= used;
        }
        LegendPlacement::Right => {
            let used = legend.widest();
            legend.draw(scene, figure, page.width - used, HEADER, used)?;
            rest.width -= used;
        }
    }
    Ok(rest)
}

fn cell(figure: &Declaration, index: usize, area: Area) -> Area {
    let columns = figure.columns();
    let rows = figure.panels().len().div_ceil(columns);
    let (column, row) = (index % columns, index / columns);
    let (width, height) = (area.width / columns as f64, area.height / rows as f64);
    Area { x: area.x + column as f64 * width, y: area.y + row as f64 * height, width, height }
}

/// Draws letter and title; returns the height they take, the same for every panel.
fn header(scene: &mut Scene, figure: &Declaration, index: usize, area: Area) -> Result<f64, Error> {
    let many = figure.panels().len() > 1;
    if !many && figure.panels().iter().all(|p| p.letter.is_none() && p.title.is_empty()) {
        return Ok(GAP);
    }
    let panel = &figure.panels()[index];
    let by_position = || many.then(|| char::from(b'a' + (index % 26) as u8).to_string());
    let letter = panel.letter.clone().or_else(by_position).unwrap_or_default();
    let (mut x, baseline) = (area.x + EDGE, area.y + 0.65 * HEADER);
    let width = Face::Bold.width(&letter, f64::from(LETTER))?;
    if !letter.is_empty() {
        let mut bold = text(x, baseline, LETTER, &letter);
        if let Primitive::Text { bold, .. } = &mut bold {
            *bold = true;
        }
        scene.add(bold);
        x += width + GAP;
    }
    if !panel.title.is_empty() {
        let end = x + Face::Regular.width(&panel.title, f64::from(LABEL))?;
        if end > area.x + area.width {
            let (figure, text) = (figure.id().to_owned(), panel.title.clone());
            return Err(Error::NoRoom { figure, text });
        }
        scene.add(text(x, baseline, LABEL, &panel.title));
    }
    Ok(HEADER)
}
