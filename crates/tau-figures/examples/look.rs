//! Draws every declared figure from synthetic data, to be looked at:
//! `cargo run -p tau-figures --example look -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::PathBuf;

use tau_figures::{DECLARATIONS, declaration, draw};

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args().nth(1).ok_or("name the folder to write to")?.into();
    std::fs::create_dir_all(&folder)?;
    for (id, _) in DECLARATIONS {
        let drawing = draw(&declaration(id)?, &common::table(id))?;
        std::fs::write(folder.join(format!("{id}.svg")), drawing.svg)?;
        std::fs::write(folder.join(format!("{id}.png")), drawing.png)?;
        std::fs::write(folder.join(format!("{id}.pdf")), drawing.pdf)?;
    }
    Ok(())
}
