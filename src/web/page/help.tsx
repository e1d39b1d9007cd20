import { Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "go to the filter box"],
  ["1 … 7", "go to a view"],
  ["p", "pause, and go on"],
  ["t", "colours: as the system has them, light, dark"],
  ["?", "this help"],
  ["↓ ↑ j k", "in the table of flows: another row (Tab brings you there)"],
  ["Enter", "all that is known of the flow"],
  ["c v o b", "filter by the row's client, server, port, by"],
];

const TERMS: readonly (readonly [string, string])[] = [
  ["client:10.0.0.7", "address or prefix of the client; server: and host: (either) likewise"],
  ["port:443,8000-8999", "ports of services; proto:tcp and proto:udp"],
  ["name:example", "a part of the server's name"],
  ["by:lower-port,assign", "what decided who the client is"],
  ["unexplained", "no lookup explains it"],
  ["refused", "nothing was ever answered"],
  ["new", "first seen within a day"],
  ["local", "services of the own networks"],
  ["encrypted", "encrypted DNS"],
  ["anything else", "a part of an address or a name"],
  ["-by:syn", "a minus before it: not so"],
];

/** Keys, and what a filter can have. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="help" aria-labelledby="help-title" onClose={onClose}>
      <div class="help-head">
        <h2 id="help-title">Help</h2>
        <button type="button" class="button" onClick={() => box.current?.close()}>Close</button>
      </div>
      <h3>Filter</h3>
      <Terms of={TERMS} />
      <p>
        A click on an address, a name, a port or a reason filters by it; with Shift or Alt it leaves
        that out. The address of the page has all of it: bookmark it, or send it on.
      </p>
      <h3>Keys</h3>
      <Terms of={KEYS} />
    </dialog>
  );
}

function Terms({ of }: { readonly of: typeof KEYS }) {
  return (
    <dl class="terms">
      {of.map(([term, meaning]) => (
        <Fragment key={term}>
          <dt>
            <code>{term}</code>
          </dt>
          <dd>{meaning}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
