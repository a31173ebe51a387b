"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const [steps, texts] = [[], []];
  let log = "";
  for (const element of document.querySelectorAll("script.data")) {
    const data = JSON.parse(element.textContent);
    log = data.log;
    for (const text of data.texts) texts.push(text);
    for (const step of data.entries) steps.push(step);
  }
  const KINDS = ["command", "answer", "closing", "closing end"];
  const TROUBLES = ["", " warn", " bad"];
  const INPUTS_END = new Set([
    "sql", "result", "rows", "rows_file", "columns_file", "c_types", "outcomes", "completed", "row_status", "rows_fetched",
    "written", "extended_status",    "params_processed", "param_status", "bookmarks",
  ]);

  // Shows control characters, and those that change the direction of text, by their number.
  const visible = (text) =>
    text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (one) => {
      const code = one.codePointAt(0);
      return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u{" + code.toString(16) + "}";
    });
  const cut = (text, most) => (text.length > most ? text.slice(0, most) + "\u2026" : text);
  const said = (number) => (number ? texts[number - 1] : "");
  const quoted = (text) => '"' + text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n") + '"';

  function letters(number) {
    let name = "";
    for (let left = number + 1; left > 0; left = Math.floor((left - 1) / 26)) {
      name = String.fromCharCode(97 + ((left - 1) % 26)) + name;
    }
    return name;
  }

  // Makes an element of a class with children: elements, or strings, which always become text.
  function make(name, kind, ...children) {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    element.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
    return element;
  }

  // Names with values as they are shown. A text has quotes only where it could be taken for a number.
  function fields(step) {
    const all = [];
    const list = step[10] || [];
    for (let at = 0; at < list.length; at += 2) {
      const value = list[at + 1];
      const text = typeof value === "number";
      all.push({ key: said(list[at]), text, facts: value.facts, value: text ? said(value) : value.facts ? "" : said(value[0]) });
    }
    return all;
  }

  function word(cell) {
    if (cell === null) return "NULL";
    if (cell === 0) return "-";
    return typeof cell === "string" ? cell : cell[0] + "...(of " + cell[1] + ")";
  }

  // For each entry, the number of the text that its statement was given before.
  const given = [];
  {
    const last = new Map();
    steps.forEach((step, at) => {
      const [list, statement] = [step[10] || [], step[3] + "/" + step[4]];
      const own = step[4] ? list.findIndex((name, at) => at % 2 === 0 && said(name) === "sql") : -1;
      if (own >= 0 && typeof list[own + 1] === "number") last.set(statement, list[own + 1]);
      else if (step[4] && last.has(statement)) given[at] = last.get(statement);
    });
  }

  function asked(step, at) {
    const sql = said(step[5]) === "execute" ? cut(said(given[at]).replace(/\s+/g, " "), 400) : "";
    const parameters = fields(step).find((field) => field.key === "params" || field.key === "params_file");
    const shown = ["run", "prepare", "execute"].includes(said(step[5])) && parameters ? cut(parameters.value, 400) : "";
    return [sql, said(step[8]), shown].filter(Boolean).join("  ");
  }

  function outcome(step) {
    const row = step[12] && step[12][1][0];
    return said(step[9]) || (said(step[5]) === "fetch" && row ? cut(row.map(word).join(" | ").replace(/\s+/g, " "), 400) : "");
  }

  // A long cell has to be opened to be read.
  function long(cell) {
    if (cell.length <= 200) return cell;
    return make("details", "cell", make("summary", "", cut(cell.split("\n")[0], 100)), make("div", "", cell));
  }

  function table([names, first, count, file]) {
    const rows = make("div", "rows");
    const body = make("table");
    if (names) {
      const head = said(names).split("\n").map((name) => make("th", "", name));
      body.append(make("thead", "", make("tr", "", make("th"), ...head)));
    }
    const shown = (cell) => {
      if (cell === null) return make("td", "null", "NULL");
      if (cell === 0) return make("td", "null", "not read");
      if (typeof cell === "string") return make("td", "", long(cell));
      return make("td", "", cell[0] + " ", make("span", "null", "cut off; " + cell[1] + " bytes"));
    };
    body.append(
      make("tbody", "", ...first.map((row, at) => make("tr", "", make("th", "", String(at + 1)), ...row.map(shown)))),
    );
    rows.append(body);
    const more = count - first.length;
    const words = [more ? more + " more" : "", said(file)].filter(Boolean).join(" in ");
    if (words) rows.append(make("p", "", words));
    return rows;
  }

  function raw(step) {
    const lines = ["- method: " + said(step[5]), "  connection_id: " + letters(step[3])];
    if (step[4]) lines.push("  statement_id: " + step[4]);
    const pair = (indent, key, value) => lines.push(indent + key + ": " + value);
    for (const field of fields(step)) {
      if (field.facts) {
        pair("  ", field.key, "");
        for (let at = 0; at < field.facts.length; at += 2) pair("    ", said(field.facts[at]), said(field.facts[at + 1]));
      } else if (field.text && field.value.includes("\n")) {
        pair("  ", field.key, "|\n    " + field.value.replace(/\n/g, "\n    "));
      } else {
        pair("  ", field.key, field.text ? quoted(field.value) : field.value.replace(/^NULL$/, "null"));
      }
    }
    if (step[12] && !step[12][3]) {
      const list = step[12][1].map((row) => "[" + row.map((cell) => (cell === null ? "null" : quoted(word(cell)))).join(", ") + "]");
      pair("  ", list.length > 1 ? "rows" : "result", list.length > 1 ? "[" + list.join(", ") + "]" : list[0]);
    }
    if (step[11]) {
      pair("  ", "return", said(step[11][0]));
      if (step[11].length > 1) lines.push("  diagnostics:");
      for (const [state, native, message] of step[11].slice(1)) {
        lines.push("    - sqlstate: " + quoted(said(state)));
        if (native) pair("      ", "native", said(native));
        pair("      ", "message", quoted(said(message)));
      }
    }
    const all = make("details", "raw", make("summary", "", log + ":" + step[0]));
    all.append(make("pre", "", lines.join("\n")));
    return all;
  }

  // The content of an opened entry.
  function body(step, at) {
    const all = make("div", "body");
    const every = fields(step);
    const sql = every.find((field) => field.key === "sql" && field.text);
    if (sql || given[at]) all.append(make("pre", sql ? "sql" : "sql before", sql ? sql.value : said(given[at])));
    const list = make("dl", "inputs");
    for (const { key, text, value } of every.filter(({ key }) => !INPUTS_END.has(key))) {
      list.append(make("dt", "", key), make("dd", "", cut(text ? quoted(value) : value, 4000)));
    }
    for (const { facts } of every.filter((field) => field.facts)) {
      for (let at = 0; at < facts.length; at += 2) {
        list.append(make("dt", "fact", said(facts[at])), make("dd", "", cut(said(facts[at + 1]), 4000)));
      }
    }
    for (let at = 0, notes = step[14] || []; at < notes.length; at += 2) {
      list.append(make("dt", "note", said(notes[at])), make("dd", "", said(notes[at + 1])));
    }
    if (list.childNodes.length) all.append(list);
    if (step[13]) all.append(table(step[13]));
    if (step[11]) {
      const told = make("ul", "diagnostics", make("li", "", make("code", "", said(step[11][0]))));
      for (const [state, native, message] of step[11].slice(1)) {
        told.append(make("li", "", make("code", "", said(state)), " ", make("span", "native", said(native)), " " + said(message)));
      }
      all.append(told);
    }
    if (step[12]) all.append(table(step[12]));
    all.append(raw(step));
    return all;
  }

  // The connections in the lanes before every 256th entry.
  const LANES = 256;
  const lanesAt = [];
  function pass([, , , connection, , , lane = 0, edge = 0], open) {
    if (edge & 2) delete open[lane];
    else open[lane] = connection;
  }
  {
    const open = [];
    steps.forEach((step, at) => {
      if (at % LANES === 0) lanesAt.push(open.slice());
      pass(step, open);
    });
  }

  // The lanes beside an entry.
  function lanes(at) {
    const open = lanesAt[Math.floor(at / LANES)].slice();
    for (let before = at - (at % LANES); before < at; before++) pass(steps[before], open);
    const all = make("span", "lanes");
    const [, , , connection, , , lane = 0, edge = 0] = steps[at];
    open[lane] = connection;
    open.forEach((there, place) => {
      if (there === undefined) return;
      const here = place === lane;
      const part = here && edge ? [" first", " last", " alone"][edge - 1] : "";
      for (const kind of here ? ["i", "b"] : ["i"]) {
        const mark = make(kind, "c" + (there % 8) + (kind === "i" ? part : ""));
        mark.style.setProperty("--x", place);
        all.append(mark);
      }
    });
    return all;
  }

  // Elements exist only for entries that were in view, by their positions.
  const elements = new Map();
  const positions = new Map();
  const filled = new Set();
  let allOpen = false;
  const fill = (entry) => {
    if (filled.has(entry)) return;
    filled.add(entry);
    entry.append(body(steps[positions.get(entry)], positions.get(entry)));
  };
  function element(at) {
    if (elements.has(at)) return elements.get(at);
    const step = steps[at];
    const name = letters(step[3]);
    const entry = make("details", KINDS[step[1]] + " c" + (step[3] % 8) + TROUBLES[step[2]]);
    entry.id = "l" + step[0];
    const line = make("a", "line", String(step[0]));
    line.href = "#l" + step[0];
    entry.append(
      make(
        "summary", "", line, lanes(at), make("span", "id", step[4] ? name + "/" + step[4] : name),
        make("span", "method", said(step[5])), make("span", "asked", asked(step, at)), make("span", "outcome", outcome(step)),
      ),
    );
    elements.set(at, entry);
    positions.set(entry, at);
    if (allOpen) open(entry);
    return entry;
  }
  function open(entry) {
    fill(entry);
    entry.open = true;
  }
  byId("log").addEventListener("toggle", (event) => event.target.open && positions.has(event.target) && fill(event.target), true);

  // The entries that are shown, a hundred to a block. A block has only a height until it comes near the window.
  const BLOCK = 100;
  let shown = [];
  let words = [];
  const near = new IntersectionObserver(
    (seen) => seen.forEach(({ isIntersecting, target }) => isIntersecting && show(target)),
    { rootMargin: "1500px" },
  );
  function show(block) {
    if (!block.style.height) return;
    near.unobserve(block);
    block.style.height = "";
    const first = Number(block.dataset.first);
    block.append(...shown.slice(first, first + BLOCK).map(element));
    for (const entry of block.children) reveal(entry);
    highlight();
  }

  // Opens an entry whose match is visible only when it is open. It closes at the next search.
  const revealed = new Set();
  function reveal(entry) {
    const line = entry.firstChild.textContent.toLowerCase();
    if (entry.open || words.every((word) => line.includes(word))) return;
    revealed.add(entry);
    open(entry);
    for (const cell of entry.querySelectorAll(".cell")) {
      const text = cell.lastChild.textContent.toLowerCase();
      cell.open = words.some((word) => text.includes(word));
    }
  }
  function lay() {
    near.disconnect();
    const blocks = [];
    for (let first = 0; first < shown.length; first += BLOCK) {
      const block = make("div", "block");
      block.dataset.first = first;
      block.style.height = Math.min(BLOCK, shown.length - first) * 30 + "px";
      blocks.push(block);
    }
    byId("log").replaceChildren(...blocks);
    if (blocks.length) show(blocks[0]);
    blocks.forEach((block) => block.style.height && near.observe(block));
  }

  // The text of each entry that is searched, made in idle time. Each text is turned into lower case only once.
  const searched = [];
  const small = [];
  const smaller = (number) => (number ? small[number] || (small[number] = texts[number - 1].toLowerCase()) : "");
  function text(at) {
    if (searched[at] === undefined) {
      const step = steps[at];
      const name = letters(step[3]);
      let all = step[0] + "\n" + (step[4] ? name + "/" + step[4] : name);
      for (const number of [step[5], step[8], step[9]]) all += "\n" + smaller(number);
      if (said(step[5]) === "execute") all += "\n" + smaller(given[at]);
      const list = step[10] || [];
      for (let at = 0; at < list.length; at += 2) {
        const value = list[at + 1];
        all += "\n" + smaller(list[at]);
        for (const number of value.facts || [value].flat()) all += "\n" + smaller(number);
      }
      for (const number of (step[11] || []).flat()) all += "\n" + smaller(number);
      for (const rows of [step[12], step[13]]) {
        if (!rows) continue;
        all += "\n" + smaller(rows[0]) + "\n" + smaller(rows[3]);
        for (const row of rows[1]) for (const cell of row) all += "\n" + word(cell).toLowerCase();
      }
      for (const number of step[14] || []) all += "\n" + smaller(number);
      searched[at] = all;
    }
    return searched[at];
  }
  const later = window.requestIdleCallback || ((work) => setTimeout(() => work({ timeRemaining: () => 10 }), 10));
  let prepared = 0;
  function prepare(idle) {
    while (prepared < steps.length && idle.timeRemaining() > 2) {
      for (const end = Math.min(prepared + 200, steps.length); prepared < end; prepared++) text(prepared);
    }
    if (prepared < steps.length) later(prepare);
  }
  const off = new Set();

  function filter(also) {
    const begun = performance.now();
    if (!allOpen) for (const entry of revealed) entry.open = false;
    revealed.clear();
    words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [answers, closing, troubles] = ["answers", "closing", "troubles"].map((id) => byId(id).checked);
    const fits = (step, at) =>
      (answers || step[1] !== 1) &&
      (closing || step[1] !== 2 || step[2] === 2) &&
      (!troubles || step[2] > 0) &&
      !off.has(step[3]) &&
      words.every((word) => text(at).includes(word));
    shown = [];
    steps.forEach((step, at) => (at === also || fits(step, at)) && shown.push(at));
    byId("count").textContent = shown.length + " of " + steps.length;
    byId("nothing").hidden = shown.length > 0;
    lay();
    byId("count").title = (performance.now() - begun).toFixed(1) + " ms";
  }

  // Marks the matches without changing the text.
  function highlight() {
    if (!window.CSS || !CSS.highlights) return;
    CSS.highlights.delete("found");
    delete byId("log").dataset.marks;
    if (!words.length) return;
    const ranges = [];
    for (const entry of byId("log").querySelectorAll(".block > details")) {
      const walker = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const lower = node.data.toLowerCase();
        if (lower.length !== node.data.length) continue;
        for (const word of words) {
          for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) {
            const range = new Range();
            range.setStart(node, at);
            range.setEnd(node, at + word.length);
            ranges.push(range);
            if (ranges.length > 2000) return mark(ranges);
          }
        }
      }
    }
    mark(ranges);
  }
  function mark(ranges) {
    CSS.highlights.set("found", new Highlight(...ranges));
    byId("log").dataset.marks = CSS.highlights.get("found").size;
  }

  function visit(id) {
    const at = steps.findIndex((step) => "l" + step[0] === id);
    if (at < 0) return;
    if (!shown.includes(at)) filter(at);
    show(byId("log").children[Math.floor(shown.indexOf(at) / BLOCK)]);
    open(element(at));
    element(at).scrollIntoView({ block: "center" });
  }

  let waiting;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 0);
  });
  for (const id of ["answers", "closing", "troubles"]) byId(id).addEventListener("change", () => filter());
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      const { connection } = chip.dataset;
      const number = [...connection].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1;
      const hide = !off.has(number);
      hide ? off.add(number) : off.delete(number);
      chip.setAttribute("aria-pressed", String(!hide));
      for (const lane of document.querySelectorAll(".overview g")) {
        if (lane.dataset.connection === connection) lane.classList.toggle("off", hide);
      }
      filter();
    });
  }
  function openAll(whether) {
    allOpen = whether;
    for (const entry of elements.values()) whether ? open(entry) : (entry.open = false);
  }
  byId("expand").addEventListener("click", () => openAll(true));
  byId("collapse").addEventListener("click", () => openAll(false));
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.querySelector(".overview").addEventListener("click", (event) => {
    if (event.target.dataset.line) {
      history.replaceState(null, "", "#l" + event.target.dataset.line);
      visit("l" + event.target.dataset.line);
    }
  });
  // An address may name an entry (#l12) or words to search for (#q=fruit).
  function follow() {
    const fragment = location.hash.slice(1);
    if (fragment.startsWith("q=")) {
      byId("search").value = decodeURIComponent(fragment.slice(2));
      filter();
    } else if (fragment) {
      visit(fragment);
    }
  }
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    const typing = event.target.matches && event.target.matches("input[type=search]");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "Escape" && typing) {
      byId("search").value = "";
      filter();
    }
  });
  if (steps.some((step) => [step[12], step[13]].some((rows) => rows && rows[2] > rows[1].length))) {
    byId("nothing").append(" Of long results the page has the first rows: super8 show --rows N writes more.");
  }
  filter();
  follow();
  later(prepare);
  addEventListener("beforeprint", () => document.querySelectorAll(".block").forEach(show));
  document.documentElement.dataset.ready = performance.now().toFixed(1);
})();
