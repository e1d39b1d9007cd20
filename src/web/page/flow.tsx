import { useContext, useEffect, useState } from "preact/hooks";
import type { ConversationRow, FlowDetails } from "../page_data.ts";
import { Chart } from "./chart.tsx";
import { FilterLink, RouteContext, ViewLink } from "./filtering.tsx";
import {
  bytesText,
  countText,
  durationText,
  endText,
  flagsText,
  fullTimeText,
  nameText,
} from "./format.ts";
import { ask, messageOf, useAnswer } from "./live.ts";
import { Address, NewMark, originText, Port, Time, Waiting } from "./parts.tsx";
import { addressOf, commonParameters } from "./route.ts";
import { Table } from "./table.tsx";

/** What conversations come to, in words. */
const STATES: Readonly<Record<string, string>> = {
  "open": "answered, or picked up in the middle",
  "established": "the handshake was seen",
  "closed": "both ends closed it",
  "reset": "an end gave it up",
  "refused": "RST was the only answer",
  "unreachable": "ICMP said that it can't be reached",
  "unanswered": "the server said nothing",
};

/** A flow's own page: evidence, rules, conversations, names and where they come from. */
export function Flow({ theme }: { readonly theme: string }) {
  const route = useContext(RouteContext);
  const query = new URLSearchParams();
  for (const name of ["client", "server", "port", "proto"]) {
    query.set(name, route.parameters.get(name) ?? "");
  }
  const answer = useAnswer<FlowDetails>("flow", query);
  const common = commonParameters(route);
  const { data } = answer;
  return (
    <>
      <p class="back">
        <ViewLink href={addressOf("/", common)}>← All flows</ViewLink>
      </p>
      <Waiting answer={answer} />
      {data === null ? null : <Details data={data} query={query} theme={theme} />}
    </>
  );
}

function Details(
  { data, query, theme }: {
    readonly data: FlowDetails;
    readonly query: URLSearchParams;
    readonly theme: string;
  },
) {
  const { flow, conversations, names } = data;
  const port = endText(flow.server, flow.port);
  return (
    <>
      <h1 class="flow-title">
        <span class="address">{flow.client}</span>
        <span class="arrow" aria-label="uses">→</span>
        <span class="address">{port}</span>
        {flow.protocol === "" ? null : <span class="protocol">/{flow.protocol}</span>}
        {flow.isLocal ? <span class="mark ours">ours</span> : null}
        {flow.isNew ? <NewMark /> : null}
      </h1>
      {flow.name === null
        ? <p class="quiet">No name is known for the server.</p>
        : (
          <p class="flow-name">
            <b class="name">{nameText(flow.name)}</b>{" "}
            <span class="quiet">{originText(flow.nameOrigin)}</span>
          </p>
        )}
      <div class="facts">
        <dl>
          <dt>Client</dt>
          <dd>
            <Address of="client" address={flow.client} />
          </dd>
          <dt>Server</dt>
          <dd>
            <Address of="server" address={flow.server} />
          </dd>
          <dt>Port</dt>
          <dd>
            <Port port={flow.port} protocol={flow.protocol} />
          </dd>
          <dt>Other clients</dt>
          <dd>
            {data.otherClients === 0
              ? "none"
              : (
                <FilterLink field="server" value={flow.server} also={[["port", flow.port]]}>
                  {countText(data.otherClients)}
                </FilterLink>
              )}
          </dd>
        </dl>
        <dl>
          {flow.conversations === 0 ? null : (
            <>
              <dt>From the client</dt>
              <dd>{bytesText(flow.bytesClient)} in {countText(flow.packetsClient)} packets</dd>
              <dt>From the server</dt>
              <dd>{bytesText(flow.bytesServer)} in {countText(flow.packetsServer)} packets</dd>
              <dt>Conversations</dt>
              <dd>
                {countText(flow.conversations)}
                {flow.answered < flow.conversations
                  ? `, ${countText(flow.conversations - flow.answered)} in vain`
                  : ""}
              </dd>
            </>
          )}
          {flow.observations === 0 ? null : (
            <>
              <dt>Observations</dt>
              <dd title="How often the flow's key was written">{countText(flow.observations)}</dd>
            </>
          )}
        </dl>
        {flow.last === 0 ? null : (
          <dl>
            <dt>First seen</dt>
            <dd>{fullTimeText(flow.first)}</dd>
            <dt>Last seen</dt>
            <dd>{fullTimeText(flow.last)}</dd>
            <dt>In</dt>
            <dd>{durationText(flow.last - flow.first)}</dd>
          </dl>
        )}
      </div>
      <h2>Why {flow.client} is the client</h2>
      {flow.by === ""
        ? <p class="quiet">What decided is not known: keys of Redis do not have it.</p>
        : (
          <p>
            <FilterLink field="by" value={flow.by} class="by">{flow.by}</FilterLink>{" "}
            {data.byMeaning}
          </p>
        )}
      <ByCorrections conversations={conversations} />
      <Explained query={query} clientPort={conversations[0]?.clientPort ?? null} />
      {flow.unexplained === 0 ? null : (
        <p class="odd-text">
          {countText(flow.unexplained)} of its conversations {flow.unexplained === 1 ? "is" : "are"}
          {" "}
          not explained by a lookup
          {conversations.find(({ why }) => why !== null)?.why === undefined
            ? "."
            : `: ${conversations.find(({ why }) => why !== null)!.why}.`}
        </p>
      )}
      <h2>Names of the server</h2>
      {names.length === 0 ? <p class="quiet">None was seen.</p> : (
        <Table
          caption="Names of the server"
          rows={names}
          keyOf={({ name, isOwn, origin }) => `${name} ${isOwn} ${origin}`}
          columns={[
            {
              title: "Name",
              key: ({ name }) => name,
              cell: ({ name, aliases }) => (
                <>
                  <FilterLink field="name" value={name} class="name">{nameText(name)}</FilterLink>
                  {aliases.length === 0
                    ? null
                    : <span class="quiet">, asked as {aliases.map(nameText).join(", ")}</span>}
                </>
              ),
            },
            {
              title: "Where it comes from",
              key: ({ origin }) => origin,
              cell: ({ origin, isOwn, clients }) =>
                isOwn ? originText(origin) : othersText(origin, clients),
            },
            {
              title: "Times",
              key: ({ count }) => count,
              isNumber: true,
              cell: ({ count }) => countText(count),
            },
            {
              title: "First",
              key: ({ first }) => first,
              isMinor: true,
              cell: ({ first }) => <Time at={first} />,
            },
            { title: "Last", key: ({ last }) => last, cell: ({ last }) => <Time at={last} /> },
          ]}
        />
      )}
      {data.refusals.length === 0 ? null : (
        <>
          <h2>Refused</h2>
          <ul>
            {data.refusals.map(({ kind, port, reason, count, last }) => (
              <li key={`${kind} ${port} ${reason}`}>
                <span class="by">{kind}</span> port {port}
                {reason === "" ? "" : ` (${reason})`},{" "}
                {count === 1 ? "once" : `${countText(count)} times, last`} <Time at={last} />
              </li>
            ))}
          </ul>
        </>
      )}
      {data.traffic === null ? null : (
        <>
          <h2>Traffic</h2>
          <Chart traffic={data.traffic} theme={theme} />
        </>
      )}
      {conversations.length === 0 ? null : (
        <>
          <h2>
            {conversations.length < flow.conversations
              ? `The last ${conversations.length} conversations`
              : "Conversations"}
          </h2>
          <Conversations rows={conversations} />
        </>
      )}
    </>
  );
}

/** Where a name comes from that others know. */
function othersText(origin: string, clients: number): string {
  const who = clients === 1 ? "another client" : `${countText(clients)} other clients`;
  return origin === "lookup" || origin === "https-hint"
    ? `${who} looked it up`
    : `${originText(origin)} of ${who}`;
}

/** Tells where not all conversations were decided by the same. */
function ByCorrections({ conversations }: { readonly conversations: readonly ConversationRow[] }) {
  const counts = new Map<string, number>();
  for (const { by } of conversations) counts.set(by, (counts.get(by) ?? 0) + 1);
  if (counts.size < 2) return null;
  return (
    <p class="quiet">
      Its conversations were decided by{" "}
      {[...counts].map(([by, count]) => `${by} (${count})`).join(", ")}.
    </p>
  );
}

/** What `explain` says: networks, rules, keys. */
function Explained(
  { query, clientPort }: { readonly query: URLSearchParams; readonly clientPort: number | null },
) {
  const [text, setText] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const address = `/api/explain?${query}&clientPort=${clientPort ?? 0}`;
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    ask<string>(address, abort.signal).then(
      setText,
      (error) => !abort.signal.aborted && setText(messageOf(error)),
    );
    return () => abort.abort();
  }, [address, isOpen]);
  return (
    <details class="explain" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Networks, rules and keys</summary>
      <pre tabIndex={0}>{text ?? "Asking…"}</pre>
    </details>
  );
}

function Conversations({ rows }: { readonly rows: readonly ConversationRow[] }) {
  return (
    <Table
      caption="Conversations"
      rows={rows}
      keyOf={({ id }) => String(id)}
      columns={[
        { title: "Began", key: ({ first }) => first, cell: ({ first }) => <Time at={first} /> },
        {
          title: "Duration",
          key: ({ first, last }) => last - first,
          isNumber: true,
          cell: ({ first, last, isOver }) => `${durationText(last - first)}${isOver ? "" : " …"}`,
        },
        {
          title: "Client port",
          key: ({ clientPort }) => clientPort,
          isNumber: true,
          cell: ({ clientPort }) => clientPort,
        },
        {
          title: "State",
          key: ({ state }) => state,
          cell: ({ state }) => (
            <span class={`state state-${state}`} title={STATES[state] ?? ""}>{state}</span>
          ),
        },
        { title: "By", key: ({ by }) => by, cell: ({ by }) => <span class="by">{by}</span> },
        {
          title: "From client",
          key: ({ bytesClient }) => bytesClient,
          isNumber: true,
          cell: ({ bytesClient, packetsClient }) => (
            <span title={`${packetsClient} packets`}>{bytesText(bytesClient)}</span>
          ),
        },
        {
          title: "From server",
          key: ({ bytesServer }) => bytesServer,
          isNumber: true,
          cell: ({ bytesServer, packetsServer }) => (
            <span title={`${packetsServer} packets`}>{bytesText(bytesServer)}</span>
          ),
        },
        {
          title: "Flags",
          isMinor: true,
          cell: ({ flagsClient, flagsServer }) =>
            flagsClient + flagsServer === 0
              ? ""
              : `${flagsText(flagsClient)} / ${flagsText(flagsServer)}`,
        },
        {
          title: "Where",
          isMinor: true,
          cell: (row) =>
            [row.interface, row.vlan === null ? null : `VLAN ${row.vlan}`, row.tunnel]
              .filter((it) => it !== null).join(", "),
        },
        {
          title: "Name",
          isMinor: true,
          cell: ({ name, nameOrigin, otherNames }) =>
            name === null ? "" : (
              <span
                title={`${originText(nameOrigin)}${otherNames === null ? "" : `; ${otherNames}`}`}
              >
                {nameText(name)}
              </span>
            ),
        },
      ]}
    />
  );
}
