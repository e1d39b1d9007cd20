/* Directions of conversations that wait to be classified. */
import { MOST_PENDING, PENDING, PENDING_ROOM } from "../layout";
import { cellOf, untilOf } from "./cells";
import { classifyPending } from "./classifying";
import { window } from "./clock";

// Something pending: a conversation's number, IPv6, and the direction.
export const PENDING_NUMBER_SHIFT: u32 = 2;
export const PENDING_IPV6: u32 = 2;
export const PENDING_DIRECTION: u32 = 1;

export let pendingCount: u32 = 0;

/** Has a direction of a conversation classified. */
export function addPending(isIpv6: bool, number: u32, direction: u32): void {
  store<u32>(untilOf(cellOf(isIpv6, number), direction), window + 1);
  // More than that may be left where a classification came to no end.
  if (pendingCount >= MOST_PENDING) classifyPending(false);
  append(isIpv6, number, direction);
}

/** Has it classified in the same go. @returns Whether there is room for that. */
export function addMeanwhile(isIpv6: bool, number: u32, direction: u32): bool {
  if (pendingCount === PENDING_ROOM) return false;
  store<u32>(untilOf(cellOf(isIpv6, number), direction), window + 1);
  append(isIpv6, number, direction);
  return true;
}

// @inline
function append(isIpv6: bool, number: u32, direction: u32): void {
  const word = (number << PENDING_NUMBER_SHIFT) | (isIpv6 ? PENDING_IPV6 : 0) |
    (direction & PENDING_DIRECTION);
  store<u32>(PENDING + (<usize> pendingCount << 2), word);
  pendingCount++;
}

/** Says that all were classified. */
export function clearPending(): void {
  pendingCount = 0;
}
