//! One panel: curves into kuva's plots, its scene onto the page.

use kuva::plot::{BandPlot, LinePlot, ScatterPlot, line::LineStyle};
use kuva::render::color::Color;
use kuva::render::layout::{ComputedLayout, Layout};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use crate::axis::{Reach, Ruler};
use crate::curve::{Content, Curve};
use crate::font::{FAMILY, Face};
use crate::style::{
    AXIS, Area, BAND_OPACITY, DASHES, DOTS, GREY, LABEL, MARKER, MEAN, SMALL, THIN,
};
use crate::{Declaration, Error, Scale, Source, Statistic};

/// Stroke of single networks, 0.5 pt; no other line has it, see `adapt`.
const NETWORK: f64 = 1.01;
const NETWORK_OPACITY: f64 = 0.45;
/// At most about this many hollow markers on a line.
const MARKERS: usize = 14;
/// Height of tick labels and x label together.
const FOOTER: f64 = 48.0;
/// Smallest side of the area inside the axes, about 9 mm.
const SMALLEST: f64 = 50.0;

/// Draws the panel into `area`, its upper `header` left free.
pub(crate) fn draw(
    scene: &mut Scene,
    figure: &Declaration,
    mut content: Content,
    area: Area,
    header: f64,
) -> Result<(), Error> {
    let layout = layout(&content, area, header);
    let axes = ComputedLayout::from_layout(&layout);
    check_room(figure, &content, area, &axes)?;
    content.hold(
        &Reach::of(content.panel.x.scale, layout.x_range),
        &Reach::of(content.panel.y.scale, layout.y_range),
    );
    let drawn = render_multiple(plots(&content, layout.x_range), layout);
    scene.add(Primitive::GroupStart {
        transform: Some(format!("translate({:.2},{:.2})", area.x, area.y)),
        title: None,
        extra_attrs: Some(r#"stroke-linejoin="round""#.to_owned()),
    });
    adapt(scene, drawn);
    if content.curves.is_empty() {
        scene.add(no_data(&axes));
    }
    scene.add(Primitive::GroupEnd);
    Ok(())
}

fn layout(content: &Content, area: Area, header: f64) -> Layout {
    let (panel, curves) = (content.panel, &content.curves);
    let xs = curves.iter().flat_map(Curve::xs);
    let reference = content.reference();
    let ys = curves.iter().flat_map(Curve::ys).chain(reference.map(|line| line.y));
    let x = Ruler::fit(&panel.x, xs, (area.width / 75.0).max(2.0));
    let y = Ruler::fit(&panel.y, ys, ((area.height - header) / 55.0).max(2.0));
    let mut layout = Layout::new((x.low, x.high), (y.low, y.high))
        .with_width(area.width)
        .with_height(area.height)
        .with_x_axis_min(x.low)
        .with_x_axis_max(x.high)
        .with_y_axis_min(y.low)
        .with_y_axis_max(y.high)
        .with_x_tick_format(x.format)
        .with_y_tick_format(y.format)
        .with_x_label(panel.x.label.as_str())
        .with_y_label(panel.y.label.as_str())
        .with_show_grid(false)
        .with_font_family(FAMILY)
        .with_label_size(LABEL)
        .with_tick_size(SMALL)
        .with_axis_line_width(AXIS)
        .with_tick_width(AXIS);
    (layout.x_tick_step, layout.y_tick_step) = (x.step, y.step);
    (layout.log_x, layout.log_y) = (panel.x.scale == Scale::Log, panel.y.scale == Scale::Log);
    (layout.force_margin_top, layout.force_margin_bottom) = (Some(header), Some(FOOTER));
    layout
}

/// Rejects what kuva would draw over an edge.
fn check_room(
    figure: &Declaration,
    content: &Content,
    area: Area,
    axes: &ComputedLayout,
) -> Result<(), Error> {
    let no_room =
        |text: &str| Err(Error::NoRoom { figure: figure.id().to_owned(), text: text.to_owned() });
    if axes.plot_width() < SMALLEST || axes.plot_height() < SMALLEST {
        return no_room(&format!("the axes of panel {}", content.panel.id));
    }
    // Labels are centred on the axis, which is not the centre of the area.
    let across = axes.margin_left + axes.plot_width() / 2.0;
    let along = axes.margin_top + axes.plot_height() / 2.0;
    let labels = [(&content.panel.x, across, area.width), (&content.panel.y, along, area.height)];
    for (axis, centre, side) in labels {
        let half = Face::Regular.width(&axis.label, f64::from(LABEL))? / 2.0;
        if half > centre || centre + half > side {
            return no_room(&axis.label);
        }
    }
    Ok(())
}

/// From the bottom: reference, bands, single networks, means.
fn plots(content: &Content, (left, right): (f64, f64)) -> Vec<Plot> {
    // Not kuva's own reference line, which lies above the curves. Axes need one plot at
    // least, so without a reference the line is there but has no points.
    let reference = content.reference().map(|line| [(left, line.y), (right, line.y)]);
    let reference = LinePlot::new()
        .with_data(reference.into_iter().flatten())
        .with_color(GREY)
        .with_stroke_width(AXIS)
        .with_line_style(LineStyle::Custom(DOTS.to_owned()));
    let of = |statistic| content.curves.iter().filter(move |curve| curve.statistic == statistic);
    let steps = content.panel.steps;
    let networks = of(Statistic::Network).flat_map(|curve| lines(curve, NETWORK, steps));
    let means = of(Statistic::Mean).flat_map(|curve| match curve.source {
        Source::Ours => lines(curve, MEAN, steps),
        // What was published are single points: nothing is known between them.
        Source::Published => lines(curve, THIN, false),
    });
    let bands = content.curves.iter().flat_map(|curve| bands(curve, steps));
    [reference.into()].into_iter().chain(bands).chain(networks).chain(means).collect()
}

fn bands(curve: &Curve, steps: bool) -> Vec<Plot> {
    let band = |mut run: Vec<(f64, f64, f64)>| {
        if steps {
            run = stepped(&run, |(_, low, high), (x, ..)| (x, low, high));
        }
        let xs = run.iter().map(|point| point.0);
        let (low, high) = (run.iter().map(|point| point.1), run.iter().map(|point| point.2));
        let band = BandPlot::new(xs, low, high);
        band.with_color(curve.series.colour.as_str()).with_opacity(BAND_OPACITY).into()
    };
    curve.bands().into_iter().map(band).collect()
}

/// The points of steps: each value holds until the next point, `held(point, next)`.
fn stepped<T: Copy>(run: &[T], held: impl Fn(T, T) -> T) -> Vec<T> {
    let corners = run.windows(2).flat_map(|pair| [pair[0], held(pair[0], pair[1])]);
    corners.chain(run.last().copied()).collect()
}

fn lines(curve: &Curve, stroke: f64, steps: bool) -> Vec<Plot> {
    let colour = curve.series.colour.as_str();
    let published = curve.source == Source::Published;
    let hollow = published && curve.statistic == Statistic::Mean;
    let mut plots = Vec::new();
    for mut run in curve.lines() {
        if steps {
            run = stepped(&run, |(_, y), (x, _)| (x, y));
        }
        let line = LinePlot::new().with_data(run.clone()).with_color(colour);
        let line = line.with_stroke_width(stroke);
        plots.push(match published {
            true => line.with_line_style(LineStyle::Custom(DASHES.to_owned())).into(),
            false => line.into(),
        });
        // A point without neighbours has no line: only a marker can show it.
        if hollow || run.len() == 1 {
            let every = run.len().div_ceil(MARKERS);
            let points = ScatterPlot::new().with_data(run.into_iter().step_by(every));
            let points = points.with_color(colour);
            plots.push(match hollow {
                true => points.with_size(MARKER).with_marker_stroke_width(THIN).into(),
                false => points.with_size(1.2 * stroke).into(),
            });
        }
    }
    plots
}

/// Copies a panel's scene to the page, adding what kuva's plots cannot say.
fn adapt(page: &mut Scene, panel: Scene) {
    // kuva numbers clip paths per process, which would make equal figures differ.
    let clip = format!("axes-{}", page.defs.len());
    let mut renamed = None;
    for element in panel.elements {
        match element {
            Primitive::ClipStart { x, y, width, height, id: old } => {
                page.add(Primitive::ClipStart { x, y, width, height, id: clip.clone() });
                renamed = Some(old);
            }
            Primitive::PolyLine { stroke_width: NETWORK, .. } => {
                page.add(Primitive::GroupStart {
                    transform: None,
                    title: None,
                    extra_attrs: Some(format!(r#"stroke-opacity="{NETWORK_OPACITY}""#)),
                });
                page.add(element);
                page.add(Primitive::GroupEnd);
            }
            Primitive::CircleBatch { cx, cy, r, stroke: Some(stroke), stroke_width, .. } => {
                let (fill, stroke) = (Color::from("white"), Some(stroke));
                let fill_opacity = None;
                page.add(Primitive::CircleBatch {
                    cx,
                    cy,
                    r,
                    fill,
                    fill_opacity,
                    stroke,
                    stroke_width,
                });
            }
            other => page.add(other),
        }
    }
    let rename = |def: String| match &renamed {
        Some(old) => def.replace(&format!("\"{old}\""), &format!("\"{clip}\"")),
        None => def,
    };
    page.defs.extend(panel.defs.into_iter().map(rename));
}

fn no_data(axes: &ComputedLayout) -> Primitive {
    Primitive::Text {
        x: axes.margin_left + axes.plot_width() / 2.0,
        y: axes.margin_top + axes.plot_height() / 2.0,
        content: "no data".to_owned(),
        size: LABEL,
        anchor: TextAnchor::Middle,
        rotate: None,
        bold: false,
        color: Some(Color::from(GREY)),
    }
}
