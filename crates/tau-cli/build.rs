//! Tells the programs (this one and bench) which commit they are built from: `TAU_COMMIT`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let commit = commit().unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=TAU_COMMIT={commit}");
}

/// The commit of the checkout, marked if it was changed since; `None` outside one.
fn commit() -> Option<String> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let workspace = package.parent()?.parent()?;
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(workspace).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    // Sources that were unpacked inside someone else's checkout are not that checkout.
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != workspace.canonicalize().ok()? {
        return None;
    }
    // It grows with each commit and checkout. What does not exist would be looked for every time.
    let log = workspace.join(git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    for watched in [log.as_path(), &workspace.join("crates"), Path::new("build.rs")] {
        if watched.exists() {
            println!("cargo::rerun-if-changed={}", watched.display());
        }
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-changed") })
}
