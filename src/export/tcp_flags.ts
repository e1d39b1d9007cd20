/** TCP control bits (RFC 9293, section 3.1). */
export { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../model/protocol_numbers.ts";
export const TCP_PSH = 0x08;
