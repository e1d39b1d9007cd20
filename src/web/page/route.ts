import { useEffect, useState } from "preact/hooks";

/** Views of the page, by their paths. */
export const VIEWS = [
  { path: "/", title: "Overview" },
  { path: "/services", title: "Services" },
  { path: "/devices", title: "Devices" },
  { path: "/unexplained", title: "Unexplained" },
  { path: "/encrypted-dns", title: "Encrypted DNS" },
  { path: "/refused", title: "Refused" },
  { path: "/names", title: "Names" },
] as const;

/** Times that a view can go back, as in its address, and in milliseconds. */
export const SPANS: readonly { readonly text: string; readonly milliseconds: number | null }[] = [
  { text: "15m", milliseconds: 900_000 },
  { text: "1h", milliseconds: 3_600_000 },
  { text: "6h", milliseconds: 21_600_000 },
  { text: "24h", milliseconds: 86_400_000 },
  { text: "7d", milliseconds: 604_800_000 },
  { text: "30d", milliseconds: 2_592_000_000 },
  { text: "all", milliseconds: null },
];
const DEFAULT_SPAN = "24h";

/** What an address of the page says. */
export interface Route {
  readonly path: string;
  readonly parameters: URLSearchParams;
}

/** The present address; the component is rendered when it is another. */
export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const change = () => setRoute(current());
    addEventListener("popstate", change);
    addEventListener("routechange", change);
    return () => {
      removeEventListener("popstate", change);
      removeEventListener("routechange", change);
    };
  }, []);
  return route;
}

/** Goes to an address. What is typed letter by letter makes one step back, and not many. */
export function go(address: string, isReplacing = false): void {
  if (isReplacing) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  dispatchEvent(new Event("routechange"));
}

/** An address with other parameters; empty ones are left out. */
export function addressOf(
  path: string,
  parameters: URLSearchParams,
  changes: Readonly<Record<string, string | null>> = {},
): string {
  const all = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") all.delete(name);
    else all.set(name, value);
  }
  const text = all.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",");
  return text === "" ? path : `${path}?${text}`;
}

/** What all views have in common; other parameters are those of one view. */
export function commonParameters({ parameters }: Route): URLSearchParams {
  const common = new URLSearchParams();
  for (const name of ["filter", "span"]) {
    const value = parameters.get(name);
    if (value !== null) common.set(name, value);
  }
  return common;
}

/** The time that an address names. */
export function spanOf({ parameters }: Route): typeof SPANS[number] {
  const text = parameters.get("span") ?? DEFAULT_SPAN;
  return SPANS.find((span) => span.text === text) ?? SPANS.find((it) => it.text === DEFAULT_SPAN)!;
}

/** The parameters of the server's answers for filter and time of an address. */
export function queryOf(route: Route): URLSearchParams {
  const query = new URLSearchParams();
  const filter = route.parameters.get("filter");
  if (filter !== null && filter.trim() !== "") query.set("filter", filter);
  const { milliseconds } = spanOf(route);
  if (milliseconds !== null) query.set("span", String(milliseconds));
  return query;
}

function current(): Route {
  return { path: location.pathname, parameters: new URLSearchParams(location.search) };
}
