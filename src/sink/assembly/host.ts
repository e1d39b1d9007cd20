/* What the program of lines asks of JavaScript. */

/** Puts an address of IPv6 as text into a place. @returns Its length. */
export declare function addressText(address: usize, into: usize): u32;
/** The same of a second, up to its fraction. */
export declare function secondText(second: u32, into: usize): u32;
