import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type FilterField, filterText, parseFilter, withTerm } from "../filter.ts";
import { addressOf, commonParameters, go, type Route } from "./route.ts";

/** The address that is shown. */
export const RouteContext = createContext<Route>({ path: "/", parameters: new URLSearchParams() });

/** What a link filters by. */
export interface FilterLinkProps {
  readonly field: FilterField;
  readonly value: string | number;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly tabIndex?: number;
  /** The view that is filtered; the present one by default. */
  readonly view?: string;
  /** More terms that are set at once. */
  readonly also?: readonly (readonly [FilterField, string | number])[];
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
  { field, value, view, also = [] }: Pick<FilterLinkProps, "field" | "value" | "view" | "also">,
  isNot = false,
): string {
  let filter = readFilter(route);
  for (const [name, it] of [[field, value], ...also] as const) {
    filter = withTerm(filter, { field: name, values: [String(it)], isNot });
  }
  // A flow's own page shows one flow: filtered is the list of them.
  const path = view ?? (route.path === "/flow" ? "/" : route.path);
  return addressOf(path, route.path === path ? route.parameters : commonParameters(route), {
    filter: filterText(filter),
  });
}

function readFilter({ parameters }: Route) {
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
