"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const { entries: data, texts, log } = JSON.parse(byId("data").textContent);
  const KINDS = ["command", "answer", "closing", "closing end"];
  const TROUBLES = ["", " warn", " bad"];
  const INPUTS_END = new Set([
    "sql", "result", "rows", "rows_file", "columns_file", "c_types", "outcomes", "completed", "row_status", "rows_fetched",
    "written", "extended_status",    "params_processed", "param_status", "bookmarks",
  ]);

  // Control characters, and the ones that turn the direction of what follows, are shown by their number.
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

  // An element, its class and its children: elements, or text, which is never anything else.
  function make(name, kind, ...children) {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    element.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
    return element;
  }

  // Names with values as they are shown; a text has its quotes only where that tells it from a number.
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

  function asked(step) {
    const parameters = fields(step).find((field) => field.key === "params" || field.key === "params_file");
    const shown = ["run", "prepare", "execute"].includes(said(step[5])) && parameters ? cut(parameters.value, 400) : "";
    return [said(step[8]), shown].filter(Boolean).join("  ");
  }

  function outcome(step) {
    const row = step[12] && step[12][1][0];
    return said(step[9]) || (said(step[5]) === "fetch" && row ? cut(row.map(word).join(" | ").replace(/\s+/g, " "), 400) : "");
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
      if (typeof cell === "string") return make("td", "", cell);
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

  // What an entry shows when it is opened.
  function body(step) {
    const all = make("div", "body");
    const every = fields(step);
    const sql = every.find((field) => field.key === "sql" && field.text);
    if (sql) all.append(make("pre", "sql", sql.value));
    const list = make("dl", "inputs");
    for (const { key, text, value } of every.filter(({ key }) => !INPUTS_END.has(key))) {
      list.append(make("dt", "", key), make("dd", "", cut(text ? quoted(value) : value, 4000)));
    }
    for (const { facts } of every.filter((field) => field.facts)) {
      for (let at = 0; at < facts.length; at += 2) {
        list.append(make("dt", "fact", said(facts[at])), make("dd", "", cut(said(facts[at + 1]), 4000)));
      }
    }
    if (list.childNodes.length) all.append(list);
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

  // The connections beside an entry; `open` has who is in which lane.
  function lanes(step, open) {
    const all = make("span", "lanes");
    const [, , , connection, , , lane, edge] = step;
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
    if (edge & 2) delete open[lane];
    return all;
  }

  const steps = new Map();
  const filled = new Set();
  const fill = (entry) => {
    if (filled.has(entry)) return;
    filled.add(entry);
    entry.append(body(steps.get(entry)));
  };
  const open = [];
  const entries = data.map((list) => {
    const step = Object.assign(new Array(13).fill(0), list);
    const name = letters(step[3]);
    const entry = make("details", KINDS[step[1]] + " c" + (step[3] % 8) + TROUBLES[step[2]]);
    entry.id = "l" + step[0];
    entry.dataset.connection = name;
    const line = make("a", "line", String(step[0]));
    line.href = "#l" + step[0];
    entry.append(
      make(
        "summary", "", line, lanes(step, open), make("span", "id", step[4] ? name + "/" + step[4] : name),
        make("span", "method", said(step[5])), make("span", "asked", asked(step)), make("span", "outcome", outcome(step)),
      ),
    );
    steps.set(entry, step);
    return entry;
  });
  byId("log").append(...entries);
  byId("log").addEventListener("toggle", (event) => event.target.open && steps.has(event.target) && fill(event.target), true);

  const found = new Map();
  const text = (entry) => {
    if (!found.has(entry)) {
      const step = steps.get(entry);
      const values = fields(step).flatMap(({ key, value, facts }) => [key, value, ...(facts || []).map(said)]);
      const told = step[11] ? step[11].slice(1).flat().map(said) : [];
      const rows = step[12] ? [said(step[12][0]), said(step[12][3]), ...step[12][1].flat().map(word)] : [];
      found.set(entry, [entry.firstChild.textContent, ...values, ...told, ...rows].join("\n").toLowerCase());
    }
    return found.get(entry);
  };
  const off = new Set();

  function filter() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [answers, closing, troubles] = ["answers", "closing", "troubles"].map((id) => byId(id).checked);
    let shown = 0;
    for (const entry of entries) {
      const kinds = entry.classList;
      const fits =
        (answers || !kinds.contains("answer")) &&
        (closing || !kinds.contains("closing") || kinds.contains("end") || kinds.contains("bad")) &&
        (!troubles || kinds.contains("bad") || kinds.contains("warn")) &&
        !off.has(entry.dataset.connection) &&
        words.every((word) => text(entry).includes(word));
      entry.hidden = !fits;
      shown += fits;
    }
    byId("count").textContent = shown + " of " + entries.length;
    byId("nothing").hidden = shown > 0;
    highlight(words);
  }

  // Marks what was found without touching the text.
  function highlight(words) {
    if (!window.CSS || !CSS.highlights) return;
    CSS.highlights.delete("found");
    if (!words.length) return;
    const ranges = [];
    for (const entry of entries) {
      if (entry.hidden) continue;
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
            if (ranges.length > 2000) return void CSS.highlights.set("found", new Highlight(...ranges));
          }
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  function visit(id) {
    const entry = byId(id);
    if (!entry || !entries.includes(entry)) return;
    entry.hidden = false;
    fill(entry);
    entry.open = true;
    entry.scrollIntoView({ block: "center" });
  }

  let waiting;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, entries.length > 2000 ? 250 : 0);
  });
  for (const id of ["answers", "closing", "troubles"]) byId(id).addEventListener("change", filter);
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      const { connection } = chip.dataset;
      const hide = !off.has(connection);
      hide ? off.add(connection) : off.delete(connection);
      chip.setAttribute("aria-pressed", String(!hide));
      for (const lane of document.querySelectorAll(".overview g")) {
        if (lane.dataset.connection === connection) lane.classList.toggle("off", hide);
      }
      filter();
    });
  }
  byId("expand").addEventListener("click", () => entries.forEach((entry) => { if (!entry.hidden) fill(entry); entry.open = !entry.hidden; }));
  byId("collapse").addEventListener("click", () => entries.forEach((entry) => { entry.open = false; }));
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
  // An address may name an entry (#l12), or words to search for (#q=fruit).
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
  filter();
  follow();
})();
