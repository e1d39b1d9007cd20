/** What a template has as the length of values that each have their own (RFC 7011, section 7). */
export const VARIABLE_LENGTH = 65_535;
