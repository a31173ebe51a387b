//! The interleaving at a glance: a line for each connection, a tick for each command, from left to right as recorded.

use super::COLOURS;
use crate::show::timeline::Timeline;
use std::collections::BTreeMap;
use std::io::{self, Write};
use super8_cassette::ConnectionId;
use super8_cassette::entry::Class;

/// The drawing's width, in its own units.
const WIDTH: f64 = 1000.0;
/// Ticks closer than this would lie on one another.
const CLOSEST: f64 = 0.7;
/// Connections that have a line of their own; more would be a drawing nobody can read.
const LINES: usize = 60;

struct Line {
    first: f64,
    last: f64,
    ticks: Vec<(f64, u32)>,
}

/// Writes the drawing.
///
/// # Errors
/// The file cannot be written.
pub fn write(out: &mut impl Write, timeline: &Timeline<'_>) -> io::Result<()> {
    let mut lines: BTreeMap<ConnectionId, Line> = BTreeMap::new();
    let heads = timeline.heads();
    let scale = WIDTH / heads.len().max(1) as f64;
    for (position, (line, head)) in heads.enumerate() {
        let x = (position as f64 + 0.5) * scale;
        if lines.len() >= LINES && !lines.contains_key(&head.connection) {
            continue;
        }
        let drawn = lines.entry(head.connection).or_insert(Line { first: x, last: x, ticks: Vec::new() });
        drawn.last = x;
        let free = drawn.ticks.last().is_none_or(|(before, _)| x - before >= CLOSEST);
        if head.method.class() == Class::Command && free {
            drawn.ticks.push((x, line));
        }
    }
    let (step, tick) = if lines.len() > 12 { (9.0, 6.0) } else { (20.0, 13.0) };
    let height = lines.len() as f64 * step + 6.0;
    writeln!(
        out,
        "<section class=\"overview\">\n<svg viewBox=\"0 0 {WIDTH} {height}\" style=\"--h:{height}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"which connection did something when\">"
    )?;
    // A tick is as wide as its command, so that few commands make blocks and many make a texture.
    let wide = scale.clamp(1.2, 9.0) * 0.8;
    for (index, (connection, line)) in lines.iter().enumerate() {
        let y = 3.0 + step * (index as f64 + 0.5);
        writeln!(
            out,
            "<g class=\"c{}\" data-connection=\"{connection}\"><title>{connection}</title><line x1=\"{:.2}\" y1=\"{y:.1}\" \
             x2=\"{:.2}\" y2=\"{y:.1}\"/>",
            connection.0 % COLOURS,
            line.first,
            line.last
        )?;
        for (x, number) in &line.ticks {
            let (left, top) = (x - wide / 2.0, y - tick / 2.0);
            writeln!(
                out,
                "<rect x=\"{left:.2}\" y=\"{top:.1}\" width=\"{wide:.2}\" height=\"{tick}\" data-line=\"{number}\"/>"
            )?;
        }
        out.write_all(b"</g>\n")?;
    }
    out.write_all(b"</svg>\n</section>\n")
}
