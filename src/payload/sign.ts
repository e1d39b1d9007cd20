import {
  ANNOUNCES,
  FIRST,
  FROM_CLIENT,
  FROM_SERVER,
  LATER,
  NOBODY,
  REPLY,
} from "../model/payload_roles.ts";

export { ANNOUNCES, FIRST, FROM_CLIENT, FROM_SERVER, LATER, NOBODY, REPLY };

/** `NOBODY`, `FROM_CLIENT` or `FROM_SERVER`. */
export type Role = number;

/** What four bytes of a payload, as a number in network order, must be where the mask has bits. */
export interface SignWord {
  /** Where they are in the payload. Those that the mask has bits for are among `atLeast` bytes. */
  readonly at: number;
  readonly mask: number;
  readonly value: number;
}

/** How a protocol's messages tell who sends them. */
export interface Sign {
  /** The protocol, and where its format is written down. */
  readonly protocol: string;
  /** Values that a message's first byte can have; others are not shown to `read`. */
  readonly firstBytes: readonly number[];
  /** Bytes that `read` needs at least. */
  readonly atLeast: number;
  /**
   * Of a message that `read` says something about, one is true. So most payloads need not be shown to
   * it.
   */
  readonly words?: readonly SignWord[];
  /** One port of such a message is one of these. */
  readonly ports?: readonly number[];
  /** Whether other connections are announced in conversations of this protocol. */
  readonly announces?: boolean;
  /**
   * Says who sent a message.
   *
   * @param view Holds the payload.
   * @param start Where its first byte is.
   * @param end Where its captured bytes end, at least `atLeast` further on.
   * @param port One of `ports`, for formats that are too plain without it; without any, the lower one.
   * @param order `FIRST`, `REPLY` or `LATER`: which payload of the conversation it is, as far as they
   * were seen.
   * @param portOwner Who sent it if the end with that port serves; {@linkcode NOBODY} where both ends have
   * such a port.
   */
  read(
    view: DataView,
    start: number,
    end: number,
    port: number,
    order: number,
    portOwner: Role,
  ): Role;
}

/** Signs by the first byte of a payload, so that few are tried. */
export function byFirstByte(signs: readonly Sign[]): readonly (readonly Sign[])[] {
  const table: Sign[][] = Array.from({ length: 256 }, () => []);
  for (const sign of signs) for (const byte of sign.firstBytes) table[byte].push(sign);
  return table;
}

/** The numbers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** A word that is one of some values. */
export function wordIn(at: number, values: readonly number[], mask = 0xffffffff): SignWord[] {
  return values.map((value) => ({ at, mask, value }));
}

/** The word that a text begins with, as far as it and `most` bytes go. */
function beginningOf(text: string, most: number): SignWord {
  const bytes = Math.min(text.length, most, 4);
  let value = 0;
  for (let i = 0; i < bytes; i++) value |= text.charCodeAt(i) << (24 - 8 * i);
  return { at: 0, mask: -1 << (32 - 8 * bytes), value };
}

/** Whether the payload has this ASCII text at `at`. */
export function hasText(view: DataView, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++) {
    if (view.getUint8(at + i) !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** A sign of messages that begin with one of some texts. */
export function textSign(
  protocol: string,
  client: readonly string[],
  server: readonly string[] = [],
): Sign {
  const texts = [...client, ...server];
  const atLeast = Math.min(...texts.map((text) => text.length));
  return {
    protocol,
    firstBytes: [...new Set(texts.map((text) => text.charCodeAt(0)))],
    atLeast,
    words: texts.map((text) => beginningOf(text, atLeast)),
    read(view, start, end) {
      for (let i = 0; i < client.length; i++) {
        if (hasText(view, start, end, client[i])) return FROM_CLIENT;
      }
      for (let i = 0; i < server.length; i++) {
        if (hasText(view, start, end, server[i])) return FROM_SERVER;
      }
      return NOBODY;
    },
  };
}
