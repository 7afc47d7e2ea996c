//! Builds programs for clusters, whose C library is up to ten years old.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, run, target_folder};

/// Version of the oldest C library that the programs start with: RHEL 8, Debian 10, Ubuntu 20.04.
const GLIBC: (u32, u32) = (2, 28);

/// `tau` with its manual pages and completions, in one archive.
pub(crate) fn dist() -> Result<()> {
    let target = target_folder()?;
    let name = format!("tau-{}-linux-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let folder = target.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(folder.join("completions"))?;
    let [built] = &portable(&[("tau-cli", "tau")])?[..] else { unreachable!("one program") };
    let tau = folder.join("tau");
    std::fs::copy(built, &tau)?;
    run(Command::new(&tau).arg("man").arg(folder.join("man")))?;
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(&tau).args(["completions", shell]).output()?.stdout;
        std::fs::write(folder.join("completions").join(shell), script)?;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "CITATION.cff"] {
        std::fs::copy(root.join(file), folder.join(file)).context(file)?;
    }
    let archive = target.join(format!("{name}.tar.gz"));
    run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&target).arg(&name))?;
    let bytes = std::fs::metadata(&archive)?.len() as f64;
    let (major, minor) = GLIBC;
    println!("{} ({:.1} MB): glibc {major}.{minor} or later", archive.display(), bytes / 1e6);
    Ok(())
}

/// Builds (package, program) for old systems, without debug tables, and checks which versions of the C
/// library they need.
pub(crate) fn portable(programs: &[(&str, &str)]) -> Result<Vec<PathBuf>> {
    let python = crate::python::python("zig", &["cargo-zigbuild==0.24.0", "ziglang==0.17.1"])?;
    let tools = python.parent().context("a Python without a folder")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([tools.to_owned()].into_iter().chain(std::env::split_paths(&path)))?;
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let (major, minor) = GLIBC;
    let mut build = Command::new(cargo());
    build.args(["zigbuild", "--release", "--locked", "--quiet", "--target"]);
    build.arg(format!("{triple}.{major}.{minor}"));
    for (package, _) in programs {
        build.args(["--package", package]);
    }
    eprintln!("building for glibc {major}.{minor} (some minutes the first time)");
    run(build.env("PATH", path))?;
    let folder = target_folder()?.join(triple).join("release");
    let mut stripped = Vec::new();
    for (_, program) in programs {
        let (built, small) = (folder.join(program), folder.join(format!("{program}-stripped")));
        run(Command::new("strip").arg("-o").arg(&small).arg(built))?;
        check_symbols(&small)?;
        stripped.push(small);
    }
    Ok(stripped)
}

/// Checks that every version of the C library that the program names is old enough.
fn check_symbols(program: &Path) -> Result<()> {
    let output = Command::new("objdump").arg("-T").arg(program).output();
    let output = output.context("cannot run objdump (of binutils)")?;
    ensure!(output.status.success(), "objdump cannot read {}", program.display());
    let table = String::from_utf8_lossy(&output.stdout);
    let mut newest = None;
    for line in table.lines() {
        let Some((_, version)) = line.split_once("GLIBC_") else { continue };
        let version = version.split([')', ' ']).next().unwrap_or_default();
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            anyhow::bail!("an unknown version of glibc: {line}");
        };
        ensure!((major, minor) <= GLIBC, "{} needs a newer glibc: {line}", program.display());
        newest = newest.max(Some((major, minor)));
    }
    let (major, minor) = newest.with_context(|| format!("{} names no glibc", program.display()))?;
    eprintln!("{}: needs glibc {major}.{minor}", program.display());
    Ok(())
}
