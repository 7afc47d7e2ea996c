//! Another program that does the same work, asked line by line.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A running peer; it ends when this is dropped.
pub(crate) struct Peer {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Whether the Python has what the peer needs.
    pub(crate) fn check(python: &Path) -> Result<()> {
        let asked = Command::new(python)
            .args(["-c", "import numpy, safetensors, scipy, torch"])
            .output()
            .with_context(|| format!("cannot start {} (see --python)", python.display()))?;
        let said = String::from_utf8_lossy(&asked.stderr);
        ensure!(
            asked.status.success(),
            "{}: {} ({} -m pip install torch numpy scipy safetensors, or name another with --python)",
            python.display(),
            said.lines().last().unwrap_or("it does not run"),
            python.display()
        );
        Ok(())
    }

    /// Starts it with that many threads for every library that it may use, and one library loaded
    /// before all others if asked.
    pub(crate) fn start(
        python: &Path,
        script: &Path,
        preload: Option<&Path>,
        threads: usize,
    ) -> Result<Self> {
        let libraries = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"];
        let mut child = Command::new(python)
            .envs(preload.map(|library| ("LD_PRELOAD", library)))
            .arg(script)
            .envs(libraries.map(|name| (name, threads.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {} (see --python)", python.display()))?;
        let questions = child.stdin.take().context("no way to ask the peer")?;
        let answers = BufReader::new(child.stdout.take().context("no way to hear the peer")?);
        Ok(Self { child, questions, answers })
    }

    pub(crate) fn ask(&mut self, question: &Value) -> Result<Value> {
        writeln!(self.questions, "{question}").context("the peer is gone")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(
            !line.is_empty(),
            "the peer ended; its Python needs torch, numpy, scipy and safetensors"
        );
        serde_json::from_str(&line).with_context(|| format!("the peer answered: {line}"))
    }

    /// A number of the answer.
    pub(crate) fn number(answer: &Value, name: &str) -> Result<f64> {
        answer[name].as_f64().with_context(|| format!("the peer's answer lacks {name}: {answer}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
