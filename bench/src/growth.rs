//! Measures time and peak memory against size, from a thousand to a million and beyond, and makes a table and a plot.

use std::path::Path;

use plotters::{
    coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter},
    prelude::*,
};

use crate::{
    case::{Case, Style},
    case::{Format, Way},
    client::Sample,
    fact::{Database, Types},
    launch::Job,
    options::Options,
    setup::Setup,
};

/// One case run one way at every size.
pub struct Curve {
    case: Case,
    way: Way,
    /// The size, and the run that took the least CPU time.
    points: Vec<(u64, Sample)>,
}

const WAYS: [Way; 3] = [Way::Bare, Way::Record(Format::Yaml), Way::Replay(Format::Yaml)];

/// The number of runs of each size; the least time counts.
const RUNS: usize = 3;

fn cases() -> [(Case, u64); 2] {
    [(Case::Select1, 1_000), (Case::Fetch(Style::Bound, Types::Char), 10_000)]
}

/// Returns the sizes of a case: powers of ten up to what the options ask for.
fn sizes(first: u64, last: u64) -> Vec<u64> {
    std::iter::successors(Some(first), |size| Some(size * 10)).take_while(|size| *size <= last).collect()
}

/// Measures all curves. Each way starts with the smallest size; a cassette is removed after its replay.
///
/// # Errors
/// A client fails, or data differ.
pub fn measure(setup: &Setup, options: &Options) -> Result<Vec<Curve>, String> {
    let mut curves = Vec::new();
    for (case, first) in cases() {
        let mut of_case = WAYS.map(|way| Curve { case, way, points: Vec::new() });
        for size in sizes(first, options.count(case)) {
            eprintln!("{case}, {size} ...");
            // without streaming, the driver would hold the whole result, and its memory would hide super8's
            let job = Job { case, count: size, streaming: true };
            let cassette = setup.cassette("growth")?;
            let mut checksum = None;
            for curve in &mut of_case {
                let mut best: Option<Sample> = None;
                let runs = if size >= 1_000_000 { 1 } else { RUNS };
                for _ in 0..runs {
                    if matches!(curve.way, Way::Record(_)) {
                        setup.cassette("growth")?;
                    }
                    let sample = setup.launcher.run(job, curve.way, &cassette)?;
                    if *checksum.get_or_insert(sample.checksum) != sample.checksum {
                        return Err(format!(
                            "{case} {}, {size}: the data differs from what the bare driver returned",
                            curve.way
                        ));
                    }
                    best = best.filter(|best| best.cpu <= sample.cpu).or(Some(sample));
                }
                curve.points.extend(best.map(|sample| (size, sample)));
            }
            setup.discard(&cassette)?;
        }
        curves.extend(of_case);
    }
    Ok(curves)
}

/// Returns the table of all curves.
pub fn table(database: Database, curves: &[Curve]) -> String {
    let mut table = format!(
        "CPU time and peak memory against size, {database}, the driver's own streaming switched on: the least of {RUNS} runs, and of one \
         run from 1000000 on\n\n| case | way | size | seconds | µs each | peak MB |\n| --- | --- | ---: | ---: | ---: | ---: |\n"
    );
    for curve in curves {
        for (size, sample) in &curve.points {
            table += &format!(
                "| {} | {} | {size} | {:.3} | {:.2} | {:.1} |\n",
                curve.case,
                curve.way,
                sample.cpu as f64 / 1e9,
                sample.cpu as f64 / 1e3 / *size as f64,
                sample.peak as f64 / 1024.0
            );
        }
    }
    table
}

/// Draws all curves: for each case a panel for time and one for memory, with logarithmic axes.
///
/// # Errors
/// The file cannot be written.
pub fn draw(file: &Path, curves: &[Curve]) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot draw {}: {error}", file.display());
    let root = SVGBackend::new(file, (960, 720)).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let panels = root.split_evenly((2, 2));
    for (column, (case, _)) in cases().into_iter().enumerate() {
        let of_case: Vec<&Curve> = curves.iter().filter(|curve| curve.case == case).collect();
        let unit = if case == Case::Select1 { "point queries" } else { "rows of ten columns" };
        let time = |sample: &Sample| sample.cpu as f64 / 1e9;
        let memory = |sample: &Sample| sample.peak as f64 / 1024.0;
        panel(&panels[column], &format!("{unit}: CPU seconds"), &of_case, &time).map_err(|error| failed(&error))?;
        panel(&panels[column + 2], &format!("{unit}: peak MB"), &of_case, &memory).map_err(|error| failed(&error))?;
    }
    root.present().map_err(|error| failed(&error))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn panel(
    area: &Area<'_>,
    title: &str,
    curves: &[&Curve],
    value: &dyn Fn(&Sample) -> f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let points =
        |curve: &Curve| curve.points.iter().map(|(size, sample)| (*size as f64, value(sample))).collect::<Vec<_>>();
    let all: Vec<(f64, f64)> = curves.iter().flat_map(|curve| points(curve)).collect();
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        let (least, most) =
            values.fold((f64::INFINITY, 0.0), |(least, most), value| (f64::min(least, value), f64::max(most, value)));
        10_f64.powf(least.log10().floor())..10_f64.powf(most.log10().ceil())
    };
    let (x, y) = (ends(&mut all.iter().map(|(x, _)| *x)), ends(&mut all.iter().map(|(_, y)| *y)));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(52)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    mesh(&mut chart)?;
    for (curve, colour) in curves.iter().zip([RGBColor(92, 107, 118), RGBColor(180, 72, 30), RGBColor(61, 95, 196)]) {
        chart
            .draw_series(LineSeries::new(points(curve), colour.stroke_width(2)).point_size(3))?
            .label(curve.way.mode())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).label_font(("sans-serif", 15)).draw()?;
    Ok(())
}

fn mesh<'a, X, Y>(
    chart: &mut ChartContext<'_, SVGBackend<'a>, Cartesian2d<X, Y>>,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    std::ops::Range<f64>: AsRangedCoord,
{
    chart
        .configure_mesh()
        .max_light_lines(0)
        .label_style(("sans-serif", 15))
        .x_label_formatter(&|value| power(*value))
        .y_label_formatter(&|value| power(*value))
        .draw()?;
    Ok(())
}

/// Returns a power of ten as people write it, such as `1M`.
fn power(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{}M", value / 1e6),
        _ if value >= 1e3 => format!("{}k", value / 1e3),
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_ten() {
        assert_eq!(sizes(1_000, 1_000_000), [1_000, 10_000, 100_000, 1_000_000]);
        assert_eq!(sizes(1_000, 5_000), [1_000]);
        assert_eq!([0.01, 1.0, 1e3, 1e7].map(power), ["0.01", "1", "1k", "10M"]);
    }

    #[test]
    fn a_plot_has_every_curve() -> Result<(), String> {
        let sample = |cpu, peak| Sample { wall: cpu, cpu, peak, checksum: 1 };
        let points = vec![(1_000, sample(5_000_000, 5_000)), (10_000, sample(50_000_000, 5_500))];
        let curves: Vec<Curve> = cases()
            .into_iter()
            .flat_map(|(case, _)| WAYS.map(|way| Curve { case, way, points: points.clone() }))
            .collect();
        let file = std::env::temp_dir().join(format!("super8-growth-{}.svg", std::process::id()));
        draw(&file, &curves)?;
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        std::fs::remove_file(&file).map_err(|error| error.to_string())?;
        for part in ["point queries: CPU seconds", "rows of ten columns: peak MB", "replay", "0.01", "10k"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(table(Database::Sqlite, &curves).contains("| select1 | replay | 10000 | 0.050 | 5.00 | 5.4 |"));
        Ok(())
    }
}
