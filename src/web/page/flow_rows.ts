import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Figures, FlowPage, FlowRow } from "../page_data.ts";
import { ask, LiveContext, messageOf } from "./live.ts";

/** Rows that are asked for at a time. */
const PART = 200;

/** Flows in an order, of which parts are there. */
export interface FlowRows {
  readonly total: number;
  readonly listed: number;
  readonly totals: Figures | null;
  readonly error: string | null;
  readonly isLoading: boolean;
  /** Whether there is something new that is not shown yet. */
  readonly hasNews: boolean;
  row(index: number): FlowRow | undefined;
  /** Has the rows loaded that can be seen. */
  see(first: number, last: number): void;
  /** Shows what is new. */
  renew(): void;
}

interface State {
  readonly address: string;
  readonly version: string;
  readonly page: FlowPage | null;
  readonly rows: Map<number, FlowRow>;
  readonly error: string | null;
}

const NONE: State = { address: "", version: "", page: null, rows: new Map(), error: null };

/**
 * The flows that a query asks for.
 *
 * @param isHeld Whether rows must stay where they are, whatever is new.
 */
export function useFlowRows(query: URLSearchParams, isHeld: boolean): FlowRows {
  const { version } = useContext(LiveContext);
  const address = `/api/flows?${query}`;
  const [state, setState] = useState(NONE);
  const [isLoading, setLoading] = useState(true);
  const [renewals, setRenewals] = useState(0);
  const asked = useRef(new Set<number>());
  const current = useRef(state);
  current.current = state;
  const held = useRef({ renewals: 0 });

  useEffect(() => {
    const isOther = current.current.address !== address;
    const isWanted = held.current.renewals !== renewals;
    if (!isOther && !isWanted && isHeld) return;
    if (
      !isOther && !isWanted && current.current.version === version && current.current.page !== null
    ) {
      return;
    }
    held.current.renewals = renewals;
    const abort = new AbortController();
    setLoading(true);
    ask<FlowPage>(`${address}&limit=${PART}`, abort.signal).then((page) => {
      asked.current = new Set([0]);
      const rows = new Map(page.rows.map((row, i) => [i, row]));
      setState({ address, version, page, rows, error: null });
      setLoading(false);
    }, (error) => {
      if (abort.signal.aborted) return;
      setState((before) => ({ ...before, address, version, error: messageOf(error) }));
      setLoading(false);
    });
    return () => abort.abort();
  }, [address, version, isHeld, renewals]);

  const load = (part: number) => {
    const { page, address } = current.current;
    if (page === null || asked.current.has(part) || part * PART >= page.listed) return;
    asked.current.add(part);
    const { snapshot } = page;
    ask<FlowPage>(`${address}&limit=${PART}&offset=${part * PART}&snapshot=${snapshot}`).then(
      (more) => {
        if (current.current.page?.snapshot !== snapshot) return;
        // The order was forgotten, and made again: what is shown may be another's.
        if (more.snapshot !== snapshot) return setRenewals((number) => number + 1);
        for (const [i, row] of more.rows.entries()) current.current.rows.set(more.offset + i, row);
        setState((before) => ({ ...before }));
      },
      () => void asked.current.delete(part),
    );
  };

  return {
    total: state.page?.total ?? 0,
    listed: state.page?.listed ?? 0,
    totals: state.page?.totals ?? null,
    error: state.error,
    isLoading,
    hasNews: isHeld && state.page !== null && state.version !== version,
    row: (index) => state.rows.get(index),
    see(first, last) {
      for (let part = Math.floor(first / PART); part <= Math.floor(last / PART); part++) load(part);
    },
    renew: () => setRenewals((number) => number + 1),
  };
}
