//! The figures, their tables, and published values beside ours.

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{Markup, html};
use tau_figures::{Declaration, Row, Source, Statistic, Table};

use super::{Page, scroll};
use crate::Ready;

/// A figure that the page shows.
pub(super) struct Shown {
    declaration: Declaration,
    /// The picture as an address. A picture, unlike an element, shares no ids, styles and fonts with
    /// the page or with other figures.
    picture: String,
    /// The table as an address: it can be saved without the folder.
    table: String,
    rows: Vec<Row>,
    /// Whether there are published values for it, at the published scale.
    is_published: bool,
}

impl Shown {
    /// From the files' bytes; `None` if the table is none of ours.
    pub(super) fn new(ready: &Ready, csv: &[u8], svg: &[u8]) -> Option<Self> {
        let table = Table::parse(std::str::from_utf8(csv).ok()?).ok()?;
        let inside =
            |kind: &str, bytes| format!("data:{kind};base64,{}", BASE64_STANDARD.encode(bytes));
        Some(Self {
            declaration: ready.declaration.clone(),
            picture: inside("image/svg+xml", svg),
            table: inside("text/csv;charset=utf-8", csv),
            rows: table.rows().to_vec(),
            is_published: !ready.published.is_empty(),
        })
    }

    pub(super) fn id(&self) -> &str {
        self.declaration.id()
    }

    /// What the picture is of, for those who do not see it; the caption says the rest.
    fn description(&self) -> String {
        let panels = self.declaration.panels().iter();
        let axes = panels.map(|panel| format!("{} against {}", panel.y.label, panel.x.label));
        format!("{}: {}", self.declaration.title(), axes.collect::<Vec<_>>().join("; "))
    }

    /// Each published value with the mean over our networks at the same place.
    fn compared(&self) -> Vec<(&Row, Option<&Row>)> {
        let of = |source, statistic| {
            self.rows.iter().filter(move |r| (r.source, r.statistic) == (source, statistic))
        };
        let place = |row: &Row| (row.panel.clone(), row.series.clone(), row.x.map(f64::to_bits));
        of(Source::Published, Statistic::Mean)
            .map(|published| {
                let same = |ours: &&Row| place(ours) == place(published);
                (published, of(Source::Ours, Statistic::Mean).find(same))
            })
            .collect()
    }
}

impl Page<'_> {
    pub(super) fn drawings(&self) -> Markup {
        html! {
            h2 #figures { "Figures" }
            @if self.figures.is_empty() { p { "None is in this folder." } }
            @for figure in self.figures { (self.drawing(figure)) }
        }
    }

    fn drawing(&self, figure: &Shown) -> Markup {
        let id = figure.id();
        let title = figure.declaration.title();
        // Millimetres on paper are small on a screen.
        let (width, height) = figure.declaration.size_mm();
        let pixels = |mm: f64| (mm * 5.0).round();
        let picture = html! {
            img src=(figure.picture) alt=(figure.description()) width=(pixels(width))
                height=(pixels(height)) class=(if width > 100.0 { "wide" } else { "narrow" });
        };
        let file = format!("{id}.csv");
        html! {
            article #{ "figure-" (id) } aria-labelledby={ "title-" (id) } {
                h3 #{ "title-" (id) } { (title) }
                figure {
                    div.card { (scroll(title, &picture)) }
                    figcaption { (figure.declaration.caption()) }
                }
                p.files {
                    a.save download=(file) href=(figure.table) { "Save the table (CSV)" }
                    span {
                        "Beside this page: "
                        @for (place, kind) in ["csv", "svg", "png", "pdf"].iter().enumerate() {
                            @if place > 0 { " · " }
                            a href={ (id) "." (kind) } { (kind.to_uppercase()) }
                        }
                    }
                }
                (self.published(figure))
            }
        }
    }

    fn published(&self, figure: &Shown) -> Markup {
        let compared = figure.compared();
        if compared.is_empty() {
            return html! {
                p.note {
                    @if self.preset.published_scale || !figure.is_published {
                        "There are no published values to compare this figure with."
                    } @else {
                        "Published values belong to networks of the published size and training: they "
                        "are not drawn here."
                    }
                }
            };
        }
        let title = format!("Published values beside ours, {}", figure.declaration.title());
        let table = html! {
            table {
                caption { "Published values, and the mean over our networks at the same place" }
                thead {
                    tr {
                        th scope="col" { "Quantity" }
                        th scope="col" { "Series" }
                        th.value scope="col" { "At" }
                        th.value scope="col" { "Published" }
                        th.value scope="col" { "Ours" }
                    }
                }
                tbody { @for (published, ours) in compared { (beside(figure, published, ours)) } }
            }
        };
        scroll(&title, &table)
    }
}

fn beside(figure: &Shown, published: &Row, ours: Option<&Row>) -> Markup {
    let panel = figure.declaration.panels().iter().find(|panel| panel.id == published.panel);
    let (quantity, position) = panel.map_or(("", ""), |panel| (&*panel.y.label, &*panel.x.label));
    let series = figure.declaration.series().iter().find(|s| s.name == published.series);
    html! {
        tr {
            th scope="row" { (quantity) }
            td { (series.map_or(&*published.series, |series| &*series.label)) }
            td.value { (position) " " (number(published.x)) }
            td.value { (number(published.y)) }
            td.value {
                (ours.map_or_else(|| "–".to_owned(), |ours| number(ours.y)))
                @if let Some((low, high)) = ours.and_then(|ours| ours.y_low.zip(ours.y_high)) {
                    " ± " (number(Some((high - low) / 2.0)))
                }
            }
        }
    }
}

/// At most three decimals.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}
