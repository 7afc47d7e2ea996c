//! The scene as a stand-alone SVG: millimetres, description, and the face it is set in.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use kuva::backend::svg::SvgBackend;
use kuva::render::render::{Primitive, Scene};

use crate::font::{FAMILY, Face};
use crate::{Declaration, Error};

/// Writes the SVG. Text stays text, so it can be searched and edited.
pub(crate) fn write(figure: &Declaration, scene: &Scene) -> Result<String, Error> {
    let drawn = SvgBackend::new().with_pretty(true).render_scene(scene);
    // kuva's root element has a size in pixels and no view box.
    let unexpected = || Error::Library { step: "svg", problem: "no root element".to_owned() };
    let (_, inner) = drawn.split_once('>').ok_or_else(unexpected)?;
    let (width, height) = figure.size_mm();
    let root = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {:.3} {:.3}\" font-family=\"{FAMILY}\" fill=\"black\">\n\
         <title>{}</title>\n<desc>{}</desc>\n<style>\n{}</style>",
        scene.width,
        scene.height,
        escaped(figure.title()),
        escaped(figure.caption()),
        font_faces(scene)?,
    );
    Ok(root + inner)
}

/// One `@font-face` per face that is used, with the glyphs that are used.
fn font_faces(scene: &Scene) -> Result<String, Error> {
    let mut used: BTreeMap<Face, BTreeSet<char>> = BTreeMap::new();
    for element in &scene.elements {
        if let Primitive::Text { content, bold, .. } = element {
            let face = if *bold { Face::Bold } else { Face::Regular };
            used.entry(face).or_default().extend(content.chars());
        }
    }
    let rule = |(face, characters): (Face, BTreeSet<char>)| {
        let weight = if face == Face::Bold { "bold" } else { "normal" };
        let data = BASE64_STANDARD.encode(face.subset(&characters)?);
        Ok(format!(
            "@font-face{{font-family:'DejaVu Sans';font-weight:{weight};\
             src:url('data:font/ttf;base64,{data}') format('truetype');}}\n"
        ))
    };
    used.into_iter().map(rule).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
