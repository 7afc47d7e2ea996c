//! Python environments, made once.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{run, target_folder};

/// A Python with these packages, in a folder of the target folder.
pub(crate) fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = target_folder()?.join(name);
    let (python, done) = (folder.join("bin/python"), folder.join("done"));
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    eprintln!("installing {} into {}", packages.join(", "), folder.display());
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    run(Command::new(&python).args(pip).args(packages))
        .context("PyPI is needed, or a mirror that PIP_INDEX_URL names")?;
    std::fs::write(done, wanted)?;
    Ok(python)
}
