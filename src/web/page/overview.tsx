import { useContext } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Overview as Answered, SensorState } from "../page_data.ts";
import { Chart } from "./chart.tsx";
import { RouteContext, ViewLink } from "./filtering.tsx";
import { FlowTable } from "./flow_table.tsx";
import { countText, nameText, timeText } from "./format.ts";
import { useAnswer } from "./live.ts";
import { Waiting } from "./parts.tsx";
import { addressOf, commonParameters, queryOf } from "./route.ts";

/** The first screen: counts, traffic over time, the table of flows. */
export function Overview({ theme }: { readonly theme: string }) {
  const route = useContext(RouteContext);
  const answer = useAnswer<Answered>("overview", queryOf(route));
  const { data } = answer;
  const common = commonParameters(route);
  return (
    <>
      <h1 class="only-read">Overview</h1>
      <Waiting answer={answer} />
      {data === null ? null : (
        <>
          <div class="cards">
            <Card title="Clients" value={data.clients} href={addressOf("/names", common)} />
            <Card
              title="Services of ours"
              value={data.services}
              href={addressOf("/services", common)}
            >
              {data.newServices > 0 ? <span class="mark new">{data.newServices} new</span> : null}
            </Card>
            <Card
              title={data.traffic === null ? "Flows" : "Flows now"}
              value={data.traffic === null ? data.flows : data.flowsNow}
              href={addressOf("/", common, { sort: null })}
            >
              {data.traffic === null ? null : <span class="quiet">of {countText(data.flows)}</span>}
            </Card>
            <Card
              title="Unexplained"
              value={data.unexplained}
              href={addressOf("/unexplained", common)}
              tone={data.unexplained > 0 ? "odd" : ""}
            />
            <Card
              title="Encrypted DNS"
              value={data.encryptedDns}
              href={addressOf("/encrypted-dns", common)}
            />
            <Card title="Refused" value={data.refused} href={addressOf("/refused", common)} />
            {data.sensor === null ? null : <Sensor sensor={data.sensor} />}
          </div>
          {data.traffic === null ? null : <Chart traffic={data.traffic} theme={theme} />}
          {data.since === null || data.sensor?.isLive ? null : (
            // Of captures of other days, the last day may be next to nothing.
            <p class="quiet">
              Seen since {timeText(data.since)}; there is older:{" "}
              <ViewLink href={addressOf(route.path, route.parameters, { span: "all" })}>
                all time
              </ViewLink>
            </p>
          )}
        </>
      )}
      <FlowTable />
    </>
  );
}

function Card(
  { title, value, href, tone = "", children }: {
    readonly title: string;
    readonly value: number;
    readonly href: string;
    readonly tone?: string;
    readonly children?: ComponentChildren;
  },
) {
  return (
    <ViewLink class={`card ${tone}`} href={href}>
      <span class="card-title">{title}</span>
      <span class="card-value">{countText(value)} {children}</span>
    </ViewLink>
  );
}

function Sensor({ sensor }: { readonly sensor: SensorState }) {
  const lost = (sensor.dropped ?? 0) + sensor.lost;
  const what = sensor.dropped === undefined ? "lost" : "drops";
  const title = `${sensor.mode} of ${sensor.sources}; flosensor ${sensor.version}; ` +
    `own networks: ${sensor.localNetworks || "none"}; ` +
    (sensor.packets === undefined
      ? ""
      : `${countText(sensor.packets)} packets, ${sensor.dropped} `) +
    (sensor.packets === undefined ? "" : "dropped by the kernel; ") +
    `${sensor.lost} observations could not be written`;
  return (
    <div class={`card sensor ${lost > 0 ? "bad" : ""}`} title={title}>
      <span class="card-title">
        Sensor {sensor.isLive
          ? <span class="mark live">live</span>
          : <span class="mark" title={`Until ${timeText(sensor.flushed)}`}>ended</span>}
      </span>
      <span class="card-value">
        {countText(lost)} <span class="quiet">{what}</span>
        <span class="card-note">
          {nameText(sensor.sources)}
        </span>
      </span>
    </div>
  );
}
