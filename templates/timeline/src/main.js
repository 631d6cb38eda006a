// The timeline that can be searched. Everything stands in the page already; nothing is fetched, and no text becomes HTML.
import { draw, fill, frame, height, room } from "./chart.js";
import { binned, chosen, laned, load, marked, reference, stamp, wall } from "./data.js";
import { opened } from "./record.js";

const LANES = 24, ROWS = 100, BIN = 5, NEAR = 7;
const one = (id) => document.getElementById(id);
const made = (tag, text, name) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, name ? { className: name } : {});

function language() {
  return one("tongue-zh").checked ? "zh" : "en";
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ink: get("ink"), line: get("line"), rule: get("rule"), card: get("card"), fill: get("fill"), deep: get("deep"), soft: get("soft"), asked: get("asked"), veil: get("veil"), font: getComputedStyle(document.body).fontFamily };
}

function start() {
  const data = load(JSON.parse(one("events").textContent));
  one("explore").hidden = false;
  const plot = one("plot");
  const state = { by: "person", words: "", action: "", raw: false, from: 0, to: 1 };
  const raw = data.shift ? data.time.map((time, n) => time + data.shift[n]) : data.time;
  const spans = [wall(data, data.window[0]), wall(data, data.window[1])];
  let kept, lanes, time, chart, place, paint, shown, marks;

  const words = () => data.words[language()];
  // The heads of the columns stand in each cell, too, for where the table is stacked on a narrow screen.
  const heads = Array.from(one("found").tHead.rows[0].cells, (cell) => ({ en: cell.querySelector(".en").textContent, zh: cell.querySelector(".zh").textContent }));
  const moved = (column) => column.map((t) => wall(data, t));
  const walls = { false: moved(data.time), true: data.shift ? moved(raw) : null };

  function span() {
    const [first, last] = spans;
    return [first + state.from * (last - first), first + state.to * (last - first)];
  }

  function tell() {
    const [x, lane] = place();
    const near = (NEAR / room(chart)) * (span()[1] - span()[0]);
    const mark = marks.filter((found) => found.lane === lane && Math.abs(found.at - x) <= near).pop();
    if (mark) return [lanes.labels[lane], kind(mark), line(mark.n)].join("\n");
    const bin = (shown[lane] || []).find((found) => Math.abs(found.at - x) <= shown.width);
    if (!bin) return lanes.labels[lane] || "";
    const count = words().count.replace("#", number(bin.count));
    return [lanes.labels[lane], count, line(bin.first)].join("\n");
  }

  function number(value) {
    return value.toLocaleString(language() === "zh" ? "zh-CN" : "en-GB");
  }

  // What a mark is, in words.
  function kind(mark) {
    const asked = mark.of.map(([question]) => question).join(", ");
    return [`${mark.number}: ${words()[mark.kind]}`, asked && `(${asked})`, mark.bare && `· ${claimed(mark)}`].filter(Boolean).join(" ");
  }

  // What a record's own claim is worth: where an answer ties the act to whom it names, it is that answer that says so.
  function claimed(act) {
    return act && !act.of.some(([, note]) => note === "claim") && act.kind === "asked" ? words().claimed : words().claim;
  }

  // What stands beside an act in question on its lane: whose act it is not shown to be comes before anybody takes the lane's person for who did it.
  function says(mark, short) {
    const notes = mark.of.map(([question, note]) => {
      const told = note === "claim" || (note && state.by === "person") ? words()[short ? `${note}_short` : note] : "";
      return told ? `${question}: ${told}` : question;
    });
    return notes.join(", ");
  }

  function line(n) {
    return `${stamp(data, state.raw ? raw[n] : data.time[n])}  ${data.texts[data.action[n]]}  ${data.texts[data.actor[n]]}  ${data.texts[data.object[n]].slice(0, 80)}`;
  }

  function bins() {
    const [from, to] = span();
    const wide = Math.max(room(chart), 100);
    const count = Math.max(20, Math.floor(wide / BIN));
    shown = binned(data, lanes, kept, time, from, to, count);
    marks = marked(data, lanes, kept, time, from, to);
    fill(chart, shown, wide / count, paint, marks, { says, head: words().asked_row, tongue: language() });
  }

  function list(only) {
    const [from, to] = span();
    const body = one("found").tBodies[0];
    const rows = [];
    let total = 0;
    for (let n = 0; n < data.count; n++) {
      if (!kept[n] || time[n] < from || time[n] >= to || (only && (lanes.lane[lanes.column[n]] !== only.lane || time[n] < only.from || time[n] >= only.to))) continue;
      if (total++ < ROWS) rows.push(row(n));
    }
    body.replaceChildren(...rows);
    one("told").replaceChildren(...(total ? [words()[total > ROWS ? "first" : "all"].replace("{shown}", number(Math.min(total, ROWS))).replace("{number}", number(total))] : nothing(Boolean(only))));
    one("told").classList.toggle("nothing", !total);
  }

  // Where nothing is found it is said, with what was searched and what was not.
  function nothing(part) {
    const all = kept.reduce((sum, one) => sum + one, 0);
    const found = all || part ? words().elsewhere_found.replace("{number}", number(all)) : words().nothing.replace("{number}", number(data.count));
    return [found, ...(data.left && !all ? [" ", words().left.replace("{left}", number(data.left))] : [])];
  }

  function row(n) {
    const tr = made("tr");
    const act = data.acts.get(n);
    const shift = data.shift && data.shift[n];
    if (act) tr.className = act.kind;
    const when = made("td", stamp(data, state.raw ? raw[n] : data.time[n]) + (shift ? " *" : ""), "when");
    const what = made("td", data.texts[data.action[n]], "mono");
    if (act) what.append(made("br"), made("span", kind({ ...act, bare: false }), "why"));
    const who = made("td", data.texts[data.actor[n]], "ev mono wrap");
    if (data.claimed[n]) who.append(made("br"), made("span", act ? claimed(act) : words().claimed, "why"));
    tr.append(when, what, who, made("td", data.texts[data.object[n]], "ev mono wrap"), opened(data, n, raw, words()));
    heads.forEach((head, at) => Object.assign(tr.cells[at].dataset, head));
    return tr;
  }

  function whole() {
    paint = colours();
    time = walls[state.raw && Boolean(data.shift)];
    kept = chosen(data, state.words, state.action);
    lanes = laned(data, state.by, kept, LANES, words());
    plot.style.height = `${height(lanes.labels.length)}px`;
    if (chart) chart.resize();
    else ({ chart, place } = draw(plot, zoomed, picked));
    frame(chart, lanes.labels, spans, paint, words(), state.by === "person" ? words().person_axis : "", tell);
    if (state.from > 0 || state.to < 1) chart.dispatchAction({ type: "dataZoom", start: state.from * 100, end: state.to * 100 });
    bins();
    list();
  }

  let waiting = 0;
  function zoomed(from, to) {
    state.from = from;
    state.to = to;
    bins();
    clearTimeout(waiting);
    waiting = setTimeout(list, 120);
  }

  function picked(x, lane) {
    list({ lane, from: x - shown.width, to: x + shown.width });
  }

  function zoom(factor, shift) {
    const middle = (state.from + state.to) / 2 + shift * (state.to - state.from);
    const half = Math.min(0.5, ((state.to - state.from) * factor) / 2);
    const at = Math.min(Math.max(middle, half), 1 - half);
    chart.dispatchAction({ type: "dataZoom", start: (at - half) * 100, end: (at + half) * 100 });
  }

  function choices() {
    const groups = [...new Set(Array.from(data.action, (n) => data.texts[n].split(".")[0]))].sort();
    one("by-action").append(...groups.map((text) => Object.assign(made("option", text), { value: text })));
  }

  let typing = 0;
  one("by-lane").addEventListener("change", (event) => ((state.by = event.target.value), whole()));
  one("by-action").addEventListener("change", (event) => ((state.action = event.target.value), whole()));
  one("by-words").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => ((state.words = event.target.value), whole()), 200);
  });
  one("by-clock").addEventListener("change", (event) => ((state.raw = event.target.value === "raw"), whole()));
  one("zoom-in").addEventListener("click", () => zoom(0.5, 0));
  one("zoom-out").addEventListener("click", () => zoom(2, 0));
  one("zoom-back").addEventListener("click", () => zoom(1, -0.5));
  one("zoom-on").addEventListener("click", () => zoom(1, 0.5));
  one("zoom-all").addEventListener("click", () => zoom(1e9, 0));
  for (const id of ["tongue-en", "tongue-zh"]) one(id).addEventListener("change", whole);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", whole);
  addEventListener("resize", () => plot.clientWidth !== chart.getWidth() && whole());
  choices();
  whole();
  globalThis.forensicsTimeline = { zoom, state, marks: () => marks.map(({ number, kind, bare, lane }) => ({ number, kind, bare, lane: lanes.labels[lane] })) };
}

function tongue() {
  const told = () => document.documentElement.setAttribute("lang", language() === "zh" ? "zh-Hans" : "en");
  for (const id of ["tongue-en", "tongue-zh"]) one(id).addEventListener("change", told);
  told();
}

tongue();
// The page is shown first; the timeline is drawn as soon as the browser has nothing better to do.
if (one("events")) requestAnimationFrame(() => setTimeout(start, 0));
