/** Fields of passwd(5) and group(5). */
const PASSWD = { name: 0, uid: 2, gid: 3 };
const GROUP = { gid: 2, members: 3 };

/**
 * Whether nobody but a user is in a group, as where each user has a group of its own and lets it write
 * (umask 002). Groups that are not in the system's own files are not known to be so.
 */
export function isPrivateGroup(gid: number, uid: number): boolean {
  const users = entriesOf("/etc/passwd");
  const names = users.filter((entry) => Number(entry[PASSWD.uid]) === uid)
    .map((entry) => entry[PASSWD.name]);
  const others = users.filter((entry) => Number(entry[PASSWD.gid]) === gid)
    .filter((entry) => Number(entry[PASSWD.uid]) !== uid);
  const groups = entriesOf("/etc/group").filter((entry) => Number(entry[GROUP.gid]) === gid);
  const members = groups.flatMap((entry) => (entry[GROUP.members] ?? "").split(","))
    .filter((name) => name !== "");
  return groups.length > 0 && others.length === 0 && members.every((name) => names.includes(name));
}

/** What a user is called, with the number; the number alone where the system's own file has no more. */
export function userText(uid: number): string {
  const entry = entriesOf("/etc/passwd").find((it) => Number(it[PASSWD.uid]) === uid);
  return entry === undefined ? `user ${uid}` : `${entry[PASSWD.name]} (user ${uid})`;
}

function entriesOf(path: string): string[][] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
