//! The CUDA kernels as PTX: made from the sources, compared with what is committed, assembled for
//! every architecture. Needs Python and the network for the pinned compiler, but no GPU.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The compiler: its age decides how old a driver may be that loads its PTX (8.0: driver 525).
const NVRTC: &str = "nvidia-cuda-nvrtc-cu12==12.0.140";
/// The assembler: a newer one, which knows newer GPUs.
const PTXAS: &str = "nvidia-cuda-nvcc-cu12==12.9.86";
/// Source, type of its numbers, name of the PTX. A library has the first; the others are for tests and
/// benchmarks (features `cuda-f64` and `bench` of tau-rnn).
const MODULES: [(&str, &str, &str); 3] =
    [("all.cu", "float", "f32"), ("all.cu", "double", "f64"), ("peak.cu", "float", "peak")];
/// The oldest architecture that runs the kernels. Newer ones translate its PTX when they load it.
const OLDEST: &str = "compute_70";
/// Volta to Blackwell.
const ARCHITECTURES: [u32; 8] = [70, 75, 80, 86, 89, 90, 100, 120];
/// Two blocks of 256 threads share the 65536 registers of a multiprocessor.
const MAX_REGISTERS: u32 = 128;
/// What a block may have without asking for more.
const MAX_SHARED: u32 = 48 * 1024;

/// Makes the PTX that is compiled into the library; `check` only compares it.
pub(crate) fn kernels(check: bool) -> Result<()> {
    let python = crate::python::python("kernel-tools", &[NVRTC, PTXAS])?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let sources = root.join("crates/tau-rnn/kernels");
    for (source, real, name) in MODULES {
        let output = Command::new(&python)
            .arg(root.join("xtask/kernels/nvrtc.py"))
            .arg(sources.join(source))
            .args([real, OLDEST])
            .output()
            .context("cannot run the compiler")?;
        let log = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{source} does not compile for {real}:\n{log}");
        let path = sources.join(format!("ptx/{name}.ptx"));
        if check {
            let committed = std::fs::read(&path).unwrap_or_default();
            ensure!(
                committed == output.stdout,
                "{} is not what the sources give: run `cargo xtask kernels` and commit it",
                path.display()
            );
        } else {
            std::fs::create_dir_all(sources.join("ptx"))?;
            std::fs::write(&path, &output.stdout)?;
        }
        for architecture in ARCHITECTURES {
            assemble(&python, &path, architecture)?;
        }
    }
    Ok(())
}

/// Assembles the PTX for one architecture, and looks at what each kernel takes.
fn assemble(python: &Path, ptx: &Path, architecture: u32) -> Result<()> {
    let find = "import nvidia.cuda_nvcc as m; print(list(m.__path__)[0])";
    let folder = Command::new(python).args(["-c", find]).output()?;
    let folder = String::from_utf8(folder.stdout)?;
    let out = tempfile::NamedTempFile::new()?;
    let output = Command::new(Path::new(folder.trim()).join("bin/ptxas"))
        .args(["-v", &format!("-arch=sm_{architecture}"), "-o"])
        .args([out.path(), ptx])
        .output()
        .context("cannot run the assembler")?;
    let log = String::from_utf8_lossy(&output.stderr);
    let name = format!("{} for sm_{architecture}", ptx.display());
    ensure!(output.status.success(), "{name}:\n{log}");
    let usage = usage(&log)?;
    ensure!(!usage.is_empty(), "{name}: the assembler names no kernel:\n{log}");
    let registers = usage.iter().map(|kernel| kernel.registers).max().unwrap_or(0);
    let shared = usage.iter().map(|kernel| kernel.shared).max().unwrap_or(0);
    for kernel in &usage {
        let Usage { name: kernel, registers, shared, spilled } = kernel;
        if *spilled > 0 || *registers > MAX_REGISTERS || *shared > MAX_SHARED {
            bail!(
                "{name}: {kernel} takes {registers} registers (at most {MAX_REGISTERS}), {shared} \
                 bytes of shared memory (at most {MAX_SHARED}), {spilled} spilled (none allowed)"
            );
        }
    }
    eprintln!(
        "{name}: {} kernels, at most {registers} registers and {shared} bytes of shared memory, \
         nothing spilled",
        usage.len()
    );
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Usage {
    name: String,
    registers: u32,
    /// Bytes.
    shared: u32,
    /// Bytes, of stores and loads.
    spilled: u32,
}

/// What `ptxas -v` says of each kernel.
fn usage(log: &str) -> Result<Vec<Usage>> {
    let number = |line: &str, unit: &str| -> Option<u32> {
        let (before, _) = line.split_once(unit)?;
        before.trim_end().rsplit([' ', ',']).next()?.parse().ok()
    };
    let mut found = Vec::new();
    // A function that kernels call (pow) has its own line of spills before any kernel's.
    let mut spilled = 0;
    let mut name = None;
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            name = rest.split('\'').next().map(str::to_owned);
            spilled = 0;
        } else if line.contains("bytes spill stores") {
            let stores = number(line, "bytes spill stores").context("no spill stores")?;
            spilled += stores + number(line, "bytes spill loads").context("no spill loads")?;
        } else if line.contains("Used ") {
            let name = name.take().context("registers of no kernel")?;
            let registers = number(line, "registers").context("no registers")?;
            let shared = number(line, "bytes smem").unwrap_or(0);
            found.push(Usage { name, registers, shared, spilled });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_assembler_says_is_read() -> Result<()> {
        let log = "ptxas info    : Compiling entry function 'forward' for 'sm_70'\n\
            ptxas info    : Function properties for forward\n    \
            8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads\n\
            ptxas info    : Used 64 registers, used 1 barriers, 16384 bytes smem, 432 bytes cmem[0]\n\
            ptxas info    : Compiling entry function 'step' for 'sm_90'\n    \
            0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n\
            ptxas info    : Used 25 registers, used 0 barriers\n";
        let forward =
            Usage { name: "forward".to_owned(), registers: 64, shared: 16384, spilled: 16 };
        let step = Usage { name: "step".to_owned(), registers: 25, shared: 0, spilled: 0 };
        assert_eq!(usage(log)?, [forward, step]);
        Ok(())
    }
}
