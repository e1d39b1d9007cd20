/*
 * Fingerprints: 64 bits that stand for some words, in two halves. Each is a hash of its own, with secrets
 * that nobody outside can know: nobody can choose two things that have the same, nor many that have one
 * half in common; by chance it takes billions of them.
 */
import { FINGERPRINT_SECRETS } from "../layout";
import { hashOfSum, sumOfPairs } from "./pair_hash";

/** Secrets of a half, of 8 bytes each: of two numbers, of the last step, and of up to eight words. */
const OF_A_NUMBER: usize = 8;
const OF_THE_LAST_STEP: usize = 16;
const SECRETS_OF_WORDS: usize = 24;
const SECRETS_OF_A_HALF: usize = SECRETS_OF_WORDS + 8 * 8;

/**
 * The first half for two numbers and a sum that {@linkcode sumForFirst} made of words, or 0 where there
 * are none.
 */
// @inline
export function firstHalf(one: u32, other: u32, sum: u64): u32 {
  return half(FINGERPRINT_SECRETS, one, other, sum);
}

/** The second half. */
// @inline
export function secondHalf(one: u32, other: u32, sum: u64): u32 {
  return half(FINGERPRINT_SECRETS + SECRETS_OF_A_HALF, one, other, sum);
}

/**
 * The sum of an even number of words for the first half.
 *
 * @param size Of the words, in bytes.
 * @param at Which of eight words the first one is, in bytes: it decides with which secrets.
 */
// @inline
export function sumForFirst(words: usize, size: usize, at: usize): u64 {
  return sumOfPairs(words, size, FINGERPRINT_SECRETS + SECRETS_OF_WORDS + (at << 1));
}

/** The same for the second half. */
// @inline
export function sumForSecond(words: usize, size: usize, at: usize): u64 {
  return sumOfPairs(
    words,
    size,
    FINGERPRINT_SECRETS + SECRETS_OF_A_HALF + SECRETS_OF_WORDS + (at << 1),
  );
}

// @inline
function half(itsSecrets: usize, one: u32, other: u32, sum: u64): u32 {
  const product = (load<u64>(itsSecrets) + one) * (load<u64>(itsSecrets + OF_A_NUMBER) + other);
  return hashOfSum(sum + product, load<u64>(itsSecrets + OF_THE_LAST_STEP) | 1);
}
