//! The faces inside the binary: DejaVu Sans, which kuva's layout measures with, too.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;
use ttf_parser::Face as Metrics;
use write_fonts::tables::cmap::Cmap;
use write_fonts::types::{GlyphId, Tag};

use crate::Error;

/// Family to ask for; Verdana has the same widths, should a viewer drop the embedded face.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// One of the two faces of every figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Face {
    /// Labels and numbers.
    Regular,
    /// Panel letters.
    Bold,
}

impl Face {
    fn data(self) -> &'static [u8] {
        match self {
            Face::Regular => dejavu::sans::regular(),
            Face::Bold => dejavu::sans::bold(),
        }
    }

    fn metrics(self) -> Result<Metrics<'static>, Error> {
        Metrics::parse(self.data(), 0).map_err(|error| failed(error.to_string()))
    }

    /// Width of a line of text, in the unit of `size`.
    ///
    /// # Errors
    /// [`Error::NoGlyph`] for a character that the face cannot write.
    pub(crate) fn width(self, text: &str, size: f64) -> Result<f64, Error> {
        let metrics = self.metrics()?;
        let mut units = 0.0;
        for character in text.chars() {
            let missing = || Error::NoGlyph { character, text: text.to_owned() };
            let glyph = metrics.glyph_index(character).ok_or_else(missing)?;
            units += f64::from(metrics.glyph_hor_advance(glyph).unwrap_or_default());
        }
        Ok(units * size / f64::from(metrics.units_per_em()))
    }

    /// A TrueType font of these characters alone, small enough to travel inside an SVG.
    pub(crate) fn subset(self, characters: &BTreeSet<char>) -> Result<Vec<u8>, Error> {
        let metrics = self.metrics()?;
        let mut remapper = subsetter::GlyphRemapper::new();
        let mappings: Vec<_> = characters
            .iter()
            .filter_map(|character| Some((*character, metrics.glyph_index(*character)?)))
            .map(|(character, glyph)| (character, GlyphId::from(remapper.remap(glyph.0))))
            .collect();
        let glyphs = subsetter::subset(self.data(), 0, &remapper)
            .map_err(|error| failed(error.to_string()))?;
        let glyphs = write_fonts::read::FontRef::new(&glyphs).map_err(|e| failed(e.to_string()))?;
        // The subsetter writes for PDF, which needs neither table; browsers need both.
        let cmap = Cmap::from_mappings(mappings).map_err(|error| failed(error.to_string()))?;
        let style = metrics.raw_face().table(ttf_parser::Tag::from_bytes(b"OS/2"));
        let mut font = write_fonts::FontBuilder::new();
        font.add_table(&cmap).map_err(|error| failed(error.to_string()))?;
        font.add_raw(Tag::new(b"OS/2"), style.unwrap_or_default());
        Ok(font.copy_missing_tables(glyphs).build())
    }
}

/// Both faces and nothing of the machine's.
pub(crate) fn database() -> Arc<fontdb::Database> {
    static DATABASE: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut database = fontdb::Database::new();
        for face in [Face::Regular, Face::Bold] {
            database.load_font_data(face.data().to_vec());
        }
        database.set_sans_serif_family("DejaVu Sans");
        Arc::new(database)
    });
    DATABASE.clone()
}

fn failed(problem: String) -> Error {
    Error::Library { step: "font", problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_the_sum_of_the_advances() {
        // DejaVu Sans: 2048 units per em, N is 1532 wide, a space 651.
        let width = Face::Regular.width("N N", 2048.0).unwrap();
        assert_eq!(width, 1532.0 + 651.0 + 1532.0);
    }

    #[test]
    fn the_database_holds_the_two_faces_and_no_font_of_the_machine() {
        assert_eq!(database().len(), 2);
    }

    #[test]
    fn a_character_without_glyph_is_named() {
        let wrong = Face::Regular.width("τ 漢", 14.0).unwrap_err();
        assert_eq!(wrong, Error::NoGlyph { character: '漢', text: "τ 漢".to_owned() });
    }

    #[test]
    fn a_subset_still_knows_its_characters_and_their_widths_but_no_others() {
        let font = Face::Regular.subset(&"Nτ".chars().collect()).unwrap();
        let subset = Metrics::parse(&font, 0).unwrap();
        let whole = Face::Regular.metrics().unwrap();
        for character in ['N', 'τ'] {
            let advance = |face: &Metrics| {
                face.glyph_index(character).and_then(|glyph| face.glyph_hor_advance(glyph))
            };
            assert_eq!(advance(&subset), advance(&whole));
            assert!(advance(&subset).is_some());
        }
        assert_eq!(subset.glyph_index('Z'), None);
        assert!(font.len() < 40_000, "{} bytes", font.len());
    }
}
