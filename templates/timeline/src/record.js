// The cell that leads to a row's record: to the evidence index where the page cites it, and otherwise to what the tables hold of it.
import { reference, stamp } from "./data.js";

const made = (tag, text, name) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, name ? { className: name } : {});
// A reference that may be typed into a shell as it stands, between quotes; any other is not offered as a command.
const SAFE = /^[\w./@:=;,#+ ?&%~-]+$/;

export function opened(data, n, raw, words) {
  const cell = made("td", undefined, "ev mono wrap");
  const place = reference(data, n);
  const entry = data.cited.get(n);
  if (entry) {
    const link = made("a", `E${entry}`);
    link.href = `#e${entry}`;
    cell.append(link, ` ${place}`);
    return cell;
  }
  const details = made("details");
  details.append(made("summary", place));
  // What is folded is made when it is unfolded.
  details.addEventListener("toggle", () => details.childElementCount < 2 && details.append(...within(data, n, place, raw, words)), { once: true });
  cell.append(details);
  return cell;
}

function within(data, n, place, raw, words) {
  const text = (column) => data.texts[data[column][n]];
  const hash = data.hashes.get(`${data.source[n]} ${data.file[n]}`);
  const person = text("person") === "*" ? words.several : text("person");
  const facts = [
    [words.corrected, stamp(data, data.time[n])],
    [words.recorded, new Date(raw[n]).toISOString().slice(0, 19).replace("T", " ")],
    [words.person, person],
    [words.host, text("host")],
    [words.file, text("file")],
    [words.hash, hash ? data.texts[hash] : ""],
  ];
  const list = made("dl", undefined, "facts small");
  for (const [name, value] of facts) {
    if (!value) continue;
    const pair = made("div");
    pair.append(made("dt", name), made("dd", value));
    list.append(pair);
  }
  const told = [made("p", words.uncited), made("p", place, "wrap"), list];
  if (data.plain && SAFE.test(place)) told.push(made("p", words.shown_by), made("code", `forensics show OUT '${place}'`));
  return told;
}
