// The drawing: a lane each, bins as bars, the numbered acts above; zoomed by wheel, pinch, slider or the buttons.
import { CustomChart } from "echarts/charts";
import { DataZoomInsideComponent, DataZoomSliderComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([CustomChart, GridComponent, TooltipComponent, DataZoomInsideComponent, DataZoomSliderComponent, CanvasRenderer]);

export const ROW = 22;
const TOP = 26, FOOT = 78, RIGHT = 16, SMALL = 500;

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

export function frame(chart, labels, span, colours, words, tell) {
  const text = { color: colours.ink, fontFamily: colours.font, fontSize: 11 };
  chart.setOption(
    {
      animation: false,
      useUTC: true,
      textStyle: text,
      grid: { left: left(chart), right: RIGHT, top: TOP, bottom: FOOT },
      xAxis: { type: "time", min: span[0], max: span[1], position: "top", axisLabel: { ...text, hideOverlap: true }, splitLine: { show: true, lineStyle: { color: colours.line } }, axisLine: { lineStyle: { color: colours.rule } } },
      yAxis: { type: "category", inverse: true, data: labels, axisLabel: { ...text, width: left(chart) - 16, overflow: "truncate", interval: 0 }, axisTick: { show: false }, splitLine: { show: true, interval: 0, lineStyle: { color: colours.line } }, axisLine: { show: false } },
      tooltip: { trigger: "item", renderMode: "richText", confine: true, backgroundColor: colours.card, borderColor: colours.rule, textStyle: text, formatter: () => tell() },
      dataZoom: [
        { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, minValueSpan: 1000 },
        { type: "slider", filterMode: "none", minValueSpan: 1000, bottom: 12, height: 26, showDataShadow: false, labelFormatter: (value) => new Date(value).toISOString().slice(0, 16).replace("T", " "), textStyle: text, borderColor: colours.rule, fillerColor: colours.fill, handleStyle: { color: colours.deep }, moveHandleStyle: { color: colours.rule } },
      ],
      series: [{ type: "custom", name: words.events, clip: true, encode: { x: 0, y: 1 }, data: [], renderItem: () => null }],
    },
    { notMerge: true },
  );
}

// One path a lane: a few dozen shapes, however many events there are. Heights are by the square root, against the lane's own busiest bin.
export function fill(chart, lanes, width, colours, acts) {
  chart.setOption({
    series: [
      {
        data: lanes.map((_, lane) => [lanes.from, lane]),
        renderItem(_, api) {
          const bins = lanes[api.value(1)];
          const most = bins.reduce((found, bin) => Math.max(found, bin.count), 1);
          const parts = { plain: [], act: [], numbers: [] };
          for (const bin of bins) {
            const [x, y] = api.coord([bin.at, api.value(1)]);
            const act = acts.get(bin.first);
            const tall = Math.max(3, (ROW - 6) * Math.sqrt(bin.count / most));
            parts[act ? "act" : "plain"].push(`M${(x - width / 2).toFixed(1)} ${(y + ROW / 2 - 2).toFixed(1)}v${(-tall).toFixed(1)}h${Math.max(width - 0.6, 1.5).toFixed(1)}v${tall.toFixed(1)}z`);
            if (act) parts.numbers.push({ type: "text", silent: true, style: { text: String(act.number), x: x + width / 2 + 2, y: y + 2, fill: colours.against, font: `600 10px ${colours.font}`, verticalAlign: "middle" } });
          }
          const path = (d, fill) => ({ type: "path", shape: { pathData: d.join("") }, style: { fill } });
          return { type: "group", children: [...(parts.plain.length ? [path(parts.plain, colours.deep)] : []), ...(parts.act.length ? [path(parts.act, colours.against)] : []), ...parts.numbers] };
        },
      },
    ],
  });
}
