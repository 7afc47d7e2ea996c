//! The engine reproduces a paper that it does not know.

#[test]
fn the_engine_trains_measures_draws_and_judges() -> Result<(), tau_reproduce::Error> {
    use tau_reproduce::{Compat, Reproduction, Which};
    let loaded = toy_paper::TOY.load()?;
    let folder = tempfile::tempdir().unwrap();
    let preset = loaded.preset("tiny", Compat::CLEAN)?;
    let by = tau_runs::Provenance { threads: 2, ..Default::default() };
    let (folder, cpu) = (folder.path(), tau_rnn::Hardware::Cpu);
    let reproduction = Reproduction::new(&loaded, preset, Which::All, folder, cpu, by)?;
    let report = reproduction.run(&tau_runs::StopToken::new(), &mut |_| {})?;
    let claim = &report.claims[0];
    assert!(claim.effect >= Some(1.0) && claim.networks == 3, "{claim:?}");
    assert_eq!(format!("{:?}", claim.verdict), "Supported");
    for file in ["shortest.csv", "shortest.svg", "shortest.png", "shortest.pdf", "index.html"] {
        assert!(folder.join(file).exists(), "no {file}");
    }
    let kept = folder.join("runs").join(&report.runs[0]).join("measures");
    assert_eq!(std::fs::read_dir(kept).unwrap().count(), 1);
    Ok(())
}
