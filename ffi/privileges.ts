import { UserError } from "../src/user_error.ts";
import { capabilities, setCapabilities } from "./capabilities.ts";
import { ROOT } from "./effective_user.ts";
import { libc } from "./libc.ts";
import { allocate, cString } from "./memory.ts";

/** `struct passwd` of getpwnam(3): two pointers, then the numbers of user and group. */
const PASSWD = { uid: 16, gid: 20, size: 48 };
/** Room for the texts of an entry; getpwnam_r(3) names no limit, and some are long. */
const PASSWD_TEXTS = 65_536;
/** Leaves a number as it is, setresuid(2). */
const UNCHANGED = 0xffffffff;

let newUser: string | null = null;

/** The user that the process became by {@linkcode giveUpPrivileges}, or `null`. */
export function privilegesGivenUpFor(): string | null {
  return newUser;
}

/** Notes in a worker that the process has become another user's: see {@linkcode giveUpPrivileges}. */
export function noteOtherUser(user: string): void {
  newUser = user;
}

/**
 * @param user Name of a user.
 * @throws {UserError} when the process can't become that user's: there is none, it is root, or the
 * process isn't root's.
 */
export function requireOtherUser(user: string): void {
  otherAccountOf(user);
}

/**
 * Makes the process one of another user's, with that user's groups, for good. What is open stays so.
 *
 * @param user Name of the user.
 * @throws {UserError} as {@linkcode requireOtherUser} does. Then nothing has changed.
 * @throws {Error} when it has, and privileges are left all the same. The process must end then.
 */
export function giveUpPrivileges(user: string): void {
  const { uid, gid } = otherAccountOf(user);
  const { initgroups, setresgid, setresuid } = libc();
  // In this order: once the user is another, the groups can't be changed any more.
  const isDone = initgroups(cString(user), gid) === 0 && setresgid(gid, gid, gid) === 0 &&
    setresuid(uid, uid, uid) === 0;
  if (!isDone) throw new Error(`--user ${user}: the system refused to make us that user`);
  // The system leaves what is inheritable, which alone gives nothing.
  setCapabilities({ effective: 0n, permitted: 0n, inheritable: 0n });
  requireLost(user, uid, gid);
  newUser = user;
}

function otherAccountOf(user: string): { uid: number; gid: number } {
  const account = accountOf(user);
  if (account.uid === ROOT) {
    throw new UserError(`--user ${user}: this is root itself: name another user`);
  }
  if (userIds()[1] !== ROOT) {
    throw new UserError(`--user ${user}: only root can become another user: leave it out`);
  }
  return account;
}

function accountOf(user: string): { uid: number; gid: number } {
  const entry = allocate(PASSWD.size);
  const found = allocate(BigUint64Array.BYTES_PER_ELEMENT);
  const texts = allocate(PASSWD_TEXTS);
  const { getpwnam_r } = libc();
  getpwnam_r(cString(user), entry, texts, BigInt(PASSWD_TEXTS), found);
  if (new DataView(found.buffer).getBigUint64(0, true) === 0n) {
    throw new UserError(`--user ${user}: there is no such user: see getent passwd`);
  }
  const words = new DataView(entry.buffer);
  return { uid: words.getUint32(PASSWD.uid, true), gid: words.getUint32(PASSWD.gid, true) };
}

/** Nothing is believed: everything is asked for, and getting it back is tried. */
function requireLost(user: string, uid: number, gid: number): void {
  const { setresuid, setresgid } = libc();
  const isRegained = setresuid(UNCHANGED, ROOT, UNCHANGED) === 0 ||
    setresuid(ROOT, ROOT, ROOT) === 0 || setresgid(UNCHANGED, ROOT, UNCHANGED) === 0;
  const isOther = userIds().some((id) => id !== uid) || groupIds().some((id) => id !== gid);
  const { effective, permitted } = capabilities();
  if (isRegained || isOther || (effective | permitted) !== 0n) {
    throw new Error(`--user ${user}: privileges are left after they were given up`);
  }
}

/** Real, effective and saved user. */
function userIds(): Uint32Array {
  return threeIds((...ids) => libc().getresuid(...ids));
}

/** Real, effective and saved group. */
function groupIds(): Uint32Array {
  return threeIds((...ids) => libc().getresgid(...ids));
}

type Word = Uint8Array<ArrayBuffer>;

function threeIds(ask: (real: Word, effective: Word, saved: Word) => number): Uint32Array {
  const ids = [allocate(4), allocate(4), allocate(4)] as const;
  if (ask(...ids) !== 0) throw new Error("getresuid(2) or getresgid(2) failed");
  return Uint32Array.from(ids, (id) => new DataView(id.buffer).getUint32(0, true));
}
