/**
 * Makes `src/names/devices/vendor_data.ts` out of the package `oui-data`: `deno task vendors`. As it is,
 * the package would need 30 MB of memory and a tenth of a second; and it has postal addresses in it.
 *
 * @module
 */
import { brotliCompressSync, constants } from "node:zlib";
import registry from "oui-data";
import { printable } from "../src/printable.ts";

const LINE_WIDTH = 96;

/** The text of the module. */
export function vendorDataModule(): string {
  const bytes = new TextEncoder().encode(vendorLines());
  const compressed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const lines = compressed.toString("base64").match(new RegExp(`.{1,${LINE_WIDTH}}`, "g"))!;
  return `/*
 * Made by tools/vendors.ts from the package oui-data (https://github.com/silverwind/oui-data, licence
 * BSD-2-Clause), which is made from IEEE's registries MA-L, MA-M and MA-S. Not to be changed by hand.
 */

/** Bytes of {@linkcode VENDOR_DATA} when it is unpacked. */
export const VENDOR_BYTES = ${bytes.length};

/**
 * Lines in order, each a prefix of hardware addresses in lower case hexadecimal (6, 7 or 9 digits), a
 * blank, and the vendor's name in UTF-8; compressed by Brotli, in base64.
 */
export const VENDOR_DATA = \`
${lines.join("\n")}
\`;
`;
}

function vendorLines(): string {
  return Object.entries<string>(registry)
    .map(([prefix, entry]) => `${prefix.toLowerCase()} ${nameIn(entry)}\n`)
    .sort()
    .join("");
}

/** The first line of an entry; postal addresses follow. */
function nameIn(entry: string): string {
  return printable(entry.split("\n")[0]).replace(/\s+/g, " ").trim();
}

if (import.meta.main) {
  const path = new URL("../src/names/devices/vendor_data.ts", import.meta.url);
  Deno.writeTextFileSync(path, vendorDataModule());
}
