import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

/** What is known of the sensor's server, and whether the user wants to see news. */
export interface Live {
  /** Changes when there is something new, and it may be shown. */
  readonly version: string;
  readonly isConnected: boolean;
  /** Whether a sensor writes what is shown. */
  readonly isCapturing: boolean;
  readonly isPaused: boolean;
}

/** What the views are kept up to date by. */
export const LiveContext = createContext<Live>({
  version: "",
  isConnected: false,
  isCapturing: false,
  isPaused: false,
});

/** News are not looked at more often, in milliseconds. */
const PAUSE = 2_000;

/** Follows the server's events. */
export function useLiveEvents(isPaused: boolean): Live {
  const [version, setVersion] = useState("");
  const [isConnected, setConnected] = useState(false);
  const [isCapturing, setCapturing] = useState(false);
  const latest = useRef("");
  const paused = useRef(isPaused);
  const timer = useRef<number | undefined>(undefined);
  paused.current = isPaused;
  const show = () => {
    timer.current = undefined;
    if (!paused.current && !document.hidden) setVersion(latest.current);
  };
  useEffect(() => {
    const source = new EventSource("/api/live");
    source.onopen = () => setConnected(true);
    source.onerror = () => setConnected(false);
    source.onmessage = ({ data }) => {
      const { version, isLive } = JSON.parse(data) as { version: string; isLive: boolean };
      setCapturing(isLive);
      if (latest.current === version) return;
      latest.current = version;
      timer.current ??= setTimeout(show, PAUSE);
    };
    document.addEventListener("visibilitychange", show);
    return () => {
      source.close();
      clearTimeout(timer.current);
      document.removeEventListener("visibilitychange", show);
    };
  }, []);
  useEffect(show, [isPaused]);
  return { version, isConnected, isCapturing, isPaused };
}

/** What the server answered. */
export interface Answer<T> {
  /** The last that came; of another question for as long as the answer to this one is not there. */
  readonly data: T | null;
  readonly error: string | null;
  readonly isLoading: boolean;
}

/** Asks the server, and again when there is something new. */
export function useAnswer<T>(path: string, query: URLSearchParams, isHeld = false): Answer<T> {
  const { version } = useContext(LiveContext);
  const address = `/api/${path}?${query}`;
  const [answer, setAnswer] = useState<Answer<T>>({ data: null, error: null, isLoading: true });
  const asked = useRef("");
  useEffect(() => {
    if (isHeld && asked.current === address) return;
    asked.current = address;
    const abort = new AbortController();
    setAnswer((before) => ({ ...before, isLoading: true }));
    ask<T>(address, abort.signal).then(
      (data) => setAnswer({ data, error: null, isLoading: false }),
      (error) => {
        if (abort.signal.aborted) return;
        setAnswer((before) => ({ ...before, error: messageOf(error), isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [address, version, isHeld]);
  return answer;
}

/**
 * Asks the server once.
 *
 * @throws {Error} with what the server says is wrong.
 */
export async function ask<T>(address: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(address, { signal });
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    throw new Error((await response.text()).trim() || response.statusText);
  }
  const body = await response.json() as { data: T; error?: string };
  if (!response.ok) throw new Error(body.error ?? response.statusText);
  return body.data;
}

/** What to say of an error. */
export function messageOf(error: unknown): string {
  if (error instanceof TypeError) return "flosensor can't be reached";
  return error instanceof Error ? error.message : String(error);
}
