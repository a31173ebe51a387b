//! How `super8 show --html` lies on a screen, measured in a real browser: nothing is wider than the window, wide tables scroll in their
//! own box, and no column breaks inside a word.

use std::path::Path;
use std::process::Command;
use super8_tests::browser::document;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::scratch::Scratch;

/// Window widths: a desk's and a telephone's.
const WIDTHS: [u32; 2] = [1280, 400];

/// Shows a page in a frame of each width, opens everything, and writes what is wrong, and what was measured, into its own document.
const MEASURE: &str = r#"
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const name = (element) => `${element.localName}.${element.className} "${element.textContent.trim().slice(0, 40)}"`;
/* Words of an element that stand on two lines. */
function broken(element) {
  const walker = element.ownerDocument.createTreeWalker(element, 4), words = [];
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    for (const word of text.data.matchAll(/[\p{L}\p{N}_]+/gu)) {
      const range = element.ownerDocument.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) words.push(word[0]);
    }
  }
  return words;
}
async function measure(width) {
  const frame = document.createElement('iframe');
  frame.style = `width:${width}px;height:9000px;border:0`;
  frame.srcdoc = SOURCE;
  const loaded = new Promise((done) => { frame.onload = done; });
  document.body.append(frame);
  await loaded;
  const page = frame.contentDocument, wrong = [];
  for (let round = 0; round < 3; round++) {
    page.querySelectorAll('details:not([open])').forEach((one) => { one.open = true; });
    await wait(100);
  }
  const view = frame.contentWindow.innerWidth;
  if (view !== width) wrong.push(`the window is ${view} wide`);
  const inside = page.documentElement.scrollWidth;
  if (inside > width) {
    wrong.push(`the page is ${inside} wide`);
    for (const one of page.querySelectorAll('body *')) {
      if (one.getBoundingClientRect().right > width + 1 && !one.closest('.rows')) wrong.push(`too wide: ${name(one)}`);
    }
  }
  let scrolling = 0;
  for (const box of page.querySelectorAll('.rows')) {
    if (box.getBoundingClientRect().right > width + 1) wrong.push(`sticks out: ${name(box)}`);
    if (box.scrollWidth > box.clientWidth) {
      scrolling += 1;
      if (!['auto', 'scroll'].includes(frame.contentWindow.getComputedStyle(box).overflowX)) wrong.push(`does not scroll: ${name(box)}`);
    }
  }
  const cells = page.querySelectorAll('td, th, .method, .id, .line, .inputs dt, header dt, header dd');
  for (const cell of cells) {
    const words = broken(cell);
    if (words.length) wrong.push(`breaks inside ${words.join(', ')}: ${name(cell)}`);
  }
  return {width, wrong, scrolling, cells: cells.length};
}
(async () => {
  const measured = [];
  for (const width of WIDTHS) measured.push(await measure(width));
  document.body.replaceChildren();
  document.body.dataset.measured = JSON.stringify(measured);
})();
"#;

/// What was measured of a page at each width.
fn measured(scratch: &Scratch, page: &Path) -> Vec<serde_json::Value> {
    let source = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    // the script of this page must not end where one of that page does
    let source = serde_json::Value::from(source).to_string().replace('<', "\\u003c");
    let html = format!(
        "<!doctype html><meta charset=utf-8><body><script>const SOURCE = {source}, WIDTHS = {WIDTHS:?};{MEASURE}</script>"
    );
    let drawn = document(&scratch.write("measure.html", html), "");
    let json = drawn.split("data-measured=\"").nth(1).and_then(|rest| rest.split('"').next());
    let json = json.unwrap_or_else(|| panic!("nothing was measured: {}", &drawn[..drawn.len().min(2000)]));
    let json = json.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn show(from: &Path, page: &Path) {
    let mut command = Command::new(products::super8());
    command.args(["show", "--html"]).args([page, from]).env("PATH", "/usr/bin:/bin");
    let outcome = Outcome::of(&command, b"");
    assert!(outcome.succeeded(), "{}", String::from_utf8_lossy(&outcome.all()));
}

#[track_caller]
fn fits(measured: &[serde_json::Value], cells: u64) {
    assert_eq!(measured.len(), WIDTHS.len());
    for of_width in measured {
        let wrong: Vec<&str> =
            of_width["wrong"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
        assert!(wrong.is_empty(), "at {} pixels:\n{}", of_width["width"], wrong.join("\n"));
        assert!(of_width["cells"].as_u64() >= Some(cells), "too little was looked at: {of_width}");
    }
}

/// A result of forty columns, words of three hundred letters, and several connections.
#[test]
fn a_page_fits_a_desk_and_a_telephone() {
    let scratch = Scratch::new("layout");
    let tapes = scratch.directory("tapes/with_a_rather_long_name_of_a_cassette/orders_of_the_last_quarter");
    let (long, columns) = ("unbreakable".repeat(28), 40);
    let mut log = String::new();
    for connection in ["a", "b", "c"] {
        log += &format!(
            "- method: connect\n  connection_id: {connection}\n  dsn: shop_{long}\n- method: run\n  connection_id: {connection}\n  \
             statement_id: 1\n  sql: \"select '{long}' from {long} where price < ? and name = ?\"\n  params: [12345678901234, \"{long}\"]\n"
        );
    }
    log += &format!(
        "- method: columns\n  connection_id: a\n  statement_id: 1\n  columns_file: a_1_columns.yml\n- method: fetch_all\n  \
         connection_id: a\n  statement_id: 1\n  rows_file: a_1_fetch_all.csv\n- method: run\n  connection_id: b\n  statement_id: 2\n  \
         sql: \"select nothing\"\n  return: SQL_ERROR\n  diagnostics:\n    - {{sqlstate: HY000, native: 1, message: \"{long}\"}}\n"
    );
    let names: String = (0..columns).map(|column| format!("- name: a_column_{column} of the table\n")).collect();
    let row =
        |row: usize| (0..columns).map(|column| format!("value number {column} of {row}")).collect::<Vec<_>>().join(",");
    let rows: String = (0..8).map(|number| row(number) + "\n").collect();
    let rows = rows.replacen("value number 3", &long, 1);
    let metadata = "schema_version: 4\nrecorded_on: \"2026-11-21T05:51:00Z\"\ncomplete: true\norder: global\n";
    for (name, text) in [
        ("commands.yml", &log),
        ("metadata.yml", &metadata.to_owned()),
        ("a_1_columns.yml", &names),
        ("a_1_fetch_all.csv", &rows),
    ] {
        std::fs::write(tapes.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let page = scratch.join("page.html");
    show(&tapes, &page);
    let all = measured(&scratch, &page);
    fits(&all, 300);
    assert!(all.iter().all(|one| one["scrolling"].as_u64() >= Some(1)), "the wide table has to scroll: {all:?}");
    // with other styles, the measuring finds it
    let text = std::fs::read_to_string(&page).unwrap_or_default();
    let (breaking, wide) = ("overflow-wrap: normal; word-break: normal;", ".rows { overflow-x: auto; }");
    assert!(text.contains(breaking) && text.contains(wide));
    for (style, other, found) in [(breaking, "word-break: break-all;", "breaks inside"), (wide, "", "does not scroll")]
    {
        let changed = scratch.write("changed.html", text.replace(style, other));
        let all = measured(&scratch, &changed);
        assert!(all.iter().any(|one| one["wrong"].to_string().contains(found)), "{found}: {all:?}");
    }
    // the index over a folder is a table of the same style
    let index = scratch.join("index.html");
    show(&scratch.join("tapes"), &index);
    fits(&measured(&scratch, &index), 5);
}
