//! The smallest paper: its networks' shortest τ is positive.

use tau_reproduce::{
    Citation, Claim, Entry, Error, Facets, Figure, Meaning, Measurement, Need, Network, NoSettings,
    Paper, Part, RISES, Sample, Selector, Trained,
};
use tau_tasks::TaskSpec;
use tau_training::{Data, Milestone, TrainingSpec};

/// The paper.
pub static TOY: Paper = Paper {
    id: "toy",
    citation: Citation {
        title: "A toy",
        authors: "Nobody",
        short: "Nobody",
        venue: "nowhere",
        year: 2000,
        link: ("nothing", "about:blank"),
    },
    document: "tests/toy-paper",
    presets: &[("tiny", include_str!("../toy.toml"))],
    default_preset: "tiny",
    condition,
    quirks: &[],
    measurements: &[Need::of::<Shortest>()],
    figures: &[Figure {
        id: "shortest",
        central: true,
        declaration: include_str!("../figure.toml"),
        series: &[ALL],
        needs: &[Need::of::<Shortest>()],
        points: |networks| {
            let point = |one: &tau_reproduce::Shown| {
                Some(one.point("tau", one.seed as f64, *one.get::<Shortest>()?, "steps"))
            };
            networks.iter().filter_map(point).collect()
        },
        published: "",
    }],
    claims: &[Claim {
        id: "1",
        title: "the shortest τ is positive",
        figure: "shortest",
        networks: &[ALL],
        needs: &[Need::of::<Shortest>()],
        exchanged: "task",
        parts: |networks| {
            let tau = Sample::of(networks, &ALL, |one| one.get::<Shortest>().copied());
            vec![Part::mean("shortest τ (steps)", &tau, RISES)]
        },
    }],
    divergences: "",
};

const ALL: Selector = Selector::of("all", &[("task", "parity")]);

fn condition(_: &Entry<'_>) -> Result<Meaning, Error> {
    let data = Data::Fresh { updates_per_epoch: 5, test_batches: 1 };
    let plain = TrainingSpec::plain(TaskSpec::parity(&[2]), 8, 0)?;
    let training = move |seed| TrainingSpec { seed, data, max_epochs: 1, ..plain.clone() };
    let facets = Facets::from([("task".to_owned(), "parity".to_owned())]);
    Ok(Meaning { facets, training: Box::new(training) })
}

/// The shortest τ of the neurons, in steps.
pub enum Shortest {}

impl Measurement for Shortest {
    const ID: &'static str = "shortest";
    const VERSION: u32 = 1;
    type Settings = NoSettings;
    type Site = &'static str;
    type Output = f64;

    fn sites(_: &NoSettings, _: &Network, _: &[Network]) -> Vec<&'static str> {
        vec!["final"]
    }

    fn run(_: &NoSettings, _: &&'static str, on: &Trained<'_>) -> Result<Option<f64>, Error> {
        let tau = on.run.checkpoint(&Milestone::last())?.params.tau_eff();
        Ok(tau.iter().copied().reduce(f32::min).map(f64::from))
    }
}
