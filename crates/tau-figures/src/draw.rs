//! From a declaration and a table to the bytes of three files.

use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::{Declaration, Error, Table, curve, font, page, svg};

/// One figure in three formats. The same input gives the same bytes on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Vector picture with searchable text; the glyphs it uses are inside.
    pub svg: String,
    /// Picture of `round(width_mm / 25.4 · dpi)` by `round(height_mm / 25.4 · dpi)` pixels,
    /// white behind, with its resolution in the file.
    pub png: Vec<u8>,
    /// One page of the figure's size, fonts embedded, no date.
    pub pdf: Vec<u8>,
}

/// Draws a figure. Rows of other figures are skipped; a panel without rows says so.
///
/// # Errors
/// [`Error::Undeclared`] for a panel or series that the figure does not have,
/// [`Error::NoRoom`] and [`Error::NoGlyph`] for texts that cannot be set,
/// [`Error::Library`] if a drawing library fails.
pub fn draw(declaration: &Declaration, table: &Table) -> Result<Drawing, Error> {
    let contents = curve::contents(declaration, table)?;
    let scene = page::compose(declaration, contents)?;
    let svg = svg::write(declaration, &scene)?;
    // PNG and PDF are made from the SVG, so that the three cannot differ.
    let options = Options { fontdb: font::database(), ..Options::default() };
    let tree = Tree::from_str(&svg, &options).map_err(|error| failed("svg", error))?;
    Ok(Drawing { png: png(declaration, &tree)?, pdf: pdf(declaration, &tree)?, svg })
}

fn png(figure: &Declaration, tree: &Tree) -> Result<Vec<u8>, Error> {
    let (width, height) = figure.size_mm();
    let pixels = |mm: f64| (mm / 25.4 * figure.dpi()).round() as u32;
    let (width, height) = (pixels(width), pixels(height));
    let mut picture = Pixmap::new(width, height).ok_or_else(|| failed("png", "no pixels"))?;
    let scale = Transform::from_scale(
        width as f32 / tree.size().width(),
        height as f32 / tree.size().height(),
    );
    resvg::render(tree, scale, &mut picture.as_mut());
    // The page is white, hence opaque: alpha can go.
    let rgb: Vec<u8> = picture.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let per_metre = (figure.dpi() / 0.0254).round() as u32;
    let unit = png::Unit::Meter;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    let mut writer = encoder.write_header().map_err(|error| failed("png", error))?;
    writer.write_image_data(&rgb).map_err(|error| failed("png", error))?;
    writer.finish().map_err(|error| failed("png", error))?;
    Ok(bytes)
}

fn pdf(figure: &Declaration, tree: &Tree) -> Result<Vec<u8>, Error> {
    let (width, height) = figure.size_mm();
    let points = |mm: f64| (mm / 25.4 * 72.0) as f32;
    let size = Size::from_wh(points(width), points(height));
    let size = size.ok_or_else(|| failed("pdf", "no page size"))?;
    let mut document = krilla::Document::new();
    document.set_metadata(
        Metadata::new()
            .title(figure.title().to_owned())
            .description(figure.caption().to_owned())
            .creator(concat!("tau-figures ", env!("CARGO_PKG_VERSION")).to_owned()),
    );
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    let drawn = surface.draw_svg(tree, size, SvgSettings::default());
    drawn.ok_or_else(|| failed("pdf", "the page could not be drawn"))?;
    surface.finish();
    page.finish();
    document.finish().map_err(|error| failed("pdf", format!("{error:?}")))
}

fn failed(step: &'static str, problem: impl ToString) -> Error {
    Error::Library { step, problem: problem.to_string() }
}
