import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role, type SignWord, wordIn } from "./sign.ts";

/** RFC 5531, section 9. */
const CALL = 0;
const REPLY = 1;
const RPC_VERSION = 2;
const ACCEPTED = 0;
const DENIED = 1;
/** Programs below this are not assigned: RFC 5531, section 13. */
const FIRST_PROGRAM = 100_000;
/** Flavors of authentication up to RPCSEC_GSS, and the most bytes of one: section 8.2. */
const LAST_FLAVOR = 6;
const LONGEST_VERIFIER = 400;

/** What {@linkcode rpcRole} asks for in any case, where a message begins at `start`. */
export function rpcWords(start: number): SignWord[] {
  return [...wordIn(start + 8, [RPC_VERSION]), ...wordIn(start + 4, [REPLY])];
}

/** What an ONC RPC message of 24 bytes at least says of who sent it: RFC 5531, section 9. */
export function rpcRole(view: DataView, start: number): Role {
  const type = view.getUint32(start + 4);
  if (type === CALL) {
    const isCall = view.getUint32(start + 8) === RPC_VERSION &&
      view.getUint32(start + 12) >= FIRST_PROGRAM && view.getUint32(start + 16) < 256 &&
      view.getUint32(start + 20) < 256;
    return isCall ? FROM_CLIENT : NOBODY;
  }
  if (type !== REPLY) return NOBODY;
  const state = view.getUint32(start + 8);
  // The versions that are served, or why it was not believed who asks.
  if (state === DENIED) return view.getUint32(start + 12) <= 1 ? FROM_SERVER : NOBODY;
  if (state !== ACCEPTED) return NOBODY;
  const isReply = view.getUint32(start + 12) <= LAST_FLAVOR &&
    view.getUint32(start + 16) <= LONGEST_VERIFIER;
  return isReply ? FROM_SERVER : NOBODY;
}
