import type { ComponentChildren } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FlowRow, FlowSort } from "../page_data.ts";
import { bytesText, countText, durationText, endText, nameText } from "./format.ts";
import { filteredAddress, FilterLink, RouteContext } from "./filtering.tsx";
import { useFlowRows } from "./flow_rows.ts";
import { useMedia, useStored } from "./hooks.ts";
import {
  Address,
  countOf,
  flowAddress,
  FlowLink,
  Name,
  NewMark,
  Port,
  Time,
  Volume,
} from "./parts.tsx";
import { addressOf, commonParameters, go, queryOf } from "./route.ts";
import { useVirtualRows } from "./virtual_rows.ts";

/** Heights in pixels, as in the style sheet. */
const ROW = 32;
const ROW_ON_PHONE = 58;
const PHONE = "(max-width: 760px)";
const PAGE = 15;

/** A column of the table of flows. */
interface FlowColumn {
  readonly id: FlowSort;
  readonly title: string;
  /** Of a CSS grid. */
  readonly width: string;
  readonly isNumber?: boolean;
  readonly isHidden?: boolean;
  readonly cell: (row: FlowRow) => ComponentChildren;
}

const COLUMNS: readonly FlowColumn[] = [
  { id: "last", title: "Last seen", width: "11ch", cell: (row) => <Time at={row.last} /> },
  {
    id: "client",
    title: "Client",
    width: "minmax(14ch, 1fr)",
    cell: (row) => <Address of="client" address={row.client} tabIndex={-1} />,
  },
  {
    id: "server",
    title: "Server",
    width: "minmax(14ch, 1fr)",
    cell: (row) => (
      <>
        <Address of="server" address={row.server} tabIndex={-1} />
        {row.isLocal
          ? <span class="mark ours" title="A service of the own networks">ours</span>
          : null}
      </>
    ),
  },
  {
    id: "port",
    title: "Port",
    width: "10ch",
    cell: (row) => <Port port={row.port} protocol={row.protocol} tabIndex={-1} />,
  },
  {
    id: "name",
    title: "Name",
    width: "minmax(16ch, 1.6fr)",
    cell: (row) => (
      <>
        <Name name={row.name} origin={row.nameOrigin} tabIndex={-1} />
        {row.unexplained > 0
          ? <span class="mark odd" title="No lookup explains this flow">?</span>
          : null}
        {row.conversations > 0 && row.answered === 0
          ? <span class="mark" title="Nothing was ever answered">in vain</span>
          : null}
        {row.isNew ? <NewMark /> : null}
      </>
    ),
  },
  {
    id: "by",
    title: "By",
    width: "13ch",
    cell: (row) => (
      <FilterLink
        field="by"
        value={row.by}
        class="by"
        tabIndex={-1}
        title={`Decided by ${row.by}: filter by that`}
      >
        {row.by}
      </FilterLink>
    ),
  },
  {
    id: "bytes",
    title: "Volume",
    width: "10ch",
    isNumber: true,
    cell: (row) => <Volume row={row} />,
  },
  {
    id: "packets",
    title: "Packets",
    width: "10ch",
    isNumber: true,
    isHidden: true,
    cell: (row) => countText(row.packetsClient + row.packetsServer),
  },
  {
    id: "conversations",
    title: "Count",
    width: "8ch",
    isNumber: true,
    cell: (row) => (
      <span title={`${row.conversations} conversations, ${row.observations} observations`}>
        {countText(countOf(row))}
      </span>
    ),
  },
  {
    id: "duration",
    title: "Duration",
    width: "12ch",
    isNumber: true,
    cell: (row) => row.last === 0 ? "–" : durationText(row.last - row.first),
  },
  {
    id: "first",
    title: "First seen",
    width: "11ch",
    isHidden: true,
    cell: (row) => <Time at={row.first} />,
  },
];
const HIDDEN = COLUMNS.filter(({ isHidden }) => isHidden).map(({ id }) => id);

/** The table of flows, of which only the rows that can be seen are made. */
export function FlowTable() {
  const route = useContext(RouteContext);
  const [hidden, setHidden] = useStored<readonly string[]>("hidden-columns", HIDDEN);
  const isOnPhone = useMedia(PHONE);
  const [isPointedAt, setPointedAt] = useState(false);
  const [selected, setSelected] = useState(-1);
  const sort = route.parameters.get("sort") ?? "-last";
  const query = queryOf(route);
  query.set("sort", sort);
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const isScrolled = useScrolledBeyond(top);
  const rows = useFlowRows(query, isPointedAt || isScrolled || selected >= 0);
  const rowHeight = isOnPhone ? ROW_ON_PHONE : ROW;
  const virtual = useVirtualRows(rows.listed, rowHeight, top);
  const { items } = virtual;
  const columns = COLUMNS.filter(({ id }) => !hidden.includes(id));
  const template = columns.map(({ width }) => width).join(" ");

  useLayoutEffect(() => {
    const box = body.current?.getBoundingClientRect();
    // Within a pixel it is the same place: the page would be made again and again.
    if (box !== undefined && Math.abs(box.top + scrollY - top) >= 1) setTop(box.top + scrollY);
  });
  useEffect(() => {
    if (items.length > 0) rows.see(items[0].index, items.at(-1)!.index);
  }, [items[0]?.index, items.at(-1)?.index, rows.listed, rows.row(0)?.id]);
  useEffect(() => setSelected(-1), [query.toString()]);

  const move = (to: number) => {
    const index = Math.max(0, Math.min(rows.listed - 1, to));
    setSelected(index);
    virtual.scrollTo(index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows.row(selected);
    const filterBy = (field: "client" | "server" | "port" | "by", value: string | number) =>
      go(filteredAddress(route, { field, value }));
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => move(selected + 1),
      j: () => move(selected + 1),
      ArrowUp: () => move(selected - 1),
      k: () => move(selected - 1),
      PageDown: () => move(selected + PAGE),
      PageUp: () => move(selected - PAGE),
      Home: () => move(0),
      End: () => move(rows.listed - 1),
      Escape: () => setSelected(-1),
      ...(row === undefined ? {} : {
        Enter: () => {
          go(flowAddress(row, commonParameters(route)));
          scrollTo(0, 0);
        },
        c: () => filterBy("client", row.client),
        v: () => filterBy("server", row.server),
        o: () => filterBy("port", row.port),
        b: () => filterBy("by", row.by),
      }),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const setSort = (id: FlowSort) => {
    const isSame = sort.replace(/^-/, "") === id;
    const isText = ["client", "server", "name", "by", "port"].includes(id);
    const isDescending = isSame ? !sort.startsWith("-") : !isText;
    const text = `${isDescending ? "-" : ""}${id}`;
    go(addressOf(route.path, route.parameters, { sort: text === "-last" ? null : text }), true);
  };

  return (
    <section
      class="flows"
      aria-label="Flows"
      onPointerEnter={(event) => event.pointerType === "mouse" && setPointedAt(true)}
      onPointerLeave={() => setPointedAt(false)}
    >
      <div class="flows-head">
        <h2>Flows</h2>
        <span class="quiet" data-testid="flow-count">
          {rows.totals === null ? "" : summary(rows.total, rows.listed)}
          {rows.totals !== null && rows.totals.bytesClient + rows.totals.bytesServer > 0
            ? `, ${bytesText(rows.totals.bytesClient + rows.totals.bytesServer)}`
            : ""}
        </span>
        {rows.hasNews
          ? <button type="button" class="news" onClick={rows.renew}>Show what is new</button>
          : null}
        <span class="space" />
        <label class="phone-only">
          Sort{" "}
          <select
            value={sort.replace(/^-/, "")}
            onChange={(event) => setSort(event.currentTarget.value as FlowSort)}
          >
            {COLUMNS.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
          </select>
        </label>
        <details class="columns not-on-phone">
          <summary>Columns</summary>
          <div class="menu">
            {COLUMNS.map(({ id, title }) => (
              <label key={id}>
                <input
                  type="checkbox"
                  checked={!hidden.includes(id)}
                  onChange={() =>
                    setHidden(
                      hidden.includes(id) ? hidden.filter((it) => it !== id) : [...hidden, id],
                    )}
                />
                {title}
              </label>
            ))}
          </div>
        </details>
      </div>
      {rows.error === null ? null : <p class="error" role="alert">{rows.error}</p>}
      <div
        class="grid"
        role="grid"
        aria-label="Flows"
        aria-rowcount={rows.listed + 1}
        aria-busy={rows.isLoading}
        tabIndex={0}
        aria-activedescendant={selected >= 0 ? `flow-${selected}` : undefined}
        onKeyDown={onKeyDown}
        onBlur={() => setSelected(-1)}
      >
        <div role="rowgroup" class={isOnPhone ? "hidden-head" : "grid-head"}>
          <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
            {columns.map(({ id, title, isNumber }) => (
              <div
                key={id}
                role="columnheader"
                class={isNumber ? "number" : ""}
                aria-sort={sort.replace(/^-/, "") !== id
                  ? "none"
                  : sort.startsWith("-")
                  ? "descending"
                  : "ascending"}
              >
                <button type="button" class="sort" onClick={() => setSort(id)}>{title}</button>
              </div>
            ))}
          </div>
        </div>
        <div
          ref={body}
          role="rowgroup"
          class="grid-body"
          style={{ height: `${virtual.height}px` }}
        >
          {items.map(({ index, start }) => {
            const row = rows.row(index);
            const style = {
              transform: `translateY(${start - top}px)`,
              gridTemplateColumns: isOnPhone ? undefined : template,
            };
            return (
              <div
                key={index}
                id={`flow-${index}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={selected === index}
                class={`row ${isOnPhone ? "card-row" : ""}`}
                style={style}
                onClick={() => row !== undefined && setSelected(index)}
                onDblClick={() =>
                  row !== undefined && go(flowAddress(row, commonParameters(route)))}
              >
                {row === undefined
                  ? <div role="gridcell" class="quiet">…</div>
                  : isOnPhone
                  ? <PhoneRow row={row} />
                  : columns.map(({ id, isNumber, cell }) => (
                    <div key={id} role="gridcell" class={isNumber ? "number" : ""}>
                      {id === "last"
                        ? <FlowLink flow={row} tabIndex={-1} class="open">{cell(row)}</FlowLink>
                        : cell(row)}
                    </div>
                  ))}
              </div>
            );
          })}
        </div>
      </div>
      {rows.listed === 0 && !rows.isLoading && rows.error === null
        ? (
          <p class="quiet empty">
            {query.has("filter")
              ? "No flow is like that. Widen the time, or the filter."
              : query.has("span")
              ? "No flow was seen in this time."
              : "No flow was seen yet."}
          </p>
        )
        : null}
    </section>
  );
}

function PhoneRow({ row }: { readonly row: FlowRow }) {
  const server = row.name === null ? row.server : nameText(row.name);
  return (
    <div role="gridcell" class="phone-row">
      <FlowLink flow={row} class="phone-flow">
        <span class="address">{row.client}</span>
        <span class="arrow" aria-label="uses">→</span>
        <span class={row.name === null ? "address" : "name"}>{endText(server, row.port)}</span>
      </FlowLink>
      <div class="phone-more">
        <span class="by">{row.by}</span>
        {row.isLocal ? <span class="mark ours">ours</span> : null}
        {row.unexplained > 0 ? <span class="mark odd">?</span> : null}
        {row.isNew ? <NewMark /> : null}
        <span class="space" />
        <span>{bytesText(row.bytesClient + row.bytesServer)}</span>
        <Time at={row.last} />
      </div>
    </div>
  );
}

function summary(total: number, listed: number): string {
  const all = `${total.toLocaleString("en")} ${total === 1 ? "flow" : "flows"}`;
  return listed < total ? `${all}, the first ${listed.toLocaleString("en")} listed` : all;
}

/** Whether the page was scrolled so far that rows of the table went by. */
function useScrolledBeyond(top: number): boolean {
  const [isBeyond, setBeyond] = useState(false);
  useEffect(() => {
    // On a high screen the table begins in its first third: who has not scrolled sees what is new.
    const look = () => setBeyond(top > 0 && scrollY > Math.max(0, top - innerHeight / 3));
    look();
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, [top]);
  return isBeyond;
}
