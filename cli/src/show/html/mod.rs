//! The timeline as one page: styles, data and script are in it, nothing is fetched, and nothing that a cassette says is
//! anything but text. A policy in the page lets only the script below run, should an escape ever be forgotten.
//!
//! The page is [`head`], the entries as [`Data`], and [`foot`].

mod data;
mod escape;
mod overview;

use super::timeline::Timeline;
use base64::Engine;
use escape::Escaped;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use super8_cassette::{ConnectionId, Metadata};

pub use data::Data;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Connections are told apart by so many colours.
const COLOURS: u32 = 8;
/// Connections that get a button of their own.
const CHIPS: usize = 40;

/// Writes the page down to its data.
///
/// # Errors
/// The file cannot be written.
pub fn head(out: &mut impl Write, name: &str, metadata: &Metadata, timeline: &Timeline<'_>) -> io::Result<()> {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    let title = Escaped(name.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(name));
    let counts = timeline.counts();
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" \
         content=\"light dark\">\n<title>{title} \u{b7} super8</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body style=\"--lanes:{}\">\n<header>\n<div class=\"reel\" aria-hidden=\"true\"></div>\n<div>\n<h1>{title}</h1>\n",
        timeline.width()
    )?;
    let driver = metadata.driver.as_ref().map(|driver| format!(" \u{b7} {} ({})", driver.library, driver.kind));
    let manager = metadata.manager.as_ref().map(|manager| format!(" \u{b7} {manager}"));
    let complete = if metadata.complete { "" } else { " \u{b7} <strong class=\"bad\">not complete</strong>" };
    write!(
        out,
        "<p>recorded <time>{}</time> with {}{}{} \u{b7} order: {}{complete}</p>\n</div>\n<dl>\n",
        Escaped(&metadata.recorded_on),
        Escaped(&metadata.recorded_with),
        Escaped(&driver.unwrap_or_default()),
        Escaped(&manager.unwrap_or_default()),
        metadata.order.name(),
    )?;
    let all = [
        ("commands", counts.commands),
        ("connections", counts.connections),
        ("statements", counts.statements),
        ("entries", counts.entries),
    ];
    for (what, count) in all {
        writeln!(out, "<div><dd>{count}</dd><dt>{what}</dt></div>")?;
    }
    out.write_all(b"</dl>\n</header>\n")?;
    overview::write(out, timeline)?;
    toolbar(out, timeline)?;
    out.write_all(
        b"<main id=\"log\"></main>\n<p id=\"nothing\" hidden>Nothing fits.</p>\n<noscript>A script draws the entries; it is in \
          this page.</noscript>\n<script type=\"application/json\" id=\"data\">\n",
    )
}

fn toolbar(out: &mut impl Write, timeline: &Timeline<'_>) -> io::Result<()> {
    out.write_all(
        b"<nav>\n<input id=\"search\" type=\"search\" placeholder=\"Search SQL, rows, messages\" aria-label=\"Search\" \
          autocomplete=\"off\">\n<span class=\"chips\">\n",
    )?;
    let mut seen: Vec<ConnectionId> = Vec::new();
    for (_, head) in timeline.heads() {
        if seen.len() < CHIPS && !seen.contains(&head.connection) {
            seen.push(head.connection);
            writeln!(
                out,
                "<button class=\"chip c{}\" data-connection=\"{1}\" aria-pressed=\"true\">{1}</button>",
                head.connection.0 % COLOURS,
                head.connection
            )?;
        }
    }
    out.write_all(
        b"</span>\n<label><input type=\"checkbox\" id=\"answers\"> answers</label>\n\
          <label><input type=\"checkbox\" id=\"closing\"> closing</label>\n\
          <label><input type=\"checkbox\" id=\"troubles\"> only errors and warnings</label>\n\
          <span class=\"right\"><output id=\"count\"></output>\n<button id=\"expand\">open all</button>\n\
          <button id=\"collapse\">close all</button>\n\
          <button id=\"theme\" title=\"light or dark\" aria-label=\"light or dark\">\xe2\x97\x90</button></span>\n</nav>\n",
    )
}

/// Writes what comes after the data.
///
/// # Errors
/// The file cannot be written.
pub fn foot(out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "</script>\n<footer>super8 {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}
