/* What the program asks of JavaScript: `MeterHost` in `meter_memory.ts` says what each means. */
@external("host", "judge")
export declare function judge(): void;
@external("host", "handOn")
export declare function handOn(count: u32): void;
@external("host", "followTime")
export declare function followTime(second: u32): void;
@external("host", "prepareForgetting")
export declare function prepareForgetting(): void;
@external("host", "takeOther")
export declare function takeOther(word: u32): void;
@external("host", "takeReset")
export declare function takeReset(
  isIpv6: bool,
  direction: u32,
  ports: u32,
  addresses: usize,
): bool;
@external("host", "judgeOwn")
export declare function judgeOwn(): u32;
@external("host", "isListening")
export declare function isListening(isIpv6: bool, number: u32, end: u32): bool;
@external("host", "askFunction")
export declare function askFunction(rule: u32): u32;
@external("host", "corrected")
export declare function corrected(before: u32, after: u32): void;
@external("host", "forgetRepeats")
export declare function forgetRepeats(): void;
