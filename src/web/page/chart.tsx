import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Traffic } from "../page_data.ts";
import { rateText, timeText } from "./format.ts";

type Label = Traffic["labels"][number];

/** What the series are, and the colours of the style sheet that they have. */
const LABELS: Readonly<Record<Label, readonly [string, string]>> = {
  "in": ["our services, from outside", "--in"],
  "out": ["services outside", "--out"],
  "local": ["within our networks", "--local"],
  "other": ["neither is ours", "--other"],
  "from-client": ["from clients", "--out"],
  "from-server": ["from servers", "--in"],
  "observations": ["flows seen in a minute", "--out"],
};
const HEIGHT = 170;
/** Seconds between times that the axis names. */
const INCREMENTS = [
  ...[1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200],
  ...[1, 2, 7, 14, 30, 90, 365, 730, 1_825].map((days) => days * 86_400),
];

const DAYS_OF_MONTH = 30 * 86_400;

/** Traffic over time, the series on top of each other. */
export function Chart({ traffic, theme }: { readonly traffic: Traffic; readonly theme: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  // What is 0 all the time would only be a line at the bottom.
  const shown = traffic.labels.map((label, i) => ({ label, values: traffic.series[i] }))
    .filter(({ values }, i) => i === 0 || values.some((value) => value > 0));
  const key = shown.map(({ label }) => label).join();

  useEffect(() => {
    const place = frame.current!;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--quiet"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: `11px ${colour("--sans")}`,
    };
    const chart = new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        padding: [8, 28, 0, 0],
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
        series: [
          {},
          // The top of all is drawn first, so that the others lie on it.
          ...[...shown].reverse().map(({ label }) => ({
            stroke: colour(LABELS[label][1]),
            fill: colour(`${LABELS[label][1]}-fill`),
            width: 1.25,
            paths: uPlot.paths.stepped!({ align: 1 }),
            points: { show: false },
          })),
        ],
        axes: [
          {
            ...axis,
            size: 26,
            incrs: INCREMENTS,
            gap: 4,
            space: 70,
            values: (_, times, __, ___, between) => times.map(axisTime(traffic.step, between)),
          },
          {
            ...axis,
            size: 74,
            space: 30,
            values: (_, values) =>
              values.map((value) => traffic.unit === "bit/s" ? rateText(value) : String(value)),
          },
        ],
        hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
      },
      stacked(traffic, shown.map(({ values }) => values)),
      place,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: place.clientWidth, height: HEIGHT })
    );
    observer.observe(place);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [key, theme, traffic.step, traffic.unit]);
  useEffect(() => {
    plot.current?.setData(stacked(traffic, shown.map(({ values }) => values)));
  }, [traffic]);

  const sum = (index: number) => shown.reduce((all, { values }) => all + values[index], 0);
  const peak = Math.max(...traffic.times.map((_, i) => sum(i)));
  const valueText = (value: number) =>
    traffic.unit === "bit/s" ? rateText(value) : `${value.toFixed(value < 10 ? 1 : 0)}`;
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-time">
          {at === null || at >= traffic.times.length
            ? `${stepText(traffic.step)} steps, at most ${valueText(peak)}`
            : timeText(traffic.times[at] * 1000)}
        </span>
        {shown.map(({ label, values }) => (
          <span key={label} class={`key key-${label}`}>
            {LABELS[label][0]}
            {at === null || at >= values.length ? null : <b>{valueText(values[at])}</b>}
          </span>
        ))}
      </figcaption>
      <div ref={frame} class="plot" role="img" aria-label={describe(traffic, peak, valueText)} />
    </figure>
  );
}

/** Sums from the bottom up, the top one first. */
function stacked(traffic: Traffic, series: readonly (readonly number[])[]): uPlot.AlignedData {
  const sums: number[][] = [];
  for (const values of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, i) => value + (below?.[i] ?? 0)));
  }
  // The last step has its length too.
  const times = [...traffic.times, traffic.times.at(-1)! + traffic.step];
  return [
    times,
    ...sums.reverse().map((values) => [...values, values.at(-1)!]),
  ] as uPlot.AlignedData;
}

function describe(traffic: Traffic, peak: number, valueText: (value: number) => string): string {
  const from = timeText(traffic.times[0] * 1000);
  const to = timeText(traffic.times.at(-1)! * 1000);
  return `Traffic from ${from} to ${to}, at most ${valueText(peak)}`;
}

function stepText(seconds: number): string {
  return seconds < 60
    ? `${seconds} s`
    : seconds < 3_600
    ? `${seconds / 60} min`
    : seconds < 86_400
    ? `${seconds / 3_600} h`
    : `${seconds / 86_400} d`;
}

/** @param between Seconds between times that the axis names: of months and years, days say nothing. */
function axisTime(step: number, between: number): (time: number) => string {
  return (time) => {
    const date = new Date(time * 1000);
    const two = (number: number) => String(number).padStart(2, "0");
    if (between >= DAYS_OF_MONTH) return `${date.getFullYear()}-${two(date.getMonth() + 1)}`;
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (isMidnight || step >= 86_400) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
    return date.getSeconds() === 0 ? minutes : `${minutes}:${two(date.getSeconds())}`;
  };
}
