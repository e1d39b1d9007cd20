/** The actions of the vocabulary: one file each, and a line here. */
export { Assign, type AssignOptions } from "./assign.ts";
export { Initiator } from "./initiator.ts";
export { LowerPort } from "./lower_port.ts";
export { PortMatch, type PortMatchOptions } from "./port_match.ts";
export { Service } from "./service.ts";
