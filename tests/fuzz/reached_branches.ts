/** Which branches were taken, by number, in a build that counts them. Elsewhere none ever is. */
export const reachedBranches: Uint8Array = new Uint8Array(65_536);
