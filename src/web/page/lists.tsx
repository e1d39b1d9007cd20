import type { ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import type {
  EncryptedDnsRow,
  FlowRow,
  MissingNamesRow,
  Refused as RefusedAnswer,
  RefusedRow,
  ServiceRow,
  UnexplainedRow,
} from "../page_data.ts";
import { FilterLink, RouteContext, ViewLink } from "./filtering.tsx";
import { countText, endText, nameText } from "./format.ts";
import { useAnswer } from "./live.ts";
import {
  Address,
  Count,
  countOf,
  FlowLink,
  Name,
  NewMark,
  Nothing,
  Port,
  Time,
  Volume,
  Waiting,
} from "./parts.tsx";
import { addressOf, queryOf } from "./route.ts";
import { type Column, Table } from "./table.tsx";

const FLOWS = "/";

/** Services that were used; those of the own networks, or all. */
export function Services() {
  const route = useContext(RouteContext);
  const isAll = route.parameters.get("of") === "all";
  const query = queryOf(route);
  if (isAll) query.set("of", "all");
  const answer = useAnswer<readonly ServiceRow[]>("services", query);
  const columns: readonly Column<ServiceRow>[] = [
    {
      title: "Service",
      key: (row) => `${row.server} ${row.port}`,
      cell: (row) => (
        <span class="together">
          <FilterLink
            field="server"
            value={row.server}
            also={[["port", row.port]]}
            view={FLOWS}
            class="address"
            title="Who uses it"
          >
            {endText(row.server, row.port)}
          </FilterLink>
          {row.protocol === "" ? null : <span class="protocol">/{row.protocol}</span>}
          {row.isNew ? <NewMark /> : null}
        </span>
      ),
    },
    {
      title: "Name",
      key: ({ name }) => name,
      isWide: true,
      cell: ({ name }) => <Name name={name} />,
    },
    {
      title: "Clients",
      key: ({ clients }) => clients,
      isNumber: true,
      cell: ({ clients }) => countText(clients),
    },
    {
      title: "Busiest clients",
      isMinor: true,
      cell: (row) => (
        <span class="list">
          {row.clientList.map((client) => (
            <FlowLink key={client} flow={{ ...row, client }} class="address">{client}</FlowLink>
          ))}
          {row.clients > row.clientList.length
            ? <span class="quiet">and {row.clients - row.clientList.length} more</span>
            : null}
        </span>
      ),
    },
    {
      title: "Count",
      key: countOf,
      isNumber: true,
      isMinor: true,
      cell: (row) => countText(countOf(row)),
    },
    {
      title: "Volume",
      key: (row) => row.bytesClient + row.bytesServer,
      isNumber: true,
      cell: (row) => <Volume row={row} />,
    },
    { title: "First seen", key: ({ first }) => first, cell: ({ first }) => <Time at={first} /> },
    {
      title: "Last seen",
      key: ({ last }) => last,
      isMinor: true,
      cell: ({ last }) => <Time at={last} />,
    },
  ];
  return (
    <>
      <Heading
        title={isAll ? "All services that were used" : "Services of our networks"}
        count={answer.data?.length}
      >
        <ViewLink
          class="button"
          href={addressOf(route.path, route.parameters, { of: isAll ? null : "all" })}
        >
          {isAll ? "Only ours" : "All services"}
        </ViewLink>
      </Heading>
      <Waiting answer={answer} />
      <Rows
        rows={answer.data}
        nothing="No service of the own networks answered in this time. If that can't be, look whether the own networks are right."
        columns={columns}
        caption="Services"
        keyOf={(row) => `${row.server} ${row.port} ${row.protocol}`}
      />
    </>
  );
}

function flowColumns<Row extends FlowRow>(): readonly Column<Row>[] {
  return [
    {
      title: "Last seen",
      key: ({ last }) => last,
      cell: (row) => (
        <FlowLink flow={row} class="open">
          <Time at={row.last} />
        </FlowLink>
      ),
    },
    {
      title: "Client",
      key: ({ client }) => client,
      cell: ({ client }) => <Address of="client" address={client} />,
    },
    {
      title: "Server",
      key: ({ server }) => server,
      cell: ({ server }) => <Address of="server" address={server} />,
    },
    { title: "Port", key: ({ port }) => port, cell: (row) => <Port {...row} /> },
    {
      title: "Name",
      key: ({ name }) => name,
      isWide: true,
      cell: (row) => (
        <>
          <Name name={row.name} origin={row.nameOrigin} />
          {row.isNew ? <NewMark /> : null}
        </>
      ),
    },
  ];
}

/** Flows that no lookup explains. */
export function Unexplained() {
  const route = useContext(RouteContext);
  const answer = useAnswer<readonly UnexplainedRow[]>("unexplained", queryOf(route));
  return (
    <>
      <Heading title="Unexplained flows" count={answer.data?.length}>
        <span class="quiet">Their clients looked up no name for the server's address.</span>
      </Heading>
      <Waiting answer={answer} />
      <Rows
        rows={answer.data}
        nothing="Every flow in this time has a lookup that explains it, or lookups are not seen here."
        caption="Unexplained flows"
        keyOf={(row) => String(row.id)}
        columns={[
          ...flowColumns<UnexplainedRow>(),
          { title: "Why", key: ({ why }) => why, cell: ({ why }) => why ?? "" },
          {
            title: "Times",
            key: ({ unexplained }) => unexplained,
            isNumber: true,
            cell: ({ unexplained }) => countText(unexplained),
          },
          {
            title: "Volume",
            key: (row) => row.bytesClient + row.bytesServer,
            isNumber: true,
            isMinor: true,
            cell: (row) => <Volume row={row} />,
          },
        ]}
      />
    </>
  );
}

/** Clients that ask for names where nobody sees it. */
export function EncryptedDns() {
  const route = useContext(RouteContext);
  const answer = useAnswer<readonly EncryptedDnsRow[]>("encrypted-dns", queryOf(route));
  return (
    <>
      <Heading title="Encrypted DNS" count={answer.data?.length}>
        <span class="quiet">
          What these clients look up can't be seen here. Kind DNS is plain DNS to servers outside.
        </span>
      </Heading>
      <Waiting answer={answer} />
      <Rows
        rows={answer.data}
        nothing="No client used DNS over TLS, QUIC, or HTTPS to a known resolver, nor a name server outside, in this time."
        caption="Encrypted DNS"
        keyOf={(row) => String(row.id)}
        columns={[
          {
            title: "Kind",
            key: ({ kind }) => kind,
            cell: ({ kind }) => <span class="by">{kind}</span>,
          },
          ...flowColumns<EncryptedDnsRow>(),
          { title: "Count", key: countOf, isNumber: true, cell: (row) => countText(countOf(row)) },
          {
            title: "Volume",
            key: (row) => row.bytesClient + row.bytesServer,
            isNumber: true,
            isMinor: true,
            cell: (row) => <Volume row={row} />,
          },
        ]}
      />
    </>
  );
}

/** So many different ports or addresses in vain look like a scan, and not like a mistake. */
const SCAN = 15;

/** Who tried what in vain, by prober and by target. */
export function Refused() {
  const route = useContext(RouteContext);
  const answer = useAnswer<RefusedAnswer>("refused", queryOf(route));
  const { data } = answer;
  const by = route.parameters.get("by") === "target" ? "target" : "prober";
  const rows = by === "prober" ? data?.probers : data?.targets;
  const isProber = by === "prober";
  const other = isProber ? "server" as const : "client" as const;
  const columns: readonly Column<RefusedRow>[] = [
    {
      title: isProber ? "Prober" : "Target",
      key: ({ address }) => address,
      cell: (row) => (
        <span class="together">
          <Address of={isProber ? "client" : "server"} address={row.address} />
          {row.places >= SCAN
            ? (
              <span class="mark odd" title={`${row.others} addresses and ${row.ports} ports`}>
                {row.ports >= SCAN && row.ports > row.others ? "port scan" : "sweep"}
              </span>
            )
            : null}
        </span>
      ),
    },
    {
      title: isProber ? "Targets" : "Probers",
      key: ({ others }) => others,
      isNumber: true,
      cell: ({ others }) => countText(others),
    },
    {
      title: "Ports",
      key: ({ ports }) => ports,
      isNumber: true,
      cell: ({ ports }) => countText(ports),
    },
    {
      title: "Attempts",
      key: ({ attempts }) => attempts,
      isNumber: true,
      cell: ({ attempts }) => countText(attempts),
    },
    {
      title: "What happened",
      isMinor: true,
      cell: ({ kinds }) => kinds.map((kind) => <span key={kind} class="by">{kind}</span>),
    },
    {
      title: isProber ? "Tried" : "By",
      isMinor: true,
      cell: (row) => (
        <span class="list">
          {row.examples.map(({ address, port }) => (
            <FilterLink
              key={`${address} ${port}`}
              field={other}
              value={address}
              class="address"
              also={[["port", port]]}
            >
              {endText(address, port)}
            </FilterLink>
          ))}
          {row.places > row.examples.length
            ? <span class="quiet">and {row.places - row.examples.length} more</span>
            : null}
        </span>
      ),
    },
    {
      title: "First",
      key: ({ first }) => first,
      isMinor: true,
      cell: ({ first }) => <Time at={first} />,
    },
    { title: "Last", key: ({ last }) => last, cell: ({ last }) => <Time at={last} /> },
  ];
  const missing: readonly Column<MissingNamesRow>[] = [
    {
      title: "Client",
      key: ({ client }) => client,
      cell: ({ client }) => <Address of="client" address={client} />,
    },
    {
      title: "Names",
      key: ({ names }) => names,
      isNumber: true,
      cell: ({ names }) => countText(names),
    },
    {
      title: "Answers",
      key: ({ answers }) => answers,
      isNumber: true,
      cell: ({ answers }) => countText(answers),
    },
    {
      title: "Such as",
      cell: ({ examples }) => (
        <span class="list">
          {examples.map((name) => <span key={name} class="name">{nameText(name)}</span>)}
        </span>
      ),
    },
    { title: "Last", key: ({ last }) => last, cell: ({ last }) => <Time at={last} /> },
  ];
  return (
    <>
      <Heading title="Refused and unreachable" count={rows?.length}>
        <nav class="tabs" aria-label="Refused by">
          {(["prober", "target"] as const).map((it) => (
            <ViewLink
              key={it}
              href={addressOf(route.path, route.parameters, { by: it === "prober" ? null : it })}
              aria-current={it === by ? "page" : undefined}
            >
              By {it}
            </ViewLink>
          ))}
        </nav>
      </Heading>
      <Waiting answer={answer} />
      <Rows
        rows={rows ?? null}
        nothing="Nothing was refused in this time."
        caption={`Refused, by ${by}`}
        keyOf={({ address }) => address}
        columns={columns}
      />
      {data === null || data.missingNames.length === 0 ? null : (
        <>
          <Heading title="Names that do not exist" count={data.missingNames.length} level={2}>
            <span class="quiet">NXDOMAIN, by who asked</span>
          </Heading>
          <Rows
            rows={data.missingNames}
            nothing=""
            caption="Names that do not exist"
            keyOf={({ client }) => client}
            columns={missing}
          />
        </>
      )}
    </>
  );
}

/** A view's name, how many rows it has, and what belongs to them. */
export function Heading(
  { title, count, level = 1, children }: {
    readonly title: string;
    readonly count?: number;
    readonly level?: 1 | 2;
    readonly children?: ComponentChildren;
  },
) {
  const text = (
    <>
      {title} {count === undefined ? null : <Count of={count} />}
    </>
  );
  return (
    <div class="view-head">
      {level === 1 ? <h1>{text}</h1> : <h2>{text}</h2>}
      {children}
    </div>
  );
}

/** A table, or what is said where it has no rows. */
export function Rows<Row>(
  { rows, nothing, ...table }: {
    readonly rows: readonly Row[] | null;
    readonly nothing: string;
    readonly caption: string;
    readonly columns: readonly Column<Row>[];
    readonly keyOf: (row: Row) => string;
  },
) {
  if (rows === null) return null;
  return rows.length === 0 ? <Nothing>{nothing}</Nothing> : <Table rows={rows} {...table} />;
}
