//! Draws every figure from synthetic data, to be looked at:
//! `cargo run -p tau-paper-khajehabdollahi-2024 --example look -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::PathBuf;

use tau_figures::{Declaration, draw};
use tau_paper_khajehabdollahi_2024::PAPER;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args().nth(1).ok_or("name the folder to write to")?.into();
    std::fs::create_dir_all(&folder)?;
    for figure in PAPER.figures {
        let id = figure.id;
        let drawing = draw(&Declaration::parse(figure.declaration)?, &common::table(id))?;
        std::fs::write(folder.join(format!("{id}.svg")), drawing.svg)?;
        std::fs::write(folder.join(format!("{id}.png")), drawing.png)?;
        std::fs::write(folder.join(format!("{id}.pdf")), drawing.pdf)?;
    }
    Ok(())
}
