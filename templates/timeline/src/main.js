// The timeline that can be searched. Everything stands in the page already; nothing is fetched, and no text becomes HTML.
import { draw, fill, frame, height, room } from "./chart.js";
import { binned, chosen, laned, load, reference, stamp, wall } from "./data.js";

const LANES = 24, ROWS = 100, BIN = 5;
const one = (id) => document.getElementById(id);
const made = (tag, text, name) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, name ? { className: name } : {});

function language() {
  return one("tongue-zh").checked ? "zh" : "en";
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ink: get("ink"), line: get("line"), rule: get("rule"), card: get("card"), fill: get("fill"), deep: get("deep"), against: get("against"), font: getComputedStyle(document.body).fontFamily };
}

function start() {
  const data = load(JSON.parse(one("events").textContent));
  one("explore").hidden = false;
  const plot = one("plot");
  const state = { by: "person", words: "", action: "", raw: false, from: 0, to: 1 };
  const raw = data.shift ? data.time.map((time, n) => time + data.shift[n]) : data.time;
  const spans = [wall(data, data.window[0]), wall(data, data.window[1])];
  let kept, lanes, time, chart, place, paint, shown;

  const words = () => data.words[language()];
  const moved = (column) => column.map((t) => wall(data, t));
  const walls = { false: moved(data.time), true: data.shift ? moved(raw) : null };

  function span() {
    const [first, last] = spans;
    return [first + state.from * (last - first), first + state.to * (last - first)];
  }

  function tell() {
    const [x, lane] = place();
    const bin = (shown[lane] || []).find((found) => Math.abs(found.at - x) <= shown.width);
    if (!bin) return lanes.labels[lane] || "";
    const count = words().count.replace("#", bin.count.toLocaleString(language() === "zh" ? "zh-CN" : "en-GB"));
    return [lanes.labels[lane], count, line(bin.first)].join("\n");
  }

  function line(n) {
    return `${stamp(data, state.raw ? raw[n] : data.time[n])}  ${data.texts[data.action[n]]}  ${data.texts[data.actor[n]]}  ${data.texts[data.object[n]].slice(0, 80)}`;
  }

  function bins() {
    const [from, to] = span();
    const wide = Math.max(room(chart), 100);
    const count = Math.max(20, Math.floor(wide / BIN));
    shown = binned(data, lanes, kept, time, from, to, count);
    fill(chart, shown, wide / count, paint, data.acts);
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
    const shown = words()[total > ROWS ? "first" : "all"];
    const format = (number) => number.toLocaleString(language() === "zh" ? "zh-CN" : "en-GB");
    one("told").textContent = shown.replace("{shown}", format(Math.min(total, ROWS))).replace("{number}", format(total));
  }

  function row(n) {
    const tr = made("tr");
    const act = data.acts.get(n);
    const shift = data.shift && data.shift[n];
    const when = made("td", stamp(data, state.raw ? raw[n] : data.time[n]) + (shift ? " *" : ""), "when");
    const place = made("td", undefined, "ev mono wrap");
    if (act) {
      const link = made("a", `E${act.entry}`);
      link.href = `#e${act.entry}`;
      place.append(link, " ");
    }
    place.append(reference(data, n));
    const actor = data.texts[data.actor[n]] + (data.claimed.has(n) ? ` (${words().claimed})` : "");
    tr.append(when, made("td", data.texts[data.action[n]], "mono"), made("td", actor, "ev mono wrap"), made("td", data.texts[data.object[n]], "ev mono wrap"), place);
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
    frame(chart, lanes.labels, spans, paint, words(), tell);
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
  globalThis.forensicsTimeline = { zoom, state };
}

function tongue() {
  const told = () => document.documentElement.setAttribute("lang", language() === "zh" ? "zh-Hans" : "en");
  for (const id of ["tongue-en", "tongue-zh"]) one(id).addEventListener("change", told);
  told();
}

tongue();
// The page is shown first; the timeline is drawn as soon as the browser has nothing better to do.
if (one("events")) requestAnimationFrame(() => setTimeout(start, 0));
