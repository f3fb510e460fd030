// The two charts of the latency view on uPlot, loaded only when they are looked at.
// First, for what follows looks at the language.
import "./languageTag";

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { inSight, LIMIT_MS } from "./latency";

export interface ChartWords {
  time: string;
  answered: string;
  failed: string;
  calls: string;
  duration: (ms: number) => string;
  when: (seconds: number) => string;
}

/** Colours are asked of the page, so that they are those of the light or the dark window. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim() || "#888";
  return { ink: of("--ink-3"), line: of("--line"), accent: of("--accent"), bad: of("--bad"), soft: of("--accent-soft"), font: `11px ${of("--mono")}` };
}

function axis(some: uPlot.Axis): uPlot.Axis {
  const { ink, line, font } = colours();
  return { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, ...some };
}

/** A line across the chart at the time that OSS waits. */
function limitLine(): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        const y = Math.round(chart.valToPos(LIMIT_MS, "y", true));
        ctx.save();
        ctx.strokeStyle = colours().bad;
        ctx.setLineDash([6, 4]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
      },
    },
  };
}

export function drawTrend(parent: HTMLElement, data: uPlot.AlignedData, words: ChartWords): () => void {
  const { accent, bad } = colours();
  const points = (stroke: string): uPlot.Series.Points => ({ show: true, size: 5, stroke, fill: stroke, width: 0 });
  const value = (_: uPlot, ms: number | null) => (ms === null ? "–" : words.duration(ms));
  const chart = new uPlot(
    {
      width: parent.clientWidth || 400,
      height: 190,
      plugins: [limitLine()],
      cursor: { y: false },
      // The line of 5 s is always in sight.
      scales: { x: { range: (_, from, to) => inSight(data[0].length, from, to) }, y: { range: (_, __, max) => [0, Math.max(max, LIMIT_MS) * 1.06] } },
      axes: [axis({ values: (_, marks) => marks.map((seconds) => words.when(seconds)) }), axis({ size: 56, values: (_, marks) => marks.map((ms) => words.duration(ms)) })],
      series: [
        { label: words.time, value: (_, seconds: number | null) => (seconds === null ? "–" : words.when(seconds)) },
        { label: words.answered, stroke: accent, paths: () => null, points: points(accent), value },
        { label: words.failed, stroke: bad, paths: () => null, points: points(bad), value },
      ],
    },
    data,
    parent,
  );
  return follow(chart, parent);
}

export function drawDistribution(parent: HTMLElement, counts: readonly number[], edges: readonly string[], words: ChartWords): () => void {
  const { accent, bad } = colours();
  const last = counts.length - 1;
  // What ran over the line stands in a series of its own, so that it has the colour of a failure.
  const inTime = counts.map((count, at) => (at === last ? null : count));
  const over = counts.map((count, at) => (at === last ? count : null));
  const bars = uPlot.paths.bars?.({ size: [0.82, 60] });
  const series = (label: string, colour: string): uPlot.Series => ({
    label, stroke: colour, fill: colour, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}),
  });
  const chart = new uPlot(
    {
      width: parent.clientWidth || 400,
      height: 170,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: [-0.6, last + 0.6] }, y: { range: (_, __, max) => [0, Math.max(1, max) * 1.1] } },
      axes: [
        axis({ splits: () => counts.map((_, at) => at), values: (_, marks) => marks.map((at) => edges[at] ?? ""), grid: { show: false } }),
        axis({ size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }),
      ],
      series: [{}, series(words.calls, accent), series(words.failed, bad)],
    },
    [counts.map((_, at) => at), inTime, over],
    parent,
  );
  return follow(chart, parent);
}

function follow(chart: uPlot, parent: HTMLElement): () => void {
  const observer = new ResizeObserver(() => chart.setSize({ width: parent.clientWidth, height: chart.height }));
  observer.observe(parent);
  return () => {
    observer.disconnect();
    chart.destroy();
  };
}
