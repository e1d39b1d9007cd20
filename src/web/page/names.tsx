import { useContext, useState } from "preact/hooks";
import type { NameNode, NamesView } from "../page_data.ts";
import { FilterLink, RouteContext } from "./filtering.tsx";
import { countText, nameText } from "./format.ts";
import { useAnswer } from "./live.ts";
import { Nothing, Waiting } from "./parts.tsx";
import { queryOf } from "./route.ts";

type Column = "clients" | "names" | "servers";

/** Pixels from one node to the next, as in the style sheet. */
const STEP = 44;
/** Where columns end and begin, in hundredths of the width, as in the style sheet. */
const EDGES = { clients: 22, namesLeft: 35, namesRight: 65, servers: 78 };

/** A connection that is drawn. */
interface Line {
  readonly from: readonly [Column, number];
  readonly to: readonly [Column, number];
  readonly kind: "asked" | "resolved" | "unnamed";
}

/** Clients, the names they looked up, and the addresses that these have. */
export function Names() {
  const route = useContext(RouteContext);
  const answer = useAnswer<NamesView>("names", queryOf(route));
  const [pointed, setPointed] = useState<readonly [Column, number] | null>(null);
  const { data } = answer;
  if (data === null) {
    return (
      <>
        <h1>Names</h1>
        <Waiting answer={answer} />
      </>
    );
  }
  const lines = linesOf(data);
  const lit = pointed === null ? null : connected(lines, pointed);
  const isLit = (column: Column, index: number) => lit === null || lit.has(`${column} ${index}`);
  const height = Math.max(data.clients.length, data.names.length, data.servers.length) * STEP;
  const column = (id: Column, field: "client" | "name" | "server", title: string) => (
    <div class={`name-column ${id}`}>
      <h2>
        {title} <span class="count">{totalText(data[id].length, data.totals[id])}</span>
      </h2>
      <ul>
        {data[id].map((node, index) => (
          <li
            key={node.id}
            class={isLit(id, index) ? "" : "faint"}
            onPointerEnter={() => setPointed([id, index])}
            onPointerLeave={() =>
              setPointed(null)}
            onFocusCapture={() => setPointed([id, index])}
            onBlurCapture={() => setPointed(null)}
          >
            <Node node={node} field={field} />
          </li>
        ))}
      </ul>
    </div>
  );
  return (
    <>
      <div class="view-head">
        <h1>Names</h1>
        <span class="quiet">
          Who looked up which name, and the addresses it has. Dashed: used without a name.
        </span>
      </div>
      <Waiting answer={answer} />
      {height === 0 ? <Nothing>No name was looked up in this time.</Nothing> : (
        <div
          class="names-frame"
          tabIndex={0}
          role="region"
          aria-label="Clients, names and servers"
        >
          <div class="name-map">
            <svg
              class="lines"
              viewBox={`0 0 100 ${height}`}
              preserveAspectRatio="none"
              aria-hidden="true"
              style={{ height: `${height}px` }}
            >
              {lines.map((line) => (
                <path
                  key={`${line.from} ${line.to}`}
                  d={pathOf(line)}
                  class={`${line.kind} ${lit === null ? "" : isOf(line, lit) ? "lit" : "faint"}`}
                />
              ))}
            </svg>
            {column("clients", "client", "Clients")}
            {column("names", "name", "Names")}
            {column("servers", "server", "Servers")}
          </div>
        </div>
      )}
    </>
  );
}

function Node(
  { node, field }: { readonly node: NameNode; readonly field: "client" | "name" | "server" },
) {
  const shown = nameText(node.id);
  const notes = node.notes.map(nameText);
  const note = field === "name" && notes.length > 0 ? `for ${notes.join(", ")}` : notes.join(" ");
  return (
    <FilterLink
      field={field}
      value={node.id}
      class={`node ${node.isMissing ? "missing" : ""} ${node.isLocal ? "ours" : ""}`}
      title={`${shown}${note === "" ? "" : `, ${note}`}: seen ${countText(node.weight)} times`}
    >
      <span class="node-text">{shown}</span>
      {node.isMissing
        ? <span class="mark odd">NXDOMAIN</span>
        : note === ""
        ? null
        : <span class="node-note">{note}</span>}
    </FilterLink>
  );
}

function linesOf(data: NamesView): Line[] {
  const lines = (
    pairs: NamesView["asked"],
    from: Column,
    to: Column,
    kind: Line["kind"],
  ): Line[] => pairs.map(([a, b]) => ({ from: [from, a], to: [to, b], kind }));
  return [
    ...lines(data.unnamed, "clients", "servers", "unnamed"),
    ...lines(data.asked, "clients", "names", "asked"),
    ...lines(data.resolved, "names", "servers", "resolved"),
  ];
}

/** What is connected to a node: to the left and to the right of it, but not back again. */
function connected(lines: readonly Line[], node: readonly [Column, number]): Set<string> {
  const found = new Set([node.join(" ")]);
  for (const [near, far] of [["from", "to"], ["to", "from"]] as const) {
    const open = [node.join(" ")];
    for (let next; (next = open.pop()) !== undefined;) {
      for (const line of lines) {
        const other = line[far].join(" ");
        if (line[near].join(" ") !== next || found.has(other)) continue;
        found.add(other);
        open.push(other);
      }
    }
  }
  return found;
}

function isOf({ from, to }: Line, lit: ReadonlySet<string>): boolean {
  return lit.has(from.join(" ")) && lit.has(to.join(" "));
}

function pathOf({ from, to, kind }: Line): string {
  const left = kind === "resolved" ? EDGES.namesRight : EDGES.clients;
  const right = kind === "asked" ? EDGES.namesLeft : EDGES.servers;
  const [y1, y2] = [from, to].map(([, index]) => (index + 0.5) * STEP);
  const middle = (left + right) / 2;
  return `M${left},${y1} C${middle},${y1} ${middle},${y2} ${right},${y2}`;
}

function totalText(shown: number, total: number): string {
  return shown < total ? `${shown} of ${countText(total)}` : String(total);
}
