//! A paper for the tests of this crate: two sizes of networks, two figures, three claims.

use serde::{Deserialize, Serialize};
use tau_tasks::TaskSpec;
use tau_training::{Data, TrainingSpec};

use crate::{
    Citation, Claim, Compat, Entry, Error, Facets, Figure, Meaning, Measurement, Need, Network,
    Networks, Paper, Part, Quirk, RISES, Sample, Selector, Shown, Trained,
};

pub(crate) const SMALL: Selector = Selector::of("small", &[("task", "parity"), ("size", "small")]);
pub(crate) const LARGE: Selector = Selector::of("large", &[("task", "parity"), ("size", "large")]);

pub(crate) const QUIRK: Quirk = Quirk { id: "odd", what: "large networks are small" };

pub(crate) static PAPER: Paper = Paper {
    id: "sizes-2000",
    citation: Citation {
        title: "Sizes & <b>more</b>",
        authors: "A, B, C",
        short: "A et al.",
        venue: "Proceedings",
        year: 2000,
        link: ("a journal", "https://example.org/sizes"),
    },
    document: "docs/papers/sizes-2000.md",
    presets: &[("few", FEW), ("many", MANY)],
    default_preset: "few",
    condition,
    quirks: &[QUIRK],
    measurements: &[Need::of::<Seeds>()],
    figures: &[SEED, OTHER],
    claims: &[claim("1", "seed"), claim("5", "other"), claim("6", "other")],
    divergences: DIVERGENCES,
};

const FEW: &str = r#"
id = "few"
summary = "a second"
decides = true
published_scale = false
first_seed = 400
[measurements.seeds]
times = 2
sites = 1
[training]
updates_per_epoch = 5
[[conditions]]
name = "small networks"
seeds = 3
size = "small"
[[conditions]]
name = "large networks"
seeds = 4
size = "large"
"#;

const MANY: &str = r#"
id = "many"
summary = "days"
decides = true
published_scale = true
first_seed = 0
[measurements.seeds]
times = 2
sites = 1
[training]
updates_per_epoch = 600
[[conditions]]
name = "small"
seeds = 9
size = "small"
[[conditions]]
name = "large"
seeds = 9
size = "large"
"#;

const DIVERGENCES: &str = "## Divergences from the published code\n\n### Training\n\n\
    | ours | theirs |\n|---|---|\n| a step | [two](paper.md) steps |\n\n\
    **Beware.** See <https://example.org/b>.\n\n### Ours alone\n\nA list.\n";

pub(crate) const SEED: Figure = Figure {
    id: "seed",
    central: true,
    declaration: r##"
        id = "seed"
        title = "Seeds against seeds"
        caption = "Each network's seed."
        width_mm = 180
        height_mm = 60
        panels = [{ id = "seed", x = { label = "seed" }, y = { label = "its own (number)" } }]
        series = [
            { name = "small", label = "small ones", colour = "#489174" },
            { name = "large", label = "large ones", colour = "#D48A6A" },
        ]
    "##,
    series: &[SMALL, LARGE],
    needs: &[],
    points,
    published: "panel,series,x,y,unit\nseed,large,2,1.625,number\n",
};

pub(crate) const OTHER: Figure = Figure {
    id: "other",
    central: false,
    declaration: r##"
        id = "other"
        title = "Nothing against seeds"
        width_mm = 85
        height_mm = 60
        panels = [{ id = "seed", x = { label = "seed" }, y = { label = "nothing" } }]
        series = [{ name = "small", label = "small ones", colour = "#489174" }]
    "##,
    series: &[SMALL],
    needs: &[],
    points: |_| Vec::new(),
    published: "",
};

fn points(networks: &[Shown<'_>]) -> Vec<crate::Point> {
    let one = |one: &Shown| one.point("seed", one.place as f64, one.seed as f64, "number");
    networks.iter().map(one).collect()
}

pub(crate) const fn claim(id: &'static str, figure: &'static str) -> Claim {
    Claim {
        id,
        title: "large networks have larger seeds",
        figure,
        networks: &[SMALL, LARGE],
        needs: &[],
        exchanged: "size",
        parts: larger,
    }
}

pub(crate) fn larger(networks: &Networks<'_>) -> Vec<Part> {
    let seeds = |selector| Sample::of(networks, selector, |network| Some(network.seed as f64));
    vec![Part::difference("seed (number)", &seeds(&LARGE), &seeds(&SMALL), RISES)]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Training {
    size: String,
    updates_per_epoch: usize,
}

fn condition(entry: &Entry<'_>) -> Result<Meaning, Error> {
    let Training { size, updates_per_epoch } = entry.read()?;
    let neurons = if size == "large" && entry.compat == Compat::CLEAN { 16 } else { 8 };
    let pairs = [("task", "parity"), ("size", &*size)];
    let task = TaskSpec::parity(&[2]);
    let plain = TrainingSpec::plain(task, neurons, 0)?;
    let data = Data::Fresh { updates_per_epoch, test_batches: 10 };
    let training = move |seed| TrainingSpec { seed, data, ..plain.clone() };
    Ok(Meaning { facets: facets(&pairs), training: Box::new(training) })
}

pub(crate) fn facets(pairs: &[(&str, &str)]) -> Facets {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A network's seed, some times over.
pub(crate) enum Seeds {}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) times: u64,
    #[serde(skip_serializing)]
    pub(crate) sites: u32,
}

impl Measurement for Seeds {
    const ID: &'static str = "seeds";
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Site = u32;
    type Output = u64;

    fn sites(settings: &Settings, _: &Network, _: &[Network]) -> Vec<u32> {
        (0..settings.sites).collect()
    }

    fn run(settings: &Settings, _: &u32, trained: &Trained<'_>) -> Result<Option<u64>, Error> {
        Ok(Some(settings.times * trained.network.seed))
    }
}
