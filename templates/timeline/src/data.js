// How much a row matters where several stand in one place: an act in question first, then what an answer rests on.
const RANKS = { asked: 3, rests: 2, beside: 1 };

// The events as columns of numbers; a text is a number into `texts`. Times are milliseconds since 1970 UTC.

export function load(told) {
  const count = told.time.length;
  const time = new Float64Array(count);
  let at = 0;
  for (let n = 0; n < count; n++) time[n] = at += told.time[n];
  const columns = {};
  for (const name of ["action", "actor", "object", "host", "source", "person", "file", "locator"]) columns[name] = Int32Array.from(told[name]);
  const claimed = new Uint8Array(count);
  for (const n of told.claimed) claimed[n] = 1;
  const marks = told.acts.map(([n, number, kind, of]) => ({ n, number, kind, of }));
  const ranks = new Uint8Array(count);
  for (const mark of marks) ranks[mark.n] = RANKS[mark.kind];
  const acts = new Map(marks.map((mark) => [mark.n, mark]));
  const hashes = new Map(told.hashes.map(([source, file, hash]) => [`${source} ${file}`, hash]));
  return { ...told, ...columns, count, time, shift: told.shift.length ? Float64Array.from(told.shift) : null, marks, acts, hashes, cited: new Map(told.cited), claimed, ranks };
}

// A moment as the clocks of the case's zone showed it, as if that were UTC.
export function wall(data, time) {
  let offset = data.zone[0][1];
  for (const [from, ahead] of data.zone) if (time >= from) offset = ahead;
  return time + offset;
}

export function stamp(data, time) {
  return new Date(wall(data, time)).toISOString().slice(0, 19).replace("T", " ");
}

export function reference(data, n) {
  const file = data.texts[data.file[n]];
  const locator = data.texts[data.locator[n]] || `bytes=${data.start[n]}-${data.start[n] + data.size[n]}`;
  return `${data.texts[data.source[n]]}${file && !locator.startsWith("git=") ? "/" + file : ""}#${locator}`;
}

// Which events are asked for: those whose texts hold the words (or that stand in the evidence index under that number), of the chosen kind of act.
export function chosen(data, words, action) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = new Uint8Array(data.count).fill(1);
  for (const word of wanted) {
    const hit = Uint8Array.from(data.texts, (text) => (text.toLowerCase().includes(word) ? 1 : 0));
    const entry = /^e\d+$/.test(word) ? Number(word.slice(1)) : 0;
    for (let n = 0; n < data.count; n++) {
      if (kept[n] && entry && data.cited.get(n) === entry) continue;
      if (kept[n]) kept[n] = hit[data.action[n]] | hit[data.actor[n]] | hit[data.object[n]] | hit[data.host[n]] | hit[data.source[n]] | hit[data.person[n]] | hit[data.file[n]] | hit[data.locator[n]];
    }
  }
  if (action) for (let n = 0; n < data.count; n++) if (!data.texts[data.action[n]].startsWith(action)) kept[n] = 0;
  return kept;
}

// Up to `most` lanes, the busiest first; the last one gathers all others. A lane that holds an act in question is always one of them.
export function laned(data, by, kept, most, words) {
  const counts = new Map();
  for (let n = 0; n < data.count; n++) if (kept[n]) counts.set(data[by][n], (counts.get(data[by][n]) || 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([text]) => text);
  const asked = new Set(data.marks.filter((mark) => mark.kind === "asked" && kept[mark.n]).map((mark) => data[by][mark.n]));
  const room = Math.max(most - 1, asked.size);
  let others = room - asked.size;
  const shown = order.length > most ? order.filter((text) => asked.has(text) || others-- > 0) : order;
  const lane = new Int16Array(data.texts.length).fill(order.length > shown.length ? shown.length : -1);
  shown.forEach((text, n) => (lane[text] = n));
  const labels = shown.map((text) => (by === "person" && data.texts[text] === "*" ? words.several : data.texts[text] || words.none));
  if (order.length > shown.length) labels.push(words.others);
  if (!labels.length) labels.push("");
  return { lane, labels, column: data[by] };
}

// How many chosen events fall into each bin of each lane between two moments, and how many of them are mere claims; what matters most stands for its bin.
export function binned(data, lanes, kept, time, from, to, bins) {
  const counts = new Int32Array(lanes.labels.length * bins);
  const first = new Int32Array(counts.length).fill(-1);
  const claims = new Int32Array(counts.length);
  const width = (to - from) / bins;
  for (let n = 0; n < data.count; n++) {
    const t = time[n];
    if (!kept[n] || t < from || t >= to) continue;
    const lane = lanes.lane[lanes.column[n]];
    if (lane < 0) continue;
    const place = lane * bins + Math.min(bins - 1, ((t - from) / width) | 0);
    if (!counts[place]++ || data.ranks[n] > data.ranks[first[place]]) first[place] = n;
    claims[place] += data.claimed[n];
  }
  const found = lanes.labels.map(() => []);
  for (let place = 0; place < counts.length; place++) {
    const lane = (place / bins) | 0;
    if (counts[place]) found[lane].push({ at: from + ((place % bins) + 0.5) * width, count: counts[place], claims: claims[place], first: first[place] });
  }
  return Object.assign(found, { from, width });
}

// The marks between two moments, each with its lane (-1: none is shown that holds it); acts in question also where a filter leaves them out.
export function marked(data, lanes, kept, time, from, to) {
  return data.marks
    .filter((mark) => time[mark.n] >= from && time[mark.n] < to && (kept[mark.n] || mark.kind === "asked"))
    .map((mark) => ({ ...mark, at: time[mark.n], lane: kept[mark.n] ? lanes.lane[lanes.column[mark.n]] : -1, bare: Boolean(data.claimed[mark.n]) }))
    .sort((a, b) => RANKS[a.kind] - RANKS[b.kind] || a.at - b.at);
}
