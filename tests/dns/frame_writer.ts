/** Writes Frame Streams for tests, well-formed or not. */
import { type Bytes, bytes, u32 } from "../packets.ts";

export const ACCEPT = 1;
export const START = 2;
export const STOP = 3;
export const READY = 4;
export const FINISH = 5;
export const CONTENT_TYPE = "protobuf:dnstap.Dnstap";

/** A control frame, with a content type unless it is left out. */
export function control(type: number, contentType: string | null = CONTENT_TYPE): Bytes {
  const field = contentType === null
    ? bytes()
    : bytes(u32(1), u32(contentType.length), contentType);
  return bytes(u32(0), u32(4 + field.length), u32(type), field);
}

/** A data frame. */
export function frame(payload: Uint8Array | string): Bytes {
  const content = bytes(payload);
  return bytes(u32(content.length), content);
}

/** A unidirectional stream of frames. */
export function stream(...payloads: (Uint8Array | string)[]): Bytes {
  return bytes(control(START), ...payloads.map(frame), control(STOP, null));
}
