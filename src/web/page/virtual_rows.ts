import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useState } from "preact/hooks";

/** Rows that are made beyond those that can be seen, each way. */
const BEYOND = 12;

/** Which rows of a long list can be seen, where the page as a whole is scrolled. */
export interface VirtualRows {
  readonly items: readonly VirtualItem[];
  /** Height of all, in pixels. */
  readonly height: number;
  scrollTo(index: number): void;
}

/**
 * Follows the scrolling of the page.
 *
 * @param top Where the list begins, in pixels from the page's top.
 */
export function useVirtualRows(count: number, rowHeight: number, top: number): VirtualRows {
  const [, render] = useReducer((number: number) => number + 1, 0);
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => globalThis as unknown as Window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => scrollY,
    scrollMargin: top,
    scrollPaddingStart: 190,
    overscan: BEYOND,
    onChange: () => render(0),
  };
  const [virtualizer] = useState(() => new Virtualizer<Window, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [rowHeight]);
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
  };
}
