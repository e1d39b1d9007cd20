import type { ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import type { FlowKey, FlowRow } from "../page_data.ts";
import { bytesText, countText, fullTimeText, nameText, timeText } from "./format.ts";
import { FilterLink, RouteContext, ViewLink } from "./filtering.tsx";
import type { Answer } from "./live.ts";
import { addressOf, commonParameters } from "./route.ts";

/** What names come from, as the store calls it. */
const ORIGINS: Readonly<Record<string, string>> = {
  "lookup": "this client looked it up",
  "https-hint": "this client looked it up (HTTPS record)",
  "sni": "named in the TLS handshake",
  "quic-sni": "named in the QUIC handshake",
  "http-host": "named in the HTTP request",
  "other-client": "another client looked it up",
  "reverse": "what the address is called in reverse lookups",
};

/** Where a name comes from, in words. */
export function originText(origin: string | null): string {
  return origin === null ? "" : ORIGINS[origin] ?? origin;
}

/** A time; 0 is one that is not known, as in Redis. */
export function Time({ at }: { readonly at: number }) {
  if (at === 0) return <span class="nothing">–</span>;
  return <time dateTime={new Date(at).toISOString()} title={fullTimeText(at)}>{timeText(at)}</time>;
}

/** An address that can be filtered by. */
export function Address(
  { of, address, tabIndex, view }: {
    readonly of: "client" | "server";
    readonly address: string;
    readonly tabIndex?: number;
    readonly view?: string;
  },
) {
  return (
    <FilterLink
      field={of}
      value={address}
      class="address"
      tabIndex={tabIndex}
      view={view}
      title={`${address}: filter by this ${of}`}
    >
      {address}
    </FilterLink>
  );
}

/** A name that can be filtered by, and where it comes from. */
export function Name(
  { name, origin = null, tabIndex, view }: {
    readonly name: string | null;
    readonly origin?: string | null;
    readonly tabIndex?: number;
    readonly view?: string;
  },
) {
  if (name === null) return <span class="nothing">–</span>;
  const shown = nameText(name);
  return (
    <FilterLink
      field="name"
      value={name}
      class={`name ${origin === "other-client" ? "weak" : ""}`}
      tabIndex={tabIndex}
      view={view}
      title={`${shown}${origin === null ? "" : `: ${originText(origin)}`}`}
    >
      {shown}
    </FilterLink>
  );
}

/** A port with its protocol. */
export function Port(
  { port, protocol, tabIndex, view }: {
    readonly port: number;
    readonly protocol: string;
    readonly tabIndex?: number;
    readonly view?: string;
  },
) {
  return (
    <FilterLink field="port" value={port} class="port" tabIndex={tabIndex} view={view}>
      {port}
      {protocol === "" ? null : <span class="protocol">/{protocol}</span>}
    </FilterLink>
  );
}

/** Bytes both ways, and which part of them is whose. */
export function Volume(
  { row: { bytesClient, bytesServer } }: {
    readonly row: { readonly bytesClient: number; readonly bytesServer: number };
  },
) {
  const total = bytesClient + bytesServer;
  if (total === 0) return <span class="nothing">–</span>;
  return (
    <span
      class="volume"
      title={`${bytesText(bytesClient)} from the client, ${bytesText(bytesServer)} from the server`}
    >
      {bytesText(total)}
      <span class="share" aria-hidden="true">
        <span style={{ width: `${Math.round(bytesClient / total * 100)}%` }} />
      </span>
    </span>
  );
}

/** How often a flow was seen: in conversations, or where these are not known, in observations. */
export function countOf(
  { conversations, observations }: FlowRow | { conversations: number; observations: number },
) {
  return Math.max(conversations, observations);
}

/** A link to a flow's own page. */
export function FlowLink(
  { flow, children, tabIndex, class: name }: {
    readonly flow: FlowKey;
    readonly children: ComponentChildren;
    readonly tabIndex?: number;
    readonly class?: string;
  },
) {
  const route = useContext(RouteContext);
  return (
    <ViewLink
      href={flowAddress(flow, commonParameters(route))}
      tabIndex={tabIndex}
      class={name}
      title="All that is known of this flow"
    >
      {children}
    </ViewLink>
  );
}

export function flowAddress(flow: FlowKey, common: URLSearchParams): string {
  return addressOf("/flow", common, {
    client: flow.client,
    server: flow.server,
    port: String(flow.port),
    proto: flow.protocol,
  });
}

export function NewMark() {
  return <span class="mark new" title="First seen within a day">new</span>;
}

/** What a view shows while there is no answer, or a wrong one. */
export function Waiting({ answer }: { readonly answer: Answer<unknown> }) {
  if (answer.error !== null) return <p class="error" role="alert">{answer.error}</p>;
  return answer.data === null ? <p class="quiet">Loading…</p> : null;
}

/** What a view shows where there is nothing. */
export function Nothing({ children }: { readonly children: ComponentChildren }) {
  return <p class="quiet empty">{children}</p>;
}

/** A number that says how many there are, beside a heading. */
export function Count({ of }: { readonly of: number }) {
  return <span class="count">{countText(of)}</span>;
}
