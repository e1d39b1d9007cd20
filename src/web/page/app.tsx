import { render } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { FilterError, parseFilter } from "../filter.ts";
import { RouteContext, ViewLink } from "./filtering.tsx";
import { Flow } from "./flow.tsx";
import { Help } from "./help.tsx";
import { useMedia, useStored } from "./hooks.ts";
import { Devices } from "./devices.tsx";
import { EncryptedDns, Refused, Services, Unexplained } from "./lists.tsx";
import { type Live, LiveContext, useLiveEvents } from "./live.ts";
import { Names } from "./names.tsx";
import { Overview } from "./overview.tsx";
import {
  addressOf,
  commonParameters,
  go,
  type Route,
  spanOf,
  SPANS,
  useRoute,
  VIEWS,
} from "./route.ts";

/** So long after the last letter a filter is looked at, in milliseconds. */
const TYPING = 250;
const THEMES = ["auto", "light", "dark"] as const;

function App() {
  const route = useRoute();
  const [isPaused, setPaused] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [theme, setTheme] = useStored<typeof THEMES[number]>("theme", "auto");
  const prefersDark = useMedia("(prefers-color-scheme: dark)");
  const live = useLiveEvents(isPaused);
  const filterBox = useRef<HTMLInputElement>(null);
  const views = useRef<HTMLElement>(null);
  const shownTheme = theme === "auto" ? prefersDark ? "dark" : "light" : theme;
  // Before anything is drawn: charts take their colours from there.
  document.documentElement.dataset.theme = shownTheme;

  useEffect(() => {
    const view = VIEWS.find(({ path }) => path === route.path)?.title ??
      (route.path === "/flow" ? "Flow" : "No such view");
    document.title = `${view} – flosensor`;
    // On a phone not all views have room beside each other.
    const row = views.current!;
    const [all, one] = [row, row.querySelector("[aria-current]")]
      .map((it) => it?.getBoundingClientRect());
    if (all !== undefined && one !== undefined) {
      row.scrollLeft += one.left - all.left - (all.width - one.width) / 2;
    }
  }, [route.path]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const view = VIEWS[Number(event.key) - 1];
    if (event.key === "/") filterBox.current?.focus();
    else if (event.key === "p") setPaused((it) => !it);
    else if (event.key === "?") setHelpOpen((it) => !it);
    else if (event.key === "t") setTheme(nextTheme(theme));
    else if (view !== undefined) go(addressOf(view.path, commonParameters(route)));
    else return;
    event.preventDefault();
  };
  // Before the next key: what it does depends on what the last one did.
  useLayoutEffect(() => {
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });

  return (
    <RouteContext.Provider value={route}>
      <LiveContext.Provider value={live}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div class="bar">
            <ViewLink class="brand" href="/">
              <Mark />
              flosensor
            </ViewLink>
            <nav aria-label="Views" ref={views}>
              {VIEWS.map(({ path, title }) => (
                <ViewLink
                  key={path}
                  href={addressOf(path, commonParameters(route))}
                  aria-current={route.path === path ? "page" : undefined}
                >
                  {title}
                </ViewLink>
              ))}
            </nav>
            <span class="space" />
            <button
              type="button"
              class={`status ${statusOf(live)}`}
              aria-pressed={isPaused}
              title={isPaused ? "Show what is new (p)" : "Keep the page as it is (p)"}
              onClick={() => setPaused(!isPaused)}
            >
              {STATUSES[statusOf(live)]}
            </button>
            <button
              type="button"
              class="icon"
              title={`Colours: ${theme} (t)`}
              aria-label={`Colours: ${theme}`}
              onClick={() => setTheme(nextTheme(theme))}
            >
              ◐
            </button>
            <button
              type="button"
              class="icon"
              title="Help (?)"
              aria-label="Help"
              aria-expanded={isHelpOpen}
              onClick={() => setHelpOpen(!isHelpOpen)}
            >
              ?
            </button>
          </div>
          {route.path === "/flow" ? null : <FilterBar route={route} box={filterBox} />}
        </header>
        {isHelpOpen ? <Help onClose={() => setHelpOpen(false)} /> : null}
        <main id="main" tabIndex={-1}>
          <View route={route} theme={shownTheme} />
        </main>
      </LiveContext.Provider>
    </RouteContext.Provider>
  );
}

function View({ route, theme }: { readonly route: Route; readonly theme: string }) {
  switch (route.path) {
    case "/":
      return <Overview theme={theme} />;
    case "/flow":
      return <Flow theme={theme} />;
    case "/services":
      return <Services />;
    case "/devices":
      return <Devices />;
    case "/unexplained":
      return <Unexplained />;
    case "/encrypted-dns":
      return <EncryptedDns />;
    case "/refused":
      return <Refused />;
    case "/names":
      return <Names />;
    default:
      return (
        <>
          <h1>There is no such view</h1>
          <p>
            <ViewLink href="/">Go to the overview</ViewLink>
          </p>
        </>
      );
  }
}

function FilterBar(
  { route, box }: { readonly route: Route; readonly box: { current: HTMLInputElement | null } },
) {
  const filter = route.parameters.get("filter") ?? "";
  const [text, setText] = useState(filter);
  const timer = useRef<number | undefined>(undefined);
  const latest = useRef(route);
  latest.current = route;
  const error = errorOf(text);
  // What was clicked, or gone back to, is shown; not what is typed here and just not looked at yet.
  useEffect(() => {
    if (timer.current === undefined) setText(filter);
  }, [filter]);
  const apply = (value: string) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (errorOf(value) !== null) return;
    const { path, parameters } = latest.current;
    if (value.trim() === (parameters.get("filter") ?? "")) return;
    go(
      addressOf(path, parameters, { filter: value.trim() }),
      box.current === document.activeElement,
    );
  };
  return (
    <form
      class="filter-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        apply(text);
      }}
    >
      <input
        ref={box}
        type="search"
        class="filter"
        aria-label="Filter"
        aria-invalid={error !== null}
        aria-describedby={error === null ? undefined : "filter-error"}
        placeholder="client:10.0.0.0/24 port:443 name:example by:lower-port unexplained"
        title="Press / to get here"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        value={text}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setText(value);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => apply(value), TYPING);
        }}
      />
      <label class="span">
        <span class="only-read">Time</span>
        <select
          value={spanOf(route).text}
          onChange={(event) =>
            go(addressOf(route.path, route.parameters, { span: event.currentTarget.value }))}
        >
          {SPANS.map(({ text }) => (
            <option key={text} value={text}>{text === "all" ? "All time" : `Last ${text}`}</option>
          ))}
        </select>
      </label>
      {error === null ? null : <p id="filter-error" class="error" role="alert">{error}</p>}
    </form>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path d="M3 7c6 0 6 10 18 10" class="mark-line" />
      <path d="M3 17c6 0 6-10 18-10" class="mark-line second" />
      <circle cx="3.5" cy="7" r="2.5" class="mark-end" />
      <circle cx="20.5" cy="17" r="2.5" class="mark-end" />
    </svg>
  );
}

/** What the button in the corner says. */
const STATUSES = { off: "Not connected", paused: "Paused", on: "Live", still: "No capture" };

function statusOf({ isConnected, isPaused, isCapturing }: Live): keyof typeof STATUSES {
  return !isConnected ? "off" : isPaused ? "paused" : isCapturing ? "on" : "still";
}

function errorOf(text: string): string | null {
  try {
    parseFilter(text);
    return null;
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
}

function nextTheme(theme: typeof THEMES[number]): typeof THEMES[number] {
  return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
}

render(<App />, document.getElementById("page")!);
