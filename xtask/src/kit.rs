//! Packs one archive with everything that a GPU machine needs for the checks that wait for a GPU.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{run, target_folder};

/// Largest size of the archive.
const MAX_BYTES: u64 = 60_000_000;

/// Builds the programs, puts them beside the scripts, packs all of it.
pub(crate) fn kit() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let target = target_folder()?;
    let (folder, archive) = (target.join("gpu-kit"), target.join("gpu-kit.tar.gz"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let names = ["tau", "tau-bench"];
    let built = crate::dist::portable(&[("tau-cli", names[0]), ("bench", names[1])])?;
    for (program, name) in built.iter().zip(names) {
        std::fs::copy(program, folder.join(name))?;
    }
    let copy = |from: &str, to: &str| -> Result<()> {
        std::fs::copy(root.join(from), folder.join(to)).with_context(|| from.to_owned())?;
        Ok(())
    };
    copy("xtask/kit/run.sh", "run.sh")?;
    copy("xtask/kit/README.txt", "README.txt")?;
    copy("xtask/peers/peer.py", "peer.py")?;
    // Result of the same program on this machine, to compare with.
    let mut doctor = Command::new(folder.join("tau"));
    doctor.args(["doctor", "--device", "cpu", "--full", "--random-from", "1"]);
    let said = doctor.output().context("cannot run the doctor")?;
    ensure!(said.status.success(), "the doctor finds something: run `tau doctor --full`");
    std::fs::write(folder.join("expected.txt"), said.stdout)?;
    run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&target).arg("gpu-kit"))?;
    let bytes = std::fs::metadata(&archive)?.len();
    ensure!(bytes <= MAX_BYTES, "{} has {bytes} bytes (at most {MAX_BYTES})", archive.display());
    println!(
        "{} ({:.1} MB): unpack it on a GPU machine and start",
        archive.display(),
        bytes as f64 / 1e6
    );
    println!("  gpu-kit/run.sh results");
    Ok(())
}
