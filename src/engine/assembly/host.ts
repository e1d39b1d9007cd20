/* What the program asks of JavaScript: `EngineHost` in `engine_memory.ts` says what each means. */

export declare function followTime(second: u32): void;
export declare function decode(packet: usize, captured: u32, linkType: u32, length: u32): void;
export declare function read(packet: usize, captured: u32, linkType: u32): void;
export declare function payloadRole(
  protocol: u32,
  payload: usize,
  end: usize,
  ports: u32,
  order: u32,
): u32;
export declare function readFirst(
  isIpv6: bool,
  number: u32,
  direction: u32,
  protocol: u32,
  payload: usize,
  size: u32,
  flags: u32,
  sequence: u32,
  isFirst: bool,
  isEarly: bool,
): u32;
export declare function readAnnouncements(protocol: u32, payload: usize, end: usize): void;

export declare function emit(count: u32): void;
export declare function see(count: u32): void;
export declare function judgeOwn(): u32;
export declare function wasOwnAttempt(seconds: u32): bool;
export declare function isListening(
  isIpv6: bool,
  address: usize,
  port: u32,
  protocol: u32,
): bool;
export declare function askFunction(rule: u32): u32;
export declare function corrected(before: u32, after: u32): void;
export declare function ended(isIpv6: bool, number: u32): void;
export declare function record(count: u32): void;
