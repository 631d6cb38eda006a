// The drawing: a lane each, bins as bars, the marked acts over them; zoomed by wheel, pinch, slider or the buttons.
import { CustomChart } from "echarts/charts";
import { DataZoomInsideComponent, DataZoomSliderComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([CustomChart, GridComponent, TooltipComponent, DataZoomInsideComponent, DataZoomSliderComponent, CanvasRenderer]);

export const ROW = 22;
const TOP = 64, HEAD = 11, LOW = 16, FOOT = 78, RIGHT = 16, SMALL = 500;
const LETTER = { en: 6.1, zh: 11.2 };

// Room for the names of lanes: less of it on a phone.
const left = (chart) => (chart.getWidth() < SMALL ? 156 : 190);

export function room(chart) {
  return chart.getWidth() - left(chart) - RIGHT;
}

export function draw(element, onZoom, onPick) {
  const chart = init(element, null, { renderer: "canvas" });
  chart.on("datazoom", (event) => {
    const { start, end } = event.batch ? event.batch[0] : event;
    onZoom(start / 100, end / 100);
  });
  const at = { x: 0, y: 0 };
  const place = () => chart.convertFromPixel({ seriesIndex: 0 }, [at.x, at.y]);
  chart.getZr().on("mousemove", (event) => Object.assign(at, { x: event.offsetX, y: event.offsetY }));
  chart.on("click", (found) => found.seriesIndex !== undefined && onPick(...place()));
  return { chart, place };
}

export function height(lanes) {
  return TOP + Math.max(lanes, 1) * ROW + FOOT;
}

export function frame(chart, labels, span, colours, words, axis, tell) {
  const text = { color: colours.ink, fontFamily: colours.font, fontSize: 11 };
  chart.setOption(
    {
      animation: false,
      useUTC: true,
      textStyle: text,
      grid: { left: left(chart), right: RIGHT, top: TOP, bottom: FOOT },
      xAxis: { type: "time", min: span[0], max: span[1], position: "top", axisLabel: { ...text, hideOverlap: true }, splitLine: { show: true, lineStyle: { color: colours.line } }, axisLine: { lineStyle: { color: colours.rule } } },
      yAxis: { type: "category", inverse: true, data: labels, name: axis, nameLocation: "start", nameGap: 22, nameTextStyle: { ...text, color: colours.soft, align: "right", padding: [0, 10, 0, 0] }, axisLabel: { ...text, width: left(chart) - 16, overflow: "truncate", interval: 0 }, axisTick: { show: false }, splitLine: { show: true, interval: 0, lineStyle: { color: colours.line } }, axisLine: { show: false } },
      tooltip: { trigger: "item", renderMode: "richText", confine: true, backgroundColor: colours.card, borderColor: colours.rule, textStyle: text, formatter: () => tell() },
      dataZoom: [
        { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, minValueSpan: 1000 },
        { type: "slider", filterMode: "none", minValueSpan: 1000, bottom: 12, height: 26, showDataShadow: false, labelFormatter: (value) => new Date(value).toISOString().slice(0, 16).replace("T", " "), textStyle: text, borderColor: colours.rule, fillerColor: colours.fill, handleStyle: { color: colours.deep }, moveHandleStyle: { color: colours.rule } },
      ],
      series: [
        { type: "custom", name: words.events, clip: true, encode: { x: 0, y: 1 }, data: [], renderItem: () => null },
        { type: "custom", name: words.asked_row, clip: false, silent: true, z: 1, encode: { x: 0, y: 1 }, data: [], renderItem: () => null },
      ],
    },
    { notMerge: true },
  );
}

// The shapes say what a mark is without any colour: a diamond is an act in question, a disc what an answer rests on, a ring what is cited beside;
// a dashed outline is what the record itself claims.
function shape(mark, x, y, colours) {
  const line = { lineWidth: 1.4, fill: mark.bare || mark.kind === "beside" ? colours.card : null, lineDash: mark.bare ? [2.5, 2] : null };
  if (mark.kind === "asked") return { type: "path", shape: { pathData: `M${x} ${y - 8}l8 8l-8 8l-8 -8z` }, style: { ...line, fill: line.fill || colours.asked, stroke: colours.asked } };
  const stroke = mark.kind === "beside" && !mark.bare ? colours.soft : colours.ink;
  return { type: "circle", shape: { cx: x, cy: y, r: mark.kind === "rests" ? 4.5 : 4 }, style: { ...line, fill: line.fill || colours.ink, stroke } };
}

function words(text, x, y, colours, more = {}) {
  return { type: "text", silent: true, style: { text, x, y, fill: colours.ink, font: `600 10.5px ${colours.font}`, verticalAlign: "middle", backgroundColor: colours.veil, padding: [1, 2], ...more } };
}

// Of several records of one question in one place, those speak that authenticate an account: what is said of them holds for what a record merely claims.
function told(marks) {
  const shown = new Set(marks.filter((mark) => !mark.bare).flatMap((mark) => mark.of.map(([question]) => question)));
  return marks.filter((mark) => !mark.bare || mark.of.some(([question]) => !shown.has(question)));
}

// Says beside each act in question what must be said: in full where there is room on one side, in short where there is not; below the others at the last.
function placed(asked, grid, says, tongue) {
  const spots = [];
  for (const mark of [...asked].sort((a, b) => a.x - b.x)) {
    const last = spots[spots.length - 1];
    if (last && mark.x - last.x < 7) last.marks.push(mark);
    else spots.push({ x: mark.x, marks: [mark] });
  }
  const taken = spots.map((spot) => ({ from: spot.x - 9, to: spot.x + 9, low: 0, spot }));
  const end = grid.x + grid.width;
  const clear = (label, spot) => label.from >= grid.x && label.to <= end && taken.every((other) => other.spot === spot || other.low !== label.low || label.from >= other.to || label.to <= other.from);
  return spots.map((spot) => {
    const tried = [0, 1, 2].flatMap((step) => {
      const text = [...new Set(told(spot.marks).map((mark) => says(mark, step > 0)))].join(", ");
      const wide = 15 + text.length * LETTER[tongue];
      const low = step > 1 ? 1 : 0;
      return [{ text, low, from: spot.x + 9 * !low, to: spot.x + wide, at: spot.x + 11, align: "left" }, { text, low, from: spot.x - wide, to: spot.x - 9 * !low, at: spot.x - 11, align: "right" }];
    });
    const label = tried.find((one) => clear(one, spot)) || tried[spot.x > grid.x + grid.width / 2 ? 5 : 4];
    taken.push({ ...label, spot: null });
    return label;
  });
}

// A lane's marks with their numbers, where these do not cover one another, and what must be said beside an act in question.
function overlaid(marks, lane, api, grid, colours, says, tongue) {
  const here = marks.filter((mark) => mark.lane === lane).map((mark) => ({ ...mark, x: api.coord([mark.at, lane])[0], y: api.coord([mark.at, lane])[1] }));
  if (!here.length) return [];
  const asked = here.filter((mark) => mark.kind === "asked");
  const others = here.filter((mark) => mark.kind !== "asked");
  const labels = placed(asked, grid, says, tongue);
  const taken = [...labels.filter((label) => !label.low).map((label) => [label.from, label.to]), ...asked.map((mark) => [mark.x - 9, mark.x + 9])];
  const numbers = [];
  for (const mark of others.reverse()) {
    const [from, to] = [mark.x - 5, mark.x + 8 + String(mark.number).length * 6.5];
    if (taken.some(([low, high]) => from < high && to > low)) continue;
    taken.push([from, to]);
    numbers.push(words(String(mark.number), mark.x + 6, mark.y, colours, { fill: mark.kind === "rests" ? colours.ink : colours.soft, padding: [0, 1], fontWeight: mark.kind === "rests" ? 600 : 400 }));
  }
  const drawn = (some) => some.map((mark) => shape(mark, mark.x, mark.y, colours));
  return [...drawn(others.reverse()), ...numbers, ...labels.map((label) => words(label.text, label.at, here[0].y + (label.low * ROW) / 2, colours, { align: label.align, fill: colours.asked })), ...drawn(asked)];
}

// One path a lane: a few dozen shapes, however many events there are. Heights are by the square root, against the lane's own busiest bin.
function bars(bins, lane, width, api, colours) {
  const most = bins.reduce((found, bin) => Math.max(found, bin.count), 1);
  const parts = { full: [], hollow: [] };
  const tall = (count) => Math.max(3, (ROW - 6) * Math.sqrt(count / most));
  for (const bin of bins) {
    const [x, y] = api.coord([bin.at, lane]);
    const bar = (high, thin) => `M${(x - width / 2 + thin).toFixed(1)} ${(y + ROW / 2 - 2).toFixed(1)}v${(-high).toFixed(1)}h${Math.max(width - 0.6 - 2 * thin, 1.5).toFixed(1)}v${high.toFixed(1)}z`;
    if (bin.claims) parts.hollow.push(bar(tall(bin.count), 0.4));
    if (bin.count > bin.claims) parts.full.push(bar(tall(bin.count - bin.claims), 0));
  }
  const path = (d, style) => (d.length ? [{ type: "path", shape: { pathData: d.join("") }, style }] : []);
  return [...path(parts.hollow, { fill: colours.card, stroke: colours.deep, lineWidth: 0.8 }), ...path(parts.full, { fill: colours.deep })];
}

// The acts in question in a row of their own above the lanes, each with a line down through them: they are there at any zoom, however many events there are.
function row(marks, api, grid, colours, head, tongue) {
  const asked = marks.filter((mark) => mark.kind === "asked").map((mark) => ({ ...mark, x: api.coord([mark.at, 0])[0] }));
  if (!asked.length) return [];
  const lines = asked.map((mark) => ({ type: "line", shape: { x1: mark.x, x2: mark.x, y1: HEAD + 8, y2: grid.y + grid.height }, style: { stroke: colours.asked, lineWidth: 1, lineDash: mark.bare ? [2, 4] : [5, 3], opacity: 0.65 } }));
  const named = placed(asked, { x: grid.x - 8, width: grid.width + 8 + RIGHT }, (mark) => mark.of.map(([question]) => question).join(", "), tongue);
  const labels = named.map((label) => words(label.text, label.at, HEAD + label.low * LOW, colours, { align: label.align }));
  return [...lines, words(head, grid.x - 10, HEAD, colours, { align: "right", fill: colours.asked }), ...asked.map((mark) => shape(mark, mark.x, HEAD, colours)), ...labels];
}

export function fill(chart, lanes, width, colours, marks, text) {
  chart.setOption({
    series: [
      {
        data: lanes.map((_, lane) => [lanes.from, lane]),
        renderItem(params, api) {
          const lane = api.value(1);
          return { type: "group", children: [...bars(lanes[lane], lane, width, api, colours), ...overlaid(marks, lane, api, params.coordSys, colours, text.says, text.tongue)] };
        },
      },
      {
        data: lanes.length ? [[lanes.from, 0]] : [],
        renderItem: (params, api) => ({ type: "group", children: row(marks, api, params.coordSys, colours, text.head, text.tongue) }),
      },
    ],
  });
}
