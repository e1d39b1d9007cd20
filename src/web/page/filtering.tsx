import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Filter, type FilterField, filterText, parseFilter, withTerm } from "../filter.ts";
import { addressOf, commonParameters, go, type Route } from "./route.ts";

/** The address that is shown. */
export const RouteContext = createContext<Route>({ path: "/", parameters: new URLSearchParams() });

/** What a link filters by. */
export interface FilterLinkProps {
  readonly field: FilterField;
  /** Of several, any. */
  readonly value: string | number | readonly string[];
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly tabIndex?: number;
  /** The view that is filtered; the present one by default. */
  readonly view?: string;
  /** More terms that are set at once. */
  readonly also?: readonly (readonly [FilterField, string | number])[];
  /** Whether terms without a field are left out: in the view of devices they ask for the device. */
  readonly leavesTexts?: boolean;
}

/** A text that filters by what it says. With Alt or Shift it leaves that out. */
export function FilterLink(props: FilterLinkProps) {
  const route = useContext(RouteContext);
  const target = (isNot: boolean) => filteredAddress(route, props, isNot);
  return (
    <a
      href={target(false)}
      class={`filter-link ${props.class ?? ""}`}
      title={props.title}
      tabIndex={props.tabIndex}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        event.stopPropagation();
        go(target(event.altKey || event.shiftKey));
      }}
    >
      {props.children}
    </a>
  );
}

/** The address of a view with one more condition. */
export function filteredAddress(
  route: Route,
  { field, value, view, also = [], leavesTexts = false }: Pick<
    FilterLinkProps,
    "field" | "value" | "view" | "also" | "leavesTexts"
  >,
  isNot = false,
): string {
  let filter: Filter = readFilter(route).filter((term) => !leavesTexts || term.field !== "text");
  for (const [name, it] of [[field, value], ...also] as const) {
    const values = typeof it === "object" ? it : [String(it)];
    filter = withTerm(filter, { field: name, values, isNot });
  }
  // A flow's own page shows one flow: filtered is the list of them.
  const path = view ?? (route.path === "/flow" ? "/" : route.path);
  return addressOf(path, route.path === path ? route.parameters : commonParameters(route), {
    filter: filterText(filter),
  });
}

function readFilter({ parameters }: Route): Filter {
  try {
    return parseFilter(parameters.get("filter") ?? "");
  } catch {
    // What is not understood can't be added to.
    return [];
  }
}

/** A link to a view, which does not load the page again. */
export function ViewLink(
  { href, children, ...props }: {
    readonly href: string;
    readonly children: ComponentChildren;
    readonly class?: string;
    readonly title?: string;
    readonly tabIndex?: number;
    readonly "aria-current"?: "page";
  },
) {
  return (
    <a
      href={href}
      {...props}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(href);
        scrollTo(0, 0);
      }}
    >
      {children}
    </a>
  );
}
