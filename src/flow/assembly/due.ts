/* Directions of conversations that wait for their judgement. */
import { CELL_UNTIL, cellOf, DUE_DIRECTION, DUE_IPV6, DUE_NUMBER_SHIFT } from "./cells";
import { judge } from "./host";
import { window } from "./time";

/** Where they are, and how many. */
export let due: usize = 0;
export let dueCount: u32 = 0;
/** So many may wait; then all are judged at once. */
let mostDue: u32 = 0;
/** So many have room, with those that are corrected meanwhile. */
let dueRoom: u32 = 0;

/** Says where the list lies. */
export function setUpDue(itsDue: usize, itsMost: u32, itsRoom: u32): void {
  due = itsDue;
  mostDue = itsMost;
  dueRoom = itsRoom;
}

/** Has a direction of a conversation judged. */
export function addDue(isIpv6: bool, number: u32, direction: u32): void {
  store<u32>(cellOf(isIpv6, number) + CELL_UNTIL + (<usize> direction << 2), window + 1);
  // More than that may be left where a judgement came to no end.
  if (dueCount >= mostDue) judge();
  append(isIpv6, number, direction);
}

/** Has it judged in the same go. @returns Whether there is room for that. */
export function addMeanwhile(isIpv6: bool, number: u32, direction: u32): bool {
  if (dueCount === dueRoom) return false;
  store<u32>(cellOf(isIpv6, number) + CELL_UNTIL + (<usize> direction << 2), window + 1);
  append(isIpv6, number, direction);
  return true;
}

@inline
function append(isIpv6: bool, number: u32, direction: u32): void {
  const word = (number << DUE_NUMBER_SHIFT) | (isIpv6 ? DUE_IPV6 : 0) |
    (direction & DUE_DIRECTION);
  store<u32>(due + (<usize> dueCount << 2), word);
  dueCount++;
}

/** Says that all were judged. */
export function clearDue(): void {
  dueCount = 0;
}
