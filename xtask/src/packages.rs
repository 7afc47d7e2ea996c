//! Every product as somebody gets it who has nothing but its package: packed, unpacked and built there, so
//! that a file from outside the package is missed here and not by them.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{cargo, metadata, run, target_folder};

/// Packs and builds all packages that may be published.
pub(crate) fn build() -> Result<()> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    let products: Vec<&str> = packages
        .iter()
        // An empty list of registries: `publish = false`.
        .filter(|package| package["publish"].is_null())
        .filter_map(|package| package["name"].as_str())
        .collect();
    ensure!(!products.is_empty(), "no package may be published");
    let mut package = Command::new(cargo());
    // The files of this moment, committed or not; all that they depend on was built before.
    package.args(["package", "--quiet", "--locked", "--offline", "--allow-dirty"]);
    for product in products {
        package.args(["--package", product]);
    }
    // One folder for all: what they share is built once. Not the workspace's own, whose programs would be
    // replaced by those of the packages.
    package.env("CARGO_TARGET_DIR", target_folder()?.join("packages"));
    run(package.env("CARGO_PROFILE_DEV_DEBUG", "0"))
}
