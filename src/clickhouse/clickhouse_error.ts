/** Numbers of ClickHouse's errors that say that it does not let us in, as `ErrorCodes.cpp` has them. */
const LOGIN = new Set([
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  195, // IP_ADDRESS_NOT_ALLOWED
  291, // DATABASE_ACCESS_DENIED
  492, // ACCESS_ENTITY_NOT_FOUND, a user's
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
]);
/** Those that say that tables are not there. */
const NOT_THERE = new Set([
  60, // UNKNOWN_TABLE
  81, // UNKNOWN_DATABASE
]);
/** Those that say that rows can't be read, now or later. */
const DATA = new Set([
  6, // CANNOT_PARSE_TEXT
  16, // NO_SUCH_COLUMN_IN_TABLE
  20, // NUMBER_OF_COLUMNS_DOESNT_MATCH
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38, // CANNOT_PARSE_DATE
  53, // TYPE_MISMATCH
  62, // SYNTAX_ERROR
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
]);
const CODE = /^Code: (\d+)[.,]/m;
/** As old ones and current ones write their message. */
const MESSAGE = /DB::Exception: ([^\n]*?)(?:, e\.what\(\)| \(version |\.? ?\([A-Z_]+\)|\n|$)/;
const MOST_MESSAGE = 200;

/** What a ClickHouse answers in the place of what was asked for. */
export class ClickHouseError extends Error {
  override readonly name = "ClickHouseError";
  /** Its number; 0 where it has none: a proxy's answer. */
  readonly code: number;

  /** @param text The body of the answer. */
  constructor(status: number, text: string) {
    const code = Number(CODE.exec(text)?.[1] ?? 0);
    const message = MESSAGE.exec(text)?.[1]?.slice(0, MOST_MESSAGE) ?? "";
    super(code === 0 ? `HTTP status ${status}` : `Code ${code}: ${message}`);
    this.code = code;
    if (code === 0 && status === 401) this.code = 516;
  }

  /** Whether it is of who we are, or what we may do. */
  get isLogin(): boolean {
    return LOGIN.has(this.code);
  }

  /** Whether the tables, or the database, are not there. */
  get isNotThere(): boolean {
    return NOT_THERE.has(this.code);
  }

  /** Whether the same rows would be refused again. */
  get isOfData(): boolean {
    return DATA.has(this.code);
  }
}
