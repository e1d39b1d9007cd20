/*
 * Hashes that are sums of products of pairs, each number with a secret of its own added (D. Lemire, O. Kaser,
 * Strongly universal string hashing is fast, The Computer Journal 57, 2014, section 3): nobody can choose
 * things that meet more often than by chance. For the programs beside it and elsewhere.
 */

/** The sum for pairs of words, of which each has a secret of 8 bytes. */
// @inline
export function sumOfPairs(words: usize, size: usize, secrets: usize): u64 {
  let sum: u64 = 0;
  for (let at: usize = 0; at < size; at += 8) {
    const secretsAt = secrets + (at << 1);
    sum += (load<u64>(secretsAt) + load<u32>(words + at)) *
      (load<u64>(secretsAt, 8) + load<u32>(words + at, 4));
  }
  return sum;
}

/**
 * The hash, in which also what differs in one number only is scattered, such as the ports of a scan.
 *
 * @param secret Odd: a product with it loses nothing.
 */
// @inline
export function hashOfSum(sum: u64, secret: u64): u32 {
  return <u32> (((sum ^ (sum >>> 32)) * secret) >>> 32);
}
