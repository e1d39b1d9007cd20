/*
 * Community IDs (https://github.com/corelight/community-id-spec), in AssemblyScript: a program of its own
 * (`deno task wasm` makes `community_id_program.ts` of it), and a part of that which makes lines of JSON.
 */

/** Bytes of an address of IPv6; one of IPv4 is in the last four. */
const ADDRESS: usize = 16;
const IPV4: usize = 4;
/** What SHA-1 takes at a time (FIPS 180-4, section 5.2.1): all that is hashed fits into one block. */
const BLOCK: usize = 64;
const ROUNDS: u32 = 80;
/** Bytes of its result. */
const DIGEST: usize = 20;

/**
 * Puts the ID of a conversation as text: `1:` and 28 characters.
 *
 * @param scratch 64 bytes that it may use.
 * @param client Where the client's address is: four words in network order, IPv4 in the last of them.
 * @param seed What is hashed before the rest: 0 to 65535.
 * @returns The end of what was written.
 */
export function communityId(
  into: usize,
  scratch: usize,
  isIpv6: bool,
  client: usize,
  server: usize,
  clientPort: u32,
  port: u32,
  protocol: u32,
  seed: u32,
): usize {
  const isInOrder = isBefore(client, server, clientPort, port);
  let at = put16(scratch, seed);
  at = putAddress(at, isIpv6, isInOrder ? client : server);
  at = putAddress(at, isIpv6, isInOrder ? server : client);
  // A byte of padding is behind the protocol.
  at = put16(at, protocol << 8);
  at = put16(at, isInOrder ? clientPort : port);
  at = put16(at, isInOrder ? port : clientPort);
  const bits = ((at - scratch) << 3) as u32;
  // FIPS 180-4, section 5.1.1: a bit, zeros, and the length in bits.
  memory.fill(at, 0, scratch + BLOCK - at);
  store<u8>(at, 0x80);
  store<u32>(scratch + BLOCK - 4, bswap<u32>(bits));
  hash(scratch);
  store<u16>(into, 0x3a31);
  return putBase64(into + 2, scratch);
}

/** Whether the client's end is not above the server's: by address, then by port. */
function isBefore(client: usize, server: usize, clientPort: u32, port: u32): bool {
  for (let i: usize = 0; i < ADDRESS; i += 4) {
    const one = load<u32>(client + i);
    const other = load<u32>(server + i);
    if (one !== other) return one < other;
  }
  return clientPort <= port;
}

function put16(at: usize, value: u32): usize {
  store<u16>(at, bswap<u16>(value as u16));
  return at + 2;
}

function putAddress(at: usize, isIpv6: bool, address: usize): usize {
  for (let i: usize = isIpv6 ? 0 : ADDRESS - IPV4; i < ADDRESS; i += 4, at += 4) {
    store<u32>(at, bswap<u32>(load<u32>(address + i)));
  }
  return at;
}

/** SHA-1 of one block, which is overwritten by it: FIPS 180-4, section 6.1.2. */
function hash(block: usize): void {
  let a: u32 = 0x67452301;
  let b: u32 = 0xefcdab89;
  let c: u32 = 0x98badcfe;
  let d: u32 = 0x10325476;
  let e: u32 = 0xc3d2e1f0;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    const place = block + ((round & 15) << 2);
    let word: u32;
    if (round < 16) {
      word = bswap<u32>(load<u32>(place));
    } else {
      word = rotl<u32>(
        wordBefore(block, round, 3) ^ wordBefore(block, round, 8) ^
          wordBefore(block, round, 14) ^ load<u32>(place),
        1,
      );
    }
    store<u32>(place, word);
    let mixed: u32;
    if (round < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (round < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (round < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    mixed += rotl<u32>(a, 5) + e + word;
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = mixed;
  }
  store<u32>(block, bswap<u32>(a + 0x67452301));
  store<u32>(block, bswap<u32>(b + 0xefcdab89), 4);
  store<u32>(block, bswap<u32>(c + 0x98badcfe), 8);
  store<u32>(block, bswap<u32>(d + 0x10325476), 12);
  store<u32>(block, bswap<u32>(e + 0xc3d2e1f0), 16);
}

function wordBefore(block: usize, round: u32, rounds: u32): u32 {
  return load<u32>(block + (((round - rounds) & 15) << 2));
}

/** A digest in base64 (RFC 4648, section 4). @returns The end of what was written. */
function putBase64(at: usize, digest: usize): usize {
  // Two bytes are left in the end, whose third is taken as 0, and written as padding.
  store<u8>(digest + DIGEST, 0);
  for (let i: usize = 0; i < DIGEST; i += 3, at += 4) {
    const bits = bswap<u32>(load<u32>(digest + i)) >>> 8;
    store<u8>(at, characterOf(bits >>> 18));
    store<u8>(at, characterOf((bits >>> 12) & 63), 1);
    store<u8>(at, characterOf((bits >>> 6) & 63), 2);
    store<u8>(at, characterOf(bits & 63), 3);
  }
  store<u8>(at - 1, 0x3d);
  return at;
}

function characterOf(digit: u32): u32 {
  if (digit < 26) return 0x41 + digit;
  if (digit < 52) return 0x61 + digit - 26;
  if (digit < 62) return 0x30 + digit - 52;
  return digit === 62 ? 0x2b : 0x2f;
}
