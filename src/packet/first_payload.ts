import * as answers from "../model/carried_answers.ts";

/** In an answer of a {@linkcode FirstPayloadReader}: see `carried_answers.ts`. */
export const READ_MORE: number = answers.READ_MORE;
export const LOOK_AGAIN: number = answers.LOOK_AGAIN;
export const IS_NAMED: number = answers.IS_NAMED;

/** One of the first payloads of a conversation. The same object is used for all. */
export interface FirstPayload {
  /** Tells the direction that it goes in from those of all other conversations that there are now. */
  key: number;
  /** The same of the other direction. */
  otherKey: number;
  /** Whether it is the first that is read of its conversation: what had the same key before is over. */
  isFirst: boolean;
  /** Whether what comes before it in its direction may still come: it begins as nothing that is known. */
  isEarly: boolean;
  /** IANA's number, TCP or UDP. */
  protocol: number;
  /** TCP control bits; 0 for UDP. */
  tcpFlags: number;
  /** The sequence number of its first byte (RFC 9293, section 3.1); 0 for UDP. */
  sequence: number;
  /** Holds it, and is used again as soon as the reader returns. */
  readonly bytes: Uint8Array;
  /** Where it begins there. */
  start: number;
  /** Where its captured bytes end. */
  end: number;
  /** The number of the names that the conversation carries, 0 for none: for the reader to change. */
  name: number;
}

/** Reads the first payloads of conversations, for what they say of the server's name. */
export interface FirstPayloadReader {
  /**
   * Reads a payload that begins as those with names, or follows such a one.
   *
   * @returns `READ_MORE` where those that follow are wanted, `LOOK_AGAIN` where those that begin as these
   * are, or 0; with `IS_NAMED` where `name` was changed.
   */
  read(payload: FirstPayload): number;
}
