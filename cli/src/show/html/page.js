"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const entries = [...document.querySelectorAll("main > details")];
  const texts = new Map();
  const text = (entry) => {
    if (!texts.has(entry)) texts.set(entry, entry.textContent.toLowerCase());
    return texts.get(entry);
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
  byId("expand").addEventListener("click", () => entries.forEach((entry) => { entry.open = !entry.hidden; }));
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
