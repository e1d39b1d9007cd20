import { parseAddress } from "../model/address.ts";
import { bareAddress } from "../config/bare_address.ts";

/** An end as ss(8), conntrack(8) and URLs write it: `192.0.2.1:443`, `[2001:db8::1]:443`. */
const END = /^(\[[^\]]+\]|[\d.]+):(\d+)$/;

/** Words of a command line in which what is an address and a port in one is in two. */
export function partedEnds(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const [, address, port] = END.exec(word) ?? [];
    const isEnd = address !== undefined && parseAddress(bareAddress(address)) !== null;
    return isEnd ? [address, port] : [word];
  });
}
